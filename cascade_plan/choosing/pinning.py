"""A sized fleet, written into its scenario: counts and shapes as they are, whatever else becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from cascade_plan.model.fleet import Fleet, Sized
from cascade_plan.model.part import Need
from cascade_plan.model.scenario import Scenario, with_values
from cascade_plan.model.tier import Settings


def pinned(scenario: Scenario, fleet: Fleet) -> Scenario:
    """Return the scenario whose tiers say the counts and shapes that they have in a fleet.

    What a count follows from, such as nodes from users, then changes it no more. Where the method slo found a count it
    is given to the tier as such, and is not written here: a count that is pinned by hand is judged in other words.
    """
    values = {
        f"tiers.{name}.{leaf}": value
        for name, sized in fleet.tiers.items()
        if name in scenario.tiers
        for leaf, value in _counts(scenario.tiers[name], sized)
    }
    return with_values(scenario, values)


def _counts(settings: Settings, sized: Sized) -> Iterator[tuple[str, Any]]:
    """Yield (field, value) of what an instance's settings can say of its count and shape."""
    fields = type(settings).model_fields
    if isinstance(getattr(settings, "shape", None), Need) and sized.groups:
        yield "shape", sized.groups[0].shape.name
    counts = {lever.name.partition(".")[2]: lever for lever in sized.levers}
    if (nodes := counts.get("node_count")) is not None and nodes.set_by != "pinned" and "nodes" in fields:
        bounds = bounds_of(type(settings), "nodes")
        if bounds is None:
            yield "nodes", nodes.base_count
        elif nodes.set_by == "rules":
            yield "nodes", bounds(min=nodes.floor_count, base=nodes.base_count, max=nodes.most_count)
        if (masters := counts.get("master_count")) is not None and "replicas_per_master" in fields:
            yield "replicas_per_master", nodes.base_count // masters.base_count - 1
    for leaf, own in (("replica_count", "replicas"), ("connection_count", "connections")):
        lever = counts.get(leaf)
        if lever is not None and not lever.is_scaled and lever.set_by != "method" and own in fields:
            yield own, lever.base_count


def bounds_of(settings: type[Settings], field: str) -> type[BaseModel] | None:
    """Return what a kind of tier says a count by, where that is not one number."""
    given = get_args(settings.model_fields[field].annotation)
    return next((each for each in given if isinstance(each, type) and issubclass(each, BaseModel)), None)
