"""Fleets that could be chosen in place of a plan's: the same with fewer or more of what can be counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any, Final

from cascade_plan.choosing.pinning import bounds_of, pinned
from cascade_plan.errors import InfeasibleError
from cascade_plan.model.fleet import Fleet, Lever
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario, with_values
from cascade_plan.planning.resizing import resized

FACTORS: Final = (0.7, 0.85, 1.2, 1.5, 2.0)
"""How many times as many nodes of what an autoscaler moves."""


def alternatives(plan: Plan, book: Book) -> Iterator[tuple[str, Scenario, Fleet]]:
    """Yield (words, scenario, fleet) of a plan's fleet, and of those with other counts; each once."""
    scenario, known = pinned(plan.scenario, plan.fleet), set()
    for words, counts in _counts(plan.fleet):
        changed = with_values(scenario, _values(scenario, plan.fleet, counts))
        try:
            fleet = resized(changed, book, plan.fleet)
        except InfeasibleError:
            continue
        key = tuple((lever.floor_count, lever.base_count) for lever in fleet.levers)
        if key not in known:
            known.add(key)
            yield words, changed, fleet


def _counts(fleet: Fleet) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Yield (words, lever -> how many times as many, or how many more of what stands)."""
    yield "this fleet", {}
    scaled = [lever.name for lever in fleet.levers if lever.is_scaled]
    for factor in FACTORS if scaled else ():
        yield f"{factor:g} x its nodes that scale", dict.fromkeys(scaled, factor)
    for lever in fleet.levers:
        if lever.is_searched and not lever.is_scaled:
            yield f"one more of {lever.name}", {lever.name: 1.0}
            yield (
                f"one more of {lever.name}, 1.5 x its nodes that scale",
                {lever.name: 1.0} | dict.fromkeys(scaled, 1.5),
            )


def _values(scenario: Scenario, fleet: Fleet, counts: Mapping[str, float]) -> dict[str, Any]:
    """Return the pins that make these counts, by dotted path."""
    found: dict[str, Any] = {}
    for lever in fleet.levers:
        if lever.name in counts:
            tier, _, leaf = lever.name.partition(".")
            own = {"node_count": "nodes", "replica_count": "replicas"}[leaf]
            found[f"tiers.{tier}.{own}"] = _pin(scenario, tier, own, lever, counts[lever.name])
    return found


def _pin(scenario: Scenario, tier: str, own: str, lever: Lever, change: float) -> Any:
    if not lever.is_scaled:
        return lever.base_count + round(change)
    bounds = bounds_of(type(scenario.tiers[tier]), own)
    low, base, high = (
        max(1, ceil(count * change)) for count in (lever.floor_count, lever.base_count, lever.most_count)
    )
    return (
        base
        if bounds is None
        else bounds(**({"min": low, "max": high} | ({"base": base} if "base" in bounds.model_fields else {})))
    )
