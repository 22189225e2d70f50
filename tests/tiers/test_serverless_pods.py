"""Pods without nodes: their sizes against AWS's table, their bill by hand, and what they refuse."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.serverless import PODS
from cascade_plan.emitters import directory as emitting
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.inputs.scenarios import read_scenario
from cascade_plan.model.plan import Plan, from_json, to_json
from cascade_plan.model.price import Book, PriceKey
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

CPU_USD, GIB_USD = Decimal("0.04"), Decimal("0.005")
HOURS = 730
SOLD = [
    *product([0.25], [0.5, 1, 2]),
    *product([0.5], [1, 2, 3, 4]),
    *product([1], range(2, 9)),
    *product([2], range(4, 17)),
    *product([4], range(8, 31)),
    *product([8], range(16, 61, 4)),
    *product([16], range(32, 121, 8)),
]
"""vCPU and GB of https://docs.aws.amazon.com/eks/latest/userguide/fargate-pod-configuration.html, read in 2026-11."""


def book() -> Book:
    """Return the bundled prices with made-up ones of pods."""
    found = {PriceKey("fargate", "cpu", "x86_64"): ("vcpu_hour", CPU_USD), PriceKey("fargate", "memory", "x86_64"): (
        "gib_hour", GIB_USD)}  # fmt: skip
    rows = {
        key: (unit, str(usd), "", "2020-01-02", "made up", "", "", "", "override") for key, (unit, usd) in found.items()
    }
    return bundled.book("aws", "us-east-1").overridden(rows, "made up")


def scenario(changes: dict[str, Any] | None = None, **api: Any) -> Scenario:
    document = read_scenario("cascade")[0].model_dump(exclude_unset=True)
    document["tiers"]["api"] = {"serverless": True, **api}
    for name, value in (changes or {}).items():
        document["tiers"][name] = value
    return Scenario.model_validate(document)


def planned(given_: Scenario, predicted: bool = False) -> Plan:
    return plan(given_, book(), predicted=predicted)


@given(st.floats(0.001, 16), st.floats(1, 130 * 1024))
def test_a_pod_has_the_least_size_that_holds_it(cpu_cores: float, memory_mib: float) -> None:
    holding = [(vcpu, gib) for vcpu, gib in SOLD if vcpu >= cpu_cores and gib * 1024 >= memory_mib + 256]
    shape = PODS.of(cpu_cores, memory_mib)
    assert (None if shape is None else (shape.vcpu, shape.memory_gib)) == min(holding, default=None)


@pytest.mark.parametrize(
    ("cpu_cores", "memory_mib", "size"),
    [
        (1, 8192, "2 vCPU 9 GiB"),
        (0.25, 256, "0.25 vCPU 0.5 GiB"),
        (0.5, 768, "0.5 vCPU 1 GiB"),
        (0.1, 1793, "0.5 vCPU 3 GiB"),
    ],
)
def test_sizes_that_the_documentation_names(cpu_cores: float, memory_mib: float, size: str) -> None:
    """One vCPU and 8 GB is its own example of a request that takes two: with 256 MB there are 9."""
    shape = PODS.of(cpu_cores, memory_mib)
    assert shape is not None
    assert shape.name == size


def test_the_bill_is_pods_by_vcpu_and_gib_hours_at_each_level() -> None:
    """10,000 users and 700 a pod are 15 pods, 3,000 are 5, half as many more are 23: of half a vCPU and 1 GiB each."""
    made = planned(scenario(pod={"cpu_cores": 0.4, "memory_mib": 700}))
    hourly = made.traffic.hourly_users
    average = sum(min(15, max(5, math.ceil(users / 700))) for users in hourly) / 24
    lines = {item.name: item for item in made.bill.items if item.tier == "api"}
    assert [*lines] == ["api pods CPU (0.5 vCPU 1 GiB)", "api pods memory (0.5 vCPU 1 GiB)"]
    for level, pods in (("floor", 5), ("average", average), ("peak", 15), ("ceiling", 23)):
        cpu, memory = (getattr(item.cost_usd, level) for item in lines.values())
        assert float(cpu) == pytest.approx(pods * 0.5 * HOURS * float(CPU_USD), abs=1e-5)
        assert float(memory) == pytest.approx(pods * 1 * HOURS * float(GIB_USD), abs=1e-5)
    assert [made.figure(f"api.replica_count.{level}") for level in ("min", "base", "max")] == [5, 15, 23]


