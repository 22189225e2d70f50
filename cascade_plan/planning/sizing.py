"""Load -> Fleet: every tier sizes itself, in the order its needs allow."""

from __future__ import annotations

from dataclasses import replace

from cascade_plan import registry
from cascade_plan.model.brief import Brief
from cascade_plan.model.fleet import Fleet


def size(brief: Brief) -> Fleet:
    """Return what the load needs, tier by tier: by the rules, or (method slo) by what the loads' latencies need.

    Raises UsageError for an unknown shape and InfeasibleError when no shape meets a need.
    """
    fleet = _tier_by_tier(brief)
    if brief.scenario.method == "rules":
        return fleet
    from cascade_plan.planning.least_fleet import solve

    solution = solve(brief, fleet)
    return replace(_tier_by_tier(replace(brief, solution=solution, sized={})), rejections=solution.rejections)


def _tier_by_tier(brief: Brief) -> Fleet:
    for name in registry.ordered("tiers", "sizing", "AFTER"):
        brief.sized[name] = registry.load("tiers", name, "sizing").size(brief)
    return Fleet(tuple(brief.sized.values()))
