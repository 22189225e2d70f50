"""Redis or Valkey: cache, pub/sub broker and connection state."""

from __future__ import annotations

from cascade_plan.model.brief import Brief
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import Band, NodeGroup, TierFleet

AFTER: tuple[str, ...] = ()
STATE_BYTES_PER_CONNECTION = 208
"""A ws:conn:{uuid} hash of three fields with a TTL, listpack-encoded: measured on Redis 7.0.15."""
INDEX_BYTES_PER_CONNECTION = 115
"""A member of a set of connection ids for each tenant, in place of the plan's scan over every key: 88 to 115 bytes for
sets of 10 to 10,000, measured on Redis 7.0.15; the largest is taken."""
COMMANDS_PER_S = 170_000
"""Of one core, 50 clients, not pipelined: measured on Redis 7.0.15."""
BUSY_MOST = 0.7
MASTERS_LEAST = 3
"""Fewer masters are refused when a cluster is created (redis-cli.c)."""


def size(brief: Brief) -> TierFleet:
    """Return the cache nodes by the plan's rule, and what the connection state takes of their memory."""
    tier, users = brief.scenario.tiers.cache, brief.scenario.users
    shape = brief.shape("tiers.cache.shape", "elasticache", tier.engine)
    pinned = tier.nodes is not None
    count = tier.nodes or max(tier.minimum_nodes, brief.nodes_for(users.peak, tier.users_per_node))
    note = "" if pinned else brief.rounding_note(users.peak, tier.users_per_node, tier.minimum_nodes)
    terms = brief.scenario.purchase.terms("cache")
    group = NodeGroup("cache", "cache nodes", shape, tier.engine, Band.constant(count), terms)
    each = STATE_BYTES_PER_CONNECTION + INDEX_BYTES_PER_CONNECTION
    state_mib = brief.load.connections.peak * each / 2**20
    commands = _commands_per_s(brief)
    figures = (
        Derivation(
            "cache.node_count",
            count,
            "nodes",
            "pinned in the scenario"
            if pinned
            else f"max(minimum_nodes, users.peak / users_per_node rounded {brief.scenario.rounding})",
            (brief.given("tiers.cache.nodes"),)
            if pinned
            else (
                brief.given("tiers.cache.minimum_nodes"),
                brief.given("users.peak"),
                brief.given("tiers.cache.users_per_node"),
            ),
            f"{PLAN}, cost calculator",
            note,
        ),
        Derivation("cache.memory_gib", count * shape.memory_gib, "GiB", f"cache.node_count x {shape.memory_gib:g} GiB"),
        Derivation(
            "cache.connection_state_mib",
            state_mib,
            "MiB",
            f"open connections x ({STATE_BYTES_PER_CONNECTION} bytes of state + {INDEX_BYTES_PER_CONNECTION} of index)",
            (brief.computed("websocket.connection_count"),) if "websocket" in brief.sized else (),
            "measured, Redis 7.0.15: ws:conn:{uuid} with TTL, and a set of ids for each tenant",
        ),
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
    return TierFleet((group,), (), figures, (*_findings(count, note), *_rate_findings(commands, count)))


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


def _findings(count: int, note: str) -> list[Finding]:
    findings = []
    if note:
        findings.append(Finding("info", "rounding", note, "cache.node_count"))
    if count < MASTERS_LEAST:
        findings.append(
            Finding(
                "warning",
                "cache-cluster-too-small",
                f"a Redis cluster needs {MASTERS_LEAST} masters, {count} nodes cannot form one",
                "cache.node_count",
            )
        )
    elif count < 2 * MASTERS_LEAST:
        findings.append(
            Finding(
                "warning",
                "cache-without-replicas",
                f"{count} nodes are {count} masters without replicas: one lost takes {1 / count:.0%} of the cache, of "
                f"the connection state and of the channels; {2 * MASTERS_LEAST} nodes give each master a replica",
                "cache.node_count",
            )
        )
    return findings
