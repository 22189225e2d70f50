"""Plan -> Checked: requests one by one through the places of a chain, beside what its formulas say."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop, heappush, heapreplace
from itertools import accumulate, repeat
from random import Random
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from cascade_plan.errors import UsageError
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.place import Place, Visit
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Action
from cascade_plan.planning.ceilings import broken
from cascade_plan.planning.chain import Chain
from cascade_plan.planning.latencies import chain_for, scale_for
from cascade_plan.planning.predicting import predict
from cascade_plan.proving.queue import (
    BATCHES,
    Array,
    Flow,
    Interval,
    endless,
    mean_interval,
    percentile_interval,
)
from cascade_plan.proving.servers import NEVER, Events, Go, Held, Limited, Queue, Servers, Shared

_T = TypeVar("_T")
Task = Generator[float, Any, None]
"""Yields when it goes on and is sent that moment; first of all it is sent its own `Go`."""
Draw = Callable[[], float]
WARM_UP: Final = 0.2
"""Share of the answers, the first ones, that no figure counts."""
BACKLOGS: Final = 3
"""How often what waits at the beginning is answered before the first answer counts: who is answered at once, as he need
not wait for what is short, asks again until he waits as the others do."""
TOLD_EVERY: Final = 10_000
"""Requests between two words of how far a simulation has come: a tenth of a second or so."""
BELIEVED: Final = 0.2
"""A prediction that is off by more is said to be: four times what the formulas are off by where they hold
(docs/model.md)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Response times in ms, with 95 % confidence intervals."""

    mean: Interval
    p50: Interval
    p95: Interval
    p99: Interval


@dataclass(frozen=True, slots=True)
class Simulated:
    """What the users of a run saw, with 95 % confidence intervals; times in ms."""

    requests_per_s: float
    latency_ms_mean: Interval
    latency_ms_p50: Interval
    latency_ms_p95: Interval
    latency_ms_p99: Interval
    by_action: Mapping[str, Seen]
    """Without those that were answered too seldom for an interval."""
    utilisation_ratio: Mapping[str, float]
    """Busy share of each place, and the held share of what is held."""
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
            *(
                (f"p95 ms {action}", predicted.latency_ms((0.95,), action)[0], seen.p95)
                for action, seen in got.by_action.items()
            ),
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

    Where users ask for more than can be answered, the run begins with those who must be waiting, and the answers until
    they have been answered come on top and are dropped too.

    What one request is, in order: time at places where nobody queues (a gateway). Then it comes to the service that
    answers it, with a CPU time drawn from its law. First come first served or shared, all of that time comes first. At
    an event loop it is cut: `await_s` before each await (all bursts as long where it has less), and the rest after the
    last; each burst queues behind those of all other requests. Then, place by place, each try of each visit:

    - of each place that is held for the try's tier (a connection) a server is taken, in the order of coming;
    - round trips, each behind a burst at the loop; at the end of the first the request is served by the places that
      are passed (a PgBouncer process) and by the place itself; after the last comes the pause (a commit);
    - the held servers are given back, to the first who waits.

    So a server is held also while its request waits for the loop. Units with queues of their own are chosen by chance.
    Under a CPU limit each pod is a core of its own that is stopped when it has used up a period's quota, and requests
    come to the pod with the fewest. Jobs that a request leaves behind begin when it is answered; they hold and keep
    busy what a try of it would, and nobody waits for them.
    """
    world = _World(on, users, seed)
    first = BACKLOGS * world.backlog
    dropped, all_of_them = first + max(1, int(request_count * WARM_UP)), first + request_count
    world.answer(first)
    for answered in range(first, all_of_them, TOLD_EVERY):
        until = min(answered + TOLD_EVERY, all_of_them)
        if answered < dropped <= until:
            world.answer(dropped)
            began_s, busy_s = world.now_s, world.busy_s()
        world.answer(until)
        progress(until - answered)
    took_s = world.now_s - began_s
    kept = np.array(world.responses[dropped:]) * 1000
    kinds = np.array(world.kinds[dropped:])
    own = {name: kept[kinds == number] for number, name in enumerate(world.names)}
    whole = _seen(kept)
    return Simulated(
        (all_of_them - dropped) / took_s,
        whole.mean,
        whole.p50,
        whole.p95,
        whole.p99,
        {name: _seen(values) for name, values in own.items() if values.size >= BATCHES},
        {name: (after_s - busy_s[name]) / took_s / world.servers[name] for name, after_s in world.busy_s().items()},
        Flow(world.issued, all_of_them, world.issued - all_of_them),
    )


