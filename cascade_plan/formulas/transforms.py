"""Response times by their Laplace transforms: sums of waits and services, and the percentiles of the sum.

Pure Python: a prediction for one load takes a few milliseconds, less than importing an array library would. What is
constant (a round trip) is kept apart as an offset, since a jump is what an inversion of transforms cannot draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Protocol

from cascade_plan.formulas.backlogs import Backlog
from cascade_plan.formulas.closed_station import Queue, open_queue
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station, delay_share, erlang_c, wait_shape
from cascade_plan.formulas.roots import root

A: Final = 16.0
"""Discretisation error of the inversion is at most exp(-A), 1e-7."""
TERMS: Final = 11
EULER: Final = 10
"""Terms summed as they are, and terms averaged by Euler's summation: 1e-6 of a tail in all (measured)."""
PRECISION: Final = 1e-4
"""Relative precision of a percentile: a hundredth of what the model is off by."""
WEIGHTS: Final = tuple(math.comb(EULER, k) / 2**EULER for k in range(EULER + 1))
CONSTANT_SCV: Final = 0.02
"""A service steadier than this is taken as constant."""
_STEADY: Final = 0.25
"""A backlog steadier than this is taken as work, not as a number of services: many wait."""
GRAIN_SCV: Final = 0.25
"""SCV of the gamma laws that a lognormal one is made of."""
NODES: Final = tuple(k / 2 for k in range(-6, 11))
"""Deviations at which they stand: half a one apart, further up than down, where the moments are."""


class Law(Protocol):
    """A time that a request takes somewhere."""

    @property
    def mean_s(self) -> float:
        """Its mean."""
        ...

    @property
    def constant_s(self) -> float:
        """The part that does not vary."""
        ...

    def transform(self, s: complex) -> complex:
        """Return E[exp(-s T)] of the part that varies."""
        ...


