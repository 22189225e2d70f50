"""A fleet that was found, sized again for a scenario that pins other counts: nothing is searched."""

from __future__ import annotations

from typing import cast

from cascade_plan import registry
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.solution import Solution
from cascade_plan.planning.sizing import Brief, size
from cascade_plan.planning.traffic import traffic_of


def solution_of(scenario: Scenario, fleet: Fleet) -> Solution | None:
    """Return the counts of a fleet as the method slo would have found them; None of a scenario that goes by rules."""
    if scenario.method == "rules":
        return None
    counts: dict[str, int] = {}
    for lever in fleet.levers:
        counts |= {lever.name: lever.base_count, f"{lever.name}.base": lever.base_count}
        counts[f"{lever.name}.min"] = lever.floor_count
    return Solution(counts, ())


def resized(scenario: Scenario, book: Book, fleet: Fleet) -> Fleet:
    """Return a fleet for a scenario, whose counts are those that it pins, and else those of the fleet given.

    Raises UsageError for an unknown shape and InfeasibleError when no shape meets a need.
    """
    cloud = cast(Cloud, registry.load("clouds", scenario.cloud, "cloud"))
    return size(Brief(scenario, traffic_of(scenario), cloud, book, {}, book.day), solution_of(scenario, fleet))
