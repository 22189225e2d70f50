"""The Kubernetes nodes of a plan: which groups there are, and between which counts they run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Final

from cascade_plan.model.commitments import exact_share
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.plan import Plan

LABEL: Final = "cascade-plan/tier"
"""The label by which pods choose a tier's nodes."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes of one shape, all on demand (or reserved, which AWS settles on the bill) or all on spot."""

    group: NodeGroup
    spot: bool
    count_min: int
    count_base: int
    count_max: int

    @property
    def name(self) -> str:
        """What the group is called: its tier, and whether it is the spot share of it."""
        return f"{self.group.tier}-spot" if self.spot else self.group.tier


def node_groups(plan: Plan) -> Iterator[Nodes]:
    """Yield every group of EC2 nodes with its least, usual and largest count; a share on spot is a group of its own.

    A share of spot is counted down to whole nodes, so that what must not be taken away is never less than planned.
    """
    for group in plan.groups:
        if group.shape.service != "ec2":
            continue
        counts = _counts(plan, group)
        share = sum(float(exact_share(part)) for part in group.terms if part.term == "spot")
        spot = tuple(floor(share * count + 1e-9) for count in counts)
        if spot[-1] < counts[-1]:
            yield Nodes(group, False, *(count - taken for count, taken in zip(counts, spot, strict=True)))
        if spot[-1]:
            yield Nodes(group, True, *spot)


def _counts(plan: Plan, group: NodeGroup) -> tuple[int, int, int]:
    if group.tier == "api":
        least, base, most = (int(plan.figure(f"api.node_count.{name}")) for name in ("min", "base", "max"))
        return least, base, most
    count = int(group.count.ceiling)
    return count, count, count
