"""What a simulated day did: a timeline of one run, and what all runs came to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Timeline:
    """One run, tick by tick; every sequence has one entry a tick."""

    tick_s: float
    requests_per_s: tuple[float, ...]
    """What users send."""
    capacity_requests_per_s: tuple[float, ...]
    """What the ready pods can answer when never idle."""
    desired_pod_count: tuple[int, ...]
    pod_count: tuple[int, ...]
    """Ready pods."""
    node_count: tuple[int, ...]
    latency_ms_p95: tuple[float, ...]
    latency_ms_p99: tuple[float, ...]
    slo_latency_ms_p95: float
    """The limit that latency_ms_p95 is held against."""

    @property
    def missed(self) -> tuple[bool, ...]:
        """Whether each tick missed the SLO."""
        return tuple(latency > self.slo_latency_ms_p95 for latency in self.latency_ms_p95)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way of scaling came to, over all runs."""

    policy: str
    """The plan's HPA, CPU, requests, or a fixed fleet."""
    description: str
    missed_minutes_per_day_mean: float
    missed_minutes_per_day_max: float
    """The worst run."""
    worst_latency_ms_p99: float
    pod_count_min: int
    pod_count_max: int
    node_count_min: int
    node_count_max: int
    node_count_mean: float
    scaling_event_count_per_day: float
    cost_usd_per_day: Decimal
    """Of the API nodes, the only ones that scale, at list prices."""
    cost_usd_per_month: Decimal
    """Of the whole fleet, with the API nodes' mean count of this simulation."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A simulation: its traffic, the ways of scaling that were compared, and one run of the one recommended."""

    scenario: str
    traffic: str
    """Where the load came from, in words."""
    day_count: float
    run_count: int
    seed: int
    outcomes: tuple[Outcome, ...]
    recommended: str
    """The policy of the outcome that is recommended."""
    reason: str
    timelines: tuple[tuple[str, Timeline], ...]
    """Policy and the first run's timeline, for each outcome that has one."""
