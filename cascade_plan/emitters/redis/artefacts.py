"""The Redis or Valkey cluster: its settings, its users, how it is put together, and the same values for ElastiCache."""

from __future__ import annotations

from math import ceil
from typing import Final

from cascade_plan.emitters._heading import application, heading
from cascade_plan.emitters._topology import redis_nodes
from cascade_plan.emitters.redis import _connection_state
from cascade_plan.languages.plain import name as plain
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

COMMAND = "cluster"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("terraform",)
"""The emitters whose files are applied before these."""


PORT: Final = 6379
POLICY: Final = "allkeys-lru"
SAMPLES: Final = 10
"""As near to exact LRU as it gets, says redis.conf; the default of 5 is cheaper."""
SOFT_SECONDS: Final = 60
"""With a soft limit of a quarter of the hard one, as in redis.conf 7.0: 32mb 8mb 60."""
INT_MOST: Final = 2**31 - 1
FAMILIES: Final = {"redis": "redis7", "valkey": "valkey8"}

CONF: Final = """\
# The same on every node. Beside it stand users.acl and replication.conf, which redis-users.sh writes: no secret here.
# Start with: {engine}-server /etc/redis/redis.conf, from a unit that waits longer than cluster-node-timeout before it
# restarts it: a master that is back at once, and empty, would be copied by its replicas.
bind * -::*
protected-mode yes
port {port}
dir /var/lib/redis
aclfile /etc/redis/users.acl
include /etc/redis/replication.conf

cluster-enabled yes
cluster-config-file nodes.conf
# As long as the plan's health checks wait.
cluster-node-timeout {node_timeout_ms}
# Where some slots are lost, the others answer on.
cluster-require-full-coverage no
# After a failover the new master has one replica fewer, perhaps none. To refuse its writes then would turn one node's
# loss into an outage; what a cut-off master still accepts is cache, or state that the next heartbeat writes again.
min-replicas-to-write 0

# {memory_gib:g} GiB less what client buffers, replication and pages copied on a fork take.
maxmemory {maxmemory_mib}mb
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

# All here can be made again: the cache from the database, the state from heartbeats; channels keep nothing. ElastiCache
# has no append-only file either.
save ""
appendonly no
"""

USERS: Final = """\
# Run on each node as the server's user, with the passwords in the environment; nothing is printed:
#   APPLICATION_PASSWORD=... REPLICA_PASSWORD=... ADMIN_PASSWORD=... ./redis-users.sh [/etc/redis]
set -eu
directory="${{1:-/etc/redis}}"
: "${{APPLICATION_PASSWORD:?}}" "${{REPLICA_PASSWORD:?}}" "${{ADMIN_PASSWORD:?}}"
case "$REPLICA_PASSWORD" in
*[!A-Za-z0-9_-]*) echo "REPLICA_PASSWORD stands in a configuration file: letters, digits, _ and - only" >&2; exit 2 ;;
esac
umask 077

hashed() {{
    printf '%s' "$1" | sha256sum | cut -d ' ' -f 1
}}

cat >"$directory/users.acl" <<END
user default off resetpass -@all
user {user} on #$(hashed "$APPLICATION_PASSWORD") ~* &* +@all -@admin -@dangerous
user replica on #$(hashed "$REPLICA_PASSWORD") -@all +psync +replconf +ping
user admin on #$(hashed "$ADMIN_PASSWORD") ~* &* +@all
END
cat >"$directory/replication.conf" <<END
masteruser replica
masterauth $REPLICA_PASSWORD
END
"""

CREATE: Final = """\
# Makes one cluster of nodes that run with redis.conf and hold nothing:
#   REDIS_USER=admin REDISCLI_AUTH=... ./create-cluster.sh
# HOSTS: all masters, then a replica of each in the same order, then a second one. Their zones, for the order below:
{zones}# Zones are written out here because {engine}-cli --cluster create knows addresses and not zones.
set -eu
HOSTS="${{HOSTS:-{hosts}}}"
MASTERS={masters}
NODES={nodes}

cli() {{
    node=$1
    shift
    {engine}-cli ${{REDIS_USER:+--user "$REDIS_USER"}} -e -h "${{node%:*}}" -p "${{node##*:}}" "$@"
}}

wait_for() {{ # node, what its CLUSTER INFO must say
    tries=0
    until cli "$1" cluster info | tr -d '\\r' | grep -qx "$2"; do
        tries=$((tries + 1))
        test "$tries" -lt 300 || {{ echo "$1: $2: not within 60 s" >&2; exit 1; }}
        sleep 0.2
    done
}}

set -- $HOSTS
test "$#" -eq "$NODES" || {{ echo "HOSTS names $# nodes, the plan has $NODES" >&2; exit 2; }}
first=$1
# Nodes meet by address; a name is looked up here.
address="$(getent ahostsv4 "${{first%:*}}" | awk 'NR == 1 {{ print $1 }}')"

number=0
for node in "$@"; do
    if [ "$number" -lt "$MASTERS" ]; then
        from=$((16384 * number / MASTERS)) to=$((16384 * (number + 1) / MASTERS - 1))
        cli "$node" cluster addslotsrange "$from" "$to" >/dev/null
    fi
    number=$((number + 1))
    cli "$node" cluster set-config-epoch "$number" >/dev/null
    test "$node" = "$first" || cli "$node" cluster meet "$address" "${{first##*:}}" >/dev/null
done
for node in "$@"; do
    wait_for "$node" "cluster_known_nodes:$NODES"
done

number=0
for node in "$@"; do
    if [ "$number" -ge "$MASTERS" ]; then
        eval "master=\\${{$((number % MASTERS + 1))}}"
        cli "$node" cluster replicate "$(cli "$master" cluster myid)" >/dev/null
    fi
    number=$((number + 1))
done
for node in "$@"; do
    wait_for "$node" "cluster_state:ok"
done
cli "$first" --cluster check "$first"
"""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the cluster's files and the module that keeps connection state in it."""
    return (*_cluster(plan), *_connection_state.artefacts(plan))


