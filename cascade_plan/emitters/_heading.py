"""The comment every emitted file begins with: from which scenario, at which prices, and how it was sized."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cascade_plan.languages import yaml
from cascade_plan.model.plan import Plan


def heading(plan: Plan, sized: Sequence[str], comment: Callable[[str], str] = yaml.comment) -> str:
    """Return a comment naming the scenario, its users, the prices with their dates, and `sized`, a line each."""
    scenario = plan.scenario
    lines = (
        f"cascade-plan: scenario {scenario.name}, {scenario.users.peak} users at peak, "
        f"{scenario.users.average} on average, {scenario.region}",
        f"prices {plan.book}, {price_dates(plan)}",
        *sized,
    )
    # A line of ours never ends the comment it stands in, whatever a price file calls itself.
    return comment("\n".join(" ".join(line.split()) for line in lines))


def price_dates(plan: Plan) -> str:
    """Return the dates of the prices that the bill was made from, the oldest and the newest, in words."""
    dates = sorted({item.as_of for item in plan.bill.items if item.as_of[:1].isdigit()})
    if not dates:
        return "undated"
    return f"of {dates[0]}" if len(dates) == 1 else f"of {dates[0]} to {dates[-1]}"
