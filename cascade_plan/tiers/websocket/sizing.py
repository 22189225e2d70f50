"""WebSocket nodes: how many hold the open connections, and whether their memory does."""

from __future__ import annotations

from math import ceil

from cascade_plan.formulas.losses import after_loss, least_count
from cascade_plan.model import node_network
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import Demand
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Lever, NodeGroup, Sized, Streams, Workload
from cascade_plan.model.titles import with_article
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
    settings = ask.settings
    shape = ask.shape("vm")
    streams = _streams(ask)
    connections = ceil(streams.connections.peak)
    least, given_least = ask.least("minimum_nodes", ask.scenario.availability.asked.node_count)
    count = settings.nodes or _count(ask, connections, least)
    node = ask.allocatable(shape)
    used_mib = _memory_mib(settings, connections / count)
    unrequested_share = max(0.0, 1 - used_mib / node.memory_mib) if node.memory_mib else 0.0
    group = ask.nodes(shape, Band.constant(count), unrequested_share)
    set_by = "pinned" if settings.nodes else "rules" if ask.solution is None else "method"
    workload, sent = _workload(ask, group, count), _sent(ask, streams)
    return Sized(
        ask.name,
        "websocket",
        groups=(group,),
        figures=(
            *_figures(ask, connections, count, given_least),
            node_network.figure(ask, shape, count, sent, "messages delivered and answers to heartbeats"),
        ),
        findings=(
            *_findings(ask, shape, node.memory_mib, connections, count),
            *node_network.findings(ask, shape),
        ),
        ceilings=tuple(node_network.ceilings(ask, shape, count, sent)),
        levers=(Lever(f"{ask.name}.node_count", count, count, count, set_by),),
        workloads=(workload,),
        streams=streams,
    )


def _streams(ask: Ask[Settings]) -> Streams:
    """Return the open connections and what they carry: messages to the others of a room or a tenant, heartbeats."""
    settings, traffic = ask.settings, ask.traffic
    connections = traffic.users.times(settings.connections_per_user)
    mix = ask.scenario.behaviour.mix
    messages = traffic.requests_per_s.times(sum(share for share, action in mix if action.publishes))
    deliveries = _deliveries(ask, connections)
    heartbeats = connections.times(settings.heartbeat_bytes / settings.heartbeat_interval_s)
    return Streams(
        connections=connections,
        connection_lifetime_s=settings.connection_lifetime_s,
        heartbeat_interval_s=settings.heartbeat_interval_s,
        messages_per_s=messages,
        message_bytes=settings.message_bytes,
        out_bytes_per_s=deliveries.times(settings.message_bytes).plus(heartbeats.times(0.5)),
        in_bytes_per_s=heartbeats.times(0.5),
    )


def _sent(ask: Ask[Settings], streams: Streams) -> Demand:
    """Return the bytes that all nodes send: messages by requests, and answers to heartbeats whatever these."""
    requests, beats = ask.traffic.requests_per_s.peak, streams.in_bytes_per_s.peak
    messages = streams.out_bytes_per_s.peak - beats
    return Demand(shared_units_per_request=messages / requests if requests else 0.0, flat_units=beats)


def _deliveries(ask: Ask[Settings], connections: Band) -> Band:
    """Return messages delivered a second: to a room's other members, or to every connection of a tenant."""
    settings, requests = ask.settings, ask.traffic.requests_per_s
    actions = ask.scenario.behaviour.actions.values()
    total = sum(action.weight for action in actions)
    shares = {
        audience: sum(a.weight for a in actions if a.publishes and a.audience == audience) / total
        for audience in ("room", "tenant")
    }
    of_a_room = settings.recipients_per_message * settings.connections_per_user
    to_tenants = (
        rate * shares["tenant"] * open_ / ask.scenario.users.tenants
        for rate, open_ in zip(requests, connections, strict=True)
    )
    return requests.times(shares["room"] * of_a_room).plus(Band(*to_tenants))


def _count(ask: Ask[Settings], connections: int, least: int) -> int:
    """Return the nodes by the rule, or (method slo) the least that hold every connection after the losses."""
    each, asked = ask.settings.connections_per_node, ask.scenario.availability.asked
    if ask.scenario.method == "rules":
        return max(least, ceil(connections / each))

    def holds(nodes: int) -> bool:
        left = after_loss(nodes, asked.zones, asked.lost_zone_count, asked.lost_node_count)
        return left * each >= connections and nodes >= least

    return least_count(holds, NODES_MOST)


