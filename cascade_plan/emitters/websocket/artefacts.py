"""websocket_cluster.yaml: the performance plan's architecture file, as sized and with its mistakes put right."""

from __future__ import annotations

from typing import Any

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._topology import (
    INDEX_KEY,
    STATE_KEY,
    TENANT_CHANNEL,
    Cache,
    broker,
    room_channel,
    websocket_count,
    websocket_nodes,
)
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.websocket.settings import Settings

COMMAND = "cluster"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("terraform",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("websocket",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ()
"""The only clouds it writes for; empty for any."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the architecture file."""
    return tuple(_architecture(plan, sockets) for sockets in plan.of(Settings))


def _architecture(plan: Plan, sockets: Instance[Settings]) -> Artefact:
    cache, sized = broker(plan), sockets.sized
    parts = "nginx.conf is what it describes."
    if cache is not None:
        settings = f", {cache.prefix}redis.conf" if plan.scenario.emit.cache == "self" else ""
        parts = f"nginx.conf{settings} and connection_state.py are what it describes."
    head = heading(
        plan,
        [
            f"sized for {sized.count('connection_count'):,} connections on {websocket_count(sockets)} nodes of at "
            f"most {sized.count('connection_count_per_node'):,}",
            f"Nothing reads this file: {parts}",
            *_of_names(cache),
        ],
    )
    document = {
        "websocket_cluster": {
            "load_balancer": _balancer(sockets),
            "nodes": _nodes(sockets),
            **_state(plan, cache, sockets),
        }
    }
    purpose = "The architecture of the WebSocket cluster, to read: the other files here are its parts."
    return Artefact("websocket_cluster.yaml", head + dump([document]), purpose)


def _of_names(cache: Cache | None) -> list[str]:
    if cache is None:
        return []
    if cache.is_serverless or not cache.is_cluster:
        return ["Braces in channels and keys are literal."]
    return ["Braces in channels and keys are literal: what stands in them decides the Redis node (a hash tag)."]


def _balancer(sockets: Instance[Settings]) -> dict[str, Any]:
    tier = sockets.settings
    return {
        "type": "nginx",
        "sticky_sessions": tier.sticky,
        "health_checks": {
            "type": "passive",
            "interval": f"{tier.health_interval_s:.12g}s",
            "timeout": f"{tier.health_timeout_s:.12g}s",
        },
    }


def _nodes(sockets: Instance[Settings]) -> list[dict[str, Any]]:
    limits: dict[str, Any] = {"max_connections": sockets.sized.count("connection_count_per_node")}
    (workload,) = sockets.sized.workloads
    if sockets.settings.nodes_of:
        limits["memory_limit"] = f"{workload.memory_mib_max}MiB"
    else:
        limits["memory_limit"] = f"{sockets.sized.group('nodes').shape.memory_gib:g}GiB"
        limits["memory_needed"] = f"{sockets.sized.value('memory_mib_per_node'):.0f}MiB"
    return [{name: limits} for name in websocket_nodes(sockets)]


def _state(plan: Plan, cache: Cache | None, sockets: Instance[Settings]) -> dict[str, Any]:
    """Return what holds the state of connections and carries their messages; nothing where nothing is there for it."""
    if cache is None:
        return {}
    tier = sockets.settings
    return {
        "message_broker": _broker(plan, cache),
        "connection_state": {
            "key": STATE_KEY,
            "index": INDEX_KEY,
            "lifetime": f"{tier.connection_lifetime_s:.12g}s",
            "renewed": f"{tier.heartbeat_interval_s:.12g}s",
            "memory_needed": f"{cache.instance.sized.value('connection_state_mib'):.4g}MiB",
        },
    }


def _broker(plan: Plan, cache: Cache) -> dict[str, Any]:
    engine, channels = cache.instance.settings.engine, [TENANT_CHANNEL, room_channel(plan)]
    if cache.is_serverless:
        return {"type": f"{engine}_serverless", "pub_sub": "sharded", "pub_sub_channels": channels}
    return {
        "type": f"{engine}_cluster" if cache.is_cluster else engine,
        "replicas_per_master": cache.copy_count,
        "nodes": [
            {node.name: {"zone": node.zone, "role": f"replica of {node.master}" if node.master else "master"}}
            for node in cache.nodes
        ],
        "pub_sub": "sharded" if cache.is_cluster else "plain",
        "pub_sub_channels": channels,
    }
