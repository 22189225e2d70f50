"""A fleet under a load: throughput, utilisation and response percentiles of the closed system it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Final, NamedTuple

from cascade_plan.formulas.event_loop import Gap, Loop, turns
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station
from cascade_plan.formulas.transforms import Response, added, mixed
from cascade_plan.model.place import Place, Visit
from cascade_plan.model.scenario import Action, Scenario

GROUPS_MOST: Final = 6
"""Numbers of misses that the requests of one action are told apart by at most."""
SELDOM: Final = 1e-3
"""Share of an action's requests below which a number of misses is counted with the next one."""
Made = Mapping[str, Sequence[Sequence[Visit]]]
"""Place -> the visits to it of each action of the mix."""


class Step(NamedTuple):
    """What a request is served at a place."""

    place: str
    service: ServiceTime
    times: float
    """How often, on average."""


class Hold(NamedTuple):
    """A server of a place that a request holds while it is elsewhere."""

    place: str
    times: float
    """How often, on average."""
    trip_count: float
    """Round trips in one holding: after each the request comes back to its loop."""
    rest_s: float
    """Time of one holding that is nobody's service: trips, commits."""
    steps: tuple[Step, ...]
    """What it is served meanwhile, in one holding."""


@dataclass(frozen=True, slots=True)
class Way:
    """What requests of one kind pass: those of an action that miss the cache equally often."""

    action: str
    share: float
    """Of all requests."""
    service: str
    """The place that answers them; "" where there is none."""
    cpu: ServiceTime | None
    awaits: tuple[Gap, ...]
    """How often the service awaits something, for how long."""
    steps: tuple[Step, ...]
    rest: ServiceTime | None
    """The sum of trips, commits and whatever else takes time and keeps nobody busy."""
    holds: tuple[Hold, ...]


@dataclass(frozen=True)
class Chain:
    """The places a request of a scenario passes on a fleet, and what one request asks of each."""

    scenario: Scenario
    mix: tuple[tuple[float, Action], ...]
    """(share, action)."""
    places: tuple[Place, ...]
    stations: Mapping[str, Station]
    """Of each place whose servers are kept busy."""
    visits: Mapping[str, float]
    """Mean visits of one request to one queue of each place (a replica gets its share of the reads)."""
    held: Mapping[str, int]
    """Of each place whose servers are held while requests are elsewhere how many there are."""
    admitted: Mapping[str, int]
    """Of each place that no request comes to but with a held server how many of these there are."""
    ways: tuple[Way, ...]
    loops: Mapping[str, tuple[Loop, tuple[int, ...]]]
    """Of each event loop what is asked of it, and by which ways."""
    think_s: float
    think_steadiness: float
    """E[min(Z, Z')] / E[Z] of two thoughts: 1 where all are as long, 1/2 where they are exponential."""
    resting: tuple[Place, ...] = ()
    """Those that only take time, nobody's service."""

    @cached_property
    def capacity_requests_per_s(self) -> float:
        """The most requests the fullest place can answer; infinite where requests visit none."""
        busy = max(self.utilisation_ratio(1.0).values(), default=0.0)
        return 1 / busy if busy else math.inf

    @cached_property
    def bottleneck(self) -> str:
        """The place that is full first; "" where requests visit none."""
        busy = self.utilisation_ratio(1.0)
        return max(busy, key=lambda name: busy[name], default="")

    @cached_property
    def asked(self) -> tuple[object, ...]:
        """All that an answer hangs on: chains that agree in it are answered alike, whatever else is planned."""
        known = self.scenario.calibration
        calibrated = known.items() if isinstance(known, dict) else ()
        return (
            (self.think_s, self.think_steadiness),
            self.ways,
            *(tuple(each.items()) for each in (self.stations, self.visits, self.held, self.admitted)),
            tuple((each.name, each.discipline, each.await_s, each.quota, each.is_scaled) for each in self.places),
            tuple((path, each.value, each.low, each.high) for path, each in calibrated),
        )

    @property
    def scaled(self) -> frozenset[str]:
        """The places whose units an autoscaler changes."""
        return frozenset(place.name for place in self.places if place.is_scaled)

    def utilisation_ratio(self, requests_per_s: float) -> dict[str, float]:
        """Return the busy share of each place whose servers requests keep busy."""
        return {
            name: station.utilisation(requests_per_s * self.visits[name]) for name, station in self.stations.items()
        }

    def busy(self, requests_per_s: float) -> dict[str, float]:
        """Return how many servers of each place are busy on average, all its units together."""
        return {
            name: station.offered_load(requests_per_s * self.visits[name]) * self.place(name).queue_count
            for name, station in self.stations.items()
        }

    def place(self, name: str) -> Place:
        """Return the place of a name. Raises KeyError where there is none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Place]:
        return {place.name: place for place in self.places}

    @cached_property
    def held_times(self) -> dict[str, float]:
        """How often a request holds a server of each place where they are held, on average."""
        return {
            name: sum(way.share * hold.times for way in self.ways for hold in way.holds if hold.place == name)
            for name in self.held
        }

    @cached_property
    def fixed_s(self) -> tuple[float, ...]:
        """The time of each way that is no wait."""
        return tuple(
            (way.cpu.mean_s if way.cpu else 0.0)
            + (way.rest.mean_s if way.rest else 0.0)
            + sum(step.service.mean_s * step.times for step in way.steps)
            for way in self.ways
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """How a fleet answers a number of acting users."""

    users: int
    requests_per_s: float
    latency_ms_mean: float
    latency_ms_p50: float
    latency_ms_p95: float
    latency_ms_p99: float
    utilisation_ratio: Mapping[str, float]
    """Busy share of each place, and the held share of what is held."""
    held_count: Mapping[str, float]
    """How many servers are held on average, of each place where they are held."""
    response: Response
    """The law of the response, by action and of all."""

    @property
    def bottleneck(self) -> str:
        """The place that is fullest; "" where requests visit none."""
        return max(self.utilisation_ratio, key=lambda name: self.utilisation_ratio[name], default="")

    @property
    def saturated(self) -> bool:
        """Whether the fullest place is so full that users wait for each other."""
        return self.utilisation_ratio.get(self.bottleneck, 0.0) > SATURATED

    def latency_ms(self, shares: Sequence[float], action: str = "") -> list[float]:
        """Return response percentiles in ms, of an action's requests or of all."""
        return percentiles_ms(self.response.of(action) if action else self.response, shares)


