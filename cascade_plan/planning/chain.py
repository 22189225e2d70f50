"""A fleet under a load: throughput, utilisation and response percentiles of the closed system it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from cascade_plan.formulas.closed_network import FiniteSourceResponse
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station
from cascade_plan.formulas.roots import root
from cascade_plan.formulas.transforms import Delay, Path, Response, delay_at, mixed
from cascade_plan.model.place import Place
from cascade_plan.model.scenario import Action, Scenario

FULL: Final = 1 - 1e-6
"""The throughput of a saturated station, as a share of its capacity: queueing formulas have no steady state at 1."""
OPEN_UNTIL: Final = 0.98
"""Up to this utilisation of the fullest place the open formulas hold to a few per cent (thousands of users); the closed
ones are taken above."""
SATURATED: Final = 0.95
"""Above this utilisation the closed system's users wait for each other, and the open formulas overstate."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """How a fleet answers a number of acting users."""

    users: int
    requests_per_s: float
    latency_ms_mean: float
    latency_ms_p50: float
    latency_ms_p95: float
    latency_ms_p99: float
    utilisation_ratio: Mapping[str, float]
    """Busy share of each place."""

    @property
    def bottleneck(self) -> str:
        """The place that is fullest; "" where requests visit none."""
        return max(self.utilisation_ratio, key=lambda name: self.utilisation_ratio[name], default="")

    @property
    def saturated(self) -> bool:
        """Whether the fullest place is so full that users wait for each other."""
        return self.utilisation_ratio.get(self.bottleneck, 0.0) > SATURATED


class Step(NamedTuple):
    """A visit that a request waits for: where, how long its own service takes, and how often it is made."""

    place: str
    service_s: float
    service_scv: float
    try_count: int
    chance_ratio: float


class Way(NamedTuple):
    """What the requests of one action pass."""

    share: float
    """Of all requests."""
    offset_s: float
    """Constant time: round trips, commits."""
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The places a request of a scenario passes on a fleet, and what one request asks of each."""

    scenario: Scenario
    mix: tuple[tuple[float, Action], ...]
    """(share, action)."""
    places: tuple[Place, ...]
    stations: Mapping[str, Station]
    visits: Mapping[str, float]
    """Mean visits of one request to one queue of each place (a replica gets its share of the reads)."""
    ways: tuple[Way, ...]
    """What each action's requests wait for, in the order of the mix."""

    @property
    def capacity_requests_per_s(self) -> float:
        """The most requests the fullest place can answer; infinite where requests visit none."""
        busy = max(self.utilisation_ratio(1.0).values(), default=0.0)
        return 1 / busy if busy else math.inf

    @property
    def bottleneck(self) -> str:
        """The place that is full first; "" where requests visit none."""
        busy = self.utilisation_ratio(1.0)
        return max(busy, key=lambda name: busy[name], default="")

    @property
    def scaled(self) -> frozenset[str]:
        """The places whose units an autoscaler changes."""
        return frozenset(place.name for place in self.places if place.is_scaled)

    def utilisation_ratio(self, requests_per_s: float) -> dict[str, float]:
        """Return the busy share of each place."""
        return {
            name: station.utilisation(requests_per_s * self.visits[name]) for name, station in self.stations.items()
        }

    def busy(self, requests_per_s: float) -> dict[str, float]:
        """Return how many servers of each place are busy on average, all its units together."""
        return {
            place.name: self.stations[place.name].offered_load(requests_per_s * self.visits[place.name])
            * place.queue_count
            for place in self.places
        }

    def response(self, requests_per_s: float) -> Response:
        """Return the response time at a throughput. Raises ValueError above the capacity."""
        delays = {
            name: delay_at(station, requests_per_s * self.visits[name]) for name, station in self.stations.items()
        }
        waits = {name: (delay.waits, delay.wait_s_mean) for name, delay in delays.items()}
        return Response(
            tuple(
                Path(
                    way.share,
                    way.offset_s,
                    tuple(
                        (Delay(*waits[name], service_s, scv), tries, chance)
                        for name, service_s, scv, tries, chance in way.steps
                    ),
                )
                for way in self.ways
            )
        )


def chain(scenario: Scenario, places: tuple[Place, ...]) -> Chain:
    """Return the chain of a scenario's requests through the places that tiers declare, without those nobody visits."""
    mix = scenario.behaviour.mix
    stations, visits = {}, {}
    for place in places:
        asked = [
            (share * visit.try_count * visit.chance_ratio, visit.service)
            for share, action in mix
            for visit in place.visits(action)
        ]
        mean_s, scv = mixed([(rate, law.mean_s, law.scv) for rate, law in asked])
        if not mean_s:
            continue
        servers = place.server_count_per_unit * place.unit_count // place.queue_count
        stations[place.name] = Station(servers, ServiceTime(mean_s, scv))
        visits[place.name] = sum(rate for rate, _ in asked) / place.queue_count
    visited = tuple(place for place in places if place.name in stations)
    return Chain(scenario, mix, visited, stations, visits, ways(mix, visited))


def ways(mix: tuple[tuple[float, Action], ...], places: tuple[Place, ...]) -> tuple[Way, ...]:
    """Return what the requests of each action wait for at these places."""
    found = []
    for share, action in mix:
        offset_s, steps = 0.0, []
        for place in places:
            for visit in place.visits(action):
                tries, chance = visit.try_count, visit.chance_ratio
                if tries and chance and visit.is_awaited:
                    own_s = 0.0 if visit.held_for else visit.service.mean_s
                    steps.append(Step(place.name, own_s, visit.service.scv, tries, chance))
                    offset_s += tries * chance * visit.after_s
        found.append(Way(share, offset_s, tuple(steps)))
    return tuple(found)


