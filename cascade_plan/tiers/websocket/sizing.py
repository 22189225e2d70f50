"""WebSocket nodes: how many hold the open connections, with room for what these send."""

from __future__ import annotations

from math import ceil

from cascade_plan.formulas.losses import least_count
from cascade_plan.model import node_network
from cascade_plan.model.ask import Ask, nodes_of
from cascade_plan.model.ceiling import Demand
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Guest, Lever, NodeGroup, Sized, Streams, Workload
from cascade_plan.tiers.websocket import limits
from cascade_plan.tiers.websocket.settings import Settings

AFTER: tuple[str, ...] = ()
OPEN_FILES_MOST = 1_048_576
"""Files one process may open unless fs.nr_open is raised, https://docs.kernel.org/admin-guide/sysctl/fs.html"""
FILES_BESIDE = 1024
"""Of these, what nginx has open beside connections that it passes on: listeners, logs, checks (assumption)."""
PROXIES_LEAST = 2
"""One may be lost or replaced while another answers."""
NODES_MOST = 100_000
"""No search for a count goes beyond this."""


def size(ask: Ask[Settings]) -> Sized:
    """Return the WebSocket node group, which does not scale: open connections must not be cut to save a node."""
    if ask.host:
        return _in_pods(ask)
    settings = ask.settings
    shape = ask.shape("vm")
    connections = ask.traffic.users.times(settings.connections_per_user)
    work = limits.Work.of(ask, min(1.0, ask.allocatable(shape).cpu_m / 1000), connections, shape.speed)
    least, given_least = ask.least("minimum_nodes", ask.scenario.availability.asked.node_count)
    count = settings.nodes or _count(ask, work, least)
    streams = _streams(ask, connections, work.listener_count(count))
    node = ask.allocatable(shape)
    used_mib = limits.memory_mib(settings, work.connections / count)
    unrequested_share = max(0.0, 1 - used_mib / node.memory_mib) if node.memory_mib else 0.0
    group = ask.nodes(shape, Band.constant(count), unrequested_share)
    set_by = "pinned" if settings.nodes else "rules" if ask.solution is None else "method"
    workload, sent = _workload(ask, group, work, count), _sent(ask, streams)
    return Sized(
        ask.name,
        "websocket",
        groups=(group,),
        figures=(
            *_figures(ask, work.connections, count, given_least, node.memory_mib),
            *limits.figures(ask, work, count),
            *_proxy_figures(ask, work.connections),
            node_network.figure(ask, shape, count, sent, "messages delivered and answers to heartbeats"),
        ),
        findings=(
            *limits.findings(ask, shape, work, count),
            *_proxy_findings(ask, work.connections),
            *_unused_findings(ask, work.connections, count),
            *node_network.findings(ask, shape),
            *ask.speed_findings(shape),
        ),
        ceilings=(
            *limits.ceilings(ask, shape, work, count),
            *node_network.ceilings(ask, shape, count, sent, "message_bytes", "recipients_per_message"),
        ),
        levers=(Lever(f"{ask.name}.node_count", count, count, count, set_by),),
        workloads=(workload,),
        streams=streams,
    )


def _in_pods(ask: Ask[Settings]) -> Sized:
    """Return the pods on the nodes of a service: each has room for its part where what availability names is lost."""
    settings, connections = ask.settings, ask.traffic.users.times(ask.settings.connections_per_user)
    work = limits.Work.of(ask, 1.0, connections, ask.host_speed)
    least, given_least = ask.least("minimum_nodes", ask.scenario.availability.asked.node_count)
    count = settings.nodes or _count(ask, work, least)
    streams, left = _streams(ask, connections, work.listener_count(count)), max(1, limits.left(ask, count))
    memory_mib, cores = max(1, ceil(limits.memory_mib(settings, work.held_by(left)))), work.cpu_cores(left)
    guest = Guest(
        ask.name, "pods", ask.host, cores, memory_mib, Band.constant(count),
        ask.traffic.requests_per_s.each(lambda per_s: work.cpu_s(count).at(per_s, 1.0)), _sent(ask, streams),
    )  # fmt: skip
    set_by = "pinned" if settings.nodes else "rules" if ask.solution is None else "method"
    return Sized(
        ask.name,
        "websocket",
        figures=(
            *_figures(ask, work.connections, count, given_least, memory_mib),
            *limits.figures(ask, work, count),
            *_proxy_figures(ask, work.connections),
        ),
        findings=(
            *limits.lost(ask, work, count),
            *_proxy_findings(ask, work.connections),
            *_unused_findings(ask, work.connections, count),
        ),
        ceilings=tuple(limits.ceilings(ask, None, work, count)),
        levers=(Lever(f"{ask.name}.pod_count", count, count, count, set_by),),
        workloads=(_pods(ask, nodes_of(ask.host), count, cores, memory_mib, memory_mib),),
        guests=(guest,),
        streams=streams,
    )


