"""What counters tell: hit ratios, how many queries there were, and how long each took at most."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_plan.evidence.estimates import Estimated, rounded, series, value
from cascade_plan.evidence.steady import Run
from cascade_plan.formulas.demands import ratio
from cascade_plan.model.calibration import Calibrated
from cascade_plan.model.observation import (
    CACHE_HITS_PER_S,
    CACHE_MISSES_PER_S,
    PLANS_READ,
    PLANS_WRITE,
    POOL_QUERIES,
    POOL_TRANSACTIONS,
    STATEMENTS_READ,
    STATEMENTS_WRITE,
    Statistic,
)
from cascade_plan.model.scenario import Scenario
from cascade_plan.units import counted


def from_counters(scenario: Scenario, runs: Sequence[Run]) -> Estimated:
    """Return hit ratios of caches, and of databases what their counters tell of queries."""
    values, left = {}, {}
    for name in scenario.of("cache"):
        if found := _hit_ratio(scenario, name, runs):
            values[f"tiers.{name}.hit_ratio"] = found
        else:
            left[f"tiers.{name}.hit_ratio"] = "no series of cache_hits_per_s and cache_misses_per_s"
    for name in scenario.of("database"):
        own, why = _queries(scenario, name, runs)
        values |= own
        left |= why
    return Estimated(values, left)


def _hit_ratio(scenario: Scenario, cache: str, runs: Sequence[Run]) -> Calibrated | None:
    hits: list[float] = []
    lookups: list[float] = []
    for each in runs:
        both = [series(scenario, each, what, cache, "cache") for what in (CACHE_HITS_PER_S, CACHE_MISSES_PER_S)]
        if both[0] is None or both[1] is None:
            continue
        for hit, miss in zip(*each.beside(both[0], both[1]), strict=True):
            hits.append(hit)
            lookups.append(hit + miss)
    if not sum(lookups):
        return None
    return value(ratio(hits, lookups), f"hits over lookups of {counted(len(hits), 'window')}", most=1.0)


def _statistic(runs: Sequence[Run], what: str, subject: str, is_only: bool) -> Statistic | None:
    """Return what all runs counted together, each file once."""
    found: Statistic | None = None
    seen = set()
    for each in runs:
        for measure, statistic in each.metrics.counters.items():
            if measure.what == what and (measure.subject == subject or is_only) and statistic not in seen:
                seen.add(statistic)
                found = statistic if found is None else found.plus(statistic)
    return found if found is not None and found.count else None


def _queries(scenario: Scenario, database: str, runs: Sequence[Run]) -> tuple[dict[str, Calibrated], dict[str, str]]:
    """Return what counters tell of a database's queries; how long they are is an upper bound of their CPU time."""
    where, is_only = f"tiers.{database}", len(scenario.of("database")) == 1
    settings = scenario.tiers[database]
    values, left = {}, {}
    for leaf, what, kind in (("read_ms", STATEMENTS_READ, "reads"), ("write_ms", STATEMENTS_WRITE, "writes")):
        if statistic := _statistic(runs, what, database, is_only):
            method = f"mean time of {statistic.count:,.0f} {kind} by pg_stat_statements: their waits are in it"
            values[f"{where}.{leaf}"] = Calibrated(value=rounded(statistic.mean_ms), method=method)
    plans = [p for p in (_statistic(runs, what, database, is_only) for what in (PLANS_READ, PLANS_WRITE)) if p]
    if plans:
        both = plans[0] if len(plans) == 1 else plans[0].plus(plans[1])
        method = f"mean time of {both.count:,.0f} plans by pg_stat_statements"
        values[f"{where}.parse_ms"] = Calibrated(value=rounded(both.mean_ms), method=method)
    else:
        left[f"{where}.parse_ms"] = "no plans are counted: pg_stat_statements.track_planning is off by default"
    asked, transactions = (_statistic(runs, what, database, True) for what in (POOL_QUERIES, POOL_TRANSACTIONS))
    if "round_trips_per_query" in type(settings).model_fields:
        path = f"{where}.round_trips_per_query"
        if asked is None or transactions is None:
            left[path] = "no SHOW STATS of PgBouncer, which counts queries and transactions"
        else:
            method = "queries a transaction by PgBouncer; trips that only prepare are not among them"
            values[path] = Calibrated(value=rounded(max(1.0, asked.count / transactions.count)), method=method)
    left[f"{where}.service_scv"] = _spread(runs, database, is_only)
    return values, left


def _spread(runs: Sequence[Run], database: str, is_only: bool) -> str:
    spreads = [
        statistic.scv
        for what in (STATEMENTS_READ, STATEMENTS_WRITE)
        if (statistic := _statistic(runs, what, database, is_only)) and statistic.scv is not None
    ]
    if not spreads:
        return "only the times of single queries tell their spread"
    return f"at most {max(spreads):.2g}: pg_stat_statements counts statements of all kinds together, and their waits"
