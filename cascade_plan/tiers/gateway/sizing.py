"""The load balancer in front of API and WebSocket nodes, and its capacity units."""

from __future__ import annotations

from typing import NamedTuple

from cascade_plan.model.brief import Brief
from cascade_plan.model.derivation import Derivation
from cascade_plan.model.fleet import Band, TierFleet, Usage
from cascade_plan.units import GIB, HOURS_PER_MONTH

AFTER: tuple[str, ...] = ()


class CapacityUnit(NamedTuple):
    """What one capacity unit covers; the fullest dimension is charged."""

    new_connections_per_s: float
    active_connections: float
    gib_per_h: float


UNITS = {"alb": CapacityUnit(25, 3000, 1), "nlb": CapacityUnit(50, 3000, 1)}
"""https://aws.amazon.com/elasticloadbalancing/pricing/ (ALB; NLB with TLS listeners). An ALB also counts rule
evaluations, of which the first ten rules of a request are free: the plan needs two."""


def size(brief: Brief) -> TierFleet:
    """Return one load balancer across all zones, with the mean capacity units an hour at each level."""
    balancer = brief.scenario.tiers.gateway.balancer
    load, unit = brief.load, UNITS[balancer]
    # Every user keeps one HTTP connection alive besides the WebSocket, as browsers do.
    active = load.connections.plus(load.users)
    new_per_s = active.times(1 / brief.scenario.websocket.connection_lifetime_s)
    traffic = load.request_bytes_per_s.plus(load.response_bytes_per_s)
    traffic = traffic.plus(load.websocket_in_bytes_per_s).plus(load.websocket_out_bytes_per_s)
    gib_per_h = traffic.times(3600 / GIB)
    dimensions = (
        ("new connections", new_per_s.times(1 / unit.new_connections_per_s)),
        ("active connections", active.times(1 / unit.active_connections)),
        ("processed bytes", gib_per_h.times(1 / unit.gib_per_h)),
    )
    binding, units = max(dimensions, key=lambda dimension: dimension[1].average)
    label = balancer.upper()
    return TierFleet(
        usages=(
            Usage("gateway", f"{label} load balancer", "elb", balancer, Band.constant(HOURS_PER_MONTH), "hour"),
            Usage(
                "gateway",
                f"{label} capacity units",
                "elb",
                f"{balancer}-lcu",
                units.times(HOURS_PER_MONTH),
                "lcu_hour",
            ),
        ),
        figures=(
            Derivation(
                "gateway.capacity_unit_count.average",
                units.average,
                "capacity units",
                f"largest of new connections / {unit.new_connections_per_s:g} per s, active connections / "
                f"{unit.active_connections:g}, processed GiB per h / {unit.gib_per_h:g}: {binding}",
                (brief.given("users.average"), brief.given("users.active_share")),
                "https://aws.amazon.com/elasticloadbalancing/pricing/",
            ),
            Derivation("gateway.capacity_unit_count.peak", units.peak, "capacity units", "the same, at users.peak"),
        ),
    )
