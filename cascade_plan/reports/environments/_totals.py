"""What the environments of one file cost together."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.plan import Plan
from cascade_plan.reports._words import count, one_line, usd

TITLE: Final = "Cost of all environments, USD a month"
HEADERS: Final = ("environment", "users", *LEVELS, "gates missed")
NUMBERS: Final = (1, 2, 3, 4, 5, 6)
DROPPED: Final = (1, 2, 4, 5)
"""What a narrow page does without, the first of them first."""


def totals(plans: Sequence[Plan]) -> dict[str, Decimal]:
    """Return level -> what all environments cost a month together."""
    return {level: sum((getattr(plan.bill.effective_usd, level) for plan in plans), Decimal(0)) for level in LEVELS}


def worst(plans: Sequence[Plan]) -> str:
    """Return how the budgets end together: over one of them is over budget, one without verdict leaves all without."""
    found = {plan.answer.status for plan in plans}
    return next(status for status in ("over_budget", "not_judged", "within_budget", "no_budget") if status in found)


def over(plans: Sequence[Plan]) -> Decimal | None:
    """Return what those that are over their budget cost above it together; None where none is."""
    return sum((plan.answer.over_budget_usd or Decimal(0) for plan in plans if plan.answer.status == "over_budget"),
               Decimal(0)) if worst(plans) == "over_budget" else None  # fmt: skip


def rows(plans: Sequence[Plan]) -> list[tuple[str, ...]]:
    """Return a row for each environment, and their total."""
    found = [_row(plan) for plan in plans]
    at_least = "" if all(plan.bill.complete for plan in plans) else "at least "
    missed = sum(_missed(plan) for plan in plans)
    users = count(sum(plan.scenario.users.peak for plan in plans))
    costs = (at_least + usd(amount) for amount in totals(plans).values())
    return [*found, ("total", users, *costs, str(missed))]


def _row(plan: Plan) -> tuple[str, ...]:
    at_least = "" if plan.bill.complete else "at least "
    costs = (at_least + usd(getattr(plan.bill.effective_usd, level)) for level in LEVELS)
    return one_line(plan.scenario.name), count(plan.scenario.users.peak), *costs, str(_missed(plan))


def _missed(plan: Plan) -> int:
    return sum(verdict.status == "fail" for verdict in plan.verdicts)
