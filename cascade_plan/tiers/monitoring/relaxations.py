"""What of monitoring could be given up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Site
from cascade_plan.model.relaxation import Relaxation
from cascade_plan.tiers.monitoring.settings import Settings


def relaxations(site: Site[Settings]) -> Iterator[Relaxation]:
    """Yield metrics without the label that multiplies their series by the tenants."""
    if site.settings.label_by_tenant:
        yield Relaxation(
            "query latency is measured by tenant",
            "query latency by tenant; by query type it stays",
            {f"tiers.{site.name}.label_by_tenant": False},
            "part",
        )
