"""The Kubernetes nodes of a plan: which groups there are, and between which counts they run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.plan import Plan

LABEL = "cascade-plan/tier"
"""The label by which pods choose a tier's nodes."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """A group of nodes of one shape."""

    group: NodeGroup
    count_min: int
    count_base: int
    count_max: int

    @property
    def spot(self) -> bool:
        """Whether the nodes may be spot ones."""
        return self.group.term == "spot"


def node_groups(plan: Plan) -> Iterator[Nodes]:
    """Yield every group of EC2 nodes with its least, usual and largest count."""
    for group in plan.groups:
        if group.shape.service != "ec2":
            continue
        if group.tier == "api":
            bounds = tuple(int(plan.figure(f"api.node_count.{name}")) for name in ("min", "base", "max"))
            yield Nodes(group, *bounds)
        else:
            count = int(group.count.ceiling)
            yield Nodes(group, count, count, count)
