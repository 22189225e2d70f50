"""The chain of a fleet in many worlds: `planning.chain` with an array where that has a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from cascade_plan.choosing.drawn.not_covered import NotCovered
from cascade_plan.formulas.arrays.laws import Law
from cascade_plan.formulas.arrays.loops import Loop, turns
from cascade_plan.formulas.arrays.numbers import Array, Indices, Number, full, taken
from cascade_plan.formulas.arrays.stations import Server
from cascade_plan.formulas.draws import Draws, together
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.place import Place
from cascade_plan.planning.chain import GROUPS_MOST, SELDOM

SURE: Final = 1e-12
"""A chance that a cache is never missed by, nearly enough: one of 0 has no logarithm."""


class Visit(NamedTuple):
    """What a request of one action asks of a place, in each world."""

    try_count: int
    chance: Array
    service: Law | None
    trip_count: int
    trip: Law | None
    pause: Law | None
    is_awaited: bool


class Step(NamedTuple):
    """What a request is served at a place."""

    place: str
    service: Law
    times: Array


class Hold(NamedTuple):
    """A server of a place that a request holds while it is elsewhere."""

    place: str
    times: Array
    trip_count: int
    rest_s: Array
    steps: tuple[Step, ...]


class Way(NamedTuple):
    """What requests of one kind pass; in worlds that have no such kind its share is 0."""

    share: Array
    service: str
    cpu: Law | None
    awaits: tuple[tuple[Array, Array], ...]
    """(how often, for how long)."""
    steps: tuple[Step, ...]
    rest: tuple[tuple[Array, Law], ...]
    holds: tuple[Hold, ...]

    @property
    def fixed_s(self) -> Array:
        """The time of it that is no wait."""
        total = np.zeros_like(self.share)
        if self.cpu is not None:
            total = total + self.cpu.mean_s
        for times, law in self.rest:
            total = total + times * law.mean_s
        for step in self.steps:
            total = total + step.times * step.service.mean_s
        return total


class Spot(NamedTuple):
    """What of a place is the same in all worlds."""

    servers: int
    """Behind one queue."""
    queue_count: int
    discipline: str
    await_s: Number
    quota: Any
    is_scaled: bool


class Fullest(NamedTuple):
    """The place that is full first."""

    place: Any
    """Its name in each world."""
    servers: Array
    law: Law
    spread: Array
    visits: Array
    is_service: Any
    """Whether it answers requests, so that what these wait there is their own wait for it."""
    share: Array
    """Of the requests, those that it answers."""


@dataclass(frozen=True)
class Chains:
    """The chain in each world."""

    count: int
    """Of worlds."""
    spots: Mapping[str, Spot]
    laws: Mapping[str, Law]
    visits: Mapping[str, Array]
    held: Mapping[str, int]
    admitted: Mapping[str, int]
    ways: tuple[Way, ...]
    loops: Mapping[str, tuple[Loop, tuple[int, ...]]]
    think_s: Array
    steadiness: Array

    @cached_property
    def load_s(self) -> Mapping[str, Array]:
        """The busy share of each place at one request a second."""
        return {name: self.visits[name] * law.mean_s / self.spots[name].servers for name, law in self.laws.items()}

    @cached_property
    def fullest(self) -> tuple[tuple[str, ...], Array]:
        """The names of the places, and which of them is full first in each world."""
        names = tuple(self.load_s)
        return names, np.argmax(np.stack([self.load_s[name] for name in names]), axis=0)

    @cached_property
    def at_fullest(self) -> Fullest:
        """What there is at the place that is full first, in each world."""
        names, index = self.fullest
        chosen = [(index == at, name) for at, name in enumerate(names)]

        def of(values: Callable[[str], Number]) -> Array:
            return np.select([mask for mask, _ in chosen], [values(name) for _, name in chosen])

        service = {name for name in names if name in self.loops or self.spots[name].is_scaled}
        return Fullest(
            np.array(names)[index],
            of(lambda name: self.spots[name].servers).astype(float),
            Law(of(lambda name: self.laws[name].mean_s), of(lambda name: self.laws[name].scv)),
            of(self._spread),
            of(lambda name: self.visits[name]),
            of(lambda name: name in service),
            of(lambda name: sum((way.share for way in self.ways if way.service == name), np.zeros(self.count))),
        )

    def _spread(self, place: str) -> Number:
        """Return the queue in heavy traffic over that of exponential service."""
        if place in self.loops:
            return self.loops[place][0].spread
        return 1.0 if self.spots[place].discipline == "sharing" else (1 + self.laws[place].scv) / 2

    @cached_property
    def capacity_requests_per_s(self) -> Array:
        """The most requests that the fullest place can answer."""
        most: Array = 1 / np.max(np.stack(list(self.load_s.values())), axis=0)
        return most

    @cached_property
    def servers(self) -> Mapping[str, Server]:
        """What of each place does not hang on its load."""
        return {name: Server.of(self.spots[name].servers, law) for name, law in self.laws.items()}

    @cached_property
    def away_s(self) -> Array:
        """The time between two requests of a user if nobody waits anywhere."""
        return self.think_s + sum(way.share * way.fixed_s for way in self.ways)

    @cached_property
    def steps(self) -> Mapping[str, Array]:
        """How often a request is served at each place on its way, on average; its own service apart."""
        found: dict[str, Array] = {}
        for way in self.ways:
            for step in way.steps:
                found[step.place] = found.get(step.place, 0.0) + way.share * step.times
        return found

    @cached_property
    def held_times(self) -> Mapping[str, Array]:
        """How often a request holds a server of each place where they are held, on average."""
        found = {name: np.zeros(self.count) for name in self.held}
        for way in self.ways:
            for hold in way.holds:
                found[hold.place] = found[hold.place] + way.share * hold.times
        return found

    def of(self, worlds: Indices) -> Chains:
        """Return the chains of some worlds."""
        parts = {
            name: getattr(self, name) for name in ("spots", "laws", "visits", "ways", "loops", "think_s", "steadiness")
        }
        return replace(self, count=int(worlds.size), **taken(parts, worlds))

    def slower(self, place: str, factor: Array) -> Chains:
        """Return the chains with the services at a place so many times as long."""

        def of(law: Law) -> Law:
            return law._replace(mean_s=law.mean_s * factor)

        def step(each: Step) -> Step:
            return each._replace(service=of(each.service)) if each.place == place else each

        ways = tuple(
            way._replace(
                cpu=of(way.cpu) if way.cpu is not None and way.service == place else way.cpu,
                steps=tuple(map(step, way.steps)),
                holds=tuple(hold._replace(steps=tuple(map(step, hold.steps))) for hold in way.holds),
            )
            for way in self.ways
        )
        laws = {name: of(law) if name == place else law for name, law in self.laws.items()}
        loops = _loops(ways, self.spots) if place in self.loops else self.loops
        return replace(self, laws=laws, ways=ways, loops=loops)


# ------------------------------------------------------------------------------------------------- what places declare


class Declared(NamedTuple):
    """A place, and the visits of each action to it in each world."""

    place: Place
    visits: tuple[tuple[Visit, ...], ...]
    await_s: Number
    passing: Law | None
    """What each visit to the tier behind it is served here."""


Parts = Sequence[tuple[Indices, tuple[tuple[Place, ...], Sequence[Sequence[Any]]]]]
"""(which worlds, their places and the visits of each action to each of them)."""


def declared(count: int, parts: Parts) -> list[Declared]:
    """Return the places of a fleet from those of its parts.

    Raises NotCovered where the parts differ in more than in numbers.
    """
    first, asked = parts[0][1]
    if any([place.name for place in places] != [place.name for place in first] for _, (places, _) in parts):
        raise NotCovered("the places that requests visit differ between worlds")
    found = []
    for at, place in enumerate(first):
        if isinstance(place.speed_ratio, Draws) or isinstance(place.server_count, Draws):
            raise NotCovered(f"the servers of {place.name} differ between worlds")
        visits = []
        for index in range(len(asked[at])):
            own = [(worlds, each[at][index]) for worlds, (_, each) in parts]
            if len({len(each) for _, each in own}) != 1:
                raise NotCovered(f"what is asked of {place.name} differs between worlds")
            visits.append(
                tuple(_visit(count, [(worlds, each[visit]) for worlds, each in own]) for visit in range(len(own[0][1])))
            )
        passing = _law(count, [(worlds, places[at].passing) for worlds, (places, _) in parts])
        await_s = _values(together(count, [(worlds, places[at].await_s) for worlds, (places, _) in parts]))
        found.append(Declared(place, tuple(visits), await_s, passing))
    return found


def _visit(count: int, parts: Sequence[tuple[Indices, Any]]) -> Visit:
    first = parts[0][1]
    if any((each.try_count, each.trip_count) != (first.try_count, first.trip_count) for _, each in parts):
        raise NotCovered("how often a place is asked differs between worlds")
    chance = np.empty(count)
    for worlds, each in parts:
        chance[worlds] = _values(each.chance_ratio)
    laws = (
        _law(count, [(worlds, getattr(each, name)) for worlds, each in parts]) for name in ("service", "trip", "pause")
    )
    service, trip, pause = laws
    return Visit(first.try_count, chance, service, first.trip_count, trip, pause, first.is_awaited)


def _law(count: int, parts: Sequence[tuple[Indices, ServiceTime | None]]) -> Law | None:
    """Return a law in each world; where some worlds have none its mean there is 0."""
    if all(law is None for _, law in parts):
        return None
    mean_s, scv = np.zeros(count), np.ones(count)
    hyper = np.zeros(count, dtype=bool)
    named = {law.law for _, law in parts if law is not None}
    if named - {None, "gamma", "hyperexponential"} or {None, "gamma"} <= named:
        raise NotCovered("laws of several families at one place")
    for worlds, law in parts:
        if law is not None:
            mean_s[worlds], scv[worlds] = _values(law.mean_s), _values(law.scv)
            hyper[worlds] = law.law == "hyperexponential"
    return Law(mean_s, scv, hyper, "gamma" in named)


def _values(number: Any) -> Any:
    return number.values if isinstance(number, Draws) else number


# ----------------------------------------------------------------------------------------------- what a request passes


def chains(
    count: int,
    shares: Sequence[Number],
    services: Sequence[str],
    places: Sequence[Declared],
    think: tuple[Number, Number],
    like: Chains | None = None,
) -> Chains:
    """Return the chains of so many worlds: `shares` and `services` of each action, mean and steadiness of thinking.

    `like` are the same at other counts, whose loops need not be computed again.
    Raises NotCovered where requests pass what arrays do not know.
    """
    shares = [full(share, count) for share in shares]
    spots, laws, visits, held = {}, {}, {}, {}
    for each in places:
        place = each.place
        if place.is_held:
            if _is_passed(place, places):
                held[place.name] = place.server_count
            continue
        asked = list(_asked(each, places, shares))
        rate = sum((times for times, _ in asked), np.zeros(count))
        if not asked or not rate.any():
            continue
        law = _together(asked, rate, place.speed_ratio)
        laws[place.name], visits[place.name] = law, rate / place.queue_count
        servers = place.server_count // place.queue_count
        spots[place.name] = Spot(
            servers, place.queue_count, place.discipline, each.await_s, place.quota, place.is_scaled
        )
    ways = tuple(way for index, share in enumerate(shares) for way in _ways(share, services[index], index, places))
    think_s, steadiness = think
    loops = like.loops if like is not None and _are_alike(ways, like.ways) else _loops(ways, spots)
    return Chains(
        count, spots, laws, visits, held, _admitted(places, held), ways, loops,
        full(think_s, count), full(steadiness, count),
    )  # fmt: skip


def _is_passed(place: Place, places: Sequence[Declared]) -> bool:
    behind = (each for each in places if each.place.tier == place.stands_before and not each.place.stands_before)
    return any(visit.try_count and bool(visit.chance.any()) for each in behind for own in each.visits for visit in own)


def _asked(each: Declared, places: Sequence[Declared], shares: Sequence[Array]) -> Iterator[tuple[Array, Law]]:
    """Yield (mean number in a request, law) of what keeps servers of a place busy."""
    for index, share in enumerate(shares):
        if each.passing is not None:
            for other in places:
                if other.place.tier == each.place.stands_before:
                    yield from ((share * visit.try_count * visit.chance, each.passing) for visit in other.visits[index])
        for visit in each.visits[index]:
            if visit.service is not None:
                yield share * visit.try_count * visit.chance, visit.service


def _together(asked: Sequence[tuple[Array, Law]], rate: Array, speed: float) -> Law:
    """Return the law of what keeps servers busy: of laws that vary little, however they differ, no heavy tail."""
    safe = np.where(rate > 0, rate, 1.0)
    mean_s = sum(times * law.mean_s for times, law in asked) / safe
    second = sum(times * law.mean_s**2 * (1 + law.scv) for times, law in asked) / safe
    scv = np.maximum(0.0, second / np.where(mean_s > 0, mean_s, 1.0) ** 2 - 1)
    steady = np.logical_and.reduce([(law.scv <= 1) | (times == 0) for times, law in asked])
    return Law(mean_s / speed, scv, (scv > 1) & steady)


def _admitted(places: Sequence[Declared], held: Mapping[str, int]) -> dict[str, int]:
    most: dict[str, int] = {}
    for each in places:
        if each.place.name in held:
            before = each.place.stands_before
            most[before] = min(held[each.place.name], most.get(before, held[each.place.name]))
    tiers = {p.place.name: p.place.stands_before or p.place.tier for p in places if p.place.name not in held}
    return {name: most[tier] for name, tier in tiers.items() if tier in most}


class _Try(NamedTuple):
    place: Place
    visit: Visit
    times: Array


def _ways(share: Array, service: str, index: int, places: Sequence[Declared]) -> Iterator[Way]:
    """Yield the ways of an action's requests, told apart by how often they miss a cache."""
    own = next((each for each in places if each.place.tier == service and each.place.is_scaled), None)
    cpu = next((visit.service for visit in own.visits[index]), None) if own else None
    tries = [
        (each.place, visit)
        for each in places
        if each is not own
        for visit in each.visits[index]
        if visit.is_awaited and visit.try_count and visit.chance.any()
    ]
    at = "" if own is None else own.place.name
    misses = [visit for _, visit in tries if (visit.chance < 1).any()]
    if not misses:
        parts = [_Try(place, visit, visit.try_count * visit.chance) for place, visit in tries]
        yield _way(share, at, cpu, parts, places)
        return
    chance = misses[0].chance
    if not all(np.array_equal(visit.chance, chance) for visit in misses):
        raise NotCovered("caches that are missed by several chances")
    seldom = sum(visit.try_count for visit in misses)
    for part, missed in missed_groups(seldom, chance):
        ratio = missed / seldom
        found = [
            _Try(place, visit, visit.try_count * (ratio if (visit.chance < 1).any() else np.ones_like(ratio)))
            for place, visit in tries
        ]
        yield _way(share * part, at, cpu, [each for each in found if each.times.any()], places)


