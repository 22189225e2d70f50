"""Series that give every emitted rule something to do, and what it must then say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cascade_plan.emitters._watches.latency_goals import latency_goals
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.monitoring.settings import Settings as MonitoringSettings

GIB = 2**30
MINUTES = 30
"""How long the series of a case go on, a sample a minute."""


@dataclass(frozen=True, slots=True)
class Series:
    """An input series: its name with labels, and its values in promtool's notation."""

    series: str
    values: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded series' input, and its expected samples after 20 minutes: labels -> value."""

    given: tuple[Series, ...]
    expected: dict[str, float]


@dataclass(frozen=True, slots=True)
class Alerted:
    """Series that make an alert fire, and others that must not, after MINUTES."""

    fires: tuple[Series, ...]
    silent: tuple[tuple[Series, ...], ...]
    minutes: int = MINUTES
    labels: dict[str, str] = field(default_factory=dict)
    """The alert's own labels, where one name has several rules."""


def counter(per_s: float, minutes: int = MINUTES) -> str:
    """Return a counter that grows by `per_s`."""
    return f"0+{per_s * 60:g}x{minutes}"


def gauge(value: float, minutes: int = MINUTES) -> str:
    """Return a gauge that stays."""
    return f"{value:.15g}x{minutes}"


def named(metric: str, **labels: str) -> str:
    """Return a series' name with labels, without anything to escape."""
    inner = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric}{{{inner}}}"


def histogram(metric: str, cumulative: dict[str, float], **labels: str) -> tuple[Series, ...]:
    """Return a histogram's buckets and count, from requests a second up to each bound."""
    buckets = [
        Series(named(f"{metric}_bucket", **labels, le=bound), counter(rate)) for bound, rate in cumulative.items()
    ]
    return (*buckets, Series(named(f"{metric}_count", **labels), counter(list(cumulative.values())[-1])))


def prefix(namespace: str) -> str:
    """Return what the application's own metrics start with."""
    return namespace.replace("-", "_")


def requests(namespace: str, per_s: float, slow_share: float, bounds: Sequence[str]) -> tuple[Series, ...]:
    """Return good requests of which a share takes over 2.5 s and the rest under 10 ms."""
    own = prefix(namespace)
    fast = per_s * (1 - slow_share)
    cumulative = {bound: fast if bound != "5.0" else per_s for bound in bounds} | {"+Inf": per_s}
    labels = {"namespace": namespace, "pod": "api-1", "outcome": "ok"}
    return histogram(f"{own}_request_duration_seconds", cumulative, **labels)


BOUNDS = ("0.01", "0.1", "0.2", "0.3", "0.5", "2.5", "5.0")


def recordings(namespace: str) -> Iterator[tuple[str, Recorded]]:
    """Yield (record, case) for every recorded series of the scenario cascade."""
    yield from _pod_recordings(namespace)
    yield from _request_recordings(namespace)
    yield from _store_recordings(namespace)


def _pod_recordings(namespace: str) -> Iterator[tuple[str, Recorded]]:
    own = prefix(namespace)
    metric = f"{own}_query_duration_seconds"
    here = {"namespace": namespace}
    # Ten queries a second, nine within 0.2 s, all within 0.25 s: the p95 is half way between the two bounds.
    busy = histogram(metric, {"0.1": 8, "0.2": 9, "0.25": 10, "+Inf": 10}, **here, pod="busy", query_type="a")
    idle = histogram(metric, {"0.1": 0, "0.2": 0, "0.25": 0, "+Inf": 0}, **here, pod="idle", query_type="a")
    foreign = histogram(metric, {"0.1": 9, "+Inf": 9}, namespace="other", pod="foreign", query_type="a")
    up = tuple(
        Series(named("up", **here, job=f"{namespace}-api", pod=pod), gauge(value))
        for pod, value in (("busy", 1), ("idle", 1), ("new", 1), ("down", 0))
    )
    buckets = {f'{{namespace="{namespace}",pod="busy",le="{le}"}}': n for le, n in
               (("0.1", 8.0), ("0.2", 9.0), ("0.25", 10.0), ("+Inf", 10.0))}  # fmt: skip
    yield f"pod:{own}_query_duration_seconds_bucket:rate", Recorded((*busy, *foreign), buckets)
    p95 = {f'{{namespace="{namespace}",pod="{pod}"}}': n for pod, n in (("busy", 0.225), ("idle", 0.0), ("new", 0.0))}
    yield f"pod:{own}_query_duration_seconds:p95", Recorded((*busy, *idle, *foreign, *up), p95)
    answered = tuple(
        Series(named(f"{own}_request_duration_seconds_count", **labels, outcome=outcome), counter(rate))
        for labels in ({**here, "pod": "busy"}, {"namespace": "other", "pod": "foreign"})
        for outcome, rate in (("ok", 10), ("error", 2))
    )
    rates = {f'{{namespace="{namespace}",pod="{pod}"}}': n for pod, n in (("busy", 12.0), ("idle", 0.0), ("new", 0.0))}
    yield f"pod:{own}_requests:rate", Recorded((*answered, *up), rates)
    second = histogram(metric, {"+Inf": 1}, **here, pod="busy", query_type="b")
    count = {f'{{namespace="{namespace}",pod="busy"}}': 28.0}
    yield f"pod:{own}_query_series:count", Recorded((*busy, *second), count)
    fleet = {f'{{namespace="{namespace}"}}': 0.225}
    yield f"namespace:{own}_query_duration_seconds:p95", Recorded((*busy, *idle), fleet)
    # 9.9 of 10 is nine tenths of the last bucket.
    yield f"namespace:{own}_query_duration_seconds:p99", Recorded((*busy, *idle), {next(iter(fleet)): 0.245})


