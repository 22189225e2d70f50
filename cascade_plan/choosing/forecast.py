"""A scenario month by month: the users of each, the plan for them, its cost by both views, and what changes."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final

from cascade_plan.choosing.breaking import broken, verdicts
from cascade_plan.choosing.changing import changes
from cascade_plan.choosing.outgrowing import Shapes, shapes
from cascade_plan.choosing.paid import Ledger
from cascade_plan.choosing.purchases import schedule
from cascade_plan.choosing.widening import DRAWS, band
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.forecast import (
    FORECAST_SCHEMA_VERSION,
    Event,
    FiscalYear,
    Forecast,
    ForecastMonth,
    Views,
    with_purchases,
)
from cascade_plan.model.growth import MONTHS_PER_YEAR, Connected, later, month_of
from cascade_plan.model.part import Need
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.purchases import Limits, Schedule
from cascade_plan.model.scenario import Scenario, with_values
from cascade_plan.planning.pipeline import NO_ORIGINS, plan
from cascade_plan.planning.resizing import solution_of
from cascade_plan.units import settled

HOURS_PER_DAY: Final = 24
TERM_MOST: Final = 36
"""Months of the longest commitment."""
NEVER_OLD: Final = 100_000
"""Days: how old prices are by a month to come is no news."""


Told = Callable[[int], None]
"""Told once for each month that is planned, with how many months there are."""


def nobody(months: int) -> None:
    """Tell nobody."""


def forecast(
    scenario: Scenario,
    book: Book,
    origins: Mapping[str, str] = NO_ORIGINS,
    start: date | None = None,
    months: int | None = None,
    users: Sequence[Connected] | None = None,
    told: Told = nobody,
) -> Forecast:
    """Return a scenario over some months: each planned anew for its users, with what has accumulated by then.

    `start` is the first day of the first month, `months` how many there are; left out, as the scenario's `forecast`
    says, or the month after the newest price. `users` are those of each month; left out, what the scenario's growth
    makes of its own. A shape that no count relieves becomes a larger one, by the judgement of the method slo. `told`
    learns of each month that is planned.
    Raises UsageError for what cannot be planned, and InfeasibleError naming the month that has no plan.
    """
    path = _Path.of(scenario, book, start, months, users)
    outgrown = shapes(path.scenarios, book, origins, path.starts)
    planned = _plans(path, book, origins, outgrown, told)
    ledger = Ledger(_hours(path.starts[0], len(planned) + TERM_MOST), scenario.budget.level)
    found = tuple(_months(path, planned, ledger, outgrown))
    bought = _schedule(found, book, scenario)
    years = tuple(_years(found, scenario, bought))
    return Forecast(
        FORECAST_SCHEMA_VERSION,
        path.scenarios[0],
        book.name,
        scenario.method,
        found,
        years,
        tuple(broken(scenario, found, years)),
        verdicts(scenario, found, years),
        ledger.owed_usd(len(found)),
        bought,
        tuple(_notes(scenario, outgrown, path)),
        users is not None,
    )


def with_band(found: Forecast, book: Book, origins: Mapping[str, str], draws: int = DRAWS, seed: int = 1) -> Forecast:
    """Return a forecast with its band of so many draws; the same for the same seed.

    The costs of other numbers of users are those that the rules have, over theirs for the forecast's own.
    """

    def planned(users: Sequence[Connected], looked: Sequence[int]) -> Sequence[Plan]:
        rules = found.scenario.model_copy(update={"method": "rules"})
        path = _Path.of(rules, book, found.months[0].start, len(users), users).at(looked)
        return _plans(path, book, origins, shapes(path.scenarios, book, origins, path.starts))

    return replace(found, band=band(found, book, origins, planned, draws, seed))


def first_month(scenario: Scenario, book: Book, start: date | None = None) -> date:
    """Return the first day of the first month: as given, as the scenario says, or the month after the newest price.

    Raises UsageError where nothing says what day it is.
    """
    if start is not None:
        return start
    if scenario.forecast.start is not None:
        return month_of(scenario.forecast.start)
    if book.day is None:
        raise UsageError("no price is dated: give the first month, --start YYYY-MM")
    return later(book.day, 1)


@dataclass(frozen=True, slots=True)
class _Path:
    """The months, each with its scenario."""

    starts: tuple[date, ...]
    hours: tuple[int, ...]
    scenarios: tuple[Scenario, ...]

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        book: Book,
        start: date | None,
        months: int | None,
        users: Sequence[Connected] | None,
    ) -> _Path:
        first = first_month(scenario, book, start)
        count = scenario.forecast.months if months is None else months
        own = scenario.users
        path = scenario.growth.months(count, own.peak, own.average, first) if users is None else users[:count]
        hours = _hours(first, len(path))
        scenarios = tuple(
            scenario.after(path[: index + 1]).model_copy(update={"hours_per_month": hours[index]})
            for index in range(len(path))
        )
        return cls(tuple(later(first, index) for index in range(len(path))), hours, scenarios)

    def at(self, places: Sequence[int]) -> _Path:
        """Return some of the months."""
        return _Path(
            tuple(self.starts[place] for place in places),
            tuple(self.hours[place] for place in places),
            tuple(self.scenarios[place] for place in places),
        )


def _hours(start: date, count: int) -> tuple[int, ...]:
    """Return the hours of so many calendar months.

    >>> _hours(date(2028, 1, 1), 3)
    (744, 696, 744)
    """
    firsts = (later(start, index) for index in range(count))
    return tuple(HOURS_PER_DAY * monthrange(first.year, first.month)[1] for first in firsts)


def _plans(path: _Path, book: Book, origins: Mapping[str, str], outgrown: Shapes, told: Told = nobody) -> list[Plan]:
    """Return the plan of each month. Raises InfeasibleError naming the month that has none."""
    planning = _Planning(path, book, origins, outgrown, told)
    count = len(path.scenarios)
    if path.scenarios[0].method == "rules":
        return [planning.plan(index) for index in range(count)]
    planning.between(0, count - 1)
    return [planning.known[index] for index in range(count)]


@dataclass(frozen=True, slots=True)
class _Planning:
    """The plans of the months, as far as they are made."""

    path: _Path
    book: Book
    origins: Mapping[str, str]
    outgrown: Shapes
    told: Told
    known: dict[int, Plan] = field(default_factory=dict)

    def between(self, low: int, high: int) -> None:
        """Plan the months from `low` to `high` by the method slo.

        Months between two that have the same fleet, with no more users and data than the later one and no fewer than
        the other, have that fleet too, as more never costs less: nothing is searched for them.
        """
        for index in (low, high):
            if index not in self.known:
                self.known[index] = self.plan(index)
        if high - low < 2:
            return
        if self._is_alike(low, high):
            fleet = self.known[high].fleet
            for index in range(low + 1, high):
                self.known[index] = self.plan(index, fleet)
            return
        middle = (low + high) // 2
        self.between(low, middle)
        self.between(middle, high)

    def _is_alike(self, low: int, high: int) -> bool:
        ends = [self.known[index].fleet for index in (low, high)]
        counts = [
            ({lever.name: (lever.floor_count, lever.base_count, lever.most_count) for lever in fleet.levers},
             [(group.name, group.shape.name) for group in fleet.groups])
            for fleet in ends
        ]  # fmt: skip
        users = [self.path.scenarios[index].users for index in range(low, high + 1)]
        return (
            counts[0] == counts[1]
            and all(users[0].peak <= each.peak <= users[-1].peak for each in users)
            and all(users[0].average <= each.average <= users[-1].average for each in users)
        )

    def plan(self, index: int, fleet: Fleet | None = None) -> Plan:
        """Return the plan of a month, with the shapes and counts of a fleet where one is given."""
        scenario = with_values(self.path.scenarios[index], self.outgrown.at(index))
        solution = None
        if fleet is not None:
            scenario = with_values(scenario, _shapes_of(scenario, fleet))
            solution = solution_of(scenario, fleet)
        self.told(len(self.path.scenarios))
        try:
            return plan(
                scenario,
                self.book,
                self.origins,
                self.path.starts[index],
                predicted=False,
                with_margins=False,
                max_price_age_days=NEVER_OLD,
                is_whole=False,
                solution=solution,
            )
        except InfeasibleError as error:
            start = self.path.starts[index]
            when = f"in {start:%Y-%m}, month {index + 1}, with {scenario.users.peak:,} users at peak"
            ways = f" (--months {index} ends before)" if index else ""
            raise InfeasibleError(f"{when}, there is no plan: {error}{ways}") from None


def _shapes_of(scenario: Scenario, fleet: Fleet) -> dict[str, str]:
    """Return the shapes that a fleet has where the scenario only says what they must have: dotted path -> name."""
    return {
        f"tiers.{name}.shape": sized.groups[0].shape.name
        for name, sized in fleet.tiers.items()
        if isinstance(getattr(scenario.tiers[name], "shape", None), Need) and sized.groups
    }


def _months(path: _Path, plans: Sequence[Plan], ledger: Ledger, outgrown: Shapes) -> Iterator[ForecastMonth]:
    before: Plan | None = None
    for index, made in enumerate(plans):
        number, start = index + 1, path.starts[index]
        paid = ledger.month(index, made.bill)
        grown = {each.tier: each.reason for each in outgrown.grown if each.index == index}
        users = made.scenario.users
        count: int = getattr(users, made.scenario.budget.users)
        yield ForecastMonth(
            number,
            start,
            path.hours[index],
            made,
            paid.tier_usd,
            getattr(made.bill.list_usd, ledger.level),
            paid.effective_usd,
            paid.cash_usd,
            paid.prepaid_usd,
            settled(paid.effective_usd * 1000 / count),
            (*_steps(made.scenario, number, start), *_begun(number, start, made, before, grown)),
            paid.held,
        )
        before = made


def _begun(number: int, start: date, made: Plan, before: Plan | None, grown: Mapping[str, str]) -> Iterator[Event]:
    """Yield what changes in a month; in the first one only what the scenario's own shapes do not do."""
    if before is not None:
        yield from changes(number, start, before, made, grown)
        return
    for tier, reason in grown.items():
        shape = next((group.shape.name for group in made.groups if group.tier == tier), "")
        yield Event(number, start, "grown", tier, f"{tier} needs {shape}: {reason}")


