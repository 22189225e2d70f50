"""Alerts on what fills up before it breaks, and on what is no longer there. Thresholds are the plan's figures."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._heading import application
from cascade_plan.emitters.prometheus._recordings import (
    CACHE_MEMORY,
    DATABASE_CONNECTIONS,
    DATABASE_SIZE,
    POOL_USAGE,
    QUERY_SERIES,
    SOCKETS_OF_POD,
)
from cascade_plan.emitters.prometheus._rules import Alert, Group
from cascade_plan.languages.promql import number, select
from cascade_plan.model.plan import Plan
from cascade_plan.units import GIB

NEAR: Final = 0.9
"""Share of a limit at which there is still time to act (assumption)."""
NEAR_SOCKETS: Final = 0.8
"""Earlier than NEAR: a lost node's connections come to the others at once (assumption)."""
DISK_DAYS: Final = 4
"""Time for a weekend and a change window before the disk is full (assumption)."""
LAG_S: Final = 30
"""Replica lag at which users see that what they wrote is missing (assumption)."""
CEILING_S: Final = 900
"""Longer than the HPA takes to reach its maximum and nodes to start, so that it is not the ramp that is told of."""


def groups(plan: Plan) -> tuple[Group, ...]:
    """Return the alerts on capacity and on what is missing."""
    name = application(plan)
    return (
        Group(f"{name}-near-limits", [*_api(plan), *_database(plan), _cache(name)]),
        Group(f"{name}-monitoring", [*_series(plan), *_missing(name)]),
    )


def _api(plan: Plan) -> list[Alert]:
    name, most = application(plan), plan.figure("api.replica_count.max")
    held = plan.figure("websocket.connection_count_per_node")
    hpa = {"namespace": name, "horizontalpodautoscaler": f"{name}-api"}
    replicas, ceiling = (
        select(f"kube_horizontalpodautoscaler_{field}", **hpa)
        for field in ("status_current_replicas", "spec_max_replicas")
    )
    inactive = select("kube_horizontalpodautoscaler_status_condition", **hpa, condition="ScalingActive", status="false")
    alerts = [
        Alert(
            alert="AutoscalerAtCeiling",
            expr=f"{replicas} >= on (namespace, horizontalpodautoscaler) {ceiling}",
            for_s=CEILING_S,
            severity="page",
            subject="autoscaler",
            summary=f"{name}: the API's autoscaler is at its maximum",
            description=f"{{value}} pods run, as many as may (the plan's maximum is {most}).",
            runbook=(
                "If latency is within its limits, plan a higher ceiling. If not, find out whether pods are the remedy: "
                "with the database as the bottleneck they make it worse."
            ),
        ),
        Alert(
            alert="AutoscalerWithoutMetric",
            expr=f"{inactive} == 1",
            for_s=CEILING_S,
            severity="page",
            subject="autoscaler",
            summary=f"{name}: the API's autoscaler cannot read its metrics",
            description="The HPA's condition ScalingActive is false: the fleet stays as large as it is.",
            runbook=(
                f"kubectl -n {name} describe hpa {name}-api names the metric. For the latency, ask the adapter "
                "(kubectl get --raw /apis/custom.metrics.k8s.io/v1beta1), then Prometheus; for memory, metrics-server."
            ),
        ),
        Alert(
            alert="WebSocketNodeNearlyFull",
            expr=f"{select(SOCKETS_OF_POD, namespace=name)} / {number(held)} > {number(NEAR_SOCKETS)}",
            for_s=600,
            severity="ticket",
            subject="websocket",
            summary=f"{name}: a WebSocket node is nearly full",
            description=f"{{pod}} holds {{value}} of the {number(held)} connections it was sized for.",
            runbook="Add a node before one is lost: its connections come to the others at once.",
            unit="humanizePercentage",
        ),
    ]
    # An autoscaler whose bounds are one number is always at its maximum.
    return alerts if plan.figure("api.replica_count.min") < most else alerts[1:]


def _database(plan: Plan) -> list[Alert]:
    name, size = application(plan), plan.figure("pool.connection_count")
    storage_gib = plan.scenario.tiers.database.storage_gib
    soon = f"predict_linear({select(DATABASE_SIZE, namespace=name)}[6h], {DISK_DAYS * 86_400})"
    alerts = [
        Alert(
            alert="PoolNearlyFull",
            expr=f"{select(POOL_USAGE, namespace=name)} > {number(NEAR)}",
            for_s=600,
            severity="ticket",
            subject="pool",
            summary=f"{name}: the connection pool is nearly full",
            description=f"{{value}} of the pool's {size} connections are open; clients wait when all are busy.",
            runbook="Look at pg_stat_activity for long transactions first, then at queries that became slower.",
            unit="humanizePercentage",
        ),
        Alert(
            alert="DatabaseConnectionsNearlyMax",
            expr=f"{select(DATABASE_CONNECTIONS, namespace=name)} > {number(NEAR)}",
            for_s=300,
            severity="page",
            subject="database",
            summary=f"{name}: PostgreSQL is near max_connections",
            description="{pod} sees {value} of max_connections in use; beyond it even an operator is refused.",
            runbook="Find who connects past PgBouncer (pg_stat_activity by application_name) and stop it.",
            unit="humanizePercentage",
        ),
        Alert(
            alert="DatabaseDiskFillsUp",
            expr=f"{soon} > {storage_gib * GIB}",
            for_s=3600,
            severity="ticket",
            subject="database",
            summary=f"{name}: the database outgrows its disk within {DISK_DAYS} days",
            description=f"At the rate of the last 6 h it reaches {{value}}B; its disk has {storage_gib} GiB.",
            runbook="Find what grows, delete what may go, or enlarge the storage (RDS does it online, once in 6 h).",
            unit="humanize1024",
        ),
    ]
    return [*alerts, _lag(name)] if plan.figure("database.replica_count") else alerts


