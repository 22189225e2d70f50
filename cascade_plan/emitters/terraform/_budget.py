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
ADDRESS: Final = "^[^@ ]+@[^@ ]+[.][^@ ]+$"
BY_HAND: Final = (
    "The budget counts what has the tag `application`, and sees nothing until the tag is active for the bill: a day "
    "after the first apply, in the account that pays, put `cost_tag_active = true` into infra/bill.auto.tfvars and "
    "apply again."
)
"""https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html"""


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the budget; none of a scenario without one."""
    limit = plan.scenario.budget.usd_per_month_most(plan.scenario.users)
    if limit is None:
        return
    yield File(
        "budget.tf",
        "An alarm when the month's cost nears or passes the scenario's budget.",
        (_budget(plan, limit), _tag()),
        (
            variable("budget_email_address", "Who is told when the budget is nearly spent.", pattern=ADDRESS),
            variable("cost_tag_active", "Whether the bill is split by the tag `application`.", "bool", default=False),
        ),
        by_hand=BY_HAND,
    )


def _tag() -> Block:
    return Block(
        "resource",
        ("aws_ce_cost_allocation_tag", "application"),
        {"count": Expression("var.cost_tag_active ? 1 : 0"), "tag_key": "application", "status": "Active"},
        comment="AWS knows a tag a day after something had it, and refuses one that it does not know.",
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
            "subscriber_email_addresses": [Expression("var.budget_email_address")],
        },
    )
