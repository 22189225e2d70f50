"""Which WebSocket and Redis nodes there are, what they are called, and in which zone each stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cascade_plan.errors import InfeasibleError
from cascade_plan.languages.plain import name as plain
from cascade_plan.model.plan import Plan

NODES_MOST: Final = 1000
"""Redis Cluster scales to 1,000 nodes (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/);
files that list more WebSocket nodes than that nobody reads."""
WEBSOCKET: Final = "ws-node"
"""What the performance plan calls the WebSocket nodes; their numbers follow."""
TENANT_CHANNEL: Final = "tenant:{<tenant_id>}:broadcast"
WORKROOM_CHANNEL: Final = "workroom:{<workroom_id>}:updates"
STATE_KEY: Final = "ws:{<tenant_id>}:conn:<connection_id>"
INDEX_KEY: Final = "ws:{<tenant_id>}:conns"


@dataclass(frozen=True, slots=True)
class RedisNode:
    """A node of the Redis cluster."""

    name: str
    zone: int
    """1 for the first zone."""
    master: str
    """The name of the master it copies, "" for a master."""


def websocket_nodes(plan: Plan) -> tuple[str, ...]:
    """Return the host names of the WebSocket nodes, ws-node-1 and so on as the performance plan calls them."""
    domain = plan.scenario.tiers.websocket.domain
    suffix = f".{plain(domain)}" if domain else ""
    count = int(plan.figure("websocket.node_count"))
    _bounded("WebSocket nodes", count, "tiers.websocket.connections_per_node")
    return tuple(f"{WEBSOCKET}-{number}{suffix}" for number in range(1, count + 1))


def redis_nodes(plan: Plan) -> tuple[RedisNode, ...]:
    """Return the Redis nodes: all masters, then a first replica of each master, then a second.

    A replica stands as many zones after its master as it is its replica, so that a zone's loss takes a master or its
    replica and not both, while there are more zones than replicas of a master.
    """
    masters, zones = int(plan.figure("cache.master_count")), plan.scenario.availability.zones
    _bounded("Redis nodes", int(plan.figure("cache.node_count")), "tiers.cache.users_per_node")
    nodes = []
    for copy in range(1 + plan.scenario.tiers.cache.replicas_per_master):
        for index in range(masters):
            name, master = f"redis-{copy * masters + index + 1}", f"redis-{index + 1}" if copy else ""
            nodes.append(RedisNode(name, (index + copy) % zones + 1, master))
    return tuple(nodes)


def _bounded(what: str, count: int, lever: str) -> None:
    if count > NODES_MOST:
        raise InfeasibleError(f"{count:,} {what}: at most {NODES_MOST:,} can be emitted; take larger ones ({lever})")
