"""Redis or Valkey: cache, pub/sub broker and connection state."""

from __future__ import annotations

from math import ceil, floor

from cascade_plan.model.brief import Brief
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, NodeGroup, TierFleet

AFTER: tuple[str, ...] = ()
STATE_BYTES_PER_CONNECTION = 266
"""A hash ws:{tenant}:conn:<uuid> of three fields with a TTL, as a listpack, in a cluster: measured on Redis 7.0.15 with
10,000 of them (261 with 100,000). 208 for the plan's own key outside a cluster."""
INDEX_BYTES_PER_CONNECTION = 167
"""A member of a tenant's sorted set of connections, by when each is forgotten, in place of the plan's scan over every
key: 52 bytes for 100 connections (a listpack), 142 to 167 for 500 to 10,000, measured on Redis 7.0.15."""
RESERVED_SHARE = 0.25
"""Of a node's memory, kept from the data: for client buffers, replication, and pages written while a fork copies them.
https://docs.aws.amazon.com/AmazonElastiCache/latest/red-ug/redis-memory-management.html"""
BUFFER_MIB_LEAST = 32
"""client-output-buffer-limit pubsub 32mb 8mb 60: the limits of redis.conf 7.0."""
FRAME_BYTES = 100
"""RESP framing and the channel's name around a message: "smessage", a name of about 60 bytes and four lengths."""
STALL_HEARTBEATS = 3
"""As long as nginx lets a node be silent before it cuts its connections."""
COMMANDS_PER_S = 170_000
"""Of one core, 50 clients, not pipelined: measured on Redis 7.0.15."""
BUSY_MOST = 0.7
MASTERS_LEAST = 3
"""Fewer masters are refused when a cluster is created (redis-cli.c)."""


def size(brief: Brief) -> TierFleet:
    """Return the masters by the plan's rule, their replicas, and what connection state and channels take of them."""
    tier, users = brief.scenario.tiers.cache, brief.scenario.users
    shape = brief.shape("tiers.cache.shape", "elasticache", tier.engine)
    each = 1 + tier.replicas_per_master
    pinned = tier.nodes is not None
    masters = (tier.nodes or 0) // each or max(tier.minimum_nodes, brief.nodes_for(users.peak, tier.users_per_node))
    note = "" if pinned else brief.rounding_note(users.peak, tier.users_per_node, tier.minimum_nodes)
    count = masters * each
    terms = brief.scenario.purchase.terms("cache")
    group = NodeGroup("cache", "cache nodes", shape, tier.engine, Band.constant(count), terms)
    commands = _commands_per_s(brief)
    reserve_mib = shape.memory_gib * 1024 * RESERVED_SHARE
    figures = (
        *_node_figures(brief, masters, count, note),
        *_memory_figures(brief, shape, masters),
        _buffer(brief, reserve_mib),
        Derivation(
            "cache.commands_per_s_peak",
            commands,
            "commands/s",
            "reads + published messages + a TTL renewed at each heartbeat, at users.peak",
            (
                brief.given("users.peak"),
                brief.given("users.active_share"),
                brief.given("websocket.heartbeat_interval_s"),
            ),
            f"one node answers about {COMMANDS_PER_S:,} commands/s (measured, Redis 7.0.15)",
        ),
    )
    return TierFleet(
        (group,), (), figures, (*_findings(masters, tier.replicas_per_master, note), *_rate_findings(commands, masters))
    )


def _node_figures(brief: Brief, masters: int, count: int, note: str) -> tuple[Derivation, ...]:
    pinned = brief.scenario.tiers.cache.nodes is not None
    replicas = brief.given("tiers.cache.replicas_per_master")
    return (
        Derivation(
            "cache.node_count",
            count,
            "nodes",
            "pinned in the scenario" if pinned else "cache.master_count x (1 + replicas_per_master)",
            (brief.given("tiers.cache.nodes"),)
            if pinned
            else (Input("cache.master_count", masters, "computed"), replicas),
            f"{PLAN}, cost calculator",
            note,
        ),
        Derivation(
            "cache.master_count",
            masters,
            "nodes",
            "cache.node_count / (1 + replicas_per_master)"
            if pinned
            else f"max(minimum_nodes, users.peak / users_per_node rounded {brief.scenario.rounding})",
            (brief.given("tiers.cache.nodes"), replicas)
            if pinned
            else (
                brief.given("tiers.cache.minimum_nodes"),
                brief.given("users.peak"),
                brief.given("tiers.cache.users_per_node"),
            ),
            f"{PLAN}, cost calculator",
            note,
        ),
    )


