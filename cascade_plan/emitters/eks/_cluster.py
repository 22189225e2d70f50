"""eksctl.yaml: the cluster, what its nodes are, and what its controllers may do."""

from __future__ import annotations

import json
from typing import Any, Final

from cascade_plan.emitters import _network as network
from cascade_plan.emitters._controllers import Controller, cluster_name, controllers
from cascade_plan.emitters._nodes import (
    LABEL,
    NAME_LABEL,
    SYSTEM,
    TAINT_EFFECT,
    Nodes,
    bought_by_karpenter,
    is_tainted,
    made_with_the_cluster,
    node_groups,
    without_nodes,
)
from cascade_plan.model.emit import GivenNetwork
from cascade_plan.model.fleet import NodeGroup, Workload
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.cluster.settings import Settings as Cluster

CIDR_PLACE: Final = "PUBLIC_ACCESS_CIDR"
"""What stands in the file for who reaches the API server, until whoever deploys it says so by that variable."""
CNI: Final = "vpc-cni"
ADDONS: Final = (CNI, "coredns", "kube-proxy", "aws-ebs-csi-driver", "eks-pod-identity-agent", "metrics-server")
OF_NODES: Final = ("aws-ebs-csi-driver", "eks-pod-identity-agent")
"""What runs on every node; without any there is nothing for it to do."""
KARPENTER_VERSION: Final = "1.14.1"
"""https://github.com/aws/karpenter-provider-aws/releases/tag/v1.14.1; eksctl installs its chart."""
DISCOVERY: Final = "karpenter.sh/discovery"
"""A tag of the cluster that eksctl asks for where it installs Karpenter."""


def settings(plan: Plan) -> Cluster:
    """Return what the scenario says of the cluster."""
    (cluster,) = plan.of(Cluster)
    return cluster.settings


def cluster(plan: Plan) -> dict[str, Any]:
    """Return eksctl's ClusterConfig. Schema: https://schema.eksctl.io/"""
    asked, name = settings(plan), cluster_name(plan)
    has_karpenter = bool(bought_by_karpenter(plan))
    return {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {
            "name": name,
            "region": plan.scenario.region,
            "version": asked.version,
            "tags": {"application": plan.application, **({DISCOVERY: name} if has_karpenter else {})},
        },
        # Else EKS keeps a version that is out of standard support, at six times the price.
        "upgradePolicy": {"supportType": "STANDARD"},
        "iam": {"withOIDC": True, **_identities(plan)},
        **_place(plan),
        **_logs(asked),
        "addonsConfig": {"autoApplyPodIdentityAssociations": True},
        "addons": [_addon(each, asked) for each in ADDONS if node_groups(plan) or each not in OF_NODES],
        **({"karpenter": _KARPENTER} if has_karpenter else {}),
        **_runs(plan),
    }


_KARPENTER: Final = {"version": KARPENTER_VERSION, "createServiceAccount": True, "withSpotInterruptionQueue": True}


def _place(plan: Plan) -> dict[str, Any]:
    """Return the network: one that is there by its ids, or one to make, in the zones that are planned."""
    reached = {
        "clusterEndpoints": {"publicAccess": True, "privateAccess": True},
        "publicAccessCIDRs": settings(plan).public_access_cidrs or [CIDR_PLACE],
    }
    given = plan.scenario.emit.network
    if given is not None:
        return {"vpc": {**_given(given), **reached}}
    gateways, zones = network.gateway_count(plan), network.zone_names(plan)
    gateway = "Disable" if not gateways else "Single" if gateways < len(zones) else "HighlyAvailable"
    return {
        "availabilityZones": list(zones),
        "vpc": {"cidr": plan.scenario.emit.cidr, "nat": {"gateway": gateway}, **reached},
    }


def _given(given: GivenNetwork) -> dict[str, Any]:
    subnets = {"private": given.private_subnet_ids, "public": given.public_subnet_ids}
    named = {
        kind: {f"{kind}-{number}": {"id": each} for number, each in enumerate(ids, 1)} for kind, ids in subnets.items()
    }
    return {"id": given.vpc_id, "subnets": named}


def _logs(asked: Cluster) -> dict[str, Any]:
    if not asked.log_types:
        return {}
    kept = {"enableTypes": list(asked.log_types), "logRetentionInDays": asked.log_retention_days}
    return {"cloudWatch": {"clusterLogging": kept}}


