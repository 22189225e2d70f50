"""The share of requests that take longer than a limit, in many worlds: `transforms.Response.tail` in arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from cascade_plan.formulas.arrays.numbers import Array, Complex, Indices, Mask, full, taken
from cascade_plan.formulas.arrays.roots import Bracket
from cascade_plan.formulas.transforms import EULER, TERMS, WEIGHTS, A

CHUNK: Final = 1024
"""Worlds whose transforms stand in a cache together."""
_STEPS: Final = 40
NEAR: Final = 1e-3
"""How near the logarithm of a tail is to that of its share: a percentile to about as much of its way from the mean."""
SLACK: Final = 1.05
"""What bounds by mean and variance leave for laws whose third moment is not quite that of their transform."""


class Stage(Protocol):
    """A time in each world."""

    @property
    def mean_s(self) -> Array:
        """Its mean."""
        ...

    @property
    def constant_s(self) -> Array:
        """What does not vary of it."""
        ...

    def transform(self, s: Complex) -> Complex:
        """Return E[exp(-s T)] of the part that varies."""
        ...


class Path(NamedTuple):
    """What one kind of request passes, in each world."""

    share: Array
    stages: tuple[tuple[Stage, Array], ...]
    """(law, how often it is met, independently)."""
    mean_s: Array
    second_s2: Array
    """The second moment of the whole."""

    @property
    def constant_s(self) -> Array:
        """What does not vary."""
        return sum((law.constant_s * times for law, times in self.stages), np.zeros_like(self.share))


def _coefficients() -> Array:
    """Return what each term of the Fourier series is taken times: Euler's summation of the last ones."""
    later = np.cumsum(np.array(WEIGHTS)[::-1])[::-1]
    found = np.ones(TERMS + EULER + 1)
    found[0] = 0.5
    found[TERMS:] = later[: EULER + 1]
    found[1::2] *= -1
    return found


def tail(paths: Sequence[Path], limit_s: float | Array) -> Array:
    """Return the share of requests that take longer than a limit, by the inversion that predictions use."""
    count = paths[0].share.size
    limits = full(limit_s, count)
    found = np.zeros(count)
    for begin in range(0, count, CHUNK):
        worlds = slice(begin, begin + CHUNK)
        found[worlds] = _tail(chosen(paths, worlds), limits[worlds])
    return np.clip(found, 0.0, 1.0)


def chosen(paths: Sequence[Path], worlds: slice | Indices) -> list[Path]:
    """Return the paths of some worlds; a law that several of them have is one law still."""
    known: dict[int, Any] = {}
    return [taken(path, worlds, known) for path in paths]


def _tail(paths: Sequence[Path], limit_s: Array) -> Array:
    total, before = np.zeros(limit_s.size), None
    known: dict[int, Complex] = {}
    for path in paths:
        if not path.share.any():
            continue
        constant_s = path.constant_s
        if before is None or not np.array_equal(before, constant_s):
            # Laws are asked once at each point: paths with the same constant part are asked at the same ones.
            before, known = constant_s, {}
            left = limit_s - constant_s
            over = left <= 0
            time_s = np.where(over, 1.0, left)
            s = (A + 2j * math.pi * np.arange(TERMS + EULER + 1)[:, None]) / (2 * time_s)[None, :]
        value = np.ones_like(s)
        for law, times in path.stages:
            if id(law) not in known:
                known[id(law)] = law.transform(s)
            each = known[id(law)]
            value *= each if (times == 1).all() else np.where(times == 0, 1.0, each**times)
        terms = ((1 - value) / s).real
        beyond = (_coefficients() @ terms) * np.exp(A / 2) / time_s
        total += path.share * np.where(over, 1.0, np.where(path.mean_s > constant_s, beyond, 0.0))
    return total


def surely(paths: Sequence[Path], limit_s: float, share: float) -> tuple[Mask, Mask]:
    """Return in which worlds a limit is kept by at least 1 - `share` of the requests, and in which it is not, for sure.

    By the mean and variance of each path alone: P(T > t) <= v / (v + (t - m)^2) above the mean, and as much is surely
    beyond t below it. Source: Cantelli's inequality, Ghosh, Statistics and Probability Letters 56 (2002).
    """
    most, least = np.zeros_like(paths[0].share), np.zeros_like(paths[0].share)
    for path in paths:
        variance = np.maximum(path.second_s2 - path.mean_s**2, 0.0) * SLACK
        far = limit_s - path.mean_s
        bound = np.where(np.isfinite(path.mean_s), variance / np.maximum(variance + far**2, 1e-300), 0.0)
        most += path.share * np.where(far > 0, bound, 1.0)
        least += path.share * np.where(far < 0, 1 - bound, 0.0)
    return most < share, least >= share


def percentile_s(paths: Sequence[Path], share: float) -> Array:
    """Return the time that all but `share` of the requests stay within, to NEAR of it; worlds leave as they have it."""
    mean_s = sum(path.share * path.mean_s for path in paths)
    result, far = np.maximum(mean_s * 2, 1e-6), -math.log(share)
    left, asked, bracket = np.arange(result.size), list(paths), Bracket.above_zero(result)
    for _ in range(_STEPS):
        at = bracket.next
        value = -np.log(np.maximum(tail(asked, at), 1e-12)) / far - 1
        result[left] = at
        bracket = bracket.narrowed(at, value)
        going = np.abs(value) * far > NEAR
        if not going.any():
            break
        left, asked, bracket = left[going], chosen(asked, np.flatnonzero(going)), bracket.of(going)
    return result
