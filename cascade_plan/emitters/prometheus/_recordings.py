"""Recorded series: what one pod's series give, the fleet's percentiles, ratios and SLIs."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._heading import application
from cascade_plan.emitters.prometheus._latency_goals import LatencyGoal, latency_goals
from cascade_plan.emitters.prometheus._rules import Group, Recording
from cascade_plan.formulas.latency_buckets import BESIDE_BOUNDS, bounds_s
from cascade_plan.languages.promql import literal, number, quantile, rate, ratio, select, total
from cascade_plan.model.plan import Plan

QUERY: Final = "cascade_query_duration_seconds"
REQUEST: Final = "cascade_request_duration_seconds"
P95_OF_POD: Final = f"pod:{QUERY}:p95"
BUCKETS_OF_POD: Final = f"pod:{QUERY}_bucket:rate"
QUERY_SERIES: Final = "pod:cascade_query_series:count"
SOCKETS_OF_POD: Final = "pod:cascade_websocket_connections:sum"
DATABASE_SIZE: Final = "pod:pg_database_size_bytes:sum"
DATABASE_CONNECTIONS: Final = "pod:pg_connections:ratio"
CACHE_MEMORY: Final = "pod:redis_memory:ratio"
REQUESTS: Final = "namespace:cascade_requests:rate5m"
ERRORS: Final = "namespace:cascade_request_errors:ratio_rate5m"
SLOW: Final = "namespace:cascade_slow_requests:rate5m"
SOCKETS: Final = "namespace:cascade_websocket_connections:sum"
POOL: Final = "namespace:cascade_pool_connections:sum"
POOL_USAGE: Final = "namespace:cascade_pool_connections:ratio"
CACHE_HITS: Final = "namespace:cascade_cache_hits:ratio_rate5m"

SHORTEST_S: Final = 300
WINDOWS: Final = {"5m": 300, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21_600, "1d": 86_400, "3d": 259_200}
"""The windows of the burn rates, https://sre.google/workbook/alerting-on-slos/"""
SAMPLES_LEAST: Final = 4
"""Samples a rate looks at, so that it lives through one or two failed scrapes,
https://www.robustperception.io/what-range-should-i-use-with-rate/"""


def slow_ratio(window: str) -> str:
    """Return the series of the share of requests slower than a limit, or failed, over a window."""
    return f"namespace:cascade_slow_requests:ratio_rate{window}"


def percentile(metric: str, percent: int) -> str:
    """Return the series of the fleet's percentile of a histogram."""
    return f"namespace:{metric}:p{percent}"


def percents(plan: Plan) -> tuple[int, ...]:
    """Return the percentiles that are recorded: 95, 99 and what the gates ask for."""
    return tuple(sorted({95, 99, *(goal.percent for goal in latency_goals(plan))}))


def pod_groups(plan: Plan) -> tuple[Group, ...]:
    """Return what is recorded of each pod, where the pod is scraped.

    A pod that answered nothing has no percentile: histogram_quantile gives NaN, or nothing. The HPA would take a pod
    without a value for one at its target and not scale down while there is one; an idle pod's latency is 0.
    Source: kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details, missing metrics.
    """
    name = application(plan)
    window_s = max(60.0, SAMPLES_LEAST * plan.scenario.tiers.monitoring.scrape_interval_s)
    up = total(f"{select('up', namespace=name, job=f'{name}-api')} == 1", "namespace", "pod")
    series_each = len(bounds_s(plan.scenario.latency_limits_ms)) + BESIDE_BOUNDS
    counted = f"count by (namespace, pod) ({select(f'{QUERY}_count', namespace=name)})"
    rules = [
        Recording(
            BUCKETS_OF_POD,
            total(rate(select(f"{QUERY}_bucket", namespace=name), window_s), "namespace", "pod", "le"),
        ),
        Recording(P95_OF_POD, f"({quantile(0.95, select(BUCKETS_OF_POD, namespace=name))}) or 0 * {up}"),
        Recording(QUERY_SERIES, f"{counted} * {series_each}"),
        Recording(SOCKETS_OF_POD, total(select("cascade_websocket_connections", namespace=name), "namespace", "pod")),
    ]
    return (Group(f"{name}-pods", rules),)


