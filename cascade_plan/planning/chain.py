"""A fleet under a load: throughput, utilisation and response percentiles of the closed system it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cascade_plan.formulas.closed_network import FiniteSourceResponse
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station
from cascade_plan.formulas.roots import root
from cascade_plan.formulas.transforms import Delay, Path, Response, delay_at, mixed
from cascade_plan.model.scenario import Action, Scenario

FULL: Final = 1 - 1e-6
"""The throughput of a saturated station, as a share of its capacity: queueing formulas have no steady state at 1."""
OPEN_UNTIL: Final = 0.98
"""Up to this utilisation of the API the open formulas hold to a few per cent (thousands of users); the closed ones are
taken above."""
SATURATED: Final = 0.95
"""Above this utilisation the closed system's users wait for each other, and the open formulas overstate."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What answers requests: counts, and the size of one of each."""

    pod_count: int
    cores_per_pod: float
    """Cores one single-threaded pod gets when all are busy; at most 1."""
    database_vcpu: int
    replica_count: int
    connection_count: int
    """Connections of the pool."""
    master_count: int
    """Cache nodes that answer."""


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
    """Busy share of each station: api, pool, primary, replicas, cache."""

    @property
    def bottleneck(self) -> str:
        """The station that is fullest."""
        return max(self.utilisation_ratio, key=lambda name: self.utilisation_ratio[name])

    @property
    def saturated(self) -> bool:
        """Whether the fullest station is so full that users wait for each other."""
        return self.utilisation_ratio[self.bottleneck] > SATURATED


@dataclass(frozen=True, slots=True)
class Chain:
    """The stations a request of a scenario passes on a fleet, and what one request asks of each."""

    scenario: Scenario
    mix: tuple[tuple[float, Action], ...]
    """(share, action)."""
    stations: Mapping[str, Station]
    visits: Mapping[str, float]
    """Mean visits of one request to one server group of each station (a replica gets its share of the reads)."""

    @property
    def cpu_ms(self) -> float:
        """Mean CPU time of a request of the mix."""
        return sum(share * action.cpu_ms for share, action in self.mix)

    @property
    def capacity_requests_per_s(self) -> float:
        """The most requests the fullest station can answer."""
        return 1 / max(self.utilisation_ratio(1.0).values())

    @property
    def bottleneck(self) -> str:
        """The station that is full first."""
        busy = self.utilisation_ratio(1.0)
        return max(busy, key=lambda name: busy[name])

    def utilisation_ratio(self, requests_per_s: float) -> dict[str, float]:
        """Return the busy share of each station."""
        return {
            name: station.utilisation(requests_per_s * self.visits[name]) for name, station in self.stations.items()
        }

    def response(self, requests_per_s: float) -> Response:
        """Return the response time at a throughput. Raises ValueError above the capacity."""
        delays = {
            name: delay_at(station, requests_per_s * self.visits[name]) for name, station in self.stations.items()
        }
        return Response(tuple(self._path(share, action, delays) for share, action in self.mix))

    def _path(self, share: float, action: Action, delays: Mapping[str, Delay]) -> Path:
        timing = self.scenario.timing
        misses = 1 - self.scenario.behaviour.cache_hit_ratio
        reads, writes = _reads(self.scenario, action), action.write_count
        offset_ms = timing.round_trip_ms * (reads * (1 + misses) + writes) + timing.commit_ms * writes
        own = Delay(
            delays["api"].waits,
            delays["api"].wait_s_mean,
            delays["api"].service_s_mean * action.cpu_ms / self.cpu_ms,
            timing.api_scv,
        )
        pool = Delay(delays["pool"].waits, delays["pool"].wait_s_mean, 0.0)
        reader = delays["replicas" if "replicas" in delays else "primary"]
        read = Delay(reader.waits, reader.wait_s_mean, _read_s(self.scenario), _read_scv(self.scenario))
        write = Delay(
            delays["primary"].waits, delays["primary"].wait_s_mean, _write_s(self.scenario), timing.database_scv
        )
        stages: list[tuple[Delay, float, float]] = [
            (own, 1, 1.0),
            (delays["cache"], reads, 1.0),
            (pool, reads, misses),
            (read, reads, misses),
            (pool, writes, 1.0),
            (write, writes, 1.0),
        ]
        return Path(share, offset_ms / 1000, tuple(stage for stage in stages if stage[1] and stage[2]))