def _lag(name: str) -> Alert:
    return Alert(
        alert="ReplicaLags",
        expr=f"{select('pg_replication_lag_seconds', namespace=name)} > {LAG_S}",
        for_s=300,
        severity="ticket",
        subject="database",
        summary=f"{name}: a read replica lags behind",
        description="{pod} sees a replica {value} behind: users miss what they have just written.",
        runbook="Read from the primary meanwhile. Look for a long query on the replica, and for a bulk write.",
        unit="humanizeDuration",
    )


def _cache(name: str) -> Alert:
    return Alert(
        alert="CacheMemoryNearlyFull",
        expr=f"{select(CACHE_MEMORY, namespace=name)} > {number(NEAR)}",
        for_s=900,
        severity="ticket",
        subject="cache",
        summary=f"{name}: a cache node is near maxmemory",
        description="{pod} sees {value} of maxmemory used: keys are evicted, or writes refused.",
        runbook="Look at evictions and the hit ratio: if both are bad, add a node; if neither, the cache just works.",
        unit="humanizePercentage",
    )


def _series(plan: Plan) -> list[Alert]:
    name, tier = application(plan), plan.scenario.tiers.monitoring
    shards = int(plan.figure("monitoring.shard_count"))
    budget = -(-int(plan.figure("monitoring.series_count")) // shards)
    queries = int(plan.figure("monitoring.query_series_count"))
    alerts = [
        Alert(
            alert="SeriesOverBudget",
            expr=f"{select('prometheus_tsdb_head_series', namespace=name)} > {budget}",
            for_s=3600,
            severity="ticket",
            subject="monitoring",
            summary=f"{name}: Prometheus holds more series than it was sized for",
            description=f"{{value}} series are in memory, {budget:,} are planned at the autoscaler's ceiling.",
            runbook=(
                'topk(10, count by (__name__) ({__name__!=""})) names the metric; pods that are replaced often leave '
                "their series for two to three hours. Drop the label or the metric, or plan with the new figures."
            ),
        ),
        Alert(
            alert="QuerySeriesOverBudget",
            expr=f"sum by (namespace) ({select(QUERY_SERIES, namespace=name)}) > {queries}",
            for_s=600,
            severity="ticket",
            subject="monitoring",
            summary=f"{name}: the query histogram has more series than planned",
            description=f"{{value}} series of cascade_query_duration_seconds, {queries:,} are planned: a label grows.",
            runbook="Count the values of query_type and tenant_id; the emitted metrics.py bounds both.",
        ),
    ]
    return alerts if tier.label_by_tenant else [*alerts, _dropped(name)]


def _dropped(name: str) -> Alert:
    scraped, kept = (
        select(metric, namespace=name, job=f"{name}-api")
        for metric in ("scrape_samples_scraped", "scrape_samples_post_metric_relabeling")
    )
    return Alert(
        alert="TenantSeriesDropped",
        expr=f"{scraped} - {kept} > 0",
        for_s=300,
        severity="page",
        subject="monitoring",
        summary=f"{name}: pods expose series by tenant, which are dropped",
        description="{pod} exposes {value} series with tenant_id: its queries are missing from every figure.",
        runbook="Deploy the API with the emitted metrics.py, or set tiers.monitoring.label_by_tenant and plan anew.",
    )


def _missing(name: str) -> list[Alert]:
    down = Alert(
        alert="TargetDown",
        expr=f"{select('up', namespace=name)} == 0",
        for_s=300,
        severity="ticket",
        subject="targets",
        summary=f"{name}: a target cannot be scraped",
        description="{job} {pod} has not answered for five minutes; its figures are missing.",
        runbook="Ask for its /metrics from Prometheus's pod: a NetworkPolicy, a port's name, or the process itself.",
    )
    absent = [
        Alert(
            alert="TargetsMissing",
            expr=f"absent({select('up', namespace=name, job=f'{name}-{component}')})",
            for_s=300,
            severity="page",
            subject="targets",
            summary=f"{name}: no {component} pod is found",
            description=f"Prometheus finds no pod of {name}-{component}: alerts on it cannot fire.",
            runbook="Compare the pods' labels with prometheus.yml, and ask whether Prometheus may list pods (RBAC).",
            labels={"component": component},
        )
        for component in ("api", "websocket")
    ]
    return [down, *absent]
