"""The average of a bill pays for the nodes that the autoscaler holds, hour by hour, where no rule counted them."""

from __future__ import annotations

from math import ceil

import pytest

from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

PINNED = {"tiers.api.nodes": "{min: 2, base: 12, max: 18}"}
SERVERLESS = {"tiers.api": "{serverless: true, users_per_pod: 500, replicas: {min: 2, max: 60}}"}


def planned(values: dict[str, str]) -> Plan:
    made = read("cascade", [Assignment(f"--set {path}", path, value) for path, value in values.items()])
    return plan(made.scenario, made.book, made.origins, predicted=False)


def by_hand(made: Plan, least: float, base: float) -> float:
    """Return the mean over the day of base x users / peak, rounded up, between the bounds."""
    hours = [min(base, max(least, ceil(base * users / 10_000))) for users in made.traffic.hourly_users]
    return sum(hours) / len(hours)


@pytest.mark.parametrize("values", [PINNED, {"method": "slo"}, SERVERLESS])
def test_nodes_of_the_peak_are_paid_for_the_hours_they_run(values: dict[str, str]) -> None:
    made = planned(values)
    count = made.fleet.tiers["api"].group("nodes").count
    assert count.average == pytest.approx(by_hand(made, count.floor, count.peak))


def test_more_nodes_at_the_peak_cost_more_on_average() -> None:
    """By the rule of 5,000 users a node 12 pinned nodes were billed as 3."""
    few, many = planned(PINNED | {"tiers.api.nodes": "{min: 2, base: 4, max: 18}"}), planned(PINNED)
    assert many.bill.effective_usd.average > few.bill.effective_usd.average
    (item,) = [each for each in many.bill.items if each.name.startswith("api nodes (")]
    assert float(item.quantity.average) == pytest.approx(by_hand(many, 2, 12) * 730)


def test_the_rules_count_by_their_rule() -> None:
    made = planned({})
    hours = [max(2, ceil(users / 5000)) for users in made.traffic.hourly_users]
    assert made.fleet.tiers["api"].group("nodes").count.average == sum(hours) / len(hours)
