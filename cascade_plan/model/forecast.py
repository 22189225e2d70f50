"""A forecast: each month of some years planned anew, what it costs, what becomes too small when, and what breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from cascade_plan.model.held import Held
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.purchases import Schedule
from cascade_plan.model.scenario import Scenario

FORECAST_SCHEMA_VERSION: Final = 1
PREFIX: Final = "forecast."
"""What the names of its figures begin with: a gate on one is judged by the forecast, and by no single plan."""
WHOLE_YEAR: Final = 12
NAMED: Final = tuple(
    f"{PREFIX}{name}"
    for name in (
        "cost_usd_total",
        "cash_usd_total",
        "cost_usd_per_month_most",
        "cash_usd_per_month_most",
        "cost_usd_per_1000_users_month_most",
    )
)
"""The figures that every forecast has."""
OF_YEARS: Final = (f"{PREFIX}cost_usd_fiscal_year", f"{PREFIX}cash_usd_fiscal_year")
"""Those that it has of each whole fiscal year, which follows after a dot."""


@dataclass(frozen=True, slots=True)
class Event:
    """What changes from one month to the next, in words."""

    number: int
    """The month's, 1 the first."""
    start: date
    """The first day of that month."""
    kind: str
    """step (users), grown (a shape that was too small), limit, storage, line (newly billed), small, count."""
    tier: str
    """The instance of a tier; empty of users."""
    words: str


@dataclass(frozen=True, slots=True)
class ForecastMonth:
    """One calendar month: the system as planned for its users, and what it costs."""

    number: int
    """1 the first."""
    start: date
    """Its first day."""
    hours: int
    """Of this calendar month."""
    plan: Plan
    """With the users of the month, what has accumulated by then, and the prices of the day; without latencies."""
    tier_usd: Mapping[str, Decimal]
    """Tier -> its effective cost of the month."""
    list_usd: Decimal
    """What is used, at the public prices on demand."""
    effective_usd: Decimal
    """What it costs: what is paid upfront is spread over its term, in whole cents."""
    cash_usd: Decimal
    """What is paid: what is paid upfront is paid in the month in which it is bought."""
    prepaid_usd: Decimal
    """What is paid upfront and not yet used up at the month's end."""
    cost_usd_per_1000_users: Decimal
    """Effective, by the users that the budget names."""
    events: tuple[Event, ...] = ()
    """What is different from the month before."""
    held: tuple[Held, ...] = ()
    """What is committed to in it, a purchase each."""

    @property
    def users_peak(self) -> int:
        """Users at peak."""
        return self.plan.scenario.users.peak


class Views(NamedTuple):
    """A cost by both views."""

    effective_usd: Decimal
    """What is paid upfront is spread over its term."""
    cash_usd: Decimal
    """What is paid upfront is paid when it is bought."""


@dataclass(frozen=True, slots=True)
class FiscalYear:
    """The months of a forecast that are in one fiscal year."""

    year: int
    """The calendar year in which it ends."""
    month_count: int
    """Fewer than 12 where the forecast begins or ends within it."""
    users_peak: int
    """In its last month here."""
    list_usd: Decimal
    effective_usd: Decimal
    cash_usd: Decimal
    cost_usd_per_1000_users: Decimal
    """Effective, in the mean of its months."""
    with_purchases: Views
    """What it comes to with the purchases of the schedule; the same where nothing is bought."""

    @property
    def is_whole(self) -> bool:
        """Whether all of its months are here."""
        return self.month_count == WHOLE_YEAR


