"""A fleet that stands, in many worlds: what it is asked and what it is metered, by its tiers' own code.

What is bought stands: shapes, counts, disks that were ordered. What follows from use is another in each world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np

from cascade_plan import registry
from cascade_plan.choosing.drawn.not_covered import NotCovered
from cascade_plan.formulas.arrays.numbers import Array, Indices
from cascade_plan.formulas.draws import Draws, apart, together
from cascade_plan.model.ceiling import Ceiling, Demand
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.derivation import Derivation
from cascade_plan.model.fleet import Band, Fleet, Guest, NodeGroup, Sized, Streams, Usage
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.solution import Solution
from cascade_plan.model.traffic import Traffic
from cascade_plan.planning.resizing import solution_of
from cascade_plan.planning.sizing import Brief, guests, sized
from cascade_plan.planning.traffic import traffic_of

T = TypeVar("T")
Values = Mapping[str, Array]
"""Dotted path of a scenario -> its value in each world."""
Parts = Sequence[tuple[Indices, T]]
"""(which worlds, what was found in them)."""


@dataclass(frozen=True)
class Standing:
    """A fleet that stands, and the scenario it was sized for, with counts and shapes as they are in it."""

    scenario: Scenario
    fleet: Fleet
    book: Book

    @property
    def cloud(self) -> Cloud:
        """The cloud it runs on."""
        return cast(Cloud, registry.load("clouds", self.scenario.cloud, "cloud"))

    def brief(self, scenario: Scenario, traffic: Traffic) -> Brief:
        """Return what its tiers are asked by in some worlds."""
        return Brief(scenario, traffic, self.cloud, self.book, {}, self.book.day, is_whole=False)

    @cached_property
    def guests(self) -> Mapping[str, tuple[Guest, ...]]:
        """The pods of other kinds that stand on the nodes of each service: they stand there in every world."""
        return guests(self.brief(self.scenario, traffic_of(self.scenario)), self.solution)

    @cached_property
    def solution(self) -> Solution | None:
        """The counts that the method slo found, for the tiers that ask for them."""
        return solution_of(self.scenario, self.fleet)


def world_of(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """Return the scenario with values at dotted paths, unchecked: of one world, or Draws of many."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *branches, leaf = path.split(".")
        place = tree
        for branch in branches:
            place = place.setdefault(branch, {})
        place[leaf] = value
    found: Scenario = _with(scenario, tree)
    return found


def _with(part: Any, tree: Mapping[str, Any]) -> Any:
    changed = {
        name: _with(part[name] if isinstance(part, dict) else getattr(part, name), below)
        if isinstance(below, dict)
        else below
        for name, below in tree.items()
    }
    return {**part, **changed} if isinstance(part, dict) else part.model_copy(update=changed)


def part_of(scenario: Scenario, values: Values, worlds: Indices) -> Scenario:
    """Return the scenario of some worlds; of a single one with plain numbers."""
    if worlds.size == 1:
        return world_of(scenario, {path: float(each[worlds[0]]) for path, each in values.items()})
    return world_of(scenario, {path: Draws(each[worlds]) for path, each in values.items()})


def moves(before: Sized) -> bool:
    """Return whether anything of an instance is another in another world: what it is metered, asked or connected."""
    return bool(before.usages or before.ceilings or before.streams) or any(
        group.hourly_count or group.portions for group in before.groups
    )


def drawn_tier(
    standing: Standing,
    values: Values,
    count: int,
    name: str,
    tiers: Mapping[str, Sized],
    said: list[str],
    changed: Callable[[Traffic, Indices], Traffic] = lambda traffic, worlds: traffic,
) -> Sized:
    """Return one instance in so many worlds, sized beside those of `tiers`; `changed` changes their traffic.

    Where its code cannot be asked of many worlds at once it is asked world by world, which is added to `said`.
    """
    before = standing.fleet.tiers[name]

    def asked(worlds: Indices) -> Sized:
        scenario = part_of(standing.scenario, values, worlds)
        traffic = changed(traffic_of(scenario), worlds)
        beside = {other: of_worlds(each, worlds) for other, each in tiers.items() if other != name}
        return sized(
            standing.brief(scenario, traffic),
            name,
            scenario.tiers[name],
            beside,
            standing.solution,
            standing.guests.get(name, ()),
        )

    try:
        return _merged(before, count, apart(count, asked))
    except (TypeError, NotCovered) as error:
        said.append(f"{name}: {error}")
        return _merged(before, count, [(np.array([world]), asked(np.array([world]))) for world in range(count)])


