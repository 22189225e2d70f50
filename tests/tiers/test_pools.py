"""One pool for several tiers: WebSocket pods, workers and Prometheus on the nodes of a service."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.errors import UsageError
from cascade_plan.formulas.losses import after_loss
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.sizing import places
from cascade_plan.reports.plans._tiers import tiers

SOCKETS = {"tiers__websocket__nodes_of": "api"}
MONITORING = {"tiers__monitoring__nodes_of": "api", "tiers__monitoring__label_by_tenant": "false"}
POOL = {**SOCKETS, **MONITORING}


def planned(name: str = "cascade", predicted: bool = False, **changes: Any) -> Plan:
    made = read(name, [("--set", path.replace("__", "."), str(value)) for path, value in changes.items()])
    return plan(made.scenario, made.book, made.origins, predicted=predicted)


def broken(made: Plan) -> list[str]:
    return [finding.message for finding in made.findings if finding.is_broken and finding.code == "pods-beside"]


def workload(made: Plan, tier: str = "api") -> Workload:
    (found,) = made.fleet.tiers[tier].workloads
    return found


@pytest.fixture(scope="module")
def pool() -> Plan:
    return planned(**POOL)


def test_what_has_no_nodes_is_billed_for_none_and_its_volume_is(pool: Plan) -> None:
    apart = planned()
    assert {group.tier for group in apart.groups} - {group.tier for group in pool.groups} == {"websocket", "monitoring"}
    lines = {item.name: item for item in pool.bill.items}
    assert not [name for name in lines if name.startswith(("websocket nodes", "monitoring nodes"))]
    (volume,) = [item for name, item in lines.items() if name.startswith("monitoring volumes")]
    assert volume.quantity.floor == volume.quantity.ceiling > pool.figure("monitoring.disk_gib_per_pod")
    # NAT passes what each node fetches, and the WebSocket nodes that are none fetch nothing.
    (passed,) = [item for name, item in lines.items() if name.startswith("NAT traffic")]
    nodes = sum(group.count.floor for group in pool.groups if group.is_nodes)
    each = pool.scenario.tiers["network"].nat_gib_per_node_month  # type: ignore[attr-defined]
    assert float(passed.quantity.floor) == pytest.approx(nodes * each)


def test_what_must_not_be_cut_has_room_on_what_a_lost_zone_and_node_leave_of_the_floor(pool: Plan) -> None:
    lever, asked = pool.fleet.tiers["api"].lever("node_count"), pool.scenario.availability.asked
    room = workload(pool).room
    assert room is not None
    left = after_loss(lever.floor_count, asked.zones, asked.lost_zone_count, asked.lost_node_count)
    assert lever.left_least_count == room.node_count_least == left == 2
    assert broken(pool) == []
    # 3 WebSocket pods, a Prometheus and what is beside it, the cluster's own.
    assert sorted(count for _, count in room.before) == [1, 3, 9, 17]
    (words,) = broken(planned(**POOL, tiers__api__nodes="{min: 3, base: 3, max: 5}"))
    assert words.startswith("of 3 nodes at the floor 1 are left when a zone and a node are lost: the pods of websocket")


def test_the_services_pods_get_what_the_others_leave(pool: Plan) -> None:
    run, room = workload(pool), workload(pool).room
    assert room is not None
    for nodes in range(room.node_count_least, 20):
        for part in (0, 1):
            taken = room.held(nodes) * room.pod[part] + sum(size[part] * count for size, count in room.before)
            assert taken <= nodes * room.node[part] + 1e-6
    assert (run.replica_count_min, run.replica_count_max) == (run.held(5), run.held(8))
    # Their cores too: in all no more than the others' requests leave of the nodes.
    (place, *_) = [each for each in places(pool.scenario, pool.fleet, {"api.node_count": 5}) if each.tier == "api"]
    guests = [guest for sized in pool.fleet.tiers.values() for guest in sized.guests]
    cores = sum(guest.cpu_cores * guest.count_max for guest in guests)
    assert run.beside_cpu_cores == pytest.approx(cores, abs=0.1)
    assert place.server_count * place.speed_ratio == pytest.approx(5 * room.node.cpu_m / 1000 - run.beside_cpu_cores)


def test_prometheus_has_room_for_every_pod_that_it_watches(pool: Plan) -> None:
    """It is reserved before its service is sized, and its pods are known after."""
    kept = max(size.memory_mib for size, count in workload(pool).room.before if count == 1)  # type: ignore[union-attr]
    assert kept >= pool.figure("monitoring.memory_gib_per_pod") * 1024


def test_a_prometheus_larger_than_a_node_breaks_the_plan_and_its_memory_is_said() -> None:
    made = planned(tiers__monitoring__nodes_of="api", tiers__monitoring__retention_days=1, users__tenants=400)
    (words,) = broken(made)
    assert words.startswith("each of the servers of monitoring requests 0.5 cores and ")
    assert "GiB of memory, c6g.xlarge leaves 3.69 cores and 6.28 GiB" in words


@settings(max_examples=10)
@given(st.integers(2_000, 60_000), st.integers(1, 20_000))
def test_more_users_never_take_fewer_nodes(peak: int, more: int) -> None:
    few, many = (planned(**POOL, users__peak=users, users__average=1000) for users in (peak, peak + more))
    for level in ("min", "base", "max"):
        assert few.figure(f"api.node_count.{level}") <= many.figure(f"api.node_count.{level}")


def test_the_method_slo_keeps_the_room_while_it_looks_for_the_least() -> None:
    made = planned(**POOL, method="slo", predicted=True)
    assert broken(made) == []
    missed = [each.figure for each in made.verdicts if each.status != "pass" and each.figure.startswith("latency")]
    assert missed == []
    rejections = {each.figure: each.reason for each in made.fleet.rejections}
    assert "what must stand on them fills 2" in rejections["api.node_count.min"]


@pytest.mark.parametrize(("share", "words"), [(0.3, ""), (0.9, "1 are not on spot: "), (1.0, "are moved when the")])
def test_what_must_stay_has_room_on_nodes_that_nobody_takes_back(share: float, words: str) -> None:
    made = planned(**POOL, tiers__api__purchase=f"{{spot: {share}}}")
    found = [finding for finding in made.findings if finding.code == "pods-on-spot"]
    assert [(words in each.message, each.is_broken) for each in found] == ([(True, share < 1)] if words else [])


def test_workers_are_counted_by_pods_and_their_most_have_room() -> None:
    given_ = {"tiers__worker__purchase": "on_demand"}
    made, apart = planned("api-batch", tiers__worker__nodes_of="api", **given_), planned("api-batch", **given_)
    most = made.figure("worker.replica_count.max")
    assert "worker.node_count.base" not in made.figures
    assert made.figure("worker.age_s_p99") < made.scenario.tiers["worker"].age_s_p99  # type: ignore[attr-defined]
    room = workload(made).room
    assert room is not None
    assert (1000.0, 1024, 1) in [size for size, count in room.before if count == most]
    # The queue is asked by the pods there are, which need not fill nodes now.
    assert 0 < made.figure("queue.million_requests_per_month") <= apart.figure("queue.million_requests_per_month")


def test_the_nodes_say_whose_pods_they_have(pool: Plan) -> None:
    (fleet,) = [tier.fleet for tier in tiers(pool) if tier.name == "api"]
    assert fleet == ("c6g.xlarge", "29-50 pods", "pods of websocket", "pods of monitoring")


def test_there_is_no_pool_without_a_cluster() -> None:
    with pytest.raises(UsageError, match=r"tiers\.websocket\.nodes_of: a cluster places pods on nodes of others"):
        planned(**SOCKETS, tiers__cluster="off", tiers__pool="off")
