"""Cheaper databases, and what each gives up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cascade_plan.model.ask import Site
from cascade_plan.model.titles import called
from cascade_plan.model.way import HALF, PARTS, Way, smaller
from cascade_plan.tiers.database import aurora
from cascade_plan.tiers.database.settings import Settings


def ways(site: Site[Settings]) -> Iterator[Way]:
    """Yield the cheapest instance that is as large, smaller ones, fewer read replicas, and no standby."""
    settings, sized, path, name = site.settings, site.sized, f"tiers.{site.name}", called(site.name)
    primary = sized.group("primary")
    need: dict[str, Any] = {"vcpu": primary.shape.vcpu, "memory_gib": primary.shape.memory_gib}
    if primary.shape.burstable:
        need["burstable"] = True
    if settings.serverless:
        yield from _fewer_replicas(site)
        return
    yield Way(
        f"the cheapest {name} instance as large ({{shape}})",
        "the present family: it restarts; measure CPU and disk first",
        {f"{path}.shape": need},
        primary.name,
    )
    for divisor, less in smaller(primary.shape, settings.shape, HALF):
        yield Way(
            f"{name} instances of {PARTS[divisor]} the size ({{shape}})",
            "CPU and memory: measure how much of both is used first",
            {f"{path}.shape": less},
            primary.name,
        )
    yield from _fewer_replicas(site)
    if "multi_zone" in primary.offer.options:
        back = "a read replica is promoted" if sized.has("replicas") else "a backup is restored"
        yield Way(
            "no multi-AZ standby",
            f"automatic failover: {back} by hand",
            {"availability.multi_az": False},
        )


def _fewer_replicas(site: Site[Settings]) -> Iterator[Way]:
    count, name = site.sized.count("replica_count"), called(site.name)
    least = site.scenario.availability.asked.replica_count
    if site.settings.engine == aurora.ENGINE:
        least = aurora.least_replicas(site.scenario.availability.asked)
    replicas = "read replica" if site.name == "database" else f"{name} read replica"
    for fewer in dict.fromkeys((least, 0)):
        if fewer < count:
            title = f"{fewer} {replicas}s instead of {count}" if fewer > 1 else f"one {replicas} instead of {count}"
            left = "the others answer the reads" if fewer else "the primary answers them"
            yield Way(
                title if fewer else f"no {replicas}",
                f"replicas for the reads: {left}",
                {f"tiers.{site.name}.replicas": fewer},
                variant=f"replicas of {site.name}" if count > 1 else "",
            )
