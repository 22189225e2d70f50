"""A plan -> the plan over some years for the people who pay: years, commitments, decisions and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from cascade_plan import __version__
from cascade_plan.choosing.differences import compare
from cascade_plan.choosing.forecast import forecast, with_band
from cascade_plan.choosing.optimum import optimum
from cascade_plan.choosing.purchases import schedule
from cascade_plan.errors import InfeasibleError
from cascade_plan.model.difference import Differences
from cascade_plan.model.forecast import Band, Forecast, ForecastMonth
from cascade_plan.model.growth import later
from cascade_plan.model.paper import CHANGE, COMMIT, KEEP_LESS, Decision, Paper, PaperMonth, PaperYear, Three
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.purchases import Schedule
from cascade_plan.model.scenario import Scenario, with_values
from cascade_plan.units import settled

DRAWS: Final = 256
"""Worlds: a tenth percentile of so many is within 4 in a hundred of its rank."""
BAND_DRAWS: Final = 100
"""Draws of each month's band: a first look."""
SEED: Final = 1
KEPT_MONTHS: Final = 12
"""Months of data that are kept where it is looked at what keeping less saves."""
ENDS: Final = ("deleted_after_months", "retention_months")
"""Settings of a tier after how many months what it keeps is deleted."""
LEAST_SHARE: Final = Decimal("0.005")
"""Of the cost of all months, what a decision saves at least: less is none to put before anybody."""


def paper(plan: Plan, book: Book, origins: Mapping[str, str], as_of: date | None = None) -> Paper:
    """Return a plan over the months that its scenario's `forecast` says.

    Raises InfeasibleError naming the month that has no plan, and UsageError where no price is dated and the scenario
    does not say which month is the first.
    """
    scenario = plan.scenario
    found = with_band(forecast(scenario, book, origins), book, origins, BAND_DRAWS, SEED)
    bought = schedule(found.months, book)
    saving = _saving(scenario, book, origins, as_of)
    months = tuple(_months(found, bought))
    sure = _sure(plan, book, origins)
    return Paper(
        plan.identifier,
        __version__,
        found,
        bought,
        saving,
        months,
        tuple(_years(found, months)),
        _year(None, months, found),
        tuple(_decisions(found, bought, saving, scenario, book, origins)),
        *sure,
    )


def _saving(scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None) -> Differences | None:
    try:
        best = optimum(scenario, book, origins, as_of)
    except InfeasibleError:
        return None
    return compare(best.today, best.plan)


def _sure(plan: Plan, book: Book, origins: Mapping[str, str]) -> tuple[Three | None, float | None, int]:
    """Return what a month costs in drawn worlds, in what share of them every limit is kept, and how many there are."""
    import numpy as np

    from cascade_plan.choosing.worlds import Worlds

    worlds = Worlds.of(plan.scenario, book, origins, DRAWS)
    if not worlds.believed:
        return None, None, 0
    outcome = worlds.outcome(plan.fleet)
    low, middle, high = (settled(Decimal(repr(float(each)))) for each in np.percentile(outcome.cost_usd, [10, 50, 90]))
    return (low, middle, high), outcome.kept_ratio if outcome.missed else None, DRAWS


def _months(found: Forecast, bought: Schedule) -> Iterator[PaperMonth]:
    for index, (month, outlay) in enumerate(zip(found.months, bought.months, strict=True)):
        scenario = month.plan.scenario
        low, high = _ends(found.band, index)
        yield PaperMonth(
            month.start,
            month.users_peak,
            month.tier_usd,
            month.effective_usd,
            month.effective_usd - outlay.all_on_demand_usd + outlay.effective_usd,
            month.cash_usd - outlay.all_on_demand_usd + outlay.cash_usd,
            scenario.budget.usd_per_month_most(scenario.users),
            low,
            high,
        )


def _ends(band: Band | None, index: int) -> tuple[Decimal | None, Decimal | None]:
    if band is None:
        return None, None
    low, _, high = band.monthly_usd[index]
    return low, high


def _years(found: Forecast, months: Sequence[PaperMonth]) -> Iterator[PaperYear]:
    at = 0
    for year in found.fiscal_years:
        yield _year(year.year, months[at : at + year.month_count], found, at)
        at += year.month_count


def _year(year: int | None, months: Sequence[PaperMonth], found: Forecast, at: int = 0) -> PaperYear:
    budgets = [month.budget_usd for month in months if month.budget_usd is not None]
    effective = sum((month.effective_usd for month in months), Decimal(0))
    own: Sequence[ForecastMonth] = found.months[at : at + len(months)]
    users = sum(getattr(month.plan.scenario.users, found.scenario.budget.users) for month in own)
    return PaperYear(
        year,
        len(months),
        months[-1].users_peak,
        sum((month.without_usd for month in months), Decimal(0)),
        effective,
        sum((month.cash_usd for month in months), Decimal(0)),
        sum(budgets, Decimal(0)) if len(budgets) == len(months) else None,
        settled(effective * 1000 / users),
    )


def _decisions(
    found: Forecast,
    bought: Schedule,
    saving: Differences | None,
    scenario: Scenario,
    book: Book,
    origins: Mapping[str, str],
) -> Iterator[Decision]:
    """Yield what is worth deciding, the largest saving first."""
    first = found.months[0].start
    made = [*_commit(bought, first), *_change(saving, len(found.months), first)]
    made += _keep_less(found, scenario, book, origins)
    least = LEAST_SHARE * found.effective_usd
    yield from sorted((each for each in made if each.saves_usd > least), key=lambda each: -each.saves_usd)


def _commit(bought: Schedule, first: date) -> Iterator[Decision]:
    if bought.orders:
        saves = sum((order.saves_usd for order in bought.orders), Decimal(0))
        yield Decision(COMMIT, "", saves, sum((order.upfront_usd for order in bought.orders), Decimal(0)), first)


def _change(saving: Differences | None, months: int, first: date) -> Iterator[Decision]:
    if saving is not None:
        upfront = saving.after.bill.upfront_usd
        yield Decision(CHANGE, "", -saving.change_usd * months, upfront, first)


def _keep_less(found: Forecast, scenario: Scenario, book: Book, origins: Mapping[str, str]) -> Iterator[Decision]:
    """Yield what it saves to keep data for a year, of the dearest tier that keeps it for ever."""
    if len(found.months) <= KEPT_MONTHS:
        return
    for tier in found.tier_usd:
        settings = scenario.tiers.get(tier)
        end = next((each for each in ENDS if hasattr(settings, each)), None)
        if end is None or getattr(settings, end) is not None:
            continue
        path = f"tiers.{tier}.{end}"
        try:
            less = forecast(with_values(scenario, {path: KEPT_MONTHS}), book, origins)
        except InfeasibleError:
            return
        saves = found.effective_usd - less.effective_usd
        yield Decision(
            KEEP_LESS, tier, saves, Decimal(0), later(found.months[0].start, KEPT_MONTHS), {path: KEPT_MONTHS}
        )
        return