SATURATED: Final = 0.95
"""Above this utilisation users wait for each other."""


def percentiles_ms(response: Response, shares: Sequence[float]) -> list[float]:
    """Return percentiles in ms, each at least the one before."""
    # Where times hardly vary, their inversion wobbles by more than they do: a percentile is never below a lower one.
    return list(accumulate((time_s * 1000 for time_s in response.percentiles_s(shares)), max))


def chain(scenario: Scenario, places: tuple[Place, ...], service: str = "") -> Chain:
    """Return the chain of a scenario's requests through the places that tiers declare, without those nobody visits.

    With a service the chain of its own requests: what they share with those of other services, such as a database, is
    sent these too, in proportion. A user comes to one of several services once in so many thoughts: thinking lasts as
    much longer.
    """
    mix = scenario.behaviour.mix
    names = tuple(scenario.behaviour.actions)
    made = {place.name: [place.visits(action) for _, action in mix] for place in places}
    stations, visits, held = {}, {}, {}
    for place in places:
        if place.is_held:
            if any(visit.try_count and visit.chance_ratio for visit in _behind(place, places, made)):
                held[place.name] = place.server_count
            continue
        asked = list(_asked(place, places, mix, made))
        mean_s, scv = mixed([(rate, law.mean_s, law.scv) for rate, law in asked])
        if not mean_s:
            continue
        servers = place.server_count // place.queue_count
        stations[place.name] = Station(servers, _together(asked, mean_s / place.speed_ratio, scv))
        visits[place.name] = sum(rate for rate, _ in asked) / place.queue_count
    own = [(index, share, action) for index, (share, action) in enumerate(mix)
           if not service or scenario.service(action) == service]  # fmt: skip
    part = sum(share for _, share, _ in own)
    ways = tuple(
        way
        for index, share, action in own
        for way in _ways(
            names[index],
            share / part,
            scenario.service(action),
            [(place, visit) for place in places for visit in made[place.name][index]],
            places,
        )
    )
    passed = {step.place for way in ways for step in way.steps} | {way.service for way in ways}
    passed |= {hold.place for way in ways for hold in way.holds}
    # What only jobs keep busy is visited too, but by no request that is waited for.
    if not service:
        passed |= set(stations)
    return Chain(
        scenario,
        tuple((share / part, action) for _, share, action in own),
        tuple(place for place in places if place.name in passed and place.name in {*stations, *held}),
        {name: station for name, station in stations.items() if name in passed},
        {name: count / part for name, count in visits.items() if name in passed},
        {name: count for name, count in held.items() if name in passed},
        _admitted(places, held),
        ways,
        _loops(ways, places),
        scenario.behaviour.think_time_s.mean / part,
        scenario.behaviour.think_time_s.steadiness,
        tuple(place for place in places if place.name not in {*stations, *held}),
    )