def _workload(ask: Ask[Settings], group: NodeGroup, count: int) -> Workload:
    settings, shape = ask.settings, group.shape
    needed = max(1, ceil(_memory_mib(settings, settings.connections_per_node)))
    return Workload(
        tier=ask.name,
        kind="websocket",
        name=ask.workload,
        image=settings.image,
        port=settings.port,
        # Half the node: what else runs there is small, and CPU is shared when it is scarce.
        cpu_cores=shape.vcpu / 2,
        memory_mib=needed,
        # What the node leaves to its pods: no more is there, whatever a limit says.
        memory_mib_max=max(ask.allocatable(shape).memory_mib, needed),
        replica_count_min=count,
        replica_count_max=count,
        pod_count_per_node=1,
        pod_count_max=count,
        cores_per_pod=1.0,
        group=group.name,
        serves="connections",
        ready_path=settings.ready_path,
        live_path=settings.live_path,
    )


def _memory_mib(settings: Settings, connections: float) -> float:
    return connections * (settings.memory_kib_per_connection + settings.kernel_kib_per_connection) / 1024


def _figures(ask: Ask[Settings], connections: int, count: int, given_least: Input) -> tuple[Derivation, ...]:
    settings = ask.settings
    limit = ask.own("connections_per_node")
    memory = (ask.own("memory_kib_per_connection"), ask.own("kernel_kib_per_connection"))
    own = f"{ask.name}.connection_count"
    return (
        ask.figure(
            "connection_count",
            connections,
            "connections",
            "users.peak x connections_per_user, rounded up",
            (ask.given("users.peak"), ask.own("connections_per_user")),
        ),
        ask.figure("connection_count_per_node", settings.connections_per_node, "connections", "given", (limit,)),
        ask.figure(
            "node_count",
            count,
            "nodes",
            "pinned in the scenario"
            if settings.nodes
            else "least that holds every connection with a zone and a node lost"
            if ask.scenario.method == "slo"
            else f"max(minimum_nodes, {own} / connections_per_node rounded up)",
            (ask.own("nodes"),) if settings.nodes else (given_least, limit),
            f"{PLAN}, websocket_cluster.yaml",
        ),
        ask.figure(
            "memory_mib_per_node",
            _memory_mib(settings, settings.connections_per_node),
            "MiB",
            "connections_per_node x (memory_kib_per_connection + kernel_kib_per_connection) / 1024",
            (limit, *memory),
            "measured per connection, docs/model.md",
        ),
        *_proxy_figures(ask, connections),
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


def _findings(ask: Ask[Settings], shape: Shape, node_mib: int, connections: int, count: int) -> list[Finding]:
    return [
        *_memory_findings(ask, shape, node_mib),
        *_proxy_findings(ask, connections),
        *_room_findings(ask, connections, count),
        *_unused_findings(ask, connections, count),
    ]


def _memory_findings(ask: Ask[Settings], shape: Shape, node_mib: int) -> list[Finding]:
    each = ask.settings.connections_per_node
    full, where = _memory_mib(ask.settings, each), f"{ask.name}.connection_count_per_node"
    if full > node_mib:
        message = (
            f"{each:,} connections take {full:,.0f} MiB, {with_article(shape.name)} leaves {node_mib:,} MiB: it holds "
            f"{int(each * node_mib / full):,}"
        )
        return [Finding("warning", "websocket-memory", message, where)]
    message = (
        f"{each:,} connections take {full:,.0f} of the {node_mib:,} MiB {with_article(shape.name)} leaves "
        f"({full / node_mib:.0%}); "
        "with per-message compression in Node.js (227 KiB each, measured) they would not fit 8 GiB"
    )
    return [Finding("info", "websocket-memory", message, where)]


def _proxy_findings(ask: Ask[Settings], connections: int) -> list[Finding]:
    each = _connections_each(ask.settings, connections)
    if 2 * each <= OPEN_FILES_MOST - FILES_BESIDE:
        return []
    needed = ceil(2 * connections / (OPEN_FILES_MOST - FILES_BESIDE)) + 1
    message = (
        f"with one proxy lost each holds {each:,} connections, {2 * each:,} files of the {OPEN_FILES_MOST:,} that a "
        f"process may open: {needed} of them are needed"
    )
    return [Finding("warning", "websocket-proxies", message, f"{ask.name}.proxy_connection_count")]


def _room_findings(ask: Ask[Settings], connections: int, count: int) -> list[Finding]:
    each, where = ask.settings.connections_per_node, f"{ask.name}.node_count"
    if count * each < connections:
        message = f"{connections:,} connections exceed {count} x {each:,}"
        return [Finding("warning", "websocket-full", message, where)]
    if count > 1 and (count - 1) * each < connections:
        message = f"with one of {count} nodes lost the others cannot hold {connections:,} connections"
        return [Finding("warning", "websocket-node-loss", message, where)]
    return []


def _unused_findings(ask: Ask[Settings], connections: int, count: int) -> list[Finding]:
    """Return that nobody connects: the nodes would be bought for nothing."""
    if connections:
        return []
    message = f"no user opens a connection, and {count} nodes are bought for them: turn the tier off"
    return [Finding("warning", "websocket-unused", message, f"tiers.{ask.name}.connections_per_user")]
