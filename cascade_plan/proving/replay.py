"""Days of traffic through an autoscaler: what each way of scaling misses, and what it costs."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cascade_plan.formulas.hpa import Autoscaler
from cascade_plan.formulas.intervals import cut
from cascade_plan.model.replay import Timeline
from cascade_plan.model.trace import Trace
from cascade_plan.proving.autoscaler import TICK_S, Cluster, Grid, Setting, Signal, blocks

Floats = NDArray[np.float64]
TICKS_PER_HOUR: Final = 3600 // TICK_S
CHUNK_TICKS: Final = 30
"""Ticks that are drawn at once."""
TICKS_PER_DAY: Final = 24 * TICKS_PER_HOUR
PEAK_S: Final = 60.0
"""A peak is of a minute at least: what single seconds come to is chance, and over before any pod starts."""
LATENCY_GRID: Final = Grid(utilization_max=4.0, step_count=4096)


SAMPLED: Final = np.concatenate((np.linspace(0.02, 0.8, 9), np.linspace(0.84, 1.16, 17), np.linspace(1.25, 4.0, 8)))
"""Utilisations at which a latency is computed: close together where it turns upward."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests/s of each tick in the mean, and how much burstier than Poisson their counts are."""

    requests_per_s: Floats
    """Shape (ticks,)."""
    dispersion: float
    """Variance over mean of the requests in a minute."""
    words: str

    def part(self, share: float) -> Traffic:
        """Return the part of the requests that one of several services is sent, each of them by chance.

        Of a count of mean m and variance v a part p has the mean p m and the variance p^2 v + p (1 - p) m: what a
        dispersion is above 1 shrinks with the part.
        """
        return Traffic(self.requests_per_s * share, 1 + share * (self.dispersion - 1), self.words)

    def drawn(self, first: int, count: int, run_count: int, seed: int) -> Floats:
        """Return requests/s of (ticks, runs): gamma around the mean, with the variance that the dispersion gives.

        The numbers of a tick depend on the seed alone, not on the blocks they are asked for in: every policy meets the
        same traffic.
        """
        chunks = range(first // CHUNK_TICKS, (first + count - 1) // CHUNK_TICKS + 1)
        drawn = np.concatenate([self._chunk(chunk, run_count, seed) for chunk in chunks])
        start = first - chunks.start * CHUNK_TICKS
        return drawn[start : start + count]

    def _chunk(self, chunk: int, run_count: int, seed: int) -> Floats:
        random = np.random.default_rng((seed, chunk))
        means = self.requests_per_s[chunk * CHUNK_TICKS : (chunk + 1) * CHUNK_TICKS, None]
        expected = np.maximum(means * TICK_S, 1e-9)
        shape = np.broadcast_to(expected / self.dispersion, (len(means), run_count))
        return random.standard_gamma(shape) * (self.dispersion / TICK_S)


def hourly_traffic(hourly_requests_per_s: Sequence[float], day_count: int, dispersion: float, words: str) -> Traffic:
    """Return days that repeat 24 hourly rates, joined by straight lines between the middles of the hours."""
    hours = np.arange(-1, 25) + 0.5
    rates = np.asarray([hourly_requests_per_s[-1], *hourly_requests_per_s, hourly_requests_per_s[0]], dtype=np.float64)
    day = np.interp((np.arange(TICKS_PER_DAY) + 0.5) / TICKS_PER_HOUR, hours, rates)
    return Traffic(np.tile(day, day_count), dispersion, words)


def peak_of(trace: Trace) -> float:
    """Return the 99.9th percentile of a trace's requests/s: of its intervals, of minutes where those are shorter."""
    width_s = max(trace.step_s, PEAK_S)
    return float(np.quantile(cut(trace.starts_s, trace.ends_s, trace.requests, width_s), 0.999)) / width_s


def trace_traffic(trace: Trace, scale: float, day_count: int | None, words: str) -> Traffic:
    """Return a trace's requests, times `scale`, on the ticks of a simulation.

    `day_count` cuts the trace, or repeats it, to so many days. Requests of a tick are added whatever the trace's step
    is. The trace carries its own bursts down to its step; within a step arrivals are Poisson.
    """
    rates = cut(trace.starts_s, trace.ends_s, trace.requests, TICK_S) * (scale / TICK_S)
    if day_count is not None:
        rates = np.resize(rates, day_count * TICKS_PER_DAY)
    return Traffic(rates, 1.0, words)


@dataclass(frozen=True, slots=True)
class Latency:
    """Response percentiles over the utilisation of the pods, in steps of LATENCY_GRID; both in ms."""

    p95: Floats
    p99: Floats

    @classmethod
    def tabulated(cls, percentiles: Callable[[float], Sequence[float]]) -> Latency:
        """Return the table of a function from utilisation to (p95, p99) in ms, sampled and joined by lines.

        Of a function that returns the p95 alone both are that.
        """
        rows = np.array([percentiles(float(utilisation)) for utilisation in SAMPLED])
        return cls(_joined(SAMPLED, rows[:, 0]), _joined(SAMPLED, rows[:, -1]))

    @classmethod
    def around(cls, limit_ms: float, p95_ms: Callable[[float], float]) -> Latency:
        """Return a table that is above the limit where the whole one is, from a few samples; else it means nothing.

        The p95 grows with utilisation, so that halving finds the two samples between which it crosses the limit.
        """
        below, above = 0, SAMPLED.size
        found: dict[int, float] = {}
        while below < above:
            middle = (below + above) // 2
            found[middle] = p95_ms(float(SAMPLED[middle]))
            below, above = (middle + 1, above) if found[middle] <= limit_ms else (below, middle)
        near = sorted(step for step in found if step in (below - 1, below))
        p95 = _joined(SAMPLED[near], np.array([found[step] for step in near]))
        return cls(p95, p95)

    def p95_s(self, utilisation: float) -> float:
        """Return the p95 in seconds."""
        step = min(int(utilisation * LATENCY_GRID.steps_per_unit), LATENCY_GRID.step_count - 1)
        return float(self.p95[step]) / 1000

    def at(self, table: Floats, utilisation: Floats) -> Floats:
        """Return the values of `p95` or `p99` at utilisations of any shape."""
        index = np.minimum(utilisation * LATENCY_GRID.steps_per_unit, LATENCY_GRID.step_count - 1).astype(np.int64)
        return table[index]


def _joined(sampled: Floats, values: Floats) -> Floats:
    """Return the lines between samples at each step of LATENCY_GRID, never falling."""
    points = (np.arange(LATENCY_GRID.step_count) + 0.5) / LATENCY_GRID.steps_per_unit
    return np.maximum.accumulate(np.interp(points, sampled, values))


@dataclass(frozen=True, slots=True)
class Policy:
    """A way of scaling: bounds, behavior and signals of an HPA, or none at all (`signals` empty: a fixed fleet)."""

    name: str
    description: str
    autoscaler: Autoscaler
    signals: tuple[Signal, ...]
    node_count: int
    """Nodes at the start; all the time for a fixed fleet."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a policy came to; arrays have one entry a run."""

    missed_minutes_per_day: Floats
    worst_latency_ms_p99: float
    pod_count_min: int
    pod_count_max: int
    node_count_min: int
    node_count_max: int
    node_count_mean: float
    scaling_event_count_per_day: float
    timeline: Timeline


def replay(
    policy: Policy, traffic: Traffic, latency: Latency, slo_ms: float, pod_requests_per_s: float, cluster: Cluster,
    run_count: int, seed: int, told: Callable[[int], None] = lambda cells: None,
) -> Result:  # fmt: skip
    """Return what a policy does with the traffic in `run_count` runs; the first run's timeline is kept.

    `pod_requests_per_s` is what one pod answers when it never rests. `told` hears of how many more ticks, each of a
    run, are done.
    """
    tally = _Tally(traffic, latency, slo_ms, pod_requests_per_s, run_count)

    def demand(first: int, count: int) -> Floats:
        return traffic.drawn(first, count, run_count, seed) / pod_requests_per_s

    if not policy.signals:
        pods = cluster.held(policy.node_count)
        for first in range(0, traffic.requests_per_s.size, TICKS_PER_HOUR):
            load = demand(first, min(TICKS_PER_HOUR, traffic.requests_per_s.size - first))
            same = np.full(load.shape, float(pods))
            tally.add(load / pods, same, same, np.full(load.shape, float(policy.node_count)), load, 0)
            told(load.size)
        return tally.result()
    setting = Setting(
        policy.autoscaler, policy.signals, cluster, min(
            policy.autoscaler.replica_count_max,
            max(policy.autoscaler.replica_count_min, cluster.held(policy.node_count)),
        ), Grid(step_count=len(policy.signals[0].values)),
    )  # fmt: skip
    for block in blocks(setting, demand, traffic.requests_per_s.size, run_count):
        changes = int((block.replicas != block.before).sum())
        load = block.demand / setting.grid.steps_per_unit
        tally.add(block.utilization(), block.ready, block.replicas, block.nodes(), load, changes)
        told(load.size)
    return tally.result()


def _kept(values: Floats) -> Sequence[float]:
    """Return numbers in a quarter of the memory that Python's own would take."""
    return array("d", values.tobytes())


def _counts(values: Floats) -> Sequence[int]:
    return array("q", values.astype(np.int64).tobytes())


class _Tally:
    """Sums over blocks, and the first run's rows."""

    def __init__(
        self, traffic: Traffic, latency: Latency, slo_ms: float, pod_requests_per_s: float, run_count: int
    ) -> None:
        self.latency, self.slo_ms, self.pod_requests_per_s = latency, slo_ms, pod_requests_per_s
        self.day_count = traffic.requests_per_s.size / TICKS_PER_DAY
        self.missed = np.zeros(run_count)
        self.worst_p99 = 0.0
        self.pods, self.nodes = [np.inf, 0.0], [np.inf, 0.0]
        self.node_sum = self.changes = 0.0
        self.cells = 0
        self.rows: list[tuple[Floats, ...]] = []

    def add(
        self, utilisation: Floats, ready: Floats, desired: Floats, nodes: Floats, load: Floats, changes: int
    ) -> None:
        """Add a block of ticks; all arrays of shape (ticks, runs), load in fully busy pods."""
        p95 = self.latency.at(self.latency.p95, utilisation)
        p99 = self.latency.at(self.latency.p99, utilisation)
        self.missed += (p95 > self.slo_ms).sum(axis=0)
        self.worst_p99 = max(self.worst_p99, float(p99.max()))
        for kept, values in ((self.pods, ready), (self.nodes, nodes)):
            kept[0], kept[1] = min(kept[0], float(values.min())), max(kept[1], float(values.max()))
        self.node_sum += float(nodes.sum())
        self.cells += nodes.size
        self.changes += changes
        first = (load[:, 0] * self.pod_requests_per_s, ready[:, 0], desired[:, 0], nodes[:, 0], p95[:, 0], p99[:, 0])
        self.rows.append(tuple(np.array(column) for column in first))

    def result(self) -> Result:
        """Return the sums as a result."""
        load, ready, desired, nodes, p95, p99 = (np.concatenate(parts) for parts in zip(*self.rows, strict=True))
        timeline = Timeline(
            tick_s=TICK_S,
            requests_per_s=_kept(load),
            capacity_requests_per_s=_kept(ready * self.pod_requests_per_s),
            desired_pod_count=_counts(desired),
            pod_count=_counts(ready),
            node_count=_counts(nodes),
            latency_ms_p95=_kept(p95),
            latency_ms_p99=_kept(p99),
            slo_latency_ms_p95=self.slo_ms,
        )
        runs = self.missed.size
        return Result(
            missed_minutes_per_day=self.missed * TICK_S / 60 / self.day_count,
            worst_latency_ms_p99=self.worst_p99,
            pod_count_min=int(self.pods[0]),
            pod_count_max=int(self.pods[1]),
            node_count_min=int(self.nodes[0]),
            node_count_max=int(self.nodes[1]),
            node_count_mean=self.node_sum / self.cells,
            scaling_event_count_per_day=self.changes / runs / self.day_count,
            timeline=timeline,
        )
