"""What of a queue is watched on the running system."""

from __future__ import annotations

from cascade_plan.model.ask import Ask
from cascade_plan.model.watch import Watch
from cascade_plan.tiers.queue.settings import Settings


def watches(ask: Ask[Settings]) -> tuple[Watch, ...]:
    """Return the recording rules, alarms and panels of this tier."""
    return ()
