"""Processor sharing: all requests are served at once, each the slower the more of them there are."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from cascade_plan.formulas.closed_station import Queue
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.transforms import CONSTANT_SCV, NONE, Wait, gammas, work

_ENDS: Final = (0.2, 0.4, 0.6, 0.75, 0.87, 0.94, 0.98, 1.0)
"""Shares of the requests, from the shortest, at which one class of length ends and the next begins."""
_POINTS: Final = 2000
WITHIN_SCV: Final = 0.03
"""SCV of the lengths within one class (measured for exponential service: 0.01 to 0.1)."""


@lru_cache(maxsize=256)
def lengths(scv: float, law: str) -> tuple[tuple[float, float], ...]:
    """Return (share, mean) of classes of length of a service of mean 1: what is long is slowed down for longer."""
    if scv < CONSTANT_SCV:
        return ((1.0, 1.0),)
    parts = gammas(ServiceTime(1.0, scv, law))  # type: ignore[arg-type]
    grid = [40 * (1 + scv) * ((k + 0.5) / _POINTS) ** 4 for k in range(_POINTS)]
    widths = [160 * (1 + scv) * ((k + 0.5) / _POINTS) ** 3 / _POINTS for k in range(_POINTS)]
    masses = [sum(share * _density(x, mean, each) for share, mean, each in parts) * width
              for x, width in zip(grid, widths, strict=True)]  # fmt: skip
    total, found = math.fsum(masses), []
    share = first = 0.0
    ends = iter(_ENDS)
    end, done = next(ends), 0.0
    for x, mass in zip(grid, masses, strict=True):
        share, first = share + mass / total, first + x * mass / total
        if done + share >= end - 1e-12:
            found.append((share, first / share))
            done, share, first = done + share, 0.0, 0.0
            end = next(ends, 2.0)
    mean = sum(share * each for share, each in found)
    return tuple((share, each / mean) for share, each in found)


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
