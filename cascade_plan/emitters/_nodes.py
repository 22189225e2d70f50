"""The nodes that pods run on: which groups a plan has, and between which counts they run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import floor
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.model.commitments import exact_share
from cascade_plan.model.fleet import NodeGroup, Workload
from cascade_plan.model.plan import Plan

LABEL: Final = "cascade-plan/tier"
"""The label by which pods choose a tier's nodes."""
NAME_LABEL: Final = "app.kubernetes.io/name"
"""The label that all pods of a workload have, whatever they run on."""
SYSTEM: Final = "kube-system"
"""The namespace of the cluster's own pods."""


TAINT_EFFECT: Final = "NoSchedule"
"""What keeps pods off nodes that were bought for others."""

STAYS: Final = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}
"""The annotations of a pod whose node no autoscaler takes away to save money: to move it cuts its connections, or
leaves a gap in what it watches. An update of the nodes moves it still.
Source: https://github.com/kubernetes/autoscaler, cluster-autoscaler/FAQ.md; https://karpenter.sh/docs/concepts/disruption/"""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes of one shape, all on demand (or reserved, which the cloud settles on the bill) or all on spot."""

    group: NodeGroup
    spot: bool
    count_min: int
    count_base: int
    count_max: int

    @property
    def name(self) -> str:
        """What the group is called: its tier, and whether it is the spot share of it."""
        tier = self.group.tier.replace("_", "-")
        return f"{tier}-spot" if self.spot else tier

    @property
    def label(self) -> str:
        """Its name where no dash may stand in it."""
        return self.name.replace("-", "_")


def node_groups(plan: Plan) -> tuple[Nodes, ...]:
    """Return every group of nodes with its least, usual and largest count; a share on spot is a group of its own.

    A share of spot is counted down to whole nodes, so that what must not be taken away is never less than planned.
    Raises UsageError where a tier is called what another's share on spot is called.
    """
    found = tuple(nodes for group in plan.groups if group.is_nodes for nodes in _split(plan, group))
    names = [nodes.name for nodes in found]
    for nodes in found:
        if names.count(nodes.name) > 1:
            raise UsageError(f"tiers: the nodes of two tiers would both be called {nodes.name!r}: rename one")
    return found


def _split(plan: Plan, group: NodeGroup) -> Iterator[Nodes]:
    counts = counts_of(plan, group)
    share = sum(float(exact_share(part)) for part in group.terms if part.term == "spot")
    spot = tuple(floor(share * count + 1e-9) for count in counts)
    if spot[-1] < counts[-1]:
        yield Nodes(group, False, *(count - taken for count, taken in zip(counts, spot, strict=True)))
    if spot[-1]:
        yield Nodes(group, True, *spot)


def made_with_the_cluster(plan: Plan) -> tuple[Nodes, ...]:
    """Return the groups that are made with the cluster: all of them, or those that Karpenter does not buy.

    Karpenter must run on nodes that are not its own, so the floor of those that are open to any pod is made here. So
    are nodes whose count nothing moves: to buy others in their place would only cut the connections they hold, or
    move the disk they write to.
    """
    if plan.scenario.emit.nodes != "karpenter":
        return node_groups(plan)
    fixed = {nodes.name: nodes for nodes in node_groups(plan) if nodes.count_min == nodes.count_max}
    if (floor := _floor(plan)) is not None:
        fixed[floor.name] = floor
    return tuple(fixed[nodes.name] for nodes in node_groups(plan) if nodes.name in fixed)


def bought_by_karpenter(plan: Plan) -> tuple[Nodes, ...]:
    """Return the nodes that Karpenter buys, none at least: what an autoscaler moves and nobody else makes."""
    if plan.scenario.emit.nodes != "karpenter":
        return ()
    made = {nodes.name: nodes.count_max for nodes in made_with_the_cluster(plan)}
    left = (
        replace(
            nodes, count_min=0, count_base=max(0, nodes.count_base - (has := made.get(nodes.name, 0))),
            count_max=nodes.count_max - has,
        )
        for nodes in node_groups(plan)
    )  # fmt: skip
    return tuple(nodes for nodes in left if nodes.count_max)


def _floor(plan: Plan) -> Nodes | None:
    """Return the fewest nodes that are open to any pod, those on spot only where there are no others."""
    open_nodes = [nodes for nodes in node_groups(plan) if not is_tainted(plan, nodes.group) and nodes.count_min]
    if not open_nodes:
        return None
    least = open_nodes[0]
    return replace(least, count_base=least.count_min, count_max=least.count_min)


def made_with_it(plan: Plan) -> tuple[str, ...]:
    """Return the names of the metered use that a cluster brings: its control plane, and its own pods without nodes."""
    made = ("kubernetes", "pod_cpu", "pod_memory")
    return tuple(usage.name for usage in plan.fleet.usages if usage.offer.what in made)


def is_tainted(plan: Plan, group: NodeGroup) -> bool:
    """Return whether nodes take only the pods that are meant for them, by a taint of the key and value of their label.

    Those of the first service (or worker, or of whatever there is) are open to pods that choose no nodes, such as
    CoreDNS and metrics-server: they must run somewhere, and these nodes are never none.
    """
    is_open = open_group(plan)
    return is_open is None or group.name != is_open.name


def open_group(plan: Plan) -> NodeGroup | None:
    """Return the nodes that take pods that choose none; None where no group has nodes."""
    workloads = plan.fleet.workloads
    bought = [group.name for group in plan.groups if group.is_nodes]
    used = [each.group for serves in ("requests", "jobs") for each in workloads if each.serves == serves]
    name = next((name for name in (*used, *bought) if name in bought), "")
    return next((group for group in plan.groups if group.name == name), None)


def off_spot(plan: Plan, tier: str) -> dict[str, Any]:
    """Return the affinity by which pods keep off a tier's nodes that the cloud may take back, where it has others.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html, capacityType; Karpenter's label.
    """
    kinds = {nodes.spot for nodes in node_groups(plan) if nodes.group.tier == tier}
    if kinds != {True, False}:
        return {}
    taken_back = {"eks.amazonaws.com/capacityType": "SPOT", "karpenter.sh/capacity-type": "spot"}
    others = [{"key": label, "operator": "NotIn", "values": [value]} for label, value in taken_back.items()]
    wanted = {"nodeSelectorTerms": [{"matchExpressions": others}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": wanted}}


def serving_class(plan: Plan) -> str:
    """Return the name of the PriorityClass of pods that go before workers; classes are of the whole cluster."""
    return f"{plan.application}-serving"


def is_shared(plan: Plan, workload: Workload) -> bool:
    """Return whether pods stand on the nodes of another tier than a service's own: they have no node each."""
    return workload.serves != "requests" and plan.fleet.group_of(workload).tier != workload.tier


def without_nodes(plan: Plan) -> tuple[Workload, ...]:
    """Return the workloads whose pods run on no node of ours."""
    return tuple(workload for workload in plan.fleet.workloads if not plan.fleet.group_of(workload).is_nodes)


def counts_of(plan: Plan, group: NodeGroup) -> tuple[int, int, int]:
    """Return a group's least, usual and largest count: those of its lever, or its one count where nothing moves it."""
    for lever in plan.fleet.levers:
        if lever.name == group.lever:
            return lever.floor_count, lever.base_count, lever.most_count
    count = int(group.count.ceiling)
    return count, count, count