def _request_recordings(namespace: str) -> Iterator[tuple[str, Recorded]]:
    own = prefix(namespace)
    metric, here = f"{own}_request_duration_seconds", f'{{namespace="{namespace}"}}'
    labels = {"namespace": namespace, "pod": "api-1"}
    # Ten good requests a second: 8 within 200 ms, 9 within 300 ms, 9.5 within 500 ms. And two that fail, fast.
    cumulative = {"0.2": 8.0, "0.3": 9.0, "0.5": 9.5, "1.0": 10.0, "+Inf": 10.0}
    good = histogram(metric, cumulative, **labels, outcome="ok")
    failed = histogram(metric, dict.fromkeys(cumulative, 2.0), **labels, outcome="error")
    yield f"namespace:{own}_requests:rate5m", Recorded((*good, *failed), {here: 12})
    yield f"namespace:{own}_request_errors:ratio_rate5m", Recorded((*good, *failed), {here: 2 / 12})
    # 11.4 of 12: 11 are within 0.3 s, 11.5 within 0.5 s.
    yield f"namespace:{metric}:p95", Recorded((*good, *failed), {here: 0.3 + 0.2 * 0.4 / 0.5})
    yield f"namespace:{metric}:p99", Recorded((*good, *failed), {here: 0.5 + 0.5 * 0.38 / 0.5})
    # Two pods at 0.03 cores each answer 12 requests a second; a Redis exporter's own CPU is not theirs.
    used = tuple(
        Series(
            named("process_cpu_seconds_total", namespace=namespace, job=f"{namespace}-{job}", pod=pod), counter(0.03)
        )
        for job, pod in (("api", "a-1"), ("api", "a-2"), ("redis", "r-1"))
    )
    cpu = f"namespace:{own}_request_cpu_seconds:ratio_rate5m"
    yield cpu, Recorded((*good, *failed, *used), {here: 0.005})
    slow = {"200": 4.0, "300": 3.0, "500": 2.5}
    by_limit = {f'{{limit_ms="{limit}",namespace="{namespace}"}}': rate for limit, rate in slow.items()}
    yield f"namespace:{own}_slow_requests:rate5m", Recorded((*good, *failed), by_limit)
    ratios = {where: rate / 12 for where, rate in by_limit.items()}
    for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d"):
        yield f"namespace:{own}_slow_requests:ratio_rate{window}", Recorded((*good, *failed), ratios)
    lookups = tuple(
        Series(named(f"{own}_cache_requests_total", **labels, result=result), counter(rate))
        for result, rate in (("hit", 3), ("miss", 1))
    )
    yield f"namespace:{own}_cache_hits:ratio_rate5m", Recorded(lookups, {here: 0.75})


def _store_recordings(namespace: str) -> Iterator[tuple[str, Recorded]]:
    own = prefix(namespace)
    here, first = f'{{namespace="{namespace}"}}', f'{{namespace="{namespace}",pod="p-1"}}'

    def gauges(metric: str, label: str, values: dict[str, float]) -> tuple[Series, ...]:
        return tuple(
            Series(named(metric, namespace=namespace, pod="p-1", **{label: key}), gauge(value))
            for key, value in values.items()
        )

    sockets = gauges(f"{own}_websocket_connections", "tenant_id", {"a": 30_000, "b": 5000})
    yield f"pod:{own}_websocket_connections:sum", Recorded(sockets, {first: 35_000})
    yield f"namespace:{own}_websocket_connections:sum", Recorded(sockets, {here: 35_000})
    pool = gauges("pgbouncer_databases_current_connections", "database", {"app": 60, "pgbouncer": 0, "other": 15})
    # Those to the replicas are none of the primary's.
    pool += gauges("pgbouncer_databases_current_connections", "name", {"cascade_small_read": 60})
    yield f"namespace:{own}_pool_connections:sum", Recorded(pool, {here: 75})
    yield f"namespace:{own}_pool_connections:ratio", Recorded(pool, {here: 0.75})
    usage = gauges(f"{own}_connection_pool_usage", "pool_name", {"main": 0.5})
    fuller = Series(named(f"{own}_connection_pool_usage", namespace=namespace, pod="p-2", pool_name="main"), gauge(0.8))
    where = f'{{namespace="{namespace}",pool_name="main"}}'
    yield f"namespace:{own}_connection_pool_usage:max", Recorded((*usage, fuller), {where: 0.8})
    activity = gauges("pg_stat_activity_count", "state", {"active": 30, "idle": 70})
    most = gauges("pg_settings_max_connections", "server", {"db:5432": 400})
    yield "pod:pg_connections:ratio", Recorded((*activity, *most), {first: 0.25})
    sizes = gauges("pg_database_size_bytes", "datname", {"app": 40 * GIB, "postgres": GIB})
    yield "pod:pg_database_size_bytes:sum", Recorded(sizes, {first: 41.0 * GIB})
    memory = (
        *gauges("redis_memory_used_bytes", "instance", {"r": 3 * GIB}),
        *gauges("redis_memory_max_bytes", "instance", {"r": 4 * GIB}),
    )
    yield "pod:redis_memory:ratio", Recorded(memory, {first: 0.75})


