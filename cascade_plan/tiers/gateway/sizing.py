"""The load balancer in front of what users reach, and its capacity units."""

from __future__ import annotations

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.derivation import Derivation
from cascade_plan.model.fleet import NONE, Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.place import Place, Scale, Visit
from cascade_plan.tiers.gateway.settings import Settings
from cascade_plan.units import GIB

AFTER: tuple[str, ...] = ("websocket",)
KEPT_ALIVE_S = 3600.0
"""How long a browser's connection lives where nothing says how long sockets do (assumption)."""


def size(ask: Ask[Settings]) -> Sized:
    """Return one load balancer across all zones, with the mean capacity units an hour at each level."""
    balancer = ask.settings.balancer
    label = balancer.upper()
    hours = Band.constant(ask.hours)
    usages = [Usage(ask.name, f"{label} load balancer", Offer("balancer", balancer), hours, "hour")]
    figures: tuple[Derivation, ...] = ()
    if (found := _units(ask)) is not None:
        units, formula = found
        month = units.times(ask.hours)
        offer = Offer("balancer_capacity", balancer)
        usages.append(Usage(ask.name, f"{label} capacity units", offer, month, "lcu_hour"))
        figures = (
            ask.figure(
                "capacity_unit_count.average",
                units.average,
                "capacity units",
                formula,
                (ask.given("users.average"), ask.given("users.active_share")),
                "https://aws.amazon.com/elasticloadbalancing/pricing/",
            ),
            ask.figure("capacity_unit_count.peak", units.peak, "capacity units", "the same, at users.peak"),
        )
    return Sized(ask.name, "gateway", usages=tuple(usages), figures=figures)


def places(site: Site[Settings], scale: Scale, before: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return what it adds to every answer; nobody queues there. Of several balancers the first is passed."""
    settings = site.settings
    if not settings.response_ms or site.name != site.scenario.first("gateway"):
        return ()
    visit = Visit(1, 1.0, pause=ServiceTime(settings.response_ms / 1000, settings.response_scv))
    return (Place(site.name, site.name, 1, 0, visits=lambda action: (visit,)),)


def _units(ask: Ask[Settings]) -> tuple[Band, str] | None:
    """Return the capacity units in use and how they were counted, or None where the cloud has no such meter."""
    unit, traffic = ask.cloud.capacity_unit(ask.settings.balancer), ask.traffic
    if unit is None:
        return None
    open_, lifetime_s = NONE, KEPT_ALIVE_S
    bytes_per_s = traffic.request_bytes_per_s.plus(traffic.response_bytes_per_s)
    for stream in ask.streams:
        open_, lifetime_s = open_.plus(stream.connections), stream.connection_lifetime_s
        bytes_per_s = bytes_per_s.plus(stream.in_bytes_per_s).plus(stream.out_bytes_per_s)
    # Every user keeps one HTTP connection alive besides those that stay open, as browsers do.
    active = open_.plus(traffic.users)
    new_per_s, gib_per_h = active.times(1 / lifetime_s), bytes_per_s.times(3600 / GIB)
    dimensions = (
        ("new connections", new_per_s.times(1 / unit.new_connections_per_s)),
        ("active connections", active.times(1 / unit.active_connections)),
        ("processed bytes", gib_per_h.times(1 / unit.gib_per_h)),
    )
    binding, units = max(dimensions, key=lambda dimension: dimension[1].average)
    formula = (
        f"largest of new connections / {unit.new_connections_per_s:g} per s, active connections / "
        f"{unit.active_connections:g}, processed GiB per h / {unit.gib_per_h:g}: {binding}"
    )
    return units, formula