def chain(scenario: Scenario, deployed: Deployed) -> Chain:
    """Return the chain of a scenario on a fleet.

    API pods are one queue with a server each (the balancer sends to the least busy); the primary and each replica
    have a server a vCPU; the pool holds a connection while the database answers; each cache node is one server.
    """
    actions = scenario.behaviour.actions.values()
    total = sum(action.weight for action in actions)
    mix = tuple((action.weight / total, action) for action in actions)
    misses = 1 - scenario.behaviour.cache_hit_ratio
    reads = sum(share * _reads(scenario, action) for share, action in mix)
    writes = sum(share * action.write_count for share, action in mix)
    replicas = deployed.replica_count
    cpu_s, cpu_scv = mixed([(share, action.cpu_ms / 1000, scenario.timing.api_scv) for share, action in mix])
    read_s, write_s = _read_s(scenario), _write_s(scenario)
    at_primary = [(writes, write_s, scenario.timing.database_scv)]
    if not replicas:
        at_primary.append((reads * misses, read_s, _read_scv(scenario)))
    primary_s, primary_scv = mixed(at_primary)
    query_s, query_scv = mixed([(writes, write_s, 1.0), (reads * misses, read_s, _read_scv(scenario))])
    held_s = query_s + scenario.timing.round_trip_ms / 1000
    stations = {
        "api": Station(deployed.pod_count, ServiceTime(cpu_s / deployed.cores_per_pod, cpu_scv)),
        "pool": Station(deployed.connection_count, ServiceTime(held_s or 1e-6, query_scv)),
        "primary": Station(deployed.database_vcpu, ServiceTime(primary_s or read_s, primary_scv)),
        "cache": Station(1, ServiceTime(scenario.timing.cache_ms / 1000)),
    }
    visits = {
        "api": 1.0,
        "pool": reads * misses + writes,
        "primary": writes + (0 if replicas else reads * misses),
        "cache": reads / deployed.master_count,
    }
    if replicas:
        stations["replicas"] = Station(deployed.database_vcpu, ServiceTime(read_s, _read_scv(scenario)))
        visits["replicas"] = reads * misses / replicas
    return Chain(scenario, mix, stations, visits)


def _reads(scenario: Scenario, action: Action) -> int:
    return action.read_count + (action.n_plus_one_query_count if scenario.timing.n_plus_one else 0)


def _parse_s(scenario: Scenario) -> float:
    return 0.0 if scenario.timing.prepared_statements else scenario.timing.parse_ms / 1000


def read_time(scenario: Scenario, scans: bool) -> ServiceTime:
    """Return the law of a read that scans, or that finds an index."""
    timing = scenario.timing
    each_ms = timing.scan_ms if scans else timing.read_ms
    return ServiceTime(each_ms / 1000 + _parse_s(scenario), timing.database_scv)


def write_time(scenario: Scenario) -> ServiceTime:
    """Return the law of a write, its commit apart."""
    return ServiceTime(_write_s(scenario), scenario.timing.database_scv)


def _read_parts(scenario: Scenario) -> list[tuple[float, float, float]]:
    scan_ratio = scenario.timing.scan_ratio
    laws = (1 - scan_ratio, read_time(scenario, False)), (scan_ratio, read_time(scenario, True))
    return [(share, law.mean_s, law.scv) for share, law in laws]


def _read_s(scenario: Scenario) -> float:
    return mixed(_read_parts(scenario))[0]


def _read_scv(scenario: Scenario) -> float:
    return mixed(_read_parts(scenario))[1]


def _write_s(scenario: Scenario) -> float:
    return scenario.timing.write_ms / 1000 + _parse_s(scenario)


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
    nearly full (by 19 % at 93 % load, docs/model.md): above OPEN_UNTIL the API's are those of the closed system.
    """
    requests_per_s = throughput(on, users)
    response = on.response(requests_per_s)
    utilisation = on.utilisation_ratio(requests_per_s)
    shares = (0.5, 0.95, 0.99)
    if utilisation["api"] > OPEN_UNTIL and on.bottleneck == "api":
        p50, p95, p99 = closed_percentiles_ms(on, users, shares)
    else:
        p50, p95, p99 = (response.percentile_s(share) * 1000 for share in shares)
    return Prediction(users, requests_per_s, response.mean_s * 1000, p50, p95, p99, utilisation)


def closed_percentiles_ms(on: Chain, users: int, shares: tuple[float, ...]) -> list[float]:
    """Return response percentiles in ms where the API is full and users wait for each other.

    The exact response of the API as the one station of a closed system, and the mean of the rest, which is small
    beside it. Service at the API is taken as exponential.
    """
    api = on.stations["api"]
    requests_per_s = OPEN_UNTIL * on.capacity_requests_per_s
    rest_s = on.response(requests_per_s).mean_s - delay_at(api, requests_per_s).mean_s
    think_s = on.scenario.behaviour.think_time_s.mean
    response = FiniteSourceResponse(users, think_s + rest_s, api.servers, api.service.mean_s)
    return [(response.percentile(share) + rest_s) * 1000 for share in shares]


def meets(on: Chain, users: int, latency_ms_p95: float, latency_ms_p99: float | None) -> str:
    """Return "" when the fleet keeps the limits for acting users, else which one it breaks and by what.

    Asks the tail at the limits only, a tenth of the work of the percentiles.
    """
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


def after_loss(count: int, zones: int, zones_lost: int, nodes_lost: int) -> int:
    """Return how many of `count`, spread evenly over the zones, are left when the fullest zones go; never below 0.

    One zone is always left: with a single zone there is none to lose.

    >>> after_loss(6, 3, 1, 1), after_loss(4, 3, 2, 0), after_loss(2, 1, 1, 1)
    (3, 1, 1)
    """
    lost = min(zones_lost, zones - 1)
    each, fuller = divmod(count, zones)
    return max(0, count - lost * each - min(fuller, lost) - nodes_lost)
