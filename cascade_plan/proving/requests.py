"""Requests one by one through a whole chain: what the formulas of `performance` are checked against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heapreplace
from random import Random

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.scenario import Action, Scenario
from cascade_plan.planning.chain import Chain, read_time, write_time
from cascade_plan.proving.queue import Flow, Interval, mean_interval, percentile_interval

WARM_UP: float = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run measured, with 95 % confidence intervals; times in ms."""

    requests_per_s: float
    latency_ms_mean: Interval
    latency_ms_p95: Interval
    latency_ms_p99: Interval
    flow: Flow


def run(on: Chain, users: int, request_count: int, seed: int) -> Measured:
    """Return what `users` who think and ask measure over `request_count` answers, the first fifth dropped.

    Every action takes its own way: the API, then a cache command a read, the database for those that miss, and for
    writes. A query holds one of the database's servers; connections of the pool are taken as enough, which the plan's
    sizes see to.
    """
    import numpy as np

    random = Random(seed)
    actions, weights = zip(*((action, share) for share, action in on.mix), strict=True)
    free = {name: [0.0] * station.servers for name, station in on.stations.items()}
    think = on.scenario.behaviour.think_time_s
    events: list[tuple[float, int, float, Iterator[tuple[str, float, float]] | None]] = [
        (random.uniform(0, think.max), number, 0.0, None) for number in range(users)
    ]
    heapify(events)
    responses: list[float] = []
    ends: list[float] = []
    issued = 0
    while len(ends) < request_count:
        now, number, began, way = events[0]
        if way is None:
            issued += 1
            began = now
            way = _way(on, random.choices(actions, weights)[0], random)
        step = next(way, None)
        if step is None:
            responses.append(now - began)
            ends.append(now)
            heapreplace(events, (now + random.uniform(think.min, think.max), number, 0.0, None))
            continue
        station, service_s, after_s = step
        end = max(now, free[station][0]) + service_s
        heapreplace(free[station], end)
        heapreplace(events, (end + after_s, number, began, way))
    dropped = int(request_count * WARM_UP)
    kept = np.array(responses[dropped:]) * 1000
    asking = sum(way is not None for _, _, _, way in events)
    return Measured(
        (request_count - dropped) / (ends[-1] - ends[dropped - 1]),
        mean_interval(kept),
        percentile_interval(kept, 0.95),
        percentile_interval(kept, 0.99),
        Flow(issued, request_count, asking),
    )


def _way(on: Chain, action: Action, random: Random) -> Iterator[tuple[str, float, float]]:
    """Yield (station, service in s, constant time after it) for one request."""
    scenario = on.scenario
    timing, misses = scenario.timing, 1 - scenario.behaviour.cache_hit_ratio
    trip_s = timing.round_trip_ms / 1000
    busy_s = on.stations["api"].service.mean_s * action.cpu_ms / on.cpu_ms
    yield "api", _drawn(ServiceTime(busy_s, timing.api_scv), random), 0.0
    reader = "replicas" if "replicas" in on.stations else "primary"
    for _ in range(action.read_count + (action.n_plus_one_query_count if timing.n_plus_one else 0)):
        yield "cache", _drawn(on.stations["cache"].service, random), trip_s
        if random.random() < misses:
            yield reader, _read(scenario, random), trip_s
    for _ in range(action.write_count):
        yield "primary", _drawn(write_time(scenario), random), trip_s + timing.commit_ms / 1000


def _read(scenario: Scenario, random: Random) -> float:
    return _drawn(read_time(scenario, random.random() < scenario.timing.scan_ratio), random)


def _drawn(law: ServiceTime, random: Random) -> float:
    """Return a draw: constant, gamma up to SCV 1, two exponentials with balanced means above."""
    if law.scv < 0.02:
        return law.mean_s
    if law.scv <= 1:
        return random.gammavariate(1 / law.scv, law.mean_s * law.scv)
    share = (1 + ((law.scv - 1) / (law.scv + 1)) ** 0.5) / 2
    mean_s = law.mean_s / (2 * share) if random.random() < share else law.mean_s / (2 * (1 - share))
    return random.expovariate(1 / mean_s)
