"""Everything that is watched: what each tier says of itself, and what is of the whole plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from cascade_plan.emitters._watches.burn_rates import burn_rates
from cascade_plan.emitters._watches.cluster import cluster
from cascade_plan.emitters._watches.goals import costs, latencies
from cascade_plan.emitters._watches.requests import requests
from cascade_plan.emitters._watches.targets import targets
from cascade_plan.model.plan import Plan
from cascade_plan.model.watch import Watch
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings

Groups: TypeAlias = Mapping[str, tuple[Watch, ...]]
SUCCESS: Final = "success-metrics"
"""The group of what measures a gate."""


def groups(plan: Plan) -> Groups:
    """Return group -> what is watched in it: rules of a group are evaluated one after the other."""
    is_asked = any(workload.serves == "requests" for workload in plan.fleet.workloads)
    return {
        "requests": (requests(plan),) if is_asked else (),
        "burn-rates": (burn_rates(plan),) if is_asked else (),
        SUCCESS: _success(plan, is_asked),
        "capacity": tuple(watch for watch in plan.watches if not watch.figure),
        "cluster": (cluster(plan),),
        "targets": (targets(plan),),
    }


def unmeasured(plan: Plan, watched: Groups) -> tuple[str, ...]:
    """Return the gated figures of the plan that nothing on the running system measures; `watched` is what is.

    A gate on what the plan has no figure of, such as one on a tier that is off, is unjudged in the plan itself.
    """
    measured = {watch.figure for watch in watched[SUCCESS]}
    figures = (verdict.figure for verdict in plan.verdicts if verdict.value is not None)
    return tuple(dict.fromkeys(figure for figure in figures if figure not in measured))


def _success(plan: Plan, is_asked: bool) -> tuple[Watch, ...]:
    """Return what measures a gate: latencies first, the others by the name of their figure."""
    of_latency = latencies(plan) if is_asked else ()
    # Kubernetes counts the nodes that stand for the cost.
    of_cost = costs(plan) if plan.of(ClusterSettings) else ()
    of_tiers = (watch for watch in plan.watches if watch.figure)
    return (*of_latency, *sorted((*of_cost, *of_tiers), key=lambda watch: watch.figure))
