"""Cheaper caches, and what each gives up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.fleet import Sized
from cascade_plan.model.way import Way
from cascade_plan.tiers.cache.settings import Settings


def ways(settings: Settings, sized: Sized) -> Iterator[Way]:
    """Yield the other server that speaks the same protocol."""
    if settings.engine == "redis":
        yield Way(
            "Valkey instead of Redis",
            "what Redis added after 7.2, the version Valkey was forked from",
            {f"tiers.{sized.name}.engine": "valkey"},
        )