def of_worlds(part: Any, worlds: Indices) -> Any:
    """Return an instance, or a part of one, in some worlds."""
    if isinstance(part, Draws):
        return Draws(part.values[worlds]) if worlds.size > 1 else float(part.values[worlds[0]])
    if isinstance(part, Band):
        return Band(*(of_worlds(level, worlds) for level in part))
    if isinstance(part, Sized):
        return replace(
            part,
            groups=tuple(replace(group, count=of_worlds(group.count, worlds)) for group in part.groups),
            figures=tuple(
                replace(figure, value=of_worlds(figure.value, worlds)) if isinstance(figure.value, Draws) else figure
                for figure in part.figures
            ),
            streams=of_worlds(part.streams, worlds),
        )
    if isinstance(part, Streams):
        return Streams(*(of_worlds(getattr(part, name), worlds) for name in Streams.__dataclass_fields__))
    return part


# ------------------------------------------------------------------------------------------------------- of the parts


def _merged(before: Sized, count: int, parts: Parts[Sized]) -> Sized:
    """Return an instance as it stood before, with what its worlds are metered, asked and connected."""
    return replace(
        before,
        groups=tuple(_group(group, count, parts) for group in before.groups),
        usages=tuple(_usages(before, count, parts)),
        figures=tuple(_figure(figure, count, parts) for figure in before.figures),
        ceilings=tuple(_ceiling(at, count, parts) for at in range(len(before.ceilings))),
        streams=None if before.streams is None else _streams(count, parts),
    )


def _group(group: NodeGroup, count: int, parts: Parts[Sized]) -> NodeGroup:
    """Return a group with as many instances as run in the mean of the day; its shape and its most stand."""
    if not group.hourly_count and not group.portions:
        return group
    own = [(worlds, next((each for each in part.groups if each.name == group.name), None)) for worlds, part in parts]
    if any(each is None or each.shape != group.shape for _, each in own):
        raise NotCovered(f"{group.name} are of another kind in other worlds")
    return replace(
        group,
        count=_band(count, [(worlds, each.count) for worlds, each in own if each]),
        portions=tuple(
            replace(portion, amount=_band(count, [(worlds, each.portions[at].amount) for worlds, each in own if each]))
            for at, portion in enumerate(group.portions)
        ),
    )


def _usages(before: Sized, count: int, parts: Parts[Sized]) -> Sequence[Usage]:
    """Return all metered use that any world has; where a world has none of it, nothing."""
    found: dict[str, Usage] = {usage.name: usage for usage in before.usages}
    for _, part in parts:
        found = {usage.name: usage for usage in part.usages} | found
    nothing = Band.constant(0.0)
    return [
        replace(
            usage,
            amount=_band(
                count,
                [
                    (worlds, next((each.amount for each in part.usages if each.name == name), nothing))
                    for worlds, part in parts
                ],
            ),
            amount_monthly=(),
        )
        for name, usage in found.items()
    ]


def _figure(figure: Derivation, count: int, parts: Parts[Sized]) -> Derivation:
    """Return a figure: what is counted stands, what is measured follows."""
    if not isinstance(figure.value, float):
        return figure
    own = [
        (worlds, next((each.value for each in part.figures if each.figure == figure.figure), figure.value))
        for worlds, part in parts
    ]
    return replace(figure, value=together(count, own))


def _ceiling(at: int, count: int, parts: Parts[Sized]) -> Ceiling:
    first = parts[0][1].ceilings[at]
    if any(len(part.ceilings) != len(parts[0][1].ceilings) for _, part in parts):
        raise NotCovered(f"what limits {first.figure} differs between worlds")
    own = [(worlds, part.ceilings[at]) for worlds, part in parts]
    if any(each.figure != first.figure for _, each in own):
        raise NotCovered(f"what limits {first.figure} differs between worlds")
    demand = Demand(
        *(
            together(count, [(worlds, getattr(each.demand, name)) for worlds, each in own])
            for name in Demand.__dataclass_fields__
        )
    )
    return replace(first, demand=demand, limit=together(count, [(worlds, each.limit) for worlds, each in own]))


def _streams(count: int, parts: Parts[Sized]) -> Streams:
    own = [(worlds, part.streams) for worlds, part in parts]
    fields: dict[str, Any] = {}
    for name in Streams.__dataclass_fields__:
        values = [(worlds, getattr(each, name)) for worlds, each in own]
        fields[name] = _band(count, values) if isinstance(values[0][1], Band) else together(count, values)
    return Streams(**fields)


def _band(count: int, parts: Parts[Band]) -> Band:
    names = ("floor", "average", "peak", "ceiling")
    return Band(*(together(count, [(worlds, getattr(band, name)) for worlds, band in parts]) for name in names))
