"""What of a database could be given up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.model.ask import Site
from cascade_plan.model.relaxation import Relaxation
from cascade_plan.model.titles import called
from cascade_plan.tiers.database.settings import Settings

KEPT_MONTHS: Final = 3
"""A quarter: for how long rows are kept where not all are (assumption)."""


def relaxations(site: Site[Settings]) -> Iterator[Relaxation]:
    """Yield no standby, and old rows that are deleted."""
    settings, name = site.settings, called(site.name)
    if site.scenario.availability.asked.has_standby:
        yield Relaxation(
            "primary databases have a standby",
            "failover by itself: a backup is restored by hand",
            {"availability.multi_az": False},
            "loss",
        )
    kept = settings.retention_months
    if kept is None or kept > KEPT_MONTHS:
        yield Relaxation(
            f"{name} rows are kept for {kept} months" if kept else f"all {name} rows are kept",
            f"rows older than {KEPT_MONTHS} months",
            {f"tiers.{site.name}.retention_months": KEPT_MONTHS},
            "data",
        )
