"""The ways to have the nodes of open connections: their shapes, each with as many connections as its memory holds."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Ask
from cascade_plan.model.offer import Offer
from cascade_plan.model.option import COUNT_MOST, Option, shapes
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
            count_max=COUNT_MOST,
        )