def _streams(ask: Ask[Settings], connections: Band, listener_count: float) -> Streams:
    """Return the open connections and what they carry: messages to the others of a room or a tenant, heartbeats."""
    settings, traffic = ask.settings, ask.traffic
    mix = ask.scenario.behaviour.mix
    messages = traffic.requests_per_s.times(sum(share for share, action in mix if action.publishes))
    deliveries = limits.deliveries(ask, connections)
    heartbeats = connections.times(settings.heartbeat_bytes / settings.heartbeat_interval_s)
    return Streams(
        connections=connections,
        connection_lifetime_s=settings.connection_lifetime_s,
        heartbeat_interval_s=settings.heartbeat_interval_s,
        messages_per_s=messages,
        message_bytes=settings.message_bytes,
        listener_count=listener_count,
        out_bytes_per_s=deliveries.times(settings.message_bytes).plus(heartbeats.times(0.5)),
        in_bytes_per_s=heartbeats.times(0.5),
    )


def _sent(ask: Ask[Settings], streams: Streams) -> Demand:
    """Return the bytes that all nodes send: messages by requests, and answers to heartbeats whatever these."""
    requests, beats = ask.traffic.requests_per_s.peak, streams.in_bytes_per_s.peak
    messages = streams.out_bytes_per_s.peak - beats
    return Demand(shared_units_per_request=messages / requests if requests else 0.0, flat_units=beats)


def _count(ask: Ask[Settings], work: limits.Work, least: int) -> int:
    """Return the nodes by the rule, or (method slo) the least that hold and serve every connection after the losses."""
    each = ask.settings.connections_per_node
    if ask.scenario.method == "rules":
        return max(least, ceil(work.connections / each))

    def holds(nodes: int) -> bool:
        left = limits.left(ask, nodes)
        if nodes < least or left * each < work.connections:
            return False
        return work.busy_ratio(max(1, left)) <= limits.BUSY_MOST

    return least_count(holds, NODES_MOST)


def _workload(ask: Ask[Settings], group: NodeGroup, work: limits.Work, count: int) -> Workload:
    """Return the pods that have a node each, and its memory to themselves."""
    needed = max(1, ceil(limits.memory_mib(ask.settings, work.held)))
    # No more is there than the node leaves to its pods, whatever a limit says.
    most = max(ask.allocatable(group.shape).memory_mib, needed)
    return _pods(ask, group.name, count, work.cpu_cores(max(1, limits.left(ask, count))), needed, most)


def _pods(ask: Ask[Settings], group: str, count: int, cores: float, memory_mib: int, memory_mib_max: int) -> Workload:
    settings = ask.settings
    return Workload(
        tier=ask.name,
        kind="websocket",
        name=ask.workload,
        image=settings.image,
        port=settings.port,
        cpu_cores=cores,
        memory_mib=memory_mib,
        memory_mib_max=memory_mib_max,
        replica_count_min=count,
        replica_count_max=count,
        pod_count_per_node=1,
        pod_count_max=count,
        cores_per_pod=1.0,
        group=group,
        serves="connections",
        ready_path=settings.ready_path,
        live_path=settings.live_path,
    )


