"""What the plan costs with more users, or fewer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from cascade_plan.choosing.replanning import Attempt, monthly_cost, unit_cost
from cascade_plan.model.outlook import Point
from cascade_plan.model.scenario import Scenario

FACTORS: Final = tuple(2 ** (step / 4) for step in range(-12, 13))
"""Of the scenario's own peak: from an eighth to eight times as many users, four steps to each doubling."""


def curve(scenario: Scenario, attempt: Attempt) -> Iterator[Point]:
    """Yield the cost at each number of users for which there is a plan, the scenario's own among them, rising."""
    users = scenario.users
    for peak in sorted({max(1, round(users.peak * factor)) for factor in FACTORS}):
        average = min(peak, max(1, round(peak * users.average / users.peak)))
        try:
            plan = attempt(scenario.with_users(peak, average))
        except ValidationError:
            continue
        if plan is not None:
            yield Point(peak, average, unit_cost(plan), monthly_cost(plan), plan.bill.complete)
