"""The method slo: it meets every load after the losses, nothing smaller does, and more users never cost less."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cascade_plan.errors import InfeasibleError
from cascade_plan.formulas.losses import after_loss
from cascade_plan.inputs.scenarios import Assignment, bundled_scenarios, read_scenario
from cascade_plan.model.plan import Plan, from_json, to_json
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.ceilings import broken
from cascade_plan.planning.chain import chain
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import meets
from cascade_plan.planning.sizing import places
from cascade_plan.prices import bundled

SLO: Assignment = ("--method slo", "method", "slo")


@cache
def scenario(name: str, *changes: Assignment) -> Scenario:
    return read_scenario(name, (SLO, *changes))[0]


def planned(given_scenario: Scenario) -> Plan:
    return plan(given_scenario, bundled.book(given_scenario.cloud, given_scenario.region), predicted=False)


def kept(made: Plan, fewer: str = "") -> bool:
    """Return whether the base fleet, less what the availability says is lost and one of `fewer`, meets every load."""
    asked = made.scenario.availability.asked
    left = {}
    for lever in made.fleet.levers:
        count = lever.base_count - (lever.name == fewer)
        nodes_lost = asked.lost_node_count if lever.spread == "nodes" else 0
        zones_lost = asked.lost_zone_count if lever.spread else 0
        left[lever.name] = after_loss(count, asked.zones, zones_lost, nodes_lost)
        if lever.is_scaled and not left[lever.name]:
            return False
    on = chain(made.scenario, places(made.scenario, made.fleet, left))
    think_s, average = made.scenario.behaviour.think_time_s.mean, made.traffic.requests_per_s.average
    if any(broken(made.fleet, load.users / think_s, average, left) for load in made.scenario.driven.values()):
        return False
    return not any(
        meets(on, load.users, load.latency_ms_p95, load.latency_ms_p99) for load in made.scenario.driven.values()
    )


@pytest.mark.parametrize("name", bundled_scenarios())
def test_least_fleet_meets_every_load_and_one_fewer_of_anything_does_not(name: str) -> None:
    made = planned(scenario(name))
    assert kept(made)
    searched = [lever for lever in made.fleet.levers if lever.is_searched and lever.base_count > lever.least_count]
    assert any(lever.is_scaled for lever in searched)
    for lever in searched:
        # Fewer replicas may do with more nodes that cost more: a steady count is the cheapest, a scaled one the least.
        if lever.is_scaled:
            assert not kept(made, lever.name), lever.name
            assert "would not do" in made.figures[f"{lever.name}.base"].note


def test_rejections_are_data_and_survive_json() -> None:
    made = planned(scenario("cascade"))
    assert ("api.node_count.base", 4, "peak") in {(r.figure, r.value, r.load) for r in made.fleet.rejections}
    assert from_json(to_json(made)) == made


def test_the_rules_figure_stays_beside_it() -> None:
    (rule,) = planned(scenario("cascade")).figures["api.node_count.base"].inputs
    assert (rule.name, rule.value) == ("the rule's count", 3)


def test_plans_differ_with_the_slo() -> None:
    """A tighter limit on a slower database needs another fleet: sizing answers to the SLO, not to users alone."""
    slow = (
        ("--set", "tiers.database.scan_ratio", "0.2"),
        ("--set", "tiers.database.data_gib", "10"),
        ("--set", "tiers.database.shape", "db.r6g.xlarge"),
    )
    loose = planned(scenario("cascade", *slow))
    tight = planned(scenario("cascade", *slow, ("--set", "loads.peak.latency_ms_p95", "60")))
    assert tight.figure("database.replica_count") > loose.figure("database.replica_count")


def test_what_no_fleet_meets_is_said() -> None:
    with pytest.raises(InfeasibleError, match=r"normal: p95 .* ms is not below 1 ms"):
        planned(scenario("cascade", ("--set", "loads.normal.latency_ms_p95", "1")))
    with pytest.raises(InfeasibleError, match="primary 100% busy"):
        planned(scenario("cascade", ("--set", "tiers.database.write_ms", "50")))


def test_pool_is_small_and_covers_its_queries() -> None:
    made = planned(scenario("cascade"))
    # 3,250 queries/s, each in a transaction of 4 trips of 0.7 ms, and 2,500 of them with a commit of 3 ms.
    held = 3_250 * 4 * 0.0007 + 2_500 * 0.003
    assert held + 4 * held**0.5 < made.figure("pool.connection_count") < 1.6 * (held + 4 * held**0.5)
    assert made.figure("pool.connection_count_per_10000_users") < 100


READS_MUCH = (
    ("--set", "behaviour.actions", "{list: {weight: 1, request: GET /list, read_count: 3}}"),
    ("--set", "tiers.database.read_ms", "5"),
    ("--set", "loads", "{peak: {users: 100000, spawn_rate_per_s: 10, duration_s: 60, latency_ms_p95: 300}}"),
)


def test_where_more_replicas_are_needed_than_can_be_had_a_larger_shape_answers() -> None:
    made = planned(scenario("cascade", *READS_MUCH, ("--set", "tiers.database.shape", "{vcpu: 4, memory_gib: 16}")))
    assert 5 < made.figure("database.replica_count") <= 15
    assert kept(made)
    assert not [finding.message for finding in made.findings if finding.code == "replica-limit"]


def test_a_named_shape_that_would_need_more_replicas_than_can_be_had_is_refused_with_one_that_would_do() -> None:
    with pytest.raises(InfeasibleError, match=r"db\.r5\.xlarge is too small; db\.\S+ would do"):
        planned(scenario("cascade", *READS_MUCH))


TWO_SERVICES = (
    ("--set", "tiers.search.kind", "api"),
    ("--set", "behaviour.actions.list_workrooms.at", "search"),
    ("--set", "behaviour.actions.list_workrooms.cpu_ms", "4"),
)


def test_each_of_two_services_gets_as_few_nodes_as_the_other_allows() -> None:
    made = planned(scenario("cascade", *TWO_SERVICES))
    assert kept(made)
    for name in ("api.node_count", "search.node_count"):
        assert not kept(made, name)
        assert made.fleet.tiers[name.partition(".")[0]].lever("node_count").set_by == "method"
    assert made.figure("search.node_count.base") > made.figure("api.node_count.base")
    assert made.figure("api.node_count.base") <= planned(scenario("cascade")).figure("api.node_count.base")


def test_a_service_that_nobody_asks_is_not_searched() -> None:
    made = planned(scenario("cascade", ("--set", "tiers.search.kind", "api")))
    assert not made.fleet.tiers["search"].lever("node_count").is_searched
    assert made.figure("api.node_count.base") == planned(scenario("cascade")).figure("api.node_count.base")


def test_a_fleet_without_cache_or_pool_has_its_least_too() -> None:
    slow = ("--set", "tiers.database.read_ms", "0.5")
    off = [("--set", f"tiers.{name}", "off") for name in ("websocket", "cache", "pool", "monitoring")]
    made = planned(scenario("cascade", slow, *off))
    assert kept(made)
    assert not kept(made, "api.node_count")
    assert made.figure("database.replica_count") > planned(scenario("cascade", slow)).figure("database.replica_count")


ROOM = (("--set", "tiers.database.data_gib", "10"), ("--set", "tiers.database.storage_gib", "400"))
"""All data in memory, and storage that does 12,000 operations/s: up to 40,000 users no ceiling binds."""


def with_load(users: int) -> Scenario:
    loads = {"peak": {"users": users, "spawn_rate_per_s": 100.0, "duration_s": 600.0, "latency_ms_p95": 300.0}}
    grown = scenario("cascade", *ROOM).with_users(users, max(1, users * 3 // 10))
    return Scenario.model_validate({**grown.model_dump(exclude_unset=True), "loads": loads})


MONITORING_OFF: Assignment = ("--set", "tiers.monitoring", "off")


def with_limits(read_ms: float, users: int, p95_ms: float) -> Scenario:
    load = {"users": users, "spawn_rate_per_s": 100.0, "duration_s": 600.0, "latency_ms_p95": p95_ms}
    document = scenario("cascade", ("--set", "tiers.database.read_ms", f"{read_ms:f}"), MONITORING_OFF).model_dump(
        exclude_unset=True
    )
    return Scenario.model_validate({**document, "loads": {"peak": load}})


@settings(max_examples=25)
@given(
    st.floats(0.05, 2),
    st.tuples(st.integers(100, 15_000), st.floats(50, 2000)),
    st.tuples(st.integers(100, 15_000), st.floats(50, 2000)),
)
def test_a_larger_or_stricter_load_never_costs_less_at_the_peak(
    read_ms: float, one: tuple[int, float], other: tuple[int, float]
) -> None:
    # Not with monitoring, whose histograms have a bucket at each limit: another limit is another count of series.
    easy, hard = (
        with_limits(read_ms, choose(one[0], other[0]), limit(one[1], other[1]))
        for choose, limit in ((min, max), (max, min))
    )
    try:
        dear = planned(hard)
    except InfeasibleError:
        return
    cheap = planned(easy)
    assert cheap.figure("cost_usd_per_month.peak") <= dear.figure("cost_usd_per_month.peak")


@settings(max_examples=25)
@given(st.integers(100, 40_000), st.integers(100, 40_000))
def test_more_users_never_need_less(one: int, other: int) -> None:
    few, many = (planned(with_load(users)) for users in sorted((one, other)))
    for figure in ("api.node_count.base", "database.replica_count", "websocket.node_count"):
        assert few.figure(figure) <= many.figure(figure), figure
    # What is held hangs on how full the nodes are too, and they are counted in whole ones: it may fall by what the
    # share of an autoscaler's target to that of the nodes that are next may.
    assert few.figure("pool.connection_count") <= 1.5 * many.figure("pool.connection_count")
    assert few.figure("cost_usd_per_month.peak") <= many.figure("cost_usd_per_month.peak")


WITH_A_STRICTER_MIDDLE = (
    ("--set", "users.average", "2000"),
    ("--set", "availability", "minimal"),
    ("--set", "behaviour.actions.list_workrooms.cpu_ms", "8"),
    ("--set", "gates", "{}"),
    ("--set", "loads", "{mid: {share: 0.5, ramp_s: 100, duration_s: 1800, latency_ms_p95: 40}, "
                       "peak: {share: 1.0, ramp_s: 100, duration_s: 1800, latency_ms_p95: 2000}}"),
)  # fmt: skip


def test_what_the_autoscaler_holds_for_a_load_between_keeps_it_too() -> None:
    made = plan_of(scenario("cascade", *WITH_A_STRICTER_MIDDLE))
    assert failed(made) == []
    loose = planned(scenario("cascade", *WITH_A_STRICTER_MIDDLE, ("--set", "loads.mid.latency_ms_p95", "2000")))
    lever, other = (each.fleet.tiers["api"].lever("node_count") for each in (made, loose))
    assert (lever.floor_count, lever.base_count) > (other.floor_count, other.base_count)


def test_a_gate_on_a_latency_is_sized_for() -> None:
    slow, gate = ("--set", "behaviour.actions.list_workrooms.cpu_ms", "6"), "{latency_ms_p95.peak: ['< 30']}"
    few = ("--set", "availability", "minimal")
    made, loose = (plan_of(scenario("cascade", slow, few, ("--set", "gates", gates))) for gates in (gate, "{}"))
    assert failed(made) == []
    assert loose.figure("latency_ms_p95.peak") >= 30


def plan_of(given_scenario: Scenario) -> Plan:
    book = bundled.book(given_scenario.cloud, given_scenario.region)
    return plan(given_scenario, book, with_margins=False, by_action=False)


def failed(made: Plan) -> list[str]:
    """Return the latency gates that a plan does not pass, and the ceilings that it breaks."""
    gates = [each.figure for each in made.verdicts if each.figure.startswith("latency_") and each.status != "pass"]
    ceilings = {ceiling.code for ceiling in made.fleet.ceilings}
    return gates + [finding.message for finding in made.findings if finding.is_broken and finding.code in ceilings]


@example(554.0, 3.5, 0.5, "minimal", 6.5, "event_loop")
@settings(max_examples=10)
@given(
    st.floats(30, 600),
    st.floats(1, 4),
    st.sampled_from([0.2, 0.5, 0.8]),
    st.sampled_from(["minimal", "standard", "critical"]),
    st.floats(0.5, 8),
    st.sampled_from(["event_loop", "sharing", "fcfs"]),
)
def test_every_latency_gate_of_a_fleet_that_is_found_passes(
    strict_ms: float, loose: float, share: float, availability: str, cpu_ms: float, discipline: str
) -> None:
    loads = (
        f"{{mid: {{share: {share}, ramp_s: 100, duration_s: 1800, latency_ms_p95: {strict_ms}}}, "
        f"peak: {{share: 1.0, ramp_s: 100, duration_s: 1800, latency_ms_p95: {strict_ms * loose}}}, "
        f"burst: {{share: {share}, ramp_s: 1, duration_s: 20, latency_ms_p95: {strict_ms * loose}}}}}"
    )
    changes: dict[str, object] = {
        "availability": availability,
        "gates": "{}",
        "loads": loads,
        "tiers.api.discipline": discipline,
        "behaviour.actions.list_workrooms.cpu_ms": cpu_ms,
    }
    try:
        made = plan_of(scenario("cascade", *(("--set", path, str(value)) for path, value in changes.items())))
    except InfeasibleError:
        return
    assert failed(made) == []
