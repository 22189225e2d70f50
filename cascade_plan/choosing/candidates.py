"""The ways to have one tier, the cheapest first: each sized, priced and able to keep every promise by itself.

By itself means with the rest of the fleet endless: what fails so fails beside any fleet. A stream yields every way that
does not, in the order of what it costs, and works out no more of them than it is asked for.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import count as numbers
from math import ceil, inf
from typing import Any, Final

from cascade_plan import registry
from cascade_plan.errors import CascadePlanError
from cascade_plan.formulas.losses import least_count
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.bill import Item
from cascade_plan.model.fleet import COUNT_MOST, Band, Fleet, Guest, Lever, NodeGroup, Sized
from cascade_plan.model.offer import Offer
from cascade_plan.model.option import Option
from cascade_plan.model.place import Place
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.solution import Solution
from cascade_plan.model.terms import commitment_of
from cascade_plan.model.tier import HOST, Bought, Housed, Settings
from cascade_plan.planning.cases import Case, all_left, base_cases, floor_cases, left, unfit
from cascade_plan.planning.chain import Chain, chain
from cascade_plan.planning.judging import OPERATORS
from cascade_plan.planning.predicting import keeps
from cascade_plan.planning.promises import scale
from cascade_plan.planning.sizing import TIERS, Brief, guests, instances, places, size, sized

ENDLESS: Final = 1_000
"""How many times the units of the largest shapes the rest of a fleet has when one tier is looked at by itself."""
IDLE: Final = 10**9
"""Servers so many that nobody waits."""
MARGIN: Final = 0.02
"""By how much a limit may be missed by a tier with the rest endless that would keep it beside a fleet: the queues are
not monotone to the last hundredth, as a faster database brings its users back sooner."""
FAR: Final = 64
"""Times the count that the load alone asks for, at which an option that does not fit is given up."""
NOTHING: Final = Decimal(0)
SOLVED: Final = Solution({}, ())
"""Of a fleet whose counts are all pinned."""


Struck = tuple[str, str]
"""By what something is struck, and why in words."""
Judge = Callable[[Sequence[Case], Mapping[str, int]], Struck | None]
"""What says by what some cases are not kept by so many of each lever of one tier; None where they are."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to have one tier, with its counts and how it is paid."""

    tier: str
    option: Option
    low: int
    """Its count at the least load."""
    base: int
    """Its count at the peak, the rest of the fleet endless."""
    settings: Settings
    sized: Sized
    cost_usd: Decimal
    """Of its own lines a month."""
    upfront_usd: Decimal
    charge_usd: Decimal = NOTHING
    """Of the lines of tiers that have no options, beside it; 0 but for the tier that moves them most."""

    @property
    def total_usd(self) -> Decimal:
        """What is added up over the tiers: never more than what it adds to the bill."""
        return self.cost_usd + self.charge_usd

    @property
    def purchase(self) -> object:
        """How its instances are paid; None where it has none."""
        return self.settings.purchase if isinstance(self.settings, Bought) else None


@dataclass(slots=True)
class Tally:
    """What was looked at, and by what it was struck."""

    struck: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    """Predictions that were asked for."""
    unpriced: set[str] = field(default_factory=set)
    """What has no price on demand, and so is no candidate."""
    terms_unpriced: int = 0
    """Prices by a term that is allowed, of shapes that have one on demand, which are not known."""
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    """(tier, option) -> why it is struck."""
    options: dict[tuple[Any, ...], tuple[Option, ...]] = field(default_factory=dict)
    """What is listed already, for the layouts in which it is the same."""