def job_recordings(namespace: str) -> Iterator[tuple[str, Recorded]]:
    """Yield (record, case) for every series that workers and their queue add, of one worker that asks a database."""
    own = prefix(namespace)
    here, pod = {"namespace": namespace}, {"namespace": namespace, "job": f"{namespace}-worker", "pod": "w-1"}
    alone = f'{{namespace="{namespace}"}}'
    done = tuple(
        Series(named(f"{own}_jobs_total", **pod, outcome=outcome), counter(rate))
        for outcome, rate in (("ok", 9), ("error", 1))
    )
    yield f"namespace:{own}_jobs:rate5m", Recorded(done, {alone: 10})
    yield f"namespace:{own}_job_errors:ratio_rate5m", Recorded(done, {alone: 0.1})
    # 9.5 of 10 are half way from 10 to 30 s, 9.9 of 10 nine tenths of it.
    cumulative = {"5.0": 0.0, "10.0": 9.0, "30.0": 10.0, "+Inf": 10.0}
    work = histogram(f"{own}_job_duration_seconds", cumulative, **pod)
    ages = histogram(f"{own}_job_age_seconds", cumulative, **pod)
    yield f"namespace:{own}_job_duration_seconds:p95", Recorded(work, {alone: 20})
    yield f"namespace:{own}_job_age_seconds:p95", Recorded(ages, {alone: 20})
    yield f"namespace:{own}_job_age_seconds:p99", Recorded(ages, {alone: 28})
    asked = tuple(
        Series(named(f"{own}_jobs_asked_total", **here, pod=name, queue="queue"), counter(3)) for name in ("a", "b")
    )
    yield f"namespace:{own}_jobs_asked:rate5m", Recorded(asked, {alone: 6})
    queries = histogram(f"{own}_query_duration_seconds", {"0.1": 1, "+Inf": 2}, **pod, query_type="a")
    rates = {
        f'{{job="{namespace}-worker",le="{le}",namespace="{namespace}",pod="w-1"}}': rate
        for le, rate in (("0.1", 1.0), ("+Inf", 2.0))
    }
    yield f"pod:{own}_query_duration_seconds_bucket:rate", Recorded(queries, rates)


def service_recordings(namespace: str, service: str, other: str) -> Iterator[tuple[str, Recorded]]:
    """Yield (record, case) for every series of one of several services, while another one has series too."""
    own = prefix(namespace)
    job, pod = f"{namespace}-{service}", {"namespace": namespace, "job": f"{namespace}-{service}", "pod": "p-1"}
    foreign = {**pod, "job": f"{namespace}-{other}", "pod": "p-2"}
    where, of_pod = f'job="{job}",namespace="{namespace}"', f'job="{job}",namespace="{namespace}",pod="p-1"'
    metric, queries = f"{own}_request_duration_seconds", f"{own}_query_duration_seconds"
    good = histogram(metric, {"0.2": 9, "0.3": 10, "+Inf": 10}, **pod, outcome="ok")
    failed = histogram(metric, {"0.2": 10, "0.3": 10, "+Inf": 10}, **pod, outcome="error")
    others = histogram(metric, {"0.2": 0, "0.3": 7, "+Inf": 7}, **foreign, outcome="ok")
    mine = {f"{{{where}}}": 20.0}
    theirs = f'{{job="{namespace}-{other}",namespace="{namespace}"}}'
    yield f"job:{own}_requests:rate5m", Recorded((*good, *failed, *others), {**mine, theirs: 7})
    shares = {f"{{{where}}}": 0.5, theirs: 0.0}
    yield f"job:{own}_request_errors:ratio_rate5m", Recorded((*good, *failed, *others), shares)
    used, theirs_too = (
        Series(named("process_cpu_seconds_total", **labels), counter(cores))
        for labels, cores in ((pod, 0.1), (foreign, 0.14))
    )
    ratios = {f"{{{where}}}": 0.005, theirs: 0.02}
    yield f"job:{own}_request_cpu_seconds:ratio_rate5m", Recorded((*good, *failed, *others, used, theirs_too), ratios)
    # 19 of 20 within 0.2 s is the bound itself; 6.65 of 7 are 95 % of the way from 0.2 to 0.3 s.
    times = {f"{{{where}}}": 0.2, theirs: 0.295}
    yield f"job:{metric}:p95", Recorded((*good, *failed, *others), times)
    busy = histogram(queries, {"0.1": 8, "0.2": 9, "0.25": 10, "+Inf": 10}, **pod, query_type="a")
    beside = histogram(queries, {"0.1": 8, "0.2": 10, "0.25": 10, "+Inf": 10}, **foreign, query_type="a")
    up = (
        Series(named("up", **pod), gauge(1)),
        Series(named("up", **{**pod, "pod": "new"}), gauge(1)),
        Series(named("up", **foreign), gauge(1)),
    )
    p95 = {
        f"{{{of_pod}}}": 0.225,
        f'{{{where},pod="new"}}': 0.0,
        f'{{job="{namespace}-{other}",namespace="{namespace}",pod="p-2"}}': 0.175,
    }
    yield f"pod:{queries}:p95", Recorded((*busy, *beside, *up), p95)
    rates = {
        f"{{{of_pod}}}": 20.0,
        f'{{{where},pod="new"}}': 0.0,
        f'{{job="{namespace}-{other}",namespace="{namespace}",pod="p-2"}}': 7.0,
    }
    yield f"pod:{own}_requests:rate", Recorded((*good, *failed, *others, *up), rates)


