"""A simulated day as it is shown: the words above it, its scales, the marks of time and the points that are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from sys import float_info
from typing import Final, NamedTuple

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.model.replay import Replay, Simulation, Timeline
from cascade_plan.reports._words import count, one_line

POINTS: Final = 1500
"""Points a line of a chart has at most."""
LOG_FROM: Final = 20
"""Latency is drawn on a logarithmic scale when its maximum is more than so many times the SLO."""
DECADES: Final = 6
"""A logarithmic scale reaches so many powers of ten down at most."""
OFF_SCALE: Final = 1e15
"""Values from here on, and what is no number, have no place on a scale and are drawn at its upper edge."""
MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
STEPS_S: Final = (
    1, 5, 15, 30, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY,
)  # fmt: skip
"""Distances of the marks on the axis of time; above the last, its multiples."""
SUFFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k"))


# Scales


class Scale(NamedTuple):
    """An axis of values, linear from 0 or logarithmic."""

    low: float
    high: float
    logarithmic: bool
    marks: tuple[float, ...]
    """Values that are labelled, rising."""

    def share(self, value: float) -> float:
        """Return where a value stands, 0 at the lower edge to 1 at the upper; what is beyond an edge is at it."""
        if not value < self.high:
            return 1.0
        if value <= self.low:
            return 0.0
        if self.logarithmic:
            return log10(value / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def off_scale(value: float) -> bool:
    """Return whether a value has no place on a scale: infinite, no number, or 1e15 and above."""
    return not value < OFF_SCALE


TINY: Final = 1e-300
"""Below this a value is 0 on any scale: its parts would be smaller than floats can be."""


def linear_scale(values: Sequence[float], mark_count: int = 5, whole: bool = False) -> Scale:
    """Return a scale from 0 to a round number not below any finite value; `whole` keeps its marks whole."""
    top = max((value for value in values if not off_scale(value)), default=0.0)
    top = top if top > TINY else 1.0
    step = _round_up(top / mark_count)
    step = max(1.0, step) if whole else step
    marks = tuple(index * step for index in range(ceil(top / step * (1 - 1e-9)) + 1))
    return Scale(0.0, marks[-1], False, marks)


def latency_scale(values: Sequence[float], slo: float, mark_count: int = 4) -> Scale:
    """Return a scale for latencies that shows the SLO too, logarithmic when they exceed 20 times the SLO."""
    finite = [value for value in (*values, slo) if not off_scale(value)]
    positive = [value for value in finite if value > 0]
    if not positive or max(positive) <= LOG_FROM * slo:
        # Without headroom a latency without an end would look like the largest finite one.
        beyond = [1.25 * max(finite)] if len(finite) <= len(values) and positive else []
        return linear_scale([*finite, *beyond], mark_count)
    high = _round_up(max(positive))
    low = max(10.0 ** floor(log10(min(positive))), 10.0 ** (ceil(log10(high)) - DECADES))
    powers = [10.0**power for power in range(round(log10(low)), ceil(log10(high) - 1e-9))]
    return Scale(low, high, True, (*powers, high))


def _round_up(value: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below a positive value."""
    # Below the least normal number a power of ten is rounded to nothing.
    value = max(value, float_info.min)
    power: float = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * (1 - 1e-9))


def axis_label(value: float) -> str:
    """Return a value as an axis shows it, with four significant digits at most.

    >>> axis_label(0), axis_label(2500), axis_label(12_500), axis_label(0.05)
    ('0', '2,500', '12.5k', '0.05')
    """
    for size, suffix in SUFFIXES:
        if value >= size:
            unit = 1000.0 if suffix == "k" else size
            return f"{value / unit:.4g}{suffix}"
    return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


def time_marks(duration_s: float, mark_count: int) -> list[tuple[float, str]]:
    """Return (seconds, label) of marks in an even number of seconds, minutes, hours or days, about `mark_count`."""
    wanted = duration_s / max(mark_count, 1)
    week = STEPS_S[-1]
    step = next((step for step in STEPS_S if step >= wanted), week * ceil(wanted / week))
    marks = [index * step for index in range(int(duration_s / step + 1e-9) + 1)]
    return [(mark, label) for mark in marks if (label := _time_label(mark, step, duration_s))]


def _time_label(mark_s: int, step_s: int, duration_s: float) -> str:
    if duration_s > DAY * 1.5:
        if mark_s % DAY:
            return f"{mark_s % DAY // HOUR} h"
        # The end of the last day is not the beginning of another.
        return f"day {mark_s // DAY + 1}" if mark_s < duration_s else ""
    unit, name = (HOUR, "h") if step_s >= HOUR else (MINUTE, "min") if step_s >= MINUTE else (1, "s")
    return f"{mark_s // unit} {name}"


