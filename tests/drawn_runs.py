"""Runs of a system whose true values a test knows: what its load test and its monitoring would tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
from factories import make_plan, make_scenario
from numpy.random import Generator
from runs import make_measurement

from cascade_plan.evidence.deployed import Deployed, System
from cascade_plan.evidence.steady import Run
from cascade_plan.model.measurement import Measurement
from cascade_plan.model.observation import (
    CACHE_HITS_PER_S,
    CACHE_MISSES_PER_S,
    CORES,
    ROUTE_REQUESTS_PER_S,
    Measure,
    Metrics,
)
from cascade_plan.model.scenario import Scenario, with_values
from cascade_plan.planning.predicting import predict

REAL = Deployed({"api": 2}, {"api": 2.0}, {"database": 2})
LOADS = {"low": 200, "middle": 700, "high": 1100}
"""Users who keep two cores 0.2, 0.6 and 0.9 busy where a request takes 3.1 ms and a user pauses 2 s."""
TRUE: Mapping[str, float] = {
    "behaviour.actions.read.cpu_ms": 2.8,
    "behaviour.actions.write.cpu_ms": 4.2,
    "tiers.database.read_ms": 0.4,
    "tiers.database.write_ms": 0.8,
    "tiers.cache.command_ms": 0.03,
    "tiers.cache.hit_ratio": 0.75,
    "behaviour.think_time_s.min": 1.2,
    "behaviour.think_time_s.max": 2.8,
}
KNOWN: dict[tuple[str, str, int], Measurement] = {}
"""What load tests measured of a system, as predictions take their time."""
START_S = 1_700_000_000.0


@cache
def system() -> System:
    """Return a scenario that knows none of the true values, its planned fleet, and what really runs."""
    loads = {
        name: {"users": users, "spawn_rate_per_s": 50.0, "duration_s": 120.0, "latency_ms_p95": 500.0}
        for name, users in LOADS.items()
    }
    scenario = make_scenario(
        loads=loads, gates={}, **{"behaviour.actions.write.write_count": 1, "tiers.websocket": "off"}
    )
    return System(scenario, make_plan(scenario).fleet, REAL)


def true_scenario(base: Scenario | None = None, **changes: float) -> Scenario:
    """Return the scenario with the true values in place, and others by paths with two underscores for a dot."""
    more = {path.replace("__", "."): value for path, value in changes.items()}
    return with_values(system().scenario if base is None else base, {**TRUE, **more})


def measured(scenario: Scenario, load: str, of: System | None = None) -> Measurement:
    """Return what a load test measures of a system that is exactly as the model says."""
    on = of or system()
    key = (scenario.model_dump_json(), load, id(on))
    if key not in KNOWN:
        KNOWN[key] = _measured(scenario, load, on)
    return KNOWN[key]


def _measured(scenario: Scenario, load: str, on: System) -> Measurement:
    users = LOADS[load]
    found = predict(on.chain(scenario, users, load), users)
    return make_measurement(
        found.latency_ms_p50, found.latency_ms_p95, found.latency_ms_p99,
        user_count=users, requests_per_s=found.requests_per_s, latency_ms_mean=found.latency_ms_mean,
        held_s=120.0, held_from_s=START_S, source=f"{load}_stats.csv",
    )  # fmt: skip


def drawn(
    rng: Generator, load: str, scenario: Scenario | None = None, mix: tuple[float, float] | None = None,
    windows: int = 50, of: System | None = None,
) -> Run:  # fmt: skip
    """Return a run of a load: in each second so many requests, each with a CPU time of its own, drawn.

    Its monitoring sees 30 ms of background work a second at the service. `mix` is the shares of reads and writes,
    other than the scenario's three to one.
    """
    true = scenario or true_scenario()
    told = measured(true, load, of)
    assert told.requests_per_s is not None
    shares = mix or (0.75, 0.25)
    rates = np.column_stack([rng.poisson(told.requests_per_s * share, windows) for share in shares]).astype(float)
    api = _spent(rng, rates[:, 0], cpu(true, "read")) + _spent(rng, rates[:, 1], cpu(true, "write"))
    hit_ratio = float(getattr(true.tiers["cache"], "hit_ratio"))  # noqa: B009
    lookups = rates.sum(axis=1)
    hits = rng.binomial(lookups.astype(int), hit_ratio).astype(float)
    database = true.tiers["database"]
    queries = _spent(rng, lookups - hits, float(getattr(database, "read_ms")))  # noqa: B009
    queries += _spent(rng, rates[:, 1], float(getattr(database, "write_ms")))  # noqa: B009
    series = {
        Measure(CORES, "api"): api,
        Measure(CORES, "database"): queries,
        Measure(CORES, "cache"): _spent(rng, lookups, float(getattr(true.tiers["cache"], "command_ms"))),  # noqa: B009
        Measure(ROUTE_REQUESTS_PER_S, "GET /things"): rates[:, 0],
        Measure(ROUTE_REQUESTS_PER_S, "write"): rates[:, 1],
        Measure(CACHE_HITS_PER_S, "cache"): hits,
        Measure(CACHE_MISSES_PER_S, "cache"): lookups - hits,
    }
    metrics = Metrics(
        tuple(START_S + second for second in range(windows)),
        1.0,
        {measure: tuple(float(value) for value in values) for measure, values in series.items()},
        sources=dict.fromkeys(series, f"{load}.csv"),
    )
    return Run(load, load, LOADS[load], told, metrics)


def cpu(scenario: Scenario, action: str) -> float:
    """Return the CPU time of an action in ms."""
    return scenario.behaviour.actions[action].cpu_ms


def _spent(rng: Generator, counts: np.ndarray, mean_ms: float) -> np.ndarray:  # type: ignore[type-arg]
    """Return the seconds of work of so many requests in each window, each of them exponential."""
    return np.array([rng.gamma(count, mean_ms / 1000) if count else 0.0 for count in counts])


def without(run: Run, *whats: str) -> Run:
    """Return a run whose monitoring does not tell some of its series."""
    series = {measure: values for measure, values in run.metrics.series.items() if measure.what not in whats}
    return replace(run, metrics=replace(run.metrics, series=series))
