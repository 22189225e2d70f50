"""The ways to have workers: their nodes' shapes; the count follows from how old a job may get."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Ask
from cascade_plan.model.offer import Offer
from cascade_plan.model.option import Option, shapes
from cascade_plan.tiers.worker.settings import Settings


def options(ask: Ask[Settings]) -> Iterator[Option]:
    """Yield each shape that its nodes may have and that holds a pod; none where its pods stand on another's."""
    if ask.settings.nodes_of is not None:
        return
    pod = ask.settings.pod
    for shape in shapes(ask, "vm"):
        node = ask.allocatable(shape)
        unfit = "" if node.pods_of(pod.cpu_cores * 1000, pod.memory_mib) else "a pod does not fit"
        settings = ask.settings.model_copy(update={"shape": shape.name, "minimum_nodes": None})
        yield Option(shape.name, lambda low, base, own=settings: own, Offer("vm", shape.name), unfit=unfit)  # type: ignore[misc]
