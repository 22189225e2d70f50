"""How long requests of a fleet take with fewer users and with more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LatencyPoint:
    """So many users who all act, on the instances that the autoscaler holds for them."""

    users: int
    requests_per_s: float
    latency_ms_p95: float
    latency_ms_p99: float


@dataclass(frozen=True, slots=True)
class LatencyLimit:
    """What a load may take at most."""

    load: str
    users: int
    latency_ms_p95: float
    latency_ms_p99: float | None


@dataclass(frozen=True, slots=True)
class LatencyCurve:
    """A fleet's latency over users, beside the limits of its loads."""

    scenario: str
    users_peak: int
    """Users that the fleet was planned for."""
    points: tuple[LatencyPoint, ...]
    """By users, ascending."""
    limits: tuple[LatencyLimit, ...]
    """By users, ascending; none where the scenario has no loads."""
    slo_latency_ms_p95: float
    """The limit of the load with the most users; without loads the autoscaler's target."""
    user_count_max: int | None
    """Up to how many users p95 is below that limit; 0 where it never is, None where it is at every point."""
