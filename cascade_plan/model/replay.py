"""What simulated days did to each service: a timeline of one run, and what all runs came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Timeline:
    """One run, tick by tick; every sequence has one entry a tick: two million for a year."""

    tick_s: float
    requests_per_s: Sequence[float]
    """What users send."""
    capacity_requests_per_s: Sequence[float]
    """What the ready pods can answer when never idle."""
    desired_pod_count: Sequence[int]
    pod_count: Sequence[int]
    """Ready pods."""
    node_count: Sequence[int]
    latency_ms_p95: Sequence[float]
    latency_ms_p99: Sequence[float]
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
    """The metrics that the HPA reads, joined by +, or a fixed fleet."""
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
    """Of the service's nodes."""
    cost_usd_per_month: Decimal
    """Of the whole fleet, with the mean count of the service's nodes in this simulation."""
    has_added_pods: bool = True
    """Whether an autoscaler added to the pods that it began with: else the days tell nothing of its metric."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A service's days: the ways of scaling that were compared, and one run of each."""

    service: str
    request_share: float
    """Share of all requests that it answers."""
    outcomes: tuple[Outcome, ...]
    recommended: str
    """The policy of the outcome that is recommended."""
    reason: str
    timelines: tuple[tuple[str, Timeline], ...]
    """Policy and the first run's timeline, for each outcome that has one."""
    own: str = ""
    """The policy that the scenario has the service scaled by."""
    beside: tuple[str, ...] = ()
    """Other services on the same nodes: what its nodes cost is what they would without them."""

    @property
    def best(self) -> Outcome:
        """The outcome of the policy that is recommended. Raises KeyError when there is none."""
        return {outcome.policy: outcome for outcome in self.outcomes}[self.recommended]


@dataclass(frozen=True, slots=True)
class Simulation:
    """Days of traffic through every service that is scaled."""

    scenario: str
    traffic: str
    """Where the load came from, in words."""
    day_count: float
    run_count: int
    seed: int
    replays: tuple[Replay, ...]
    cost_usd_per_month: Decimal
    """Of the whole fleet when every service scales as recommended."""
    trace: str = ""
    """What was read of a trace, in words; "" where there is none."""
    slo: str = ""
    """What every minute is held against, in words, and where a plan judges the peak by another limit."""
    limits: tuple[str, ...] = ()
    """What the traffic asks more of than it does, whatever pods there are, in words."""