def _figures(
    ask: Ask[Settings], connections: int, count: int, given_least: Input, memory_mib: float
) -> tuple[Derivation, ...]:
    settings = ask.settings
    limit, what = ask.own("connections_per_node"), limits.what(ask)
    own = f"{ask.name}.connection_count"
    return (
        ask.figure(
            "connection_count",
            connections,
            "connections",
            "users.peak x connections_per_user, rounded up",
            (ask.given("users.peak"), ask.own("connections_per_user")),
        ),
        ask.figure(
            "connection_count_per_node",
            limits.held_in(settings, memory_mib),
            "connections",
            f"the lesser of connections_per_node and what the memory of a {what} holds",
            (limit, Input(f"memory of a {what}, MiB", memory_mib, "computed")),
        ),
        ask.figure(
            f"{what}_count",
            count,
            f"{what}s",
            "pinned in the scenario"
            if settings.nodes
            else "least that hold every connection with a zone and a node lost, with threads at most "
            f"{limits.BUSY_MOST:.0%} busy"
            if ask.scenario.method == "slo"
            else f"max(minimum_nodes, {own} / connections_per_node rounded up)",
            (ask.own("nodes"),) if settings.nodes else (given_least, limit),
            f"{PLAN}, websocket_cluster.yaml",
        ),
    )


def _proxies(settings: Settings, connections: int) -> int:
    """Return how many nginx hold every connection with one of them lost, or as many as are pinned."""
    return settings.proxy_count or max(PROXIES_LEAST, ceil(connections / settings.connections_per_proxy) + 1)


def _connections_each(settings: Settings, connections: int) -> int:
    """Return the connections that each nginx holds when one of several is lost."""
    return ceil(connections / max(1, _proxies(settings, connections) - 1))


def _proxy_figures(ask: Ask[Settings], connections: int) -> tuple[Derivation, Derivation]:
    settings, own = ask.settings, f"{ask.name}.connection_count"
    open_ = Input(own, connections, "computed")
    return (
        ask.figure(
            "proxy_count",
            _proxies(settings, connections),
            "proxies",
            "pinned in the scenario"
            if settings.proxy_count
            else f"max({PROXIES_LEAST}, {own} / connections_per_proxy rounded up + 1)",
            (ask.own("proxy_count"),) if settings.proxy_count else (open_, ask.own("connections_per_proxy")),
        ),
        ask.figure(
            "proxy_connection_count",
            min(2 * _connections_each(settings, connections), OPEN_FILES_MOST - FILES_BESIDE),
            "connections",
            f"2 x {own} / ({ask.name}.proxy_count - 1), at most {OPEN_FILES_MOST:,} less {FILES_BESIDE:,}: one nginx "
            "holds the client's end and the node's, with one of them lost",
            (open_,),
            "https://nginx.org/en/docs/ngx_core_module.html#worker_connections; fs.nr_open, Linux",
        ),
    )


def _proxy_findings(ask: Ask[Settings], connections: int) -> list[Finding]:
    each = _connections_each(ask.settings, connections)
    if 2 * each <= OPEN_FILES_MOST - FILES_BESIDE:
        return []
    needed = ceil(2 * connections / (OPEN_FILES_MOST - FILES_BESIDE)) + 1
    message = (
        f"with one proxy lost each holds {each:,} connections, {2 * each:,} files of the {OPEN_FILES_MOST:,} that a "
        f"process may open: {needed} of them are needed"
    )
    return [Finding("warning", "websocket-proxies", message, f"{ask.name}.proxy_connection_count", is_broken=True)]


def _unused_findings(ask: Ask[Settings], connections: int, count: int) -> list[Finding]:
    """Return that nobody connects: the nodes would be bought for nothing."""
    if connections:
        return []
    kept = "are bought" if limits.what(ask) == "node" else "have room kept"
    message = f"no user opens a connection, and {count} {limits.what(ask)}s {kept} for them: turn the tier off"
    return [Finding("warning", "websocket-unused", message, f"tiers.{ask.name}.connections_per_user")]