def alerts(plan: Plan) -> Iterator[tuple[str, Alerted]]:
    """Yield (alert, case) for every alert but those on burn rates, which have windows of their own."""
    namespace = plan.application
    for goal in latency_goals(plan):
        rate = goal.requests_per_s
        slow, fast, crowded = (
            requests(namespace, rate * factor, share, BOUNDS) for factor, share in ((0.5, 0.2), (0.5, 0.0), (1.5, 0.2))
        )
        yield "LatencyGoalMissed", Alerted(slow, (fast, crowded), labels={"figure": goal.figure})
    yield from _success(namespace)
    yield from _limits(plan, namespace)
    yield from _servers(namespace)
    yield from _cluster(namespace)
    yield from _monitoring(plan, namespace)


def _gauges(metric: str, fires: float, silent: float, minutes: int = MINUTES, **labels: str) -> Alerted:
    """Return a case of one gauge on either side of its limit."""
    series = named(metric, **labels)
    return Alerted((Series(series, gauge(fires, minutes)),), ((Series(series, gauge(silent, minutes)),),), minutes)


def _success(namespace: str) -> Iterator[tuple[str, Alerted]]:
    own = prefix(namespace)
    here = {"namespace": namespace}

    def lookups(hits: float, misses: float) -> tuple[Series, ...]:
        return tuple(
            Series(named(f"{own}_cache_requests_total", **here, pod="a", result=result), counter(rate))
            for result, rate in (("hit", hits), ("miss", misses))
        )

    yield "CacheHitRatioMissed", Alerted(lookups(8.9, 1.1), (lookups(9.1, 0.9), lookups(0, 0)))
    nodes = [tuple(Series(named("kube_node_info", node=str(n)), gauge(1, 90)) for n in range(k)) for k in (10, 9)]
    yield "NodesOverCostCeiling", Alerted(nodes[0], (nodes[1],), 90)
    pool = "pgbouncer_databases_current_connections"
    yield "DatabaseConnectionsOverGoal", _gauges(pool, 100, 99, **here, pod="p", database="app")
    yield "WebSocketNodeFull", _gauges(f"{own}_websocket_connections", 50_000, 49_999, **here, pod="ws-1")


def _limits(plan: Plan, namespace: str) -> Iterator[tuple[str, Alerted]]:
    own = prefix(namespace)
    hpa = {"namespace": namespace, "horizontalpodautoscaler": f"{namespace}-api"}
    here = {"namespace": namespace, "pod": "p"}
    name = "kube_horizontalpodautoscaler_"
    most = Series(named(f"{name}spec_max_replicas", **hpa), gauge(35))
    full, below = (Series(named(f"{name}status_current_replicas", **hpa), gauge(n)) for n in (35, 34))
    brief = Series(named(f"{name}status_current_replicas", **hpa), "34x20 35x10")
    yield "AutoscalerAtCeiling", Alerted((full, most), ((below, most), (brief, most)))
    condition = {**hpa, "condition": "ScalingActive", "status": "false"}
    yield "AutoscalerWithoutMetric", _gauges(f"{name}status_condition", 1, 0, **condition)
    yield "WebSocketNodeNearlyFull", _gauges(f"{own}_websocket_connections", 40_001, 39_999, **here)
    pool = {**here, "database": "app"}
    yield "PoolNearlyFull", _gauges("pgbouncer_databases_current_connections", 91, 90, **pool)
    allowed = Series(named("pg_settings_max_connections", **here), gauge(100))
    used, fewer = (Series(named("pg_stat_activity_count", **here), gauge(n)) for n in (91, 89))
    yield "DatabaseConnectionsNearlyMax", Alerted((used, allowed), ((fewer, allowed),))
    size = named("pg_database_size_bytes", **here, datname="app")
    # 1 GiB an hour is 96 GiB in four days, half a GiB an hour 48, and 60 are left until the disk grows no more.
    start = int(plan.figure("database.storage_gib_max")) - 60
    grows, slower = (Series(size, f"{start * GIB}+{rate * GIB / 60:.0f}x90") for rate in (1, 0.49))
    yield "DatabaseDiskFillsUp", Alerted((grows,), ((slower,),), 90)
    yield "ReplicaLags", _gauges("pg_replication_lag_seconds", 31, 29, **here)
    limit = Series(named("redis_memory_max_bytes", **here), gauge(100))
    unlimited = Series(named("redis_memory_max_bytes", **here), gauge(0))
    fuller, emptier = (Series(named("redis_memory_used_bytes", **here), gauge(n)) for n in (91, 89))
    yield "CacheMemoryNearlyFull", Alerted((fuller, limit), ((emptier, limit), (fuller, unlimited)))


