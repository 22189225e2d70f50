"""Prometheus: series, memory, disk and the nodes that hold them."""

from __future__ import annotations

from math import ceil

from cascade_plan.formulas.latency_buckets import BESIDE_BOUNDS, bounds_s
from cascade_plan.model.brief import Brief
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, NodeGroup, TierFleet
from cascade_plan.model.scenario import Need
from cascade_plan.units import GIB

AFTER: tuple[str, ...] = ("api", "websocket")
PODS_PER_WEBSOCKET_NODE = 1
FREE_DISK_RATIO = 1.2
"""The write-ahead log and compaction need room beside the blocks, https://prometheus.io/docs/prometheus/latest/storage/"""
CACHED_SHARE = 0.25
"""Memory left to the page cache, which serves queries of older blocks (assumption)."""


def size(brief: Brief) -> TierFleet:
    """Return the Prometheus nodes that hold every series of the fleet at its ceiling."""
    tier = brief.scenario.tiers.monitoring
    figures = _series(brief)
    series = int(figures[0].value)
    shards = ceil(series / tier.series_per_node)
    count = max(tier.nodes, shards)
    # Two servers at the scenario's count hold the same series (high availability); only shards divide them.
    per_node = series / shards
    memory_gib = per_node * tier.memory_kib_per_series / 2**20 / (1 - CACHED_SHARE)
    need = Need(vcpu=2, memory_gib=memory_gib + _node_overhead_gib(brief))
    shape = brief.cheapest("tiers.monitoring", "ec2", "linux", need)
    samples_per_s = per_node / tier.scrape_interval_s
    disk_gib = samples_per_s * tier.retention_days * 86_400 * tier.bytes_per_sample * FREE_DISK_RATIO / GIB
    group = NodeGroup(
        tier="monitoring",
        name="monitoring nodes",
        shape=shape,
        variant="linux",
        count=Band.constant(count),
        terms=brief.scenario.purchase.terms("monitoring"),
        disk_gib=brief.scenario.tiers.cluster.disk_gib + ceil(disk_gib),
        idle_share=max(0.0, 1 - memory_gib * 1024 / brief.allocatable(shape).memory_mib),
    )
    return TierFleet(
        groups=(group,),
        figures=(*figures, *_server_figures(brief, count, shards, memory_gib, disk_gib)),
        findings=tuple(_findings(brief, series, figures)),
    )


def _node_overhead_gib(brief: Brief) -> float:
    """Return a bound on what kubelet, hypervisor and daemonsets take of a node: 10 % and 2 GiB."""
    return 2 + brief.scenario.tiers.cluster.daemonset_memory_mib / 1024


def _series(brief: Brief) -> tuple[Derivation, Derivation]:
    tier, users = brief.scenario.tiers.monitoring, brief.scenario.users
    pods = int(brief.figure("api.replica_count.max").value)
    sockets = int(brief.figure("websocket.node_count").value) * PODS_PER_WEBSOCKET_NODE
    tenants = users.tenants if tier.label_by_tenant else 1
    bounds = bounds_s(brief.scenario.latency_limits_ms)
    each = len(bounds) + BESIDE_BOUNDS
    queries = pods * tier.query_types * tenants * each
    gauges = pods + sockets * tenants
    total = queries + gauges + (pods + sockets) * tier.other_series_per_pod
    inputs = (
        brief.computed("api.replica_count.max"),
        brief.given("users.tenants"),
        brief.given("tiers.monitoring.label_by_tenant"),
        brief.given("tiers.monitoring.query_types"),
        Input("buckets", " ".join(f"{bound:g}" for bound in bounds), "the plan's and every latency limit, in seconds"),
    )
    return (
        Derivation(
            "monitoring.series_count",
            total,
            "series",
            "pods x (query_types x tenants x (buckets + 3) + 1) + websocket pods x tenants + all pods x other_series",
            (*inputs, brief.given("tiers.monitoring.other_series_per_pod")),
            f"a Prometheus histogram child with {len(bounds)} buckets is {each} series",
        ),
        Derivation(
            "monitoring.query_series_count",
            queries,
            "series",
            "api.replica_count.max x query_types x tenants x (buckets + 3)",
            inputs,
            "cascade_query_duration_seconds of the plan",
        ),
    )


def _server_figures(
    brief: Brief, count: int, shards: int, memory_gib: float, disk_gib: float
) -> tuple[Derivation, ...]:
    return (
        Derivation(
            "monitoring.shard_count",
            shards,
            "shards",
            "monitoring.series_count / series_per_node rounded up",
            (brief.given("tiers.monitoring.series_per_node"),),
        ),
        Derivation(
            "monitoring.node_count",
            count,
            "nodes",
            "max(nodes, monitoring.series_count / series_per_node rounded up)",
            (brief.given("tiers.monitoring.nodes"), brief.given("tiers.monitoring.series_per_node")),
        ),
        Derivation(
            "monitoring.memory_gib_per_node",
            memory_gib,
            "GiB",
            f"series a node x memory_kib_per_series / (1 - {CACHED_SHARE:g} page cache)",
            (brief.given("tiers.monitoring.memory_kib_per_series"),),
        ),
        Derivation(
            "monitoring.disk_gib_per_node",
            disk_gib,
            "GiB",
            f"series a node / scrape interval x retention x bytes_per_sample x {FREE_DISK_RATIO:g}",
            (
                brief.given("tiers.monitoring.scrape_interval_s"),
                brief.given("tiers.monitoring.retention_days"),
                brief.given("tiers.monitoring.bytes_per_sample"),
            ),
        ),
    )


def _findings(brief: Brief, series: int, figures: tuple[Derivation, Derivation]) -> list[Finding]:
    queries, tenants = int(figures[1].value), brief.scenario.users.tenants
    if not brief.scenario.tiers.monitoring.label_by_tenant or queries * 2 < series:
        return []
    return [
        Finding(
            "warning",
            "cardinality",
            f"the label tenant_id makes {queries:,} of {series:,} series: one for each of {tenants:,} tenants on "
            f"every pod; without it they are {queries // tenants:,}",
            "monitoring.series_count",
        )
    ]