def _seen(values: Array) -> Seen:
    p50, p95, p99 = (percentile_interval(values, share) for share in (0.5, 0.95, 0.99))
    return Seen(mean_interval(values), p50, p95, p99)


class _Leg(NamedTuple):
    """One try of a visit of one kind of request."""

    chance_ratio: float
    held: tuple[Sequence[Held], ...]
    """Of each place that is held for this one its queues."""
    served: tuple[tuple[Sequence[Queue], Draw], ...]
    """Where it is served, one after the other: the queues of the place, and for how long."""
    trip_count: int
    trip: Draw
    pause: Draw


class _Pods:
    """Pods with a queue each: a request comes to one of those that have the fewest."""

    __slots__ = ("here", "queues")

    def __init__(self, queues: Sequence[Queue | Shared]) -> None:
        self.queues, self.here = queues, [0] * len(queues)

    def least(self, random: Random) -> int:
        """Return the number of one that has the fewest, any of them as likely."""
        if len(self.here) == 1:
            return 0
        fewest = min(self.here)
        return random.choice([number for number, count in enumerate(self.here) if count == fewest])


class _Kind(NamedTuple):
    """What requests of one action are."""

    before: tuple[Draw, ...]
    """Time where nobody queues."""
    cpu: Draw
    pods: _Pods | None
    """Of the service that answers; None where no service does."""
    await_s: float | None
    """CPU time before each await; None where all of it comes first."""
    legs: tuple[_Leg, ...]
    jobs: tuple[_Leg, ...]


