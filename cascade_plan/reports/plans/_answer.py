"""Whether a plan keeps its budget, by how much, and what it costs: in one sentence and for programs."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from cascade_plan.model.plan import Plan
from cascade_plan.reports import _words as words
from cascade_plan.reports.plans import _facts as facts

NAMED: Final = 3
"""Tiers without a price that are named; of more, how many."""


def sentence(plan: Plan) -> str:
    """Return the answer on one line: whether the budget is kept, by how much, what a year costs, what has no price."""
    missing = [words.one_line(str(part)) for part in plan.bill.missing(plan.scenario.budget.level)]
    named = ", ".join([*missing[:NAMED], *([f"{more} more"] if (more := len(missing) - NAMED) > 0 else [])])
    return f"{_budget(plan)} Not priced: {named}." if missing else _budget(plan)


def _budget(plan: Plan) -> str:
    """Return whether the budget is kept, the distance to it, and what a year costs."""
    found, least = plan.answer, "" if plan.bill.complete else " at least"
    month, year = rounded(found.cost_usd_per_month), f"{rounded(facts.first_year(plan))} {facts.year_named(plan)}."
    if found.status == "no_budget":
        return f"{month} a month{least}; {year}"
    over, most = found.over_budget_usd or Decimal(0), found.budget_usd_per_month or Decimal(0)
    if found.status == "not_judged":
        return f"? Not judged: {month} a month at least, of a budget of {rounded(most)}; {year}"
    if found.status == "within_budget":
        return f"✓ Within budget: {rounded(-over)} a month to spare; {year}"
    if not over:
        return f"✗ Over budget{least}: the limit is below {rounded(most)} a month, and {month} is not; {year}"
    return f"✗ Over budget {times(found.cost_usd_per_month, most)} x{least}: {rounded(over)} a month too much; {year}"


def rounded(amount: Decimal) -> str:
    """Return an amount in whole dollars, below 100 dollars to the cent.

    >>> rounded(Decimal("1885.55")), rounded(Decimal("9.999"))
    ('$1,886', '$10.00')
    """
    return words.dollars(f"{amount:z,.0f}") if abs(amount) >= 100 else words.usd(amount)


def times(cost: Decimal, most: Decimal) -> str:
    """Return how many times a budget a cost above it is, to two digits, or as many as it takes to be more than once.

    >>> times(Decimal("2385.55"), Decimal(500)), times(Decimal(1004), Decimal(1000)), times(Decimal(12345), Decimal(1))
    ('4.8', '1.004', '12,345')
    """
    ratio = cost / most
    if ratio >= 10:
        return f"{ratio:,.0f}"
    return next(text for places in range(1, 40) if Decimal(text := f"{ratio:.{places}f}") > 1 or ratio == 1)
