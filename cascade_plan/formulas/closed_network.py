"""Closed systems: a fixed number of users who think, ask and wait for the answer; and contention among workers.

A slow answer slows the next request, so the rate is a result here and not an input. Which of the two a percentile
belongs to has to be said: a load generator that waits for answers does not keep its rate when the system is slow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cascade_plan.formulas.queueing import erlang_c
from cascade_plan.formulas.roots import root

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_NEGLIGIBLE: Final = 1e-18
"""Probabilities below this, of the most likely state's, are left out."""
_POINTS_MOST: Final = 8000
"""Counts at which a Poisson law is summed at most; wider ones are summed at so many, evenly spread."""
_USERS_MAX: Final = 20_000


# ---------------------------------------------------------------------------------- one station, users who think: exact


@dataclass(frozen=True, slots=True, eq=False)
class FiniteSource:
    """The steady state of N users, who think and then ask one station of parallel servers (M/M/c//N)."""

    users: int
    servers: int
    service_s: float
    requests_per_s: float
    """What the users get through in the long run."""
    response_s_mean: float
    """Wait and service."""
    utilisation: float
    first: int
    """The fewest requests at the station that are not all but impossible."""
    state: Array
    """The probability of n = first, first + 1, ... requests at the station, up to the most that are not; sum 1."""


def finite_source(users: int, think_s: float, servers: int, service_s: float) -> FiniteSource:
    """Return the steady state of users who think for a mean `think_s`, whatever the law, and share the servers.

    A birth-death chain in logarithms, summed away from its peak, and only as far as states are not all but impossible:
    about the root of the users on either side, so that a thousand million of them take milliseconds.
    w(n + 1) / w(n) = (N - n) / Z * S / min(n + 1, c); X = E[min(n, c)] / S; R = N / X - Z.
    Service is exponential. Source: Kleinrock, Queueing Systems I, chapter 3; insensitivity to thinking: Baskett,
    Chandy, Muntz, Palacios, Journal of the ACM 22 (1975).
    Raises ValueError unless users >= 1, servers >= 1 and both times are positive.
    """
    import numpy as np

    if users < 1 or servers < 1 or not 0 < think_s < math.inf or not 0 < service_s < math.inf:
        raise ValueError("users, servers, thinking time and service time must all be above 0")
    first, peak, last = _likely(users, think_s, servers, service_s)
    n = np.arange(first, last)
    growth = np.log((users - n) / think_s) - np.log(np.minimum(n + 1, servers) / service_s)
    up = -np.cumsum(growth[: peak - first][::-1])[::-1]
    down = np.cumsum(growth[peak - first :])
    state = np.exp(np.concatenate((up, [0.0], down)))
    state /= state.sum()
    n = np.arange(first, last + 1)
    busy = float(state @ np.minimum(n, servers))
    requests_per_s = busy / service_s
    queued = float(state @ n)
    return FiniteSource(
        users, servers, service_s, requests_per_s, queued / requests_per_s, busy / servers, first, state
    )


def _likely(users: int, think_s: float, servers: int, service_s: float) -> tuple[int, int, int]:
    """Return the fewest, the likeliest and the most requests at the station that are not all but impossible.

    The weights' logarithm is concave in n, so each is found by bisection; from log-gamma functions, whose cancellation
    (4e-6 at a thousand million users) moves an end where nothing is lost.
    """
    load = service_s / think_s

    def logarithm(n: int) -> float:
        gone = math.lgamma(users + 1) - math.lgamma(users - n + 1)
        served = math.lgamma(min(n, servers) + 1) + max(0, n - servers) * math.log(servers)
        return gone + n * math.log(load) - served

    peak = _least(0, users, lambda n: (users - n) * load < min(n + 1, servers))
    floor = logarithm(peak) + math.log(_NEGLIGIBLE) - 1
    first = _least(0, peak, lambda n: logarithm(n) >= floor)
    return first, peak, _least(peak, users, lambda n: logarithm(n) < floor)