@dataclass(frozen=True)
class World:
    """A scenario with one layout of its pods, and all that is the same for every candidate."""

    brief: Brief
    """Its scenario has the method slo."""
    tally: Tally
    months: tuple[World, ...] = ()
    """The same in each month of the horizon, where costs are the mean of several."""
    like: World | None = None
    """One that has the same options."""

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.brief.scenario

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All tiers in the order in which they are sized."""
        return tuple(name for name, _ in instances(self.scenario))

    @cached_property
    def options(self) -> Mapping[str, tuple[Option, ...]]:
        """The options of each tier that has any; of a host those that hold what stands on its nodes besides."""
        if self.like is not None:
            return self.like.options
        if not self.hosts:
            return self.by_themselves
        return {
            name: self._listed(name, self.guests.get(name, ())) if name in self.hosts else own
            for name, own in self.by_themselves.items()
        }

    @cached_property
    def by_themselves(self) -> Mapping[str, tuple[Option, ...]]:
        """The options of each tier that has any, as if nothing stood on its nodes besides."""
        if self.like is not None:
            return self.like.by_themselves
        found = {}
        stands = tuple(
            (name, each.nodes_of) for name, each in self.scenario.of(HOST).items() if isinstance(each, Housed)
        )
        for name in self.order:
            key = (name, id(self.scenario.tiers[name]), stands)
            if (own := self.tally.options.get(key)) is None:
                own = self.tally.options[key] = self._listed(name, ())
            if own:
                found[name] = own
        return found

    def _listed(self, name: str, beside: tuple[Guest, ...]) -> tuple[Option, ...]:
        kind = self.scenario.tiers[name].KIND
        if not registry.has(TIERS, kind, "options"):
            return ()
        listed = getattr(registry.load(TIERS, kind, "options"), "options", None)
        return tuple(listed(self.ask(name, self.scenario.tiers[name], {}, beside))) if listed else ()

    @cached_property
    def rest(self) -> tuple[str, ...]:
        """The tiers that have no options."""
        return tuple(name for name in self.order if name not in self.by_themselves)

    @cached_property
    def main(self) -> str:
        """The tier whose candidates move what the rest costs most: the first whose count scales; "" without one."""
        scaled = (name for name, options in self.by_themselves.items() if any(option.is_scaled for option in options))
        return next(scaled, "")

    def ask(
        self, name: str, settings: Settings, before: Mapping[str, Sized], beside: tuple[Guest, ...] = ()
    ) -> Ask[Any]:
        """Return an instance that is to be sized beside others, and what stands on its nodes."""
        brief = self.brief
        return Ask(
            name, settings, brief.scenario, dict(before), brief.traffic, brief.cloud, brief.book, brief.origins, SOLVED,
            brief.day, beside,
        )  # fmt: skip

    @cached_property
    def base(self) -> list[Case]:
        """What the fleet at the peak must keep, none of it implied by another."""
        return _undominated(base_cases(self.scenario))

    def floor(self, fleet: Fleet) -> list[Case]:
        """Return what the scaled-in fleet must keep, none of it implied by another."""
        return _undominated(floor_cases(self.scenario, fleet))

    def without_spot(self, fleet: Fleet) -> list[Case]:
        """Return what nodes that are not spot must keep when all others have been taken back."""
        free = self.scenario.optimize.spot
        if free is not None and free.without_it == "average":
            return [case for case in floor_cases(self.scenario, fleet) if case.name == "users.average"]
        return self.floor(fleet)

    @cached_property
    def average_per_s(self) -> float:
        """Requests a second in the mean of the day."""
        return self.brief.traffic.requests_per_s.average

    @cached_property
    def level(self) -> str:
        """The level of the band that is judged."""
        return self.scenario.budget.level

    def cost(self, tiers: Mapping[str, Sized]) -> tuple[Decimal, Decimal, list[str]]:
        """Return what some tiers cost a month and on the first day, and the keys of what has no price."""
        usd, upfront, missing = NOTHING, NOTHING, []
        for line in self.brief.cloud.lines(Fleet(tiers, self.scenario.hours_per_month), self.brief.book):
            if isinstance(line, Item):
                usd += getattr(line.cost_usd, self.level)
                upfront += line.upfront_total_usd or NOTHING
            else:
                missing.append(str(line.key))
        return usd, upfront, missing

    def cost_of(self, name: str, settings: Settings, own: Sized) -> tuple[Decimal, Decimal, list[str]]:
        """Return the same of one tier with these settings, in the mean of the horizon's months."""
        usd, upfront, missing = self.cost({name: own})
        if self.months:
            each = [
                month.cost({name: month.sized(name, settings, month.slight, is_host=True)}) for month in self.months
            ]
            usd = sum((cost for cost, _, _ in each), NOTHING) / len(each)
        return usd, upfront, missing

    def cost_of_all(self, settings: Mapping[str, Settings], fleet: Fleet) -> tuple[Decimal, Decimal, list[str]]:
        """Return the same of a whole fleet."""
        usd, upfront, missing = self.cost(fleet.tiers)
        if self.months:
            each = [month.cost(month.whole(settings)[1].tiers)[0] for month in self.months]
            usd = sum(each, NOTHING) / len(each)
        return usd, upfront, missing

    def whole(self, settings: Mapping[str, Settings]) -> tuple[Scenario, Fleet]:
        """Return the scenario with these settings, and its fleet."""
        scenario = self.scenario.model_copy(update={"tiers": {**self.scenario.tiers, **settings}})
        return scenario, size(replace(self.brief, scenario=scenario), SOLVED)

    def following(self, counts: Mapping[str, int]) -> dict[str, Settings]:
        """Return the settings of the tiers some of whose counts follow from the others, with these."""
        found = {}
        for name in self.order:
            own = {path.partition(".")[2]: count for path, count in counts.items() if path.partition(".")[0] == name}
            if own and registry.has(TIERS, self.scenario.tiers[name].KIND, "options"):
                pin = getattr(registry.load(TIERS, self.scenario.tiers[name].KIND, "options"), "followed", None)
                if pin is not None:
                    found[name] = pin(self.scenario.tiers[name], own)
        return found

    @property
    def endless(self) -> dict[str, Sized]:
        """Every tier as it keeps a request least: what is looked at by itself stands beside it."""
        return self._endless[1]

    @property
    def endless_settings(self) -> dict[str, Settings]:
        """The settings of every tier's option that keeps a request least; of its own where it has none."""
        return self._endless[0]

    @cached_property
    def _endless(self) -> tuple[dict[str, Settings], dict[str, Sized]]:
        """Return the settings and the sizes: the largest instances, each vCPU as fast as the fastest that there is.

        Of several engines, the one whose answers take least time.
        """
        settings: dict[str, Settings] = {}
        found: dict[str, Sized] = {}
        for name in self.order:
            ways: list[tuple[float, int, Settings, Sized]] = []
            for own in self._largest_of_each_kind(name):
                sized = self._hastened(name, self.sized(name, own, found))
                ways.append((self._answer_s(name, own, {**found, name: sized}), len(ways), own, sized))
            _, _, settings[name], found[name] = min(ways, key=lambda way: way[:2])
        return settings, found

    def _largest_of_each_kind(self, name: str) -> Iterator[Settings]:
        largest: dict[object, Option] = {}
        for option in self.by_themselves.get(name, ()):
            offer = self._offer(option)
            kind: object = offer.options if offer is not None else option.words
            if not option.unfit and (kind not in largest or self.size_of(option) > self.size_of(largest[kind])):
                largest[kind] = option
        for option in largest.values():
            yield option.at(max(1, option.count_min), max(1, option.count_min))
        if not largest:
            yield self.scenario.tiers[name]

    def _hastened(self, name: str, own: Sized) -> Sized:
        """Return a tier with instances as fast as the fastest of its options."""
        options = [option for option in self.by_themselves.get(name, ()) if not option.unfit and self._offer(option)]
        if not options:
            return own
        speeds = [self._speed(name, option) for option in options]
        groups = tuple(replace(each, shape=replace(each.shape, speed_ratio=max(speeds))) for each in own.groups)
        return replace(own, groups=groups)

    def _offer(self, option: Option) -> Offer | None:
        return option.beside or option.each

    def _speed(self, name: str, option: Option) -> float:
        """Return how fast a vCPU of an option's instances is, over those that CPU times were measured on."""
        offer = self._offer(option)
        if offer is None:
            return 1.0
        settings = option.at(max(1, option.count_min), max(1, option.count_min))
        return self.ask(name, settings, {}).shape(offer.what, offer.options).speed

    def _answer_s(self, name: str, settings: Settings, tiers: Mapping[str, Sized]) -> float:
        """Return the time that a request spends at the places of a tier where nobody else asks."""
        declare = getattr(registry.load(TIERS, settings.KIND, "sizing"), "places", None)
        if declare is None:
            return 0.0
        scenario = self.scenario.model_copy(update={"tiers": self.scenario.tiers | {name: settings}})
        found: tuple[Place, ...] = declare(Site(name, settings, scenario, tiers), {}, ())
        return sum(
            share * visit.try_count * visit.chance_ratio * visit.alone_s
            for place in found
            for share, action in scenario.behaviour.mix
            for visit in place.visits(action)
            if visit.is_awaited
        )

    def size_of(self, option: Option) -> tuple[float, float]:
        """Return the memory and the CPU of an option's instances."""
        offer = self._offer(option)
        shape = self.brief.cloud.catalogue().find(offer.what, offer.name) if offer is not None else None
        return (shape.memory_gib, shape.vcpu) if shape is not None else (0.0, 0.0)

    @cached_property
    def slight(self) -> dict[str, Sized]:
        """Every tier as what moves the rest least has it: beside it the rest costs least."""
        found: dict[str, Sized] = {}
        for name in self.order:
            found[name] = self.sized(name, self.slight_settings[name], found)
        return found

    @cached_property
    def slight_settings(self) -> dict[str, Settings]:
        """The settings of every tier's option with fewest pods on fewest nodes."""
        found: dict[str, Settings] = {}
        for name in self.order:
            options = [option for option in self.by_themselves.get(name, ()) if not option.unfit]
            found[name] = self.scenario.tiers[name]
            if options:
                smallest = min(options, key=lambda option: (option.count_min, *self.size_of(option)))
                found[name] = smallest.at(max(1, smallest.count_min), max(1, smallest.count_min))
        return found

    def sized(self, name: str, settings: Settings, before: Mapping[str, Sized], is_host: bool = False) -> Sized:
        """Return an instance with other settings, sized beside others; a host with what stands on its nodes."""
        scenario = self.scenario.model_copy(update={"tiers": self.scenario.tiers | {name: settings}})
        brief = replace(self.brief, scenario=scenario)
        beside = guests(brief, SOLVED).get(name, ()) if is_host and name in self.hosts else ()
        return sized(brief, name, settings, before, SOLVED, beside)

    @cached_property
    def guests(self) -> Mapping[str, tuple[Guest, ...]]:
        """What stands on services' nodes at least: beside the fewest pods, or on nodes that are the fastest."""
        fastest = {name: own for name in self.hosts if (own := self._fastest(name)) is not None}
        slight, fast = (
            guests(replace(self.brief, scenario=self.scenario.model_copy(update={"tiers": tiers})), SOLVED)
            for tiers in ({**self.scenario.tiers, **self.slight_settings, **hosts} for hosts in ({}, fastest))
        )
        return {
            host: tuple(_least_of_both(one, other) for one, other in zip(standing, fast[host], strict=True))
            for host, standing in slight.items()
        }

    def _fastest(self, name: str) -> Settings | None:
        """Return the settings of the smallest of a tier's fastest options; None where it has none."""
        options = [option for option in self.by_themselves.get(name, ()) if not option.unfit]
        if not options:
            return None
        option = min(options, key=lambda each: (-self._speed(name, each), each.count_min, *self.size_of(each)))
        return option.at(max(1, option.count_min), max(1, option.count_min))

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The services on whose nodes pods of other kinds stand."""
        tiers = self.scenario.tiers.values()
        return frozenset(each.nodes_of for each in tiers if isinstance(each, Housed) and each.nodes_of is not None)

    def charge_of(self, name: str, settings: Settings, own: Sized) -> Decimal:
        """Return what the tiers without options cost at least beside one, in the mean of the horizon's months."""
        if not self.months:
            return self.charge({name: own})
        each = [month.charge({name: month.sized(name, settings, month.slight, is_host=True)}) for month in self.months]
        return sum(each, NOTHING) / len(each)

    def charge(self, beside: Mapping[str, Sized]) -> Decimal:
        """Return what the tiers without options cost at least beside some others."""
        tiers = {**self.slight, **beside}
        rest: dict[str, Sized] = {}
        for name in self.rest:
            rest[name] = tiers[name] = self.sized(name, self.scenario.tiers[name], tiers)
        return self.cost(rest)[0]

    @cached_property
    def least_charge(self) -> Decimal:
        """What the tiers without options cost at least beside any fleet, in the mean of the horizon's months."""
        months = self.months or (self,)
        return sum((month.charge({}) for month in months), NOTHING) / len(months)

    @property
    def least_month(self) -> World:
        """The month of the horizon in which everything costs least; this world itself where there is one."""
        return min(self.months, key=lambda month: month.scenario.users.peak) if self.months else self

    @cached_property
    def unfit(self) -> str:
        """Why no fleet of this layout keeps everything: what a tier breaks that has no options and reads no other."""
        for name in self.rest:
            if registry.load(TIERS, self.scenario.tiers[name].KIND, "sizing").AFTER:
                continue
            own = self.slight[name]
            broken = next((finding.message for finding in own.findings if finding.is_broken), "")
            if why := broken or unmet_gate(self.scenario, name, own):
                return f"{name}: {why}"
        slow = self.too_slow(self.endless_settings, self.endless)
        return f"{slow}: its latency limits, however large the fleet" if slow else ""

    def too_slow(self, settings: Mapping[str, Settings], tiers: Mapping[str, Sized]) -> str:
        """Return the first case whose limits a fleet breaks though nobody waits anywhere, or "".

        More of the same is never enough then. Where nobody waits no margin is due.
        """
        scenario, fleet = self.scenario.model_copy(update={"tiers": dict(settings)}), Fleet(tiers)
        found = (_idle(place) for place in places(scenario, fleet, scale(fleet, {})))
        on = chain(scenario, tuple(found))
        cases = (*self.base, *self.floor(fleet))
        slow = (case for case in cases if not keeps(on, case.users, case.latency_ms_p95, case.latency_ms_p99))
        return next((case.name for case in slow), "")

    def price(self, option: Option, low: int) -> Decimal | None:
        """Return what so many cost a month at least, by the hours of the instances alone; None where a price misses."""
        total = NOTHING
        for offer, times in ((option.beside, 1), (option.each, low * option.each_count)):
            if offer is None or not times:
                continue
            rate = self.rate(offer)
            if rate is None:
                self.tally.unpriced.add(str(offer))
                return None
            total += rate * times
        return total * self.scenario.hours_per_month

    def hours_usd(self, own: Sized) -> tuple[Decimal, Decimal]:
        """Return what the instances of a tier cost a month on demand, and by the least price that is allowed."""
        listed = least = NOTHING
        for group in own.groups:
            on_demand, rate = self.brief.book.find(*self.brief.cloud.key(group.offer)), self.rate(group.offer)
            hours = Decimal(str(getattr(group.count, self.level))) * self.scenario.hours_per_month
            if on_demand is not None and rate is not None:
                listed, least = listed + on_demand.usd * hours, least + rate * hours
        return listed, least

    def rate(self, offer: Any) -> Decimal | None:
        """Return the least that an instance costs an hour by any term that is allowed; None without a price."""
        if (known := self._rates.get(offer)) is not None:
            return known
        on_demand = self.brief.book.find(*self.brief.cloud.key(offer))
        if on_demand is None:
            return None
        prices = [on_demand.usd]
        for term in self.terms(offer.what):
            if self.brief.cloud.sells(offer, term):
                price = self.brief.book.find(*self.brief.cloud.key(offer, term))
                if price is None:
                    self.tally.terms_unpriced += 1
                else:
                    prices.append(price.usd)
        return self._rates.setdefault(offer, min(prices))

    @cached_property
    def _rates(self) -> dict[Any, Decimal]:
        return {}

    def terms(self, what: str) -> tuple[str, ...]:
        """Return the terms that are allowed for instances, besides on demand and what the scenario itself says."""
        free = self.scenario.optimize
        sold = registry.load("clouds", self.scenario.cloud, "terms").SOLD.get(what, ())
        years = free.commitment_years_max or 0
        found = [term for term in sold if (commitment := commitment_of(term)) and commitment.years <= years]
        own = [part.term for each in self.scenario.tiers.values() if isinstance(each, Bought) for part in each.terms]
        spot = ["spot"] if free.spot is not None and "spot" in sold else []
        return tuple(dict.fromkeys([*found, *spot, *(term for term in own if term in sold)]))


