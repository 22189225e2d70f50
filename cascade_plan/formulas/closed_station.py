"""One station of parallel servers whose users think between requests (M/M/c//N): what a request meets, exactly.

Pure Python, some ten microseconds to a millisecond whatever the number of users: no arrays, and no switch between few
users and many, below saturation and above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from cascade_plan.formulas.erfcx import real_erfcx
from cascade_plan.formulas.queueing import inverse_blocking

_SPREADS: Final = 9.0
"""Square roots of the mean below it where a recursion may start: what it starts from fades by exp(-9^2 / 2)."""
_NEGLIGIBLE: Final = 1e-17
_HUGE: Final = 1e300
_LARGEST: Final = 700.0
"""The logarithm of about the largest float."""
_CERTAIN: Final = 12.0
"""Deviations above its mean that a Poisson number never is: 1e-30."""
_MANY: Final = 400
"""From so many on a normal law is near enough where the queue is one of groups anyway."""
_FAR: Final = 4.0
"""Deviations below saturation from which the queue is short enough to be summed term by term."""


@dataclass(frozen=True, slots=True)
class Queue:
    """What a request finds that comes to a station."""

    chance: float
    """The probability that all servers are busy."""
    mean: float
    """The mean number of requests that wait before it, if all servers are busy."""
    variance: float
    """Its variance."""

    @property
    def scv(self) -> float:
        """SCV of what is before it as far as that varies more than a Poisson count does, in [0, 1]: 1 with endless
        users, and less as the users are fewer or more of them wait."""
        return min(1.0, max(0.0, (self.variance - self.mean) / self.mean**2)) if self.mean else 1.0

    @property
    def work_scv(self) -> float:
        """SCV of the work before a request that waits: a service under way and those before it, each exponential."""
        return (1 + self.mean + self.variance) / (1 + self.mean) ** 2


NOBODY: Final = Queue(0.0, 0.0, 0.0)


def open_queue(chance: float, utilisation: float) -> Queue:
    """Return what a request finds where endless users ask: of those that wait a geometric number is before it."""
    mean = utilisation / (1 - utilisation)
    return Queue(chance, mean, mean * (1 + mean))


def closed_station(
    users: int, think_s: float, servers: int, service_s: float, spread: float = 1.0
) -> tuple[float, Queue]:
    """Return requests/s of users who think for a mean `think_s` and share the servers, and what a request finds.

    Exact for exponential service (`spread` 1), whatever the law of thinking. With n at the station each of the others
    asks at the rate 1 / Z: w(n + 1) / w(n) = (N - n) / Z * S / min(n + 1, c). Below c that is Engset's recursion, at c
    and above a Poisson law of those who think, cut off, whose moments follow from Erlang's B. A request finds the state
    of one user fewer. For other services the queue is that of groups of `spread` requests: its length in heavy
    traffic is as many times that for exponential service, and what N users can bring to wait stays what it is.
    Source: Kleinrock, Queueing Systems I, chapter 3; the arrival theorem, Sevcik and Mitrani, Journal of the ACM 28
    (1981); insensitivity to thinking: Baskett, Chandy, Muntz, Palacios, Journal of the ACM 22 (1975).
    Raises ValueError unless users >= 1, servers >= 1, and both times and the spread are above 0.
    """
    if users < 1 or servers < 1 or not 0 < think_s < math.inf or not 0 < service_s < math.inf or not spread > 0:
        raise ValueError("users, servers, thinking time, service time and spread must all be above 0")
    if users < servers:
        return users / (think_s + service_s), NOBODY
    load = service_s / think_s
    thinking = servers / load
    before, mean, variance = _waiting(users - servers, thinking, is_exact=spread == 1)
    full = 1 + (users - servers) / thinking * before
    below, busy = _below(users, load, servers)
    served = users * load / (1 + load) if below == math.inf else _mean(busy, servers, below, full)
    requests_per_s = served / service_s
    if users == servers:
        return requests_per_s, NOBODY
    below, _ = _below(users - 1, load, servers)
    chance = 0.0 if below == math.inf else _mean(0.0, 1.0, below, before)
    if spread != 1:
        _, mean, variance = _waiting((users - 1 - servers) / spread + 1, thinking / spread, is_exact=False)
    return requests_per_s, Queue(chance, mean, variance)


def _mean(of_few: float, of_many: float, few: float, many: float) -> float:
    """Return (of_few + of_many x many) / (few + many), also where the weight of many is more than a float holds."""
    return (of_few + of_many * many) / (few + many) if many < math.inf else of_many


def _below(users: int, load: float, servers: int) -> tuple[float, float]:
    """Return the weights of fewer requests than servers, and of the busy servers in them, over the weight of as many.

    sum over n < c of w(n) / w(c), and of n w(n) / w(c); infinite where next to nobody finds all servers busy.
    Source: Engset 1918, by the recursion of Jagers and van Doorn.
    """
    mean = users * load / (1 + load)
    total, busy = 0.0, 0.0
    for n in range(max(0, math.floor(min(mean, servers) - _SPREADS * math.sqrt(mean) - 1)) + 1, servers + 1):
        ratio = n / ((users - n + 1) * load)
        total, busy = (1 + total) * ratio, (n - 1 + busy) * ratio
        if total > _HUGE:
            return math.inf, math.inf
    return total, busy


def _weight(most: float, thinking: float, is_exact: bool) -> float:
    """Return 1 / B(most, thinking); far above saturation, where nothing is cut off, from the last state itself.

    Of many, where it need not be exact, about, as r times the integral of exp(-r t) (1 + t)^n with
    (1 + t)^n = exp(n (t - t^2 / 2)) (1 + n t^3 / 3 - ...): to 1 / n. Source: Jagerman, Some properties of the Erlang
    loss function, Bell System Technical Journal 53 (1974).
    """
    if most <= thinking + _CERTAIN * math.sqrt(thinking) + _CERTAIN:
        if is_exact or most < _MANY:
            return inverse_blocking(most, thinking)
        spare = thinking - most
        zeroth = math.sqrt(math.pi / 2 / most) * real_erfcx(spare / math.sqrt(2 * most))
        first = (1 - spare * zeroth) / most
        second = (zeroth - spare * first) / most
        return thinking * (zeroth + (2 * first - spare * second) / 3)
    logarithm = thinking - most * math.log(thinking) + math.lgamma(most + 1)
    return math.exp(logarithm) if logarithm < _LARGEST else math.inf


def _waiting(alpha: float, thinking: float, is_exact: bool = True) -> tuple[float, float, float]:
    """Return (weight, mean, variance) of the number j >= 0 before a request that waits.

    q(j) / q(0) = product over i = 1..j of (alpha - i) / thinking: alpha - 1 less a Poisson number of those who think,
    where that is not negative. Far below saturation as a sum of some terms; else from p = B(alpha - 1, thinking),
    Erlang's B, the probability of the last state: E[M] = r (1 - p), E[M (M - 1)] = r^2 (1 - p - p (alpha - 1) / r).
    """
    if alpha <= 1:
        return max(0.0, alpha), 0.0, 0.0
    if thinking > alpha + _FAR * math.sqrt(alpha):
        term = total = 1.0
        first = second = 0.0
        for j in range(1, math.ceil(alpha)):
            term *= (alpha - j) / thinking
            if term < _NEGLIGIBLE * total:
                break
            total, first, second = total + term, first + j * term, second + j * j * term
        mean = first / total
        return total, mean, second / total - mean * mean
    weight = _weight(alpha - 1, thinking, is_exact)
    last = 1 / weight
    mean = thinking * (1 - last)
    second = thinking**2 * (1 - last - last * (alpha - 1) / thinking) + mean
    return weight, max(0.0, alpha - 1 - mean), max(0.0, second - mean * mean)