class _World:
    """Users, the servers they meet, and the moment."""

    def __init__(self, on: Chain, users: int, seed: int) -> None:
        think = on.scenario.behaviour.think_time_s
        # A chain of one service of several is come to once in so many thoughts.
        self.thought_s = tuple(bound_s * on.think_s / think.mean for bound_s in (think.min, think.max))
        self.random = Random(seed)
        self.now_s, self.issued = 0.0, 0
        self.responses: list[float] = []
        self.kinds: list[int] = []
        self.events = Events()
        met = _Met(on, self.events, seed)
        self.names, self.ways = tuple(dict.fromkeys(way.action for way in on.ways)), met.kinds()
        self.queues, self.servers = met.all, met.servers
        self.weights = tuple(accumulate(share for share, _ in on.mix))
        self.backlog = int(max(0.0, users - _most_per_s(on) * on.think_s))
        """Users who cannot be thinking, for so many are not answered meanwhile: they ask at once."""
        self.thoughts: list[tuple[float, int, Go]] = [
            (0.0 if number < self.backlog else self._left_to_think(), number, _started(self._user(number)))
            for number in range(users)
        ]
        heapify(self.thoughts)

    def _left_to_think(self) -> float:
        """Return what is left of a thought at a moment in the midst of many: longer thoughts are met more often."""
        least, most = self.thought_s
        met = math.sqrt(least**2 + self.random.random() * (most**2 - least**2))
        return self.random.random() * met

    def busy_s(self) -> dict[str, float]:
        """Return how long the servers of each place were busy or held until now, all together."""
        return {name: sum(each.busy_s(self.now_s) for each in queues) for name, queues in self.queues.items()}

    def answer(self, request_count: int) -> None:
        """Let time pass until so many requests are answered."""
        # Those who think stand apart from those who ask: few are asked often, many seldom.
        due, thoughts, answered = self.events.due, self.thoughts, self.responses
        at, numbers, now_s = self.events.at, self.events.numbers, self.now_s
        while len(answered) < request_count:
            if not due or (thoughts and thoughts[0][0] <= due[0][0]):
                now_s, _, go = heappop(thoughts)
                if (until_s := go(now_s)) < NEVER:
                    at(until_s, go)
                continue
            now_s, _, go = due[0]
            # What is asked for meanwhile is due no sooner, and was asked for later: the first stays the first.
            if (until_s := go(now_s)) < NEVER:
                heapreplace(due, (until_s, next(numbers), go))
            else:
                heappop(due)
        self.now_s = now_s

    def _user(self, number: int) -> Task:
        go = yield 0.0
        now_s = yield 0.0
        random, thoughts, ways, weights, last = self.random, self.thoughts, self.ways, self.weights, len(self.ways) - 1
        least_s, most_s = self.thought_s
        spread_s = most_s - least_s
        while True:
            chosen = bisect(weights, random.random(), 0, last)
            kind, began_s = ways[chosen], now_s
            self.issued += 1
            now_s = yield from self._answered(kind, now_s, go)
            self.responses.append(now_s - began_s)
            self.kinds.append(chosen)
            if kind.jobs:
                self.events.at(now_s, _started(self._left_behind(kind.jobs)))
            heappush(thoughts, (now_s + least_s + spread_s * random.random(), number, go))
            now_s = yield NEVER

    def _answered(self, kind: _Kind, now_s: float, go: Go) -> Generator[float, float, float]:
        """Let a request pass, from its coming; return when it is answered."""
        if kind.before:
            now_s = yield now_s + sum(draw() for draw in kind.before)
        random, pods = self.random.random, kind.pods
        legs = [leg for leg in kind.legs if leg.chance_ratio == 1 or random() < leg.chance_ratio]
        if pods is None:
            for leg in legs:
                now_s = yield from self._tried(leg, None, 0.0, now_s, go)
            return now_s
        pod = pods.least(self.random)
        pods.here[pod] += 1
        queue, cpu_s = pods.queues[pod], kind.cpu()
        if isinstance(queue, Shared):
            queue.enter(now_s, cpu_s, go)
            now_s = yield NEVER
        elif kind.await_s is None:
            now_s = yield queue.served(now_s, cpu_s)
        if isinstance(queue, Shared) or kind.await_s is None:
            for leg in legs:
                now_s = yield from self._tried(leg, None, 0.0, now_s, go)
        else:
            await_count = sum(leg.trip_count for leg in legs)
            each_s = min(kind.await_s, cpu_s / (await_count + 1))
            for leg in legs:
                now_s = yield from self._tried(leg, queue, each_s, now_s, go)
            now_s = yield queue.served(now_s, cpu_s - await_count * each_s)
        pods.here[pod] -= 1
        return now_s

    def _left_behind(self, jobs: Sequence[_Leg]) -> Task:
        go = yield 0.0
        now_s = yield 0.0
        for leg in jobs:
            if leg.chance_ratio == 1 or self.random.random() < leg.chance_ratio:
                now_s = yield from self._tried(leg, None, 0.0, now_s, go)
        yield NEVER

    def _tried(
        self, leg: _Leg, loop: Queue | None, each_s: float, now_s: float, go: Go
    ) -> Generator[float, float, float]:
        """Let one try pass, its bursts of a length at a loop where there is one; return when it is over."""
        random, trip, trip_count = self.random, leg.trip, leg.trip_count
        holds = [_one(queues, random) for queues in leg.held]
        for held in holds:
            if not held.taken(now_s, go):
                now_s = yield NEVER
        until_s = now_s
        if trip_count:
            until_s = (now_s if loop is None else loop.served(now_s, each_s)) + trip()
        for queues, service in leg.served:
            if until_s > now_s:
                now_s = yield until_s
            until_s = _one(queues, random).served(now_s, service())
        for _ in range(trip_count - 1):
            if loop is not None:
                now_s = yield until_s
                until_s = loop.served(now_s, each_s)
            until_s += trip()
        now_s = yield until_s + leg.pause()
        for held in holds:
            held.give(now_s)
        return now_s


def _started(task: Task) -> Go:
    """Return what lets a task go on, which has been told of it."""
    next(task)
    task.send(task.send)
    return task.send