def _admitted(places: tuple[Place, ...], held: Mapping[str, int]) -> dict[str, int]:
    """Return how many requests there can be at the places that something held stands before."""
    most: dict[str, int] = {}
    for place in places:
        if place.name in held:
            most[place.stands_before] = min(held[place.name], most.get(place.stands_before, held[place.name]))
    tiers = {place.name: place.stands_before or place.tier for place in places if place.name not in held}
    return {name: most[tier] for name, tier in tiers.items() if tier in most}


def _together(asked: list[tuple[float, ServiceTime]], mean_s: float, scv: float) -> ServiceTime:
    """Return the law of what keeps servers busy: of laws that vary little, however they differ, no heavy tail."""
    if scv > 1 and all(law.scv <= 1 for _, law in asked):
        return ServiceTime(mean_s, scv, "hyperexponential")
    return ServiceTime(mean_s, scv)


def _asked(
    place: Place, places: tuple[Place, ...], mix: tuple[tuple[float, Action], ...], made: Made
) -> Iterator[tuple[float, ServiceTime]]:
    """Yield (mean number in a request, law) of what keeps servers of a place busy."""
    for index, (share, _) in enumerate(mix):
        if place.passing is not None:
            behind = (
                visit for other in places if other.tier == place.stands_before for visit in made[other.name][index]
            )
            yield from ((share * visit.try_count * visit.chance_ratio, place.passing) for visit in behind)
        for visit in made[place.name][index]:
            if visit.service is not None:
                yield share * visit.try_count * visit.chance_ratio, visit.service


def _behind(place: Place, places: tuple[Place, ...], made: Made) -> Iterator[Visit]:
    """Yield the visits to the places that a place stands before."""
    for other in places:
        if other.tier == place.stands_before and not other.stands_before:
            for visits in made[other.name]:
                yield from visits


# ------------------------------------------------------------------------------------------- what one request passes


@dataclass(frozen=True, slots=True)
class _Try:
    """The tries of one visit that a way makes."""

    place: Place
    visit: Visit
    count: float


def _ways(
    name: str, share: float, at: str, visits: list[tuple[Place, Visit]], places: tuple[Place, ...]
) -> Iterator[Way]:
    """Yield the ways of an action's requests, which a service answers, told apart by how often they miss a cache."""
    service = next((place for place in places if place.tier == at and place.is_scaled), None)
    cpu = next((visit.service for place, visit in visits if place is service), None)
    tries = [
        (place, visit)
        for place, visit in visits
        if place is not service and visit.is_awaited and visit.try_count and visit.chance_ratio
    ]
    chances = {visit.chance_ratio for _, visit in tries if visit.chance_ratio < 1}
    if len(chances) != 1:
        parts = [_Try(place, visit, visit.try_count * visit.chance_ratio) for place, visit in tries]
        yield _way(name, share, service, cpu, parts, places)
        return
    (chance,) = chances
    seldom = [visit.try_count for _, visit in tries if visit.chance_ratio < 1]
    for part, count in _misses(sum(seldom), chance):
        missed = count / sum(seldom)
        parts = [
            _Try(place, visit, visit.try_count * (missed if visit.chance_ratio < 1 else 1.0)) for place, visit in tries
        ]
        yield _way(name, share * part, service, cpu, [each for each in parts if each.count], places)


