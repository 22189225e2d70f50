"""The Kubernetes control plane."""

from __future__ import annotations

from cascade_plan.model.brief import Brief
from cascade_plan.model.fleet import Band, TierFleet, Usage
from cascade_plan.units import HOURS_PER_MONTH

AFTER: tuple[str, ...] = ()


def size(brief: Brief) -> TierFleet:
    """Return one EKS control plane, charged by the hour whatever the load."""
    hours = Band.constant(HOURS_PER_MONTH)
    return TierFleet(usages=(Usage("cluster", "EKS control plane", "eks", "cluster", hours, "hour"),))