def _addon(name: str, asked: Cluster) -> dict[str, str]:
    """Return an add-on; that of the network enforces policies, and hands out prefixes where a scenario says so."""
    if name != CNI:
        return {"name": name}
    values: dict[str, Any] = {"enableNetworkPolicy": "true"}
    if asked.prefix_delegation:
        values["env"] = {"ENABLE_PREFIX_DELEGATION": "true"}
    return {"name": name, "configurationValues": json.dumps(values)}


def _identities(plan: Plan) -> dict[str, Any]:
    """Return what controllers may do: by the agent of the nodes, or by tokens where there is no node to run one.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html: not for pods on Fargate.
    """
    allowed = [each for each in controllers(plan) if each.statements]
    if not allowed:
        return {}
    if node_groups(plan):
        return {"podIdentityAssociations": [_association(each) for each in allowed]}
    return {
        "serviceAccounts": [
            {"metadata": {"name": each.account, "namespace": each.namespace}, "attachPolicy": _policy(each)}
            for each in allowed
        ]
    }


def _association(controller: Controller) -> dict[str, Any]:
    return {
        "namespace": controller.namespace,
        "serviceAccountName": controller.account,
        "permissionPolicy": _policy(controller),
    }


def _policy(controller: Controller) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": list(each.actions),
                "Resource": "*",
                **({"Condition": {"StringEquals": dict([each.condition])}} if each.condition else {}),
            }
            for each in controller.statements
        ],
    }


def _runs(plan: Plan) -> dict[str, Any]:
    """Return what pods run on: node groups, and Fargate profiles of those that have no nodes.

    With no node at all the cluster's own pods, such as CoreDNS, have a profile too.
    """
    found: dict[str, Any] = {}
    groups, alone = made_with_the_cluster(plan), without_nodes(plan)
    if groups or not alone:
        found["managedNodeGroups"] = [_node_group(plan, nodes) for nodes in groups]
    profiles = [_profile(plan, workload) for workload in alone]
    if profiles and not groups:
        spaces = dict.fromkeys((SYSTEM, *(each.namespace for each in controllers(plan))))
        profiles.append({"name": SYSTEM, "selectors": [{"namespace": space} for space in spaces]})
    return {**found, **({"fargateProfiles": profiles} if profiles else {})}


def _profile(plan: Plan, workload: Workload) -> dict[str, Any]:
    selector = {"namespace": plan.application, "labels": {NAME_LABEL: workload.name}}
    return {"name": workload.tier.replace("_", "-"), "selectors": [selector]}


def _node_group(plan: Plan, nodes: Nodes) -> dict[str, Any]:
    """Return a group's nodes; their scaling group has labels and taints as tags, from which an autoscaler knows what
    a node will be before there is one."""
    shape = nodes.group.shape
    return {
        "name": nodes.name,
        "amiFamily": "AmazonLinux2023",
        "instanceTypes": [shape.name],
        "spot": nodes.spot,
        "minSize": nodes.count_min,
        "desiredCapacity": nodes.count_base,
        "maxSize": nodes.count_max,
        "privateNetworking": network.is_private(plan),
        "volumeSize": nodes.group.root_gib,
        "volumeType": "gp3",
        **volume_rate(nodes.group, "volumeIOPS", "volumeThroughput"),
        "volumeEncrypted": True,
        "disableIMDSv1": True,
        **({"maxPodsPerNode": nodes.group.pod_count_max} if nodes.group.pod_count_max else {}),
        "labels": {LABEL: nodes.group.tier},
        **taints(plan, nodes),
        "tags": {"application": plan.application},
        "propagateASGTags": True,
        "updateConfig": {"maxUnavailable": 1},
    }


def taints(plan: Plan, nodes: Nodes) -> dict[str, Any]:
    """Return the field that keeps other tiers' pods off nodes; none where they are open to pods that choose none."""
    if not is_tainted(plan, nodes.group):
        return {}
    return {"taints": [{"key": LABEL, "value": nodes.group.tier, "effect": TAINT_EFFECT}]}


def volume_rate(group: NodeGroup, operations: str, throughput: str) -> dict[str, int]:
    """Return the fields of what a volume does: that much is planned, and is included."""
    rate = group.disk_rate
    return {} if rate is None else {operations: int(rate.operations_per_s), throughput: int(rate.bytes_per_s / 2**20)}
