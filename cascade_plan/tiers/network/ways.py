"""A cheaper network, and what it gives up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.fleet import Sized
from cascade_plan.model.way import Way
from cascade_plan.tiers.network.settings import Settings


def ways(settings: Settings, sized: Sized) -> Iterator[Way]:
    """Yield one NAT gateway in place of one a zone."""
    if sized.count("nat_gateway_count") > 1:
        yield Way(
            "one NAT gateway for all zones",
            "independence of the zones: when the gateway's zone is lost, no zone reaches the internet",
            {f"tiers.{sized.name}.nat_gateway_per_zone": False},
        )
