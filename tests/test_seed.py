"""Every figure of the performance plan, at its own 10,000 / 3,000 users and at the edges of its rules."""

from __future__ import annotations

import pytest

from cascade_plan.inputs.scenarios import Assignment, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def planned(name: str = "cascade", *changes: Assignment) -> Plan:
    given = read(name, changes)
    return plan(given.scenario, given.book, given.origins)


def users(peak: int, average: int) -> tuple[Assignment, ...]:
    return (("--peak", "users.peak", str(peak)), ("--avg", "users.average", str(average)))


def codes(made: Plan) -> set[str]:
    return {finding.code for finding in made.findings}


def test_the_plans_own_figures() -> None:
    made = planned()
    assert {
        name: made.figure(name)
        for name in (
            "api.node_count.base",
            "api.node_count.min",
            "api.node_count.max",
            "database.replica_count",
            "pool.connection_count",
            "cache.node_count",
            "websocket.node_count",
        )
    } == {
        "api.node_count.base": 3,
        "api.node_count.min": 2,
        "api.node_count.max": 5,
        "database.replica_count": 1,
        "pool.connection_count": 100,
        "cache.node_count": 3,
        "websocket.node_count": 3,
    }


@pytest.mark.parametrize(
    ("peak", "up", "down"), [(15_000, 3, 3), (15_001, 4, 3), (19_999, 4, 3), (20_000, 4, 4), (20_001, 5, 4)]
)
def test_floor_division_leaves_users_without_a_node(peak: int, up: int, down: int) -> None:
    rounded_up = planned("cascade", *users(peak, 3000))
    as_written = planned("cascade-as-written", *users(peak, 3000))
    assert rounded_up.figure("api.node_count.base") == up
    assert as_written.figure("api.node_count.base") == down
    note = rounded_up.figures["api.node_count.base"].note
    assert bool(note) == (up != down)
    if note:
        assert f"gives {down}" in note
        assert "rounding" in codes(rounded_up)


def test_half_a_node_is_reported() -> None:
    note = planned("cascade-as-written").figures["api.node_count.max"].note
    assert note == "4.5 nodes cannot be bought: rounded up to 5"


def test_pool_contradicts_its_own_success_metric() -> None:
    made = planned()
    verdict = next(v for v in made.verdicts if v.figure == "pool.connection_count_per_10000_users")
    assert verdict.status == "fail"
    assert "pool-not-below-100" in codes(made)


def test_hpa_of_the_plan_does_not_fit_its_nodes() -> None:
    made = planned("cascade-as-written")
    assert (made.figure("api.replica_count.min"), made.figure("api.replica_count.max")) == (10, 100)
    finding = next(f for f in made.findings if f.code == "hpa-exceeds-nodes")
    assert "100 pods, 5 nodes hold 32" in finding.message


def test_bounds_from_the_nodes_fit_them() -> None:
    made = planned()
    (run,) = made.fleet.tiers["api"].workloads
    assert made.figure("api.pod_count_per_node") == 7
    # CoreDNS, metrics-server and others stand there too: in four places of theirs, or three where more nodes have
    # something left beside their pods.
    assert made.figure("api.replica_count.min") == 2 * 7 - 4 == run.held(2)
    assert made.figure("api.replica_count.max") == 5 * 7 - 3 == run.held(5)
    assert "hpa-exceeds-nodes" not in codes(made)


def test_50k_connections_against_8_gib() -> None:
    assert "of the" in next(f.message for f in planned().findings if f.code == "websocket-memory")
    compressed = planned("cascade", ("--set", "tiers.websocket.memory_kib_per_connection", "227.1"))
    finding = next(f for f in compressed.findings if f.code == "websocket-memory")
    assert finding.severity == "warning"
    assert "holds" in finding.message


def test_websocket_nodes_grow_with_connections() -> None:
    assert planned("cascade", *users(150_000, 3000)).figure("websocket.node_count") == 3
    assert planned("cascade", *users(150_001, 3000)).figure("websocket.node_count") == 4


