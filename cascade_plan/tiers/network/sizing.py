"""NAT gateways, public addresses, and the bytes that cross zones and leave for the internet."""

from __future__ import annotations

from cascade_plan.model.brief import Brief
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import Band, TierFleet, Usage
from cascade_plan.units import GIB, HOURS_PER_MONTH, SECONDS_PER_MONTH

AFTER: tuple[str, ...] = ("api", "websocket", "monitoring", "cache")
DIRECTIONS = 2
"""A byte between zones is charged on both sides, https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer"""


def size(brief: Brief) -> TierFleet:
    """Return the metered network of the fleet."""
    scenario = brief.scenario
    zones = scenario.availability.zones
    gateways = zones if scenario.tiers.network.nat_gateway_per_zone else 1
    out_gib = _monthly_gib(brief.load.response_bytes_per_s.plus(brief.load.websocket_out_bytes_per_s))
    addresses = Band.constant((gateways + zones) * HOURS_PER_MONTH)
    hours = Band.constant(gateways * HOURS_PER_MONTH)
    return TierFleet(
        usages=(
            Usage("network", "NAT gateways", "vpc", "nat-gateway", hours, "hour"),
            Usage("network", "NAT traffic", "vpc", "nat-gateway-data", _nat_gib(brief), "gib"),
            Usage("network", "public IPv4 addresses", "vpc", "public-ipv4", addresses, "hour"),
            Usage("network", "traffic between zones", "transfer", "inter-zone", _inter_zone_gib(brief), "gib"),
            Usage("network", "traffic to the internet", "transfer", "internet-out", out_gib, "gib", tiered=True),
        ),
        figures=_figures(brief, gateways, out_gib),
        findings=tuple(_findings(zones, gateways)),
        not_priced=_not_priced(brief),
    )


def _monthly_gib(bytes_per_s: Band) -> Band:
    return bytes_per_s.times(SECONDS_PER_MONTH / GIB)


def _nat_gib(brief: Brief) -> Band:
    nodes = Band.constant(0)
    for tier in brief.sized.values():
        for group in tier.groups:
            if group.shape.service == "ec2":
                nodes = nodes.plus(group.count)
    return nodes.times(brief.scenario.tiers.network.nat_gib_per_node_month)


def _inter_zone_gib(brief: Brief) -> Band:
    """Return the bytes that meet a node in another zone: all but 1/zones of them, counted in both directions."""
    crossing = (1 - 1 / brief.scenario.availability.zones) * DIRECTIONS
    queries = brief.load.requests_per_s.times(brief.scenario.tiers.network.database_bytes_per_request)
    sockets = float(brief.figure("websocket.node_count").value)
    published = brief.load.messages_per_s.times(brief.scenario.websocket.message_bytes * sockets)
    return _monthly_gib(queries.plus(published)).times(crossing)


def _figures(brief: Brief, gateways: int, out_gib: Band) -> tuple[Derivation, ...]:
    return (
        Derivation(
            "network.nat_gateway_count",
            gateways,
            "gateways",
            "one a zone" if brief.scenario.tiers.network.nat_gateway_per_zone else "one for all zones",
            (brief.given("availability.zones"), brief.given("tiers.network.nat_gateway_per_zone")),
        ),
        Derivation(
            "network.internet_out_gib_per_month",
            out_gib.average,
            "GiB/month",
            "(responses + WebSocket deliveries + heartbeats) at the mean load x 730 h",
            (
                brief.given("users.average"),
                brief.given("users.active_share"),
                brief.given("behaviour.think_time_s.min"),
                brief.given("behaviour.think_time_s.max"),
                brief.given("websocket.recipients_per_message"),
            ),
        ),
    )


def _findings(zones: int, gateways: int) -> list[Finding]:
    if gateways >= zones:
        return []
    return [
        Finding(
            "warning",
            "nat-single",
            f"one NAT gateway serves {zones} zones: its zone's loss cuts all of them off from the internet",
            "network.nat_gateway_count",
        )
    ]


def _not_priced(brief: Brief) -> tuple[str, ...]:
    objects = brief.load.object_growth_bytes_per_s.average * SECONDS_PER_MONTH / GIB
    left_out = [
        "DNS zones and queries, TLS certificates, CDN, WAF",
        "logs and traces (CloudWatch or other), container registry, secrets",
        "support plan, taxes, and any free tier (which would lower the bill)",
    ]
    if objects:
        left_out.insert(0, f"object storage of uploads: {objects:,.0f} GiB more each month at the mean load")
    return tuple(left_out)
