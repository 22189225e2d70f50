"""eksctl's and Karpenter's files: valid against their published schemas, and the plan's counts and shapes."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml
from custom_resources import custom_resource, document, needs_schemas
from factories import bundled_with, make_plan

from cascade_plan.emitters._nodes import LABEL, node_groups
from cascade_plan.emitters.eks import artefacts as eks
from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def planned(name: str) -> Plan:
    given = read(name)
    return plan(given.scenario, given.book, given.origins, predicted=False)


def documents(made: Plan, path: str) -> list[dict[str, Any]]:
    (artefact,) = [artefact for artefact in eks.render(made) if artefact.path == path]
    return list(yaml.safe_load_all(artefact.text))


@needs_schemas
@pytest.mark.parametrize("name", bundled_with("cluster"))
def test_eksctl_accepts_the_cluster(name: str) -> None:
    schema = document("eksctl_schema.json")
    (cluster,) = documents(planned(name), "eksctl.yaml")
    jsonschema.Draft7Validator(schema).validate(cluster)


@needs_schemas
def test_eksctl_refuses_a_field_it_does_not_have() -> None:
    schema = document("eksctl_schema.json")
    (cluster,) = documents(planned("cascade"), "eksctl.yaml")
    cluster["managedNodeGroups"][0]["minimumSize"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(cluster)


@needs_schemas
@pytest.mark.parametrize("name", [name for name in bundled_with("cluster") if node_groups(planned(name))])
def test_karpenter_accepts_the_pools(name: str) -> None:
    for made in documents(planned(name), "karpenter.yaml"):
        jsonschema.Draft202012Validator(custom_resource(made["kind"])).validate(made)


@needs_schemas
@pytest.mark.parametrize("kind", ["NodePool", "EC2NodeClass"])
def test_karpenter_refuses_a_field_it_does_not_have(kind: str) -> None:
    made = next(d for d in documents(planned("cascade"), "karpenter.yaml") if d["kind"] == kind)
    made["spec"]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(custom_resource(kind)).validate(made)


def test_counts_shapes_and_ceilings_are_the_plans() -> None:
    made = planned("cascade")
    (cluster,) = documents(made, "eksctl.yaml")
    groups = {group["name"]: group for group in cluster["managedNodeGroups"]}
    assert set(groups) == {"api", "websocket", "monitoring"}
    api = groups["api"]
    assert (api["minSize"], api["desiredCapacity"], api["maxSize"], api["instanceTypes"]) == (2, 3, 5, ["c6g.xlarge"])
    assert cluster["vpc"]["nat"]["gateway"] == "HighlyAvailable"
    pools = {d["metadata"]["name"]: d["spec"] for d in documents(made, "karpenter.yaml") if d["kind"] == "NodePool"}
    # Five nodes of four cores.
    assert pools["cascade-api"]["limits"] == {"cpu": "20"}
    assert pools["cascade-websocket"]["disruption"]["consolidationPolicy"] == "WhenEmpty"


def test_the_two_ways_to_buy_nodes_agree() -> None:
    for name in bundled_with("cluster"):
        made = planned(name)
        (cluster,) = documents(made, "eksctl.yaml")
        if not node_groups(made):
            assert "managedNodeGroups" not in cluster
            continue
        pools = [d for d in documents(made, "karpenter.yaml") if d["kind"] == "NodePool"]
        for group, pool in zip(cluster["managedNodeGroups"], pools, strict=True):
            values = {r["key"]: r["values"] for r in pool["spec"]["template"]["spec"]["requirements"]}
            assert values["node.kubernetes.io/instance-type"] == group["instanceTypes"]
            shape = next(g.shape for g in made.groups if g.tier == group["name"].removesuffix("-spot"))
            assert int(pool["spec"]["limits"]["cpu"]) == group["maxSize"] * shape.vcpu


def test_a_share_on_spot_is_a_group_of_its_own() -> None:
    made = make_plan(tiers__api__purchase={"spot": 0.4}, tiers__api__nodes={"min": 4, "base": 5, "max": 10})
    (cluster,) = documents(made, "eksctl.yaml")
    groups = {group["name"]: group for group in cluster["managedNodeGroups"]}
    bounds = [[groups[name][key] for key in ("minSize", "desiredCapacity", "maxSize")] for name in ("api", "api-spot")]
    assert bounds == [[3, 3, 6], [1, 2, 4]]
    assert [groups[name]["spot"] for name in ("api", "api-spot")] == [False, True]


def test_a_group_all_on_spot_has_no_other() -> None:
    (cluster,) = documents(make_plan(tiers__api__purchase="spot"), "eksctl.yaml")
    assert {group["name"] for group in cluster["managedNodeGroups"]} == {"api-spot", "websocket", "monitoring"}


def test_nodes_of_every_tier_scale_by_their_lever() -> None:
    made = planned("api-batch")
    counts = {nodes.group.tier: (nodes.count_min, nodes.count_base, nodes.count_max) for nodes in node_groups(made)}
    for tier in ("api", "worker"):
        lever = made.fleet.tiers[tier].lever("node_count")
        assert counts[tier] == (lever.floor_count, lever.base_count, lever.most_count)
        assert lever.floor_count < lever.most_count
    assert len(set(counts["monitoring"])) == 1


def test_two_services_have_nodes_of_their_own() -> None:
    made = make_plan(tiers__full_text={"kind": "api", "nodes": {"min": 4, "base": 5, "max": 9}})
    (cluster,) = documents(made, "eksctl.yaml")
    groups = {group["name"]: group for group in cluster["managedNodeGroups"]}
    assert set(groups) == {"api", "full-text", "websocket", "monitoring"}
    assert [groups["full-text"][key] for key in ("minSize", "desiredCapacity", "maxSize")] == [4, 5, 9]
    assert groups["full-text"]["labels"] == {LABEL: "full_text"}
    names = [d["metadata"]["name"] for d in documents(made, "karpenter.yaml") if d["kind"] == "NodePool"]
    assert "test-full-text" in names


def test_a_tier_called_as_anothers_share_on_spot_is_refused() -> None:
    made = make_plan(tiers__api__purchase={"spot": 0.5}, tiers__api_spot={"kind": "api"})
    with pytest.raises(UsageError, match="the nodes of two tiers would both be called 'api-spot'"):
        eks.render(made)


@pytest.mark.parametrize(
    ("network", "gateway", "is_private"),
    [
        ({"nat_gateway_per_zone": True}, "HighlyAvailable", True),
        ({"nat_gateway_per_zone": False}, "Single", True),
        ({"nat": False}, "Disable", False),
        ("off", "Disable", False),
    ],
)
def test_gateways_are_those_that_are_paid(network: Any, gateway: str, is_private: bool) -> None:
    (cluster,) = documents(make_plan(tiers__network=network), "eksctl.yaml")
    assert cluster["vpc"]["nat"]["gateway"] == gateway
    assert {group["privateNetworking"] for group in cluster["managedNodeGroups"]} == {is_private}


@needs_schemas
def test_a_cluster_without_nodes_is_one_file_that_eksctl_accepts() -> None:
    off = {f"tiers__{name}": "off" for name in ("api", "websocket", "monitoring")}
    made = make_plan(gates={}, loads={}, **off)
    (only,) = eks.render(made)
    assert only.path == "eksctl.yaml"
    jsonschema.Draft7Validator(document("eksctl_schema.json")).validate(yaml.safe_load(only.text))


DELEGATING = {"tiers.cluster.prefix_delegation": True}


def test_prefixes_are_handed_out_and_nodes_told_how_many_pods_they_run() -> None:
    """110 below 30 vCPU, whatever the addresses; without them EKS counts addresses itself."""
    (cluster,) = documents(make_plan(**DELEGATING), "eksctl.yaml")
    (cni,) = [addon for addon in cluster["addons"] if addon["name"] == "vpc-cni"]
    assert json.loads(cni["configurationValues"]) == {"env": {"ENABLE_PREFIX_DELEGATION": "true"}}
    assert {group["maxPodsPerNode"] for group in cluster["managedNodeGroups"]} == {58}
    (plain,) = documents(make_plan(), "eksctl.yaml")
    assert {"name": "vpc-cni"} in plain["addons"]
    assert not any("maxPodsPerNode" in group for group in plain["managedNodeGroups"])


@needs_schemas
def test_what_delegates_prefixes_is_accepted() -> None:
    given = read("cascade", [("--set", "tiers.cluster.prefix_delegation", "true")])
    made = plan(given.scenario, given.book, given.origins, predicted=False)
    (cluster,) = documents(made, "eksctl.yaml")
    jsonschema.Draft7Validator(document("eksctl_schema.json")).validate(cluster)
    assert {group["maxPodsPerNode"] for group in cluster["managedNodeGroups"]} == {110}
    (node_class,) = [each for each in documents(made, "karpenter.yaml") if each["kind"] == "EC2NodeClass"]
    jsonschema.Draft202012Validator(custom_resource("EC2NodeClass")).validate(node_class)
    assert node_class["spec"]["kubelet"] == {"maxPods": 110}


def test_a_nodes_volume_is_what_gp3_includes() -> None:
    """3,000 operations and 125 MiB a second at any size, https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html"""
    made = planned("cascade")
    (cluster,) = documents(made, "eksctl.yaml")
    for group in cluster["managedNodeGroups"]:
        assert (group["volumeType"], group["volumeIOPS"], group["volumeThroughput"]) == ("gp3", 3000, 125)
    node_class = next(each for each in documents(made, "karpenter.yaml") if each["kind"] == "EC2NodeClass")
    (mapping,) = node_class["spec"]["blockDeviceMappings"]
    assert (mapping["ebs"]["iops"], mapping["ebs"]["throughput"]) == (3000, 125)