class _Met:
    """The queues of all places of a chain, and what requests of each action ask of them."""

    def __init__(self, on: Chain, events: Events, seed: int) -> None:
        self.on, self.events, self.random = on, events, np.random.default_rng(seed)
        self.drawn: dict[ServiceTime, Draw] = {}
        self.services = {way.service for way in on.ways}
        self.held = {place.name: self._holds(place) for place in on.places if place.is_held}
        self.pods = {place.name: _Pods(self._pods(place)) for place in on.places if place.name in self.services}
        self.queues = {
            place.name: [Servers(on.stations[place.name].servers) for _ in range(place.queue_count)]
            for place in on.places
            if place.name not in self.held and place.name not in self.pods
        }
        self.servers = {place.name: self._server_count(place) for place in on.places}
        self.all: dict[str, Sequence[Queue | Shared | Held]] = {
            **self.held, **self.queues, **{name: pods.queues for name, pods in self.pods.items()}
        }  # fmt: skip

    def kinds(self) -> list[_Kind]:
        """Return what requests of each action are, in the order of the mix."""
        answered_by = {way.action: way.service for way in self.on.ways}
        return [
            self._kind(action, answered_by[name])
            for name, (_, action) in zip(dict.fromkeys(way.action for way in self.on.ways), self.on.mix, strict=True)
        ]

    def _kind(self, action: Action, service: str) -> _Kind:
        place = self.on.place(service) if service in self.pods else None
        legs = [
            (visit.is_awaited, self._leg(other, visit))
            for other in self.on.places
            if other is not place
            for visit in other.visits(action)
            if visit.chance_ratio
            for _ in range(visit.try_count)
        ]
        before = [
            self._draw(law)
            for other in self.on.resting
            for visit in other.visits(action)
            for law in visit.try_count * (*visit.trip_count * (visit.trip,), visit.pause)
            if law is not None
        ]
        return _Kind(
            tuple(before),
            self._cpu(place, action) if place else repeat(0.0).__next__,
            self.pods[service] if place else None,
            place.await_s if place and place.discipline == "event_loop" else None,
            tuple(leg for is_awaited, leg in legs if is_awaited),
            tuple(leg for is_awaited, leg in legs if not is_awaited),
        )

    def _leg(self, place: Place, visit: Visit) -> _Leg:
        before = [other for other in self.on.places if other.stands_before and other.stands_before == place.tier]
        served = [(self.queues[other.name], self._draw(other.passing)) for other in before if other.passing is not None]
        if visit.service is not None:
            served.append((self.queues[place.name], self._draw(visit.service)))
        held = tuple(self.held[other.name] for other in before if other.is_held)
        trip, pause = self._draw(visit.trip), self._draw(visit.pause)
        return _Leg(visit.chance_ratio, held, tuple(served), visit.trip_count, trip, pause)

    def _cpu(self, service: Place, action: Action) -> Draw:
        law = next(visit.service for visit in service.visits(action))
        if law is None or service.quota is None:
            return self._draw(law)
        # A queue of pods under a limit has whole servers, slower than a core; the pods themselves are stopped instead.
        speed = min(1.0, service.unit_count * service.quota.cores / service.server_count)
        return self._draw(ServiceTime(law.mean_s * speed, law.scv, law.law))

    def _draw(self, law: ServiceTime | None) -> Draw:
        if law is None:
            return repeat(0.0).__next__
        if law not in self.drawn:
            self.drawn[law] = endless(law, self.random).__next__
        return self.drawn[law]

    def _holds(self, place: Place) -> list[Held]:
        return [Held(place.server_count // place.queue_count, self.events) for _ in range(place.queue_count)]

    def _pods(self, place: Place) -> list[Queue | Shared]:
        if place.quota is None:
            servers, counts = self.on.stations[place.name].servers, range(place.queue_count)
            if place.discipline == "sharing":
                return [Shared(servers, self.events) for _ in counts]
            return [Servers(servers) for _ in counts]
        phases_s = [number / place.unit_count * place.quota.period_s for number in range(place.unit_count)]
        if place.discipline == "sharing":
            return [Shared(1, self.events, place.quota, phase_s) for phase_s in phases_s]
        return [Limited(place.quota, phase_s) for phase_s in phases_s]

    def _server_count(self, place: Place) -> float:
        if place.name in self.pods and place.quota is not None:
            return place.unit_count * place.quota.cores
        return place.server_count // place.queue_count * place.queue_count


def _most_per_s(on: Chain) -> float:
    """Return the most requests that can be answered, by servers that are kept busy and by those that are held."""
    most = on.capacity_requests_per_s
    for name, count in on.held.items():
        held_s = sum(
            way.share * hold.times * (hold.rest_s + sum(step.times * step.service.mean_s for step in hold.steps))
            for way in on.ways
            for hold in way.holds
            if hold.place == name
        )
        most = min(most, count / held_s) if held_s else most
    return most


def _one(queues: Sequence[_T], random: Random) -> _T:
    """Return one of the queues, all as likely: what comes to units with queues of their own is spread evenly."""
    return queues[0] if len(queues) == 1 else queues[int(random.random() * len(queues))]
