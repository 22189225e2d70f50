"""Cheaper databases, and what each gives up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cascade_plan.model.fleet import Sized
from cascade_plan.model.titles import called
from cascade_plan.model.way import Way
from cascade_plan.tiers.database.settings import Settings


def ways(settings: Settings, sized: Sized) -> Iterator[Way]:
    """Yield the cheapest instance that is as large, and the primary without its standby."""
    primary = sized.group("primary")
    need: dict[str, Any] = {"vcpu": primary.shape.vcpu, "memory_gib": primary.shape.memory_gib}
    if primary.shape.burstable:
        need["burstable"] = True
    yield Way(
        f"the cheapest {called(sized.name)} instance with the present vCPU and memory ({{shape}})",
        "the present instance family: the change restarts the primary; measure its CPU and disk throughput first",
        {f"tiers.{sized.name}.shape": need},
        primary.name,
    )
    if "multi_zone" in primary.offer.options:
        promoted = "promoting a read replica or " if sized.has("replicas") else ""
        yield Way(
            "no multi-AZ standby",
            f"automatic failover: a lost primary means {promoted}restoring a backup by hand",
            {"availability.multi_az": False},
        )
