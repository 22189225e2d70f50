"""AWS Budgets: an alarm when the month's cost nears or passes the scenario's budget."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters.terraform._file import File, variable
from cascade_plan.languages.hcl import Block, Expression
from cascade_plan.model.plan import Plan

CENT: Final = Decimal("0.01")


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the budget; none of a scenario without one."""
    limit = plan.scenario.budget.usd_per_month_most(plan.scenario.users)
    if limit is None:
        return
    yield File(
        "budget.tf",
        "An alarm when the month's cost nears or passes the scenario's budget.",
        (_budget(plan, limit),),
        (variable("budget_email_addresses", "Who is told when the budget is nearly spent.", "list(string)"),),
    )


def _budget(plan: Plan, limit_usd: Decimal) -> Block:
    tag = [f"user:application${plan.application}"]
    return Block(
        "resource",
        ("aws_budgets_budget", "month"),
        {
            "name": aws_name(f"{plan.application}-month", "budget"),
            "budget_type": "COST",
            "limit_amount": f"{limit_usd.quantize(CENT):f}",
            "limit_unit": "USD",
            "time_unit": "MONTHLY",
        },
        (
            Block("cost_filter", (), {"name": "TagKeyValue", "values": tag}),
            _notice("FORECASTED", 100),
            _notice("ACTUAL", 80),
            _notice("ACTUAL", 100),
        ),
    )


def _notice(kind: str, percent: int) -> Block:
    return Block(
        "notification",
        (),
        {
            "comparison_operator": "GREATER_THAN",
            "threshold": percent,
            "threshold_type": "PERCENTAGE",
            "notification_type": kind,
            "subscriber_email_addresses": Expression("var.budget_email_addresses"),
        },
    )