@dataclass(frozen=True, slots=True)
class Broken:
    """A gate or budget with the first month, or fiscal year, in which it is not kept."""

    figure: str
    operator: str
    limit: Decimal
    value: int | float | Decimal
    """In that month or year."""
    number: int | None
    """The month's; None of a fiscal year."""
    start: date
    """The first day of the month; of a fiscal year that of the month in which what it may cost is used up."""
    fiscal_year: int | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """Between what the cost is, as growth and what else is unsure may turn out."""

    draw_count: int
    seed: int
    monthly_usd: tuple[tuple[Decimal, Decimal, Decimal], ...]
    """The tenth, fiftieth and ninetieth percentile of each month's effective cost."""
    fiscal_years_usd: tuple[tuple[Decimal, Decimal, Decimal], ...]
    """Of each fiscal year's, in the forecast's order."""
    total_usd: tuple[Decimal, Decimal, Decimal]
    """Of all months together."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """A scenario over some years."""

    schema_version: int
    scenario: Scenario
    """As it is in the first month."""
    book: str
    """Name of the price book."""
    method: str
    """rules or slo: how each month is planned."""
    months: tuple[ForecastMonth, ...]
    fiscal_years: tuple[FiscalYear, ...]
    broken: tuple[Broken, ...]
    """Every gate and budget that is not kept in some month, the earliest first."""
    verdicts: tuple[Verdict, ...]
    """Of the gates on the forecast's own figures."""
    owed_usd: Decimal
    """What is still to be paid after the last month for what the scenario has committed to."""
    schedule: Schedule | None = None
    """What to buy so that the instances cost least: decisions for now, and an outlook. None where nothing may be."""
    notes: tuple[str, ...] = ()
    """What a reader must know of how it was made, in words."""
    is_by_file: bool = False
    """Whether the users of each month are given, and growth makes none of them."""
    band: Band | None = None
    """None where nobody asked for it."""

    @property
    def level(self) -> str:
        """The level of the band of a bill that is counted: the one that the budget judges."""
        return self.scenario.budget.level

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that changes, month by month."""
        return tuple(event for month in self.months for event in month.events)

    @property
    def list_usd(self) -> Decimal:
        """All months together, at the public prices on demand."""
        return sum((month.list_usd for month in self.months), Decimal(0))

    @property
    def effective_usd(self) -> Decimal:
        """What all months together cost."""
        return sum((month.effective_usd for month in self.months), Decimal(0))

    @property
    def cash_usd(self) -> Decimal:
        """What is paid in all months together."""
        return sum((month.cash_usd for month in self.months), Decimal(0))

    @property
    def prepaid_usd(self) -> Decimal:
        """What is paid upfront and not used up at the end: cash is effective cost and this together."""
        return self.months[-1].prepaid_usd

    @property
    def monthly_with_purchases(self) -> tuple[Views, ...]:
        """What each month comes to with the purchases of the schedule; as it is planned where there is none."""
        return with_purchases(self.months, self.schedule)

    @property
    def with_purchases(self) -> Views:
        """The sum of these."""
        monthly = self.monthly_with_purchases
        return Views(sum((each[0] for each in monthly), Decimal(0)), sum((each[1] for each in monthly), Decimal(0)))

    @property
    def tier_usd(self) -> dict[str, Decimal]:
        """Tier -> its effective cost in all months together, the dearest first."""
        found: dict[str, Decimal] = {}
        for month in self.months:
            for tier, usd in month.tier_usd.items():
                found[tier] = found.get(tier, Decimal(0)) + usd
        return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))

    @property
    def figures(self) -> Mapping[str, Decimal]:
        """What a gate may limit, by its dotted name; of a fiscal year that is not whole there is none."""
        return figures(self.months, self.fiscal_years)

    @property
    def is_complete(self) -> bool:
        """Whether every line of every month has a price; where not, the costs are "at least"."""
        return all(month.plan.bill.complete for month in self.months)

    @property
    def failed(self) -> bool:
        """Whether a gate on the forecast's own figures failed."""
        return any(verdict.status == "fail" for verdict in self.verdicts)


def with_purchases(months: Sequence[ForecastMonth], schedule: Schedule | None) -> tuple[Views, ...]:
    """Return what months come to with the purchases of a schedule in the place of what these replace on demand."""
    if schedule is None:
        return tuple(Views(month.effective_usd, month.cash_usd) for month in months)
    return tuple(
        Views(
            month.effective_usd - outlay.all_on_demand_usd + outlay.effective_usd,
            month.cash_usd - outlay.all_on_demand_usd + outlay.cash_usd,
        )
        for month, outlay in zip(months, schedule.months, strict=True)
    )


def figures(months: Sequence[ForecastMonth], years: Sequence[FiscalYear]) -> dict[str, Decimal]:
    """Return the figures of a forecast by their dotted names; of a fiscal year that is not whole there is none."""
    return dict(_figures(months, years))


def is_figure(name: str) -> bool:
    """Return whether some forecast has a figure of that name, whatever its years.

    >>> is_figure("forecast.cost_usd_fiscal_year.2027"), is_figure("forecast.cost_usd_fiscal_year")
    (True, False)
    """
    return name in NAMED or (name[-4:].isdigit() and name[:-5] in OF_YEARS and name[-5] == ".")


def _figures(months: Sequence[ForecastMonth], years: Sequence[FiscalYear]) -> Iterator[tuple[str, Decimal]]:
    amounts = (
        sum((month.effective_usd for month in months), Decimal(0)),
        sum((month.cash_usd for month in months), Decimal(0)),
        max(month.effective_usd for month in months),
        max(month.cash_usd for month in months),
        max(month.cost_usd_per_1000_users for month in months),
    )
    yield from zip(NAMED, amounts, strict=True)
    for year in years:
        if year.is_whole:
            yield from zip(
                (f"{name}.{year.year}" for name in OF_YEARS), (year.effective_usd, year.cash_usd), strict=True
            )
