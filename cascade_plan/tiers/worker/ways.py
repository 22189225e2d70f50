"""Cheaper nodes, and what they give up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.fleet import Sized
from cascade_plan.model.titles import called
from cascade_plan.model.way import Way
from cascade_plan.tiers.worker.settings import Settings


def ways(settings: Settings, sized: Sized) -> Iterator[Way]:
    """Yield the nodes on spot: a job that is cut off is done again by another."""
    yield Way(
        f"{called(sized.name)} nodes on spot",
        "the nodes' certainty: the cloud takes one back at short notice, with its jobs, and the spot price moves",
        {f"tiers.{sized.name}.purchase": "spot"},
    )
