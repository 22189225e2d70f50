"""grafana-dashboard.json: each success metric against its target, and what explains it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from cascade_plan.emitters._heading import application, price_dates
from cascade_plan.emitters.prometheus._latency_goals import latency_goals, measured, unmeasured
from cascade_plan.emitters.prometheus._recordings import (
    CACHE_HITS,
    CACHE_MEMORY,
    DATABASE_CONNECTIONS,
    DATABASE_SIZE,
    ERRORS,
    P95_OF_POD,
    POOL,
    POOL_USAGE,
    QUERY,
    REQUEST,
    REQUESTS,
    SOCKETS,
    SOCKETS_OF_POD,
    percentile,
    slow_ratio,
)
from cascade_plan.emitters.prometheus._success_alerts import connections_allowed, nodes_at_ceiling
from cascade_plan.languages.promql import NEGATED, number, select
from cascade_plan.model.plan import Plan
from cascade_plan.units import GIB

SCHEMA_VERSION: Final = 39
"""Of Grafana 10.4 and newer, which migrate it; panels use nothing that came later."""
WIDTH: Final = 24
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
VARIABLE: Final = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


@dataclass(frozen=True, slots=True)
class Query:
    """An expression and its legend."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Target:
    """A limit drawn into a panel: red on the side of it that misses."""

    operator: str
    limit: float


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the dashboard: one number for a success metric, lines for everything else."""

    title: str
    kind: str
    """stat or timeseries."""
    unit: str
    queries: tuple[Query, ...]
    target: Target | None = None
    description: str = ""


def dashboard(plan: Plan) -> str:
    """Return the dashboard as JSON, the same for the same plan: ids count from 1, the uid is of the application."""
    name = application(plan)
    goals, lines = list(_success(plan)), list(_lines(plan))
    panels = [_row("Success metrics", 0)]
    panels += [_placed(panel, 1 + index // 6 * 4, index % 6 * 4, 4, 4) for index, panel in enumerate(goals)]
    top = 1 + -(-len(goals) // 6) * 4
    panels.append(_row("What explains them", top))
    panels += [_placed(panel, top + 1 + index // 2 * 8, index % 2 * 12, 12, 8) for index, panel in enumerate(lines)]
    below = top + 1 + -(-len(lines) // 2) * 8
    panels += [_row("Cost", below), _text(_cost(plan), below + 1)]
    document = {
        "uid": sha256(f"cascade-plan {name}".encode()).hexdigest()[:32],
        "title": f"{name}: success metrics and capacity",
        "description": (
            f"cascade-plan: scenario {plan.scenario.name}, {plan.scenario.users.peak} users at peak, "
            f"{plan.scenario.users.average} on average; prices {plan.book}, {price_dates(plan)}"
        ),
        "tags": ["cascade-plan", name],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "timezone": "utc",
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": [VARIABLE]},
        "annotations": {"list": []},
        "panels": [{"id": number, **panel} for number, panel in enumerate(panels, 1)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _success(plan: Plan) -> Iterator[Panel]:
    """Yield one number for each gate that is measured, against its limit."""
    name = application(plan)
    for goal in latency_goals(plan):
        yield Panel(
            f"{goal.figure} {goal.operator} {goal.limit_label}",
            "stat",
            "s",
            (Query(select(percentile(REQUEST, goal.percent), namespace=name), f"p{goal.percent}"),),
            Target(goal.operator, goal.limit_s),
            f"Response time, up to {goal.users:,} acting users: {goal.requests_per_s:,.0f} requests a second.",
        )
    for verdict in measured(plan):
        title = f"{verdict.figure} {verdict.operator} {number(verdict.limit)}"
        target = Target(verdict.operator, float(verdict.limit))
        if verdict.figure == "cache_hit_ratio":
            yield Panel(title, "stat", "percentunit", (Query(select(CACHE_HITS, namespace=name), "hits"),), target)
        elif verdict.figure.startswith("pool."):
            most = Target(verdict.operator, connections_allowed(plan, verdict))
            words = f"Connections to PostgreSQL; the limit is that of {plan.scenario.users.peak:,} users."
            yield Panel(title, "stat", "short", (Query(select(POOL, namespace=name), "connections"),), most, words)
        elif verdict.figure.startswith("websocket."):
            held = Target("<", float(plan.figure("websocket.connection_count_per_node")))
            busiest = f"max by (namespace) ({select(SOCKETS_OF_POD, namespace=name)})"
            words = "Connections of the fullest node; it was sized for the limit, and is full when it reaches it."
            yield Panel(title, "stat", "short", (Query(busiest, "fullest node"),), held, words)
        else:
            ceiling = Target("<", nodes_at_ceiling(plan) + 1)
            words = "No metric knows prices: the nodes that run, against those the plan's ceiling pays for."
            yield Panel(title, "stat", "short", (Query("count(kube_node_info)", "nodes"),), ceiling, words)


def _lines(plan: Plan) -> Iterator[Panel]:
    """Yield what explains the numbers, over time."""
    yield from _traffic(plan)
    yield from _capacity(plan)


def _traffic(plan: Plan) -> Iterator[Panel]:
    name = application(plan)
    for metric, words in ((REQUEST, "Response time"), (QUERY, "Query time")):
        queries = tuple(Query(select(percentile(metric, share), namespace=name), f"p{share}") for share in (95, 99))
        yield Panel(words, "timeseries", "s", queries)
    hpa = {"namespace": name, "horizontalpodautoscaler": f"{name}-api"}
    yield Panel(
        "API replicas between the autoscaler's bounds",
        "timeseries",
        "short",
        tuple(
            Query(select(f"kube_horizontalpodautoscaler_{field}", **hpa), words)
            for field, words in (
                ("status_current_replicas", "running"),
                ("spec_min_replicas", "minimum"),
                ("spec_max_replicas", "maximum"),
            )
        ),
    )
    target = Target("<=", plan.scenario.autoscaling.target_latency_s_p95)
    mean = Query(f"avg by (namespace) ({select(P95_OF_POD, namespace=name)})", "mean of the pods, as the HPA reads it")
    each = Query(select(P95_OF_POD, namespace=name), "{{pod}}")
    yield Panel("Query p95 of each pod, and the autoscaler's target", "timeseries", "s", (mean, each), target)
    yield Panel("Requests a second", "timeseries", "reqps", (Query(select(REQUESTS, namespace=name), "requests"),))
    slow = Query(select(slow_ratio("5m"), namespace=name), "over {{limit_ms}} ms or failed")
    failed = Query(select(ERRORS, namespace=name), "failed")
    yield Panel("Slow and failed requests", "timeseries", "percentunit", (slow, failed))


def _capacity(plan: Plan) -> Iterator[Panel]:
    name = application(plan)
    storage = Target("<", plan.scenario.tiers.database.storage_gib * GIB)
    held = Target("<", float(plan.figure("websocket.connection_count_per_node")))
    each = Query(select(SOCKETS_OF_POD, namespace=name), "{{pod}}")
    every = Query(select(SOCKETS, namespace=name), "all")
    yield Panel("WebSocket connections of each node", "timeseries", "short", (each,), held)
    yield Panel("WebSocket connections", "timeseries", "short", (every,))
    used = Query(select(POOL_USAGE, namespace=name), "open of the pool's size")
    most = Query(select(DATABASE_CONNECTIONS, namespace=name), "{{pod}}: of max_connections")
    yield Panel("Connection pool and database", "timeseries", "percentunit", (used, most), Target("<=", 1))
    size = Query(select(DATABASE_SIZE, namespace=name), "{{pod}}")
    yield Panel("Database size and its disk", "timeseries", "bytes", (size,), storage)
    memory = Query(select(CACHE_MEMORY, namespace=name), "{{pod}}: of maxmemory")
    hits = Query(select(CACHE_HITS, namespace=name), "hits")
    yield Panel("Cache hits and memory", "timeseries", "percentunit", (hits, memory))
    lag = Query(select("pg_replication_lag_seconds", namespace=name), "{{pod}}")
    yield Panel("Replica lag", "timeseries", "s", (lag,))


def _cost(plan: Plan) -> str:
    budget = plan.scenario.budget
    levels = "".join(
        f"| {level} | ${plan.figure(f'cost_usd_per_month.{level}'):,.2f} |\n"
        for level in ("floor", "average", "peak", "ceiling")
    )
    names = unmeasured(plan)
    others = f"\n\nGated and not measured here: {', '.join(names)}." if names else ""
    return (
        f"Planned at prices {price_dates(plan)}, not measured:\n\n| level | USD a month |\n|---|---:|\n{levels}\n"
        f"**${plan.figure('cost_usd_per_1000_users_month'):,.2f}** per 1000 {budget.users} users, "
        f"limit ${budget.usd_per_1000_users_month:,.2f}.{others}"
    )


def _row(title: str, y: int) -> dict[str, Any]:
    return {"type": "row", "title": title, "collapsed": False, "gridPos": _at(y, 0, WIDTH, 1), "panels": []}


def _text(content: str, y: int) -> dict[str, Any]:
    options = {"mode": "markdown", "content": content}
    return {"type": "text", "title": "Planned cost", "gridPos": _at(y, 0, WIDTH, 8), "options": options}


def _at(y: int, x: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _placed(panel: Panel, y: int, x: int, width: int, height: int) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": query.expr, "legendFormat": query.legend}
        for index, query in enumerate(panel.queries)
    ]
    defaults: dict[str, Any] = {"unit": panel.unit, "color": {"mode": "palette-classic"}}
    if panel.target:
        defaults["thresholds"] = _thresholds(panel.target)
        defaults["custom"] = {"thresholdsStyle": {"mode": "line"}}
    if panel.kind == "stat":
        defaults["color"] = {"mode": "thresholds"}
        defaults.pop("custom", None)
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": _at(y, x, width, height),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": targets,
    }


def _thresholds(target: Target) -> dict[str, Any]:
    below, above = ("green", "red") if NEGATED[target.operator].startswith(">") else ("red", "green")
    return {"mode": "absolute", "steps": [{"color": below, "value": None}, {"color": above, "value": target.limit}]}
