"""cardinality.md: how many series each metric has, from which labels, and who keeps the count."""

from __future__ import annotations

from dataclasses import dataclass

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.prometheus._metrics_source import query_types
from cascade_plan.formulas.latency_buckets import BESIDE_BOUNDS, bounds_s
from cascade_plan.languages.markdown import quotation
from cascade_plan.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Row:
    """One metric's labels and series."""

    metric: str
    labels: str
    count: int


def cardinality(plan: Plan) -> str:
    """Return the budget of series as Markdown."""
    budget, shards = int(plan.figure("monitoring.series_count")), int(plan.figure("monitoring.shard_count"))
    rows = "".join(f"| {row.metric} | {row.labels} | {row.count:,} |\n" for row in _rows(plan))
    head = heading(plan, ["sized for every series of the fleet at the autoscaler's ceiling"], quotation)
    return (
        f"# Series budget: {budget:,}\n\n{head}\n"
        f"| metric | labels | series |\n|---|---|---:|\n{rows}| all | | {budget:,} |\n\n"
        f"{_tenants(plan)}\n\n"
        f"{_types(plan)}\n\n"
        f"The alert `SeriesOverBudget` fires when a server holds more than {-(-budget // shards):,} series for an "
        "hour, `QuerySeriesOverBudget` when the histogram has more than its share. There is no `sample_limit`: a "
        "scrape over it is refused whole, and with it the value the autoscaler reads.\n"
    )


def _rows(plan: Plan) -> tuple[Row, ...]:
    tier, tenants = plan.scenario.tiers.monitoring, plan.scenario.users.tenants
    pods, sockets = int(plan.figure("api.replica_count.max")), int(plan.figure("websocket.node_count"))
    buckets = len(bounds_s(plan.scenario.latency_limits_ms))
    queries, budget = int(plan.figure("monitoring.query_series_count")), int(plan.figure("monitoring.series_count"))
    other = (pods + sockets) * tier.other_series_per_pod
    by_tenant = f"{tenants:,} tenants x " if tier.label_by_tenant else ""
    return (
        Row(
            "`cascade_query_duration_seconds`",
            f"{pods:,} pods x {by_tenant}{tier.query_types} query types x ({buckets} buckets + {BESIDE_BOUNDS})",
            queries,
        ),
        Row(
            "`cascade_connection_pool_usage`, `cascade_websocket_connections`",
            f"{pods:,} pods; {sockets:,} pods{f' x {tenants:,} tenants' if tier.label_by_tenant else ''}",
            budget - queries - other,
        ),
        Row(
            "everything else: `cascade_request_duration_seconds`, `cascade_cache_requests_total`, recorded series, "
            "process, kubelet, cAdvisor",
            f"({pods:,} + {sockets:,} pods) x {tier.other_series_per_pod:,}",
            other,
        ),
    )


def _tenants(plan: Plan) -> str:
    tenants, queries = plan.scenario.users.tenants, int(plan.figure("monitoring.query_series_count"))
    if plan.scenario.tiers.monitoring.label_by_tenant:
        return (
            f"The label `tenant_id` multiplies the histogram by {tenants:,}. Without it "
            f"(`--set tiers.monitoring.label_by_tenant=false`) it is {queries // tenants:,} series; a tenant's latency "
            "then comes from traces or logs. `metrics.py` gives a label of their own to that many tenants and no more."
        )
    return (
        "No metric carries `tenant_id`. Series that have it are dropped when they are scraped, and "
        "`TenantSeriesDropped` says so; dropping only the label would leave several values of one series, of which "
        "Prometheus keeps one."
    )


def _types(plan: Plan) -> str:
    named, most = query_types(plan), plan.scenario.tiers.monitoring.query_types
    return f"`query_type` has {len(named)} values in `metrics.py` of the {most} reckoned with: {', '.join(named)}."