def missed_groups(tries: int, chance: Array) -> list[tuple[Array, Array]]:
    """Return (share, mean number of misses) of the groups that requests fall into: `planning.chain._misses`.

    The first group of every world stands first, and so on; a world with fewer has empty ones at the end.
    """
    each = max(SELDOM, 1 / (4 * GROUPS_MOST)) if tries > GROUPS_MOST else SELDOM
    zero = np.zeros_like(chance)
    some = np.clip(chance, SURE, 1 - SURE)
    first, log_odds = tries * np.log1p(-some), np.log(some) - np.log1p(-some)
    weight, misses, made = zero.copy(), zero.copy(), np.zeros(chance.size, dtype=int)
    shares, counts = np.zeros((tries + 1, chance.size)), np.zeros((tries + 1, chance.size))
    worlds = np.arange(chance.size)
    for count in range(tries + 1):
        likely = math.lgamma(tries + 1) - math.lgamma(count + 1) - math.lgamma(tries - count + 1)
        share = np.exp(likely + first + count * log_odds)
        weight, misses = weight + share, misses + share * count
        done = weight > each
        shares[made[done], worlds[done]], counts[made[done], worlds[done]] = weight[done], misses[done]
        made += done
        weight, misses = np.where(done, 0.0, weight), np.where(done, 0.0, misses)
    last = np.maximum(made - 1, 0)
    shares[last, worlds] += weight
    counts[last, worlds] += misses
    safe = np.where(shares > 0, shares, 1.0)
    used = int(made.max())
    return [(shares[group], counts[group] / safe[group]) for group in range(max(1, used))]