def _least(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the least whole number from `low` to `high` that a condition holds for, and for all above; else `high`."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


class FiniteSourceResponse:
    """The law of the response in a finite source: what a request meets is the steady state with one user fewer.

    Served at once, a request takes an exponential time. Behind j - 1 others in the queue it takes j departures of all
    the servers together, and then its own. Seen on the clock of a Poisson stream of rate c mu, that is a sum over the
    stream's count K: P(T > t) = sum over k of P(K = k) (P(j > k) + sum over j <= k of q(j) (1 - 1/c)^(k - j)), where
    served at once is j = 0.
    Source: the arrival theorem, Sevcik and Mitrani, Journal of the ACM 28 (1981); Lavenberg and Reiser 1980.
    """

    def __init__(self, users: int, think_s: float, servers: int, service_s: float) -> None:
        import numpy as np

        self._rate_per_s = servers / service_s
        self._mean_s = service_s
        self._first, state = 0, np.ones(1)
        if users > 1:
            seen = finite_source(users - 1, think_s, servers, service_s)
            self._first, state = max(0, seen.first - servers + 1), seen.state
            if not self._first:
                at_once = max(0, servers - seen.first)
                state = np.concatenate(([state[:at_once].sum()], state[at_once:]))
        self._queued: Array = state
        """The probability of j = first, first + 1, ... in the queue, oneself included; j = 0 is served at once."""
        j = np.arange(self._first, self._first + state.size)
        queued_mean = float(state @ j)
        self._queue_s_mean = queued_mean / self._rate_per_s
        variance = float(state @ np.square(j - queued_mean)) + queued_mean
        self._spread_s = math.hypot(math.sqrt(variance) / self._rate_per_s, service_s)
        self._beyond: Array = np.maximum(0.0, 1 - np.cumsum(self._queued))
        self._fading: Array = _fading_sum(self._queued, 1 - 1 / servers)
        self._fade = 1 - 1 / servers

    def tail(self, time_s: float) -> float:
        """Return the share of requests whose response exceeds the time.

        Of long responses, in which servers answer more than 100,000 requests, the law of their count is summed at
        evenly spread points: that is worth less than 1e-5 of the time.
        """
        import numpy as np

        if time_s <= 0:
            return 1.0
        expected = self._rate_per_s * time_s
        spread = 12 * math.sqrt(expected) + 60
        low, high = max(0, math.floor(expected - spread)), math.ceil(expected + spread)
        step = 1 + (high - low) // _POINTS_MOST
        k = np.arange(low, high + 1, step)
        chance = np.exp(k * math.log(expected) - expected - _log_factorial(k))
        if step > 1:
            chance /= chance.sum()
        at = k - self._first
        inside = np.clip(at, 0, self._queued.size - 1)
        fading = np.where(at < 0, 0.0, self._fading[inside] * np.power(self._fade, np.maximum(0, at - inside)))
        beyond = np.where(at < 0, 1.0, np.where(at < self._queued.size, self._beyond[inside], 0.0))
        return min(1.0, float(chance @ (beyond + fading)))

    def percentile(self, share: float) -> float:
        """Return the response in s that the share of requests does not exceed, to 1e-11 of it; a long one to 1e-8.

        Raises ValueError unless 0 <= share < 1.
        """
        if not 0 <= share < 1:
            raise ValueError(f"a share lies in [0, 1), got {share}")
        beyond = 1 - share
        low, high, width_s = 0.0, self._mean_s + self._queue_s_mean, self._spread_s
        while self.tail(high) > beyond:
            low, high, width_s = high, high + width_s, 2 * width_s
        if not low and self.tail(nearer := high - 8 * self._spread_s) > beyond:
            low = nearer
        # The tail falls about exponentially, so its logarithm is about a line.
        is_long = self._rate_per_s * high > 100_000
        return root(
            lambda time_s: math.log(beyond / max(self.tail(time_s), 1e-18)), low, high, 1e-8 if is_long else 1e-11
        )


def _fading_sum(values: Array, fade: float) -> Array:
    """Return the sums over j <= k of values[j] fade^(k - j), for every k; in logarithms, so that none overflows."""
    import numpy as np

    if not fade:
        return values
    decay = math.log(fade) * np.arange(values.size)
    with np.errstate(divide="ignore"):
        terms = np.log(values) - decay
    summed: Array = np.exp(np.logaddexp.accumulate(terms) + decay)
    return summed


def _log_factorial(n: NDArray[np.int64]) -> Array:
    """Return ln n! at each n >= 0: a table below 16, Stirling's series above, to about 1e-14.

    Source: DLMF 5.11.1.
    """
    import numpy as np

    table = np.array([math.lgamma(k + 1) for k in range(16)])
    x = np.maximum(n, 16).astype(float)
    series = 1 / (12 * x) - 1 / (360 * x**3) + 1 / (1260 * x**5) - 1 / (1680 * x**7)
    stirling = (x + 0.5) * np.log(x) - x + math.log(2 * math.pi) / 2 + series
    result: Array = np.where(n < 16, table[np.minimum(n, 15)], stirling)
    return result


# --------------------------------------------------------------------------- several stations: approximate, and bounds


@dataclass(frozen=True, slots=True)
class Demand:
    """What one pass of a user asks of a station: its servers, and the service in s of all visits together.

    Raises ValueError unless servers >= 1 and the service is finite and not negative.
    """

    servers: int
    service_s: float

    def __post_init__(self) -> None:
        if self.servers < 1 or not 0 <= self.service_s < math.inf:
            raise ValueError(f"a station needs a server and a service time of at least 0, got {self}")


@dataclass(frozen=True, slots=True)
class ClosedNetwork:
    """The steady state of a closed network, as far as mean values go."""

    requests_per_s: float
    response_s_mean: float
    station_s_mean: tuple[float, ...]
    """Wait and service at each station, all visits together."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What no closed network of these demands exceeds, whatever its laws of service and its order of service."""

    requests_per_s_max: float
    response_s_min: float
    users_knee: float
    """The number of users where the two straight bounds of the throughput cross: above it, users queue."""


def asymptotic_bounds(users: int, think_s: float, demands: Sequence[Demand]) -> Bounds:
    """Return the bounds X <= min(N / (Z + D), min of m / D_k), R >= max(D, N / X_max - Z), and N* = (Z + D) X_sat.

    Source: Denning and Buzen, The operational analysis of queueing network models, ACM Computing Surveys 10 (1978).
    Raises ValueError when there are no users, no demand, or the thinking time is negative.
    """
    total_s = _checked_total_s(users, think_s, demands)
    saturated_per_s = min(demand.servers / demand.service_s for demand in demands if demand.service_s)
    most_per_s = min(users / (think_s + total_s), saturated_per_s)
    knee = (think_s + total_s) * saturated_per_s
    return Bounds(most_per_s, max(total_s, users / saturated_per_s - think_s), knee)


def approximate_network(users: int, think_s: float, demands: Sequence[Demand]) -> ClosedNetwork:
    """Return about the mean values of a closed network of several stations of parallel servers, in pure Python.

    Schweitzer: a request finds (N - 1) / N of the mean load. What it then waits is taken from Erlang's C times
    (N - c) / (N - 1), for nobody waits where there is a server for every user; for one server that is Schweitzer's own
    formula. Seidmann's fast server and delay would wait rho instead of C, far too long on many servers. At a given
    throughput every station follows directly, so the fixed point is found by bisection; where it would pass the
    asymptotic bound, the bound is the answer and the stations' times are raised to it.
    The throughput is off by up to 7 % and the response by up to 22 % near the knee; `product_form_network` is exact.
    Source: Schweitzer 1979; Seidmann, Schweitzer, Shalev-Oren 1987.
    Raises ValueError when there are no users, no demand, or the thinking time is negative.
    """
    _checked_total_s(users, think_s, demands)
    share = (users - 1) / users

    def station_s(demand: Demand, per_s: float) -> float:
        load = per_s * demand.service_s * share
        if load >= demand.servers:
            return math.inf
        waits = erlang_c(demand.servers, load) * max(0, users - demand.servers) / max(1, users - 1)
        return demand.service_s * (1 + waits / (demand.servers - load))

    low, high = 0.0, asymptotic_bounds(users, think_s, demands).requests_per_s_max * (1 + 1e-9)
    while low < (middle := (low + high) / 2) < high:
        if middle * (think_s + sum(station_s(demand, middle) for demand in demands)) < users:
            low = middle
        else:
            high = middle
    stations_s = [station_s(demand, low) for demand in demands]
    response_s = users / low - think_s
    scale = response_s / sum(stations_s)
    return ClosedNetwork(low, response_s, tuple(each_s * scale for each_s in stations_s))


def product_form_network(users: int, think_s: float, demands: Sequence[Demand]) -> ClosedNetwork:
    """Return the mean values of a closed network of several stations of parallel servers, exactly.

    Buzen's convolution, with every weight tilted by the power of about the throughput that its number of requests is:
    the weights are then nearly probabilities, and nothing overflows or cancels. Service is exponential, thinking has
    any law. The work grows with the square of the users.
    Source: Buzen, Communications of the ACM 16 (1973); Baskett, Chandy, Muntz, Palacios, Journal of the ACM 22 (1975).
    Raises ValueError when there are no users or more than 20,000, no demand, or the thinking time is negative.
    """
    import numpy as np

    if users > _USERS_MAX:
        raise ValueError(f"at most {_USERS_MAX} users, not {users}: the work grows with their square")
    tilt_per_s = approximate_network(users, think_s, demands).requests_per_s
    thinking = _weights(users, users, tilt_per_s * think_s)
    stations = [_weights(users, demand.servers, tilt_per_s * demand.service_s) for demand in demands]
    all_of_them = _convolved([thinking, *stations], users)
    requests_per_s = tilt_per_s * float(all_of_them[users - 1] / all_of_them[users])
    stations_s = []
    for index, station in enumerate(stations):
        others = _convolved([thinking, *stations[:index], *stations[index + 1 :]], users)
        queued = float((station * np.arange(station.size)) @ others[users - np.arange(station.size)])
        stations_s.append(queued / float(all_of_them[users]) / requests_per_s)
    return ClosedNetwork(requests_per_s, users / requests_per_s - think_s, tuple(stations_s))


def _weights(users: int, servers: int, load: float) -> Array:
    """Return the weight of n = 0, 1, ... requests at a station of the load, up to where it vanishes or all are there.

    Not normalised: only ratios of weights to the same power of the tilt are ever used.
    """
    import numpy as np

    if not load:
        return np.ones(1)
    n = np.arange(1, users + 1)
    logs = np.concatenate(([0.0], np.cumsum(np.log(load / np.minimum(n, servers)))))
    weights: Array = np.exp(logs - logs.max())
    return weights[: int(np.flatnonzero(weights)[-1]) + 1]


def _convolved(weights: Sequence[Array], users: int) -> Array:
    """Return the weights of 0 ... users requests at all stations together; shape (users + 1,)."""
    import numpy as np

    total: Array = np.ones(1)
    for each in weights:
        total = np.convolve(total, each)[: users + 1]
    result: Array = np.pad(total, (0, users + 1 - total.size))
    return result


def _checked_total_s(users: int, think_s: float, demands: Sequence[Demand]) -> float:
    """Return the service in s of one pass through all stations."""
    total_s = math.fsum(demand.service_s for demand in demands)
    if users < 1 or not 0 <= think_s < math.inf or not total_s:
        raise ValueError("at least one user, a demand and a thinking time of at least 0 are needed")
    return total_s


# --------------------------------------------------------------------------------------------------------- contention


def usl_throughput(workers: float, rate_per_s: float, contention: float, coherency: float) -> float:
    """Return the throughput of so many workers, of which one alone does `rate_per_s`.

    X(N) = g N / (1 + a (N - 1) + b N (N - 1)): a is the share done one at a time, b the cost of agreeing in pairs.
    Source: Gunther, Guerrilla Capacity Planning (2007), chapter 4, the universal scalability law.
    Raises ValueError unless workers >= 1 and the others are not negative.

    >>> round(usl_throughput(64, 89.995, 0.02773, 1.0437e-4), 1)
    1818.2
    """
    if workers < 1 or min(rate_per_s, contention, coherency) < 0:
        raise ValueError("at least one worker and parameters of at least 0 are needed")
    return rate_per_s * workers / (1 + contention * (workers - 1) + coherency * workers * (workers - 1))


def usl_peak(contention: float, coherency: float) -> float:
    """Return the number of workers with the most throughput, not rounded: sqrt((1 - a) / b); infinity when b is 0.

    One when all the work is done one at a time (a >= 1). Source: Gunther 2007.
    Raises ValueError when a parameter is negative.

    >>> round(usl_peak(0.02773, 1.0437e-4), 1)
    96.5
    """
    if min(contention, coherency) < 0:
        raise ValueError("contention and coherency are at least 0")
    if contention >= 1:
        return 1.0
    return max(1.0, math.sqrt((1 - contention) / coherency)) if coherency else math.inf
