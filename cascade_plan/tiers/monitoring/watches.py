"""What of this tier is watched on the running system."""

from __future__ import annotations

from cascade_plan.model.ask import Ask
from cascade_plan.model.watch import Watch
from cascade_plan.tiers.monitoring.settings import Settings


def watches(ask: Ask[Settings], series_count: int, query_series_count: int, shard_count: int) -> tuple[Watch, ...]:
    """Return the recording rules, alarms and panels of this tier."""
    return ()
