"""EKS: a cluster with managed node groups for eksctl, or, in their place, node pools for Karpenter."""

from __future__ import annotations

from typing import Any, Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._nodes import (
    LABEL,
    NAME_LABEL,
    SYSTEM,
    TAINT_EFFECT,
    Nodes,
    is_tainted,
    node_groups,
    without_nodes,
)
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact, Step
from cascade_plan.model.fleet import NodeGroup, Workload
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.cluster.settings import Settings as Cluster
from cascade_plan.tiers.network.settings import Settings as NetworkSettings

COMMAND = "cluster"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ()
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("cluster",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ("aws",)
"""The only clouds it writes for; empty for any."""

ARCHITECTURES: Final = {"arm64": "arm64", "x86_64": "amd64"}
"""A shape's architecture -> the value of the node label kubernetes.io/arch."""
ON_DEMAND_FIRST: Final = 10
"""Any weight above the default of 0 says which pool comes first."""
CNI: Final = "vpc-cni"
ADDONS: Final = (CNI, "coredns", "kube-proxy", "aws-ebs-csi-driver", "eks-pod-identity-agent", "metrics-server")
OF_NODES: Final = ("aws-ebs-csi-driver", "eks-pod-identity-agent")
"""What runs on every node; without any there is nothing for it to do."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return eksctl.yaml and, where there are nodes, karpenter.yaml."""
    groups = node_groups(plan)
    sized = [
        f"{nodes.group.name}: {nodes.count_min} to {nodes.count_max} of {nodes.group.shape.name}" for nodes in groups
    ]
    names = tuple(dict.fromkeys(nodes.group.name for nodes in groups))
    pods = without_nodes(plan)
    sized += [f"{run.name}: {run.replica_count_min} to {run.replica_count_max} pods on Fargate" for run in pods]
    files = [
        Artefact(
            "eksctl.yaml",
            heading(plan, [*sized, *(["node groups here, or karpenter.yaml in their place"] if groups else [])])
            + dump([_cluster(plan, groups)]),
            f"The EKS cluster{_with(groups, pods)}.",
            steps=(Step("cluster", "Make the cluster", "eksctl create cluster -f cluster/eksctl.yaml"),),
            deploys=(*names, *(run.group for run in pods), *_made_with_it(plan)),
        )
    ]
    if groups:
        used = {workload.group for workload in plan.fleet.workloads}
        run_on = " and ".join(nodes.name for nodes in groups if nodes.group.name in used)
        where = f"in place of eksctl.yaml's {run_on and f'{run_on} '}node groups; Karpenter must run"
        files.append(
            Artefact(
                "karpenter.yaml",
                heading(plan, [*sized, where])
                + dump([_node_class(plan, groups), *(_node_pool(plan, nodes) for nodes in groups)]),
                "Karpenter's node pools, where Karpenter buys the nodes: `kubectl apply -f karpenter.yaml`.",
                deploys=names,
            )
        )
    return tuple(files)


def _with(groups: tuple[Nodes, ...], pods: tuple[Workload, ...]) -> str:
    parts = [*(["its node groups"] if groups else []), *(["the Fargate profiles of its pods"] if pods else [])]
    return f" and {' and '.join(parts)}" if len(parts) == 1 else f", {' and '.join(parts)}" if parts else ""


def _made_with_it(plan: Plan) -> tuple[str, ...]:
    """Return the metered use that the cluster brings: its control plane and own pods, and its NAT gateways."""
    gateways = ("nat_gateway", "nat_traffic") if _gateway_count(plan) else ()
    made = ("kubernetes", "pod_cpu", "pod_memory", *gateways)
    return tuple(usage.name for usage in plan.fleet.usages if usage.offer.what in made)


def _settings(plan: Plan) -> Cluster:
    (cluster,) = plan.of(Cluster)
    return cluster.settings


def _gateway_count(plan: Plan) -> int:
    return sum(network.count("nat_gateway_count") for network in plan.fleet.of("network"))


def _has_instances(plan: Plan) -> bool:
    """Return whether nodes reach the internet by machines of ours, which eksctl does not make."""
    return any(network.settings.nat == "instance" for network in plan.of(NetworkSettings))


def _cluster(plan: Plan, groups: tuple[Nodes, ...]) -> dict[str, Any]:
    gateways, zones = _gateway_count(plan), plan.scenario.availability.asked.zones
    return {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {
            "name": aws_name(plan.application, "cluster"),
            "region": plan.scenario.region,
            "version": _settings(plan).version,
            "tags": {"application": plan.application},
        },
        "iam": {"withOIDC": True},
        "vpc": {"nat": {"gateway": "Disable" if not gateways else "Single" if gateways < zones else "HighlyAvailable"}},
        "addons": [
            _addon(name, _settings(plan).prefix_delegation) for name in ADDONS if groups or name not in OF_NODES
        ],
        **_runs(plan, groups, is_private=gateways > 0 or _has_instances(plan)),
    }


def _addon(name: str, is_delegating: bool) -> dict[str, str]:
    """Return an add-on; the VPC CNI hands out prefixes where a scenario says so."""
    if name == CNI and is_delegating:
        return {"name": name, "configurationValues": '{"env": {"ENABLE_PREFIX_DELEGATION": "true"}}'}
    return {"name": name}


def _runs(plan: Plan, groups: tuple[Nodes, ...], is_private: bool) -> dict[str, Any]:
    """Return what pods run on: node groups, and Fargate profiles of those that have no nodes.

    With no node at all the cluster's own pods, such as CoreDNS, have a profile too.
    """
    found: dict[str, Any] = {}
    if groups or not without_nodes(plan):
        found["managedNodeGroups"] = [_node_group(plan, nodes, is_private) for nodes in groups]
    profiles = [_profile(plan, workload) for workload in without_nodes(plan)]
    if profiles and not groups:
        profiles.append({"name": SYSTEM, "selectors": [{"namespace": SYSTEM}]})
    return {**found, **({"fargateProfiles": profiles} if profiles else {})}


def _profile(plan: Plan, workload: Workload) -> dict[str, Any]:
    selector = {"namespace": plan.application, "labels": {NAME_LABEL: workload.name}}
    return {"name": workload.tier.replace("_", "-"), "selectors": [selector]}


def _node_group(plan: Plan, nodes: Nodes, is_private: bool) -> dict[str, Any]:
    """Return a group's nodes; without NAT gateways they reach the internet by addresses of their own."""
    shape = nodes.group.shape
    return {
        "name": nodes.name,
        "amiFamily": "AmazonLinux2023",
        "instanceTypes": [shape.name],
        "spot": nodes.spot,
        "minSize": nodes.count_min,
        "desiredCapacity": nodes.count_base,
        "maxSize": nodes.count_max,
        "privateNetworking": is_private,
        "volumeSize": nodes.group.disk_gib,
        "volumeType": "gp3",
        **_rate(nodes.group, "volumeIOPS", "volumeThroughput"),
        "volumeEncrypted": True,
        **({"maxPodsPerNode": nodes.group.pod_count_max} if nodes.group.pod_count_max else {}),
        "labels": {LABEL: nodes.group.tier},
        **_taints(plan, nodes),
        "updateConfig": {"maxUnavailable": 1},
    }


def _taints(plan: Plan, nodes: Nodes) -> dict[str, Any]:
    """Return the field that keeps other tiers' pods off nodes; none where they are open to pods that choose none."""
    if not is_tainted(plan, nodes.group):
        return {}
    return {"taints": [{"key": LABEL, "value": nodes.group.tier, "effect": TAINT_EFFECT}]}


def _node_class(plan: Plan, groups: tuple[Nodes, ...]) -> dict[str, Any]:
    cluster = aws_name(plan.application, "cluster")
    discovery = [{"tags": {"karpenter.sh/discovery": cluster}}]
    disk = {
        "volumeSize": f"{max(nodes.group.disk_gib for nodes in groups)}Gi",
        "volumeType": "gp3",
        **_rate(groups[0].group, "iops", "throughput"),
        "encrypted": True,
        "deleteOnTermination": True,
    }
    return {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": _class_name(plan)},
        "spec": {
            "amiSelectorTerms": [{"alias": "al2023@latest"}],
            "role": f"KarpenterNodeRole-{cluster}"[:64],
            "subnetSelectorTerms": discovery,
            "securityGroupSelectorTerms": discovery,
            **_kubelet(groups),
            "metadataOptions": {"httpTokens": "required"},
            "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": disk}],
            "tags": {"application": plan.application},
        },
    }


