"""What pins a pool: the connections that follow from the fleet around it."""

from __future__ import annotations

from collections.abc import Mapping

from cascade_plan.tiers.pool.settings import Settings


def followed(settings: Settings, counts: Mapping[str, int]) -> Settings:
    """Return the settings with the connections that follow; `counts` is by the end of a figure's name."""
    if settings.connections is not None or "connection_count" not in counts:
        return settings
    return settings.model_copy(update={"connections": counts["connection_count"]})
