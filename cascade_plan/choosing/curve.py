"""What the plan costs with more users, or fewer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from cascade_plan.choosing.replanning import Attempt, monthly_cost, unit_cost
from cascade_plan.model.outlook import Point
from cascade_plan.model.scenario import Scenario

EXPONENTS: Final = (*(step / 14 - 1 for step in range(15)), *(step / 15 for step in range(1, 16)))
"""Thirty powers of ten from -1 to 1, evenly spaced on each side of 0, which is the scenario's own peak."""


def curve(scenario: Scenario, attempt: Attempt) -> Iterator[Point]:
    """Yield the cost at each number of users for which there is a plan, the scenario's own among them, rising."""
    users = scenario.users
    for peak in sorted({max(1, round(users.peak * 10**exponent)) for exponent in EXPONENTS}):
        average = min(peak, max(1, round(peak * users.average / users.peak)))
        try:
            plan = attempt(scenario.with_users(peak, average))
        except ValidationError:
            continue
        if plan is not None:
            yield Point(peak, average, unit_cost(plan), monthly_cost(plan), plan.bill.complete)
