"""Requests through queues, one by one: what the formulas are checked against, and what answers where they do not.

Open arrivals run as replications in lock step, one numpy row per request of every replication; users who think run
through a heap of events. Everything random comes from the seed that is passed in: same seed, same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import Final

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station

Array = NDArray[np.float64]

REPLICATIONS_MAX: Final = 512
BATCHES: Final = 20
STUDENT_19: Final = 2.0930
"""The 97.5 % point of Student's law with 19 degrees of freedom."""
_BLOCK: Final = 4096


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and half the width of its 95 % confidence interval."""

    value: float
    half_width: float


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests counted up to a moment: every one that came has left or is still there."""

    arrivals: int
    departures: int
    in_system: int


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """The visits to one station in order of arrival; times in s, each of shape (requests, replications)."""

    arrival_s: Array
    start_s: Array
    departure_s: Array

    def present(self, time_s: Array) -> int:
        """Return the requests at the station at a time of each replication; shape (replications,)."""
        return int(np.count_nonzero((self.arrival_s <= time_s) & (self.departure_s > time_s)))


@dataclass(frozen=True, slots=True, eq=False)
class OpenRun:
    """What happened to the requests of all replications, the warm-up included."""

    visits: tuple[Visits, ...]
    """At each station, first to last."""
    entered_s: Array
    """When the requests came to the first station, in the order of `visits[-1]`; shape (requests, replications)."""
    warm_up: int
    """Requests at the start of each replication that no figure counts."""

    @property
    def response_s(self) -> Array:
        """Wait and service through all stations, without the warm-up; shape (requests, replications)."""
        return (self.visits[-1].departure_s - self.entered_s)[self.warm_up :]

    def wait_s(self, station: int = 0) -> Array:
        """Return the waits at a station, without the warm-up; shape (requests, replications)."""
        visits = self.visits[station]
        return (visits.start_s - visits.arrival_s)[self.warm_up :]

    def flow(self) -> Flow:
        """Return the count at the moment the last request of each replication enters."""
        first, last = self.visits[0], self.visits[-1]
        end_s = first.arrival_s[-1]
        departures = int(np.count_nonzero(last.departure_s <= end_s))
        return Flow(first.arrival_s.size, departures, sum(visits.present(end_s) for visits in self.visits))


def draws(law: ServiceTime, shape: tuple[int, ...], random: Generator) -> Array:
    """Return independent draws of the law, in s, of the given shape."""
    if law.family == "deterministic":
        return np.full(shape, law.mean_s)
    if law.family == "lognormal":
        sigma = math.sqrt(math.log1p(law.scv))
        drawn = random.standard_normal(shape)
        drawn *= sigma
        drawn += math.log(law.mean_s) - sigma**2 / 2
        return np.exp(drawn, out=drawn)
    if law.family == "gamma":
        drawn = random.standard_exponential(shape) if law.scv == 1 else random.standard_gamma(1 / law.scv, shape)
        drawn *= law.mean_s * law.scv
        return drawn
    (share, mean_s), (_, other_mean_s) = law.phases
    drawn = random.standard_exponential(shape)
    drawn *= np.where(random.random(shape) < share, mean_s, other_mean_s)
    return drawn


def arrival_law(requests_per_s: float, scv: float) -> ServiceTime:
    """Return the law of the gaps between arrivals: gamma up to SCV 1, two exponentials with balanced means above."""
    return ServiceTime(1 / requests_per_s, scv, "hyperexponential" if scv > 1 else None)


def warm_up_requests(stations: Sequence[Station], requests_per_s: float, arrival_scv: float = 1.0) -> int:
    """Return how many requests an empty system needs to forget that it was empty.

    Four relaxation times 2 (ca^2 + s) / (1 - rho)^2 in requests, and the servers' own fill, summed over stations.
    Source: Odoni and Roth, An empirical investigation of the transient behavior of stationary queueing systems,
    Operations Research 31 (1983).
    """
    total = 0.0
    for station in stations:
        rho = station.utilisation(requests_per_s)
        total += 2 * (arrival_scv + station.service.scv) * rho / (1 - rho) ** 2 + station.servers
    return math.ceil(4 * total)