def _way(share: Array, service: str, cpu: Law | None, tries: Sequence[_Try], places: Sequence[Declared]) -> Way:
    steps: list[Step] = []
    rest: list[tuple[Array, Law]] = []
    holds: list[Hold] = []
    awaits: list[tuple[Array, Array]] = []
    for place, visit, count in tries:
        before = [each for each in places if each.place.stands_before and each.place.stands_before == place.tier]
        own = [
            Step(other.place.name, other.passing, np.ones_like(count)) for other in before if other.passing is not None
        ]
        own += [Step(place.name, visit.service, np.ones_like(count))] if visit.service is not None else []
        times = [(float(visit.trip_count), visit.trip)] if visit.trip is not None else []
        times += [(1.0, visit.pause)] if visit.pause is not None else []
        steps += [step._replace(times=count) for step in own]
        rest += [(count * each, law) for each, law in times]
        rest_s = sum((each * law.mean_s for each, law in times), np.zeros_like(count))
        holds += [
            Hold(other.place.name, count, visit.trip_count, rest_s, tuple(own))
            for other in before
            if other.place.is_held
        ]
        if visit.trip_count:
            total_s = rest_s + sum((step.service.mean_s for step in own), np.zeros_like(count))
            awaits.append((count * visit.trip_count, total_s / visit.trip_count))
    return Way(share, service, cpu, tuple(awaits), tuple(steps), tuple(rest), tuple(holds))


def _are_alike(ways: Sequence[Way], others: Sequence[Way]) -> bool:
    """Return whether ways use their services alike: as much, and between the same awaits."""
    if [(way.service, len(way.awaits)) for way in ways] != [(way.service, len(way.awaits)) for way in others]:
        return False
    pairs = [
        (mine, yours)
        for way, other in zip(ways, others, strict=True)
        for mine, yours in zip(
            (way.share, *(each for pair in way.awaits for each in pair)),
            (other.share, *(each for pair in other.awaits for each in pair)),
            strict=True,
        )
    ]
    return all(np.array_equal(mine, yours) for mine, yours in pairs)


def _loops(ways: Sequence[Way], spots: Mapping[str, Spot]) -> dict[str, tuple[Loop, tuple[int, ...]]]:
    found = {}
    for name, spot in spots.items():
        own = [(index, way) for index, way in enumerate(ways) if way.service == name and way.cpu is not None]
        if spot.discipline == "event_loop" and own:
            total = sum(way.share for _, way in own)
            kinds = [
                turns(way.share / total, way.cpu, spot.await_s, way.awaits) for _, way in own if way.cpu is not None
            ]
            found[name] = (Loop.of(kinds), tuple(index for index, _ in own))
    return found