def _servers(namespace: str) -> Iterator[tuple[str, Alerted]]:
    own, here = prefix(namespace), {"namespace": namespace, "pod": "p"}
    yield "DatabaseDown", _gauges("pg_up", 0, 1, **here)
    yield "CacheNodeDown", _gauges("redis_up", 0, 1, **here)
    down, up = (Series(named("pgbouncer_up", namespace=namespace, pod=f"p-{n}"), gauge(n)) for n in (0, 1))
    yield "PoolDown", Alerted((down,), ((down, up),))
    pool = {**here, "database": "app", "user": "app_user"}
    yield "PoolClientsWait", _gauges("pgbouncer_pools_client_waiting_connections", 1, 0, **pool)
    yield "PoolClientsWaitLong", _gauges("pgbouncer_pools_client_maxwait_seconds", 6, 5, **pool)
    counted = named(f"{own}_request_duration_seconds_count", **here, outcome="ok")
    ends, goes_on, few = (Series(counted, text) for text in ("0+300x20 6000x40", "0+300x60", "0+6x20 120x40"))
    yield "RequestsVanished", Alerted((ends,), ((goes_on,), (few,)), 40)
    many, some = (Series(named(f"{own}_websocket_connections", **here, tenant_id="a"), gauge(n)) for n in (2000, 1))
    yield "ConnectedWithoutRequests", Alerted((many,), ((some,), (many, Series(counted, counter(1)))))


def _cluster(namespace: str) -> Iterator[tuple[str, Alerted]]:
    here = {"namespace": namespace, "pod": "p"}
    asked = Series(named("kube_pod_container_resource_requests", **here, container="c", resource="cpu"), gauge(0.5))
    used, less = (
        Series(named("container_cpu_usage_seconds_total", **here, container="c"), counter(n)) for n in (0.6, 0.4)
    )
    pause = Series(named("container_cpu_usage_seconds_total", **here, container=""), counter(9))
    yield "PodCpuAboveRequest", Alerted((used, asked), ((less, asked, pause),))
    periods, held, free = (
        Series(named(f"container_cpu_cfs_{what}periods_total", **here, container="c"), counter(n))
        for what, n in (("", 10), ("throttled_", 3), ("throttled_", 2))
    )
    yield "ContainerThrottled", Alerted((periods, held), ((periods, free),))
    restarts = named("kube_pod_container_status_restarts_total", **here, container="c")
    reason = "kube_pod_container_status_last_terminated_reason"
    killed, ended = (
        Series(named(reason, **here, container="c", reason=why), gauge(1)) for why in ("OOMKilled", "Completed")
    )
    once, again = Series(restarts, "0x25 1x10"), Series(restarts, "0+1x10 10x30")
    yield "ContainerOutOfMemory", Alerted((once, killed), ((once, ended), (Series(restarts, "1x40"), killed)))
    yield "PodRestartsOften", Alerted((again,), ((once,),))
    state = "kube_node_status_condition"
    ready = {"node": "n", "condition": "Ready", "status": "true"}
    yield "NodeNotReady", _gauges(state, 0, 1, **ready)
    yield "NodeUnderPressure", _gauges(state, 1, 0, **{**ready, "condition": "DiskPressure"})
    disk, volume = {"node": "n", "mountpoint": "/"}, {"namespace": namespace, "persistentvolumeclaim": "v"}
    for alert, what, free_is, labels in (
        ("NodeDiskFillsUp", ("node_filesystem_size_bytes", "node_filesystem_avail_bytes"), 9, disk),
        ("VolumeFillsUp", ("kubelet_volume_stats_capacity_bytes", "kubelet_volume_stats_available_bytes"), 9, volume),
    ):
        size = Series(named(what[0], **labels), gauge(100))
        full, roomy = (Series(named(what[1], **labels), gauge(n)) for n in (free_is, free_is + 2))
        yield alert, Alerted((size, full), ((size, roomy),))


