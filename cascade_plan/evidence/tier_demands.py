"""The CPU time of what stands behind the services: databases, caches and pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cascade_plan.evidence.estimates import Demand, Estimated, series, value
from cascade_plan.evidence.steady import Run
from cascade_plan.formulas.demands import ratio
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.observation import CACHE_HITS_PER_S, CACHE_MISSES_PER_S, CORES, TRANSACTIONS_PER_S
from cascade_plan.model.scenario import Scenario, value_at
from cascade_plan.units import counted


def of_tiers_behind(scenario: Scenario, fleet: Fleet, runs: Sequence[Run], found: Estimated) -> Estimated:
    """Return the CPU times of databases, caches and pools: the scenario's, as many times as were measured.

    What was measured on the shapes of a fleet is brought to what the scenario's times are of.
    """
    result = Estimated()
    for kind, leaves in (
        ("database", ("read_ms", "write_ms", "scan_ms")),
        ("cache", ("command_ms",)),
        ("pool", ("transaction_ms",)),
    ):
        for name in scenario.of(kind):
            speed = fleet.speed_of(name)
            result = result.beside(_tier(scenario, speed, runs, name, kind, leaves, found))
    return result


def _tier(
    scenario: Scenario, speed: float, runs: Sequence[Run], name: str, kind: str, leaves: Sequence[str], found: Estimated
) -> Estimated:
    fields = type(scenario.tiers[name]).model_fields
    paths = [f"tiers.{name}.{leaf}" for leaf in leaves if leaf in fields and _is_asked(scenario, name, leaf)]
    if not paths:
        return Estimated()
    seen: list[tuple[float, float]] = []
    demands = []
    for run in runs:
        cores = series(scenario, run, CORES, name, kind)
        per_s = _unit_rates(scenario, run, name, kind)
        if cores is None or per_s is None:
            continue
        both = run.beside(cores, per_s)
        if both and sum(both[1]):
            seen += [*zip(*both, strict=True)]
            demands.append(Demand(run.name, name, None, ratio(*both).scaled(1000 * speed)))
    if not seen:
        if any(path in found.values for path in paths):
            return Estimated()
        return Estimated(left=dict.fromkeys(paths[:2], f"no series of cores:{name} beside a rate"))
    pooled = ratio([cores for cores, _ in seen], [rate for _, rate in seen]).scaled(1000 * speed)
    asked_ms = _asked_ms(scenario, name, kind)
    if not asked_ms:
        return Estimated(demands=tuple(demands))
    factor = pooled.scaled(1 / asked_ms)
    split = "in the ratio of pg_stat_statements" if found.values.keys() & {*paths} else "in the scenario's ratios"
    unit = "transaction" if kind == "pool" else "command" if kind == "cache" else "request"
    law = f"utilisation law, {counted(len(demands), 'load')}: {pooled.value:.3g} ms a {unit}"
    method = law if len(paths) == 1 else f"{law}, {split}"
    values = {path: value(factor.scaled(value_at(scenario, path)), method) for path in paths}
    return Estimated(values, demands=tuple(demands))


def _is_asked(scenario: Scenario, name: str, leaf: str) -> bool:
    """Return whether any request takes such a time of a database: what nobody asks no data tell."""
    if leaf not in ("read_ms", "write_ms", "scan_ms"):
        return True
    asked = [_asked_queries(scenario, action, name) for _, action in scenario.behaviour.mix]
    if leaf == "write_ms":
        return any(writes for _, writes in asked)
    scans: float = getattr(scenario.tiers[name], "scan_ratio", 0.0)
    return any(reads for reads, _ in asked) and (scans > 0 if leaf == "scan_ms" else scans < 1)


def _unit_rates(scenario: Scenario, run: Run, name: str, kind: str) -> tuple[float, ...] | None:
    """Return how often a second a tier does what its CPU time is of: requests, commands or transactions."""
    if kind == "cache":
        hits, misses = (series(scenario, run, what, name, kind) for what in (CACHE_HITS_PER_S, CACHE_MISSES_PER_S))
        if hits is not None and misses is not None:
            return tuple(hit + miss for hit, miss in zip(hits, misses, strict=True))
    if kind == "pool" and (own := series(scenario, run, TRANSACTIONS_PER_S, name, kind)) is not None:
        return own
    rates = run.rates("")
    if not rates and run.measurement is not None and run.measurement.requests_per_s is not None:
        rates = (run.measurement.requests_per_s,) * len(run.metrics.starts_s)
    if not rates:
        return None
    each = 1.0 if kind == "database" else _asked_count(scenario, name, kind)
    return tuple(rate * each for rate in rates)


def _asked_count(scenario: Scenario, name: str, kind: str) -> float:
    """Return how many commands of a cache, or transactions of a pool, a request of the mix asks."""
    if kind == "cache":
        return sum(s * scenario.all_reads(a) for s, a in scenario.behaviour.mix if scenario.cache(a) == name)
    settings: Any = scenario.tiers[name]
    database = settings.database or scenario.first("database")
    return sum(sum(_asked_queries(scenario, action, database)) * share for share, action in scenario.behaviour.mix)


def _asked_queries(scenario: Scenario, action: Any, database: str) -> tuple[float, float]:
    """Return the reads that no cache answers, and the writes, that a request asks of a database."""
    cache = scenario.cache(action)
    misses = 1 - getattr(scenario.tiers[cache], "hit_ratio", 0.0) if cache else 1.0
    return scenario.reads(action, database) * misses, float(scenario.writes(action, database))


def _asked_ms(scenario: Scenario, name: str, kind: str) -> float:
    """Return the scenario's CPU time of a database for a request, or of a cache or pool for each thing asked of it."""
    settings: Any = scenario.tiers[name]
    if kind != "database":
        return float(settings.command_ms if kind == "cache" else settings.transaction_ms)
    parse_ms = 0.0 if settings.prepared_statements else settings.parse_ms
    total = 0.0
    for share, action in scenario.behaviour.mix:
        reads, writes = _asked_queries(scenario, action, name)
        own = (
            getattr(action, "read_ms", None) or settings.read_ms,
            getattr(action, "write_ms", None) or settings.write_ms,
        )
        read_ms = (1 - settings.scan_ratio) * own[0] + settings.scan_ratio * settings.scan_ms
        total += share * (reads * (read_ms + parse_ms) + writes * (own[1] + parse_ms))
    return total
