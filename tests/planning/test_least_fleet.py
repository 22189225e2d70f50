"""The method slo: it meets every load after the losses, nothing smaller does, and more users never cost less."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.errors import InfeasibleError
from cascade_plan.inputs.scenarios import Assignment, read_scenario
from cascade_plan.model.brief import Brief
from cascade_plan.model.plan import Plan, from_json, to_json
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning import sizing
from cascade_plan.planning.chain import after_loss, chain, meets
from cascade_plan.planning.latencies import deployed_on
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.traffic import load_of
from cascade_plan.prices import bundled

SLO: Assignment = ("--method slo", "method", "slo")


@cache
def scenario(name: str, *changes: Assignment) -> Scenario:
    return read_scenario(name, (SLO, *changes))[0]


def planned(given_scenario: Scenario) -> Plan:
    return plan(given_scenario, bundled.catalogue(), bundled.book(given_scenario.region), predicted=False)


def kept(given_scenario: Scenario, made: Plan, fewer_nodes: int = 0) -> bool:
    """Return whether the base fleet, less a zone and a node and `fewer_nodes`, meets every load."""
    brief = Brief(given_scenario, load_of(given_scenario), bundled.catalogue(), bundled.book(given_scenario.region), {})
    fleet = sizing.size(brief)
    base = int(made.figure("api.node_count.base")) - fewer_nodes
    left = after_loss(base, given_scenario.availability.zones, 1, 1)
    if not left:
        return False
    whole = deployed_on(brief, fleet, left)
    readers = after_loss(int(made.figure("database.replica_count")), given_scenario.availability.zones, 1, 0)
    on = chain(given_scenario, replace(whole, replica_count=readers))
    return not any(
        meets(on, load.users, load.latency_ms_p95, load.latency_ms_p99) for load in given_scenario.loads.values()
    )


@pytest.mark.parametrize("name", ["cascade", "cascade-as-written", "startup-1k", "growth-100k", "whale-1m"])
def test_least_fleet_meets_every_load_and_one_node_fewer_does_not(name: str) -> None:
    chosen = scenario(name)
    made = planned(chosen)
    assert kept(chosen, made)
    assert not kept(chosen, made, fewer_nodes=1)
    assert "would not do" in made.figures["api.node_count.base"].note


def test_rejections_are_data_and_survive_json() -> None:
    made = planned(scenario("cascade"))
    assert ("api.node_count.base", 4, "peak") in {(r.figure, r.value, r.load) for r in made.rejections}
    assert from_json(to_json(made)) == made


def test_the_rules_figure_stays_beside_it() -> None:
    (rule,) = planned(scenario("cascade")).figures["api.node_count.base"].inputs
    assert (rule.name, rule.value) == ("the rule's count", 3)


def test_plans_differ_with_the_slo() -> None:
    """A tighter limit on a slower database needs another fleet: sizing answers to the SLO, not to users alone."""
    slow = ("--set", "timing.scan_ratio", "0.2")
    loose = planned(scenario("cascade", slow))
    tight = planned(scenario("cascade", slow, ("--set", "loads.peak.latency_ms_p95", "60")))
    assert tight.figure("database.replica_count") > loose.figure("database.replica_count")


def test_what_no_fleet_meets_is_said() -> None:
    with pytest.raises(InfeasibleError, match=r"normal: p95 .* ms is not below 1 ms"):
        planned(scenario("cascade", ("--set", "loads.normal.latency_ms_p95", "1")))
    with pytest.raises(InfeasibleError, match="primary 100% busy"):
        planned(scenario("cascade", ("--set", "timing.write_ms", "50")))


def test_pool_is_small_and_covers_its_queries() -> None:
    made = planned(scenario("cascade"))
    assert made.figure("pool.connection_count") == 9
    assert made.figure("pool.connection_count_per_10000_users") < 100


def with_load(users: int) -> Scenario:
    loads = {"peak": {"users": users, "spawn_rate_per_s": 100.0, "duration_s": 600.0, "latency_ms_p95": 300.0}}
    grown = scenario("cascade").with_users(users, max(1, users * 3 // 10))
    return Scenario.model_validate({**grown.model_dump(exclude_unset=True), "loads": loads})


@settings(max_examples=25, deadline=None)
@given(st.integers(100, 45_000), st.integers(100, 45_000))
def test_more_users_never_need_less(one: int, other: int) -> None:
    few, many = (planned(with_load(users)) for users in sorted((one, other)))
    for figure in ("api.node_count.base", "database.replica_count", "pool.connection_count", "websocket.node_count"):
        assert few.figure(figure) <= many.figure(figure), figure
    assert few.figure("cost_usd_per_month.peak") <= many.figure("cost_usd_per_month.peak")
