"""Response times by their Laplace transforms: sums of waits and services, and the percentiles of the sum.

Pure Python: a prediction for one load takes a few milliseconds, less than importing an array library would. What is
constant (a round trip) is kept apart as an offset, since a jump is what an inversion of transforms cannot draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cascade_plan.formulas.queueing import Station, wait_probability, wait_s_mean
from cascade_plan.formulas.roots import root

A: Final = 18.4
"""Discretisation error of the inversion is at most exp(-A), 1e-8."""
TERMS: Final = 15
EULER: Final = 11
"""Terms summed as they are, and terms averaged by Euler's summation: Abate and Whitt's own choice."""
WEIGHTS: Final = tuple(math.comb(EULER, k) / 2**EULER for k in range(EULER + 1))
CONSTANT_SCV: Final = 0.02
"""A service steadier than this is taken as constant."""


@dataclass(frozen=True, slots=True)
class Delay:
    """A stage a request passes: its wait (none with probability 1 - `waits`, else exponential) and its service."""

    waits: float
    """Probability of waiting at all."""
    wait_s_mean: float
    """Mean wait over all requests, those that do not wait included."""
    service_s_mean: float
    service_scv: float = 1.0

    @property
    def mean_s(self) -> float:
        """Mean of wait and service."""
        return self.wait_s_mean + self.service_s_mean

    @property
    def constant_s(self) -> float:
        """The part that does not vary: the service when it is constant, else 0."""
        return self.service_s_mean if self.service_scv < CONSTANT_SCV else 0.0

    def transform(self, s: complex) -> complex:
        """Return E[exp(-s T)] of the part that varies."""
        value = 1 + 0j
        if self.waits > 0 and self.wait_s_mean > 0:
            value = 1 - self.waits + self.waits / (1 + s * (self.wait_s_mean / self.waits))
        if self.constant_s or not self.service_s_mean:
            return value
        return value * _service_transform(self.service_s_mean, self.service_scv, s)


def _service_transform(mean_s: float, scv: float, s: complex) -> complex:
    """Return the transform of a gamma law up to SCV 1, of two exponentials with balanced means above."""
    if scv <= 1:
        power: complex = (1 + s * (mean_s * scv)) ** (-1 / scv)
        return power
    share = (1 + math.sqrt((scv - 1) / (scv + 1))) / 2
    return share / (1 + s * (mean_s / (2 * share))) + (1 - share) / (1 + s * (mean_s / (2 * (1 - share))))


def delay_at(station: Station, requests_per_s: float) -> Delay:
    """Return the delay of a station at a rate. Raises ValueError when it is overloaded: there is no steady delay."""
    if station.utilisation(requests_per_s) >= 1:
        raise ValueError("the station is overloaded")
    return Delay(
        wait_probability(station, requests_per_s),
        wait_s_mean(station, requests_per_s),
        station.service.mean_s,
        station.service.scv,
    )


@dataclass(frozen=True, slots=True)
class Path:
    """What one kind of request passes, one stage after the other."""

    share: float
    """Share of this kind among all requests."""
    offset_s: float
    """Constant time: round trips, commits."""
    stages: tuple[tuple[Delay, float, float], ...]
    """(delay, how often it is tried, probability of each try): a query that a cache answers in 9 of 10 cases is
    (delay, 1, 0.1)."""

    @property
    def mean_s(self) -> float:
        """Mean time on the path."""
        return self.offset_s + sum(delay.mean_s * times * chance for delay, times, chance in self.stages)

    @property
    def constant_s(self) -> float:
        """Offset, and services that are constant and always met."""
        return self.offset_s + sum(delay.constant_s * times * chance for delay, times, chance in self.stages)

    def transform(self, s: complex) -> complex:
        """Return the transform of the part that varies."""
        value = 1 + 0j
        for delay, times, chance in self.stages:
            each = delay.transform(s) if chance == 1 else 1 - chance + chance * delay.transform(s)
            value *= each**times if times != 1 else each
        return value


@dataclass(frozen=True, slots=True)
class Response:
    """The response time of a mix of requests."""

    paths: tuple[Path, ...]

    @property
    def mean_s(self) -> float:
        """Mean response time of the mix."""
        return sum(path.share * path.mean_s for path in self.paths)

    def tail(self, time_s: float) -> float:
        """Return the share of requests that take longer than `time_s`."""
        shares = sum(path.share * _tail(path, time_s - path.constant_s) for path in self.paths)
        return min(1.0, max(0.0, shares))

    def percentile_s(self, share: float) -> float:
        """Return the time that `share` of the requests stay within, from the tail's logarithm.

        Raises ValueError unless 0 < share < 1.
        """
        if not 0 < share < 1:
            raise ValueError(f"a share lies between 0 and 1, got {share}")
        beyond = 1 - share
        low, high = 0.0, max(self.mean_s, 1e-9)
        while self.tail(high) > beyond:
            low, high = high, high * 2
        # The tail falls about exponentially, so its logarithm is about a line.
        return root(lambda time_s: math.log(beyond / max(self.tail(time_s), 1e-12)), low, high, 1e-5)


def _tail(path: Path, time_s: float) -> float:
    """Return P(T > t) of the part of a path that varies, by the Fourier series of its transform with Euler summation.

    Source: Abate and Whitt, Numerical inversion of Laplace transforms of probability distributions, ORSA Journal on
    Computing 7 (1995), algorithm EULER.
    """
    if time_s <= 0:
        return 1.0
    if not any(delay.mean_s > delay.constant_s for delay, _, _ in path.stages):
        return 0.0

    def term(k: int) -> float:
        s = complex(A, 2 * math.pi * k) / (2 * time_s)
        return float(((1 - path.transform(s)) / s).real)

    scale = math.exp(A / 2) / time_s
    total = scale / 2 * term(0)
    partial = []
    for k in range(1, TERMS + EULER + 1):
        total += scale * (-term(k) if k % 2 else term(k))
        if k >= TERMS:
            partial.append(total)
    return sum(weight * value for weight, value in zip(WEIGHTS, partial, strict=True))


def mixed(parts: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Return (mean, SCV) of a mixture of (weight, mean, SCV) services; weights need not sum to 1.

    E[S^2] of each is mean^2 (1 + SCV).

    >>> mixed([(1, 1.0, 0.0), (1, 3.0, 0.0)])
    (2.0, 0.25)
    """
    total = sum(weight for weight, _, _ in parts)
    if not total:
        return 0.0, 1.0
    mean = sum(weight * mean for weight, mean, _ in parts) / total
    second = sum(weight * mean**2 * (1 + scv) for weight, mean, scv in parts) / total
    return mean, max(0.0, second / mean**2 - 1) if mean else 1.0