def fleet_groups(plan: Plan) -> tuple[Group, ...]:
    """Return what is recorded of the whole fleet."""
    name = application(plan)
    # One group, as a window divides the sums of two series: each evaluation must have recorded both, or neither.
    return (
        Group(f"{name}-requests", [*_requests(name), *_percentiles(plan), *_slow(plan), *_windows(name)]),
        Group(f"{name}-capacity", [*_pool(plan), *_stores(name)]),
    )


def _requests(name: str) -> list[Recording]:
    count = f"{REQUEST}_count"
    errors = total(rate(select(count, namespace=name, outcome="error"), SHORTEST_S), "namespace")
    hits, lookups = (
        total(rate(select("cascade_cache_requests_total", namespace=name, **labels), SHORTEST_S), "namespace")
        for labels in ({"result": "hit"}, {})
    )
    return [
        Recording(REQUESTS, total(rate(select(count, namespace=name), SHORTEST_S), "namespace")),
        Recording(ERRORS, ratio(errors, select(REQUESTS, namespace=name))),
        Recording(CACHE_HITS, ratio(hits, lookups)),
    ]


def _percentiles(plan: Plan) -> list[Recording]:
    name = application(plan)
    requests = total(rate(select(f"{REQUEST}_bucket", namespace=name), SHORTEST_S), "namespace", "le")
    queries = total(select(BUCKETS_OF_POD, namespace=name), "namespace", "le")
    return [
        Recording(percentile(metric, percent), quantile(percent / 100, buckets))
        for metric, buckets in ((REQUEST, requests), (QUERY, queries))
        for percent in percents(plan)
    ]


def _slow(plan: Plan) -> list[Recording]:
    limits = {goal.limit_label: goal for goal in latency_goals(plan)}
    return [
        Recording(SLOW, _slow_requests(application(plan), goal), {"limit_ms": label}) for label, goal in limits.items()
    ]


def _slow_requests(name: str, goal: LatencyGoal) -> str:
    # A request that failed is not a fast one. Without any good request at all every one is slow: hence "or 0".
    good = select(f"{REQUEST}_bucket", namespace=name, outcome="ok")
    within = total(rate(f"{good[:-1]},le=~{literal(goal.le_pattern)}}}", SHORTEST_S), "namespace")
    requests = select(REQUESTS, namespace=name)
    return f"{requests} - ({within} or 0 * {requests})"


def _windows(name: str) -> list[Recording]:
    """Return the share of slow requests over each window, weighted by traffic.

    The rates are those of the shortest window, summed over the longer ones: two series are read for a fleet of any
    size, where a rate over three days of every pod's buckets would read all their samples at each evaluation.
    """
    rules = []
    for window in WINDOWS:
        slow, requests = select(SLOW, namespace=name), select(REQUESTS, namespace=name)
        if window != "5m":
            slow, requests = (f"sum_over_time({series}[{window}])" for series in (slow, requests))
        expr = f"{slow} / on (namespace) group_left () ({requests} > 0)"
        rules.append(Recording(slow_ratio(window), expr))
    return rules


def _pool(plan: Plan) -> list[Recording]:
    name, size = application(plan), plan.figure("pool.connection_count")
    return [
        Recording(POOL, total(select("pgbouncer_databases_current_connections", namespace=name), "namespace")),
        Recording(POOL_USAGE, f"{select(POOL, namespace=name)} / {number(size)}"),
        Recording(
            "namespace:cascade_connection_pool_usage:max",
            f"max by (namespace, pool_name) ({select('cascade_connection_pool_usage', namespace=name)})",
        ),
        Recording(SOCKETS, total(select(SOCKETS_OF_POD, namespace=name), "namespace")),
    ]


def _stores(name: str) -> list[Recording]:
    used = total(select("pg_stat_activity_count", namespace=name), "namespace", "pod")
    most = f"max by (namespace, pod) ({select('pg_settings_max_connections', namespace=name)})"
    memory, limit = (
        f"max by (namespace, pod) ({select(metric, namespace=name)})"
        for metric in ("redis_memory_used_bytes", "redis_memory_max_bytes")
    )
    return [
        Recording(DATABASE_CONNECTIONS, f"{used} / {most}"),
        Recording(DATABASE_SIZE, total(select("pg_database_size_bytes", namespace=name), "namespace", "pod")),
        Recording(CACHE_MEMORY, f"{memory} / ({limit} > 0)"),
    ]