def _steps(scenario: Scenario, number: int, start: date) -> Iterator[Event]:
    for step in scenario.growth.steps:
        if step.month == f"{start:%Y-%m}":
            what = f"{step.users:,} users at peak" if step.users is not None else f"users x {step.factor:g}"
            yield Event(number, start, "step", "", f"{step.note}: {what}" if step.note else what)


def _schedule(months: Sequence[ForecastMonth], book: Book, scenario: Scenario) -> Schedule | None:
    """Return what to buy, within the longest term and the cash that the scenario allows; None where nothing may be."""
    free = scenario.optimize
    if free.commitment_years_max == 0:
        return None
    most = None if free.upfront_usd_max is None else Decimal(str(free.upfront_usd_max))
    return schedule(months, book, Limits(most, free.commitment_years_max or TERM_MOST // MONTHS_PER_YEAR))


def _years(months: Sequence[ForecastMonth], scenario: Scenario, bought: Schedule | None) -> Iterator[FiscalYear]:
    """Yield the fiscal years, each called after the calendar year in which it ends."""
    by_year: dict[int, list[ForecastMonth]] = {}
    for month in months:
        by_year.setdefault(fiscal_year(month.start, scenario.forecast.fiscal_year_start), []).append(month)
    views = with_purchases(months, bought)
    for year, own in by_year.items():
        effective = sum((month.effective_usd for month in own), Decimal(0))
        users = sum(getattr(month.plan.scenario.users, scenario.budget.users) for month in own)
        yield FiscalYear(
            year,
            len(own),
            own[-1].users_peak,
            sum((month.list_usd for month in own), Decimal(0)),
            effective,
            sum((month.cash_usd for month in own), Decimal(0)),
            settled(effective * 1000 / users),
            Views(
                sum((views[month.number - 1].effective_usd for month in own), Decimal(0)),
                sum((views[month.number - 1].cash_usd for month in own), Decimal(0)),
            ),
        )


def fiscal_year(month: date, first: int) -> int:
    """Return the fiscal year of a month, where fiscal years begin with calendar month `first`.

    >>> fiscal_year(date(2027, 6, 1), 7), fiscal_year(date(2027, 7, 1), 7), fiscal_year(date(2027, 12, 1), 1)
    (2027, 2028, 2027)
    """
    return month.year + (1 if first > 1 and month.month >= first else 0)


def _notes(scenario: Scenario, outgrown: Shapes, path: _Path) -> Iterator[str]:
    if scenario.method == "rules" and outgrown.grown:
        yield ("The rules never let an instance grow: its shape is what the method slo needs.")
    if outgrown.stuck is not None:
        index, reason = outgrown.stuck
        yield f"From {path.starts[index]:%Y-%m} on no shape keeps every load's limits: {reason}"