def throughput(on: Chain, users: int) -> float:
    """Return requests/s of users who think and wait in turn: the X that solves X (Z + R(X)) = users.

    R grows with X, so the solution is unique; it is at most users / Z and the capacity of the fullest station.
    Source: the interactive response time law, Denning and Buzen, Computing Surveys 10 (1978).
    """
    think_s = on.scenario.behaviour.think_time_s.mean
    most = min(users / think_s, on.capacity_requests_per_s * FULL)
    return root(lambda per_s: per_s * (think_s + on.response(per_s).mean_s) - users, 0.0, most, 1e-9)


def predict(on: Chain, users: int) -> Prediction:
    """Return throughput, utilisation and response percentiles for acting users.

    The percentiles are those of an open system at the closed system's throughput, which overstates when a station is
    nearly full (by 19 % at 93 % load, docs/model.md): above OPEN_UNTIL those of a place that scales are the
    closed system's.
    """
    requests_per_s = throughput(on, users)
    response = on.response(requests_per_s)
    utilisation = on.utilisation_ratio(requests_per_s)
    p50, p95, p99 = _percentiles_ms(on, users, requests_per_s, response, (0.5, 0.95, 0.99))
    return Prediction(users, requests_per_s, response.mean_s * 1000, p50, p95, p99, utilisation)


def percentiles_ms(on: Chain, users: int, shares: tuple[float, ...]) -> list[float]:
    """Return response percentiles in ms for acting users: those of `predict`, and the work of these alone."""
    requests_per_s = throughput(on, users)
    return _percentiles_ms(on, users, requests_per_s, on.response(requests_per_s), shares)


def _percentiles_ms(
    on: Chain, users: int, requests_per_s: float, response: Response, shares: tuple[float, ...]
) -> list[float]:
    if on.bottleneck in on.scaled and on.utilisation_ratio(requests_per_s)[on.bottleneck] > OPEN_UNTIL:
        found = closed_percentiles_ms(on, users, shares)
    else:
        found = [response.percentile_s(share) * 1000 for share in shares]
    # Where times hardly vary, their inversion wobbles by more than they do: a percentile is never below a lower one.
    return list(accumulate(found, max))


def closed_percentiles_ms(on: Chain, users: int, shares: tuple[float, ...]) -> list[float]:
    """Return response percentiles in ms where the fullest place is full and users wait for each other.

    The exact response of it as the one station of a closed system, and the mean of the rest, which is small beside it.
    Its service is taken as exponential. Where only a part of the requests visits it, a user comes to it once in so many
    thoughts; that part is the slowest, and the others pass as in an open system.
    """
    full, visits = on.stations[on.bottleneck], on.visits[on.bottleneck]
    requests_per_s = OPEN_UNTIL * on.capacity_requests_per_s
    passing = on.response(requests_per_s)
    rest_s = passing.mean_s - visits * delay_at(full, requests_per_s * visits).mean_s
    think_s = on.scenario.behaviour.think_time_s.mean
    queued = FiniteSourceResponse(users, (think_s + rest_s) / visits, full.servers, full.service.mean_s)
    (place,) = (place for place in on.places if place.name == on.bottleneck)
    slow = [any(visit.try_count for visit in place.visits(action)) for _, action in on.mix]
    slow_share = sum(path.share for path, is_slow in zip(passing.paths, slow, strict=True) if is_slow)
    others = Response(
        tuple(
            replace(path, share=path.share / (1 - slow_share))
            for path, is_slow in zip(passing.paths, slow, strict=True)
            if not is_slow
        )
    )

    def percentile_s(share: float) -> float:
        if 1 - share <= slow_share:
            return queued.percentile(1 - (1 - share) / slow_share) + rest_s
        return others.percentile_s(share / (1 - slow_share))

    return [percentile_s(share) * 1000 for share in shares]


def meets(on: Chain, users: int, latency_ms_p95: float, latency_ms_p99: float | None) -> str:
    """Return "" when the fleet keeps the limits for acting users, else which one it breaks and by what.

    Asks the tail at the limits only, a tenth of the work of the percentiles; and what was asked already not again, as a
    search does for each way to pay for the same fleet.
    """
    what = (on.scenario.behaviour.think_time_s.mean, tuple(on.stations.items()), tuple(on.visits.items()), on.ways)
    return _met(_Asked(what, on), users, latency_ms_p95, latency_ms_p99)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A chain, the same as any other of which an answer hangs on the same."""

    what: tuple[object, ...]
    on: Chain = field(compare=False)


@lru_cache(maxsize=4096)
def _met(asked: _Asked, users: int, latency_ms_p95: float, latency_ms_p99: float | None) -> str:
    on = asked.on
    requests_per_s = throughput(on, users)
    if requests_per_s >= on.capacity_requests_per_s * FULL * (1 - 1e-6):
        return f"{users:,} users saturate {on.bottleneck} at {requests_per_s:,.0f} requests/s"
    response = on.response(requests_per_s)
    for share, limit in ((0.05, latency_ms_p95), (0.01, latency_ms_p99)):
        if limit is not None and response.tail(limit / 1000) >= share:
            value = response.percentile_s(1 - share) * 1000
            station, busy = on.bottleneck, on.utilisation_ratio(requests_per_s)
            what = f"p{round(100 - share * 100)} {value:,.0f} ms is not below {limit:g} ms for {users:,} users"
            return f"{what}, {station} {busy[station]:.0%} busy"
    return ""
