"""Stations of parallel servers in many worlds: the same as `closed_station`, `queueing` and `transforms.waiting`.

Each function is its scalar sibling in arrays, branch by branch, so that a world is answered as a plan of it is.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from cascade_plan.formulas.arrays.laws import Law, Waits
from cascade_plan.formulas.arrays.numbers import Array, Mask, Number, erfcx_real

_SPREADS: Final = 9.0
_HUGE: Final = 1e300
_ENDLESS: Final = 1e18
"""An inverse of a probability that is none any more."""
_LARGEST: Final = 700.0
_CERTAIN: Final = 12.0
_MANY: Final = 400
_FAR: Final = 4.0
_LAGUERRE: Final = 14
"""Points of a quadrature."""
_STEADY: Final = 0.25
"""These are those of `closed_station` and `transforms`."""


class Queues(NamedTuple):
    """What a request finds that comes to a station."""

    chance: Array
    mean: Array
    variance: Array

    @property
    def scv(self) -> Array:
        """SCV of what is before it beyond a Poisson count's, in [0, 1]."""
        with np.errstate(divide="ignore", invalid="ignore"):
            scv = (self.variance - self.mean) / self.mean**2
        return np.where(self.mean > 0, np.clip(scv, 0.0, 1.0), 1.0)

    @property
    def work_scv(self) -> Array:
        """SCV of the work before a request that waits."""
        return (1 + self.mean + self.variance) / (1 + self.mean) ** 2


def open_queue(chance: Array, utilisation: Array) -> Queues:
    """Return what a request finds where endless users ask."""
    mean = utilisation / (1 - utilisation)
    return Queues(chance, mean, mean * (1 + mean))


def inverse_blocking(servers: Array, load: Array) -> Array:
    """Return 1 / Erlang B of each pair; servers may be fractions."""
    part = servers % 1.0
    inverse = (part + 2 * load + load**2) / ((2 - part) * load + load**2)
    first = np.floor(np.minimum(load, servers) - part - _SPREADS * np.sqrt(load))
    begins = first > 0
    with np.errstate(divide="ignore"):
        inverse = np.where(begins, 1 / (1 - (first + part) / load), inverse)
    steps = (np.floor(servers) - np.maximum(0, first)).astype(np.int64)
    # Those with the most steps first: who is done stands behind those who go on.
    order = np.argsort(-steps, kind="stable")
    result, left = inverse[order], steps[order]
    k, slope = np.maximum(0, first)[order] + part[order], load[order]
    going = left.size
    with np.errstate(over="ignore"):
        for step in range(1, int(left[0]) + 1 if left.size else 0):
            going = int(np.searchsorted(-left[:going], -step, side="right"))
            k[:going] += 1
            result[:going] = 1 + result[:going] * k[:going] / slope[:going]
            if not step % 32 and going and float(result[:going].min()) > _ENDLESS:
                result[:going] = np.inf
                break
    found = np.empty_like(result)
    found[order] = np.where(result > _HUGE, np.inf, result)
    return found


def erlang_c(servers: int, load: Array) -> Array:
    """Return the probability that a request waits; 1 where it is overloaded, 0 without a load.

    Erlang's recursion for all worlds from one number of servers on, so low that every world forgets it.
    """
    own = np.where((load > 0) & (load < servers), load, servers / 2)
    least = float(own.min())
    first = max(0, int(min(least, servers) - _SPREADS * math.sqrt(least)))
    inverse = 1 / (1 - first / own)
    with np.errstate(over="ignore"):
        for k in range(first + 1, servers + 1):
            inverse *= k / own
            inverse += 1
            if not k % 32 and float(inverse.min()) > _ENDLESS:
                return np.where(load >= servers, 1.0, 0.0)
    waits: Array = 1 / (own / servers + (servers - own) / servers * inverse)
    return np.where(load >= servers, 1.0, np.where(load > 0, waits, 0.0))


def closed_station(
    users: Array, think_s: Array, servers: Array, service_s: Array, spread: Array
) -> tuple[Array, Queues]:
    """Return requests/s of users who think and share the servers, and what a request finds, in each world."""
    load = service_s / think_s
    thinking = servers / load
    exact = spread == 1
    before, mean, variance = _waiting(users - servers, thinking, exact)
    full_weight = 1 + (users - servers) / thinking * before
    below, busy = _below(users, load, servers)
    few = users * load / (1 + load)
    served = np.where(np.isinf(below), few, _mean(busy, servers, below, full_weight))
    below, _ = _below(users - 1, load, servers)
    chance = np.where(np.isinf(below), 0.0, _mean(0.0, 1.0, below, before))
    if not exact.all():
        _, group_mean, group_variance = _waiting(
            (users - 1 - servers) / spread + 1, thinking / spread, np.zeros_like(exact)
        )
        mean, variance = np.where(exact, mean, group_mean), np.where(exact, variance, group_variance)
    nobody, lone = users <= servers, users < servers
    requests_per_s = np.where(lone, users / (think_s + service_s), served / service_s)
    zero = np.zeros_like(mean)
    return requests_per_s, Queues(
        np.where(nobody, zero, chance), np.where(nobody, zero, mean), np.where(nobody, zero, variance)
    )


