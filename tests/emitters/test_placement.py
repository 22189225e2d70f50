"""Where pods may run, and whether a rollout ends when all of them do: as the files of all emitters say it together."""

from __future__ import annotations

import re
from dataclasses import replace
from math import ceil
from typing import Any

import pytest
import yaml
from factories import bundled_with, make_plan
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.emitters._nodes import LABEL, bought_by_karpenter, node_groups
from cascade_plan.emitters._topology import pods_name
from cascade_plan.emitters.controllers import artefacts as controllers
from cascade_plan.emitters.eks import artefacts as eks
from cascade_plan.emitters.kubernetes import artefacts as k8s
from cascade_plan.emitters.terraform import artefacts as terraform
from cascade_plan.formulas.rollouts import running_count_most, surge_count, unavailable_percent
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan
from cascade_plan.tiers.cluster.settings import Settings as Cluster

BATCH = {"tiers__queue": {}, "tiers__worker": {"age_s_p99": 600.0, "scheduled_jobs_per_s": 20.0}}
MADE: dict[str, dict[str, Any]] = {
    "two services": {"tiers__full_text": {"kind": "api"}},
    "shared nodes": {"tiers__search": {"kind": "api", "nodes_of": "api"}},
    "workers": BATCH,
    "one pool": {
        **BATCH,
        "tiers__worker__nodes_of": "api",
        "tiers__websocket__nodes_of": "api",
        "tiers__monitoring__nodes_of": "api",
        "tiers__monitoring__label_by_tenant": False,
    },
    "one pool that is not the first": {
        "tiers__full_text": {"kind": "api"},
        "tiers__websocket__nodes_of": "full_text",
        "tiers__monitoring__nodes_of": "full_text",
        "tiers__monitoring__label_by_tenant": False,
    },
    "part on spot": {"tiers__api__purchase": {"spot": 0.4}, "tiers__api__nodes": {"min": 4, "base": 5, "max": 10}},
    "sockets alone": {"tiers__api": "off", "tiers__monitoring": "off", "gates": {}, "loads": {}},
}
Group = tuple[str, dict[str, str], list[tuple[str, str]]]
"""What nodes are called, their labels, and (key, value) of their taints."""


def planned(name: str) -> Plan:
    if name in MADE:
        return make_plan(**MADE[name])
    found = read(name)
    return plan(found.scenario, found.book, found.origins, predicted=False)


def by(made: Plan, nodes: str) -> Plan:
    """Return the plan with its nodes made by another."""
    emit = made.scenario.emit.model_copy(update={"nodes": nodes})
    return replace(made, scenario=made.scenario.model_copy(update={"emit": emit}))


def documents(made: Plan, path: str) -> list[dict[str, Any]]:
    (text,) = [artefact.text for artefact in eks.render(made) if artefact.path == path]
    return list(yaml.safe_load_all(text))


def by_eksctl(made: Plan) -> list[Group]:
    (cluster,) = documents(made, "eksctl.yaml")
    return [(each["name"], each["labels"], taints(each)) for each in cluster["managedNodeGroups"]]


def by_karpenter(made: Plan) -> list[Group]:
    if not bought_by_karpenter(made):
        return []
    pools = [each for each in documents(made, "karpenter.yaml") if each["kind"] == "NodePool"]
    found = []
    for pool in pools:
        template = pool["spec"]["template"]
        name = pool["metadata"]["name"].removeprefix(f"{made.application}-")
        found.append((name, template["metadata"]["labels"], taints(template["spec"])))
    return found


def taints(given_: dict[str, Any]) -> list[tuple[str, str]]:
    assert all(taint["effect"] == "NoSchedule" for taint in given_.get("taints", []))
    return [(taint["key"], taint["value"]) for taint in given_.get("taints", [])]


