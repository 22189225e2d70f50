"""What of Prometheus itself is watched: its series against what it was sized for, and whether it sees its targets."""

from __future__ import annotations

from typing import Final

from cascade_plan.formulas.latency_buckets import BESIDE_BOUNDS, bounds_s
from cascade_plan.languages.promql import select
from cascade_plan.model.ask import Ask
from cascade_plan.model.series import QUERY
from cascade_plan.model.watch import Alarm, Recorded, Watch
from cascade_plan.tiers.monitoring.settings import Settings

QUERY_SERIES: Final = "pod:cascade_query_series:count"


def watches(ask: Ask[Settings], series_count: int, query_series_count: int, shard_count: int) -> tuple[Watch, ...]:
    """Return the budget of series, that of the queries' histogram where there is one, and the targets."""
    found = [_series(ask, -(-series_count // shard_count)), _targets(ask)]
    if ask.scenario.of("database"):
        found.insert(1, _query_series(ask, query_series_count))
    return tuple(found)


def _series(ask: Ask[Settings], budget: int) -> Watch:
    over = Alarm(
        "SeriesOverBudget",
        f"{select('prometheus_tsdb_head_series', namespace=ask.application)} > {budget}",
        3600,
        "ticket",
        "Prometheus holds more series than it was sized for",
        f"{{value}} series are in memory, {budget:,} are planned at the autoscaler's ceiling.",
        'topk(10, count by (__name__) ({__name__!=""})) names the metric; pods that are replaced often leave '
        "their series for two to three hours. Drop the label or the metric, or plan with the new figures.",
    )
    return Watch(ask.name, alarms=(over,))


def _query_series(ask: Ask[Settings], most: int) -> Watch:
    each = len(bounds_s(ask.scenario.latency_limits_ms)) + BESIDE_BOUNDS
    children = f"count by (namespace, pod) ({select(f'{QUERY}_count', namespace=ask.application)})"
    over = Alarm(
        "QuerySeriesOverBudget",
        f"sum by (namespace) ({select(QUERY_SERIES, namespace=ask.application)}) > {most}",
        600,
        "ticket",
        "the query histogram has more series than planned",
        f"{{value}} series of {QUERY}, {most:,} are planned: a label grows.",
        "Count the values of query_type and tenant_id; the emitted metrics.py bounds both."
        if ask.settings.label_by_tenant
        else "Count the values of query_type; the emitted metrics.py bounds them.",
    )
    return Watch(ask.name, recorded=(Recorded(QUERY_SERIES, f"{children} * {each}", is_of_pods=True),), alarms=(over,))


def _targets(ask: Ask[Settings]) -> Watch:
    down = Alarm(
        "TargetDown",
        f"{select('up', namespace=ask.application)} == 0",
        300,
        "ticket",
        "a target cannot be scraped",
        "{job} {pod} has not answered for five minutes; its figures are missing.",
        "Ask for its /metrics from Prometheus's pod: a NetworkPolicy, a port's name, or the process itself.",
    )
    return Watch("targets", alarms=(down,))
