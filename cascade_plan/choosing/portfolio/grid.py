"""One scenario at each point of a grid, sized by its rules: what a month costs at all of them, in arrays.

The tiers' own code is asked of many points at once; only those that answer a comparison otherwise are asked apart. What
arrays do not know is planned point by point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, cast

import numpy as np

from cascade_plan import registry
from cascade_plan.choosing.drawn.fleet import of_worlds, part_of, world_of
from cascade_plan.choosing.drawn.not_covered import NotCovered
from cascade_plan.errors import CascadePlanError
from cascade_plan.formulas.arrays.numbers import Array, Indices, Mask, full
from cascade_plan.formulas.draws import Divided, Draws, Flag, largest
from cascade_plan.model.bill import Item
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.fleet import LEVELS, Band, Fleet, NodeGroup, Portion, Sized, Usage
from cascade_plan.model.place import Scale
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.terms import commitment_of
from cascade_plan.model.traffic import Traffic
from cascade_plan.planning.ceilings import requests_per_s_most
from cascade_plan.planning.chain import chain
from cascade_plan.planning.latencies import steady
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.sizing import Brief, places, size
from cascade_plan.planning.traffic import traffic_of

MOST: Final = 1e15
"""An amount above every tier of a price."""
HALF_A_CENT: Final = 0.005
CHECKED_MOST: Final = 200
"""Points that are planned once more by themselves, one of each part at least."""
Values = Mapping[str, Array]


@dataclass(frozen=True)
class Costs:
    """What a month costs at each point, at each level of the band."""

    usd: Mapping[str, Array]
    """Level -> USD a month; not a number where a point has no plan."""
    counts: Mapping[str, Array]
    """Figure of a count, such as api.node_count -> what it is at the peak."""
    part_count: int
    """In how many parts arrays were asked."""
    checked_count: int
    """Points that were planned by themselves too, to the same cent."""
    alone_count: int
    """Points that only could be planned by themselves."""
    failures: Mapping[int, str] = field(default_factory=dict)
    """Point -> why it has no plan."""


class _Price(NamedTuple):
    """What one more of something costs a month, from so much of it on."""

    begin: float
    usd: float


@dataclass
class Grid:
    """One scenario at many points: its values there by dotted path."""

    scenario: Scenario
    book: Book
    values: Values
    count: int
    as_of: date | None = None
    _prices: dict[Any, list[_Price]] = field(default_factory=dict)

    def costs(self) -> Costs:
        """Return what a month costs at every point, by the scenario's rules."""
        usd = {level: np.full(self.count, np.nan) for level in LEVELS}
        counts: dict[str, Array] = {}
        alone: list[int] = []
        checked: list[int] = []
        part_count = 0
        with np.errstate(all="ignore"):  # what a branch computes for points that are on another one is thrown away
            for points, fleet, answered in self._parts():
                if fleet is None or not answered.any() or not self._billed(usd, points, fleet):
                    alone += points.tolist()
                    continue
                part_count += 1
                alone += points[~answered].tolist()
                checked.append(int(points[answered][answered.sum() // 2]))
                self._count(counts, points, fleet)
        self._check(usd, checked)
        failures = dict(self._alone(usd, counts, alone))
        return Costs(usd, counts, part_count, len(checked), len(alone), failures)

    # ------------------------------------------------------------------------------------------------------------ sizes

    def _parts(self) -> Iterator[tuple[Indices, Fleet | None, Mask]]:
        """Yield points that answer every comparison alike, with their fleet, and which of them it answers all of.

        The fleet is None where arrays do not know it.
        """
        everything = np.arange(self.count)
        traffic = traffic_of(part_of(self.scenario, self.values, everything))
        waiting = [everything]
        while waiting:
            points = waiting.pop()
            try:
                yield points, *self._fleet(points, _part(traffic, points))
            except Divided as divided:
                waiting += [points[~divided.mask], points[divided.mask]]
            except (TypeError, ValueError, AttributeError, NotCovered, CascadePlanError):
                yield points, None, np.zeros(points.size, dtype=bool)

    def _fleet(self, points: Indices, traffic: Traffic) -> tuple[Fleet, Mask]:
        scenario = part_of(self.scenario, self.values, points)
        cloud = cast(Cloud, registry.load("clouds", scenario.cloud, "cloud"))
        fleet = size(Brief(scenario, traffic, cloud, self.book, {}, self.as_of or self.book.day, is_whole=False))
        return fleet, _answers(scenario, fleet, traffic, points.size)

    # ------------------------------------------------------------------------------------------------------------ bills

    def _billed(self, usd: Mapping[str, Array], points: Indices, fleet: Fleet) -> bool:
        """Fill in what points cost; return whether arrays know it."""
        try:
            for level in LEVELS:
                total: Any = 0.0
                for group in fleet.groups:
                    total = total + self._of_group(group, fleet, level)
                for usage in fleet.usages:
                    total = total + self._of_usage(usage, fleet, level)
                usd[level][points] = _plain(total)
        except (TypeError, NotCovered):
            return False
        return True

    def _of_group(self, group: NodeGroup, fleet: Fleet, level: str) -> Any:
        """Return what instances cost: so many, each with its disk, all hours of the month at one price."""
        if any(commitment_of(part.term) for part in group.terms):
            raise NotCovered(f"{group.name}: what is committed to is billed hour by hour")
        if group.portions:
            hours = getattr(group.count, level) * fleet.hours_per_month
            return sum(hours * getattr(each.amount, level) * self._hour_usd(each) for each in group.portions)
        key = (group.name, group.offer, group.terms, group.disk_rate, fleet.hours_per_month)
        if key not in self._prices:
            one = replace(group, count=Band.constant(1.0), disk_gib=0, claimed_gib=0, hourly_count=())
            bare, disk = (self._usd(fleet, group.tier, groups=(each,)) for each in (one, replace(one, disk_gib=1000)))
            more = self._usd(fleet, group.tier, groups=(replace(one, disk_gib=2000),))
            self._prices[key] = [_Price(0, bare), _Price(0, (more - disk) / 1000), _Price(0, 2 * disk - more - bare)]
        bare_usd, gib_usd, rest_usd = (price.usd for price in self._prices[key])
        has_disk = group.disk_gib if not isinstance(group.disk_gib, Draws) else 1
        each = bare_usd + gib_usd * group.disk_gib + (rest_usd if has_disk else 0.0)
        return getattr(group.count, level) * each

    def _hour_usd(self, portion: Portion) -> float:
        """Return what an hour of what an instance is priced by costs."""
        if portion.offer not in self._prices:
            cloud = cast(Cloud, registry.load("clouds", self.scenario.cloud, "cloud"))
            if (price := self.book.find(*cloud.key(portion.offer))) is None:
                raise NotCovered(f"{portion.name} has no price")
            self._prices[portion.offer] = [_Price(0, float(price.usd))]
        return self._prices[portion.offer][0].usd

    def _of_usage(self, usage: Usage, fleet: Fleet, level: str) -> Any:
        """Return what metered use costs: each price applies to what lies within its tier."""
        key = (usage.offer, usage.unit, usage.price_usd)
        if key not in self._prices:
            whole = replace(usage, amount=Band.constant(MOST), amount_monthly=())
            begin, found = 0.0, []
            for line in self._lines(fleet, usage.tier, usages=(whole,)):
                found.append(_Price(begin, float(line.price_usd)))
                begin += float(line.quantity.average)
            self._prices[key] = found
        amount, total = getattr(usage.amount, level), 0.0
        prices = self._prices[key]
        for at, price in enumerate(prices):
            before = prices[at - 1].usd if at else 0.0
            beyond = largest(amount - price.begin, 0.0) if price.begin else amount
            total = total + (price.usd - before) * beyond
        return total

    def _usd(self, fleet: Fleet, tier: str, groups: tuple[NodeGroup, ...]) -> float:
        return sum(float(line.cost_usd.average) for line in self._lines(fleet, tier, groups))

    def _lines(
        self, fleet: Fleet, tier: str, groups: tuple[NodeGroup, ...] = (), usages: tuple[Usage, ...] = ()
    ) -> Iterator[Item]:
        alone = Fleet({tier: Sized(tier, fleet.tiers[tier].kind, groups, usages)}, fleet.hours_per_month)
        for line in cast(Cloud, registry.load("clouds", self.scenario.cloud, "cloud")).lines(alone, self.book):
            if not isinstance(line, Item):
                raise NotCovered(f"{line.name} has no price")
            yield line

    def _count(self, counts: dict[str, Array], points: Indices, fleet: Fleet) -> None:
        for lever in fleet.levers:
            counts.setdefault(lever.name, np.full(self.count, np.nan))[points] = _plain(lever.base_count)

    # ------------------------------------------------------------------------------------------------------------ alone

    def _check(self, usd: Mapping[str, Array], points: list[int]) -> None:
        """Plan some points by themselves. Raises AssertionError where arrays have another cent than the plan."""
        for point in points[:CHECKED_MOST]:
            made = self._plan(point)
            for level in LEVELS:
                own, found = float(getattr(made.bill.effective_usd, level)), float(usd[level][point])
                if abs(own - found) > HALF_A_CENT:
                    raise AssertionError(f"point {point}, {level}: {found} in arrays, {own} by itself")

    def _alone(
        self, usd: Mapping[str, Array], counts: dict[str, Array], points: list[int]
    ) -> Iterator[tuple[int, str]]:
        """Plan points by themselves; yield (point, why) of those without a plan."""
        for point in points:
            try:
                made = self._plan(point)
            except CascadePlanError as error:
                for level in LEVELS:
                    usd[level][point] = np.nan
                yield point, str(error)
                continue
            for level in LEVELS:
                usd[level][point] = float(getattr(made.bill.effective_usd, level))
            self._count(counts, np.array([point]), made.fleet)

    def _plan(self, point: int) -> Plan:
        return plan(self.at(point), self.book, as_of=self.as_of, predicted=False, with_margins=False)

    def at(self, point: int) -> Scenario:
        """Return the scenario at one point."""
        return world_of(self.scenario, {path: _number(each[point]) for path, each in self.values.items()})


def _number(value: Any) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


def _answers(scenario: Scenario, fleet: Fleet, traffic: Traffic, count: int) -> Mask:
    """Return where a fleet answers all it is asked, as `planning.serving` tells: elsewhere less is billed."""

    def able(scale: Scale, asked_per_s: float) -> Mask:
        answered = chain(scenario, places(scenario, fleet, scale)).capacity_requests_per_s
        both = (answered >= asked_per_s, requests_per_s_most(fleet, scale) >= asked_per_s)
        found: Mask = np.logical_and(*(each.mask if isinstance(each, Flag) else np.full(count, each) for each in both))
        return found

    users, per_user = scenario.users, scenario.users.active_share / scenario.behaviour.think_time_s.mean
    scaled = [lever for lever in fleet.levers if lever.is_scaled]
    most = traffic.requests_per_s.ceiling
    # More of anything answers no less.
    at_floor = able({lever.name: lever.floor_count for lever in scaled}, most)
    if at_floor.all():
        return at_floor
    every = able({lever.name: lever.most_count for lever in scaled}, most)
    for each in (*traffic.hourly_users, users.peak):
        every &= able(steady(fleet, each, users.peak), each * per_user)
    return at_floor | every


def _part(traffic: Traffic, points: Indices) -> Traffic:
    """Return the traffic of some points."""
    return replace(traffic, **{name: _of(getattr(traffic, name), points) for name in Traffic.__dataclass_fields__})


def _of(part: Any, points: Indices) -> Any:
    if isinstance(part, Mapping):
        return {name: _of(each, points) for name, each in part.items()}
    if isinstance(part, tuple):
        return tuple(of_worlds(each, points) for each in part)
    return of_worlds(part, points)


def _plain(value: Any) -> Any:
    return value.values if isinstance(value, Draws) else float(value) if isinstance(value, Decimal) else value


def followed(values: Values, scenario: Scenario, count: int) -> dict[str, Array]:
    """Return the values with users on average, and registered ones, that follow those at peak as --peak has it."""
    found = dict(values)
    users = scenario.users
    if "users.peak" in found:
        ratio = found["users.peak"] / users.peak
        if "users.average" not in found:
            found["users.average"] = np.maximum(1.0, np.round(users.average * ratio))
        if "users.registered" not in found and users.registered is not None:
            found["users.registered"] = np.maximum(found["users.peak"], np.round(users.registered * ratio))
    return {path: full(each, count) for path, each in found.items()}
