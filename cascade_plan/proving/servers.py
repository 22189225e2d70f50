"""What requests meet one by one: servers that are queued for, shared, stopped by a limit, or held."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from itertools import count
from typing import Final, Protocol

from cascade_plan.model.place import Quota

ROUNDING_S: Final = 1e-11
"""Moments and work that differ by less are the same: what adding up rounds off in days."""
NEVER: Final = math.inf
"""When a task goes on that somebody else wakes."""
Go = Callable[[float], float]
"""Lets a task go on at a moment, and returns when it goes on again."""


class Events:
    """What happens next, in the order of time and then of asking."""

    __slots__ = ("due", "numbers")

    def __init__(self) -> None:
        self.due: list[tuple[float, int, Go]] = []
        self.numbers = count()

    def at(self, moment_s: float, go: Go) -> None:
        """Let a task go on at a moment."""
        heappush(self.due, (moment_s, next(self.numbers), go))


class Queue(Protocol):
    """Servers that work is brought to, first come first served."""

    def served(self, now_s: float, work_s: float) -> float:
        """Return when work is done that comes at a moment, each not before the one before."""

    def busy_s(self, now_s: float) -> float:
        """Return how long servers were busy until a moment, all together."""


class Servers:
    """Servers behind one queue."""

    __slots__ = ("free", "work_s")

    def __init__(self, server_count: int) -> None:
        self.free = [0.0] * server_count
        """When each falls free, as a heap."""
        self.work_s = 0.0

    def served(self, now_s: float, work_s: float) -> float:
        """Return when work is done that comes at a moment, each not before the one before."""
        self.work_s += work_s
        free = self.free
        end_s = (now_s if now_s > free[0] else free[0]) + work_s
        heapreplace(free, end_s)
        return end_s

    def busy_s(self, now_s: float) -> float:
        """Return how long servers were busy until a moment, all together."""
        # A server that falls free later is busy until then without a break.
        return self.work_s - sum(end_s - now_s for end_s in self.free if end_s > now_s)


class Limited:
    """One core with a limit: who has used up a period's CPU time is stopped until the next."""

    __slots__ = ("end_s", "most_s", "period", "period_s", "phase_s", "used_s", "work_s")

    def __init__(self, quota: Quota, phase_s: float) -> None:
        self.most_s, self.period_s, self.phase_s = quota.cores * quota.period_s, quota.period_s, phase_s
        self.end_s, self.used_s, self.work_s, self.period = 0.0, 0.0, 0.0, 0

    def served(self, now_s: float, work_s: float) -> float:
        """Return when work is done that comes at a moment, each not before the one before."""
        self.work_s += work_s
        at_s = max(now_s, self.end_s)
        while True:
            period = math.floor((at_s + self.phase_s) / self.period_s)
            if period > self.period:
                self.period, self.used_s = period, 0.0
            next_s = (self.period + 1) * self.period_s - self.phase_s
            part_s = min(work_s, self.most_s - self.used_s, next_s - at_s)
            self.used_s, work_s = self.used_s + part_s, work_s - part_s
            if work_s < ROUNDING_S:
                self.end_s = at_s + part_s
                return self.end_s
            self.period, self.used_s, at_s = self.period + 1, 0.0, next_s

    def busy_s(self, now_s: float) -> float:
        """Return how long it was busy until a moment: of what is not over yet as much as periods let it, on average."""
        return self.work_s - max(0.0, self.end_s - now_s) * self.most_s / self.period_s


class Shared:
    """Servers that all requests share at once: each is served at the rate 1, or of servers / requests if less.

    All are served alike, so that each leaves when as much is done for all as it needs: `virtual_s` is how much that is
    since the last moment when nobody was there. With a quota it is one pod that is stopped at times.
    """

    __slots__ = ("_busy_s", "events", "finishes", "most_s", "period", "period_s", "phase_s", "planned_s", "servers",
                 "since_s", "used_s", "virtual_s")  # fmt: skip

    def __init__(self, server_count: int, events: Events, quota: Quota | None = None, phase_s: float = 0.0) -> None:
        self.servers, self.events = server_count, events
        self.finishes: list[tuple[float, int, Go]] = []
        self.virtual_s = self.since_s = self._busy_s = self.used_s = 0.0
        self.period_s = quota.period_s if quota else NEVER
        self.most_s = quota.cores * quota.period_s if quota else NEVER
        self.period, self.phase_s, self.planned_s = 0, phase_s, NEVER

    def enter(self, now_s: float, work_s: float, go: Go) -> None:
        """Begin to serve a request, which goes on when it is served."""
        self._pass(now_s)
        heappush(self.finishes, (self.virtual_s + work_s, next(self.events.numbers), go))
        self._plan(now_s)

    def busy_s(self, now_s: float) -> float:
        """Return how long servers were busy until a moment, all together."""
        self._pass(now_s)
        return self._busy_s

    def _pass(self, now_s: float) -> None:
        """Serve all until a moment, before which nothing that was planned is due."""
        here, passed_s = len(self.finishes), now_s - self.since_s
        if here and not self._is_stopped:
            working = min(here, self.servers)
            self.virtual_s += passed_s * working / here
            self._busy_s += passed_s * working
            self.used_s += passed_s * working
        self.since_s = now_s
        # A period that ends at this very moment is over, whatever was rounded.
        period = math.floor((now_s + self.phase_s + ROUNDING_S) / self.period_s)
        if period > self.period:
            self.period, self.used_s = period, 0.0

    @property
    def _is_stopped(self) -> bool:
        return self.most_s - self.used_s < ROUNDING_S

    def _plan(self, now_s: float) -> None:
        here = len(self.finishes)
        if not here:
            self.virtual_s, self.planned_s = 0.0, NEVER
            return
        working = min(here, self.servers)
        at_s = now_s + max(0.0, self.finishes[0][0] - self.virtual_s) * here / working
        if self.period_s < NEVER:
            next_s = (self.period + 1) * self.period_s - self.phase_s
            spent_s = now_s + (self.most_s - self.used_s) / working
            at_s = next_s if self._is_stopped else min(at_s, next_s, spent_s)
        self.planned_s = at_s
        self.events.at(at_s, self._due)

    def _due(self, now_s: float) -> float:
        """Let go who is served, unless somebody came or left since this was planned."""
        if now_s == self.planned_s:
            self._pass(now_s)
            if self.finishes[0][0] - self.virtual_s < ROUNDING_S:
                self.events.at(now_s, heappop(self.finishes)[2])
            self._plan(now_s)
        return NEVER


class Held:
    """Servers that are taken, kept while their request is elsewhere, and given back; first come first served."""

    __slots__ = ("_since_s", "events", "free", "server_count", "waiting")

    def __init__(self, server_count: int, events: Events) -> None:
        self.server_count = self.free = server_count
        self.events = events
        self.waiting: deque[Go] = deque()
        self._since_s = 0.0

    def taken(self, now_s: float, go: Go) -> bool:
        """Return whether a server was free and is taken; otherwise whoever it is goes on when it is given one."""
        if self.free:
            self.free -= 1
            self._since_s -= now_s
            return True
        self.waiting.append(go)
        return False

    def give(self, now_s: float) -> None:
        """Give a server back: to the first who waits, or to nobody."""
        if self.waiting:
            self.events.at(now_s, self.waiting.popleft())
        else:
            self.free += 1
            self._since_s += now_s

    def busy_s(self, now_s: float) -> float:
        """Return how long servers were held until a moment, all together."""
        return self._since_s + (self.server_count - self.free) * now_s
