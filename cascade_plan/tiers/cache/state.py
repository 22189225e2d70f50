"""The state of open connections that a cache holds."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Derivation
from cascade_plan.model.fleet import Streams
from cascade_plan.tiers.cache.settings import Settings

STATE_BYTES_PER_CONNECTION: Final = 266
"""A hash ws:{tenant}:conn:<uuid> of three fields with a TTL, as a listpack, in a cluster: measured on Redis 7.0.15 with
10,000 of them (261 with 100,000). 208 for the plan's own key outside a cluster."""
INDEX_BYTES_PER_CONNECTION: Final = 167
"""A member of a tenant's sorted set of connections, by when each is forgotten, in place of the plan's scan over every
key: 52 bytes for 100 connections (a listpack), 142 to 167 for 500 to 10,000, measured on Redis 7.0.15."""


def carried(ask: Ask[Settings]) -> tuple[Streams, ...]:
    """Return the open connections whose state and messages this cache holds: those of the fleet, in its first cache."""
    return ask.streams if ask.name == ask.scenario.first("cache") else ()


def mib(connections: float) -> float:
    """Return the memory that the state of so many connections takes."""
    return connections * (STATE_BYTES_PER_CONNECTION + INDEX_BYTES_PER_CONNECTION) / 2**20


def figure(ask: Ask[Settings], streams: Streams) -> Derivation:
    """Return the figure of what the state of all connections takes at the peak."""
    sockets = ask.scenario.first("websocket")
    return ask.figure(
        "connection_state_mib",
        mib(streams.connections.peak),
        "MiB",
        f"open connections x ({STATE_BYTES_PER_CONNECTION} bytes of state + {INDEX_BYTES_PER_CONNECTION} of index)",
        (ask.computed(f"{sockets}.connection_count"),),
        "measured, Redis 7.0.15: ws:{tenant}:conn:<uuid> with TTL, and a sorted set of ids for each tenant",
    )
