"""What a standing fleet is asked in many worlds: its traffic, its ceilings, its chain at counts, what it is metered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from cascade_plan.choosing.drawn.chain import Chains, chains, declared
from cascade_plan.choosing.drawn.fleet import Standing, Values, drawn_tier, moves, of_worlds, part_of, world_of
from cascade_plan.choosing.drawn.not_covered import NotCovered
from cascade_plan.formulas.arrays.numbers import Array, Indices, Mask, full
from cascade_plan.formulas.draws import Draws, apart, together
from cascade_plan.model.ceiling import Ceiling
from cascade_plan.model.fleet import Band, Fleet, Sized
from cascade_plan.model.place import Scale
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.traffic import Traffic
from cascade_plan.planning import serving
from cascade_plan.planning.chain import Chain, chain
from cascade_plan.planning.sizing import places
from cascade_plan.planning.traffic import traffic_of


@dataclass(frozen=True)
class Asked:
    """A standing fleet in so many worlds."""

    standing: Standing
    values: Values
    count: int
    fleet: Fleet
    """With what its tiers are asked and metered, as numbers of all worlds."""
    said: list[str]
    """What was asked world by world, and why."""
    known: dict[tuple[tuple[str, int], ...], Chains | None] = field(default_factory=dict)

    @classmethod
    def of(cls, standing: Standing, values: Values, count: int, said: list[str]) -> Asked:
        """Return a standing fleet in so many worlds, whose numbers have these values."""
        tiers = dict(standing.fleet.tiers)
        for name, before in standing.fleet.tiers.items():
            if moves(before):
                tiers[name] = drawn_tier(standing, values, count, name, tiers, said)
        return cls(standing, values, count, replace(standing.fleet, tiers=tiers), said)

    @cached_property
    def everywhere(self) -> Scenario:
        """The scenario with every unsure number as one of all worlds."""
        return part_of(self.standing.scenario, self.values, np.arange(self.count))

    @cached_property
    def traffic(self) -> Traffic:
        """The traffic of all worlds."""
        return traffic_of(self.everywhere)

    @cached_property
    def think_s(self) -> Array:
        """Mean seconds between an answer and the next request."""
        return full(_plain(self.everywhere.behaviour.think_time_s.mean), self.count)

    def over(self, ceiling: Ceiling, requests_per_s: Any, left: Mapping[str, int]) -> Mask:
        """Return in which worlds a ceiling is broken at a rate of requests, by what is left of the counts."""

        def asked(worlds: Indices) -> Any:
            own = _of(ceiling, worlds)
            return own.asked(of_worlds(requests_per_s, worlds), left)

        found = full(_plain(together(self.count, apart(self.count, asked))), self.count)
        return found > full(_plain(ceiling.limit), self.count)

    # -------------------------------------------------------------------------------------------------------- chains

    def chains(self, scale: Scale) -> Chains | None:
        """Return the chain at these counts in each world; None where requests visit nothing. Raises NotCovered."""
        key = tuple(scale.items())
        if key not in self.known:
            self.known[key] = self._chains(scale)
        return self.known[key]

    def _chains(self, scale: Scale) -> Chains | None:
        base = self.standing.scenario

        def asked(worlds: Indices) -> Any:
            scenario = part_of(base, self.values, worlds)
            own = replace(self.fleet, tiers={name: of_worlds(each, worlds) for name, each in self.fleet.tiers.items()})
            found, actions = places(scenario, own, scale), list(scenario.behaviour.actions.values())
            # Visits are told when they are asked for: here, so that worlds that differ in them are asked apart.
            return found, [[place.visits(action) for action in actions] for place in found]

        parts = apart(self.count, asked)
        if not parts[0][1][0]:
            return None
        mix, think = self.everywhere.behaviour.mix, self.everywhere.behaviour.think_time_s
        return chains(
            self.count,
            [_plain(share) for share, _ in mix],
            [base.service(action) for _, action in base.behaviour.mix],
            declared(self.count, parts),
            (_plain(think.mean), _plain(think.steadiness)),
            next((each for each in self.known.values() if each is not None), None),
        )

    def chain_of(self, world: int, scale: Scale) -> Chain:
        """Return the chain at these counts in one world."""
        scenario = self.scenario_of(world)
        return chain(scenario, places(scenario, one_world(self.fleet, world), scale))

    def scenario_of(self, world: int) -> Scenario:
        """Return the scenario of one world."""
        return world_of(self.standing.scenario, {path: _one(each[world]) for path, each in self.values.items()})

    # ------------------------------------------------------------------------------------------------- what is metered

    @cached_property
    def metered(self) -> Fleet:
        """The fleet with what is metered alone, such as a balancer, as it answers, and not as it is asked."""
        share = self._answered()
        if share is None:
            return self.fleet

        def answered(traffic: Traffic, worlds: Indices) -> Traffic:
            return serving.of_answered(traffic, of_worlds(share, worlds))

        tiers = dict(self.fleet.tiers)
        for name, before in self.standing.fleet.tiers.items():
            if before.usages and not (before.groups or before.workloads or before.levers):
                tiers[name] = drawn_tier(self.standing, self.values, self.count, name, tiers, self.said, answered)
        return replace(self.fleet, tiers=tiers)

    def _answered(self) -> Band | None:
        """Return the share of the requests that is answered in each world; None where it is all in all of them."""
        floor = {lever.name: lever.floor_count for lever in self.fleet.levers if lever.is_scaled}
        asked = full(_plain(self.traffic.requests_per_s.ceiling), self.count)
        able = np.zeros(self.count, dtype=bool)
        try:
            on = self.chains(floor)
            able = np.ones(self.count, dtype=bool) if on is None else on.capacity_requests_per_s >= asked
        except NotCovered as reason:
            self.said.append(str(reason))
        for ceiling in self.fleet.ceilings:
            if ceiling.rate == "peak":
                able &= ~self.over(ceiling, self.traffic.requests_per_s.ceiling, floor)
        if able.all():
            return None
        levels = np.ones((4, self.count))
        for world in np.flatnonzero(~able):
            scenario = self.scenario_of(int(world))
            fleet = one_world(self.fleet, int(world))
            levels[:, world] = tuple(serving.answered(scenario, fleet, traffic_of(scenario)))
        return Band(*(Draws(level) for level in levels))  # type: ignore[arg-type]


def _one(value: Any) -> float | int:
    return float(value)


def _plain(value: Any) -> Any:
    return value.values if isinstance(value, Draws) else value


def _of(ceiling: Ceiling, worlds: Indices) -> Ceiling:
    """Return a ceiling in some worlds."""
    demand = replace(
        ceiling.demand,
        **{
            name: of_worlds(getattr(ceiling.demand, name), worlds) for name in type(ceiling.demand).__dataclass_fields__
        },
    )
    return replace(ceiling, demand=demand, limit=of_worlds(ceiling.limit, worlds))


def one_world(fleet: Fleet, world: int) -> Fleet:
    """Return a fleet of many worlds as it is in one of them."""
    return replace(fleet, tiers={name: _plainly(each, world) for name, each in fleet.tiers.items()})


def _plainly(part: Any, world: int) -> Any:
    """Return a part of a fleet with each number of many worlds as it is in one."""
    if isinstance(part, Draws):
        return float(part.values[world])
    if isinstance(part, tuple) and not hasattr(part, "_fields"):
        return tuple(_plainly(each, world) for each in part)
    if isinstance(part, Sized):
        changed = ("groups", "usages", "figures", "ceilings", "streams")
        return replace(part, **{name: _plainly(getattr(part, name), world) for name in changed})
    if hasattr(part, "__dataclass_fields__"):
        fields = {name: getattr(part, name) for name in part.__dataclass_fields__}
        found = {name: _plainly(value, world) for name, value in fields.items()}
        return replace(part, **found) if any(found[name] is not fields[name] for name in fields) else part
    return part
