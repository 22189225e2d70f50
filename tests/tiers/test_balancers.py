"""One load balancer for all, or one for requests and one for open connections: hours and units by hand."""

from __future__ import annotations

from typing import Any

import pytest

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read_scenario
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

HOURS = 730
LEVELS = ("floor", "average", "peak", "ceiling")


def planned(**gateway: Any) -> Plan:
    document = read_scenario("cascade")[0].model_dump(exclude_unset=True)
    document["tiers"]["gateway"] = gateway
    scenario = Scenario.model_validate(document)
    return plan(scenario, bundled.book(scenario.cloud, scenario.region), predicted=False)


def quantities(made: Plan) -> dict[str, Any]:
    return {item.unit: item.quantity for item in made.bill.items if item.tier == "gateway"}


def units_by_hand(made: Plan, level: str, *, requests: bool, opened: bool) -> float:
    """Return an ALB's units: of 25 new connections/s, 3,000 active ones and a GiB an hour what is most at a level."""
    (stream,) = (sized.streams for sized in made.fleet.tiers.values() if sized.streams is not None)
    traffic = made.traffic

    active = requests * getattr(traffic.users, level) + opened * getattr(stream.connections, level)
    moved = requests * (getattr(traffic.request_bytes_per_s, level) + getattr(traffic.response_bytes_per_s, level))
    moved += opened * (getattr(stream.in_bytes_per_s, level) + getattr(stream.out_bytes_per_s, level))
    return max(active / 3600 / 25, active / 3000, moved * 3600 / 2**30)


def test_one_is_shared_unless_said_otherwise() -> None:
    made = planned()
    assert quantities(made)["hour"].average == HOURS
    for level in LEVELS:
        wanted = units_by_hand(made, level, requests=True, opened=True) * HOURS
        assert float(getattr(quantities(made)["lcu_hour"], level)) == pytest.approx(wanted, abs=1e-5)


def test_two_have_their_own_hours_and_units() -> None:
    made = planned(shared=False)
    assert made.figure("gateway.balancer_count") == 2
    assert quantities(made)["hour"].average == 2 * HOURS
    for level in LEVELS:
        wanted = units_by_hand(made, level, requests=True, opened=False)
        wanted += units_by_hand(made, level, requests=False, opened=True)
        assert float(getattr(quantities(made)["lcu_hour"], level)) == pytest.approx(wanted * HOURS, abs=1e-5)


@pytest.mark.parametrize(("balancer", "kind"), [("alb", "application"), ("nlb", "network")])
def test_both_are_emitted(balancer: str, kind: str) -> None:
    files = {file.path: file.text for file in emitting.everything(planned(balancer=balancer, shared=False)).files}
    text = files["infra/balancer.tf"]
    assert text.count(f'load_balancer_type         = "{kind}"') == 2
    assert "load_balancer_arn = aws_lb.gateway_connections.arn" in text


def test_the_dimension_that_is_fullest_at_a_level_is_charged_there() -> None:
    """Messages to a whole tenant grow with the square of the users: connections fill it on average, bytes at peak."""
    document = read_scenario("cascade")[0].model_dump(exclude_unset=True)
    actions = document["behaviour"]["actions"]
    actions["upload_resource"]["request_bytes"], actions["create_message"]["audience"] = 0, "tenant"
    document["tiers"]["websocket"]["message_bytes"] = 150
    scenario = Scenario.model_validate(document)
    made = plan(scenario, bundled.book(scenario.cloud, scenario.region), predicted=False)
    assert float(quantities(made)["lcu_hour"].average) == pytest.approx(2 * 3000 / 3000 * HOURS)
    peak = units_by_hand(made, "peak", requests=True, opened=True)
    assert peak > 1.2 * 2 * 10_000 / 3000
    assert float(quantities(made)["lcu_hour"].peak) == pytest.approx(peak * HOURS, abs=1e-5)
