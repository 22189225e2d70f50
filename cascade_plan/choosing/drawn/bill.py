"""A fleet in many worlds -> what its month costs in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from cascade_plan.choosing.drawn.fleet import Standing
from cascade_plan.choosing.drawn.not_covered import NotCovered
from cascade_plan.formulas.arrays.numbers import Array, full
from cascade_plan.formulas.draws import Draws
from cascade_plan.model.bill import Item
from cascade_plan.model.fleet import Band, Fleet, NodeGroup, Usage
from cascade_plan.model.terms import commitment_of

COUNTS_MOST: Final = 2000
"""Counts of one group that are billed one by one."""


def cost_usd(standing: Standing, fleet: Fleet, level: str, count: int) -> Array:
    """Return what a month costs at a level of the band, in each world. Raises NotCovered for what must be billed alone.

    What has no price costs nothing here either, as in the bill, which says so.
    """
    total = np.zeros(count)
    still = [group for group in fleet.groups if not _moves(group)]
    total += _usd(standing, still, level)
    for group in fleet.groups:
        if _moves(group):
            total += _of_group(standing, group, level, count)
    for usage in fleet.usages:
        total += _of_usage(standing, usage, level, count)
    return total


def _moves(group: NodeGroup) -> bool:
    amounts = [group.count, *(portion.amount for portion in group.portions)]
    return any(isinstance(each, Draws) for band in amounts for each in band)


def _lines(standing: Standing, groups: list[NodeGroup], usages: list[Usage]) -> Iterator[Item]:
    """Yield the lines of a bill of these alone."""
    tiers = {
        name: replace(
            sized,
            groups=tuple(group for group in groups if group.tier == name),
            usages=tuple(usage for usage in usages if usage.tier == name),
        )
        for name, sized in standing.fleet.tiers.items()
    }
    fleet = replace(standing.fleet, tiers=tiers)
    yield from (line for line in standing.cloud.lines(fleet, standing.book) if isinstance(line, Item))


def _usd(standing: Standing, groups: list[NodeGroup], level: str) -> float:
    return sum(float(getattr(line.cost_usd, level)) for line in _lines(standing, groups, []))


def _of_group(standing: Standing, group: NodeGroup, level: str, count: int) -> Array:
    """Return what instances cost whose number follows the day: each number is billed once."""
    if any(commitment_of(part.term) for part in group.terms):
        raise NotCovered(f"{group.name}: what is committed to is billed hour by hour")
    amounts = np.stack(
        [full(_plain(getattr(band, level)), count) for band in (group.count, *(p.amount for p in group.portions))]
    )
    distinct, where = np.unique(amounts, axis=1, return_inverse=True)
    if distinct.shape[1] > COUNTS_MOST:
        raise NotCovered(f"{group.name}: {distinct.shape[1]} counts")
    costs = []
    for number, *parts in distinct.T:
        portions = tuple(
            replace(portion, amount=Band.constant(float(part)))
            for portion, part in zip(group.portions, parts, strict=True)
        )
        costs.append(_usd(standing, [replace(group, count=Band.constant(float(number)), portions=portions)], level))
    found: Array = np.array(costs)[where.ravel()]
    return found


def _of_usage(standing: Standing, usage: Usage, level: str, count: int) -> Array:
    """Return what metered use costs: each price applies to what lies within its tier."""
    amount = full(_plain(getattr(usage.amount, level)), count)
    whole = replace(usage, amount=Band.constant(float(amount.max())), amount_monthly=())
    total, begin = np.zeros(count), 0.0
    lines = list(_lines(standing, [], [whole]))
    for at, line in enumerate(lines):
        width = np.inf if at == len(lines) - 1 else float(line.quantity.average)
        total += float(line.price_usd) * np.clip(amount - begin, 0.0, width)
        begin += width
    return total


def _plain(value: object) -> object:
    return value.values if isinstance(value, Draws) else value
