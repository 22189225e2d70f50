"""Cheaper monitoring, and what it gives up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.fleet import Sized
from cascade_plan.model.way import Way
from cascade_plan.tiers.monitoring.settings import Settings


def ways(settings: Settings, sized: Sized) -> Iterator[Way]:
    """Yield the metrics without the label that multiplies their series by the tenants."""
    if settings.label_by_tenant:
        yield Way(
            "no tenant_id label on the query histogram",
            "query latency by tenant; by query type it stays",
            {f"tiers.{sized.name}.label_by_tenant": False},
        )
