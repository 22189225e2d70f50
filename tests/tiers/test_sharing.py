"""Services on the same nodes: the pods of each on a node, the nodes of all, and what is predicted of them."""

from __future__ import annotations

from decimal import Decimal
from math import ceil

import pytest
from factories import make_plan
from hypothesis import assume, given
from hypothesis import strategies as st

from cascade_plan.errors import InfeasibleError
from cascade_plan.model.catalogue import Allocatable
from cascade_plan.model.plan import Plan
from cascade_plan.proving.days import Order, services, simulate
from cascade_plan.tiers.api.settings import Pod
from cascade_plan.tiers.api.sharing import apportioned, unrequested_share

NODES = st.builds(Allocatable, st.integers(1000, 64_000), st.integers(1000, 256_000), st.integers(3, 250))
PODS = st.builds(
    lambda cpu_cores, memory_mib: Pod(cpu_cores=cpu_cores, memory_mib=memory_mib),
    st.floats(0.05, 4.0),
    st.integers(50, 8000),
)
SEVERAL = st.dictionaries(st.sampled_from("abcd"), PODS, min_size=1)


def fits(node: Allocatable, pods: dict[str, Pod], counts: dict[str, int]) -> bool:
    cpu_m = sum(counts[name] * pods[name].cpu_cores * 1000 for name in counts)
    memory_mib = sum(counts[name] * pods[name].memory_mib for name in counts)
    return cpu_m <= node.cpu_m and memory_mib <= node.memory_mib and sum(counts.values()) <= node.pods


@given(NODES, SEVERAL, st.lists(st.floats(0.0, 50.0), min_size=4, max_size=4))
def test_a_node_is_full_and_has_a_pod_of_each(node: Allocatable, pods: dict[str, Pod], amounts: list[float]) -> None:
    demands = dict(zip(pods, amounts, strict=False))
    assume(fits(node, pods, dict.fromkeys(pods, 1)))
    counts = dict(apportioned(node, pods, demands))
    assert fits(node, pods, counts)
    assert 0 <= unrequested_share(node, pods, counts) <= 1
    for name in pods:
        assert counts[name] == 1 or demands[name] > 0
        assert demands[name] == 0 or not fits(node, pods, counts | {name: counts[name] + 1})


@given(NODES, PODS)
def test_a_service_alone_fills_a_node_as_without_others(node: Allocatable, pod: Pod) -> None:
    alone = node.pods_of(pod.cpu_cores * 1000, pod.memory_mib)
    assume(alone > 0)
    assert apportioned(node, {"api": pod}, {"api": 1.0}) == {"api": alone}


@given(NODES, PODS, st.lists(st.floats(0.1, 50.0), min_size=2, max_size=4))
def test_of_pods_alike_no_service_has_one_more_than_its_due(node: Allocatable, pod: Pod, amounts: list[float]) -> None:
    demands = dict(zip("abcd", amounts, strict=False))
    pods = dict.fromkeys(demands, pod)
    assume(fits(node, pods, dict.fromkeys(pods, 1)))
    counts = apportioned(node, pods, demands)
    # D'Hondt: nobody's last pod has less work than anybody's next one would have; the first of each is a gift.
    for one, other in ((one, other) for one in demands for other in demands if counts[one] > 1):
        assert demands[one] / counts[one] >= demands[other] / (counts[other] + 1) * (1 - 1e-12)


def test_a_node_too_small_for_one_of_each_is_no_node() -> None:
    pods = dict.fromkeys("ab", Pod(cpu_cores=1.0, memory_mib=100))
    with pytest.raises(InfeasibleError, match="too little for a pod of each of a, b"):
        apportioned(Allocatable(1500, 1000, 10), pods, {"a": 1.0, "b": 1.0})


# --------------------------------------------------------------------------------------------------------------- a plan


def of_two(is_shared: bool, **changes: object) -> Plan:
    """Return a plan of the service api, and of search, which answers as many requests, on its nodes or on its own."""
    search = {"kind": "api", **({"nodes_of": "api"} if is_shared else {})}
    changes.setdefault("users.peak", 20_000)
    actions = {
        "read": {"weight": 1, "request": "GET /read", "read_count": 1},
        "find": {"weight": 1, "request": "GET /find", "at": "search", "read_count": 1},
    }
    return make_plan(**{"tiers.search": search, "behaviour.actions": actions, **changes}, predicted=True)