def _memory_figures(brief: Brief, shape: Shape, masters: int) -> tuple[Derivation, ...]:
    each = STATE_BYTES_PER_CONNECTION + INDEX_BYTES_PER_CONNECTION
    return (
        Derivation(
            "cache.memory_gib", masters * shape.memory_gib, "GiB", f"cache.master_count x {shape.memory_gib:g} GiB"
        ),
        Derivation(
            "cache.maxmemory_mib_per_node",
            floor(shape.memory_gib * 1024 * (1 - RESERVED_SHARE)),
            "MiB",
            f"{shape.memory_gib:g} GiB x (1 - {RESERVED_SHARE:g}): the rest is for buffers and copies on a fork",
            (),
            "reserved-memory-percent, https://docs.aws.amazon.com/AmazonElastiCache/latest/red-ug/redis-memory-management.html",
        ),
        Derivation(
            "cache.connection_state_mib",
            brief.load.connections.peak * each / 2**20,
            "MiB",
            f"open connections x ({STATE_BYTES_PER_CONNECTION} bytes of state + {INDEX_BYTES_PER_CONNECTION} of index)",
            (brief.computed("websocket.connection_count"),) if "websocket" in brief.sized else (),
            "measured, Redis 7.0.15: ws:{tenant}:conn:<uuid> with TTL, and a sorted set of ids for each tenant",
        ),
    )


def _buffer(brief: Brief, reserve_mib: float) -> Derivation:
    """Return what a subscriber may leave unread: all messages published while it stands still for a while."""
    use = brief.scenario.websocket
    needed_mib = (
        brief.load.messages_per_s.peak * (use.message_bytes + FRAME_BYTES) * STALL_HEARTBEATS * use.heartbeat_interval_s
    ) / 2**20
    size_mib = max(BUFFER_MIB_LEAST, ceil(min(needed_mib, reserve_mib)))
    return Derivation(
        "cache.pubsub_buffer_mib_per_subscriber",
        size_mib,
        "MiB",
        f"max({BUFFER_MIB_LEAST}, messages/s x (message_bytes + {FRAME_BYTES}) x {STALL_HEARTBEATS} heartbeats)",
        (
            Input("messages/s at users.peak", brief.load.messages_per_s.peak, "computed"),
            brief.given("websocket.message_bytes"),
            brief.given("websocket.heartbeat_interval_s"),
        ),
        "least: Redis's own limit of 32 MiB; most: the memory left beside maxmemory",
        "" if needed_mib <= reserve_mib else f"{needed_mib:,.0f} MiB are needed and {reserve_mib:,.0f} MiB are left",
    )


def _commands_per_s(brief: Brief) -> float:
    actions = brief.scenario.behaviour.actions.values()
    reads = sum(action.weight * action.read_count for action in actions) / sum(action.weight for action in actions)
    heartbeats = brief.load.connections.peak / brief.scenario.websocket.heartbeat_interval_s
    return brief.load.requests_per_s.peak * reads + brief.load.messages_per_s.peak + heartbeats


def _rate_findings(commands_per_s: float, count: int) -> list[Finding]:
    if commands_per_s <= COMMANDS_PER_S * BUSY_MOST * count:
        return []
    return [
        Finding(
            "warning",
            "cache-commands",
            f"{commands_per_s:,.0f} commands/s keep {count} nodes over {BUSY_MOST:.0%} busy at {COMMANDS_PER_S:,} each",
            "cache.commands_per_s_peak",
        )
    ]


def _findings(masters: int, replicas: int, note: str) -> list[Finding]:
    findings = []
    if note:
        findings.append(Finding("info", "rounding", note, "cache.node_count"))
    if masters < MASTERS_LEAST:
        findings.append(
            Finding(
                "warning",
                "cache-cluster-too-small",
                f"{masters} of {MASTERS_LEAST} masters: fewer than {MASTERS_LEAST} cannot agree that one is lost, and "
                "none is replaced",
                "cache.node_count",
            )
        )
    elif not replicas:
        findings.append(
            Finding(
                "warning",
                "cache-without-replicas",
                f"{masters} nodes are {masters} masters without replicas: one lost takes {1 / masters:.0%} of the "
                f"cache, of the connection state and of the channels; {2 * masters} nodes "
                "(tiers.cache.replicas_per_master: 1) give each master a replica",
                "cache.node_count",
            )
        )
    return findings
