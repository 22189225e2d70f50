"""Prometheus: series, memory, disk and the nodes that hold them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from cascade_plan.formulas.draws import whole
from cascade_plan.formulas.latency_buckets import BESIDE_BOUNDS, bounds_s
from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Guest, Lever, Sized, Usage, Workload
from cascade_plan.model.offer import Offer
from cascade_plan.model.part import Need
from cascade_plan.model.series import QUERY, own
from cascade_plan.tiers.monitoring import managed
from cascade_plan.tiers.monitoring.settings import PROGRAMS, PROGRAMS_CORES, PROGRAMS_MIB, Settings
from cascade_plan.units import GIB

AFTER: tuple[str, ...] = ("api", "websocket", "worker")
FREE_DISK_RATIO = 1.2
"""The write-ahead log and compaction need room beside the blocks, https://prometheus.io/docs/prometheus/latest/storage/"""
CACHED_SHARE = 0.25
"""Memory left to the page cache, which serves queries of older blocks (assumption)."""
NOT_EMITTED = "Prometheus, Alertmanager and Grafana: no cluster runs them, start them with the files of emit-monitoring"
NOT_COLLECTED = "the collector and Grafana: run by their own charts, with the files of emit-monitoring"


def size(ask: Ask[Settings]) -> Sized:
    """Return the Prometheus nodes that hold every series of the fleet at its ceiling."""
    settings = ask.settings
    figures, per_pod, per_socket = _series(ask)
    series = whole(figures[0].value)
    if settings.managed:
        sized = managed.size(ask, figures, per_pod, per_socket)
        return replace(
            sized,
            findings=(*sized.findings, *_findings(ask, series, figures)),
            not_emitted=(NOT_COLLECTED if ask.scenario.of("cluster") else NOT_EMITTED,),
        )
    server = _Server.of(settings, series)
    if ask.host:
        return _in_pods(ask, figures, server)
    count, memory_gib = server.count, server.memory_gib
    # Not checked: a scenario's own need has bounds, and what no shape has is said with the largest there is.
    need = Need.model_construct(vcpu=2, memory_gib=memory_gib + _node_overhead_gib(ask))
    shape = ask.cheapest(f"tiers.{ask.name}", "vm", need)
    unrequested_share = max(0.0, 1 - memory_gib * 1024 / ask.allocatable(shape).memory_mib)
    group = ask.nodes(shape, Band.constant(count), unrequested_share, data_gib=ceil(server.disk_gib))
    return Sized(
        ask.name,
        "monitoring",
        groups=(group,),
        figures=(*figures, *_server_figures(ask, server, "node")),
        findings=tuple(_findings(ask, series, figures)),
        levers=(Lever(f"{ask.name}.node_count", count, count, count, "rules"),),
        not_emitted=() if ask.scenario.of("cluster") else (NOT_EMITTED,),
    )


@dataclass(frozen=True, slots=True)
class _Server:
    """What one Prometheus takes, and how many there are."""

    shards: int
    count: int
    memory_gib: float
    disk_gib: float

    @classmethod
    def of(cls, settings: Settings, series: int) -> _Server:
        """Return the servers that hold so many series."""
        shards = max(1, ceil(series / settings.series_per_node))
        # Two servers at the scenario's count hold the same series (high availability); only shards divide them.
        each = series / shards
        resident_gib = settings.idle_memory_mib / 1024 + each * settings.memory_kib_per_series / 2**20
        kept_s = settings.retention_days * 86_400
        disk_gib = each / settings.scrape_interval_s * kept_s * settings.bytes_per_sample * FREE_DISK_RATIO / GIB
        return cls(shards, max(settings.nodes, shards), resident_gib / (1 - CACHED_SHARE), disk_gib)


def _in_pods(ask: Ask[Settings], figures: tuple[Derivation, ...], server: _Server) -> Sized:
    """Return the servers, and what runs beside them, as pods on the nodes of a service; their disks are volumes."""
    settings, count = ask.settings, Band.constant(server.count)
    volumes = count.times(max(1, ceil(server.disk_gib)))
    beside_cores, beside_mib = PROGRAMS_CORES / PROGRAMS, ceil(PROGRAMS_MIB / PROGRAMS)
    return Sized(
        ask.name,
        "monitoring",
        usages=(Usage(ask.name, f"{ask.name} volumes", Offer("disk"), volumes, "gib_month"),),
        figures=(*figures, *_server_figures(ask, server, "pod")),
        findings=tuple(_findings(ask, whole(figures[0].value), figures)),
        guests=(
            Guest(
                ask.name, "servers", ask.host, settings.cpu_cores, ceil(server.memory_gib * 1024), count,
                count.times(settings.cpu_cores),
            ),
            Guest(
                ask.name, "programs beside them", ask.host, beside_cores, beside_mib, Band.constant(PROGRAMS),
                Band.constant(PROGRAMS_CORES),
            ),
        ),
    )  # fmt: skip


