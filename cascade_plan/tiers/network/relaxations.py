"""What of the network could be given up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Site
from cascade_plan.model.relaxation import Relaxation
from cascade_plan.tiers.network.settings import Settings


def relaxations(site: Site[Settings]) -> Iterator[Relaxation]:
    """Yield machines of one's own in place of NAT gateways, and one gateway in place of one a zone."""
    settings, path = site.settings, f"tiers.{site.name}"
    if settings.nat == "gateway":
        yield Relaxation(
            "NAT gateways are managed",
            "hands off: NAT instances are one's own to mend",
            {f"{path}.nat": "instance"},
            "part",
            counts_stay=True,
        )
    if not settings.object_endpoint and any(usage.name == "objects through NAT" for usage in site.sized.usages):
        yield Relaxation(
            "objects pass NAT", "nothing: an endpoint is free", {f"{path}.object_endpoint": True}, "choice",
            counts_stay=True,
        )  # fmt: skip
    asked = site.scenario.availability.asked
    per_zone = settings.nat_gateway_per_zone
    if settings.nat != "off" and asked.zones > 1 and (asked.nat_gateway_per_zone if per_zone is None else per_zone):
        yield Relaxation(
            "each zone reaches the internet by itself",
            "the internet in every zone, when the gateway's zone is lost",
            {f"{path}.nat_gateway_per_zone": False},
            "part",
            counts_stay=True,
        )
