"""What of an object store could be given up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.model.ask import Site
from cascade_plan.model.relaxation import Relaxation
from cascade_plan.tiers.objects.settings import Settings

KEPT_MONTHS: Final = 3
"""A quarter: for how long objects are kept where not all are (assumption)."""


def relaxations(site: Site[Settings]) -> Iterator[Relaxation]:
    """Yield objects that clients move themselves, and old ones that are deleted."""
    settings, path = site.settings, f"tiers.{site.name}"
    if settings.moved_by == "pods":
        yield Relaxation(
            "uploads pass through pods",
            "a form posted to the API: clients upload by signed URLs",
            {f"{path}.moved_by": "clients"},
            "part",
        )
    kept = settings.deleted_after_months
    if kept is None or kept > KEPT_MONTHS:
        rare = settings.infrequent_after_months
        moved = {f"{path}.infrequent_after_months": None} if rare is not None and rare >= KEPT_MONTHS else {}
        yield Relaxation(
            f"objects are kept for {kept} months" if kept else "all objects are kept",
            f"objects older than {KEPT_MONTHS} months",
            {f"{path}.deleted_after_months": KEPT_MONTHS, **moved},
            "data",
            counts_stay=True,
        )