def decimated(values: Sequence[float], point_count: int) -> list[tuple[int, float]]:
    """Return (index, value) of at most `point_count` values, in order: all, or the first, the last and of each of
    equally many neighbours the least and the greatest.

    Raises ValueError for fewer than 4 points.
    """
    if point_count < 4:
        raise ValueError("a line needs 4 points at least")
    size = len(values)
    if size <= point_count:
        return list(enumerate(values))
    buckets = (point_count - 2) // 2
    kept = {0, size - 1}
    for bucket in range(buckets):
        indexes = range(bucket * size // buckets, (bucket + 1) * size // buckets)
        kept |= {min(indexes, key=values.__getitem__), max(indexes, key=values.__getitem__)}
    return [(index, values[index]) for index in sorted(kept)]


# What is shown


@dataclass(frozen=True, slots=True)
class Story:
    """One policy's timeline with its scales and the words above it."""

    timeline: Timeline
    requests: Scale
    nodes: Scale
    latency: Scale
    title: str
    subtitle: str
    source: str
    nodes_name: str
    service: str
    policy: str

    @property
    def size(self) -> int:
        """The number of ticks."""
        return len(self.timeline.requests_per_s)

    @property
    def duration_s(self) -> float:
        """Seconds from the first tick's beginning to the last one's end; 1 when there is none."""
        duration = self.size * self.timeline.tick_s
        return duration if isfinite(duration) and duration > 0 else 1.0

    @property
    def load_title(self) -> str:
        """The heading of the first panel."""
        return "Load and capacity (requests/s)"

    @property
    def nodes_title(self) -> str:
        """The heading of the second panel, with the least and the greatest number."""
        counts = self.timeline.node_count
        if not counts:
            return self.nodes_name
        low, high = min(counts), max(counts)
        return f"{self.nodes_name} ({low:,})" if low == high else f"{self.nodes_name} ({low:,} to {high:,})"

    @property
    def latency_title(self) -> str:
        """The heading of the third panel, which says what its scale does."""
        notes = ["ms"]
        if self.latency.logarithmic:
            notes.append("logarithmic")
        if any(map(off_scale, self.timeline.latency_ms_p95)):
            notes.append("off the scale where overloaded")
        return f"Latency p95 ({', '.join(notes)})"

    @property
    def slo_title(self) -> str:
        """The SLO in words."""
        return f"SLO {count(self.timeline.slo_latency_ms_p95)} ms" if self.has_slo else "no SLO"

    @property
    def has_slo(self) -> bool:
        """Whether the SLO has a place on the scale."""
        return 0 < self.timeline.slo_latency_ms_p95 < OFF_SCALE


def stories(simulation: Simulation, policy: str) -> list[Story]:
    """Return what is shown of a policy, service by service. Raises UsageError for a policy without a timeline."""
    return [_story(simulation, replay, policy) for replay in simulation.replays]


def _story(simulation: Simulation, replay: Replay, policy: str) -> Story:
    timelines = dict(replay.timelines)
    if policy not in timelines:
        known = [name for name, _ in replay.timelines]
        raise UsageError(
            f"no timeline of a policy {policy!r}{did_you_mean(policy, known)}; "
            f"policies are {', '.join(known) or 'none at all'}"
        )
    timeline = timelines[policy]
    described = next((outcome.description for outcome in replay.outcomes if outcome.policy == policy), "")
    runs = f"run 1 of {simulation.run_count:,}, " if simulation.run_count > 1 else ""
    service = one_line(replay.service) if len(simulation.replays) > 1 else ""
    return Story(
        timeline,
        requests=linear_scale((*timeline.requests_per_s, *timeline.capacity_requests_per_s)),
        nodes=linear_scale(timeline.node_count, mark_count=4, whole=True),
        latency=latency_scale(timeline.latency_ms_p95, timeline.slo_latency_ms_p95),
        title=f"{', '.join(filter(None, (one_line(simulation.scenario), service)))}: {one_line(policy)}",
        subtitle=" · ".join(part for part in (_missed_words(timeline), one_line(described)) if part),
        source=f"{one_line(simulation.traffic)} · {runs}seed {simulation.seed}",
        nodes_name=f"{service or 'API'} nodes",
        service=one_line(replay.service),
        policy=one_line(policy),
    )


def _missed_words(timeline: Timeline) -> str:
    ticks = sum(timeline.missed)
    if not timeline.missed:
        return "no ticks were simulated"
    if not ticks:
        return "SLO never missed"
    minutes = ticks * timeline.tick_s / MINUTE
    return f"SLO missed {minutes:,.1f} min, {ticks / len(timeline.missed):.2%} of the time"