def _cluster(plan: Plan) -> tuple[Artefact, ...]:
    """Return redis.conf, the scripts that make users and cluster, and ElastiCache's parameters."""
    engine = plan.scenario.tiers.cache.engine
    head = heading(
        plan,
        [
            f"sized for {plan.figure('cache.node_count')} nodes, {plan.figure('cache.master_count')} of them masters, "
            f"of {_memory_gib(plan):g} GiB; {plan.figure('cache.connection_state_mib'):.4g} MiB of connection state"
        ],
    )
    script = f"#!/bin/sh\n{head}"
    return (
        Artefact("redis.conf", head + _conf(plan), f"Settings of every cache node: `{engine}-server redis.conf`."),
        Artefact(
            "redis-users.sh",
            script + USERS.format(user=plain(application(plan))),
            "Writes the cache's users and their hashed passwords on each node: `./redis-users.sh`.",
            executable=True,
        ),
        Artefact(
            "create-cluster.sh",
            script + _create(plan),
            "Makes a cluster of the cache nodes, each replica in another zone than its master: `./create-cluster.sh`.",
            executable=True,
        ),
        Artefact(
            "elasticache-parameters.yaml",
            f"{head}# Once before: aws elasticache create-cache-parameter-group --cache-parameter-group-family "
            f"{FAMILIES[engine]} \\\n"
            f"#   --cache-parameter-group-name {_group_name(plan)} --description {application(plan)}\n"
            + dump([_parameters(plan)]),
            "The same values where the cache is ElastiCache: "
            "`aws elasticache modify-cache-parameter-group --cli-input-yaml file://elasticache-parameters.yaml`.",
        ),
    )


def _conf(plan: Plan) -> str:
    memory_gib, maxmemory_mib = _memory_gib(plan), int(plan.figure("cache.maxmemory_mib_per_node"))
    buffer_mib = int(plan.figure("cache.pubsub_buffer_mib_per_subscriber"))
    subscribers = int(plan.figure("websocket.node_count"))
    return CONF.format(
        engine=plan.scenario.tiers.cache.engine,
        port=PORT,
        node_timeout_ms=ceil(plan.scenario.tiers.websocket.health_interval_s * 1000),
        memory_gib=memory_gib,
        maxmemory_mib=maxmemory_mib,
        heartbeat=plan.scenario.websocket.heartbeat_interval_s,
        policy=POLICY,
        samples=SAMPLES,
        buffer_mib=buffer_mib,
        subscribers=subscribers,
        buffers_mib=buffer_mib * subscribers,
        reserve_mib=int(memory_gib * 1024) - maxmemory_mib,
        soft_mib=max(1, buffer_mib // 4),
        soft_s=SOFT_SECONDS,
        keepalive_s=_keepalive_s(plan),
    )


def _create(plan: Plan) -> str:
    nodes = redis_nodes(plan)
    zones = "".join(
        f"#   {node.name}: zone {node.zone}{f', replica of {node.master}' if node.master else ', master'}\n"
        for node in nodes
    )
    return CREATE.format(
        zones=zones,
        engine=plan.scenario.tiers.cache.engine,
        hosts=" ".join(f"{node.name}:{PORT}" for node in nodes),
        masters=plan.figure("cache.master_count"),
        nodes=len(nodes),
    )


def _parameters(plan: Plan) -> dict[str, object]:
    """Return the input of ModifyCacheParameterGroup. Sizes are bytes there, and maxmemory is a share of the node's."""
    buffer = int(plan.figure("cache.pubsub_buffer_mib_per_subscriber")) * 2**20
    reserved = 100 - 100 * int(plan.figure("cache.maxmemory_mib_per_node")) / (_memory_gib(plan) * 1024)
    values = {
        "cluster-enabled": "yes",
        "reserved-memory-percent": f"{reserved:.0f}",
        "maxmemory-policy": POLICY,
        "maxmemory-samples": str(SAMPLES),
        "client-output-buffer-limit-pubsub-hard-limit": str(buffer),
        "client-output-buffer-limit-pubsub-soft-limit": str(buffer // 4),
        "client-output-buffer-limit-pubsub-soft-seconds": str(SOFT_SECONDS),
        "tcp-keepalive": str(_keepalive_s(plan)),
        "timeout": "0",
    }
    return {
        "CacheParameterGroupName": _group_name(plan),
        "ParameterNameValues": [{"ParameterName": name, "ParameterValue": value} for name, value in values.items()],
    }


def _group_name(plan: Plan) -> str:
    return f"{application(plan)}-{FAMILIES[plan.scenario.tiers.cache.engine]}"


def _memory_gib(plan: Plan) -> float:
    return next(group.shape.memory_gib for group in plan.groups if group.tier == "cache")


def _keepalive_s(plan: Plan) -> int:
    return min(INT_MOST, ceil(plan.scenario.websocket.heartbeat_interval_s))
