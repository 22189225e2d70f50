"""Event loops in many worlds: the same as `event_loop`, with an array where that has a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cascade_plan.formulas.arrays.laws import Law, Waits, work
from cascade_plan.formulas.arrays.numbers import Array, Number
from cascade_plan.formulas.arrays.stations import Queues
from cascade_plan.formulas.event_loop import FADING, MEMORY


class Burst(NamedTuple):
    """CPU in one piece."""

    times: Number
    mean_s: Array
    second_s2: Array


class Gap(NamedTuple):
    """The time from one coming to the loop to the next; before the first there is no end of it."""

    times: Number
    gap_s: Array | None


class Turns(NamedTuple):
    """How one kind of request uses the loop."""

    share: Array
    cpu: Law
    bursts: tuple[Burst, ...]
    gaps: tuple[Gap, ...]

    @property
    def comings(self) -> Array:
        """How often it comes."""
        return sum((burst.times for burst in self.bursts), np.zeros_like(self.share))

    @property
    def span_s(self) -> Array:
        """From its first coming to its last, if it never waits."""
        return sum((gap.times * gap.gap_s for gap in self.gaps), np.zeros_like(self.share))


def turns(share: Array, cpu: Law, await_s: Number, awaits: Sequence[tuple[Array, Array]]) -> Turns:
    """Return how a request uses the loop, of (how often it awaits, for how long)."""
    count = sum((times for times, _ in awaits), np.zeros_like(share))
    each_s = np.minimum(await_s, cpu.mean_s / (count + 1))
    last_s = cpu.mean_s - count * each_s
    last = Burst(1.0, last_s, last_s**2 + cpu.scv * cpu.mean_s**2)
    short = Burst(np.where(each_s > 0, count, 0.0), each_s, each_s**2)
    return Turns(share, cpu, (short, last), tuple(Gap(times, gap_s + each_s) for times, gap_s in awaits))


class Loop(NamedTuple):
    """What all kinds of requests ask of the loop, and what follows of it whatever its load is."""

    counts: tuple[Array, ...]
    spans_s: tuple[Array, ...]
    cpu_s: Array
    second_s2: Array
    mean_count: Array
    spread: Array
    alone: tuple[Array, ...]
    looks: tuple[Array, ...]

    @classmethod
    def of(cls, kinds: Sequence[Turns]) -> Loop:
        """Return the loop of kinds of requests, whose shares sum to 1."""
        cpu_s = _sum(kind.share * kind.cpu.mean_s for kind in kinds)
        second_s2 = _sum(kind.share * kind.cpu.mean_s**2 * (1 + kind.cpu.scv) for kind in kinds)
        mean_count = _sum(kind.share * kind.comings for kind in kinds)
        left_s = _sum(kind.share * _left_s(kind) for kind in kinds) / mean_count
        return cls(
            tuple(kind.comings for kind in kinds),
            tuple(kind.span_s for kind in kinds),
            cpu_s,
            second_s2,
            mean_count,
            second_s2 / (2 * cpu_s) / left_s,
            tuple(_met(kind, kinds, _overlap) / cpu_s**2 for kind in kinds),
            tuple(_met(kind, kinds, _covered) / cpu_s for kind in kinds),
        )

    def waits(self, queue: Queues, utilisation: Array, servers: int, service_s: Array) -> tuple[Waits, ...]:
        """Return what each kind waits in all its comings, behind the queue that a request finds."""
        base_s = queue.chance * (1 + queue.mean) * service_s / servers
        some = queue.chance > 0
        held = np.where(some, queue.chance, 0.5)
        with np.errstate(divide="ignore"):
            free = np.log1p(-np.minimum(held, 1.0))
        busy = np.minimum(1.0, utilisation)
        found = []
        for index, looks in enumerate(self.looks):
            fresh = self._freshness(index, busy, servers)
            factor = (self.spread * self.counts[index] / self.mean_count) ** (1 - fresh) * self.alone[index] ** fresh
            chance = -np.expm1(looks * free)
            one, each = (1 + queue.work_scv) / chance, 1 + (2 / held - 1) / self.counts[index]
            second = one + fresh**1.5 * (each - one)
            found.append(
                work(np.where(some, chance, 0.0), base_s * factor / chance, np.maximum(1 - chance, second * chance - 1))
            )
        return tuple(found)

    def _freshness(self, index: int, utilisation: Array, servers: int) -> Array:
        memory_s = self.second_s2 / (2 * self.cpu_s) / servers
        span = (self.spans_s[index] * (1 - utilisation) ** 2 / memory_s) ** FADING
        return np.where(span > 0, span / np.where(span > 0, span + MEMORY * utilisation**2, 1.0), 0.0)


def _sum(parts: object) -> Array:
    total: Array = sum(parts)  # type: ignore[call-overload]
    return total


def _left_s(kind: Turns) -> Array:
    total, ahead_s = np.zeros_like(kind.share), kind.cpu.mean_s
    for times, mean_s, _ in kind.bursts:
        total = total + times * ahead_s - mean_s * times * (times - 1) / 2
        ahead_s = ahead_s - times * mean_s
    return total


def _met(kind: Turns, kinds: Sequence[Turns], of: Callable[[Array | None, Burst], Array]) -> Array:
    total = np.zeros_like(kind.share)
    for other in kinds:
        for burst in other.bursts:
            for gap in (Gap(1.0, None), *kind.gaps):
                total += other.share * burst.times * gap.times * of(gap.gap_s, burst)
    return total


def _overlap(gap_s: Array | None, burst: Burst) -> Array:
    half_s2 = burst.second_s2 / 2
    if gap_s is None:
        return half_s2
    some = half_s2 > 0
    safe = np.where(some, half_s2, 1.0)
    return np.where(some, half_s2 * -np.expm1(-gap_s * burst.mean_s / safe), 0.0)


def _covered(gap_s: Array | None, burst: Burst) -> Array:
    if gap_s is None:
        return burst.mean_s
    some = burst.mean_s > 0
    safe = np.where(some, burst.mean_s, 1.0)
    return np.where(some, burst.mean_s * -np.expm1(-gap_s / safe), 0.0)
