"""The ways to have the nodes of open connections: their shapes, each with as many connections as its memory holds."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from cascade_plan.formulas.losses import least_count
from cascade_plan.model.ask import Ask
from cascade_plan.model.fleet import COUNT_MOST
from cascade_plan.model.offer import Offer
from cascade_plan.model.option import Option, shapes
from cascade_plan.tiers.websocket.limits import held_in, left
from cascade_plan.tiers.websocket.settings import Settings


def options(ask: Ask[Settings]) -> Iterator[Option]:
    """Yield each shape that its nodes may have, with the count open; none where its pods stand on another's."""
    if ask.settings.nodes_of is not None:
        return
    settings, keep = ask.settings, ask.scenario.optimize.keeps
    for shape in shapes(ask, "vm"):
        changed = settings.model_copy(update={"shape": shape.name, "minimum_nodes": None})
        if settings.nodes is not None and keep(f"tiers.{ask.name}.nodes"):
            yield Option(shape.name, lambda low, base, own=changed: own, Offer("vm", shape.name), settings.nodes)  # type: ignore[misc]
            continue
        yield Option(
            shape.name,
            lambda low, base, own=changed: own.model_copy(update={"nodes": base}),  # type: ignore[misc]
            each=Offer("vm", shape.name),
            count_min=_least(ask, ask.allocatable(shape).memory_mib),
            count_max=COUNT_MOST,
        )


def _least(ask: Ask[Settings], memory_mib: int) -> int:
    """Return the fewest nodes whose memory holds every connection after the losses."""
    connections = ceil(ask.traffic.users.peak * ask.settings.connections_per_user)
    room = held_in(ask.settings, memory_mib)
    needed = ceil(connections / room) if room else COUNT_MOST
    return least_count(lambda nodes: left(ask, nodes) >= max(1, needed), COUNT_MOST, max(1, needed))
