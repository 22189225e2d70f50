"""Who connects to a database itself, where no pool stands before it, and by how many connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cascade_plan.formulas import pools, postgres, rollouts
from cascade_plan.model import connections
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import Ceiling
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import Workload
from cascade_plan.tiers.database.settings import Settings

MEMORY: Final = "memory_mib_of_connections"
"""The figure of what they, and what they run beside, take."""


def is_pooled(site: Site[Settings]) -> bool:
    """Return whether a pool stands before a database."""
    found: Any = site.scenario.of("pool").values()
    return any((pool.database or site.scenario.first("database")) == site.name for pool in found)


def figures(ask: Ask[Settings], shape: Shape) -> Iterator[Derivation]:
    """Yield the connections that pods may open to a database without a pool; none where there is one."""
    if is_pooled(ask):
        return
    asking = _clients(ask)
    pods = " + ".join(f"{each.tier}.replica_count.max x connections_per_pod" for each in asking) or "no pods"
    yield ask.figure(
        "client_connection_count_max",
        _opened(asking),
        "connections",
        f"{pods}, and {rollouts.SURGE_PERCENT}% of a rollout, as far as nodes hold them",
        tuple(ask.computed(f"{each.tier}.replica_count.max") for each in asking if each.serves == "requests"),
        "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge",
    )
    yield connections.figure(ask, MEMORY, ask.name, shape, _needed(ask))


def findings(ask: Ask[Settings], shape: Shape) -> Iterator[Finding]:
    """Yield what a database without a pool cannot give the pods that connect to it."""
    if not is_pooled(ask):
        yield from connections.findings(shape, _needed(ask), f"{ask.name}.client_connection_count_max")


def ceilings(ask: Ask[Settings], shape: Shape) -> Iterator[Ceiling]:
    """Yield that its memory holds the connections of the pods, where no pool does."""
    if not is_pooled(ask):
        yield from connections.ceilings(ask, MEMORY, ask.name, shape, _needed(ask))


def _needed(ask: Ask[Settings]) -> int:
    """Return max_connections: those of the pods, of others, and the reserved."""
    return postgres.connection_count_max(_opened(_clients(ask)), ask.settings.other_connections)


def _opened(asking: tuple[Workload, ...]) -> int:
    return sum(
        pools.client_connection_count(each.running_count_max, each.connection_count_per_pod, 1) for each in asking
    )


def _clients(ask: Ask[Settings]) -> tuple[Workload, ...]:
    return tuple(
        workload
        for sized in ask.fleet.values()
        for workload in sized.workloads
        if workload.connection_count_per_pod and _asks(ask, workload)
    )


def _asks(ask: Ask[Settings], workload: Workload) -> bool:
    """Return whether a workload's pods ask the database: by the actions they answer, or by the one that jobs ask."""
    scenario = ask.scenario
    if workload.serves == "jobs":
        named = getattr(scenario.tiers[workload.tier], "database", None)
        return bool((named or scenario.first("database")) == ask.name)
    return any(
        scenario.service(action) == workload.tier
        and scenario.reads(action, ask.name) + scenario.writes(action, ask.name)
        for action in scenario.behaviour.actions.values()
    )
