"""NAT gateways, public addresses, and the bytes that cross zones and leave for the internet."""

from __future__ import annotations

from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import NONE, Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.registry import READS_ALL
from cascade_plan.tiers.network.settings import Settings
from cascade_plan.units import GIB, HOURS_PER_MONTH, SECONDS_PER_MONTH

AFTER: tuple[str, ...] = READS_ALL
DIRECTIONS = 2
"""A byte between zones is charged on both sides, https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer"""
NOT_EMITTED = {
    "nat_gateway": "made with the network that they stand in",
    "nat_traffic": "metered as it flows",
    "public_address": "come with what has them, a load balancer or a NAT gateway",
    "zone_traffic": "metered as it flows",
    "internet_traffic": "metered as it flows",
}
"""Why no file makes what is bought; one that does overrules it."""


def size(ask: Ask[Settings]) -> Sized:
    """Return the metered network of the fleet."""
    zones = ask.scenario.availability.asked.zones
    gateways = _gateways(ask, zones)
    streams = sum((stream.out_bytes_per_s for stream in ask.streams), start=NONE)
    out_gib = _monthly_gib(ask.traffic.response_bytes_per_s.plus(streams))
    balancers = zones if ask.of("gateway") else 0
    addresses = Band.constant((gateways + balancers) * HOURS_PER_MONTH)
    usages = [
        Usage(ask.name, "NAT gateways", Offer("nat_gateway"), Band.constant(gateways * HOURS_PER_MONTH), "hour"),
        Usage(ask.name, "NAT traffic", Offer("nat_traffic"), _nat_gib(ask), "gib"),
        Usage(ask.name, "public IPv4 addresses", Offer("public_address"), addresses, "hour"),
        Usage(ask.name, "traffic between zones", Offer("zone_traffic"), _inter_zone_gib(ask, zones), "gib"),
        Usage(ask.name, "traffic to the internet", Offer("internet_traffic"), out_gib, "gib"),
    ]
    if not gateways:
        usages = usages[2:]
    return Sized(
        ask.name,
        "network",
        usages=tuple(usages),
        figures=_figures(ask, gateways, out_gib),
        findings=tuple(_findings(ask, zones, gateways)),
        not_priced=_not_priced(ask),
        not_emitted=tuple(f"{usage.name}: {NOT_EMITTED[usage.offer.what]}" for usage in usages),
    )


def _gateways(ask: Ask[Settings], zones: int) -> int:
    if not ask.settings.nat:
        return 0
    return zones if _per_zone(ask)[0] else 1


def _per_zone(ask: Ask[Settings]) -> tuple[int, Input]:
    """Return whether each zone has a gateway of its own, and what says so: the tier itself, or the availability."""
    return ask.least("nat_gateway_per_zone", ask.scenario.availability.asked.nat_gateway_per_zone)


def _monthly_gib(bytes_per_s: Band) -> Band:
    return bytes_per_s.times(SECONDS_PER_MONTH / GIB)


def _nat_gib(ask: Ask[Settings]) -> Band:
    counts = (group.count for sized in ask.fleet.values() for group in sized.groups if group.is_nodes)
    return sum(counts, start=NONE).times(ask.settings.nat_gib_per_node_month)


def _inter_zone_gib(ask: Ask[Settings], zones: int) -> Band:
    """Return the bytes that meet a node in another zone: all but 1/zones of them, counted in both directions."""
    crossing = (1 - 1 / zones) * DIRECTIONS
    crossed = ask.traffic.requests_per_s.times(ask.settings.database_bytes_per_request)
    for sized in ask.fleet.values():
        if sized.streams is not None:
            # Every node of a stream receives what is published.
            nodes = sum(group.count.ceiling for group in sized.groups)
            crossed = crossed.plus(sized.streams.messages_per_s.times(sized.streams.message_bytes * nodes))
    return _monthly_gib(crossed).times(crossing)


def _figures(ask: Ask[Settings], gateways: int, out_gib: Band) -> tuple[Derivation, ...]:
    per_zone = "one a zone" if _per_zone(ask)[0] else "one for all zones"
    sockets = ask.scenario.first("websocket")
    parts = "responses + WebSocket deliveries + heartbeats" if sockets else "responses"
    return (
        ask.figure(
            "nat_gateway_count",
            gateways,
            "gateways",
            per_zone if ask.settings.nat else "NAT is off",
            (_per_zone(ask)[1] if ask.settings.nat else ask.own("nat"),),
        ),
        ask.figure(
            "internet_out_gib_per_month",
            out_gib.average,
            "GiB/month",
            f"({parts}) at the mean load x 730 h",
            (
                ask.given("users.average"),
                ask.given("users.active_share"),
                ask.given("behaviour.think_time_s.min"),
                ask.given("behaviour.think_time_s.max"),
                *((ask.given(f"tiers.{sockets}.recipients_per_message"),) if sockets else ()),
            ),
        ),
    )


def _findings(ask: Ask[Settings], zones: int, gateways: int) -> list[Finding]:
    if gateways >= zones or not gateways:
        return []
    return [
        Finding(
            "warning",
            "nat-single",
            f"one NAT gateway serves {zones} zones: its zone's loss cuts all of them off from the internet",
            f"{ask.name}.nat_gateway_count",
        )
    ]


def _not_priced(ask: Ask[Settings]) -> tuple[str, ...]:
    objects = ask.traffic.object_growth_bytes_per_s.average * SECONDS_PER_MONTH / GIB
    left_out = [
        "DNS zones and queries, TLS certificates, CDN, WAF",
        "logs and traces (CloudWatch or other), container registry, secrets",
        "support plan, taxes, and any free tier (which would lower the bill)",
    ]
    if objects:
        left_out.insert(0, f"object storage of uploads: {objects:,.0f} GiB more each month at the mean load")
    return tuple(left_out)
