"""Which nodes hold connections, which caches there are, what all of these are called, and in which zone each stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.errors import InfeasibleError
from cascade_plan.languages.plain import name as plain
from cascade_plan.model.fleet import Streams, Workload
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.cache.settings import Settings as CacheSettings
from cascade_plan.tiers.gateway.settings import Settings as GatewaySettings
from cascade_plan.tiers.websocket.settings import Settings as WebSocketSettings

NODES_MOST: Final = 1000
"""Redis Cluster scales to 1,000 nodes (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/);
files that list more WebSocket nodes than that nobody reads."""
WEBSOCKET: Final = "ws-node"
"""What the performance plan calls the WebSocket nodes; their numbers follow."""
PROXY: Final = "ws-proxy"
"""What nginx before the WebSocket nodes is called where it runs as pods: its Deployment, Service and ServiceAccount."""
NGINX_PORT: Final = 8080
"""Where nginx listens when it is not root, https://github.com/nginx/docker-nginx-unprivileged"""
NGINX_HEALTH: Final = "/nginx-health"
"""What answers whether nginx itself is up."""
HEARTBEATS: Final = 3
"""Silent heartbeats until a connection is cut. The node itself gives up after two: its interval and its time-out."""
CACHE_PORT: Final = 6379
"""Of Redis, and of ElastiCache."""
TENANT_CHANNEL: Final = "tenant:{<tenant_id>}:broadcast"
STATE_KEY: Final = "ws:{<tenant_id>}:conn:<connection_id>"
INDEX_KEY: Final = "ws:{<tenant_id>}:conns"


@dataclass(frozen=True, slots=True)
class RedisNode:
    """A server of a cache."""

    name: str
    zone: int
    """1 for the first zone."""
    master: str
    """The name of the master it copies, "" for a master."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache of a plan, as those see it who deploy it."""

    instance: Instance[CacheSettings]
    called: str
    """What its nodes are called, with a number behind, and the address of all of them."""
    nodes: tuple[RedisNode, ...]
    """All masters, then a first replica of each master, then a second; none where it has no nodes."""
    prefix: str
    """What its files begin with: nothing where it is the only cache."""
    streams: Streams | None
    """The open connections whose state and messages it holds, if it does."""
    domain: str
    """What follows its nodes' names in DNS: that of a headless Service, where they are pods; "" where they are not."""

    @property
    def is_serverless(self) -> bool:
        """Whether it has no nodes; clients speak to it as to a cluster."""
        return not self.nodes

    @property
    def master_count(self) -> int:
        """Servers that hold each a part of the keys."""
        return self.instance.sized.count("master_count")

    @property
    def copy_count(self) -> int:
        """Replicas of each master."""
        return len(self.nodes) // self.master_count - 1

    @property
    def is_pods(self) -> bool:
        """Whether you run its servers yourself, as pods."""
        return bool(self.domain)

    def host(self, node: RedisNode) -> str:
        """Return the host and port of a server that you run yourself."""
        return f"{node.name}{f'.{plain(self.domain)}' if self.domain else ''}:{CACHE_PORT}"

    @property
    def own_url(self) -> str:
        """Where clients find servers that you run yourself: any of a cluster's pods tells of the others."""
        any_pod = f"{plain(self.domain)}:{CACHE_PORT}" if self.is_cluster and self.domain else self.host(self.nodes[0])
        return f"{'rediss' if self.instance.settings.tls else 'redis'}://{any_pod}"

    @property
    def is_cluster(self) -> bool:
        """Whether clients must ask who has a key: a Redis Cluster, as which a cache without nodes shows itself too."""
        return self.is_serverless or self.master_count > 1


def pods_name(workload: Workload) -> str:
    """Return what a workload's pods, their Service and their ServiceAccount are called in Kubernetes."""
    return WEBSOCKET if workload.serves == "connections" else workload.name


def websocket_count(instance: Instance[WebSocketSettings]) -> int:
    """Return how many WebSocket nodes there are: a pod each, whether it has a machine to itself or not."""
    (workload,) = instance.sized.workloads
    return workload.replica_count_max


def websocket_nodes(instance: Instance[WebSocketSettings]) -> tuple[str, ...]:
    """Return the names of the WebSocket nodes, ws-node-1 and so on as the performance plan calls them."""
    count = websocket_count(instance)
    _bounded("WebSocket nodes", count, f"tiers.{instance.name}.connections_per_node")
    return tuple(f"{WEBSOCKET}-{number}" for number in range(1, count + 1))


