"""WebSocket nodes: how many hold the open connections, and whether their memory does."""

from __future__ import annotations

from math import ceil

from cascade_plan.model.brief import Brief
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, NodeGroup, TierFleet

AFTER: tuple[str, ...] = ()
OPEN_FILES_MOST = 1_048_576
"""Files one process may open unless fs.nr_open is raised, https://docs.kernel.org/admin-guide/sysctl/fs.html"""


def size(brief: Brief) -> TierFleet:
    """Return the WebSocket node group, which does not scale: open connections must not be cut to save a node."""
    tier = brief.scenario.tiers.websocket
    shape = brief.shape("tiers.websocket.shape", "ec2", "linux")
    connections = ceil(brief.load.connections.peak)
    count = tier.nodes or max(tier.minimum_nodes, ceil(connections / tier.connections_per_node))
    if tier.nodes is None and brief.solution is not None:
        count = brief.solution.websocket_node_count
    node_mib = brief.allocatable(shape).memory_mib
    used_mib = _memory_mib(brief, connections / count)
    group = NodeGroup(
        tier="websocket",
        name="websocket nodes",
        shape=shape,
        variant="linux",
        count=Band.constant(count),
        terms=brief.scenario.purchase.terms("websocket"),
        disk_gib=brief.scenario.tiers.cluster.disk_gib,
        idle_share=max(0.0, 1 - used_mib / node_mib) if node_mib else 0.0,
    )
    return TierFleet(
        groups=(group,),
        figures=_figures(brief, connections, count),
        findings=tuple(_findings(brief, shape, node_mib, connections, count)),
        not_priced=("the hosts of nginx, where it stands between the load balancer and the WebSocket nodes",),
    )


def _memory_mib(brief: Brief, connections: float) -> float:
    use = brief.scenario.websocket
    return connections * (use.memory_kib_per_connection + use.kernel_kib_per_connection) / 1024


def _figures(brief: Brief, connections: int, count: int) -> tuple[Derivation, ...]:
    tier = brief.scenario.tiers.websocket
    limit = brief.given("tiers.websocket.connections_per_node")
    memory = (
        brief.given("websocket.memory_kib_per_connection"),
        brief.given("websocket.kernel_kib_per_connection"),
    )
    return (
        Derivation(
            "websocket.connection_count",
            connections,
            "connections",
            "users.peak x connections_per_user, rounded up",
            (brief.given("users.peak"), brief.given("websocket.connections_per_user")),
        ),
        Derivation("websocket.connection_count_per_node", tier.connections_per_node, "connections", "given", (limit,)),
        Derivation(
            "websocket.node_count",
            count,
            "nodes",
            "pinned in the scenario"
            if tier.nodes
            else "least that holds every connection with a zone and a node lost"
            if brief.solution
            else "max(minimum_nodes, websocket.connection_count / connections_per_node rounded up)",
            (
                (brief.given("tiers.websocket.nodes"),)
                if tier.nodes
                else (brief.given("tiers.websocket.minimum_nodes"), limit)
            ),
            f"{PLAN}, websocket_cluster.yaml",
        ),
        Derivation(
            "websocket.memory_mib_per_node",
            _memory_mib(brief, tier.connections_per_node),
            "MiB",
            "connections_per_node x (memory_kib_per_connection + kernel_kib_per_connection) / 1024",
            (limit, *memory),
            "measured per connection, docs/model.md",
        ),
        Derivation(
            "websocket.proxy_connection_count",
            min(2 * connections, OPEN_FILES_MOST),
            "connections",
            f"min(2 x websocket.connection_count, {OPEN_FILES_MOST:,}): nginx holds the client's end and the node's",
            (Input("websocket.connection_count", connections, "computed"),),
            "https://nginx.org/en/docs/ngx_core_module.html#worker_connections; fs.nr_open, Linux",
        ),
    )


def _findings(brief: Brief, shape: Shape, node_mib: int, connections: int, count: int) -> list[Finding]:
    tier = brief.scenario.tiers.websocket
    full = _memory_mib(brief, tier.connections_per_node)
    findings = []
    if full > node_mib:
        findings.append(
            Finding(
                "warning",
                "websocket-memory",
                f"{tier.connections_per_node:,} connections take {full:,.0f} MiB, a {shape.name} leaves {node_mib:,} "
                f"MiB: it holds {int(tier.connections_per_node * node_mib / full):,}",
                "websocket.connection_count_per_node",
            )
        )
    else:
        findings.append(
            Finding(
                "info",
                "websocket-memory",
                f"{tier.connections_per_node:,} connections take {full:,.0f} of the {node_mib:,} MiB a {shape.name} "
                f"leaves ({full / node_mib:.0%}); with per-message compression in Node.js (227 KiB each, measured) "
                "they would not fit 8 GiB",
                "websocket.connection_count_per_node",
            )
        )
    if 2 * connections > OPEN_FILES_MOST:
        findings.append(
            Finding(
                "info",
                "websocket-proxies",
                f"{connections:,} connections take {2 * connections:,} files of a proxy that can open "
                f"{OPEN_FILES_MOST:,}: {ceil(2 * connections / OPEN_FILES_MOST)} of them are needed, and one to spare",
                "websocket.proxy_connection_count",
            )
        )
    if count * tier.connections_per_node < connections:
        findings.append(
            Finding(
                "warning",
                "websocket-full",
                f"{connections:,} connections exceed {count} x {tier.connections_per_node:,}",
                "websocket.node_count",
            )
        )
    elif count > 1 and (count - 1) * tier.connections_per_node < connections:
        findings.append(
            Finding(
                "warning",
                "websocket-node-loss",
                f"with one of {count} nodes lost the others cannot hold {connections:,} connections",
                "websocket.node_count",
            )
        )
    return findings