def test_it_has_no_node_no_disk_and_no_daemonset() -> None:
    made = planned(scenario())
    assert not [item for item in made.bill.items if item.tier == "api" and item.unit in ("hour", "gib_month")]
    assert {"api.node_count.base", "api.pod_count_per_node"}.isdisjoint(made.figures)
    (run,) = made.fleet.tiers["api"].workloads
    assert (run.cpu_cores, run.cpu_cores_max, run.pod_count_per_node) == (0.5, 0.5, 1)


def test_bounds_given_by_hand_are_what_is_paid() -> None:
    made = planned(scenario(replicas={"min": 3, "max": 9}))
    (group,) = made.fleet.tiers["api"].groups
    assert (group.count.floor, group.count.peak, group.count.ceiling) == (3, 9, 9)


def test_the_method_slo_finds_the_pods_that_keep_every_limit() -> None:
    document = scenario().model_dump(exclude_unset=True) | {"method": "slo"}
    made = planned(Scenario.model_validate(document), predicted=True)
    lever = made.fleet.tiers["api"].lever("replica_count")
    assert lever.set_by == "method"
    assert {verdict.status for verdict in made.verdicts if verdict.figure.startswith("latency")} == {"pass"}
    # With one fewer a load is not met: the least is the least.
    assert any(rejection.figure == "api.replica_count.base" for rejection in made.fleet.rejections)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shape": "m7g.large"}, "shape: the pods of a serverless service have no nodes, leave that out"),
        ({"users_per_node": 100, "minimum_nodes": 2}, "minimum_nodes, users_per_node: the pods of a serverless"),
        ({"purchase": "spot"}, "purchase: the pods of a serverless service have no nodes"),
        ({"serverless": False, "users_per_pod": 10}, "users_per_pod is for a serverless service"),
    ],
)
def test_what_only_nodes_have_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scenario(**settings)


def test_a_pod_too_large_and_a_missing_cluster_are_refused_by_name() -> None:
    with pytest.raises(InfeasibleError, match=r"tiers.api.pod: a pod of 17 cores .* 16 vCPU, 120 GiB"):
        planned(scenario(pod={"cpu_cores": 17, "memory_mib": 1000}))
    with pytest.raises(UsageError, match=r"tiers.api.serverless: its pods run in a Kubernetes cluster"):
        planned(scenario({"cluster": "off"}))
    with pytest.raises(ValueError, match=r"a service with nodes of its own, and api has none: it is serverless"):
        scenario({"search": {"kind": "api", "nodes_of": "api"}})


def test_what_the_network_must_have_is_said() -> None:
    found = {finding.code for finding in planned(scenario({"network": {"nat": False}})).findings}
    assert "pods-without-nat" in found
    assert "pods-without-nat" not in {finding.code for finding in planned(scenario()).findings}


@pytest.mark.parametrize("has_nodes", [True, False])
def test_the_clusters_own_pods_are_paid_where_nothing_else_has_nodes(has_nodes: bool) -> None:
    """Four pods of 0.1 cores and 200 MiB are four of 0.25 vCPU and 0.5 GiB."""
    made = planned(scenario({"websocket": "off", "monitoring": {} if has_nodes else "off"}))
    own = {item.name: item.cost_usd.average for item in made.bill.items if item.name.startswith("cluster pods")}
    expected = {"cluster pods CPU": HOURS * CPU_USD, "cluster pods memory": 2 * HOURS * GIB_USD}
    assert own == ({} if has_nodes else expected)
    (eksctl,) = (file.text for file in emitting.everything(made).files if file.path == "cluster/eksctl.yaml")
    cluster = yaml.safe_load(eksctl)
    assert ("managedNodeGroups" in cluster) == has_nodes
    assert ({"name": "aws-ebs-csi-driver"} in cluster["addons"]) == has_nodes
    assert [profile["name"] for profile in cluster["fargateProfiles"]] == [
        "api",
        *([] if has_nodes else ["kube-system"]),
    ]


def test_what_is_emitted_chooses_no_nodes_and_limits_what_it_requests() -> None:
    made = planned(scenario())
    files = {file.path: file.text for file in emitting.everything(made).files}
    template = yaml.safe_load(files["k8s/base/deployment.yaml"])["spec"]["template"]["spec"]
    assert "nodeSelector" not in template
    resources = template["containers"][0]["resources"]
    assert resources["requests"] == resources["limits"] == {"cpu": "500m", "memory": "768Mi"}
    # Nodes that others have are open to CoreDNS, which no profile takes.
    cluster = yaml.safe_load(files["cluster/eksctl.yaml"])
    assert [group["name"] for group in cluster["managedNodeGroups"] if "taints" not in group] == ["websocket"]


def test_a_plan_with_it_is_read_back_as_it_was_written() -> None:
    made = planned(scenario({"cache": {"serverless": True}}))
    assert from_json(to_json(made)) == made