def by_terraform(made: Plan) -> list[Group]:
    (text,) = [artefact.text for artefact in terraform.render(made) if artefact.path == "nodes.tf"]
    found = []
    for block in re.split(r"^resource ", text, flags=re.MULTILINE)[1:]:
        if block.startswith('"aws_launch_template"'):
            continue
        (name,) = re.findall(r'^"aws_eks_node_group" "(\w+)"', block)
        (label,) = re.findall(rf'"?{LABEL}"?\s*= "(\w+)"', block)
        keys = re.findall(r'taint \{\s+key\s+= "([^"]+)"\s+value\s+= "([^"]+)"\s+effect = "NO_SCHEDULE"', block)
        assert block.count("taint {") == len(keys)
        found.append((name.replace("_", "-"), {LABEL: label}, keys))
    return found


def pods(made: Plan) -> dict[str, dict[str, Any]]:
    objects, kinds = k8s.objects(made), ("Deployment", "StatefulSet")
    return {name: each["spec"]["template"]["spec"] for name, each in objects.items() if each["kind"] in kinds}


def takes(group: Group, pod: dict[str, Any]) -> bool:
    """Return whether a pod may stand on nodes: their labels have all that it selects, and it tolerates all taints."""
    _, labels, keys = group
    tolerated = {
        (each["key"], each["value"])
        for each in pod.get("tolerations", [])
        if each["operator"] == "Equal" and each["effect"] == "NoSchedule"
    }
    return pod.get("nodeSelector", {}).items() <= labels.items() and {*keys} <= tolerated


@pytest.mark.parametrize("name", [*bundled_with("cluster"), *MADE])
def test_every_pod_has_the_nodes_of_one_tier_and_system_pods_have_some(name: str) -> None:
    made = planned(name)
    if not node_groups(made):
        assert not any("nodeSelector" in pod or "tolerations" in pod for pod in pods(made).values())
        return
    groups = by_eksctl(made)
    with_karpenter = by(made, "karpenter")
    both = [*by_eksctl(with_karpenter), *by_karpenter(with_karpenter)]
    # The floor of one group is eksctl's, and what scales above it Karpenter's.
    assert sorted({name: (labels, keys) for name, labels, keys in both}.items()) == sorted(
        (name, (labels, keys)) for name, labels, keys in groups
    )
    assert sorted(by_terraform(by(made, "terraform"))) == sorted(groups)
    found = pods(made)
    own = {pods_name(workload) for workload in made.fleet.workloads}
    workloads = [pod for pod in found.values() if pod["serviceAccountName"] in own]
    assert len(workloads) == len(own)
    for pod in found.values():
        (selected,) = pod["nodeSelector"].values()
        assert {labels[LABEL] for name, labels, keys in groups if takes((name, labels, keys), pod)} == {selected}
    bought = [made.fleet.group_of(workload).tier for workload in made.fleet.workloads]
    assert sorted(bought) == sorted(value for pod in workloads for value in pod["nodeSelector"].values())
    # CoreDNS and others choose no nodes and tolerate no taint of ours: those of one tier take them, and are never none.
    open_to_all = {group[1][LABEL] for group in groups if takes(group, {})}
    assert len(open_to_all) == 1
    assert sum(nodes.count_min for nodes in node_groups(made) if nodes.group.tier in open_to_all) >= 1
    # There nginx and PgBouncer stand too, for whom nobody bought nodes.
    others = {value for pod in found.values() if pod not in workloads for value in pod["nodeSelector"].values()}
    assert others <= open_to_all


@pytest.mark.parametrize("name", [*bundled_with("cluster"), *MADE])
def test_karpenter_never_has_to_guess_which_pool(name: str) -> None:
    made = by(planned(name), "karpenter")
    if not bought_by_karpenter(made):
        assert all(artefact.path != "karpenter.yaml" for artefact in eks.render(made))
        return
    pools = [each for each in documents(made, "karpenter.yaml") if each["kind"] == "NodePool"]
    for pod in [*pods(made).values(), {}]:
        weights = [
            pool["spec"].get("weight", 0)
            for pool, group in zip(pools, by_karpenter(made), strict=True)
            if takes(group, pod)
        ]
        assert weights or any(takes(group, pod) for group in by_eksctl(made))
        assert len(weights) == len(set(weights))


