"""One alert for each success metric: a gate of the scenario that the running system does not meet."""

from __future__ import annotations

from collections.abc import Callable

from cascade_plan.emitters._heading import application
from cascade_plan.emitters.prometheus._latency_goals import LatencyGoal, latency_goals, measured
from cascade_plan.emitters.prometheus._recordings import CACHE_HITS, POOL, REQUEST, REQUESTS, SOCKETS_OF_POD, percentile
from cascade_plan.emitters.prometheus._rules import Alert, Group
from cascade_plan.languages.promql import NEGATED, number, select
from cascade_plan.model.plan import Plan, Verdict


def groups(plan: Plan) -> tuple[Group, ...]:
    """Return an alert for each gate that something measures."""
    name = application(plan)
    latencies = [_latency(name, goal) for goal in latency_goals(plan)]
    others = [ALERTS[verdict.figure](plan, verdict) for verdict in measured(plan)]
    return (Group(f"{name}-success-metrics", [*latencies, *others]),)


def nodes_at_ceiling(plan: Plan) -> int:
    """Return the Kubernetes nodes that run when every group is at its most: what cost_usd_per_month.ceiling pays."""
    return round(sum(group.count.ceiling for group in plan.groups if group.shape.service == "ec2"))


def connections_allowed(plan: Plan, verdict: Verdict) -> float:
    """Return the limit of connections per 10,000 users as connections of this plan's peak."""
    return float(verdict.limit) * plan.scenario.users.peak / 10_000


def _labels(figure: str, operator: str, limit: str) -> dict[str, str]:
    return {"figure": figure, "limit": f"{operator} {limit}"}


def _latency(name: str, goal: LatencyGoal) -> Alert:
    measured = select(percentile(REQUEST, goal.percent), namespace=name)
    missed = f"{measured} {NEGATED[goal.operator]} {number(goal.limit_s)}"
    most = number(round(goal.requests_per_s, 6))
    return Alert(
        alert="LatencyGoalMissed",
        expr=f"{missed} and on (namespace) {select(REQUESTS, namespace=name)} <= {most}",
        for_s=600,
        severity="ticket",
        subject="latency",
        summary=f"{name}: p{goal.percent} is not {goal.operator} {goal.limit_label} ms",
        description=(
            f"p{goal.percent} of the response times is {{value}}, while there are no more requests than {goal.users:,} "
            f"acting users make ({most} a second): {goal.figure} must be {goal.operator} {goal.limit_label} ms."
        ),
        runbook=(
            "Look at the dashboard for what rose with it: queries, pool, replicas, cache misses. Compare with "
            f"`cascade-plan explain {goal.figure}`: a station busier than planned is the one to enlarge."
        ),
        unit="humanizeDuration",
        labels=_labels(goal.figure, goal.operator, goal.limit_label),
    )


def _cache(plan: Plan, verdict: Verdict) -> Alert:
    name, limit = application(plan), number(verdict.limit)
    return Alert(
        alert="CacheHitRatioMissed",
        expr=f"{select(CACHE_HITS, namespace=name)} {NEGATED[verdict.operator]} {limit}",
        for_s=900,
        severity="ticket",
        subject="cache",
        summary=f"{name}: the cache hit ratio is not {verdict.operator} {limit}",
        description=f"The cache answers {{value}} of the lookups, {limit} are planned; each miss is a database query.",
        runbook=(
            "Look for evictions and memory near its limit (then enlarge the nodes or shorten what is kept), for a "
            "deployment that changed keys or times to live, and for a node that was replaced and is still cold."
        ),
        unit="humanizePercentage",
        labels=_labels(verdict.figure, verdict.operator, limit),
    )


def _pool(plan: Plan, verdict: Verdict) -> Alert:
    name, limit = application(plan), number(connections_allowed(plan, verdict))
    return Alert(
        alert="DatabaseConnectionsOverGoal",
        expr=f"{select(POOL, namespace=name)} {NEGATED[verdict.operator]} {limit}",
        for_s=600,
        severity="ticket",
        subject="pool",
        summary=f"{name}: database connections are not {verdict.operator} {limit}",
        description=(
            f"PgBouncer holds {{value}} connections to PostgreSQL; {number(verdict.limit)} for each 10,000 users are "
            f"{limit} for the {plan.scenario.users.peak:,} of this plan."
        ),
        runbook=(
            "A full pool is slow queries or long transactions far more often than too few connections: look at "
            "pg_stat_activity for what holds them. Enlarge the pool only while the database's CPU is idle."
        ),
        labels=_labels(verdict.figure, verdict.operator, number(verdict.limit)),
    )


def _sockets(plan: Plan, verdict: Verdict) -> Alert:
    name, held = application(plan), number(plan.figure("websocket.connection_count_per_node"))
    return Alert(
        alert="WebSocketNodeFull",
        expr=f"{select(SOCKETS_OF_POD, namespace=name)} >= {held}",
        for_s=60,
        severity="page",
        subject="websocket",
        summary=f"{name}: a WebSocket node holds all the connections it was sized for",
        description=(
            f"{{pod}} holds {{value}} connections of {held}; the next may be refused, and whether a node "
            f"holds {verdict.operator} {number(verdict.limit)} is only known while it does."
        ),
        runbook=(
            "Compare with the other nodes: when they have room, the balancer does not spread (look at its key and at "
            "nodes it takes for dead). When all are full add a node; clients reconnect to it on their own."
        ),
        labels=_labels(verdict.figure, verdict.operator, number(verdict.limit)),
    )


def _cost(plan: Plan, verdict: Verdict) -> Alert:
    """Return an alert on nodes in place of money: no metric of the cluster knows a price.

    More nodes than the plan's ceiling cost more than cost_usd_per_month.ceiling; fewer say nothing of the rest of the
    bill, which AWS Budgets and the invoice do.
    """
    name, most = application(plan), nodes_at_ceiling(plan)
    return Alert(
        alert="NodesOverCostCeiling",
        expr=f"count(kube_node_info) > {most}",
        for_s=3600,
        severity="ticket",
        subject="cost",
        summary=f"{name}: more nodes than the plan's ceiling pays for",
        description=(
            f"{{value}} nodes run, the plan's ceiling is {most}: {verdict.figure} {verdict.operator} "
            f"{number(verdict.limit)} was judged with no more. The cost itself is not measured here."
        ),
        runbook=(
            "Look for node groups outside the plan, a node group whose maximum was raised, and nodes that cannot be "
            "drained. If the load is real, plan again: cascade-plan size --peak <users>."
        ),
        labels=_labels(verdict.figure, verdict.operator, number(verdict.limit)),
    )


ALERTS: dict[str, Callable[[Plan, Verdict], Alert]] = {
    "cache_hit_ratio": _cache,
    "pool.connection_count_per_10000_users": _pool,
    "websocket.connection_count_per_node": _sockets,
    "cost_usd_per_1000_users_month": _cost,
}