def job_alerts(plan: Plan) -> Iterator[tuple[str, Alerted]]:
    """Yield (alert, case) for what workers and their queue add."""
    own = prefix(plan.application)
    namespace = plan.application
    here = {"namespace": namespace}
    (worker,) = (each for each in plan.fleet.workloads if each.serves == "jobs")
    pod = {**here, "job": worker.name, "pod": "w"}

    def ages(old: float) -> tuple[Series, ...]:
        cumulative = {"10.0": 10 - old, "30.0": 10 - old, "60.0": 10.0, "+Inf": 10.0}
        return histogram(f"{own}_job_age_seconds", cumulative, **pod)

    yield "JobAgeMissed", Alerted(ages(0.2), (ages(0.05), ages(0)), labels={"figure": "worker.age_s_p99"})
    pods = [
        tuple(Series(named("up", **{**pod, "pod": str(n)}), gauge(1)) for n in range(count))
        for count in (worker.replica_count_max, worker.replica_count_max - 1)
    ]
    down = (*pods[1], Series(named("up", **{**pod, "pod": "down"}), gauge(0)))
    yield "WorkersAtCeiling", Alerted(pods[0], (pods[1], down))
    asked = Series(named(f"{own}_jobs_asked_total", **here, pod="a", queue="queue"), counter(2))
    unasked = Series(named(f"{own}_jobs_asked_total", **here, pod="a", queue="queue"), counter(0))
    done = Series(named(f"{own}_jobs_total", **pod, outcome="ok"), counter(1))
    idle = Series(named(f"{own}_jobs_total", **pod, outcome="ok"), counter(0))
    yield "JobsLeftUndone", Alerted((asked, idle), ((asked, done), (unasked, idle), (unasked,)))
    up, other = (Series(named("up", **{**pod, "job": job}), gauge(1)) for job in (worker.name, f"{namespace}-api"))
    yield "TargetsMissing", Alerted((other,), ((up,),), labels={"component": "worker"})


def of_both(plan: Plan) -> Iterator[tuple[str, Alerted]]:
    """Yield (alert, case) for each of two instances of a kind: what fires for one is silent about the other."""
    own = prefix(plan.application)
    here = {"namespace": plan.application}
    for service, subject, other in (("api", "autoscaler", "search"), ("search", "search-autoscaler", "api")):
        condition = {"condition": "ScalingActive", "status": "false"}
        fires, silent = (
            Series(
                named(
                    "kube_horizontalpodautoscaler_status_condition", **here, horizontalpodautoscaler=name, **condition
                ),
                gauge(1),
            )
            for name in (f"cascade-{service}", f"cascade-{other}")
        )
        yield "AutoscalerWithoutMetric", Alerted((fires,), ((silent,),), labels={"subject": subject})
        up, missing = (
            Series(named("up", **here, job=f"cascade-{name}", pod="p"), gauge(1)) for name in (other, service)
        )
        yield "TargetsMissing", Alerted((up,), ((missing,),), labels={"component": service})
    for one, another, subject in (
        ("postgres", "reports-postgres", "database"),
        ("reports-postgres", "postgres", "reports"),
    ):
        lag, other_lag = (
            Series(named("pg_replication_lag_seconds", **here, job=f"cascade-{job}", pod="p"), gauge(31))
            for job in (one, another)
        )
        yield "ReplicaLags", Alerted((lag,), ((other_lag,),), labels={"subject": subject})
    for one, another, subject in (("redis", "sessions-redis", "cache"), ("sessions-redis", "redis", "sessions")):
        full, empty = (
            tuple(
                Series(named(f"redis_memory_{what}_bytes", **here, job=f"cascade-{job}", pod="p"), gauge(value))
                for what, value in (("used", 91), ("max", 100))
            )
            for job in (one, another)
        )
        yield "CacheMemoryNearlyFull", Alerted(full, (empty,), labels={"subject": subject})
    for one, another, figure in (("cache", "sessions", "cache.hit_ratio"), ("sessions", "cache", "sessions.hit_ratio")):
        missed, others = (
            tuple(
                Series(named(f"{own}_cache_requests_total", **here, pod="p", cache=name, result=result), counter(rate))
                for result, rate in (("hit", 4), ("miss", 6))
            )
            for name in (one, another)
        )
        yield "CacheHitRatioMissed", Alerted(missed, (others,), labels={"figure": figure})
    pool = "pgbouncer_databases_current_connections"
    for one, another, subject in (
        ("pgbouncer", "reports-pool-pgbouncer", "pool"),
        ("reports-pool-pgbouncer", "pgbouncer", "reports_pool"),
    ):
        nearly, other_pool = (
            Series(named(pool, **here, job=f"cascade-{job}", pod="p", database="app"), gauge(91))
            for job in (one, another)
        )
        yield "PoolNearlyFull", Alerted((nearly,), ((other_pool,),), labels={"subject": subject})
    for queue, worker, other_worker in (("queue", "worker", "mailer"), ("mails", "mailer", "worker")):
        asked = Series(named(f"{own}_jobs_asked_total", **here, pod="a", queue=queue), counter(2))
        mine, theirs = (
            Series(named(f"{own}_jobs_total", **here, job=f"cascade-{name}", pod="w", outcome="ok"), counter(1))
            for name in (worker, other_worker)
        )
        yield "JobsLeftUndone", Alerted((asked, theirs), ((asked, mine),), labels={"subject": queue})


def _by_tenant(plan: Plan) -> bool:
    return all(monitoring.settings.label_by_tenant for monitoring in plan.of(MonitoringSettings))