def _rate(group: NodeGroup, operations: str, throughput: str) -> dict[str, int]:
    """Return the fields of what a volume does: that much is planned, and is included."""
    rate = group.disk_rate
    return {} if rate is None else {operations: int(rate.operations_per_s), throughput: int(rate.bytes_per_s / 2**20)}


def _kubelet(groups: tuple[Nodes, ...]) -> dict[str, Any]:
    """Return the most pods of every node, where Kubernetes is to be told: one class of nodes serves all groups."""
    pods = min(nodes.group.pod_count_max for nodes in groups)
    return {"kubelet": {"maxPods": pods}} if pods else {}


def _node_pool(plan: Plan, nodes: Nodes) -> dict[str, Any]:
    shape, tier = nodes.group.shape, nodes.group.tier
    capacity = ["spot"] if nodes.spot else ["on-demand"]
    requirements = {
        "node.kubernetes.io/instance-type": [shape.name],
        "kubernetes.io/arch": [ARCHITECTURES[shape.architecture]],
        "karpenter.sh/capacity-type": capacity,
    }
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": f"{plan.application}-{nodes.name}"},
        "spec": {
            "template": {
                "metadata": {"labels": {LABEL: tier}},
                "spec": {
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": _class_name(plan)},
                    "requirements": [
                        {"key": key, "operator": "In", "values": values} for key, values in requirements.items()
                    ],
                    "expireAfter": "720h",
                    **_taints(plan, nodes),
                },
            },
            **_weight(plan, nodes),
            # The plan's ceiling: Karpenter buys no node beyond it.
            "limits": {"cpu": str(nodes.count_max * shape.vcpu)},
            "disruption": _disruption(plan, tier),
        },
    }


def _weight(plan: Plan, nodes: Nodes) -> dict[str, Any]:
    """Return the weight of nodes on demand that a tier has beside spot ones: pods match both, and fill these first.

    Source: https://karpenter.sh/docs/concepts/nodepools/, weight; no pod matches the pools of two tiers.
    """
    has_spot = any(other.spot for other in node_groups(plan) if other.group.name == nodes.group.name)
    return {"weight": ON_DEMAND_FIRST} if has_spot and not nodes.spot else {}


def _disruption(plan: Plan, tier: str) -> dict[str, Any]:
    """Return when nodes may be taken away: never while they hold connections, unless they are empty."""
    if plan.fleet.tiers[tier].streams is not None:
        return {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "10m", "budgets": [{"nodes": "1"}]}
    return {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "5m", "budgets": [{"nodes": "1"}]}


def _class_name(plan: Plan) -> str:
    return f"{plan.application}-nodes"
