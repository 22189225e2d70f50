"""Plan -> Checked: requests one by one through the places of a chain, beside what its formulas say."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop, heappush, heapreplace
from itertools import accumulate, count
from random import Random
from typing import Final, TypeVar

from cascade_plan.errors import UsageError
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.place import Place, Visit
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Action
from cascade_plan.planning.ceilings import broken
from cascade_plan.planning.chain import Chain, predict
from cascade_plan.planning.latencies import chain_for, scale_for
from cascade_plan.proving.queue import Flow, Interval, mean_interval, percentile_interval

_T = TypeVar("_T")
WARM_UP: Final = 0.2
"""Share of the answers, the first ones, that no figure counts."""
TOLD_EVERY: Final = 10_000
"""Requests between two words of how far a simulation has come: a tenth of a second or so."""
BELIEVED: Final = 0.2
"""A prediction that is off by more is said to be: four times what the formulas are off by where they hold
(docs/model.md)."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What the users of a run saw, with 95 % confidence intervals; times in ms."""

    requests_per_s: float
    latency_ms_mean: Interval
    latency_ms_p95: Interval
    latency_ms_p99: Interval
    flow: Flow


@dataclass(frozen=True, slots=True)
class Checked:
    """A figure of a named load, as predicted and as simulated request by request."""

    load: str
    users: int
    figure: str
    predicted: float
    simulated: float
    half_width: float
    """Of the 95 % confidence interval."""

    @property
    def is_off(self) -> bool:
        """Whether the prediction of a latency lies further than BELIEVED from all that the simulation may mean."""
        return (
            self.half_width > 0 and abs(self.predicted - self.simulated) > BELIEVED * self.simulated + self.half_width
        )


def checked(
    plan: Plan, request_count: int, seed: int, progress: Callable[[str, int], None] = lambda load, answered: None
) -> tuple[Checked, ...]:
    """Return predictions beside a request-level simulation, for every named load on the counts that answer it.

    `progress` is told of each load, again and again, how many more requests of it are answered.
    Raises UsageError where requests visit nothing of the plan.
    """
    rows: list[Checked] = []
    for name, load in plan.scenario.driven.items():
        on = chain_for(plan.scenario, plan.fleet, load)
        if not on.places:
            raise UsageError(f"{plan.scenario.name}: no requests to simulate: they visit nothing that it has")
        predicted, got = predict(on, load.users), run(on, load.users, request_count, seed, partial(progress, name))
        rows.append(Checked(name, load.users, "requests/s", predicted.requests_per_s, got.requests_per_s, 0.0))
        for figure, value, interval in (
            ("mean ms", predicted.latency_ms_mean, got.latency_ms_mean),
            ("p95 ms", predicted.latency_ms_p95, got.latency_ms_p95),
            ("p99 ms", predicted.latency_ms_p99, got.latency_ms_p99),
        ):
            rows.append(Checked(name, load.users, figure, value, interval.value, interval.half_width))
    return tuple(rows)


def limits_of_loads(plan: Plan) -> Iterator[str]:
    """Yield, for each named load, what it asks more of than it does: no queue of the simulation tells."""
    think_s, average = plan.scenario.behaviour.think_time_s.mean, plan.traffic.requests_per_s.average
    for name, load in plan.scenario.driven.items():
        scale = scale_for(plan.scenario, plan.fleet, load)
        if words := broken(plan.fleet, load.users / think_s, average, scale):
            yield f"load {name}: {words}; the latencies are those without that limit"


def run(
    on: Chain, users: int, request_count: int, seed: int, progress: Callable[[int], None] = lambda answered: None
) -> Simulated:
    """Return what `users` who think and ask see over `request_count` answers, the first fifth dropped.

    A request visits the chain's places in turn, each as often as it says. Where a place is held for another (a
    connection for the database), a server of it is taken first, in the order of coming, kept while the request waits
    and is served at the other and for the constant time after, and given back. The formulas take a server to be held
    for the service and a round trip alone, neither for the wait at the other place nor for a commit. Jobs that a
    request leaves behind begin when it is answered; they keep servers busy, and nobody waits for them.
    """
    import numpy as np

    world = _World(on, users, Random(seed))
    for answered in range(0, request_count, TOLD_EVERY):
        until = min(answered + TOLD_EVERY, request_count)
        world.answer(until)
        progress(until - answered)
    responses, ends = world.responses, world.ends
    dropped = int(request_count * WARM_UP)
    kept = np.array(responses[dropped:]) * 1000
    return Simulated(
        (request_count - dropped) / (ends[-1] - ends[dropped - 1]),
        mean_interval(kept),
        percentile_interval(kept, 0.95),
        percentile_interval(kept, 0.99),
        Flow(world.issued, request_count, world.issued - request_count),
    )


class _Held:
    """The servers of one queue of a place that is held for another, and who waits for one, first come first."""

    __slots__ = ("free", "waiting")

    def __init__(self, server_count: int) -> None:
        self.free = server_count
        self.waiting: deque[int] = deque()

    def taken_by(self, number: int) -> bool:
        """Return whether a server was free and is taken; otherwise whoever it is waits to be given one."""
        if self.free:
            self.free -= 1
            return True
        self.waiting.append(number)
        return False

    def given(self) -> int | None:
        """Give a server back: to the first who waits, who is returned, or to nobody."""
        if self.waiting:
            return self.waiting.popleft()
        self.free += 1
        return None


