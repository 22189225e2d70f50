"""Cheaper monitoring, and what it gives up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Site
from cascade_plan.model.way import Way
from cascade_plan.tiers.monitoring.settings import Settings


def ways(site: Site[Settings]) -> Iterator[Way]:
    """Yield the metrics without the label that multiplies their series by the tenants."""
    if site.settings.label_by_tenant:
        yield Way(
            "no tenant_id label on the query histogram",
            "query latency by tenant; by query type it stays",
            {f"tiers.{site.name}.label_by_tenant": False},
        )
