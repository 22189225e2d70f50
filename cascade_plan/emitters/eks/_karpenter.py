"""karpenter.yaml: the nodes that Karpenter buys when pods wait, and takes away when they are not needed."""

from __future__ import annotations

from typing import Any, Final

from cascade_plan.emitters import _network as network
from cascade_plan.emitters._controllers import cluster_name
from cascade_plan.emitters._nodes import LABEL, Nodes, bought_by_karpenter, node_groups
from cascade_plan.emitters.eks._cluster import settings, taints, volume_rate
from cascade_plan.errors import UsageError
from cascade_plan.model.plan import Plan

ARCHITECTURES: Final = {"arm64": "arm64", "x86_64": "amd64"}
"""A shape's architecture -> the value of the node label kubernetes.io/arch."""
ON_DEMAND_FIRST: Final = 10
"""Any weight above the default of 0 says which pool comes first."""
LONGEST_ROLE: Final = 64
"""Characters of an IAM role's name."""
REPLACED: Final = 1
"""Nodes beyond the plan's ceiling: the one that is started before another is drained for a newer image or its age."""


def documents(plan: Plan) -> list[dict[str, Any]]:
    """Return a class of nodes for each tier, and a pool for each of its groups.

    Raises UsageError where eksctl could not make the role of the nodes.
    """
    bought = bought_by_karpenter(plan)
    of_tiers = {nodes.group.tier: nodes for nodes in bought}
    return [*(_node_class(plan, nodes) for nodes in of_tiers.values()), *(_node_pool(plan, nodes) for nodes in bought)]


def _role(plan: Plan) -> str:
    """Return the role that eksctl makes for Karpenter's nodes, pkg/cfn/builder/karpenter.go of eksctl."""
    role = f"eksctl-KarpenterNodeRole-{cluster_name(plan)}"
    if len(role) > LONGEST_ROLE:
        most = LONGEST_ROLE - len("eksctl-KarpenterNodeRole-")
        raise UsageError(f"application: with emit.nodes: karpenter a name has at most {most} characters")
    return role


def _class_name(plan: Plan, nodes: Nodes) -> str:
    return f"{plan.application}-{nodes.group.tier.replace('_', '-')}"


def _node_class(plan: Plan, nodes: Nodes) -> dict[str, Any]:
    """Return how a tier's nodes start, with a disk of its own size. A newer image is a line changed here, not a day on
    which AWS releases one."""
    group = nodes.group
    disk = {
        "volumeSize": f"{group.root_gib}Gi",
        "volumeType": "gp3",
        **volume_rate(group, "iops", "throughput"),
        "encrypted": True,
        "deleteOnTermination": True,
    }
    return {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": _class_name(plan, nodes)},
        "spec": {
            "amiSelectorTerms": [{"alias": f"al2023@{settings(plan).node_image_release}"}],
            "role": _role(plan),
            "subnetSelectorTerms": _subnets(plan),
            "securityGroupSelectorTerms": [{"tags": {"aws:eks:cluster-name": cluster_name(plan)}}],
            **({"kubelet": {"maxPods": group.pod_count_max}} if group.pod_count_max else {}),
            "metadataOptions": {"httpTokens": "required"},
            "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": disk}],
            "tags": {"application": plan.application},
        },
    }


def _subnets(plan: Plan) -> list[dict[str, Any]]:
    """Return where the nodes stand: in the subnets that are named, or in those that eksctl made and marked."""
    given = plan.scenario.emit.network
    if given is not None:
        return [{"id": each} for each in given.private_subnet_ids]
    kind = network.FOR_BALANCERS["private" if network.is_private(plan) else "public"]
    return [{"tags": {"alpha.eksctl.io/cluster-name": cluster_name(plan), kind: "1"}}]


def _node_pool(plan: Plan, nodes: Nodes) -> dict[str, Any]:
    shape = nodes.group.shape
    requirements = {
        "node.kubernetes.io/instance-type": [shape.name],
        "kubernetes.io/arch": [ARCHITECTURES[shape.architecture]],
        "karpenter.sh/capacity-type": ["spot" if nodes.spot else "on-demand"],
    }
    own_class = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": _class_name(plan, nodes)}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": f"{plan.application}-{nodes.name}"},
        "spec": {
            "template": {
                "metadata": {"labels": {LABEL: nodes.group.tier}},
                "spec": {
                    "nodeClassRef": own_class,
                    "requirements": [
                        {"key": key, "operator": "In", "values": values} for key, values in requirements.items()
                    ],
                    **_age(plan, nodes),
                    **taints(plan, nodes),
                },
            },
            **_weight(plan, nodes),
            "limits": {"cpu": str((nodes.count_max + REPLACED) * shape.vcpu)},
            "disruption": _disruption(plan, nodes),
        },
    }


def _holds_connections(plan: Plan, nodes: Nodes) -> bool:
    return plan.fleet.tiers[nodes.group.tier].streams is not None


def _age(plan: Plan, nodes: Nodes) -> dict[str, str]:
    """Return when a node is drained for its age, whatever it holds: never where that cuts connections.

    Source: https://karpenter.sh/docs/concepts/disruption/, expiration; 720h is its default.
    """
    return {"expireAfter": "Never" if _holds_connections(plan, nodes) else "720h"}


def _weight(plan: Plan, nodes: Nodes) -> dict[str, Any]:
    """Return the weight of nodes on demand that a tier has beside spot ones: pods match both, and fill these first.

    Source: https://karpenter.sh/docs/concepts/nodepools/, weight; no pod matches the pools of two tiers.
    """
    has_spot = any(other.spot for other in node_groups(plan) if other.group.name == nodes.group.name)
    return {"weight": ON_DEMAND_FIRST} if has_spot and not nodes.spot else {}


def _disruption(plan: Plan, nodes: Nodes) -> dict[str, Any]:
    """Return when nodes may be taken away: never while they hold connections, unless they are empty."""
    one_at_a_time = [{"nodes": "1"}]
    if _holds_connections(plan, nodes):
        return {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "10m", "budgets": one_at_a_time}
    return {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "5m", "budgets": one_at_a_time}
