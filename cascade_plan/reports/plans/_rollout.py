"""The performance plan's phases, each step with this plan's figures; what is not there has no step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cascade_plan.model.fleet import NodeGroup, Sized, Workload
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.model.scenario import Load
from cascade_plan.model.titles import called
from cascade_plan.reports import _words as words
from cascade_plan.reports._marked import code, escaped
from cascade_plan.tiers.cache.settings import Settings as CacheSettings
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings
from cascade_plan.tiers.database.settings import Settings as DatabaseSettings
from cascade_plan.tiers.gateway.settings import Settings as GatewaySettings
from cascade_plan.tiers.monitoring.settings import Settings as MonitoringSettings
from cascade_plan.tiers.pool.settings import Settings as PoolSettings
from cascade_plan.tiers.websocket.settings import Settings as WebSocketSettings

ENGINES = {"redis": "Redis", "valkey": "Valkey"}
HOURS = 2
"""How long a phase takes."""


def phases(plan: Plan) -> Iterator[str]:
    """Yield the rollout as Markdown: a heading and a task list for each phase, an empty line after each."""
    second = "WebSocket scaling" if plan.of(WebSocketSettings) else "scaling"
    steps = (
        ("database optimisation", _database(plan)),
        (second, _scaling(plan)),
        ("monitoring and validation", _validation(plan)),
    )
    listed = [(title, tasks) for title, made in steps if (tasks := [*made])]
    for number, (title, tasks) in enumerate(listed, 1):
        hours = f"(hours {(number - 1) * HOURS + 1}-{number * HOURS})"
        yield from (f"### Phase {number}: {title} {hours}", "", *tasks, "")


def _task(what: str, detail: str) -> str:
    return f"- [ ] {what}: {detail}"


def _of(name: str, others: Iterable[object]) -> str:
    """Return which instance a task is of, where there are several of its kind."""
    return f" ({called(name)})" if len([*others]) > 1 else ""


def _figure(sized: Sized, leaf: str) -> str:
    """Return a figure's value in words."""
    return words.count(sized.value(leaf))


def _nodes(groups: Iterable[NodeGroup]) -> str:
    """Return groups with their instances at peak, such as cache nodes 3 x cache.r6g.large."""
    return escaped(", ".join(f"{group.name} {words.count(group.count.peak)} x {group.shape.name}" for group in groups))


def _pods(workloads: Iterable[Workload]) -> str:
    """Return how many pods of which workloads there are, such as 14 to 35 API pods."""
    return " and ".join(f"{_range(workload)} {called(workload.tier)} pods" for workload in workloads)


def _range(workload: Workload) -> str:
    return f"{words.count(workload.replica_count_min)} to {words.count(workload.replica_count_max)}"


def _load(name: str, load: Load) -> str:
    p99 = f", p99 below {words.count(load.latency_ms_p99)} ms" if load.latency_ms_p99 else ""
    return (
        f"{code(name)}: {words.count(load.users)} users, {words.count(load.spawn_rate_per_s)} more a second, for "
        f"{words.count(load.duration_s)} s, p95 below {words.count(load.latency_ms_p95)} ms{p99}"
    )


def _database(plan: Plan) -> Iterator[str]:
    databases = plan.of(DatabaseSettings)
    if not databases:
        return
    yield from _connections(plan)
    for database in databases:
        which = _of(database.name, databases)
        reads = ", and reads on the replicas" if database.sized.has("replicas") else ""
        yield _task(
            f"Deploy optimised query patterns{which}",
            f"joins instead of a query for each row{reads}: {_nodes(database.sized.groups)}",
        )
        yield _task(
            f"Create performance-oriented indexes{which}",
            f"indexes share {_storage(database.settings)} with data "
            f"that grows by {_figure(database.sized, 'growth_gib_per_month')} GiB a month",
        )
    loads = plan.scenario.driven
    lightest = min(loads, key=lambda name: loads[name].users, default=None)
    detail = "the scenario names no load" if lightest is None else f"run {_load(lightest, loads[lightest])}"
    yield _task("Validate with load testing", detail)


def _storage(settings: DatabaseSettings) -> str:
    if settings.engine == "aurora":
        return "the storage of all instances"
    return f"{words.count(settings.storage_gib)} GiB of storage on each instance"


def _connections(plan: Plan) -> Iterator[str]:
    """Yield what prepared statements share: the pools' connections, or without a pool those that pods open."""
    asking = [workload for workload in plan.fleet.workloads if workload.connection_count_per_pod]
    pools = plan.of(PoolSettings)
    shared = f", shared by {_pods(asking)}" if asking else ""
    for pool in pools:
        yield _task(
            f"Implement prepared statement caching{_of(pool.name, pools)}",
            f"a pool of {_figure(pool.sized, 'connection_count')} connections to the primary{shared}",
        )
    if not pools and asking:
        opened = (
            f"{_pods([workload])} open at most {workload.connection_count_per_pod} connections each"
            for workload in asking
        )
        yield _task("Implement prepared statement caching", ", ".join(opened))


