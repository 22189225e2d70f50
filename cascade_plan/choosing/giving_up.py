"""What a change that saves gives up: room, speed that is its own, a term, or what a setting stood for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cascade_plan import registry
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.plan import Plan
from cascade_plan.model.terms import commitment_of
from cascade_plan.model.tier import Housed, Settings
from cascade_plan.planning.sizing import TIERS

BOUND = {
    "reserved": "another shape or region",
    "compute_sp": "spending less an hour on compute",
    "ec2_instance_sp": "another instance family or region",
    "database_sp": "spending less an hour on databases",
}
"""Kind of commitment -> what it gives up for its term."""
SPOT = "certainty: nodes are taken back at two minutes' notice, and the price moves"


def of_group(before: NodeGroup | None, after: NodeGroup | None) -> Iterator[str]:
    """Yield what a group of instances gives up that is another one, or gone."""
    if before is None or after is None:
        return
    old, new = before.shape, after.shape
    if new.vcpu < old.vcpu or new.memory_gib < old.memory_gib:
        yield (
            f"room: {new.vcpu:g} vCPU and {new.memory_gib:g} GiB each instead of {old.vcpu:g} and {old.memory_gib:g}"
        )
    elif after.count.floor < before.count.floor:
        yield "instances to spare"
    if new.burstable and not old.burstable:
        share = f" ({new.cpu_baseline_ratio:.0%} of it)" if new.cpu_baseline_ratio is not None else ""
        yield f"CPU at any time: beyond what it earns credits for{share} it is billed besides, or slowed"
    if old.what == "vm" and new.architecture != old.architecture:
        yield f"images for {old.architecture}: they must be built for {new.architecture}"
    yield from _terms(before, after)


def _terms(before: NodeGroup, after: NodeGroup) -> Iterator[str]:
    were = {part.term for part in before.terms}
    for term in dict.fromkeys(part.term for part in after.terms):
        if term not in were:
            found = commitment_of(term)
            years = "" if found is None else "one year" if found.years == 1 else f"{found.years} years"
            yield SPOT if found is None else f"{BOUND[found.kind]} for {years}"


def of_tier(plans: tuple[Plan, Plan], name: str) -> Iterator[str]:
    """Yield what the settings of a tier stood for that are others now, as its kind says it."""
    before, after = (plan.scenario.tiers.get(name) for plan in plans)
    if before is None or after is None or before.KIND != after.KIND:
        return
    if isinstance(before, Housed) and isinstance(after, Housed) and before.has_nodes and after.nodes_of is not None:
        yield f"nodes of its own: what takes a node of {after.nodes_of} takes its pods too"
    yield from _of_settings(before, after)


def _of_settings(before: Settings, after: Settings) -> Iterator[str]:
    if not registry.has(TIERS, after.KIND, "options"):
        return
    known: Mapping[tuple[str, Any], str] = getattr(registry.load(TIERS, after.KIND, "options"), "GIVES_UP", {})
    for (field, value), words in known.items():
        if getattr(after, field) == value and getattr(before, field) != value:
            yield words