@dataclass(frozen=True, slots=True)
class _Leg:
    """A visit of one kind of request, where it is served and what it holds meanwhile."""

    visit: Visit
    queues: Sequence[list[float]]
    """Of each queue of the place when its servers fall free, as a heap."""
    held: tuple[Sequence[_Held], ...]
    """Of each place that is held for this one its queues."""


class _World:
    """Users, the servers they meet, and the moment; a task is a generator of the times at which it goes on.

    A task that yields None goes on when somebody gives it what it waits for.
    """

    def __init__(self, on: Chain, users: int, random: Random) -> None:
        self.random, self.think = random, on.scenario.behaviour.think_time_s
        self.now, self.issued = 0.0, 0
        self.responses: list[float] = []
        self.ends: list[float] = []
        self.numbers = count(users)
        free, held = _queues(on)
        self.ways = [_parted(tuple(_legs(on, action, free, held))) for _, action in on.mix]
        self.weights = tuple(accumulate(share for share, _ in on.mix))
        self.tasks = {number: self._user(number) for number in range(users)}
        self.events = [(self._left_to_think(), number) for number in range(users)]
        heapify(self.events)

    def _left_to_think(self) -> float:
        """Return what is left of a thought at a moment in the midst of many: longer thoughts are met more often."""
        least, most = self.think.min, self.think.max
        met = math.sqrt(least**2 + self.random.random() * (most**2 - least**2))
        return self.random.random() * met

    def answer(self, request_count: int) -> None:
        """Let time pass until so many requests are answered."""
        tasks, events, ends = self.tasks, self.events, self.ends
        while len(ends) < request_count:
            self.now, number = heappop(events)
            until = next(tasks[number], math.inf)
            if until is None:
                continue
            if until == math.inf:
                del tasks[number]
            else:
                heappush(events, (until, number))

    def _user(self, number: int) -> Iterator[float | None]:
        random, think = self.random, self.think
        while True:
            awaited, left = random.choices(self.ways, cum_weights=self.weights)[0]
            began = self.now
            self.issued += 1
            yield from self._visits(awaited, number)
            self.responses.append(self.now - began)
            self.ends.append(self.now)
            if left:
                job = next(self.numbers)
                self.tasks[job] = self._visits(left, job)
                heappush(self.events, (self.now, job))
            yield self.now + random.uniform(think.min, think.max)

    def _visits(self, legs: tuple[_Leg, ...], number: int) -> Iterator[float | None]:
        random = self.random
        for leg in legs:
            visit = leg.visit
            for _ in range(visit.try_count):
                if visit.chance_ratio < 1 and random.random() >= visit.chance_ratio:
                    continue
                held = [_one(queues, random) for queues in leg.held]
                for each in held:
                    if not each.taken_by(number):
                        yield None
                free = _one(leg.queues, random)
                end = max(self.now, free[0]) + _drawn(visit.service, random)
                heapreplace(free, end)
                yield end + visit.after_s
                for each in held:
                    if (next_one := each.given()) is not None:
                        heappush(self.events, (self.now, next_one))


def _queues(on: Chain) -> tuple[Mapping[str, Sequence[list[float]]], Mapping[str, Sequence[_Held]]]:
    """Return by place the queues of its servers: as moments they fall free, and as what is held for another place."""
    counts = {place.name: (place.queue_count, on.stations[place.name].servers) for place in on.places}
    free = {name: [[0.0] * servers for _ in range(queues)] for name, (queues, servers) in counts.items()}
    held = {name: [_Held(servers) for _ in range(queues)] for name, (queues, servers) in counts.items()}
    return free, held


def _legs(
    on: Chain, action: Action, free: Mapping[str, Sequence[list[float]]], held: Mapping[str, Sequence[_Held]]
) -> Iterator[_Leg]:
    """Yield what a request of an action visits, place by place.

    A place that is held has a visit for each of the other's, in their order. Raises ValueError where it has not.
    """
    asked: dict[str, Sequence[Visit]] = {place.name: place.visits(action) for place in on.places}
    for place in on.places:
        own = [visit for visit in asked[place.name] if not visit.held_for]
        holding = [_holding(other, asked[other.name], place.name) for other in on.places]
        for visit, *around in zip(own, *(visits for visits in holding if visits), strict=True):
            if visit.try_count and visit.chance_ratio:
                yield _Leg(visit, free[place.name], tuple(held[name] for name in around))


def _holding(place: Place, visits: Sequence[Visit], name: str) -> list[str]:
    """Return a place's name for each of its visits that is held for the place of a name."""
    return [place.name for visit in visits if visit.held_for == name]


def _parted(legs: tuple[_Leg, ...]) -> tuple[tuple[_Leg, ...], tuple[_Leg, ...]]:
    """Return the visits that a request waits for, and those that it leaves to others."""
    return tuple(leg for leg in legs if leg.visit.is_awaited), tuple(leg for leg in legs if not leg.visit.is_awaited)


def _one(queues: Sequence[_T], random: Random) -> _T:
    """Return one of the queues, all as likely: what comes to units with queues of their own is spread evenly."""
    return queues[0] if len(queues) == 1 else random.choice(queues)


def _drawn(law: ServiceTime, random: Random) -> float:
    """Return a draw: constant, gamma up to SCV 1, two exponentials with balanced means above."""
    if law.scv < 0.02:
        return law.mean_s
    if law.scv == 1:
        return random.expovariate(1 / law.mean_s)
    if law.scv < 1:
        return random.gammavariate(1 / law.scv, law.mean_s * law.scv)
    (share, mean_s), (_, other_mean_s) = law.phases
    return random.expovariate(1 / (mean_s if random.random() < share else other_mean_s))
