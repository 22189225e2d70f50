"""One fleet in ten thousand worlds: in how many it keeps its promises, and what it costs in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from cascade_plan.choosing.beliefs import Belief, beliefs, draws
from cascade_plan.choosing.drawn.asked import Asked, one_world
from cascade_plan.choosing.drawn.bill import cost_usd
from cascade_plan.choosing.drawn.chain import Chains
from cascade_plan.choosing.drawn.fleet import Standing, Values
from cascade_plan.choosing.drawn.not_covered import NotCovered
from cascade_plan.choosing.drawn.response import missed, paths
from cascade_plan.choosing.drawn.states import steady_states, worst_states
from cascade_plan.choosing.pinning import pinned
from cascade_plan.formulas.arrays.numbers import Array, Mask, full
from cascade_plan.formulas.arrays.tails import percentile_s
from cascade_plan.formulas.draws import Draws
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.place import Scale
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.cases import Case, all_left, base_cases, floor_cases, held_cases
from cascade_plan.planning.predicting import off_at_most, worst_response
from cascade_plan.planning.promises import scale

DRAWS: Final = 10_000
"""Worlds: a share of them is known to within 1 in a hundred (95 %)."""
FIRST_LOOK: Final = 2048
"""Worlds of a first look: to within 2 in a hundred."""
SHARES: Final = {"p95": 0.05, "p99": 0.01}
"""Limit -> the share of requests that may take longer."""


AT_PEAK: Final = "peak"
SCALED_IN: Final = "scaled in"
AS_SCALED: Final = "as scaled"
"""Which of a fleet's counts keep a promise: those at peak and those scaled in after a zone and a node are lost, and
those that the autoscaler holds for a smaller load with nothing lost."""


class Promise(NamedTuple):
    """A limit on the latency of a load, on the counts of the fleet that must keep it."""

    load: str
    limit: str
    """p95 or p99."""
    latency_ms: float
    counts: str
    """At peak, scaled in, or as scaled."""

    def __str__(self) -> str:
        return f"{self.limit} of {self.load} ({self.counts})"


@dataclass(frozen=True)
class Outcome:
    """What becomes of a fleet, in each world."""

    missed: Mapping[Promise, Mask]
    broken: Mapping[str, Mask]
    """Figure that a ceiling is held against -> where it is broken in any case."""
    cost_usd: Array
    cost_usd_per_1000_users_month: Array
    budget_usd_per_1000_users_month: float | None
    one_by_one: tuple[str, ...] = ()
    """What arrays do not know, and was asked world by world."""

    @cached_property
    def kept(self) -> Mask:
        """Whether every promise is kept and no ceiling broken, in each world."""
        found = np.ones(self.cost_usd.size, dtype=bool)
        for each in (*self.missed.values(), *self.broken.values()):
            found &= ~each
        return found

    @property
    def kept_ratio(self) -> float:
        """The share of the worlds in which all is kept."""
        return float(self.kept.mean())

    @cached_property
    def over_budget(self) -> Mask:
        """Whether it costs more than the budget, in each world; never where there is none."""
        if self.budget_usd_per_1000_users_month is None:
            return np.zeros(self.cost_usd.size, dtype=bool)
        return self.cost_usd_per_1000_users_month > self.budget_usd_per_1000_users_month

    @property
    def over_budget_ratio(self) -> float:
        """The share of the worlds in which it costs more than the budget."""
        return float(self.over_budget.mean())


@dataclass(frozen=True)
class Worlds:
    """What is unsure of a scenario, drawn once: every fleet is asked in the same worlds."""

    scenario: Scenario
    book: Book
    believed: tuple[Belief, ...]
    values: Values = field(repr=False)
    """Dotted path -> its value in each world."""
    count: int

    @classmethod
    def of(
        cls, scenario: Scenario, book: Book, origins: Mapping[str, str], draws: int = DRAWS, seed: int = 1
    ) -> Worlds:
        """Return so many worlds of a scenario; the same for the same seed, and the first ones whatever their number."""
        believed = beliefs(scenario, origins)
        return cls(scenario, book, believed, drawn(believed, scenario, draws, seed), draws)

    def first(self, count: int = FIRST_LOOK) -> Worlds:
        """Return the first of these worlds, for a first look at a fleet."""
        values = {path: each[:count] for path, each in self.values.items()}
        return replace(self, values=values, count=min(count, self.count))

    def outcome(self, fleet: Fleet, scenario: Scenario | None = None) -> Outcome:
        """Return what becomes of a sized fleet in these worlds: its shapes and counts stand.

        `scenario` is what the fleet was sized for, where that is another one than the worlds are of: other shapes,
        engines or terms of purchase; what is unsure of it is drawn as for these worlds.
        """
        base = self.scenario if scenario is None else scenario
        standing = Standing(pinned(base, fleet), fleet, self.book)
        with np.errstate(all="ignore"):  # what a branch computes for worlds that are on another one is thrown away
            return _Asking(self, standing).outcome()

    def cost_usd(self, fleet: Fleet) -> Array:
        """Return what a sized fleet costs a month in each world: its shapes and counts stand, nothing else is asked."""
        standing = Standing(pinned(self.scenario, fleet), fleet, self.book)
        with np.errstate(all="ignore"):  # as above
            return _Asking(self, standing)._cost_usd()

    def percentiles_ms(self, fleet: Fleet, scenario: Scenario | None = None) -> dict[Promise, Array]:
        """Return the latency of every promise in each world: what it says less than 5 or 1 of a hundred may exceed.

        Promises that arrays do not know how to answer are left out.
        """
        base = self.scenario if scenario is None else scenario
        with np.errstate(all="ignore"):  # as above
            return _Asking(self, Standing(pinned(base, fleet), fleet, self.book)).percentiles_ms()


def drawn(believed: tuple[Belief, ...], scenario: Scenario, count: int, seed: int, stream: int = 0) -> dict[str, Array]:
    """Return dotted path -> its value in so many worlds."""
    return draws(believed, scenario, count, seed, stream)


class _Level(NamedTuple):
    """Counts that must keep some cases, after the losses."""

    counts: str
    cases: Sequence[Case]
    left: Mapping[str, int]
    scale: Scale


@dataclass(frozen=True)
class _Asking:
    """One fleet that is asked in some worlds."""

    worlds: Worlds
    standing: Standing
    said: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.worlds.count

    @cached_property
    def asked(self) -> Asked:
        return Asked.of(self.standing, self.worlds.values, self.count, self.said)

    def outcome(self) -> Outcome:
        missed_by: dict[Promise, Mask] = {}
        broken_by: dict[str, Mask] = {}
        for level in self._levels():
            for case in level.cases:
                for figure, mask in self._broken(case, level):
                    broken_by[figure] = broken_by.get(figure, np.zeros(self.count, dtype=bool)) | mask
                missed_by |= self._missed(case, level)
        scenario = self.standing.scenario
        cost = self._cost_usd()
        users = {"peak": "users.peak", "average": "users.average", "registered": "users.registered"}
        per = full(self._number(users[scenario.budget.users]), self.count)
        limit = scenario.budget.usd_per_1000_users_month
        return Outcome(
            missed_by,
            broken_by,
            cost,
            cost * 1000 / per,
            None if limit is None else float(limit),
            tuple(dict.fromkeys(self.said)),
        )

    def percentiles_ms(self) -> dict[Promise, Array]:
        found = {}
        for level in self._levels():
            for case in level.cases:
                try:
                    chains = self.asked.chains(level.scale)
                    if chains is None or not self._stands(level):
                        continue
                    passed = paths(chains, steady_states(chains, self._users(case)))
                except NotCovered:
                    continue
                for promise in self._promises(case, level):
                    found[promise] = percentile_s(passed, SHARES[promise.limit]) * 1000
        return found

    def _stands(self, level: _Level) -> bool:
        """Return whether enough is left of what an autoscaler moves for what must stand on it."""
        scaled = (lever for lever in self.standing.fleet.levers if lever.is_scaled and lever.name in level.left)
        return all(level.left[lever.name] >= max(1, lever.left_least_count) for lever in scaled)

    def _promises(self, case: Case, level: _Level) -> dict[Promise, float]:
        limits = {"p95": case.latency_ms_p95, "p99": case.latency_ms_p99}
        return {
            Promise(case.name, name, limit, level.counts): limit for name, limit in limits.items() if limit is not None
        }

    def _levels(self) -> Iterator[_Level]:
        scenario, fleet = self.standing.scenario, self.standing.fleet
        levers = [lever for lever in fleet.levers if lever.spread]
        base = {lever.name: lever.base_count for lever in levers}
        floor = {lever.name: lever.floor_count if lever.is_scaled else lever.base_count for lever in levers}
        for words, cases, counts in (
            (AT_PEAK, base_cases(scenario), base),
            (SCALED_IN, floor_cases(scenario, fleet), floor),
        ):
            left = all_left(scenario, levers, counts)
            yield _Level(words, cases, left, scale(fleet, left))
        for case in held_cases(scenario, fleet):
            held = {lever.name: lever.at(case.users, scenario.users.peak) for lever in levers}
            yield _Level(AS_SCALED, [case], held, scale(fleet, held))

    def _number(self, path: str) -> Any:
        if path in self.worlds.values:
            return self.worlds.values[path]
        part, name = path.split(".")
        return getattr(getattr(self.standing.scenario, part), name)

    def _users(self, case: Case) -> Array:
        """Return how many users act in a case, in each world: loads that are shares of the peak follow it."""
        scenario = self.standing.scenario
        load = scenario.loads.get(case.name)
        if load is None:
            return full(self._number(case.name), self.count)
        if load.share is None:
            return np.full(self.count, float(case.users))
        peak = full(self._number("users.peak"), self.count)
        return np.maximum(1.0, np.ceil(np.round(load.share * peak, 6)))

    # ------------------------------------------------------------------------------------------------- what is asked

    def _broken(self, case: Case, level: _Level) -> Iterator[tuple[str, Mask]]:
        """Yield (figure, where it is broken) of every ceiling, at what the users of a case ask."""
        per_s = self._users(case) / self.asked.think_s
        average_per_s = self.asked.traffic.requests_per_s.average
        for ceiling in self.asked.fleet.ceilings:
            rate: Any = average_per_s if ceiling.rate == "average" else Draws(per_s)
            yield ceiling.figure, self.asked.over(ceiling, rate, level.left)

    def _missed(self, case: Case, level: _Level) -> dict[Promise, Mask]:
        promises = self._promises(case, level)
        if not self._stands(level):
            return {promise: np.ones(self.count, dtype=bool) for promise in promises}
        try:
            return self._missed_at_once(case, level, promises)
        except NotCovered as reason:
            self.said.append(str(reason))
            return self._missed_singly(case, level, promises)

    def _missed_at_once(self, case: Case, level: _Level, promises: Mapping[Promise, float]) -> dict[Promise, Mask]:
        chains: Chains | None = self.asked.chains(level.scale)
        if chains is None:
            return {promise: np.zeros(self.count, dtype=bool) for promise in promises}
        found = {promise: np.zeros(self.count, dtype=bool) for promise in promises}
        for worlds, on, states in worst_states(chains, self._users(case), off_at_most(self.standing.scenario)):
            passed = paths(on, states)
            for promise, limit in promises.items():
                found[promise][worlds] = missed(passed, limit / 1000, SHARES[promise.limit])
        return found

    def _missed_singly(self, case: Case, level: _Level, promises: Mapping[Promise, float]) -> dict[Promise, Mask]:
        found = {promise: np.zeros(self.count, dtype=bool) for promise in promises}
        users = self._users(case)
        for world in range(self.count):
            on = self.asked.chain_of(world, level.scale)
            if not on.places:
                continue
            law = worst_response(on, int(users[world]))
            for promise, limit in promises.items():
                found[promise][world] = law.tail(limit / 1000) >= SHARES[promise.limit]
        return found

    def _cost_usd(self) -> Array:
        level = self.standing.scenario.budget.level
        try:
            return cost_usd(self.standing, self.asked.metered, level, self.count)
        except NotCovered as reason:
            self.said.append(str(reason))
            costs = [
                float(cost_usd(self.standing, one_world(self.asked.metered, world), level, 1)[0])
                for world in range(self.count)
            ]
            return np.array(costs)
