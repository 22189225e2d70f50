"""NAT gateways, public addresses, and the bytes that cross zones and leave for the internet."""

from __future__ import annotations

from typing import Any

from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Derivation
from cascade_plan.model.fleet import NONE, Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.scenario import Scenario
from cascade_plan.registry import READS_ALL
from cascade_plan.tiers.network import nat
from cascade_plan.tiers.network.settings import Settings
from cascade_plan.units import GIB

AFTER: tuple[str, ...] = READS_ALL
DIRECTIONS = 2
"""A byte between zones is charged on both sides, https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer; between a
machine and ElastiCache at the machine alone, https://aws.amazon.com/elasticache/pricing/"""
NOT_EMITTED = {
    "nat_gateway": "made with the network that they stand in",
    "nat_traffic": "metered as it flows",
    "vm": "made with the network, and with it the routes to them, before any node that needs them",
    "disk": "come with the instances",
    "public_address": "come with what has them, a load balancer, a NAT gateway or a node",
    "zone_traffic": "metered as it flows",
    "internet_traffic": "metered as it flows",
}
"""Why no file makes what is bought; one that does overrules it."""


def size(ask: Ask[Settings]) -> Sized:
    """Return the metered network of the fleet."""
    zones = ask.scenario.availability.asked.zones
    streams = sum((stream.out_bytes_per_s for stream in ask.streams), start=NONE)
    out_gib = _monthly_gib(ask, ask.traffic.response_bytes_per_s.plus(streams).plus(_read_bytes_per_s(ask)))
    balancers = zones * sum(sized.count("balancer_count") for sized in ask.of("gateway"))
    addresses = nat.addresses(ask).plus(Band.constant(balancers)).times(ask.hours)
    objects = _objects_bytes_per_s(ask)
    usages = [
        *nat.usages(ask, _monthly_gib(ask, objects)),
        Usage(ask.name, "public IPv4 addresses", Offer("public_address"), addresses, "hour"),
        Usage(ask.name, "traffic between zones", Offer("zone_traffic"), _inter_zone_gib(ask, zones), "gib"),
        Usage(ask.name, "traffic to the internet", Offer("internet_traffic"), out_gib, "gib"),
    ]
    return Sized(
        ask.name,
        "network",
        usages=tuple(usages),
        figures=(*nat.figures(ask, objects), *_figures(ask, out_gib)),
        findings=tuple(nat.findings(ask)),
        ceilings=tuple(nat.ceilings(ask, objects)),
        not_priced=_not_priced(ask),
        not_emitted=tuple(f"{usage.name}: {NOT_EMITTED[usage.offer.what]}" for usage in usages),
    )


def _monthly_gib(ask: Ask[Settings], bytes_per_s: Band) -> Band:
    return ask.monthly(bytes_per_s).times(1 / GIB)


def _read_bytes_per_s(ask: Ask[Settings]) -> Band:
    """Return the objects that users read, which leave for the internet."""
    found = NONE
    for objects in ask.scenario.of("objects").values():
        found += ask.traffic.object_growth_bytes_per_s.times(objects.read_count_per_write)  # type: ignore[attr-defined]
    return found


def _objects_bytes_per_s(ask: Ask[Settings]) -> Band:
    """Return the objects that pods move through NAT, written and read."""
    store = ask.settings_of("objects")
    if store is None or store.moved_by != "pods" or ask.settings.object_endpoint:
        return NONE
    return ask.traffic.object_growth_bytes_per_s.plus(_read_bytes_per_s(ask))


# -------------------------------------------------------------------------------------------------------- between zones


def _inter_zone_gib(ask: Ask[Settings], zones: int) -> Band:
    """Return the bytes that meet a node in another zone, all but 1/zones of them, as often as they are charged."""
    is_sold = bool(ask.scenario.of("cache")) and ask.scenario.emit.cache != "self"
    of_caches = _with_caches(ask).times(1 if is_sold else DIRECTIONS)
    charged = _between_machines(ask).times(DIRECTIONS).plus(of_caches)
    return _monthly_gib(ask, charged).times(1 - 1 / zones)


def _between_machines(ask: Ask[Settings]) -> Band:
    """Return the bytes/s between machines, databases among them: each byte is charged where it leaves and arrives."""
    found = ask.traffic.requests_per_s.times(_queries(ask.scenario) * ask.settings.bytes_per_query)
    for stream in ask.streams:
        # From nginx to the nodes that hold the connections.
        found = found.plus(stream.in_bytes_per_s).plus(stream.out_bytes_per_s)
    return found.plus(_scraped(ask))


def _with_caches(ask: Ask[Settings]) -> Band:
    """Return the bytes/s to and from caches: look-ups and messages. Where the cloud runs them it charges one side."""
    asked = ask.traffic.requests_per_s.times(_look_ups(ask.scenario) * ask.settings.bytes_per_query)
    return asked.plus(_published(ask))


def _published(ask: Ask[Settings]) -> Band:
    """Return the bytes/s of what is published: every node that holds a reader receives it."""
    found = NONE
    for stream in ask.streams:
        found = found.plus(stream.messages_per_s.times(stream.message_bytes * stream.listener_count))
    return found


def _scraped(ask: Ask[Settings]) -> Band:
    """Return the bytes/s that Prometheus fetches from pods."""
    found = 0.0
    for sized in ask.of("monitoring"):
        every_s = ask.scenario.tiers[sized.name].scrape_interval_s  # type: ignore[attr-defined]
        found += sized.value("series_count") * ask.settings.scrape_bytes_per_series / every_s
    return Band.constant(found)


def _queries(scenario: Scenario) -> float:
    """Return the queries of databases in a request, in the mean of the mix, those of its jobs among them."""
    found = 0.0
    for share, action in scenario.behaviour.mix:
        for database in scenario.of("database"):
            own = scenario.reads(action, database) * scenario.miss_ratio(action)
            found += share * (own + scenario.writes(action, database))
        for worker, jobs in action.jobs.items():
            settings: Any = scenario.tiers[worker]
            found += share * jobs * (settings.read_count + settings.write_count)
    return found


def _look_ups(scenario: Scenario) -> float:
    """Return the look-ups in caches of a request, in the mean of the mix."""
    return sum(share * scenario.all_reads(action) for share, action in scenario.behaviour.mix if scenario.cache(action))


# -------------------------------------------------------------------------------------------------------------- figures


def _figures(ask: Ask[Settings], out_gib: Band) -> tuple[Derivation, ...]:
    sockets = ask.scenario.first("websocket")
    parts = "responses + WebSocket deliveries + heartbeats" if sockets else "responses"
    parts += " + objects read" if ask.scenario.of("objects") else ""
    return (
        ask.figure(
            "internet_out_gib_per_month",
            out_gib.average,
            "GiB/month",
            f"({parts}) at the mean load x {ask.hours} h",
            (
                ask.given("users.average"),
                ask.given("users.active_share"),
                ask.given("behaviour.think_time_s.min"),
                ask.given("behaviour.think_time_s.max"),
                *((ask.given(f"tiers.{sockets}.recipients_per_message"),) if sockets else ()),
            ),
        ),
    )


def _not_priced(ask: Ask[Settings]) -> tuple[str, ...]:
    return (
        "DNS zones and queries, TLS certificates, CDN, WAF, traces",
        "support plan, taxes, and any free tier (which would lower the bill)",
    )
