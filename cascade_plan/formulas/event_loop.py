"""A server that a request comes back to after every await: between first come first served and processor sharing.

One loop (or several behind one balancer) works off callbacks in the order in which they are ready. A request needs it
in bursts: a short one before each await, and the rest of its CPU time after the last. What it waits in all depends on
how its work is cut, not only on how much there is: asyncio, Node, and threads that a kernel slices behave so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from cascade_plan.formulas.closed_station import Queue
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.transforms import NONE, Wait, work

MEMORY: Final = 1.3
FADING: Final = 0.3
"""How fast a loop forgets, against the time a request spends between its bursts: fitted to 70 simulated loops."""


class Burst(NamedTuple):
    """CPU in one piece."""

    times: float
    mean_s: float
    second_s2: float
    """Its second moment."""


class Gap(NamedTuple):
    """The time from one coming to the loop to the next."""

    times: float
    gap_s: float


@dataclass(frozen=True)
class Turns:
    """How one kind of request uses the loop."""

    share: float
    """Of all that use it."""
    cpu: ServiceTime
    bursts: tuple[Burst, ...]
    gaps: tuple[Gap, ...]
    """Between its bursts, on average; before its first there is none."""

    @cached_property
    def count(self) -> float:
        """How often it comes."""
        return sum(burst.times for burst in self.bursts)

    @cached_property
    def span_s(self) -> float:
        """From its first coming to its last, if it never waits."""
        return sum(count * gap_s for count, gap_s in self.gaps)


def turns(share: float, cpu: ServiceTime, await_s: float, awaits: Sequence[Gap]) -> Turns:
    """Return how a request uses the loop: `await_s` of CPU before each await, what is left of it after the last.

    `awaits` are how often it awaits for how long. Where the CPU time is less than that, all bursts are as long.
    """
    count = sum(each.times for each in awaits)
    each_s = min(await_s, cpu.mean_s / (count + 1))
    last_s = cpu.mean_s - count * each_s
    last = Burst(1.0, last_s, last_s**2 + cpu.scv * cpu.mean_s**2)
    bursts = (Burst(count, each_s, each_s**2), last) if count and each_s else (last,)
    return Turns(share, cpu, bursts, tuple(Gap(each.times, each.gap_s + each_s) for each in awaits if each.times))


@dataclass(frozen=True)
class Loop:
    """What all kinds of requests ask of the loop."""

    kinds: tuple[Turns, ...]

    @cached_property
    def cpu_s(self) -> float:
        """Mean CPU time of a request."""
        return sum(kind.share * kind.cpu.mean_s for kind in self.kinds)

    @cached_property
    def _second_s2(self) -> float:
        return sum(kind.share * kind.cpu.mean_s**2 * (1 + kind.cpu.scv) for kind in self.kinds)

    @cached_property
    def _count(self) -> float:
        return sum(kind.share * kind.count for kind in self.kinds)

    @cached_property
    def spread(self) -> float:
        """The wait in heavy traffic over that under processor sharing.

        The work before a request is E[x^2] / (2 E[x]) / (1 - rho) on average whatever the order, and what waits is as
        many requests as it holds of the work that one which waits has still before it: all of x if it comes once, half
        of x on average if it comes often with equal bursts, nearly all of x if the long burst is the last.
        """
        left_s = sum(kind.share * _left_s(kind) for kind in self.kinds) / self._count
        return self._second_s2 / (2 * self.cpu_s) / left_s

    @cached_property
    def alone(self) -> tuple[float, ...]:
        """The wait of each kind in light traffic, over that under processor sharing: one other is there at most.

        A burst of the other that is under way, or begins in the gap before one of its own comings, is waited for.
        """
        return tuple(self._met(kind, _overlap) / self.cpu_s**2 for kind in self.kinds)

    @cached_property
    def looks(self) -> tuple[float, ...]:
        """How many times as likely each kind finds the loop busy at least once, in light traffic, as by one coming."""
        return tuple(self._met(kind, _covered) / self.cpu_s for kind in self.kinds)

    def _met(self, kind: Turns, of: Callable[[float, Burst], float]) -> float:
        comings = (Gap(1.0, math.inf), *kind.gaps)
        return sum(
            other.share * burst.times * gap.times * of(gap.gap_s, burst)
            for other in self.kinds
            for burst in other.bursts
            for gap in comings
        )

    def factors(self, utilisation: float, servers: int) -> tuple[float, ...]:
        """Return the mean wait of each kind over the wait under processor sharing at a utilisation.

        Between light and heavy traffic by how long the loop remembers what was before it, S / (1 - rho)^2, against the
        time from a request's first coming to its last: while it forgets in between, each coming waits anew.
        """
        return self._factors(self.freshness(utilisation, servers))

    def _factors(self, freshness: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(
            (self.spread * kind.count / self._count) ** (1 - fresh) * alone**fresh
            for kind, alone, fresh in zip(self.kinds, self.alone, freshness, strict=True)
        )

    def freshness(self, utilisation: float, servers: int) -> tuple[float, ...]:
        """Return how far each coming of each kind finds another queue than the one before: 1 in light traffic, else 0.

        Fitted to the mean waits of 70 simulated loops, of 2 to 16 comings, 30 to 97 % busy.
        """
        memory_s = self._second_s2 / (2 * self.cpu_s) / servers
        kept = MEMORY * utilisation**2
        spans = ((kind.span_s * (1 - utilisation) ** 2 / memory_s) ** FADING for kind in self.kinds)
        return tuple(span / (span + kept) if span else 0.0 for span in spans)

    def waits(self, queue: Queue, utilisation: float, servers: int, service_s: float) -> tuple[Wait, ...]:
        """Return what each kind waits in all its comings, behind the queue that a request finds.

        `queue` is that of a closed station with this loop's `spread`, `service_s` what keeps one of its servers busy.
        """
        if queue.chance <= 0:
            return (NONE,) * len(self.kinds)
        base_s = queue.chance * (1 + queue.mean) * service_s / servers
        free = math.log1p(-queue.chance) if queue.chance < 1 else -math.inf
        freshness = self.freshness(min(1.0, utilisation), servers)
        found = []
        for kind, factor, looks, fresh in zip(self.kinds, self._factors(freshness), self.looks, freshness, strict=True):
            chance = -math.expm1(looks * free)
            # The second moment over the square of the mean: of one wait for all comings, or of one for each.
            one, each = (1 + queue.work_scv) / chance, 1 + (2 / queue.chance - 1) / kind.count
            second = one + fresh**1.5 * (each - one)
            # Who seldom waits meets what happens to be under way, which is as long as chance has it.
            found.append(work(chance, base_s * factor / chance, max(1 - chance, second * chance - 1)))
        return tuple(found)


def _left_s(kind: Turns) -> float:
    """Return the CPU time that a request has still before it, summed over its comings."""
    total, ahead_s = 0.0, kind.cpu.mean_s
    for count, mean_s, _ in kind.bursts:
        total += count * ahead_s - mean_s * count * (count - 1) / 2
        ahead_s -= count * mean_s
    return total


def _overlap(gap_s: float, burst: Burst) -> float:
    """Return the integral over u from 0 to the gap of E[max(0, B - u)], by an exponential decay: exact where B is."""
    half_s2 = burst.second_s2 / 2
    if half_s2 <= 0:
        return 0.0
    return half_s2 * -math.expm1(-gap_s * burst.mean_s / half_s2) if gap_s < math.inf else half_s2


def _covered(gap_s: float, burst: Burst) -> float:
    """Return E[min(gap, B)], by the same decay."""
    if burst.mean_s <= 0:
        return 0.0
    return burst.mean_s * -math.expm1(-gap_s / burst.mean_s) if gap_s < math.inf else burst.mean_s
