"""What of Prometheus itself is watched: its series against what it was sized for, and whether it sees its targets."""

from __future__ import annotations

from cascade_plan.formulas.latency_buckets import BESIDE_BOUNDS, bounds_s
from cascade_plan.languages.promql import select
from cascade_plan.model.ask import Site
from cascade_plan.model.series import QUERY, own
from cascade_plan.model.watch import Alarm, Recorded, Watch
from cascade_plan.tiers.monitoring.settings import Settings


def watches(site: Site[Settings]) -> tuple[Watch, ...]:
    """Return the budget of series, that of the queries' histogram where there is one, and the targets."""
    series_count, shard_count = site.sized.count("series_count"), site.sized.count("shard_count")
    found = [_series(site, -(-series_count // shard_count)), _targets(site)]
    if site.scenario.of("database"):
        found.insert(1, _query_series(site, site.sized.count("query_series_count")))
    return tuple(found)


def _series(site: Site[Settings], budget: int) -> Watch:
    over = Alarm(
        "SeriesOverBudget",
        f"{select(_held(site), namespace=site.application)} > {budget}",
        3600,
        "ticket",
        "Prometheus holds more series than it was sized for",
        f"{{value}} series are in memory, {budget:,} are planned at the autoscaler's ceiling.",
        'topk(10, count by (__name__) ({__name__!=""})) names the metric; pods that are replaced often leave '
        "their series for two to three hours. Drop the label or the metric, or plan with the new figures.",
    )
    return Watch(site.name, alarms=(over,))


def _held(site: Site[Settings]) -> str:
    """Return the metric of the series that a server holds, or that a collector which keeps none sends on."""
    return "prometheus_agent_active_series" if site.settings.managed else "prometheus_tsdb_head_series"


def _query_series(site: Site[Settings], most: int) -> Watch:
    each = len(bounds_s(site.scenario.latency_limits_ms)) + BESIDE_BOUNDS
    name = site.application
    metric, counted = own(site.scenario, QUERY), f"pod:{own(site.scenario, 'query_series')}:count"
    children = f"count by (namespace, pod) ({select(f'{metric}_count', namespace=name)})"
    over = Alarm(
        "QuerySeriesOverBudget",
        f"sum by (namespace) ({select(counted, namespace=name)}) > {most}",
        600,
        "ticket",
        "the query histogram has more series than planned",
        f"{{value}} series of {metric}, {most:,} are planned: a label grows.",
        "Count the values of query_type and tenant_id; the emitted metrics.py bounds both."
        if site.settings.label_by_tenant
        else "Count the values of query_type; the emitted metrics.py bounds them.",
    )
    return Watch(site.name, recorded=(Recorded(counted, f"{children} * {each}", is_of_pods=True),), alarms=(over,))


def _targets(site: Site[Settings]) -> Watch:
    down = Alarm(
        "TargetDown",
        f"{select('up', namespace=site.application)} == 0",
        300,
        "ticket",
        "a target cannot be scraped",
        "{job} {pod} has not answered for five minutes; its figures are missing.",
        "Ask for its /metrics from Prometheus's pod: a NetworkPolicy, a port's name, or the process itself.",
    )
    return Watch("targets", alarms=(down,))
