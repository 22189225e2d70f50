"""eksctl's and Karpenter's files: valid against their published schemas, and the plan's counts and shapes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from custom_resources import custom_resource, document, needs_schemas
from factories import bundled_with, make_plan
from servers import program

from cascade_plan.emitters._nodes import LABEL, node_groups
from cascade_plan.emitters.eks import artefacts as eks
from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def planned(name: str, nodes: str = "eksctl") -> Plan:
    given = read(name, [("--set", "emit.nodes", nodes)])
    return plan(given.scenario, given.book, given.origins, predicted=False)


def documents(made: Plan, path: str) -> list[dict[str, Any]]:
    (artefact,) = [artefact for artefact in eks.render(made) if artefact.path == path]
    return list(yaml.safe_load_all(artefact.text))


WAYS = [(name, nodes) for name in bundled_with("cluster") for nodes in ("eksctl", "karpenter")]
"""What is made of every scenario."""


@needs_schemas
@pytest.mark.parametrize(("name", "nodes"), WAYS)
def test_eksctl_and_karpenter_accept_the_files(name: str, nodes: str) -> None:
    made = planned(name, nodes)
    (cluster,) = documents(made, "eksctl.yaml")
    jsonschema.Draft7Validator(document("eksctl_schema.json")).validate(cluster)
    has_pools = nodes == "karpenter" and any(each.count_min < each.count_max for each in node_groups(made))
    assert has_pools == ("karpenter" in cluster) == ("karpenter.yaml" in {file.path for file in eks.render(made)})
    for each in documents(made, "karpenter.yaml") if has_pools else []:
        jsonschema.Draft202012Validator(custom_resource(each["kind"])).validate(each)


@needs_schemas
def test_eksctl_refuses_a_field_it_does_not_have() -> None:
    schema = document("eksctl_schema.json")
    (cluster,) = documents(planned("cascade"), "eksctl.yaml")
    cluster["managedNodeGroups"][0]["minimumSize"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(cluster)


@needs_schemas
@pytest.mark.parametrize("kind", ["NodePool", "EC2NodeClass"])
def test_karpenter_refuses_a_field_it_does_not_have(kind: str) -> None:
    made = next(d for d in documents(planned("cascade", "karpenter"), "karpenter.yaml") if d["kind"] == kind)
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


def test_karpenter_buys_what_scales_and_nobody_makes_it_twice() -> None:
    made = planned("api-batch", "karpenter")
    (cluster,) = documents(made, "eksctl.yaml")
    files = documents(made, "karpenter.yaml")
    pools = {each["metadata"]["name"]: each["spec"] for each in files if each["kind"] == "NodePool"}
    wanted = {nodes.name: nodes for nodes in node_groups(made)}
    cores = {nodes.name: nodes.group.shape.vcpu for nodes in wanted.values()}
    fixed = {group["name"]: group["maxSize"] for group in cluster["managedNodeGroups"]}
    # The floor of what is open to any pod, on which Karpenter itself runs, and what nothing scales.
    assert set(fixed) == {"api", "monitoring"}
    assert fixed["api"] == wanted["api"].count_min
    assert set(pools) == {f"api-batch-{name}" for name in wanted if name != "monitoring"}
    for name in wanted.keys() - {"monitoring"}:
        # One more than planned, for a node that replaces another.
        bought = int(pools[f"api-batch-{name}"]["limits"]["cpu"]) // cores[name] - 1
        assert bought + fixed.get(name, 0) == wanted[name].count_max
    classes = {each["metadata"]["name"]: each["spec"] for each in files if each["kind"] == "EC2NodeClass"}
    assert set(classes) == {"api-batch-api", "api-batch-worker"}
    for each in classes.values():
        assert each["amiSelectorTerms"] == [{"alias": "al2023@v20260903"}]
        assert each["role"] == "eksctl-KarpenterNodeRole-api-batch"
        assert each["tags"] == {"application": "api-batch"}


def test_nodes_that_hold_connections_are_never_replaced_for_their_age() -> None:
    """Nothing scales them, so that whoever makes the cluster makes them."""
    made = planned("chat-40k", "karpenter")
    (cluster,) = documents(made, "eksctl.yaml")
    assert "websocket" in {group["name"] for group in cluster["managedNodeGroups"]}
    assert not [each for each in documents(made, "karpenter.yaml") if "websocket" in each["metadata"]["name"]]


def test_a_name_that_is_too_long_for_karpenters_role_is_refused() -> None:
    made = make_plan(application="a" * 40, emit={"nodes": "karpenter"})
    with pytest.raises(UsageError, match="at most 39 characters"):
        eks.render(made)


def test_the_cluster_stands_in_the_planned_zones_and_is_kept_in_standard_support() -> None:
    made = planned("cascade")
    (cluster,) = documents(made, "eksctl.yaml")
    assert cluster["availabilityZones"] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert cluster["upgradePolicy"] == {"supportType": "STANDARD"}
    assert cluster["vpc"]["cidr"] == "10.0.0.0/16"
    assert cluster["cloudWatch"]["clusterLogging"]["logRetentionInDays"] == 30
    for group in cluster["managedNodeGroups"]:
        assert (group["tags"], group["propagateASGTags"]) == ({"application": "cascade"}, True)


NETWORK = {
    "vpc_id": "vpc-0a1b2c3d4e5f60718",
    "private_subnet_ids": ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"],
    "public_subnet_ids": ["subnet-0a1b2c3d4e5f60720"],
}


@needs_schemas
def test_a_network_that_is_there_is_named_by_its_ids() -> None:
    made = make_plan(
        emit={"network": NETWORK, "cidr": "10.1.0.0/16", "nodes": "karpenter"}, tiers__network={"nat": False}
    )
    (cluster,) = documents(made, "eksctl.yaml")
    jsonschema.Draft7Validator(document("eksctl_schema.json")).validate(cluster)
    vpc = cluster["vpc"]
    assert vpc["id"] == NETWORK["vpc_id"]
    subnets = {kind: [each["id"] for each in vpc["subnets"][kind].values()] for kind in ("private", "public")}
    assert subnets == {"private": NETWORK["private_subnet_ids"], "public": NETWORK["public_subnet_ids"]}
    assert not {"cidr", "nat"} & vpc.keys()
    assert "availabilityZones" not in cluster
    assert all(group["privateNetworking"] for group in cluster["managedNodeGroups"])
    node_class = next(each for each in documents(made, "karpenter.yaml") if each["kind"] == "EC2NodeClass")
    assert node_class["spec"]["subnetSelectorTerms"] == [{"id": each} for each in NETWORK["private_subnet_ids"]]


def test_who_reaches_the_cluster_is_said_by_the_scenario_or_by_whoever_deploys_it(tmp_path: Path) -> None:
    """The step's own command, with a program in eksctl's place that keeps what it reads."""
    (plain,) = eks.render(make_plan())
    assert yaml.safe_load(plain.text)["vpc"]["publicAccessCIDRs"] == ["PUBLIC_ACCESS_CIDR"]
    assert [given.name for given in plain.gives] == ["PUBLIC_ACCESS_CIDR"]
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster/eksctl.yaml").write_text(plain.text)
    fake = tmp_path / "eksctl"
    fake.write_text('#!/bin/sh\necho "$@" >&2\ncat\n')
    fake.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PUBLIC_ACCESS_CIDR": "203.0.113.7/32"}
    command = [program("sh"), "-c", plain.steps[0].command]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == "create cluster -f -\n"
    assert yaml.safe_load(done.stdout)["vpc"]["publicAccessCIDRs"] == ["203.0.113.7/32"]
    (said,) = eks.render(make_plan(tiers__cluster={"public_access_cidrs": ["198.51.100.0/24"]}))
    assert yaml.safe_load(said.text)["vpc"]["publicAccessCIDRs"] == ["198.51.100.0/24"]
    assert said.gives == ()
    assert said.steps[0].command == "eksctl create cluster -f cluster/eksctl.yaml"


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


def cni(cluster: dict[str, Any]) -> Any:
    (addon,) = [addon for addon in cluster["addons"] if addon["name"] == "vpc-cni"]
    return json.loads(addon["configurationValues"])


def test_prefixes_are_handed_out_and_nodes_told_how_many_pods_they_run() -> None:
    """110 below 30 vCPU, whatever the addresses; without them EKS counts addresses itself."""
    (cluster,) = documents(make_plan(**DELEGATING), "eksctl.yaml")
    assert cni(cluster) == {"enableNetworkPolicy": "true", "env": {"ENABLE_PREFIX_DELEGATION": "true"}}
    assert {group["maxPodsPerNode"] for group in cluster["managedNodeGroups"]} == {58}
    (plain,) = documents(make_plan(), "eksctl.yaml")
    assert cni(plain) == {"enableNetworkPolicy": "true"}
    assert not any("maxPodsPerNode" in group for group in plain["managedNodeGroups"])


@needs_schemas
def test_what_delegates_prefixes_is_accepted() -> None:
    given = read(
        "cascade", [("--set", "tiers.cluster.prefix_delegation", "true"), ("--set", "emit.nodes", "karpenter")]
    )
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
    bought = documents(planned("cascade", "karpenter"), "karpenter.yaml")
    node_class = next(each for each in bought if each["kind"] == "EC2NodeClass")
    (mapping,) = node_class["spec"]["blockDeviceMappings"]
    assert (mapping["ebs"]["iops"], mapping["ebs"]["throughput"]) == (3000, 125)
