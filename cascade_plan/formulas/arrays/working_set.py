"""What of some data stays in memory, in many worlds: `working_set.hit_ratio` from a table of it."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

import numpy as np

from cascade_plan.formulas.arrays.numbers import Array
from cascade_plan.formulas.draws import Draws

_PARTS: Final = np.linspace(-9.0, 14.0, 160)
"""Logits of the parts of the data at which the table stands; from 1e-4 to all but 1e-6."""
_POWERS: Final = np.log(np.geomspace(0.03, 1.0, 48))
"""Logarithms of the powers of the law of access: those of a hot part from 0.001 to 0.8."""
_CURVE: Final = 400
"""Characteristic times on the curve that a column is read from."""


def hit_ratios(part: Any, hot_data_ratio: Any, hot_share: float, points: int) -> Any:
    """Return the share of accesses that find their page in memory; `part` of the data is there, less than all of it.

    `hot_share` and `points` are those of the scalar formula, which takes 4 ms a world. Cubic between the points of a
    table: within 1e-4 of it.
    """
    worlds = next(each for each in (part, hot_data_ratio) if isinstance(each, Draws)).values.size
    parts, ratios = (
        each.values if isinstance(each, Draws) else np.full(worlds, float(each)) for each in (part, hot_data_ratio)
    )
    row, column = _logit(parts), np.log(math.log(hot_share) / np.log(ratios))
    first_row, by_row = _weights(row, _PARTS)
    first_column, by_column = _weights(column, _POWERS)
    table = np.zeros((_POWERS.size, _PARTS.size))
    for index in range(int(first_column.min()), int(first_column.max()) + 4):
        table[index] = _column(index, points)
    logit = np.zeros(worlds)
    for i in range(4):
        for j in range(4):
            logit += by_row[i] * by_column[j] * table[first_column + j, first_row + i]
    return Draws(1 / (1 + np.exp(-logit)))


def _logit(share: Array) -> Array:
    bounded = np.clip(share, 1e-12, 1 - 1e-12)
    return np.log(bounded / (1 - bounded))


def _weights(at: Array, points: Array) -> tuple[Any, list[Array]]:
    """Return the first of the four points around each number, and Lagrange's weight of each of them."""
    step = points[1] - points[0]
    place = np.clip((at - points[0]) / step, 0, points.size - 1)
    first = np.clip(np.floor(place).astype(int) - 1, 0, points.size - 4)
    x = place - first
    return first, [
        (x - 1) * (x - 2) * (x - 3) / -6,
        x * (x - 2) * (x - 3) / 2,
        x * (x - 1) * (x - 3) / -2,
        x * (x - 1) * (x - 2) / 6,
    ]


@cache
def _column(index: int, points: int) -> Array:
    """Return the logits of the hit ratio at every part by one power.

    Che's approximation as a curve: each characteristic time gives a part and a hit ratio, so no root is looked for.
    """
    power = math.exp(_POWERS[index])
    middles = (np.arange(points) + 0.5) / points
    of_pages, of_accesses = power * middles ** (power - 1), power * middles ** ((power - 1) / power)
    times = np.exp(np.linspace(*_times(of_pages), _CURVE))
    part, kept = (
        1 - np.exp(-np.minimum(700.0, np.outer(times, rates))).mean(axis=1) for rates in (of_pages, of_accesses)
    )
    found: Array = np.interp(_PARTS, _logit(part), _logit(kept))
    return found


def _times(rates: Array) -> tuple[float, float]:
    """Return the logarithms of the times between which all parts of the table lie."""
    least, most = (1 / (1 + math.exp(-end)) for end in (_PARTS[0], _PARTS[-1]))
    low = math.log(least / rates.max())
    high = math.log(-math.log((1 - most) / 2) / rates.min()) + 1
    return low, high
