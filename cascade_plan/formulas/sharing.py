"""Processor sharing: all requests are served at once, each the slower the more of them there are."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

from cascade_plan.formulas.closed_station import Queue
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.transforms import CONSTANT_SCV, NONE, Wait, gammas, work

CLASSES: Final = (0.2, 0.2, 0.2, 0.15, 0.12, 0.07, 0.04, 0.02)
"""Shares of the requests in each class of length, from the shortest."""
POINTS: Final = 2000
WITHIN_SCV: Final = 0.03
"""SCV of the lengths within one class (measured for exponential service: 0.01 to 0.1)."""


@lru_cache(maxsize=256)
def lengths(scv: float, law: str) -> tuple[tuple[float, float], ...]:
    """Return (share, mean) of classes of length of a service of mean 1: what is long is slowed down for longer."""
    if scv < CONSTANT_SCV:
        return ((1.0, 1.0),)
    parts = gammas(ServiceTime(1.0, scv, law))  # type: ignore[arg-type]
    steps = [(k + 0.5) / POINTS for k in range(POINTS)]
    grid = [40 * (1 + scv) * step**4 for step in steps]
    masses = [sum(share * _density(x, mean, each) for share, mean, each in parts) * step**3
              for x, step in zip(grid, steps, strict=True)]  # fmt: skip
    below = list(accumulate(masses))
    lengths_below = list(accumulate(mass * x for x, mass in zip(grid, masses, strict=True)))
    firsts = [0.0]
    for end in accumulate(CLASSES[:-1]):
        at = bisect_left(below, end * below[-1])
        # Of the point at which a class ends, each of the two has a part.
        firsts.append((lengths_below[at] - (below[at] - end * below[-1]) * grid[at]) / lengths_below[-1])
    firsts.append(1.0)
    return tuple((share, (to - of) / share) for share, (of, to) in zip(CLASSES, pairwise(firsts), strict=True))


def _density(x: float, mean: float, scv: float) -> float:
    shape = 1 / scv
    return math.exp((shape - 1) * math.log(x) - x / (mean * scv) - math.lgamma(shape) - shape * math.log(mean * scv))


def wait_of(length_s: float, mean_s: float, queue: Queue, utilisation: float, servers: int) -> Wait:
    """Return how much longer a request takes for sharing, whose own service is `length_s` long.

    In the mean length / mean service x the wait for exponential service first come first served, whatever the law of
    service (Kleinrock 1967; Sakata, Noguchi, Oizumi 1971), and closed systems alike (Baskett, Chandy, Muntz, Palacios
    1975). All of it varies together, as the number of those who share varies slowly in heavy traffic; it is none where
    nobody is there when it comes and nobody comes while it is served.
    """
    if queue.chance <= 0:
        return NONE
    total_s = queue.chance * (1 + queue.mean) * length_s / servers
    free = math.log1p(-queue.chance) if queue.chance < 1 else -math.inf
    chance = -math.expm1(free - utilisation * servers * length_s / mean_s * queue.chance)
    return work(chance, total_s / chance, queue.work_scv)