def _scaling(plan: Plan) -> Iterator[str]:
    sockets = plan.of(WebSocketSettings)
    caches = plan.of(CacheSettings)
    for cache in caches:
        engine, which = ENGINES[cache.settings.engine], _of(cache.name, caches)
        what = f"the {engine} cluster for pub/sub" if _carries(cache.sized) else f"{engine} as a cache"
        yield _task(f"Deploy {what}{which}", _nodes(cache.sized.groups) or "serverless, without nodes")
    yield from _balancing(plan)
    for cache in caches:
        if _carries(cache.sized):
            connections = " and ".join(_figure(each.sized, "connection_count") for each in sockets)
            yield _task(
                "Set up distributed connection state",
                f"{connections} connections take {_figure(cache.sized, 'connection_state_mib')} MiB of the cache"
                + (f"'s {_figure(cache.sized, 'memory_gib')} GiB" if cache.sized.groups else ""),
            )
    for each in sockets:
        yield _task(
            "Test the open connections",
            f"{_figure(each.sized, 'connection_count')} at once over {_holders(each)}",
        )
    for workload in plan.fleet.workloads:
        if workload.serves == "jobs":
            scaled = f", scaled by the jobs that wait in {called(workload.queue)}" if workload.queue else ""
            detail = f"{_range(workload)} of them on {_nodes([plan.fleet.group_of(workload)])}{scaled}"
            yield _task(f"Deploy the {called(workload.tier)} pods", detail)


def _holders(sockets: Instance[WebSocketSettings]) -> str:
    """Return what holds the connections, and how full one may be."""
    sized, host = sockets.sized, sockets.settings.nodes_of
    if host:
        return (
            f"{_figure(sized, 'pod_count')} pods on the nodes of {called(host)}; a pod of them has "
            f"{_figure(sized, 'memory_mib_per_pod')} MiB for the connections of those that are lost"
        )
    return (
        f"{_figure(sized, 'node_count')} nodes, and {_figure(sized, 'connection_count_per_node')} on one node, which "
        f"take {_figure(sized, 'memory_mib_per_node')} MiB of its memory"
    )


def _carries(cache: Sized) -> bool:
    """Return whether a cache holds the state of open connections, and carries what is published to them."""
    return any(figure.figure == f"{cache.name}.connection_state_mib" for figure in cache.figures)


def _balancing(plan: Plan) -> Iterator[str]:
    served = {workload.group for workload in plan.fleet.workloads if workload.serves in ("requests", "connections")}
    behind = _nodes(group for group in plan.groups if group.name in served)
    sticky = "sticky session " if plan.of(WebSocketSettings) else ""
    for gateway in plan.of(GatewaySettings):
        yield _task(
            f"Implement {sticky}load balancing",
            f"an {gateway.settings.balancer.upper()} across {plan.scenario.availability.asked.zones} zones"
            + (f" in front of {behind}" if behind else ""),
        )


def _validation(plan: Plan) -> Iterator[str]:
    for monitoring in plan.of(MonitoringSettings):
        sized = monitoring.sized
        if monitoring.settings.managed:
            detail = f"a managed workspace for {_figure(sized, 'series_count')} series, and a collector that sends them"
            yield _task("Deploy Prometheus metrics", detail)
            continue
        if host := monitoring.settings.nodes_of:
            yield _task(
                "Deploy Prometheus metrics",
                f"on the nodes of {called(host)} for {_figure(sized, 'series_count')} series; each pod needs "
                f"{_figure(sized, 'memory_gib_per_pod')} GiB of memory and "
                f"{_figure(sized, 'disk_gib_per_pod')} GiB of disk for the samples",
            )
            continue
        yield _task(
            "Deploy Prometheus metrics",
            f"{_nodes(sized.groups)} for {_figure(sized, 'series_count')} series; each node needs "
            f"{_figure(sized, 'memory_gib_per_node')} GiB of memory and "
            f"{_figure(sized, 'disk_gib_per_node')} GiB of disk for the samples",
        )
    yield from _autoscaling(plan)
    yield f"- [ ] Run the load tests ({code('cascade-plan emit-loadtest')}) and {code('verify')} their results:"
    if not plan.scenario.loads:
        yield "  - [ ] the scenario names no load"
    for name, load in plan.scenario.driven.items():
        yield f"  - [ ] {_load(name, load)}"
    judged = [verdict for verdict in plan.verdicts if not verdict.figure.startswith("cost_")]
    if judged:
        yield "- [ ] Document the performance baselines, beside their gates:"
        yield from (f"  - [ ] {code(f'{verdict.figure} {words.limit_text(verdict)}')}" for verdict in judged)


def _target(workload: Workload, name: str) -> str:
    """Return a target of a workload's autoscaler in words."""
    target = workload.targets[name].value
    in_words = {
        "latency": f"p95 {words.count(target * 1000)} ms",
        "memory": f"memory {target:g}%",
        "cpu": f"CPU {target:g}%",
        "requests": f"{words.count(target)} requests/s a pod",
    }
    return in_words[name]


def _autoscaling(plan: Plan) -> Iterator[str]:
    """Yield what the autoscaler keeps of each service that answers requests."""
    scaling = plan.scenario.autoscaling
    who = "the HPA" if plan.of(ClusterSettings) else "the autoscaler"
    services = [workload for workload in plan.fleet.workloads if workload.serves == "requests"]
    for workload in services:
        nodes = plan.fleet.lever_of(workload)
        on = f" on {words.count(nodes.floor_count)} to {words.count(nodes.most_count)} nodes"
        if not plan.fleet.group_of(workload).is_nodes:
            on = ", each on no node of yours"
        yield _task(
            f"Configure the autoscaling policies{_of(workload.tier, services)}",
            f"{who} keeps {_range(workload)} pods{on}; "
            f"target{'s' * (len(workload.scaled_by) > 1)}: "
            f"{', '.join(_target(workload, name) for name in workload.scaled_by)}; up by "
            f"{words.count(scaling.scale_up_percent)}% every {scaling.scale_up_period_s} s after "
            f"{scaling.scale_up_window_s} s, down by {words.count(scaling.scale_down_percent)}% every "
            f"{scaling.scale_down_period_s} s after {scaling.scale_down_window_s} s",
        )
