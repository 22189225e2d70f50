"""cardinality.md: how many series each metric has, from which labels, and who keeps the count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.prometheus._config import monitoring
from cascade_plan.emitters.prometheus._metrics_source import has_tenants, query_types
from cascade_plan.formulas.latency_buckets import BESIDE_BOUNDS, bounds_s
from cascade_plan.languages.markdown import quotation
from cascade_plan.model import series
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan
from cascade_plan.model.series import own
from cascade_plan.tiers.cache.settings import Settings as CacheSettings
from cascade_plan.tiers.database.settings import Settings as DatabaseSettings
from cascade_plan.tiers.pool.settings import Settings as PoolSettings
from cascade_plan.tiers.queue.settings import Settings as QueueSettings


@dataclass(frozen=True, slots=True)
class Row:
    """One metric's labels and series."""

    metric: str
    labels: str
    count: int


def cardinality(plan: Plan) -> str:
    """Return the budget of series as Markdown."""
    sized = monitoring(plan).sized
    budget, shards = sized.count("series_count"), sized.count("shard_count")
    rows = "".join(f"| {row.metric} | {row.labels} | {row.count:,} |\n" for row in _rows(plan))
    head = heading(plan, ["sized for every series of the fleet at the autoscaler's ceiling"], quotation)
    own = ", `QuerySeriesOverBudget` when the histogram has more than its share" if plan.of(DatabaseSettings) else ""
    paragraphs = [
        f"# Series budget: {budget:,}",
        f"{head}\n| metric | labels | series |\n|---|---|---:|\n{rows}| all | | {budget:,} |",
        *_tenants(plan),
        *_types(plan),
        f"The alert `SeriesOverBudget` fires when a server holds more than {-(-budget // shards):,} series for an "
        f"hour{own}. There is no `sample_limit`: a scrape over it is refused whole, and with it the value the "
        "autoscaler reads.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _pods(workloads: Iterator[Workload]) -> int:
    return sum(workload.replica_count_max for workload in workloads)


def _rows(plan: Plan) -> Iterator[Row]:
    """Yield the histogram of queries, what there is one of, and everything else."""
    tier, tenants = monitoring(plan), plan.scenario.users.tenants
    working = _pods(each for each in plan.fleet.workloads if each.serves != "connections")
    sockets = _pods(each for each in plan.fleet.workloads if each.serves == "connections")
    by_tenant = tier.settings.label_by_tenant
    queries, budget = _query_series(plan), tier.sized.count("series_count")
    other = (working + sockets) * tier.settings.other_series_per_pod
    if queries:
        buckets = len(bounds_s(plan.scenario.latency_limits_ms))
        children = f"{f'{tenants:,} tenants x ' if by_tenant else ''}{tier.settings.query_types} query types"
        yield Row(
            f"`{own(plan.scenario, series.QUERY)}`",
            f"{working:,} pods x {children} x ({buckets} buckets + {BESIDE_BOUNDS})",
            queries,
        )
    gauges = [(own(plan.scenario, series.POOL_USED), f"{working:,} pods")] if plan.of(PoolSettings) and working else []
    if sockets:
        each = f"{sockets:,} pods{f' x {tenants:,} tenants' if by_tenant else ''}"
        gauges.append((own(plan.scenario, series.SOCKETS), each))
    if gauges:
        names, labels = (f"`{'`, `'.join(name for name, _ in gauges)}`", "; ".join(text for _, text in gauges))
        yield Row(names, labels, budget - queries - other)
    counts = [f"{count:,}" for count in (working, sockets) if count]
    pods = f"({' + '.join(counts)} pods)" if len(counts) > 1 else f"{''.join(counts) or 0} pods"
    names = ", ".join(
        [
            *(f"`{own(plan.scenario, name)}`" for name in _others(plan)),
            "recorded series",
            "process",
            "kubelet",
            "cAdvisor",
        ]
    )
    yield Row(f"everything else: {names}", f"{pods} x {tier.settings.other_series_per_pod:,}", other)


def _others(plan: Plan) -> Iterator[str]:
    """Yield the metrics that have a few series a pod."""
    served = {workload.serves for workload in plan.fleet.workloads}
    if "requests" in served:
        yield from (series.REQUEST, f"{series.ACTION_REQUESTS}_total")
    if plan.of(CacheSettings):
        yield f"{series.CACHE_LOOKUPS}_total"
    if plan.of(QueueSettings):
        yield f"{series.JOBS_ASKED}_total"
    if "jobs" in served:
        yield from (f"{series.JOBS}_total", series.JOB, series.JOB_AGE)


def _query_series(plan: Plan) -> int:
    return monitoring(plan).sized.count("query_series_count") if plan.of(DatabaseSettings) else 0


def _tenants(plan: Plan) -> Iterator[str]:
    tier, tenants = monitoring(plan), plan.scenario.users.tenants
    if has_tenants(plan):
        without = f"--set tiers.{tier.name}.label_by_tenant=false"
        what = (
            f"multiplies the histogram by {tenants:,}. Without it (`{without}`) it is "
            f"{_query_series(plan) // tenants:,} series; a tenant's latency then comes from traces or logs."
            if plan.of(DatabaseSettings)
            else f"multiplies the open connections' series by {tenants:,}; it can be left out (`{without}`)."
        )
        yield f"The label `tenant_id` {what} `metrics.py` gives a label of their own to that many tenants and no more."
    elif not tier.settings.label_by_tenant:
        yield (
            "No metric carries `tenant_id`. Series that have it are dropped when they are scraped, and "
            "`TenantSeriesDropped` says so; dropping only the label would leave several values of one series, of "
            "which Prometheus keeps one."
        )


def _types(plan: Plan) -> Iterator[str]:
    if plan.of(DatabaseSettings):
        named, most = query_types(plan), monitoring(plan).settings.query_types
        yield f"`query_type` has {len(named)} values in `metrics.py` of the {most} reckoned with: {', '.join(named)}."