def _least_of_both(one: Guest, other: Guest) -> Guest:
    """Return pods that ask for no more than either of two."""
    return replace(
        one,
        cpu_cores=min(one.cpu_cores, other.cpu_cores),
        memory_mib=min(one.memory_mib, other.memory_mib),
        count=Band(*map(min, one.count, other.count)),
        busy_cores=Band(*map(min, one.busy_cores, other.busy_cores)),
    )


def _undominated(cases: Sequence[Case]) -> list[Case]:
    """Return the cases that no other one implies: as many users within limits that are no laxer."""

    def implies(one: Case, other: Case) -> bool:
        p99 = other.latency_ms_p99
        return (
            one.users >= other.users
            and one.latency_ms_p95 <= other.latency_ms_p95
            and (p99 is None or (one.latency_ms_p99 is not None and one.latency_ms_p99 <= p99))
        )

    found: list[Case] = []
    for at, case in enumerate(cases):
        others = (other for place, other in enumerate(cases) if place != at)
        if not any(implies(other, case) and not (implies(case, other) and cases.index(other) > at) for other in others):
            found.append(case)
    return found


class Stream:
    """The candidates of one tier, the cheapest first."""

    def __init__(self, world: World, name: str, like: Stream | None = None) -> None:
        """Take the tier's options, none of them looked at yet; their least counts are those of `like` where given."""
        self.world, self.name = world, name
        self.found: list[Candidate] = []
        self._order = numbers()
        self._heap: list[tuple[Decimal, int, Option, int, Candidate | None]] = []
        self._sized: set[int] = set()
        self._counts: dict[str, tuple[int, int] | None] = {} if like is None else like._counts
        self._starts: dict[str, int] = {} if like is None else like._starts
        self._alone: dict[str, Alone] = {}
        self._floors: set[str] = set()
        for option in world.options[name]:
            if option.unfit:
                self._strike(option, "memory", option.unfit)
            else:
                if option.words not in self._starts:
                    self._starts[option.words] = max(option.count_min, self._by_capacity(option))
                self._queue(option, self._starts[option.words])

    def __getitem__(self, index: int) -> Candidate | None:
        """Return the candidate of a rank; None where there are not so many."""
        while len(self.found) <= index and self._heap:
            self.look()
        return self.found[index] if index < len(self.found) else None

    def bound(self, index: int) -> Decimal | None:
        """Return what the candidate of a rank costs at least, without looking any further; None where there is none."""
        if index < len(self.found):
            return self.found[index].total_usd
        return self._heap[0][0] if self._heap else None

    def _strike(self, option: Option, by: str, why: str, times: int = 1) -> None:
        self.world.tally.struck[by] += times
        self.world.tally.reasons.setdefault((self.name, option.words), why)

    def _by_capacity(self, option: Option) -> int:
        """Return the least count that answers what the floor is asked: users come back at most after the limit."""
        if option.requests_per_s == inf or not option.is_scaled:
            return option.count_min
        world, lever = self.world, Lever("", 0, 0, 0, "", spread="nodes")
        think_s = world.scenario.behaviour.think_time_s.mean
        share = 1.0
        asked = max(
            (case.users / (think_s + case.latency_ms_p95 / 1000) for case in world.floor(Fleet(world.endless))),
            default=0.0,
        )
        # A mean is below its p95, and what is not within it may be late by any time: one request in twenty.
        needed = asked * 0.95 * share / option.requests_per_s
        found = least_count(
            lambda nodes: left(world.scenario, lever, nodes) >= needed, COUNT_MOST, max(1, ceil(needed))
        )
        self.world.tally.struck["capacity"] += max(0, found - option.count_min)
        return found

    def _queue(self, option: Option, low: int, at_least: Decimal = NOTHING) -> None:
        if low > option.count_max:
            return
        price = self.world.price(option, low)
        if price is not None:
            least = price + (self.world.least_charge if self.name == self.world.main else NOTHING)
            heapq.heappush(self._heap, (max(least, at_least), next(self._order), option, low, None))

    def look(self) -> None:
        """Look at what may be cheapest next: a count that is not priced yet, or a candidate that is."""
        _, _, option, low, candidate = heapq.heappop(self._heap)
        if candidate is not None:
            self.found.append(candidate)
            return
        if id(option) not in self._sized:
            # Before any prediction: its nodes' disks and what the rest costs beside it may make it too dear already.
            self._sized.add(id(option))
            if (bound := self._own_bound(option, low)) is not None:
                self._queue(option, low, bound)
            return
        least = self.least_of(option, low)
        if least is None:
            return
        if low < least:
            self._queue(option, least)
            return
        found = list(self.candidates(option, low))
        for each in found:
            heapq.heappush(self._heap, (each.total_usd, next(self._order), option, low, each))
        if low < option.count_max and not found and self.base_of(option, low) is None:
            self._queue(option, low + 1)
        if low < option.count_max and found:
            # One more never takes of what instances and their disks cost: what is metered may be less beside more.
            more = self.world.price(option, low + 1) or NOTHING
            now = self.world.price(option, low) or NOTHING
            self._queue(option, low + 1, self._bound(found[0].settings, found[0].sized) + more - now)

    def _own_bound(self, option: Option, low: int) -> Decimal | None:
        """Return what a count of an option adds to the sum at least; None where that has no plan."""
        try:
            settings = option.at(low, low)
            return self._bound(settings, self.world.sized(self.name, settings, self.world.slight))
        except CascadePlanError as error:
            self._strike(option, "memory", str(error))
            return None

    def _bound(self, settings: Settings, own: Sized) -> Decimal:
        """Return what a candidate adds to the sum at least, whatever of it is metered: in the least of the months."""
        world = self.world.least_month
        if world is not self.world:
            own = world.sized(self.name, settings, world.slight, is_host=True)
        charge = NOTHING
        if self.name == self.world.main:
            charge = self.world.least_charge if self.world.months else world.charge({self.name: own})
        if not own.groups:
            return world.cost({self.name: own})[0] + charge
        if not self._is_paid_otherwise():
            return world.cost({self.name: replace(own, usages=())})[0] + charge
        # By the hour at the best price that is allowed, and what belongs to the instances as it is.
        groups = tuple(replace(group, terms=()) for group in own.groups)
        listed, least = world.hours_usd(own)
        return world.cost({self.name: replace(own, usages=(), groups=groups)})[0] - listed + least + charge

    def _is_paid_otherwise(self) -> bool:
        free = self.world.scenario.optimize
        return free.commitment_years_max is not None or free.spot is not None

    def least_of(self, option: Option, guess: int) -> int | None:
        """Return the least count of an option that keeps everything by itself; None where no count does.

        First that of an autoscaled one at the least load, if that is more than `guess`: it may be too dear already.
        """
        words = option.words
        if words not in self._counts:
            alone = self._alone.setdefault(words, Alone(self.world, self.name, option))
            found, why = (0, None) if words in self._floors else alone.at_least(guess)
            if not why and found > guess:
                self._floors.add(words)
                self.world.tally.struck["promise"] += found - guess
                return found
            if not why:
                found, why = alone.least(guess)
            self._counts[words] = None if why else (found, alone.base)
            if why:
                self._strike(option, why[0], why[1], max(1, option.count_max - option.count_min))
            else:
                self.world.tally.struck["promise"] += found - guess
        counts = self._counts[words]
        return None if counts is None else counts[0]

    def with_fewest_pods(self) -> Sized | None:
        """Return the tier by the option, at its least count, that the fewest pods run of; None where none keeps all."""
        sized = (self._at_least(option) for option in self.world.options[self.name] if option.words in self._starts)
        return min((own for own in sized if own is not None), key=_pods, default=None)

    def _at_least(self, option: Option) -> Sized | None:
        """Return the tier by an option at the least count that keeps everything by itself; None where no count does."""
        least = self._starts[option.words]
        while (found := self.least_of(option, least)) is not None and found > least:
            least = found
        base = None if found is None else self.base_of(option, least)
        if base is None:
            return None
        return self.world.sized(self.name, option.at(least, base), self.world.slight, is_host=True)

    def base_of(self, option: Option, low: int) -> int | None:
        """Return how many stand at the peak beside so many at the least load; None where no number is enough."""
        counts = self._counts[option.words]
        assert counts is not None, "what no count keeps has no candidates"
        return max(low, counts[1])

    def candidates(self, option: Option, low: int) -> Iterator[Candidate]:
        """Yield a count of an option by each way to pay for it that none is better than."""
        world, base = self.world, self.base_of(option, low)
        if base is None:
            return
        settings = option.at(low, base)
        own = world.sized(self.name, settings, world.slight, is_host=True)
        if why := self._unmet_alone(settings, own):
            self._strike(option, "gate", why)
            return
        charge = world.charge_of(self.name, settings, own) if self.name == world.main else NOTHING
        best: list[tuple[Decimal, Decimal]] = []
        offers = [
            (usd, upfront, paid, as_paid)
            for paid, as_paid in self._paid(settings, own, low)
            for usd, upfront, missing in (world.cost_of(self.name, paid, as_paid),)
            if not missing and not self._too_much(upfront)
        ]
        for usd, upfront, paid, as_paid in sorted(offers, key=lambda each: each[:2]):
            if any(known <= upfront for _, known in best):
                continue
            best.append((usd, upfront))
            yield Candidate(self.name, option, low, base, paid, as_paid, usd, upfront, charge)
            if world.scenario.optimize.upfront_usd_max is None:
                return

    def _unmet_alone(self, settings: Settings, own: Sized) -> str:
        """Return the first gate that the tier breaks beside the least of the others and beside endless ones, or ""."""
        scenario = self.world.scenario
        if not unmet_gate(scenario, self.name, own):
            return ""
        beside = self.world.sized(self.name, settings, self.world.endless, is_host=True)
        return unmet_gate(scenario, self.name, own) and unmet_gate(scenario, self.name, beside)

    def _too_much(self, upfront_usd: Decimal) -> bool:
        most = self.world.scenario.optimize.upfront_usd_max
        return most is not None and upfront_usd > Decimal(str(most))

    def _paid(self, settings: Settings, own: Sized, low: int) -> Iterator[tuple[Settings, Sized]]:
        """Yield the settings with each way to pay, and what is sized with its groups so paid."""
        world, free = self.world, self.world.scenario.optimize
        kept = free.keeps(f"tiers.{self.name}.purchase") or (free.commitment_years_max is None and free.spot is None)
        if not isinstance(settings, Bought) or kept or not own.groups:
            if isinstance(settings, Bought) and not all(
                world.brief.cloud.sells(group.offer, part.term) for group in own.groups for part in settings.terms
            ):
                return
            yield settings, own
            return
        what = own.groups[0].offer.what
        whole = ["on_demand"] if free.commitment_years_max is not None else [settings.purchase]
        whole += [term for term in world.terms(what) if commitment_of(term) and free.commitment_years_max]
        for purchase in whole:
            yield from self._with(settings, own, purchase)
        spot = Alone(world, self.name, None).spot_count(own, low) if free.spot and what == "vm" else 0
        if spot:
            share = spot / low
            yield from self._with(settings, own, {"spot": share})
            for term in whole:
                if isinstance(term, str) and term != "on_demand" and share < 1:
                    yield from self._with(settings, own, {term: 1 - share, "spot": share})

    def _with(self, settings: Bought, own: Sized, purchase: Any) -> Iterator[tuple[Settings, Sized]]:
        paid = settings.model_copy(update={"purchase": purchase})
        groups = tuple(replace(group, terms=paid.terms) for group in own.groups)
        if all(self.world.brief.cloud.sells(group.offer, part.term) for group in groups for part in group.terms):
            yield paid, replace(own, groups=groups)