def simulate_open(
    stations: Sequence[Station],
    requests_per_s: float,
    *,
    requests: int,
    seed: int | Sequence[int],
    arrival_scv: float = 1.0,
    replications: int | None = None,
) -> OpenRun:
    """Return a run of about so many counted requests, first come first served through all the stations in turn.

    Replications start empty and drop `warm_up_requests` each; without a number there are as many as keep the warm-up
    below a sixth of the work, at most 512. Raises ValueError when a station is overloaded or none is given.
    """
    if not stations or any(station.utilisation(requests_per_s) >= 1 for station in stations):
        raise ValueError("stations that can carry the load are needed")
    warm_up = warm_up_requests(stations, requests_per_s, arrival_scv)
    count = replications or max(1, min(REPLICATIONS_MAX, requests // (5 * warm_up)))
    shape = (warm_up + math.ceil(requests / count), count)
    random = default_rng(seed)
    arrival_s = draws(arrival_law(requests_per_s, arrival_scv), shape, random)
    np.cumsum(arrival_s, axis=0, out=arrival_s)
    entered_s = arrival_s
    visits: list[Visits] = []
    for station in stations:
        if visits:
            arrival_s, entered_s = _in_order(visits[-1].departure_s, entered_s)
        service_s = draws(station.service, shape, random)
        start_s = _starts(arrival_s, service_s, station.servers)
        service_s += start_s
        visits.append(Visits(arrival_s, start_s, service_s))
    return OpenRun(tuple(visits), entered_s, warm_up)


def _starts(arrival_s: Array, service_s: Array, servers: int) -> Array:
    """Return when each service starts; all of shape (requests, replications).

    The times at which servers fall free are kept sorted, a row per server. A request takes the first, and its end is
    put in its place by a minimum and a maximum over all rows: no search, no branch.
    Source: Kiefer and Wolfowitz, On the theory of queues with many servers, Transactions of the AMS 78 (1955).
    """
    start_s = np.empty_like(arrival_s)
    replications = arrival_s.shape[1]
    free_s = np.zeros((servers + 1, replications))
    free_s[-1] = np.inf
    spare_s = free_s.copy()
    later_s, end_s = np.empty((servers, replications)), np.empty(replications)
    now, then = ((rows[0], rows[:-1], rows[1:]) for rows in (free_s, spare_s))
    for arrival, service, start in zip(arrival_s, service_s, start_s, strict=True):
        np.maximum(arrival, now[0], out=start)
        np.add(start, service, out=end_s)
        np.maximum(now[1], end_s, out=later_s)
        np.minimum(later_s, now[2], out=then[1])
        now, then = then, now
    return start_s


def _in_order(departure_s: Array, entered_s: Array) -> tuple[Array, Array]:
    """Return the departures of each replication sorted, and when each of those requests entered."""
    order = np.argsort(departure_s, axis=0, kind="stable")
    return np.take_along_axis(departure_s, order, axis=0), np.take_along_axis(entered_s, order, axis=0)


# ----------------------------------------------------------------------------------------------- confidence intervals


def interval(values: Array, estimate: Callable[[Array], float]) -> Interval:
    """Return an estimate over all values and its confidence interval by the means of 20 batches.

    Values have the shape (requests, replications); a batch is a stretch of whole replications, or of one, in order.
    Source: Law, Simulation Modeling and Analysis, 5th ed., section 9.5.3. Raises ValueError below 20 values.
    """
    line = values.T.ravel()
    if line.size < BATCHES:
        raise ValueError(f"{BATCHES} batches need at least as many values, got {line.size}")
    means = np.array([estimate(batch) for batch in np.array_split(line, BATCHES)])
    return Interval(estimate(line), STUDENT_19 * float(means.std(ddof=1)) / math.sqrt(BATCHES))


def mean_interval(values: Array) -> Interval:
    """Return the mean with its confidence interval."""
    return interval(values, lambda batch: float(batch.mean()))


def percentile_interval(values: Array, share: float) -> Interval:
    """Return the value that the share of all does not exceed, with its confidence interval."""
    return interval(values, lambda batch: float(np.quantile(batch, share)))


# ------------------------------------------------------------------------------------------------- users who think


@dataclass(frozen=True, slots=True, eq=False)
class ClosedRun:
    """What happened to the requests of a fixed number of users."""

    response_s: Array
    """In order of completion, without the warm-up; shape (requests,)."""
    requests_per_s: float
    """The throughput after the warm-up."""
    flow: Flow
    """The count at the end, the warm-up included."""
    thinking: int
    """Users without a request at the end."""


def simulate_closed(
    users: int,
    think: ServiceTime,
    stations: Sequence[Station],
    *,
    requests: int,
    seed: int | Sequence[int],
    warm_up_share: float = 0.2,
) -> ClosedRun:
    """Return a run of so many answers to users who think, ask all stations in turn, wait for the answer, and think.

    All users start thinking; the first share of the answers is dropped.
    Raises ValueError unless users, requests and stations are above 0 and the share in [0, 1).
    """
    if users < 1 or requests < 1 or not stations or not 0 <= warm_up_share < 1:
        raise ValueError("users, requests and stations are needed, and a warm-up share in [0, 1)")
    random = default_rng(seed)
    thoughts = endless(think, random)
    services = [endless(station.service, random) for station in stations]
    free = [[0.0] * station.servers for station in stations]
    events = [(next(thoughts), 0, 0.0) for _ in range(users)]
    heapify(events)
    responses: list[float] = []
    ends: list[float] = []
    issued, last = 0, len(stations)
    while len(ends) < requests:
        now, stage, began = events[0]
        if stage == last:
            responses.append(now - began)
            ends.append(now)
            heapreplace(events, (now + next(thoughts), 0, 0.0))
            continue
        if stage == 0:
            began = now
            issued += 1
        end = max(now, free[stage][0]) + next(services[stage])
        heapreplace(free[stage], end)
        heapreplace(events, (end, stage + 1, began))
    dropped = int(requests * warm_up_share)
    since_s = ends[dropped - 1] if dropped else 0.0
    asking = sum(stage > 0 for _, stage, _ in events)
    rate_per_s = (requests - dropped) / (ends[-1] - since_s)
    flow = Flow(issued, requests, asking)
    return ClosedRun(np.array(responses[dropped:]), rate_per_s, flow, users - asking)


def endless(law: ServiceTime, random: Generator) -> Iterator[float]:
    """Yield draws of the law for ever, in s."""
    while True:
        yield from draws(law, (_BLOCK,), random).tolist()