@lru_cache(maxsize=4096)
def gammas(service: ServiceTime) -> tuple[tuple[float, float, float], ...]:
    """Return the (share, mean in s, SCV) of gamma laws whose mixture a service is.

    A lognormal law is a lognormal one times a gamma one of SCV 1/4, and the former is summed at evenly spread points,
    which is exact to some digits for what is normal.
    """
    if service.family == "hyperexponential":
        return tuple((share, mean_s, 1.0) for share, mean_s in service.phases)
    if service.family != "lognormal":
        return ((1.0, service.mean_s, service.scv),)
    grain = min(GRAIN_SCV, service.scv / 2)
    spread = math.sqrt(math.log((1 + service.scv) / (1 + grain)))
    weights = [math.exp(-node * node / 2) for node in NODES]
    means = [math.exp(spread * node) for node in NODES]
    total = math.fsum(weights)
    mean = math.fsum(weight * each for weight, each in zip(weights, means, strict=True)) / total
    return tuple(
        (weight / total, service.mean_s * each / mean, grain) for weight, each in zip(weights, means, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Service:
    """A service, or a time in which nobody is kept busy."""

    law: ServiceTime

    @property
    def mean_s(self) -> float:
        """Its mean."""
        return self.law.mean_s

    @property
    def constant_s(self) -> float:
        """All of it when it is constant, else 0."""
        return self.law.mean_s if self.law.scv < CONSTANT_SCV else 0.0

    def transform(self, s: complex) -> complex:
        """Return E[exp(-s T)] of the part that varies."""
        if self.law.scv < CONSTANT_SCV:
            return 1 + 0j
        total = 0j
        for share, mean_s, scv in gammas(self.law):
            total += share * (1 + s * (mean_s * scv)) ** (-1 / scv)
        return total


@dataclass(frozen=True)
class Compound:
    """The wait of those who wait: what is left of the services under way, and a Poisson number of further ones.

    `backlog` is the law of that number's mean: exponential with endless users, when the number is geometric.
    """

    first: ServiceTime | None
    """None where it is what an observer finds left of a service, too."""
    each: ServiceTime
    """A service, of which what an observer finds left is each further part."""
    speed: float
    """How many times as fast the servers together are."""
    backlog: Backlog | None
    """None where there is nothing further."""

    @cached_property
    def mean_s(self) -> float:
        """Its mean."""
        first_s = self.first.mean_s if self.first else self.left_s
        return first_s + (self.backlog.mean if self.backlog else 0.0) * self.left_s

    @property
    def left_s(self) -> float:
        """The mean of each further part."""
        return self.each.mean_s * (1 + self.each.scv) / 2 / self.speed

    @property
    def constant_s(self) -> float:
        """The part that does not vary: none."""
        return 0.0

    def transform(self, s: complex) -> complex:
        """Return E[exp(-s T)]."""
        left = _left(self.each, s / self.speed)
        value = (1 + s * (self.first.mean_s * self.first.scv)) ** (-1 / self.first.scv) if self.first else left
        return value * self.backlog.transform(1 - left) if self.backlog else value


def _left(service: ServiceTime, s: complex) -> complex:
    """Return the transform of what an observer finds left of a service."""
    if service.scv < CONSTANT_SCV:
        x = s * service.mean_s
        return complex((1 - _exp(-x)) / x)
    total = 0j
    for share, mean_s, scv in gammas(service):
        total += share * (1 - (1 + s * (mean_s * scv)) ** (-1 / scv))
    return total / (s * service.mean_s)


def _exp(z: complex) -> complex:
    return math.exp(z.real) * complex(math.cos(z.imag), math.sin(z.imag))


@dataclass(frozen=True, slots=True)
class Work:
    """The wait of those who wait, as an amount of work of a backlog's law, in s."""

    backlog: Backlog

    @property
    def mean_s(self) -> float:
        """Its mean."""
        return self.backlog.mean

    @property
    def constant_s(self) -> float:
        """What it is never below."""
        return self.backlog.constant

    def transform(self, s: complex) -> complex:
        """Return E[exp(-s T)] of the part that varies."""
        return self.backlog.transform(s)


@dataclass(frozen=True)
class Wait:
    """The wait at a station: none with probability 1 - `chance`, else of a law."""

    chance: float
    law: Compound | Work | None = None
    """None where nobody waits."""

    @cached_property
    def mean_s(self) -> float:
        """Mean over all requests, those that do not wait included."""
        return self.chance * self.law.mean_s if self.law else 0.0

    @property
    def constant_s(self) -> float:
        """What all wait at least, where next to all wait long."""
        return self.law.constant_s if self.law else 0.0

    def transform(self, s: complex) -> complex:
        """Return E[exp(-s T)] of the part that varies."""
        return 1 - self.chance + self.chance * self.law.transform(s) if self.law and self.chance else 1 + 0j


NONE: Final = Wait(0.0)


def work(chance: float, mean_s: float, scv: float) -> Wait:
    """Return the wait of a probability, whose mean and SCV over those who wait are given; no SCV above 1."""
    return Wait(chance, Work(Backlog(mean_s, min(1.0, scv)))) if chance > 0 and mean_s > 0 else NONE


def waiting(station: Station, queue: Queue, utilisation: float) -> Wait:
    """Return the wait, first come first served, behind what a request finds.

    The least of c remainders of a service, and one remainder of a service c times as fast for each request before it;
    stretched to the mean that `wait_s_mean` has at the utilisation with endless users. Exact for one server and for
    exponential service with endless users. Where many wait it is taken by its mean and variance.
    Source: Tijms, van Hoorn, Federgruen, Advances in Applied Probability 13 (1981).
    """
    service, c = station.service, station.servers
    if queue.chance <= 0:
        return NONE
    rho = min(utilisation, 1 - 1e-9)
    chance = min(1.0, queue.chance * delay_share(station, rho, queue.chance))
    first = _first(service, c)
    left_s = service.mean_s * (1 + service.scv) / (2 * c)
    wanted_s = wait_shape(station, rho) * queue.chance / chance * service.mean_s / (c * (1 - rho))
    stretch = wanted_s / (first.mean_s + rho / (1 - rho) * left_s)
    mean_s = stretch * (first.mean_s + queue.mean * left_s)
    is_exponential = service.family == "gamma" and service.scv == 1
    if not is_exponential and queue.scv >= _STEADY:
        backlog = Backlog(queue.mean, queue.scv) if queue.mean > 0 else None
        stretched = ServiceTime(first.mean_s * stretch, first.scv, "gamma") if c > 1 else None
        # A server that is kept very long by one request does not keep several others from working on.
        tempered = service.family == "lognormal" and service.scv > 1 and c > 3
        law = "hyperexponential" if tempered else service.law
        each = ServiceTime(service.mean_s * stretch, service.scv, law)
        return Wait(chance, Compound(stretched, each, c, backlog))
    left_scv = service.third_moment_s3() / (3 * service.mean_s * c * c) / left_s**2 - 1
    variance_s2 = first.scv * first.mean_s**2 + left_s**2 * (queue.mean * left_scv + queue.variance)
    return work(chance, mean_s, variance_s2 / (first.mean_s + queue.mean * left_s) ** 2)


def _first(service: ServiceTime, servers: int) -> ServiceTime:
    """Return the least of c independent remainders of a service, as a gamma law.

    Mean S / (c + (1 - s) / (1 + s)) and SCV 1 / (1 + d / c), where 1 / (1 + d) is that of one remainder: exact for one
    server, for exponential and for constant service, and in the limit of many servers.
    """
    s = service.scv
    one_s = service.mean_s * (1 + s) / 2
    one_scv = service.third_moment_s3() / (3 * service.mean_s) / one_s**2 - 1
    mean_s = service.mean_s / (servers + (1 - s) / (1 + s))
    return ServiceTime(mean_s, 1 / (1 + (1 / one_scv - 1) / servers), "gamma")


def wait_at(station: Station, requests_per_s: float) -> Wait:
    """Return the wait of a station whose requests come at a rate from endless users.

    Raises ValueError when it is overloaded: there is no steady wait.
    """
    rho = station.utilisation(requests_per_s)
    if rho >= 1:
        raise ValueError("the station is overloaded")
    return waiting(station, open_queue(erlang_c(station.servers, station.offered_load(requests_per_s)), rho), rho)


@dataclass(frozen=True, slots=True)
class Path:
    """What one kind of request passes, one stage after the other."""

    share: float
    """Share of this kind among all requests."""
    stages: tuple[tuple[Law, float], ...]
    """(law, how often it is met, independently)."""
    kind: str = ""
    """What kind of request it is."""

    @property
    def mean_s(self) -> float:
        """Mean time on the path."""
        return sum(law.mean_s * times for law, times in self.stages)

    @property
    def constant_s(self) -> float:
        """What does not vary."""
        return sum(law.constant_s * times for law, times in self.stages)

    def transform(self, s: complex) -> complex:
        """Return the transform of the part that varies."""
        value = 1 + 0j
        for law, times in self.stages:
            each = law.transform(s)
            value *= each if times == 1 else each**times
        return value


@dataclass(frozen=True)
class Response:
    """The response time of a mix of requests."""

    paths: tuple[Path, ...]

    @cached_property
    def _sums(self) -> list[tuple[float, _Sum]]:
        together: dict[float, list[Path]] = {}
        for path in self.paths:
            together.setdefault(path.constant_s, []).append(path)
        return [(constant_s, _Sum(paths)) for constant_s, paths in together.items()]

    @property
    def mean_s(self) -> float:
        """Mean response time of the mix."""
        return sum(path.share * path.mean_s for path in self.paths)

    def of(self, kind: str) -> Response:
        """Return the response time of one kind of requests alone. Raises ValueError where there is none of it."""
        own = [path for path in self.paths if path.kind == kind]
        share = sum(path.share for path in own)
        if not share:
            raise ValueError(f"no requests of kind {kind!r}")
        return Response(tuple(Path(path.share / share, path.stages, path.kind) for path in own))

    def tail(self, time_s: float) -> float:
        """Return the share of requests that take longer than `time_s`."""
        shares = sum(paths.tail(time_s - constant_s) for constant_s, paths in self._sums)
        return min(1.0, max(0.0, shares))

    def percentile_s(self, share: float) -> float:
        """Return the time that `share` of the requests stay within. Raises ValueError unless 0 < share < 1."""
        return self.percentiles_s((share,))[0]

    def percentiles_s(self, shares: Sequence[float]) -> list[float]:
        """Return the times that shares of the requests stay within, from the logarithm of the tail.

        Each begins between the nearest times that were asked before. Raises ValueError unless all lie between 0 and 1.
        """
        if not all(0 < share < 1 for share in shares):
            raise ValueError(f"shares lie between 0 and 1, got {shares}")
        asked: dict[float, float] = {}

        def logarithm(time_s: float) -> float:
            if time_s not in asked:
                asked[time_s] = math.log(max(self.tail(time_s), 1e-12))
            return asked[time_s]

        logarithm(max(self.mean_s, 1e-9))
        return [self._within(math.log(1 - share), logarithm, asked) for share in shares]

    def _within(self, beyond: float, logarithm: Callable[[float], float], asked: Mapping[float, float]) -> float:
        """Return the time whose tail has a logarithm, about a line: the tail falls about exponentially."""
        while all(known > beyond for known in asked.values()):
            last = max(asked)
            logarithm(last * min(4.0, max(1.3, beyond / min(-0.1, asked[last]))))
        low = max((time_s for time_s, known in asked.items() if known > beyond), default=0.0)
        high = min(time_s for time_s, known in asked.items() if known <= beyond)
        return root(
            lambda time_s: beyond - logarithm(time_s) if time_s > 0 else beyond, low, high, PRECISION, PRECISION
        )


class _Sum:
    """Some paths whose constant part is the same, each law among them asked once at each point."""

    def __init__(self, paths: Sequence[Path]) -> None:
        varied = [path for path in paths if path.mean_s > path.constant_s]
        self.share = sum(path.share for path in paths)
        self.varied_share = sum(path.share for path in varied)
        self.laws: list[Law] = []
        places: dict[Law, int] = {}
        self.paths = []
        for path in varied:
            factors = []
            for law, times in path.stages:
                if law not in places:
                    places[law] = len(self.laws)
                    self.laws.append(law)
                factors.append((places[law], times))
            self.paths.append((path.share, factors))

    def _term(self, s: complex) -> float:
        values = [law.transform(s) for law in self.laws]
        total = self.varied_share + 0j
        for share, factors in self.paths:
            value = share + 0j
            for place, times in factors:
                value *= values[place] if times == 1.0 else values[place] ** times
            total -= value
        return (total / s).real

    def tail(self, time_s: float) -> float:
        """Return the share of requests of these paths whose part that varies exceeds a time.

        By the Fourier series of its transform with Euler summation. Source: Abate and Whitt, Numerical inversion of
        Laplace transforms of probability distributions, ORSA Journal on Computing 7 (1995), algorithm EULER.
        """
        if time_s <= 0:
            return self.share
        if not self.paths:
            return 0.0
        real, step, scale = A / (2 * time_s), math.pi / time_s, math.exp(A / 2) / time_s
        total = scale / 2 * self._term(complex(real, 0.0))
        partial = []
        for k in range(1, TERMS + EULER + 1):
            term = scale * self._term(complex(real, k * step))
            total += -term if k % 2 else term
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


def added(parts: Sequence[tuple[float, ServiceTime]]) -> ServiceTime | None:
    """Return the sum of (times, law) independent times, by its mean and variance, as a gamma law; None where it is 0.

    >>> added([(2, ServiceTime(1.0, 1.0)), (1, ServiceTime(2.0, 0.0))])
    ServiceTime(mean_s=4.0, scv=0.125, law='gamma')
    """
    mean_s = sum(times * law.mean_s for times, law in parts)
    if mean_s**2 <= 0:  # The wait for one of a thousand servers that are idle can be so short that its square is 0.
        return None
    variance_s2 = sum(times * law.scv * law.mean_s**2 for times, law in parts)
    return ServiceTime(mean_s, variance_s2 / mean_s**2, "gamma")
