"""The plan's bill of one month in FOCUS, to stand beside the bill that comes."""

from __future__ import annotations

from cascade_plan.errors import UsageError
from cascade_plan.model.billed import VERSIONS
from cascade_plan.model.calendar import Month, following
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import first_day, newest
from cascade_plan.reports._focus import Basis, held, table

FORMAT: str = (
    "FOCUS: the month's charges as rows that stand beside a cloud's own bill, with what is paid for commitments"
)


def render(plan: Plan, month: Month | None = None, focus_version: str = VERSIONS[0]) -> str:
    """Return a month's charges as CSV, at the level that the budget judges.

    The plan is one of the month's own hours, or else of an average month; its date is then that after its newest price.
    Raises UsageError for a month that the plan was not made for, and where no price has a date and no month is given.
    """
    scenario = plan.scenario
    if month is not None and scenario.hours_per_month != month.hours:
        raise UsageError(f"{month} has {month.hours} hours, the plan is of {scenario.hours_per_month}")
    if not plan.bill.items:
        return table(focus_version, [])
    month = month or following(first_day(newest(item.as_of for item in plan.bill.items)))
    items, basis = plan.bill.items, Basis.of(plan, month)
    return table(focus_version, [(basis, items, held(items, basis.level, scenario.month))])
