"""size, report and check: a plan as text, and its verdict as an exit status."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Choice, Output, with_choice
from cascade_plan.cli.output import Color, complain, deliver
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import age_days

MAX_PRICE_AGE_DAYS = 90
"""Prices older than a quarter are worth a warning (assumption; --max-price-age changes it)."""

Format = Annotated[str, typer.Option("--format", metavar="NAME", help="table, json, csv, markdown or junit.")]
MaxAge = Annotated[
    int,
    typer.Option("--max-price-age", metavar="DAYS", envvar="CASCADE_PLAN_MAX_PRICE_AGE", help="Warn of older prices."),
]


@with_choice
def size(
    choice: Choice, format_: Format = "table", output: Output = "-", max_price_age: MaxAge = MAX_PRICE_AGE_DAYS
) -> int:
    """Size every tier, price it and judge it."""
    _planned(choice, format_, output, max_price_age, explored=False)
    return 0


@with_choice
def report(
    choice: Choice, format_: Format = "markdown", output: Output = "-", max_price_age: MaxAge = MAX_PRICE_AGE_DAYS
) -> int:
    """Write the report for finance: cost, commitments, assumptions, alternatives and rollout."""
    _planned(choice, format_, output, max_price_age, explored=True)
    return 0


@with_choice
def check(
    choice: Choice, format_: Format = "table", output: Output = "-", max_price_age: MaxAge = MAX_PRICE_AGE_DAYS
) -> int:
    """Fail when a gate fails: exit 1 for a failed gate, 3 for a missing price; the report is written all the same."""
    on_github = os.environ.get("GITHUB_ACTIONS") == "true"
    plan = _planned(choice, format_, output, max_price_age, explored=on_github or format_ == "markdown")
    if on_github:
        from cascade_plan.cli.github import announce

        announce(plan)
    complain("\n".join(registry.load("reports", "table").failures(plan)), "")
    if not plan.bill.complete:
        return 3
    return 1 if plan.failed else 0


def _planned(choice: Choice, format_: str, output: str, max_price_age: int, explored: bool) -> Plan:
    """Return the plan, after printing it: as the named report, or in colour for a table on a terminal."""
    renderer = registry.load("reports", format_)
    plan = choice.plan(outlook=explored)
    _warn_of_prices(plan, choice, max_price_age)
    if format_ == "table" and output == "-" and Color.on():
        from cascade_plan.cli.terminal import show

        show(plan)
    else:
        deliver(renderer.render(plan), output)
    return plan


def _warn_of_prices(plan: Plan, choice: Choice, limit_days: int) -> None:
    """Say on stderr how old the oldest price is. The clock is read here, at the edge, and never reaches a report."""
    from datetime import datetime

    today = choice.as_of or datetime.now().astimezone().date()
    ages = {item.name: age for item in plan.bill.items if (age := age_days(item.as_of, today)) is not None}
    old = [age for age in ages.values() if age > limit_days]
    if old:
        of_all = f"{len(old)} of {len(plan.bill.items)} prices"
        complain(f"{of_all} are older than {limit_days} days, the oldest {max(old):,} days", "warning")
    if not plan.bill.complete:
        names = ", ".join(line.name for line in plan.bill.unpriced)
        complain(f"the bill is at least what it says: no price in {plan.book} for {names}", "warning")
