"""A cheaper network, and what it gives up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Site
from cascade_plan.model.way import Way
from cascade_plan.tiers.network.settings import Settings


def ways(site: Site[Settings]) -> Iterator[Way]:
    """Yield one NAT gateway in place of one a zone."""
    if site.sized.count("nat_gateway_count") > 1:
        yield Way(
            "one NAT gateway for all zones",
            "the internet in every zone, when the gateway's zone is lost",
            {f"tiers.{site.name}.nat_gateway_per_zone": False},
            warns=frozenset({"nat-single"}),
        )
    if any(usage.name == "objects through NAT" for usage in site.sized.usages):
        yield Way(
            "an endpoint of the network for the object store",
            "nothing: it is free",
            {f"tiers.{site.name}.object_endpoint": True},
        )
