"""redis.conf: what every server of a cache runs with."""

from __future__ import annotations

from math import ceil
from typing import Final

from cascade_plan.emitters._cache_parameters import (
    POLICY,
    SAMPLES,
    SOFT_SECONDS,
    buffer_mib,
    keepalive_s,
    memory_gib,
)
from cascade_plan.emitters._topology import CACHE_PORT, Cache
from cascade_plan.model.fleet import Streams
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.websocket.settings import Settings as WebSocketSettings

DIRECTORY: Final = "/etc/redis"
"""Where users, passwords and certificates are."""
CA_FILE: Final = f"{DIRECTORY}/tls/ca.crt"
NODE_TIMEOUT_MS: Final = 15_000
"""cluster-node-timeout of redis.conf 7.0."""

ALL: Final = """\
# The same on every server. Beside it stand users.acl and replication.conf, which {prefix}redis-users.sh writes: no
# secret here.
# Start with: {engine}-server /etc/redis/redis.conf
bind * -::*
protected-mode yes
{ports}
dir /var/lib/redis
aclfile /etc/redis/users.acl
include /etc/redis/replication.conf

"""
CLUSTER: Final = """\
# A unit that restarts a server waits longer than cluster-node-timeout before: a master that is back at once, and empty,
# would be copied by its replicas.
cluster-enabled yes
cluster-config-file nodes.conf
# {why_timeout}
cluster-node-timeout {node_timeout_ms}
# Where some slots are lost, the others answer on.
cluster-require-full-coverage no
# After a failover the new master has one replica fewer, perhaps none. To refuse its writes then would turn one node's
# loss into an outage; what a cut-off master still accepts is cache{or_state}.
min-replicas-to-write 0

"""
ALONE: Final = """\
cluster-enabled no

"""
COPIED: Final = """\
# Replicas copy the master that replication.conf names. Nothing here puts one in the place of a lost master: somebody
# does ({engine}-cli replicaof no one), or Sentinel, or a service that runs the servers.
cluster-enabled no
min-replicas-to-write 0

"""
CLEAR: Final = f"port {CACHE_PORT}"
TLS: Final = f"""\
# Nobody speaks in clear: neither clients, who show a password and no certificate, nor replicas, nor the cluster's bus.
port 0
tls-port {CACHE_PORT}
tls-cert-file {DIRECTORY}/tls/tls.crt
tls-key-file {DIRECTORY}/tls/tls.key
tls-ca-cert-file {CA_FILE}
tls-auth-clients optional
tls-replication yes
tls-cluster yes"""
ONE_COPY: Final = """\
# There is no second replica whose copy could be sent along: the one that asks need not wait for it.
repl-diskless-sync-delay 0

"""
MEMORY: Final = """\
# {memory_gib:g} GiB less what client buffers, replication and pages copied on a fork take.
maxmemory {maxmemory_mib}mb
"""
CACHE_ONLY: Final = """\
# Least recently used of all keys: volatile-lru would refuse writes once keys without a TTL fill the memory.
maxmemory-policy {policy}
maxmemory-samples {samples}

# Idle clients are kept; the dead are found by TCP, as often as Redis does by itself.
timeout 0
tcp-keepalive {keepalive_s}

# All here can be made again, from what it was copied from.
save ""
appendonly no
# What a replica was sent to begin with does not stay on its disk.
rdb-del-sync-files yes
"""
WITH_STATE: Final = """\
# One memory holds cache and connection state. Least recently used of all keys: state is renewed at each heartbeat
# ({heartbeat:g} s), so that it goes last. volatile-lru would sacrifice it first wherever cache entries have no TTL;
# noeviction would refuse connections when the cache is full. What is evicted all the same, the next heartbeat renews.
maxmemory-policy {policy}
maxmemory-samples {samples}
# Connection state is sized as listpacks: short fields, short values.
hash-max-listpack-entries 128
hash-max-listpack-value 64

# A subscriber may leave {buffer_mib} MiB unread, then it is cut and subscribes again. {subscribers} nodes at most
# {buffers_mib} MiB, of the {reserve_mib} MiB beside maxmemory.
client-output-buffer-limit pubsub {buffer_mib}mb {soft_mib}mb {soft_s}
# Subscribers are silent for long; the dead are found by TCP, as often as clients are by heartbeats.
timeout 0
tcp-keepalive {keepalive_s}

# All here can be made again: the cache from what it was copied from, the state from heartbeats; channels keep nothing.
save ""
appendonly no
# What a replica was sent to begin with does not stay on its disk.
rdb-del-sync-files yes
"""


def conf(plan: Plan, cache: Cache) -> str:
    """Return redis.conf without its heading."""
    sized, engine = cache.instance.sized, cache.instance.settings.engine
    mode = CLUSTER if cache.is_cluster else COPIED if cache.copy_count else ALONE
    text = (
        ALL
        + mode
        + (ONE_COPY if cache.copy_count == 1 else "")
        + MEMORY
        + (CACHE_ONLY if cache.streams is None else WITH_STATE)
    )
    return text.format(
        prefix=cache.prefix,
        engine=engine,
        ports=TLS if cache.instance.settings.tls else CLEAR,
        memory_gib=memory_gib(cache),
        maxmemory_mib=sized.count("maxmemory_mib_per_node"),
        policy=POLICY,
        samples=SAMPLES,
        keepalive_s=keepalive_s(cache),
        or_state=", or state that the next heartbeat writes again" if cache.streams else "",
        node_timeout_ms=node_timeout_ms(plan, cache.streams),
        why_timeout="As long as the health checks wait." if cache.streams else "Redis's own default.",
        **({} if cache.streams is None else _of_state(plan, cache, cache.streams)),
    )


def node_timeout_ms(plan: Plan, streams: Streams | None) -> int:
    """Return how long a server is silent before it counts as lost: as long as the proxy before the sockets waits."""
    waits_s = [sockets.settings.health_interval_s for sockets in plan.of(WebSocketSettings) if streams is not None]
    return ceil(min(waits_s) * 1000) if waits_s else NODE_TIMEOUT_MS


def _of_state(plan: Plan, cache: Cache, streams: Streams) -> dict[str, object]:
    buffer = buffer_mib(cache)
    holders = (sized for sized in plan.fleet.tiers.values() if sized.streams is not None)
    subscribers = sum(run.replica_count_max for sized in holders for run in sized.workloads)
    return {
        "heartbeat": streams.heartbeat_interval_s,
        "buffer_mib": buffer,
        "subscribers": subscribers,
        "buffers_mib": buffer * subscribers,
        "reserve_mib": int(memory_gib(cache) * 1024) - cache.instance.sized.count("maxmemory_mib_per_node"),
        "soft_mib": max(1, buffer // 4),
        "soft_s": SOFT_SECONDS,
    }