@given(st.integers(3000, 200_000))
def test_nodes_are_rounded_once_for_all_that_share_them(peak: int) -> None:
    shared, apart = (of_two(each, **{"users.peak": peak, "loads": {}}) for each in (True, False))
    assert [group.name for group in shared.groups if group.tier in ("api", "search")] == ["api nodes"]
    base = shared.fleet.tiers["api"].lever("node_count").base_count
    assert base == max(shared.scenario.availability.asked.node_count, ceil(peak / 5000))
    assert base <= sum(apart.fleet.tiers[name].lever("node_count").base_count for name in ("api", "search"))
    assert "search.node_count.base" not in shared.figures


def test_the_pods_of_each_stand_on_the_same_nodes_between_their_bounds() -> None:
    plan = of_two(is_shared=True)
    api, search = (plan.fleet.tiers[name].workloads[0] for name in ("api", "search"))
    lever = plan.fleet.tiers["api"].lever("node_count")
    for each in (api, search):
        assert plan.fleet.group_of(each).name == "api nodes"
        assert plan.fleet.lever_of(each) is lever
        assert each.replica_count_min == each.held(lever.floor_count)
        assert each.replica_count_max == each.held(lever.most_count)
    assert api.cores_per_pod == search.cores_per_pod


def test_a_port_is_taken_only_where_pods_have_no_addresses_of_their_own() -> None:
    def said(plan: Plan) -> list[str]:
        return [finding.where for finding in plan.findings if finding.code == "port-taken"]

    assert said(of_two(is_shared=True)) == []
    assert said(of_two(is_shared=True, **{"tiers.cluster": "off"})) == ["tiers.search.port"]
    assert said(of_two(is_shared=True, **{"tiers.cluster": "off", "tiers.api.port": 8001})) == []
    assert said(of_two(is_shared=False, **{"tiers.cluster": "off"})) == []


def test_the_order_in_the_scenario_does_not_matter() -> None:
    host_first = of_two(is_shared=True, **{"tiers.later": {"kind": "api", "nodes_of": "api"}})
    tiers = dict(host_first.scenario.tiers)
    turned = {name: tiers[name] for name in reversed(tiers)}
    actions = {
        name: {**action.model_dump(exclude_unset=True), "at": action.at or "api"}
        for name, action in host_first.scenario.behaviour.actions.items()
    }
    document = host_first.scenario.model_dump(exclude_unset=True)
    document["tiers"] = {name: document["tiers"][name] for name in turned}
    document["behaviour"] = {**document["behaviour"], "actions": actions}
    again = make_plan(type(host_first.scenario).model_validate(document), predicted=True)
    assert {name: figure.value for name, figure in again.figures.items()} == {
        name: figure.value for name, figure in host_first.figures.items()
    }


def test_days_cost_the_nodes_that_both_need_once() -> None:
    plan = of_two(is_shared=True)
    simulation = simulate(plan, Order(seed=1))
    assert [replay.beside for replay in simulation.replays] == [("search",), ("api",)]
    assert len({service.group.name for service in services(plan)}) == 1
    whole = [replay.best.cost_usd_per_month for replay in simulation.replays]
    nodes = [dict(replay.timelines)[replay.recommended].node_count for replay in simulation.replays]
    # No fewer than either needs, no more than the two need after each other.
    assert max(whole) - Decimal("1e-6") <= simulation.cost_usd_per_month
    assert simulation.cost_usd_per_month <= max(whole) * sum(max(pair) for pair in zip(*nodes, strict=True)) / max(
        sum(each) for each in nodes
    )


def test_the_method_slo_finds_the_nodes_of_both() -> None:
    load = {"users": 20_000, "spawn_rate_per_s": 100, "duration_s": 6000, "latency_ms_p95": 60}
    plan = of_two(is_shared=True, method="slo", loads={"peak": load})
    assert [verdict.status for verdict in plan.verdicts if verdict.figure == "latency_ms_p95.peak"] == ["pass"]
    assert "search.node_count.base" not in plan.figures
    assert "api.node_count.base" in plan.figures