def _mean(of_few: Number, of_many: Number, few: Array, many: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        found: Array = np.where(np.isinf(many), of_many, (of_few + of_many * many) / (few + many))
    return found


def _below(users: Array, load: Array, servers: Array) -> tuple[Array, Array]:
    """Return the weights of fewer requests than servers, and of the busy servers in them, over that of as many."""
    mean = users * load / (1 + load)
    start = np.floor(np.minimum(mean, servers) - _SPREADS * np.sqrt(np.maximum(mean, 0)) - 1)
    total, busy = np.zeros_like(mean), np.zeros_like(mean)
    least = int(servers.min())
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for n in range(max(0, int(start.min())) + 1, int(servers.max()) + 1):
            ratio = n / ((users - n + 1) * load)
            if n <= least:
                busy = (n - 1 + busy) * ratio
                total = (1 + total) * ratio
            else:
                over = n > servers
                busy = np.where(over, busy, (n - 1 + busy) * ratio)
                total = np.where(over, total, (1 + total) * ratio)
    endless = ~(total <= _HUGE)
    return np.where(endless, np.inf, total), np.where(endless, np.inf, busy)


def _weight(most: Array, thinking: Array, exact: Mask) -> Array:
    """Return 1 / B(most, thinking)."""
    result = np.empty_like(most)
    near = most <= thinking + _CERTAIN * np.sqrt(thinking) + _CERTAIN
    step = near & (exact | (most < _MANY))
    if step.any():
        result[step] = inverse_blocking(most[step], thinking[step])
    if (smooth := near & ~step).any():
        n, r = most[smooth], thinking[smooth]
        spare = r - n
        zeroth = np.sqrt(math.pi / 2 / n) * erfcx_real(spare / np.sqrt(2 * n))
        first = (1 - spare * zeroth) / n
        second = (zeroth - spare * first) / n
        result[smooth] = r * (zeroth + (2 * first - spare * second) / 3)
    if (far := ~near).any():
        n, r = most[far], thinking[far]
        logarithm = r - n * np.log(r) + log_gamma(n + 1)
        result[far] = np.where(logarithm < _LARGEST, np.exp(np.minimum(logarithm, _LARGEST)), np.inf)
    return result


def log_gamma(x: Array) -> Array:
    """Return the logarithm of the gamma function of numbers of at least 1, by Stirling's series from 9 on: to 1e-12.

    Source: Abramowitz and Stegun 6.1.41.
    """
    shift = np.zeros_like(x)
    above = x.copy()
    for _ in range(8):
        low = above < 9
        shift += np.where(low, np.log(np.where(low, above, 1.0)), 0.0)
        above = np.where(low, above + 1, above)
    inverse = 1 / above
    rest = inverse * (1 / 12 - inverse**2 * (1 / 360 - inverse**2 * (1 / 1260 - inverse**2 / 1680)))
    return (above - 0.5) * np.log(above) - above + math.log(2 * math.pi) / 2 + rest - shift


def _waiting(alpha: Array, thinking: Array, exact: Mask) -> tuple[Array, Array, Array]:
    """Return (weight, mean, variance) of the number before a request that waits."""
    weight, mean, variance = np.maximum(0.0, alpha), np.zeros_like(alpha), np.zeros_like(alpha)
    some = alpha > 1
    short = some & (thinking > alpha + _FAR * np.sqrt(np.maximum(alpha, 0)))
    if short.any():
        weight[short], mean[short], variance[short] = _summed(alpha[short], thinking[short])
    if (long := some & ~short).any():
        a, r = alpha[long], thinking[long]
        found = _weight(a - 1, r, exact[long])
        last = 1 / found
        gone = r * (1 - last)
        second = r**2 * (1 - last - last * (a - 1) / r) + gone
        weight[long], mean[long] = found, np.maximum(0.0, a - 1 - gone)
        variance[long] = np.maximum(0.0, second - gone * gone)
    return weight, mean, variance


@cache
def _nodes() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.laguerre.laggauss(_LAGUERRE)
    return nodes[:, None], weights[:, None]


def _summed(alpha: Array, thinking: Array) -> tuple[Array, Array, Array]:
    """Return the same far below saturation: sum over j of j^k n! / (n - j)! / r^j, n = alpha - 1 and r = thinking.

    It is the integral of exp(-u) (1 + u / r)^n, and of that what its derivatives by r are, by Gauss and Laguerre's
    nodes stretched to how fast it falls: to 1e-5 of a variance. Source: as of `closed_station._weight`.
    """
    nodes, weights = _nodes()
    n = alpha - 1
    fall = 1 - n / thinking
    u = nodes / fall
    further = u / (thinking + u)
    term = np.exp(n * np.log1p(u / thinking) - n * u / thinking) * (weights / fall)
    weight = term.sum(axis=0)
    term *= further
    mean = n * term.sum(axis=0) / weight
    term *= further
    return weight, mean, n * (n - 1) * term.sum(axis=0) / weight + mean - mean * mean


# --------------------------------------------------------------------------------------------------- general service


def pooling(servers: int, utilisation: Array) -> Array:
    """Return Cosmetatos' correction, as `queueing` has it."""
    c = servers
    with np.errstate(divide="ignore"):
        return np.minimum(1.0, (1 - utilisation) * (c - 1) * (math.sqrt(4 + 5 * c) - 2) / (16 * utilisation * c))


def _interpolation(law: Law, u: Array) -> Array:
    """Return b of `queueing.wait_shape`, by the family of the law."""
    s = law.scv
    with np.errstate(invalid="ignore"):
        usual = np.where(s <= 1, (s + 2 * s / (1 + s)) / 2, 1 + 0.47 * np.sqrt(np.maximum(s - 1, 0)))
        lognormal = 1.75 * np.power(s, 0.83) * (1 - 0.53 * u)
        hyper = 1 + 1.2 * np.power(np.maximum(s - 1, 0), 0.76)
    return np.where(law.is_hyper, hyper, np.where(law.is_lognormal, lognormal, usual))


class Server(NamedTuple):
    """What of a station does not hang on its load."""

    law: Law
    first_mean_s: Array
    first_scv: Array
    left_s: Array
    left_scv: Array
    tempered: Law
    """The law of each further part that is waited for."""
    is_exponential: Mask

    @classmethod
    def of(cls, servers: int, law: Law) -> Server:
        """Return it of so many servers that serve by a law."""
        third = law.third_moment()
        first_mean, first_scv = _first(law, servers, third)
        left_s = law.mean_s * (1 + law.scv) / (2 * servers)
        return cls(
            law,
            first_mean,
            first_scv,
            left_s,
            third / (3 * law.mean_s * servers * servers) / left_s**2 - 1,
            Law(law.mean_s, law.scv, law.is_hyper | ((servers > 3) & law.is_lognormal)),
            (law.scv == 1) & ~np.asarray(law.is_hyper) & ~law.is_lognormal,
        )


def waiting(servers: int, station: Server, queue: Queues, utilisation: Array) -> Waits:
    """Return the wait, first come first served, behind what a request finds: `transforms.waiting` in each world."""
    c, law = servers, station.law
    rho = np.minimum(utilisation, 1 - 1e-9)
    some = (queue.chance > 0) & (rho > 0)
    held, rho = np.where(some, queue.chance, 1.0), np.where(some, rho, 0.5)
    u = pooling(c, rho)
    share = 1 if c == 1 else 1 / (1 + 1.15 * u * np.power(held, 0.4) * (1 - law.scv) / (1 + law.scv))
    chance = np.minimum(1.0, held * share)
    shape = (1 + law.scv) / 2 * ((1 + u) / (1 + _interpolation(law, u) * u) if c > 1 else 1.0)
    wanted_s = shape * held / chance * law.mean_s / (c * (1 - rho))
    stretch = wanted_s / (station.first_mean_s + rho / (1 - rho) * station.left_s)
    whole_s = station.first_mean_s + queue.mean * station.left_s
    variance = station.first_scv * station.first_mean_s**2 + station.left_s**2 * (
        queue.mean * station.left_scv + queue.variance
    )
    return Waits(
        np.where(some, chance, 0.0),
        np.where(some, stretch * whole_s, 0.0),
        np.where(some, np.minimum(1.0, variance / whole_s**2), 1.0),
        some & ~station.is_exponential & (queue.scv >= _STEADY),
        station.first_mean_s * stretch if c > 1 else None,
        station.first_scv,
        station.tempered._replace(mean_s=law.mean_s * stretch),
        c,
        queue.mean,
        queue.scv,
    )


def _first(law: Law, servers: int, third: Array) -> tuple[Array, Array]:
    """Return (mean, SCV) of the least of c independent remainders of a service."""
    s = law.scv
    one_s = law.mean_s * (1 + s) / 2
    one_scv = third / (3 * law.mean_s) / one_s**2 - 1
    mean_s = law.mean_s / (servers + (1 - s) / (1 + s))
    return mean_s, 1 / (1 + (1 / one_scv - 1) / servers)
