"""The Kubernetes control plane."""

from __future__ import annotations

from cascade_plan.model.ask import Ask
from cascade_plan.model.fleet import Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.cluster.settings import Settings
from cascade_plan.units import HOURS_PER_MONTH

AFTER: tuple[str, ...] = ()


def size(ask: Ask[Settings]) -> Sized:
    """Return one control plane, charged by the hour whatever the load."""
    hours = Band.constant(HOURS_PER_MONTH)
    usage = Usage(ask.name, "Kubernetes control plane", Offer("kubernetes"), hours, "hour")
    return Sized(ask.name, "cluster", usages=(usage,))