def _misses(tries: int, chance: float) -> list[tuple[float, float]]:
    """Return (share, mean number of misses) of the groups that requests fall into, few and none all but empty."""
    groups: list[tuple[float, float]] = []
    weight, misses = 0.0, 0.0
    each = max(SELDOM, 1 / (4 * GROUPS_MOST)) if tries > GROUPS_MOST else SELDOM
    log_odds = math.log(chance) - math.log1p(-chance)
    for count in range(tries + 1):
        likely = math.lgamma(tries + 1) - math.lgamma(count + 1) - math.lgamma(tries - count + 1)
        share = math.exp(likely + count * log_odds + tries * math.log1p(-chance))
        weight, misses = weight + share, misses + share * count
        if weight > each:
            groups.append((weight, misses / weight))
            weight = misses = 0.0
    if not weight or not groups:
        return groups or [(1.0, misses)]
    last, its = groups[-1]
    groups[-1] = (last + weight, (last * its + misses) / (last + weight))
    return groups


def _way(
    name: str,
    share: float,
    service: Place | None,
    cpu: ServiceTime | None,
    tries: list[_Try],
    places: tuple[Place, ...],
) -> Way:
    """Return the way of requests that make these tries."""
    steps: list[Step] = []
    rest: list[tuple[float, ServiceTime]] = []
    holds: list[Hold] = []
    awaits: list[Gap] = []
    for place, visit, count in ((each.place, each.visit, each.count) for each in tries):
        before = [other for other in places if other.stands_before and other.stands_before == place.tier]
        own = [Step(other.name, other.passing, 1.0) for other in before if other.passing is not None]
        own += [Step(place.name, visit.service, 1.0)] if visit.service is not None else []
        times = [(float(visit.trip_count), visit.trip)] if visit.trip is not None else []
        times += [(1.0, visit.pause)] if visit.pause is not None else []
        steps += [step._replace(times=count) for step in own]
        rest += [(count * each, law) for each, law in times]
        rest_s = sum(each * law.mean_s for each, law in times)
        holds += [
            Hold(other.name, count, visit.trip_count, rest_s, tuple(own)) for other in before if other.passing is None
        ]
        if visit.trip_count:
            total_s = rest_s + sum(step.service.mean_s for step in own)
            awaits.append(Gap(count * visit.trip_count, total_s / visit.trip_count))
    return Way(
        name, share, service.name if service else "", cpu, tuple(awaits), tuple(steps), added(rest), tuple(holds)
    )


def _loops(ways: tuple[Way, ...], places: tuple[Place, ...]) -> dict[str, tuple[Loop, tuple[int, ...]]]:
    """Return of each event loop what the ways ask of it."""
    found = {}
    for place in places:
        own = [(index, way) for index, way in enumerate(ways) if way.service == place.name and way.cpu is not None]
        if place.discipline == "event_loop" and own:
            total = sum(way.share for _, way in own)
            kinds = tuple(turns(way.share / total, way.cpu, place.await_s, way.awaits) for _, way in own if way.cpu)
            found[place.name] = (Loop(kinds), tuple(index for index, _ in own))
    return found


def slower(on: Chain, factors: Mapping[str, float]) -> Chain:
    """Return the chain with the services at some places so many times as long: what if a request cost more."""

    def of(step: Step) -> Step:
        factor = factors.get(step.place, 1.0)
        return step._replace(service=_times(step.service, factor))

    ways = tuple(
        replace(
            way,
            cpu=_times(way.cpu, factors.get(way.service, 1.0)) if way.cpu else None,
            steps=tuple(map(of, way.steps)),
            holds=tuple(hold._replace(steps=tuple(map(of, hold.steps))) for hold in way.holds),
        )
        for way in on.ways
    )
    stations = {
        name: Station(station.servers, _times(station.service, factors.get(name, 1.0)))
        for name, station in on.stations.items()
    }
    return replace(on, ways=ways, stations=stations, loops=_loops(ways, on.places))


def _times(law: ServiceTime, factor: float) -> ServiceTime:
    return law if factor == 1 else ServiceTime(law.mean_s * factor, law.scv, law.law)
