"""How much work is before a request that has to wait, where the number of those who can ask is limited.

With endless users what is before it is exponential. With few, or above saturation, it is a normal law cut off at 0: the
diffusion limit of a queue whose users think, a reflected Ornstein-Uhlenbeck process. One family has both as its ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from cascade_plan.formulas.erfcx import erfcx, real_erfcx
from cascade_plan.formulas.roots import root

_ROOT_PI: Final = math.sqrt(math.pi)
EXPONENTIAL_FROM: Final = 0.999
"""An SCV above this is that of the exponential law itself."""
NORMAL_UNTIL: Final = 0.04
"""An SCV below this is that of a normal law five deviations above 0: it is not cut off any more."""
REACH: Final = 5.0
"""Deviations below its mean from which a normal law is counted."""
_FRACTIONS: Final = 40
EDGE_LEAST: Final = -10.0
EDGE_MOST: Final = 60.0
"""Between which a normal law is cut off, in root-two deviations above its mean."""


@dataclass(frozen=True)
class Backlog:
    """A law on [0, infinity) by its mean and SCV: exponential at SCV 1, normal and cut off at 0 below.

    Raises ValueError unless the mean is above 0 and the SCV lies in [0, 1].
    """

    mean: float
    scv: float

    def __post_init__(self) -> None:
        if self.mean <= 0 or not 0 <= self.scv <= 1:
            raise ValueError(f"a backlog has a mean above 0 and an SCV in [0, 1], got {self.mean} and {self.scv}")

    @property
    def constant(self) -> float:
        """What it is never below, where it hardly varies: kept apart, as an inversion cannot draw a jump."""
        return self.mean * (1 - REACH * math.sqrt(self.scv)) if self.scv < NORMAL_UNTIL else 0.0

    @cached_property
    def _cut(self) -> tuple[float, float, float]:
        """Where the normal law is cut, in root-two deviations above its mean; these deviations; erfcx at the cut."""
        if self.scv < NORMAL_UNTIL:
            edge, width = -REACH / math.sqrt(2), self.mean * math.sqrt(self.scv / 2)
        else:
            edge = _edge(round(self.scv, 6))
            width = self.mean / excess(edge)
        return edge, width, real_erfcx(edge)

    def transform(self, s: complex) -> complex:
        """Return E[exp(-s B)] of what is above its constant part."""
        if self.scv > EXPONENTIAL_FROM:
            return 1 / (1 + s * self.mean)
        edge, width, whole = self._cut
        return erfcx(edge + s * width) / whole


def excess(edge: float) -> float:
    """Return the mean of a normal law above its cut, in units of its deviation over the root of 2.

    2 (1 / (sqrt(pi) erfcx(b)) - b); for a far cut by Laplace's continued fraction, where the difference would cancel.
    """
    if edge <= 6:
        return 2 * (1 / (_ROOT_PI * real_erfcx(edge)) - edge)
    fraction = edge
    for k in range(_FRACTIONS, 0, -1):
        fraction = edge + k / 2 / fraction
    return 2 * (fraction - edge)


@lru_cache(maxsize=4096)
def _edge(scv: float) -> float:
    """Return where a normal law must be cut off for what is left above the cut to have this SCV."""

    def too_much(edge: float) -> float:
        mean = excess(edge)
        return (2 - 2 * edge * mean) / (mean * mean) - 1 - scv

    return root(too_much, EDGE_LEAST, EDGE_MOST, 1e-10)
