"""The load balancer in front of what users reach, and its capacity units."""

from __future__ import annotations

from dataclasses import dataclass

from cascade_plan.formulas.draws import largest
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.fleet import NONE, Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.place import Place, Scale, Visit
from cascade_plan.tiers.gateway.settings import Settings
from cascade_plan.units import GIB

AFTER: tuple[str, ...] = ("websocket",)
KEPT_ALIVE_S = 3600.0
"""How long a browser's connection lives where nothing says how long sockets do (assumption)."""


def size(ask: Ask[Settings]) -> Sized:
    """Return one load balancer across all zones, or one for what answers and one for what stays open.

    Of each the mean capacity units an hour at each level, by the dimension that is fullest there.
    """
    balancer = ask.settings.balancer
    label, parts = balancer.upper(), _parts(ask)
    hours = Band.constant(len(parts) * ask.hours)
    many = "s" if len(parts) > 1 else ""
    usages = [Usage(ask.name, f"{label} load balancer{many}", Offer("balancer", balancer), hours, "hour")]
    count = "one for requests, one for open connections" if many else "one for all that users reach"
    figures = [ask.figure("balancer_count", len(parts), "load balancers", count, (ask.own("shared"),))]
    counted = [_units(ask, part) for part in parts]
    found = [each for each in counted if each is not None]
    if found:
        units = sum((each for each, _ in found), start=NONE)
        offer = Offer("balancer_capacity", balancer)
        month = units.times(ask.hours)
        usages.append(Usage(ask.name, f"{label} capacity units", offer, month, "lcu_hour"))
        figures += [
            ask.figure(
                "capacity_unit_count.average",
                units.average,
                "capacity units",
                "; ".join(formula for _, formula in found),
                (ask.given("users.average"), ask.given("users.active_share")),
                "https://aws.amazon.com/elasticloadbalancing/pricing/",
            ),
            ask.figure("capacity_unit_count.peak", units.peak, "capacity units", "the same, at users.peak"),
        ]
    return Sized(ask.name, "gateway", usages=tuple(usages), figures=tuple(figures))


@dataclass(frozen=True, slots=True)
class _Part:
    """What passes one balancer."""

    active: Band
    lifetime_s: float
    bytes_per_s: Band
    of: str
    """What it is for in words; empty where it is for all."""


def _parts(ask: Ask[Settings]) -> tuple[_Part, ...]:
    """Return what passes each balancer: with none shared, requests and open connections apart.

    Every user keeps one HTTP connection alive besides those that stay open, as browsers do.
    """
    traffic = ask.traffic
    requests = traffic.request_bytes_per_s.plus(traffic.response_bytes_per_s)
    opened, streamed, lifetime_s = NONE, NONE, KEPT_ALIVE_S
    for stream in ask.streams:
        opened, lifetime_s = opened.plus(stream.connections), stream.connection_lifetime_s
        streamed = streamed.plus(stream.in_bytes_per_s).plus(stream.out_bytes_per_s)
    if ask.settings.shared or not ask.streams:
        return (_Part(opened.plus(traffic.users), lifetime_s, requests.plus(streamed), ""),)
    return (
        _Part(traffic.users, KEPT_ALIVE_S, requests, "of requests: "),
        _Part(opened, lifetime_s, streamed, "of open connections: "),
    )


def places(site: Site[Settings], scale: Scale, before: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return what it adds to every answer; nobody queues there. Of several balancers the first is passed."""
    settings = site.settings
    if not settings.response_ms or site.name != site.scenario.first("gateway"):
        return ()
    visit = Visit(1, 1.0, pause=ServiceTime(settings.response_ms / 1000, settings.response_scv))
    return (Place(site.name, site.name, 1, 0, visits=lambda action: (visit,)),)


def _units(ask: Ask[Settings], part: _Part) -> tuple[Band, str] | None:
    """Return the capacity units in use and how they were counted, or None where the cloud has no such meter."""
    unit = ask.cloud.capacity_unit(ask.settings.balancer)
    if unit is None:
        return None
    new_per_s, gib_per_h = part.active.times(1 / part.lifetime_s), part.bytes_per_s.times(3600 / GIB)
    dimensions = (
        ("new connections", new_per_s.times(1 / unit.new_connections_per_s)),
        ("active connections", part.active.times(1 / unit.active_connections)),
        ("processed bytes", gib_per_h.times(1 / unit.gib_per_h)),
    )
    units = Band(*map(largest, *(band for _, band in dimensions)))
    binding, _ = max(dimensions, key=lambda dimension: dimension[1].average)
    formula = (
        f"{part.of}largest of new connections / {unit.new_connections_per_s:g} per s, active connections / "
        f"{unit.active_connections:g}, processed GiB per h / {unit.gib_per_h:g}: {binding}"
    )
    return units, formula
