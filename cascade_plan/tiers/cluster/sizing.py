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
    title = "EKS control plane" if ask.scenario.cloud == "aws" else "Kubernetes control plane"
    return Sized(ask.name, "cluster", usages=(Usage(ask.name, title, Offer("kubernetes"), hours, "hour"),))