def websocket_hosts(plan: Plan, instance: Instance[WebSocketSettings]) -> tuple[str, ...]:
    """Return the WebSocket nodes' names in DNS.

    In Kubernetes a pod of a StatefulSet has a name below that of its headless Service, and none of its own:
    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id
    """
    inside = f"{WEBSOCKET}.{plan.application}.svc.cluster.local" if plan.fleet.of("cluster") else ""
    domain = instance.settings.domain or inside
    suffix = f".{plain(domain)}" if domain else ""
    return tuple(f"{name}{suffix}" for name in websocket_nodes(instance))


def by_proxy_protocol(plan: Plan) -> bool:
    """Return whether nginx learns its clients' addresses by the PROXY protocol: behind a network load balancer.

    Targets by address see the balancer's own addresses as the source of TCP and TLS connections.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
    """
    return any(gateway.settings.balancer == "nlb" for gateway in plan.of(GatewaySettings))


def room_word(plan: Plan) -> str:
    """Return what the application calls those who receive each other's messages, by what its paths name.

    POST /api/v1/workrooms/{workroom_id}/messages that publishes is for a workroom; without such a path it is a room.
    """
    published = (action.request for action in plan.scenario.behaviour.actions.values() if action.publishes)
    found = (re.search(r"\{([a-z][a-z0-9_]*?)(_id)?\}", request) for request in published)
    return next((match[1] for match in found if match), "room")


def room_channel(plan: Plan) -> str:
    """Return the channel of a room, as a pattern."""
    word = room_word(plan)
    return f"{word}:{{<{word}_id>}}:updates"


def caches(plan: Plan) -> tuple[Cache, ...]:
    """Return the caches of a plan, none where they are off."""
    found = plan.of(CacheSettings)
    return tuple(_cache(plan, instance, len(found) == 1) for instance in found)


def broker(plan: Plan) -> Cache | None:
    """Return the cache that holds the open connections' state and messages, None where there is none."""
    return next((cache for cache in caches(plan) if cache.streams is not None), None)


def queue_name(plan: Plan, queue: str, suffix: str = "") -> str:
    """Return what a queue is called where AWS runs it."""
    return aws_name(f"{plan.application}-{queue.replace('_', '-')}{suffix}", "queue")


def _cache(plan: Plan, instance: Instance[CacheSettings], is_only: bool) -> Cache:
    """Return a cache with its nodes."""
    called = "redis" if is_only else instance.name.replace("_", "-")
    is_pods = plan.scenario.emit.cache == "self" and bool(plan.fleet.of("cluster"))
    nodes = () if instance.settings.serverless else tuple(_nodes(plan, instance, called, is_pods))
    domain = f"{called}.{plan.application}.svc.cluster.local" if is_pods else ""
    # Sizing says whose state a cache holds: only then has it a figure for what that takes.
    holds = f"{instance.name}.connection_state_mib" in plan.figures
    streams = next((each.streams for each in plan.fleet.tiers.values() if each.streams is not None), None)
    return Cache(instance, called, nodes, "" if is_only else f"{called}-", streams if holds else None, domain)


def _nodes(plan: Plan, instance: Instance[CacheSettings], called: str, is_pods: bool) -> Iterator[RedisNode]:
    """Yield the nodes of a cache. Pods are numbered within their zone, since each zone has a StatefulSet of its own.

    A replica stands as many zones after its master as it is its replica, so that a zone's loss takes a master or its
    replica and not both, while there are more zones than replicas of a master.
    """
    sized, zones = instance.sized, plan.scenario.availability.asked.zones
    masters, count = sized.count("master_count"), sized.count("node_count")
    _bounded("Redis nodes", count, f"tiers.{instance.name}.users_per_node")
    names: list[str] = []
    in_zone = Counter[int]()
    for number in range(count):
        copy, index = divmod(number, masters)
        zone = (index + copy) % zones + 1
        in_zone[zone] += 1
        names.append(f"{called}-{zone}-{in_zone[zone]}" if is_pods else f"{called}-{number + 1}")
        yield RedisNode(names[-1], zone, names[index] if copy else "")


def _bounded(what: str, count: int, lever: str) -> None:
    if count > NODES_MOST:
        raise InfeasibleError(f"{count:,} {what}: at most {NODES_MOST:,} can be emitted; take larger ones ({lever})")
