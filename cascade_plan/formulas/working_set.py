"""What of some data stays in memory when a part of it is asked for more often than the rest."""

from __future__ import annotations

from functools import lru_cache
from math import exp, log
from typing import Final

from cascade_plan.formulas.draws import Draws
from cascade_plan.formulas.roots import root

HOT_SHARE: Final = 0.8
"""Of all accesses, those that ask for the hot part: "four fifths of the accesses ask for so much of the data"."""
POINTS: Final = 400
"""Of the midpoint rule: within 0.002 of ten times as many."""
FARTHEST: Final = 60.0
"""The natural logarithm of the longest characteristic time that is looked at, and of the shortest below 1."""


def accesses_to_hottest(part: float, hot_data_ratio: float) -> float:
    """Return the share of the accesses that ask for the hottest part of the data: part^b, a power law.

    b is such that HOT_SHARE of them ask for `hot_data_ratio`: 0.8 of the data is access without any skew. It is Zipf's
    law with the exponent 1 - b, in the limit of many pages.

    >>> round(accesses_to_hottest(0.2, 0.2), 9), round(accesses_to_hottest(0.25, 0.8), 9)
    (0.8, 0.25)
    """
    return float(part ** _power(hot_data_ratio))


def hit_ratio(memory: float, data: float, hot_data_ratio: float) -> float:
    """Return the share of the accesses that find their page in memory, of which the least recently used is given up.

    `memory` and `data` are in the same unit. 1 where all of the data fits. Without skew it is memory / data; with skew
    less than what the hottest pages alone would give, for what is asked for once takes room too.
    Che's approximation: a page stays for a characteristic time T, the same for all, and T is such that the pages that
    stay fill the memory. Source: Che, Tung, Wang, IEEE JSAC 20 (2002); Fricker, Robert, Roberts, ITC 24 (2012).

    >>> hit_ratio(32, 20, 0.2), round(hit_ratio(25, 100, 0.8), 3)
    (1.0, 0.25)
    """
    if data <= memory:
        return 1.0
    if isinstance(data, Draws) or isinstance(hot_data_ratio, Draws):
        from cascade_plan.formulas.arrays.working_set import hit_ratios

        return hit_ratios(memory / data, hot_data_ratio, HOT_SHARE, POINTS)
    return _hit_ratio(memory / data, hot_data_ratio) if memory > 0 else 0.0


@lru_cache(maxsize=1024)
def _hit_ratio(part: float, hot_data_ratio: float) -> float:
    power = _power(hot_data_ratio)
    middles = [(point + 0.5) / POINTS for point in range(POINTS)]
    # Pages by how hot they are, u in 0..1, are asked for at a rate b u^(b - 1). The accesses, w = u^b, find at each
    # point a page of the rate b w^((b - 1) / b).
    of_pages = [power * middle ** (power - 1) for middle in middles]
    of_accesses = [power * middle ** ((power - 1) / power) for middle in middles]
    log_time = root(lambda at: _kept(of_pages, exp(at)) - part, -FARTHEST, FARTHEST, 1e-10)
    return _kept(of_accesses, exp(log_time))


def _kept(rates: list[float], time: float) -> float:
    """Return the mean probability of having been asked for within a time, over points with these rates."""
    return sum(1 - exp(-min(700.0, rate * time)) for rate in rates) / len(rates)


def _power(hot_data_ratio: float) -> float:
    return log(HOT_SHARE) / log(hot_data_ratio)
