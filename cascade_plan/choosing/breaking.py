"""Months -> which gates and budgets are not kept, and from when on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from cascade_plan.model.forecast import PREFIX, Broken, FiscalYear, ForecastMonth, figures
from cascade_plan.model.plan import Verdict
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.judging import OPERATORS


def broken(scenario: Scenario, months: Sequence[ForecastMonth], years: Sequence[FiscalYear]) -> Iterator[Broken]:
    """Yield every gate and budget that is not kept, with the first month or fiscal year, the earliest first."""
    yield from sorted((*_of_months(months), *_of_years(scenario, months, years)), key=lambda each: each.start)


def _of_months(months: Sequence[ForecastMonth]) -> Iterator[Broken]:
    seen: set[tuple[str, str, Decimal]] = set()
    for month in months:
        for verdict in month.plan.verdicts:
            key = verdict.figure, verdict.operator, verdict.limit
            if verdict.status == "fail" and verdict.value is not None and key not in seen:
                seen.add(key)
                yield Broken(*key, verdict.value, month.number, month.start)


def _of_years(scenario: Scenario, months: Sequence[ForecastMonth], years: Sequence[FiscalYear]) -> Iterator[Broken]:
    """Yield the first fiscal year that costs more than the budget, with the month in which it is used up."""
    if scenario.budget.usd_per_fiscal_year is None:
        return
    limit, at = Decimal(str(scenario.budget.usd_per_fiscal_year)), 0
    for year in years:
        own = months[at : at + year.month_count]
        at += year.month_count
        spent = Decimal(0)
        for month in own:
            spent += month.effective_usd
            if spent >= limit:
                yield Broken("cost_usd_per_fiscal_year", "<", limit, year.effective_usd, None, month.start, year.year)
                return


def verdicts(scenario: Scenario, months: Sequence[ForecastMonth], years: Sequence[FiscalYear]) -> tuple[Verdict, ...]:
    """Return a verdict for each gate on a figure of the forecast; of incomplete bills only a broken one is certain."""
    known, is_complete = figures(months, years), all(month.plan.bill.complete for month in months)
    found = []
    for name, limits in sorted(scenario.gates.items()):
        for gate in limits if name.startswith(PREFIX) else ():
            symbol, _, text = gate.partition(" ")
            limit, value = Decimal(text), known.get(name)
            if value is None:
                reason = "the forecast has no such figure: its months hold no whole fiscal year of that name"
                found.append(Verdict(name, symbol, limit, None, "unjudged", reason))
                continue
            passed = OPERATORS[symbol](value, limit)
            is_certain = is_complete or (symbol in ("<", "<=") and not passed)
            status = ("pass" if passed else "fail") if is_certain else "unjudged"
            reason = "" if is_complete else "a price is missing: the cost is at least what is said"
            found.append(Verdict(name, symbol, limit, value, status, reason))
    return tuple(found)