def _node_overhead_gib(ask: Ask[Settings]) -> float:
    """Return a bound on what kubelet, hypervisor and daemonsets take of a node: 10 % and 2 GiB."""
    cluster = ask.settings_of("cluster")
    return 2 + (cluster.daemonset_memory_mib / 1024 if cluster is not None else 0)


def _series(ask: Ask[Settings]) -> tuple[tuple[Derivation, ...], int, int]:
    """Return how many series there are, and where a database is queried how many of them are of the queries.

    Beside them those of one pod, and of one that holds connections.
    """
    settings, users = ask.settings, ask.scenario.users
    workloads = [workload for sized in ask.fleet.values() for workload in sized.workloads]
    pods = _pods(workloads, "requests") + _pods(workloads, "jobs")
    sockets = _pods(workloads, "connections")
    tenants = users.tenants if settings.label_by_tenant else 1
    bounds = bounds_s(ask.scenario.latency_limits_ms)
    each = len(bounds) + BESIDE_BOUNDS
    has_queries, has_pool = bool(ask.scenario.of("database")), bool(ask.scenario.of("pool"))
    queries = pods * settings.query_types * tenants * each if has_queries else 0
    gauges = (pods if has_pool else 0) + sockets * tenants
    total = queries + gauges + (pods + sockets) * settings.other_series_per_pod
    counted = [each_.tier for each_ in workloads if each_.serves != "connections"]
    inputs = (
        *(ask.computed(f"{tier}.replica_count.max") for tier in counted),
        ask.given("users.tenants"),
        ask.own("label_by_tenant"),
        *((ask.own("query_types"),) if has_queries else ()),
        Input("buckets", " ".join(f"{bound:g}" for bound in bounds), "built-in and every latency limit, in seconds"),
    )
    query_series = ask.figure(
        "query_series_count",
        queries,
        "series",
        f"{' + '.join(f'{tier}.replica_count.max' for tier in counted) or 0} x query_types x tenants x (buckets + 3)",
        inputs,
        f"{own(ask.scenario, QUERY)}, the histogram of queries",
    )
    series = ask.figure(
        "series_count",
        total,
        "series",
        _formula(has_queries, has_pool, bool(sockets)),
        (*inputs, ask.own("other_series_per_pod")),
        f"a Prometheus histogram child with {len(bounds)} buckets is {each} series",
    )
    per_pod = (settings.query_types * tenants * each if has_queries else 0) + has_pool + settings.other_series_per_pod
    found = (series, query_series) if has_queries else (series,)
    return found, per_pod, tenants + settings.other_series_per_pod


def _formula(has_queries: bool, has_pool: bool, has_sockets: bool) -> str:
    children, gauge = "query_types x tenants x (buckets + 3)", "1"
    of_a_pod = [part for part, has in ((children, has_queries), (gauge, has_pool)) if has]
    terms = [f"pods x ({' + '.join(of_a_pod)})"] if of_a_pod else []
    terms += ["websocket pods x tenants"] if has_sockets else []
    return " + ".join([*terms, "all pods x other_series"])


def _pods(workloads: list[Workload], serves: str) -> int:
    return sum(workload.replica_count_max for workload in workloads if workload.serves == serves)


def _server_figures(ask: Ask[Settings], server: _Server, what: str) -> tuple[Derivation, ...]:
    """Return the servers' figures; each is a node, or a pod."""
    return (
        ask.figure(
            "shard_count",
            server.shards,
            "shards",
            f"{ask.name}.series_count / series_per_node rounded up",
            (ask.own("series_per_node"),),
        ),
        ask.figure(
            f"{what}_count",
            server.count,
            f"{what}s",
            f"max(nodes, {ask.name}.series_count / series_per_node rounded up)",
            (ask.own("nodes"), ask.own("series_per_node")),
        ),
        ask.figure(
            f"memory_gib_per_{what}",
            server.memory_gib,
            "GiB",
            f"(idle_memory_mib + series a {what} x memory_kib_per_series) / (1 - {CACHED_SHARE:g} page cache)",
            (ask.own("idle_memory_mib"), ask.own("memory_kib_per_series")),
        ),
        ask.figure(
            f"disk_gib_per_{what}",
            server.disk_gib,
            "GiB",
            f"series a {what} / scrape interval x retention x bytes_per_sample x {FREE_DISK_RATIO:g}",
            (
                ask.own("scrape_interval_s"),
                ask.own("retention_days"),
                ask.own("bytes_per_sample"),
            ),
        ),
    )


def _queries(figures: tuple[Derivation, ...]) -> int:
    """Return the series of the queries: none without a database."""
    return sum(whole(figure.value) for figure in figures[1:])


def _findings(ask: Ask[Settings], series: int, figures: tuple[Derivation, ...]) -> list[Finding]:
    queries, tenants = _queries(figures), ask.scenario.users.tenants
    if not ask.settings.label_by_tenant or queries * 2 < series:
        return []
    return [
        Finding(
            "warning",
            "cardinality",
            f"the label tenant_id makes {queries:,} of {series:,} series: one for each of {tenants:,} tenants on "
            f"every pod; without it they are {queries // tenants:,}",
            f"{ask.name}.series_count",
        )
    ]