# ------------------------------------------------------------------------------------------------------------ rollouts


def rolls(pod_count: int, slot_count: int, surge: int, unavailable: int) -> bool:
    """Return whether a Deployment's rolling update ends on nodes that hold so many pods.

    The controller's own steps: the new set grows to what the surge allows, the old one shrinks by what is available
    above the least; a pod that finds a slot becomes ready.
    Source: kubernetes pkg/controller/deployment/rolling.go and util NewRSNewReplicas.
    """
    unavailable = 1 if surge == unavailable == 0 else unavailable
    old, new, new_ready = pod_count, 0, 0
    old_ready = min(old, slot_count)
    for _ in range(4 * pod_count + 4):
        if new == new_ready == pod_count and old == 0:
            return True
        new = min(pod_count, new + max(0, pod_count + surge - old - new))
        removable = max(0, old + new - (pod_count - unavailable) - (new - new_ready))
        # Pods that are not ready go first, and never count as available.
        idle = min(old - old_ready, removable)
        old -= idle
        ready_removable = max(0, min(removable - idle, old_ready + new_ready - (pod_count - unavailable), old_ready))
        old, old_ready = old - ready_removable, old_ready - ready_removable
        new_ready = min(new, slot_count - old_ready)
    return False


def test_the_oracle_knows_a_rollout_that_hangs() -> None:
    assert not rolls(35, 35, surge=9, unavailable=0)
    assert rolls(35, 36, surge=9, unavailable=0)
    assert rolls(35, 35, surge=9, unavailable=1)


@given(most=st.integers(1, 300), spare=st.integers(0, 100), now=st.integers(1, 300))
def test_a_rollout_ends_at_every_count_up_to_the_ceiling(most: int, spare: int, now: int) -> None:
    percent, slots, count = unavailable_percent(most, most + spare), most + spare, min(now, most)
    unavailable = count * percent // 100
    assert rolls(count, slots, surge_count(count), unavailable)
    # Of several pods some always answer.
    assert unavailable < count or count == most == 1
    assert running_count_most(most, slots) == min(slots, most + ceil(most / 4))


@given(
    nodes=st.tuples(st.integers(1, 4), st.integers(0, 6), st.integers(0, 8)),
    cores=st.sampled_from([0.25, 0.5, 1.0, 3.0]),
    replicas=st.none() | st.tuples(st.integers(1, 20), st.integers(0, 40)),
)
def test_the_emitted_rollout_fits_the_emitted_nodes(
    nodes: tuple[int, int, int], cores: float, replicas: tuple[int, int] | None
) -> None:
    low, more, most = nodes
    bounds = {"min": low, "base": low + more, "max": low + more + most}
    pinned = {} if replicas is None else {"tiers__api__replicas": {"min": replicas[0], "max": sum(replicas)}}
    check(make_plan(tiers__api__nodes=bounds, tiers__api__pod={"cpu_cores": cores, "memory_mib": 256}, **pinned))


@pytest.mark.parametrize("name", [*bundled_with("cluster"), *MADE])
def test_the_rollout_of_every_scenario_fits_its_nodes(name: str) -> None:
    check(planned(name))