def test_tenant_label_is_reported_with_its_price_in_series() -> None:
    made = planned()
    pods = made.figure("api.replica_count.max")
    assert made.figure("monitoring.query_series_count") == pods * 10 * 100 * 14
    assert "cardinality" in codes(made)


def test_the_plans_fleet_costs_several_times_its_budget() -> None:
    for name in ("cascade", "cascade-as-written"):
        verdict = next(v for v in planned(name).verdicts if v.figure == "cost_usd_per_1000_users_month")
        assert verdict.status == "fail"
        assert float(verdict.value or 0) > 100


def test_every_load_is_judged_by_its_predicted_latency() -> None:
    verdicts = {v.figure: v.status for v in planned().verdicts}
    assert {name: status for name, status in verdicts.items() if name.startswith("latency")} == {
        "latency_ms_p95.normal": "pass",
        "latency_ms_p95.peak": "pass",
        "latency_ms_p99.peak": "pass",
        "latency_ms_p95.burst": "pass",
    }


def test_5000_users_a_node_is_where_the_defaults_put_it() -> None:
    """One node of 3.69 cores serves 5,000 users at 2 s think time about two thirds busy, as docs/model.md reckons."""
    load = "{one: {users: 5000, spawn_rate_per_s: 10, duration_s: 900, latency_ms_p95: 200}}"
    alone = "{system_cpu_cores: 0, system_memory_mib: 0, system_pods: 0}"
    nodes = "{base: 1, min: 1, max: 1}"
    changes = (("tiers.api.nodes", nodes), ("tiers.cluster", alone), ("loads", load), ("gates", "{}"))
    made = planned("cascade", *users(5000, 5000), *(("--set", path, value) for path, value in changes))
    inputs = {entry.name: entry.value for entry in made.figures["latency_ms_p95.one"].inputs}
    assert 0.6 < float(inputs["busy share of api"]) < 0.75


def test_hit_rate_is_an_input_and_not_judged() -> None:
    assert {v.figure for v in planned().verdicts if v.status == "unjudged"} == {"cache.hit_ratio"}


def test_a_broadcast_to_the_tenant_reaches_every_connection_of_it() -> None:
    workroom = planned()
    path = "behaviour.actions.create_message.audience"
    tenant = planned("cascade", ("--set", path, "tenant"))
    assert recipients(workroom) == pytest.approx(5)
    assert recipients(tenant) == pytest.approx(10_000 / 100)


def recipients(made: Plan) -> float:
    """Return to how many connections a message goes at the peak: bytes sent, less half of the 120 of heartbeats."""
    streams = made.fleet.tiers["websocket"].streams
    assert streams is not None
    heartbeats = streams.connections.peak / streams.heartbeat_interval_s * 120 / 2
    return (streams.out_bytes_per_s.peak - heartbeats) / streams.message_bytes / streams.messages_per_s.peak


def test_redis_masters_without_replicas_are_reported() -> None:
    assert "cache-without-replicas" in codes(planned())
    assert "cache-without-replicas" in codes(planned("cascade", ("--set", "tiers.cache.nodes", "6")))


def test_redis_replicas_are_sized_and_priced() -> None:
    plain, copied = planned(), planned("cascade", ("--set", "tiers.cache.replicas_per_master", "1"))
    assert "cache-without-replicas" not in codes(copied)
    assert (copied.figure("cache.master_count"), copied.figure("cache.node_count")) == (3, 6)
    assert copied.figure("cache.memory_gib") == plain.figure("cache.memory_gib")
    (before,), (after,) = ([item for item in made.bill.items if item.tier == "cache"] for made in (plain, copied))
    assert after.quantity.average == 2 * before.quantity.average
    pinned = (("--set", "tiers.cache.nodes", "6"), ("--set", "tiers.cache.replicas_per_master", "1"))
    assert planned("cascade", *pinned).figure("cache.master_count") == 3
