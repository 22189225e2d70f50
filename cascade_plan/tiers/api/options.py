"""The ways to have a service: its nodes' shapes, with counts at the least load and at the peak."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, inf

from cascade_plan.errors import InfeasibleError
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.fleet import COUNT_MOST
from cascade_plan.model.offer import Offer
from cascade_plan.model.option import Option, shapes
from cascade_plan.tiers.api import sharing
from cascade_plan.tiers.api.settings import NodeBounds, ReplicaBounds, Settings


def options(ask: Ask[Settings]) -> Iterator[Option]:
    """Yield each shape that its nodes may have; one way where pods have no nodes, none where they are another's."""
    settings = ask.settings
    if settings.nodes_of is not None:
        return
    if settings.serverless:
        yield Option("pods", _pods(settings), is_scaled=True, count_max=COUNT_MOST)
        return
    for shape in shapes(ask, "vm"):
        yield _of(ask, shape)


def _of(ask: Ask[Settings], shape: Shape) -> Option:
    settings, offer = ask.settings.model_copy(update={"shape": shape.name}), Offer("vm", shape.name)
    if settings.nodes is not None and ask.scenario.optimize.keeps(f"tiers.{ask.name}.nodes"):
        return Option(shape.name, lambda low, base: settings, offer, unfit=_unfit(ask, shape))
    unfit, asked = _unfit(ask, shape), ask.scenario.availability.asked
    demand_ms = sum(sharing.demand(ask.scenario, name) for name in sharing.residents(ask.scenario, ask.name))
    cores = ask.allocatable(shape).cpu_m / 1000
    return Option(
        shape.name,
        _nodes(settings),
        each=offer,
        count_max=COUNT_MOST,
        is_scaled=True,
        requests_per_s=cores * 1000 / demand_ms if demand_ms else inf,
        count_min=1 if unfit else _least(ask, shape),
        base_count_min=asked.zones if asked.lost_zone_count else 1,
        unfit=unfit,
    )


def _unfit(ask: Ask[Settings], shape: Shape) -> str:
    """Return why a node of a shape holds not one pod of each service, or ""."""
    node = ask.allocatable(shape)
    pods = {name: each.pod for name, each in sharing.residents(ask.scenario, ask.name).items()}
    if not node.cpu_m or not node.memory_mib:
        return "nothing is left for pods"
    try:
        counts = sharing.apportioned(node, pods, dict.fromkeys(pods, 0.0))
    except InfeasibleError as error:
        return str(error)
    room = sharing.room(ask, shape, counts)
    return next((each.message for each in sharing.findings(ask, shape, room, COUNT_MOST) if each.is_broken), "")


def _least(ask: Ask[Settings], shape: Shape) -> int:
    """Return the fewest nodes that hold what stands on them besides, with the losses that are planned for."""
    pods = {name: each.pod for name, each in sharing.residents(ask.scenario, ask.name).items()}
    counts = sharing.apportioned(ask.allocatable(shape), pods, dict.fromkeys(pods, 0.0))
    return max(1, sharing.node_count_least(ask, sharing.room(ask, shape, counts)))


def _nodes(settings: Settings) -> Callable[[int, int], Settings]:
    def pinned(low: int, base: int) -> Settings:
        most = max(base, ceil(base * settings.headroom_ratio - 1e-9))
        return settings.model_copy(update={"nodes": NodeBounds(min=low, base=max(low, base), max=max(low, most))})

    return pinned


def _pods(settings: Settings) -> Callable[[int, int], Settings]:
    def pinned(low: int, base: int) -> Settings:
        most = max(base, ceil(base * settings.headroom_ratio - 1e-9))
        bounds = ReplicaBounds(min=low, base=max(low, base), max=max(low, most))
        return settings.model_copy(update={"replicas": bounds})

    return pinned