def _monitoring(plan: Plan, namespace: str) -> Iterator[tuple[str, Alerted]]:
    own = prefix(namespace)
    here = {"namespace": namespace}
    budget = int(plan.figure("monitoring.series_count"))
    yield "SeriesOverBudget", _gauges("prometheus_tsdb_head_series", budget + 1, budget, 90, **here)
    children = int(plan.figure("monitoring.query_series_count")) // 14
    # With a label for each tenant the budget is tens of thousands of series: the same rule is tested without.
    if not _by_tenant(plan):
        over, within = (
            tuple(
                Series(named(f"{own}_query_duration_seconds_count", **here, pod="a", query_type=str(n)), gauge(1))
                for n in range(count)
            )
            for count in (children + 1, children)
        )
        yield "QuerySeriesOverBudget", Alerted(over, (within,))
    if not _by_tenant(plan):
        job = {**here, "job": f"{namespace}-api", "pod": "a"}
        scraped = Series(named("scrape_samples_scraped", **job), gauge(200))
        kept, fewer = (Series(named("scrape_samples_post_metric_relabeling", **job), gauge(n)) for n in (200, 150))
        yield "TenantSeriesDropped", Alerted((scraped, fewer), ((scraped, kept),))
    yield "TargetDown", _gauges("up", 0, 1, **here, job=f"{namespace}-redis", pod="r")
    yield "Watchdog", Alerted((Series("anything", gauge(1)),), ())
    for component in ("api", "websocket"):
        up, other = (
            Series(named("up", **here, job=f"{namespace}-{job}", pod="p"), gauge(1)) for job in (component, "redis")
        )
        yield "TargetsMissing", Alerted((other,), ((up,),), labels={"component": component})
        pods = [
            tuple(
                Series(named("up", **here, job=f"{namespace}-{component}", pod=f"p-{n}"), gauge(int(n < answering)))
                for n in range(3)
            )
            for answering in (1, 2)
        ]
        yield "WorkloadDown", Alerted(pods[0], (pods[1],), labels={"component": component})
    exporters = {f"{name}-exporter": {**here, "job": f"{namespace}-{name}"} for name in EXPORTERS}
    others = {name: {"job": name} for name in OF_CLUSTER}
    for component, labels in {**exporters, **others}.items():
        case = _gauges("up", 0, 1, **labels, instance="i")
        yield "TargetsMissing", Alerted(case.fires, case.silent, labels={"component": component})


EXPORTERS = ("postgres", "pgbouncer", "redis")
OF_CLUSTER = ("kube-state-metrics", "cadvisor", "kubelet", "node-exporter")


def healthy(plan: Plan) -> tuple[Series, ...]:
    """Return the series of two hours of the scenario cascade in which nothing is wrong, with the read pools busy."""
    namespace, minutes = plan.application, 120
    own, here = prefix(namespace), {"namespace": namespace}
    labels = {**here, "pod": "api-1", "outcome": "ok"}
    request = f"{own}_request_duration_seconds"
    found = [Series(named(f"{request}_bucket", **labels, le=le), counter(1000, minutes)) for le in (*BOUNDS, "+Inf")]
    found.append(Series(named(f"{request}_count", **labels), counter(1000, minutes)))
    for job in ("api", "websocket", *EXPORTERS):
        found += [
            Series(named("up", **here, job=f"{namespace}-{job}", pod=f"{job}-{n}"), gauge(1, minutes)) for n in (1, 2)
        ]
    found += [Series(named("up", job=job, node="n"), gauge(1, minutes)) for job in OF_CLUSTER]
    hpa, pod = {**here, "horizontalpodautoscaler": f"{namespace}-api"}, {**here, "pod": "p-1"}
    container = {**pod, "container": "c"}
    for metric, labels, value in (
        ("kube_horizontalpodautoscaler_status_current_replicas", hpa, 14),
        ("kube_horizontalpodautoscaler_spec_max_replicas", hpa, 35),
        ("kube_node_info", {"node": "n"}, 1),
        ("kube_node_status_condition", {"node": "n", "condition": "Ready", "status": "true"}, 1),
        ("kube_node_status_condition", {"node": "n", "condition": "DiskPressure", "status": "true"}, 0),
        ("kube_pod_container_status_restarts_total", container, 1),
        ("kube_pod_container_status_last_terminated_reason", {**container, "reason": "OOMKilled"}, 1),
        ("pg_up", pod, 1),
        ("pg_replication_lag_seconds", pod, 1),
        ("pg_stat_activity_count", {**pod, "state": "active"}, 30),
        ("pg_settings_max_connections", pod, 125),
        ("redis_up", pod, 1),
        ("redis_memory_used_bytes", pod, 1),
        ("redis_memory_max_bytes", pod, 4),
        ("pgbouncer_up", pod, 1),
        ("pgbouncer_databases_current_connections", {**pod, "name": namespace}, 60),
        ("pgbouncer_databases_current_connections", {**pod, "name": f"{namespace}_read"}, 60),
        ("pgbouncer_pools_client_waiting_connections", {**pod, "database": namespace}, 0),
        ("pgbouncer_pools_client_maxwait_seconds", {**pod, "database": namespace}, 0),
        (f"{own}_websocket_connections", {**pod, "tenant_id": "a"}, 10_000),
        ("prometheus_tsdb_head_series", here, 1000),
    ):
        found.append(Series(named(metric, **labels), gauge(value, minutes)))
    found += [
        Series(named(f"{own}_cache_requests_total", **pod, result=result), counter(rate, minutes))
        for result, rate in (("hit", 95), ("miss", 5))
    ]
    return tuple(found)