def _broken_findings(own: Sized) -> dict[str, str]:
    """Return the code of each limit that a tier breaks by itself -> in words."""
    return {finding.code: finding.message for finding in own.findings if finding.is_broken}


def _pods(own: Sized) -> int:
    return sum(load.running_count_max for load in own.workloads)


def unmet_gate(scenario: Scenario, name: str, own: Sized) -> str:
    """Return the first gate on a figure of its own that a tier breaks, in words, or ""."""
    figures = {figure.figure: figure for figure in own.figures}
    for path, limits in scenario.gates.items():
        if path in figures and not figures[path].is_given:
            for limit in limits:
                symbol, _, text = limit.partition(" ")
                value = figures[path].value
                if not OPERATORS[symbol](Decimal(str(value)), Decimal(text)):
                    return f"gate {path} {limit}: it is {value:,.6g}"
    return ""


class Alone:
    """A tier with the rest of the fleet endless: what fails so fails beside any fleet."""

    def __init__(self, world: World, name: str, option: Option | None) -> None:
        """Take one option of the tier."""
        self.world, self.name, self.option = world, name, option
        self.base = 0
        """The least count at the peak, once `least` has been asked."""
        self._start: tuple[Fleet, Mapping[str, Settings]]
        """The fleet at the count where the search for the least begins."""

    def at_least(self, guess: int) -> tuple[int, Struck | None]:
        """Return the least count that keeps what the scaled-in fleet must, or by what no count does and why.

        0 for what no autoscaler moves: `least` says all of it.
        """
        option = self.option
        assert option is not None
        if not option.is_scaled or option.count_min >= option.count_max:
            return 0, None
        try:
            fleet, settings = self._start = self._fleet(max(1, guess), max(1, guess))
        except CascadePlanError as error:
            return 0, ("memory", str(error))
        if slow := self.world.too_slow(settings, fleet.tiers):
            return 0, ("promise", f"{slow}: its latency limits, however many there are")
        return self._fewest(self.world.floor(fleet), max(1, guess))

    def _fewest(self, cases: Sequence[Case], guess: int) -> tuple[int, Struck | None]:
        """Return the least count of what an autoscaler moves that keeps some cases, or why none does."""
        assert self.option is not None
        fleet, settings = self._start
        own = next(lever for lever in fleet.tiers[self.name].levers if lever.is_scaled)
        judge, most = self._judge(fleet, settings), self.option.count_max
        found = least_count(lambda n: not judge(cases, {own.name: n}), most, guess)
        return found, judge(cases, {own.name: found}) if found == most else None

    def least(self, guess: int) -> tuple[int, Struck | None]:
        """Return the least count that keeps everything, or by what no count does and why.

        Of what an autoscaler moves `guess` is what `at_least` has found.
        """
        option = self.option
        assert option is not None
        if option.count_min >= option.count_max:
            self.base = option.count_min
            return option.count_min, self._whole(option.count_min, option.count_min)
        if not option.is_scaled:
            found = self._first(lambda low: not self._whole(low, low), option.count_min, option.count_max)
            self.base = found
            return found, self._whole(found, found)
        low = guess
        base, why = self._fewest(self.world.base, low)
        if why:
            return 0, why
        self.base = base = max(base, option.base_count_min)
        if not self._whole(low, max(low, base)):
            return low, None
        # What is found only once it is sized whole, such as what stands on its nodes besides, may ask for more of it.
        most = min(option.count_max, FAR * low)
        if why := self._whole(most, max(most, base)):
            return 0, why
        return least_count(lambda n: not self._whole(n, max(n, base)), most, low + 1), None

    def spot_count(self, own: Sized, low: int) -> int:
        """Return how many of the nodes may be spot: without these, the others carry what they must alone."""
        free = self.world.scenario.optimize.spot
        lever = next((lever for lever in own.levers if lever.is_scaled), None)
        if free is None or lever is None:
            return 0
        fleet = Fleet({**self.world.endless, self.name: own}, self.world.scenario.hours_per_month)
        settings = {**self.world.endless_settings, self.name: self.world.scenario.tiers[self.name]}
        cases = self.world.without_spot(fleet)
        judge = self._judge(fleet, settings, lost=False)
        most = int(low * free.share_max)
        needed = least_count(lambda n: not judge(cases, {lever.name: n}), low, max(1, low - most))
        return min(most, low - needed)

    def _first(self, holds: Any, least: int, most: int) -> int:
        """Return the least count that holds, from `least` on; `most` where none does."""
        if holds(least):
            return least
        return least + least_count(lambda above: holds(least + above), most - least) if holds(most) else most

    def _fleet(self, low: int, base: int) -> tuple[Fleet, Mapping[str, Settings]]:
        assert self.option is not None
        settings = self.option.at(low, base)
        own = self.world.sized(self.name, settings, self.world.endless, is_host=True)
        tiers = {**self.world.endless, self.name: own}
        return Fleet(tiers, self.world.scenario.hours_per_month), {**self.world.endless_settings, self.name: settings}

    def _whole(self, low: int, base: int) -> tuple[str, str] | None:
        """Return by what an option with these counts is struck, and why; None where it keeps everything by itself."""
        try:
            fleet, settings = self._fleet(low, base)
            own = fleet.tiers[self.name]
            why = self._broken(own, settings[self.name])
        except CascadePlanError as error:
            return "memory", str(error)
        if why:
            return why
        judge = self._judge(fleet, settings)
        floor, base_counts = (
            {lever.name: getattr(lever, f"{at}_count") for lever in own.levers if lever.spread} for at in ENDS
        )
        return judge(self.world.floor(fleet), floor) or judge(self.world.base, base_counts)

    def standing(self, low: int, base: int) -> tuple[Fleet, Mapping[str, Settings], Chain]:
        """Return the fleet of so many of an option and an endless rest, its settings, and the chain at the peak."""
        fleet, settings = self._fleet(low, base)
        levers = [lever for lever in fleet.tiers[self.name].levers if lever.spread]
        kept = all_left(self.world.scenario, levers, {lever.name: lever.base_count for lever in levers})
        return fleet, settings, self._chains(fleet, settings)(kept)

    def _broken(self, endless: Sized, settings: Settings) -> Struck | None:
        """Return by what figures of its own strike the tier, and why: broken beside endless others and the least."""
        scenario, broken = self.world.scenario, _broken_findings(endless)
        if not broken and not unmet_gate(scenario, self.name, endless):
            return None
        # What is broken beside endless others alone hangs on how many they are: only a whole fleet says so.
        least = self.world.sized(self.name, settings, self.world.slight, is_host=True)
        if both := [message for code, message in broken.items() if code in _broken_findings(least)]:
            return "limit", both[0]
        why = unmet_gate(scenario, self.name, least) and unmet_gate(scenario, self.name, endless)
        return ("gate", why) if why else None

    def _chains(self, fleet: Fleet, settings: Mapping[str, Settings]) -> Callable[[Mapping[str, int]], Chain]:
        """Return what gives the chain on what is kept of each lever of the tier, the rest endless."""
        scenario = self.world.scenario.model_copy(update={"tiers": dict(settings)})
        # So that what the others open or hold, such as connections to a database, is as endless as they are.
        others = {
            lever.name: lever.base_count * ENDLESS
            for name, tier in fleet.tiers.items() if name != self.name
            for lever in tier.levers if lever.is_scaled
        }  # fmt: skip
        known: dict[tuple[int, ...], Chain] = {}

        def on(kept: Mapping[str, int]) -> Chain:
            key = tuple(kept.values())
            if key not in known:
                found = places(scenario, fleet, scale(fleet, {**others, **kept}))
                known[key] = chain(scenario, tuple(_endless(place, self.name) for place in found))
            return known[key]

        return on

    def _judge(self, fleet: Fleet, settings: Mapping[str, Settings], lost: bool = True) -> Judge:
        """Return what says by what some cases are not kept by so many of a lever of the tier, and why."""
        world, on = self.world, self._chains(fleet, settings)
        scenario = world.scenario.model_copy(update={"tiers": dict(settings)})
        alone = fleet.tiers[self.name]
        own = Fleet({self.name: replace(alone, ceilings=tuple(each for each in alone.ceilings if not each.of_others))})
        levers = {lever.name: lever for lever in own.levers}

        def judge(cases: Sequence[Case], counts: Mapping[str, int]) -> Struck | None:
            kept = {name: left(scenario, levers[name], count) if lost else count for name, count in counts.items()}
            for case in cases:
                if why := unfit(case, scenario, own, world.average_per_s, counts, kept):
                    return "limit", f"{case.name}: {why}"
            for case in cases:
                world.tally.calls += 1
                p99 = None if case.latency_ms_p99 is None else case.latency_ms_p99 * (1 + MARGIN)
                if not keeps(on(kept), case.users, case.latency_ms_p95 * (1 + MARGIN), p99):
                    return "promise", f"{case.name}: its latency limits, with the rest of the fleet endless"
            return None

        return judge


ENDS: Final = ("floor", "base")


def _endless(place: Place, name: str) -> Place:
    """Return a place with units that never bind, unless it is of the tier that is looked at."""
    if place.tier == name or not place.server_count:
        return place
    return replace(place, unit_count=place.unit_count * ENDLESS, server_count=place.server_count * ENDLESS)


def _idle(place: Place) -> Place:
    """Return a place at which nobody waits, the same for all that serve as fast."""
    if not place.server_count:
        return place
    return replace(place, unit_count=IDLE, server_count=IDLE, speed_ratio=1.0)


def bought(sized_tier: Sized) -> tuple[NodeGroup, ...]:
    """Return the groups of a tier that have instances."""
    return tuple(group for group in sized_tier.groups if group.count.ceiling)
