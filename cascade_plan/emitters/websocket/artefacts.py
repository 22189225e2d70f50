"""websocket_cluster.yaml: the performance plan's architecture file, as sized and with its mistakes put right."""

from __future__ import annotations

from typing import Any

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._topology import (
    INDEX_KEY,
    STATE_KEY,
    TENANT_CHANNEL,
    WORKROOM_CHANNEL,
    redis_nodes,
    websocket_nodes,
)
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

COMMAND = "cluster"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("terraform",)
"""The emitters whose files are applied before these."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the architecture file."""
    head = heading(
        plan,
        [
            f"sized for {plan.figure('websocket.connection_count'):,} connections on "
            f"{plan.figure('websocket.node_count')} nodes of at most "
            f"{plan.figure('websocket.connection_count_per_node'):,}",
            "Nothing reads this file: nginx.conf, redis.conf and connection_state.py are what it describes.",
            "Braces in channels and keys are literal: what stands in them decides the Redis node (a hash tag).",
        ],
    )
    document = {
        "websocket_cluster": {
            "load_balancer": _balancer(plan),
            "nodes": _nodes(plan),
            "message_broker": _broker(plan),
            "connection_state": {
                "key": STATE_KEY,
                "index": INDEX_KEY,
                "lifetime": f"{plan.scenario.websocket.connection_lifetime_s:.12g}s",
                "renewed": f"{plan.scenario.websocket.heartbeat_interval_s:.12g}s",
                "memory_needed": f"{plan.figure('cache.connection_state_mib'):.4g}MiB",
            },
        }
    }
    purpose = "The architecture of the WebSocket cluster, to read: the other files here are its parts."
    return (Artefact("websocket_cluster.yaml", head + dump([document]), purpose),)


def _balancer(plan: Plan) -> dict[str, Any]:
    tier = plan.scenario.tiers.websocket
    return {
        "type": "nginx",
        "sticky_sessions": tier.sticky,
        "health_checks": {
            "type": "passive",
            "interval": f"{tier.health_interval_s:.12g}s",
            "timeout": f"{tier.health_timeout_s:.12g}s",
        },
    }


def _nodes(plan: Plan) -> list[dict[str, Any]]:
    shape = next(group.shape for group in plan.groups if group.tier == "websocket")
    limits = {
        "max_connections": plan.figure("websocket.connection_count_per_node"),
        "memory_limit": f"{shape.memory_gib:g}GiB",
        "memory_needed": f"{plan.figure('websocket.memory_mib_per_node'):.0f}MiB",
    }
    return [{name: limits} for name in websocket_nodes(plan)]


def _broker(plan: Plan) -> dict[str, Any]:
    cache = plan.scenario.tiers.cache
    return {
        "type": f"{cache.engine}_cluster",
        "replicas_per_master": cache.replicas_per_master,
        "nodes": [
            {node.name: {"zone": node.zone, "role": f"replica of {node.master}" if node.master else "master"}}
            for node in redis_nodes(plan)
        ],
        "pub_sub": "sharded",
        "pub_sub_channels": [TENANT_CHANNEL, WORKROOM_CHANNEL],
    }