def check(made: Plan) -> None:
    (cluster,) = documents(made, "eksctl.yaml")
    most_nodes = {}
    for group in cluster.get("managedNodeGroups", []):
        tier = group["labels"][LABEL]
        most_nodes[tier] = most_nodes.get(tier, 0) + group["maxSize"]
    objects = k8s.objects(made)
    workloads = {workload.name: workload for workload in made.fleet.workloads}
    deployments = [
        each for each in objects.values() if each["kind"] == "Deployment" and each["metadata"]["name"] in workloads
    ]
    for each in deployments:
        workload = workloads[each["metadata"]["name"]]
        if "nodeSelector" not in each["spec"]["template"]["spec"]:
            # There is always room for a pod that has no node.
            assert each["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
            continue
        # Less the places of the cluster's own pods.
        slots = workload.held(most_nodes[each["spec"]["template"]["spec"]["nodeSelector"][LABEL]])
        rolling = each["spec"]["strategy"]["rollingUpdate"]
        count = min(workload.replica_count_max, slots)
        surge = ceil(count * int(rolling["maxSurge"].removesuffix("%")) / 100)
        unavailable = count * int(str(rolling["maxUnavailable"]).removesuffix("%")) // 100
        assert rolls(count, slots, surge, unavailable)
        assert workload.running_count_max <= slots
    # PgBouncer's clients are those pods, to the primary and to the replicas.
    if pools := made.fleet.of("pool"):
        asking = [each for each in workloads.values() if each.connection_count_per_pod]
        clients = sum(each.running_count_max * each.connection_count_per_pod for each in asking)
        assert pools[0].count("client_connection_count_max") in (clients, 2 * clients)


def requested(values: Any) -> list[tuple[int, int]]:
    """Return the thousandths of a core and MiB of every request within a chart's values or an object."""
    if isinstance(values, list):
        return [found for item in values for found in requested(item)]
    if not isinstance(values, dict):
        return []
    found = [pair for item in values.values() for pair in requested(item)]
    if isinstance(asked := values.get("requests"), dict):
        found.append((int(asked["cpu"].removesuffix("m")), int(asked["memory"].removesuffix("Mi"))))
    return found


@pytest.mark.parametrize("name", bundled_with("cluster"))
def test_the_reserve_holds_what_is_emitted_beside_the_application(name: str) -> None:
    """With CoreDNS 2 x 0.1 cores, metrics-server 2 x 0.1 and ebs-csi-controller 2 x 0.06, which are add-ons."""
    made = planned(name)
    total = [(200, 140), (200, 400), (120, 480)]
    for file in controllers.render(made):
        values = yaml.safe_load(file.text)
        total += requested(values) * int(values.get("replicaCount", 1))
    own = {pods_name(workload) for workload in made.fleet.workloads}
    for each in k8s.objects(made).values():
        if each["kind"] == "Deployment" and each["spec"]["template"]["spec"]["serviceAccountName"] not in own:
            total += requested(each) * int(each["spec"]["replicas"])
    (cluster,) = made.of(Cluster)
    assert len(total) > 6
    assert sum(cpu for cpu, _ in total) <= cluster.settings.system_cpu_cores * 1000
    assert sum(mib for _, mib in total) <= cluster.settings.system_memory_mib


# ---------------------------------------------------------------------------------------------- the balancer and nginx


@pytest.mark.parametrize("balancer", ["alb", "nlb"])
@pytest.mark.parametrize("cluster", [{}, "off"])
def test_nginx_reads_what_its_balancer_sends(balancer: str, cluster: Any) -> None:
    from cascade_plan.emitters.nginx import artefacts as nginx

    made = make_plan(tiers__gateway={"balancer": balancer}, tiers__cluster=cluster)
    (conf,) = [artefact.text for artefact in nginx.render(made) if artefact.path == "nginx.conf"]
    (infra,) = [artefact.text for artefact in terraform.render(made) if artefact.path == "balancer.tf"]
    blocks = {block.split('"')[3]: block for block in infra.split("\nresource ") if '"aws_lb_target_group"' in block}
    expects = bool(re.search(r"listen \d+ [^;]*\bproxy_protocol\b", conf))
    assert expects == ("real_ip_header proxy_protocol;" in conf) == ("X-Forwarded-For;\n    real_ip" not in conf)
    sends = {name for name, block in blocks.items() if re.search(r"proxy_protocol_v2\s+= true", block)}
    # The services themselves read no PROXY protocol: a byte of it would be a bad request to them.
    assert sends == ({"websocket"} if expects else set())
    assert expects == (balancer == "nlb")
    for name in sends:
        (port,) = re.findall(r"port +. (\d+)", blocks[name])
        assert f"listen {port} " in conf
        assert f"aws_lb_target_group.{name}.arn" in infra
