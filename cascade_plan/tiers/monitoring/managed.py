"""A Prometheus that the cloud runs: samples are paid for as they come, as they are kept and as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.formulas.draws import whole
from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import NONE, Band, Sized, Usage, Workload
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.monitoring.settings import Settings
from cascade_plan.units import GIB, MILLION

SAMPLES: Final = Offer("metric_samples")
SERIES_MOST: Final = 10_000_000
"""Active series of a workspace until more is asked for, https://docs.aws.amazon.com/prometheus/latest/userguide/AMP_quotas.html
(read 2026-11)"""  # fmt: skip
RETENTION_DAYS_MOST: Final = 1095
"""https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-workspace-configuration.html"""
COLLECTOR: Final = "the collector that scrapes and sends samples to the managed Prometheus: a pod of the cluster"


def size(ask: Ask[Settings], figures: tuple[Derivation, ...], per_pod: int, per_socket: int) -> Sized:
    """Return the samples at each level of the band: the series of the pods that run, once every interval.

    Raises UsageError where the cloud has none.
    """
    if not ask.cloud.sells(SAMPLES):
        given = ask.own("managed")
        raise UsageError(f"{given.origin}: {given.name}: {ask.scenario.cloud} runs no Prometheus")
    settings, series = ask.settings, _series(ask, per_pod, per_socket)
    per_s = series.times(1 / settings.scrape_interval_s)
    month = ask.monthly(per_s).times(1 / MILLION)
    kept = per_s.times(settings.retention_days * 86_400 * settings.bytes_per_sample / GIB)
    return Sized(
        ask.name,
        "monitoring",
        usages=(
            Usage(ask.name, "metric samples", SAMPLES, month, "million_samples"),
            Usage(ask.name, "metric storage", Offer("metric_storage"), kept, "gib_month"),
            Usage(
                ask.name,
                "metric queries",
                Offer("metric_queries"),
                month.times(settings.read_ratio),
                "million_samples",
            ),
        ),
        figures=(*figures, *_figures(ask, per_s, kept)),
        findings=tuple(_findings(ask, whole(figures[0].value))),
        not_priced=(COLLECTOR,),
    )


def _series(ask: Ask[Settings], per_pod: int, per_socket: int) -> Band:
    """Return the series at each level: those of the pods that run then."""
    found = NONE
    for sized in ask.fleet.values():
        for run in sized.workloads:
            found += _running(ask, run).times(per_socket if run.serves == "connections" else per_pod)
    return found


def _running(ask: Ask[Settings], run: Workload) -> Band:
    for guest in ask.fleet[run.tier].guests:
        return guest.count
    groups = {group.name: group for sized in ask.fleet.values() for group in sized.groups}
    least, most = run.replica_count_min, run.replica_count_max
    return groups[run.group].count.each(
        lambda nodes: min(most, max(least, nodes * run.pod_count_per_node - run.reserved_pod_count))
    )


def _figures(ask: Ask[Settings], per_s: Band, kept: Band) -> Iterator[Derivation]:
    yield ask.figure("shard_count", 1, "shards", "one workspace, and one collector that sends to it")
    yield ask.figure(
        "samples_per_s_average",
        per_s.average,
        "samples/s",
        f"series of the pods that run on average / scrape_interval_s; {ask.name}.series_count is at the ceiling",
        (ask.own("scrape_interval_s"), ask.own("other_series_per_pod")),
    )
    yield ask.figure(
        "stored_gib",
        kept.average,
        "GiB",
        f"{ask.name}.samples_per_s_average x retention_days x bytes_per_sample",
        (ask.own("retention_days"), ask.own("bytes_per_sample")),
    )


def _findings(ask: Ask[Settings], series: int) -> Iterator[Finding]:
    if series > SERIES_MOST:
        words = (
            f"{series:,} series at the ceiling: a workspace takes {SERIES_MOST:,} until more is asked for "
            "(AWS Service Quotas)"
        )
        yield Finding("warning", "series-quota", words, f"{ask.name}.series_count")
    if ask.settings.retention_days > RETENTION_DAYS_MOST:
        words = f"{ask.settings.retention_days:,} days: a workspace keeps samples for {RETENTION_DAYS_MOST:,} at most"
        yield Finding("warning", "retention-quota", words, f"tiers.{ask.name}.retention_days", is_broken=True)