def out_after_an_hour(plan: Plan) -> tuple[Series, ...]:
    """Return the same, but after an hour no pod of the application answers, and what they counted is gone."""
    own, jobs = prefix(plan.application), ("api", "websocket")

    def since(each: Series) -> Series:
        if any(f'job="{plan.application}-{job}"' in each.series for job in jobs):
            return Series(each.series, "1x59 0x60")
        start = each.values.partition("x")[0]
        return Series(each.series, f"{start}x59") if each.series.startswith(own) else each

    return tuple(map(since, healthy(plan)))


def observations(namespace: str) -> tuple[tuple[Series, ...], dict[str, float]]:
    """Return series of a running system of the scenario cascade, and what each of its measures then is by its label."""
    own, here = prefix(namespace), {"namespace": namespace}
    api = {**here, "job": f"{namespace}-api"}
    request = f"{own}_request_duration_seconds"
    given = [
        *(Series(named("process_cpu_seconds_total", **api, pod=pod), counter(0.3)) for pod in ("a", "b")),
        Series(named("process_cpu_seconds_total", **here, job=f"{namespace}-redis", pod="r"), counter(9)),
        *(Series(named("up", **api, pod=pod), gauge(up)) for pod, up in (("a", 1), ("b", 1), ("down", 0))),
        *histogram(request, {"0.0025": 50, "0.005": 95, "0.01": 100, "+Inf": 100}, **api, pod="a", outcome="ok"),
        Series(named(f"{request}_sum", **api, pod="a", outcome="ok"), counter(0.4)),
    ]
    given += [
        Series(named(f"container_cpu_cfs_{what}periods_total", **here, pod=pod, container="api"), counter(rate))
        for what, rates in (("throttled_", (1, 5)), ("", (10, 5)))
        for pod, rate in zip((f"{namespace}-api-7d9", "other-1"), rates, strict=True)
    ]
    counters: tuple[tuple[str, dict[str, str], float], ...] = (
        (f"{own}_action_requests_total", {"action": "list_workrooms"}, 75),
        (f"{own}_action_requests_total", {"action": "create_message"}, 25),
        (f"{own}_cache_requests_total", {"result": "hit"}, 45),
        (f"{own}_cache_requests_total", {"result": "miss"}, 5),
        ("redis_cpu_sys_seconds_total", {}, 0.1),
        ("redis_cpu_user_seconds_total", {}, 0.2),
        ("redis_cpu_sys_main_thread_seconds_total", {}, 0.05),
        ("redis_cpu_user_main_thread_seconds_total", {}, 0.2),
        (f"{own}_query_duration_seconds_count", {"query_type": "list_workrooms_read"}, 60),
        ("pgbouncer_stats_sql_transactions_pooled_total", {"database": "app"}, 30),
        ("pgbouncer_process_cpu_seconds_total", {}, 0.01),
    )
    given += [
        Series(named(metric, **here, pod=pod, **labels), counter(rate))
        for metric, labels, rate in counters
        for pod in ("p-1", "p-2")
    ]
    gauges = (
        ("pg_stat_activity_count", {"state": "active"}, 12),
        ("pg_stat_activity_count", {"state": "idle"}, 30),
        ("pgbouncer_pools_server_active_connections", {"user": "app_user"}, 7),
        ("pgbouncer_pools_client_waiting_connections", {"user": "app_user"}, 3),
    )
    given += [Series(named(metric, **here, pod="p", **labels), gauge(value)) for metric, labels, value in gauges]
    foreign = [Series(each.series.replace(f'"{namespace}"', '"other"'), each.values) for each in given]
    expected = {
        "cores:api": 0.6,
        "pods:api": 2.0,
        "throttled_share:api": 0.1,
        "requests_per_s:api": 100.0,
        "response_ms_mean:api": 4.0,
        # Half are within 2.5 ms, 95 of 100 within 5 ms, and 99 four fifths of the way from 5 to 10 ms.
        "response_ms_p50:api": 2.5,
        "response_ms_p95:api": 5.0,
        "response_ms_p99:api": 9.0,
        "route_requests_per_s:list_workrooms": 150.0,
        "route_requests_per_s:create_message": 50.0,
        "cache_hits_per_s:cache": 90.0,
        "cache_misses_per_s:cache": 10.0,
        "cores:cache": 0.6,
        "engine_share:cache": 0.25,
        "connections:database": 42.0,
        "queries_per_s:database": 120.0,
        "transactions_per_s:pool": 60.0,
        "cores:pool": 0.02,
        "pool_connections_used:pool": 7.0,
        "pool_waiting:pool": 3.0,
    }
    return (*given, *foreign), expected
