"""The scripts that write a cache's users, and that make one cluster of its servers."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._secrets import METRICS, cache_secret
from cascade_plan.emitters._topology import Cache
from cascade_plan.emitters.redis._settings import CA_FILE
from cascade_plan.languages.plain import name as plain
from cascade_plan.model.plan import Plan

USERS: Final = """\
# Run on each node as the server's user, with the passwords in the environment; nothing is printed:
#   APPLICATION_PASSWORD=... METRICS_PASSWORD=... REPLICA_PASSWORD=... ADMIN_PASSWORD=... ./{file} [/etc/redis]
{usage}set -eu
directory="${{1:-/etc/redis}}"
: "${{APPLICATION_PASSWORD:?}}" "${{METRICS_PASSWORD:?}}" "${{REPLICA_PASSWORD:?}}" "${{ADMIN_PASSWORD:?}}"
case "$REPLICA_PASSWORD" in
*[!A-Za-z0-9_-]*) echo "REPLICA_PASSWORD stands in a configuration file: letters, digits, _ and - only" >&2; exit 2 ;;
esac
{checked}umask 077

hashed() {{
    printf '%s' "$1" | sha256sum | cut -d ' ' -f 1
}}

# Metrics are asked for by redis_exporter, which needs no more than this. CONFIG GET would tell it the password of the
# replicas, who get all that is kept: it does without, and takes maxmemory from INFO.
cat >"$directory/users.acl" <<END
user default off resetpass -@all
user {user} on #$(hashed "$APPLICATION_PASSWORD") ~* {channels}+@all -@admin -@dangerous
user {metrics} on #$(hashed "$METRICS_PASSWORD") -@all {asks}
user replica on #$(hashed "$REPLICA_PASSWORD") -@all +psync +replconf +ping
user admin on #$(hashed "$ADMIN_PASSWORD") ~* &* +@all
END
cat >"$directory/replication.conf" <<END
masteruser replica
masterauth $REPLICA_PASSWORD
{copies}END
"""
ASKS: Final = (
    "+ping +info +client|setname +select +slowlog|get +slowlog|len +latency|latest +latency|histogram +cluster|info"
)
"""What redis_exporter asks by default, but for CONFIG, of what its users may be given:
https://github.com/oliver006/redis_exporter#authenticating-with-redis"""
USAGE: Final = """\
# On a replica also with the master that it copies: MASTER={master} (a replica of it: {replicas})
"""
CHECKED: Final = """\
MASTER="${MASTER:-}"
case "$MASTER" in
*[!A-Za-z0-9._:-]*) echo "MASTER is HOST:PORT: letters, digits, '.', '_' and '-' only" >&2; exit 2 ;;
esac
"""
COPIES: Final = """\
${MASTER:+replicaof ${MASTER%:*} ${MASTER##*:}}
"""

CREATE: Final = """\
# Makes one cluster of nodes that run with redis.conf and hold nothing:
#   REDIS_USER=admin REDISCLI_AUTH=... ./{file}
# Run again it changes nothing, but has nodes meet that came back under other addresses. It ends once every replica has
# all that its master has: from then on a master may be lost.
# HOSTS: all masters, then a replica of each in the same order, then a second one. Their zones, for the order below:
{zones}# Zones are written out here because {engine}-cli --cluster create knows addresses and not zones.
set -eu
HOSTS="${{HOSTS:-{hosts}}}"
MASTERS={masters}
NODES={nodes}
WAIT_S="${{WAIT_S:-60}}"

cli() {{
    node=$1
    shift
    {engine}-cli {tls}${{REDIS_USER:+--user "$REDIS_USER"}} -e -h "${{node%:*}}" -p "${{node##*:}}" "$@"
}}

says() {{ # node, what to ask it, a line of its answer
    cli "$1" $2 | tr -d '\\r' | grep -qx "$3"
}}

wait_for() {{ # as above, and what to look at when it is not said in time
    end=$(($(date +%s) + WAIT_S))
    until says "$1" "$2" "$3"; do
        test "$(date +%s)" -lt "$end" || {{ echo "$1: $3: not within $WAIT_S s: $4" >&2; exit 1; }}
        sleep 0.2
    done
}}

set -- $HOSTS
test "$#" -eq "$NODES" || {{ echo "HOSTS names $# nodes, this scenario has $NODES" >&2; exit 2; }}
first=$1
# Nodes meet by address; a name is looked up here.
address="$(getent ahostsv4 "${{first%:*}}" | awk 'NR == 1 {{ print $1 }}')"
is_new=true
says "$first" "cluster info" cluster_slots_assigned:16384 && is_new=false

number=0
for node in "$@"; do
    if "$is_new" && [ "$number" -lt "$MASTERS" ]; then
        from=$((16384 * number / MASTERS)) to=$((16384 * (number + 1) / MASTERS - 1))
        cli "$node" cluster addslotsrange "$from" "$to" >/dev/null
    fi
    number=$((number + 1))
    ! "$is_new" || cli "$node" cluster set-config-epoch "$number" >/dev/null
    test "$node" = "$first" || cli "$node" cluster meet "$address" "${{first##*:}}" >/dev/null
done
for node in "$@"; do
    wait_for "$node" "cluster info" "cluster_known_nodes:$NODES" "can it reach the others, and the port of their bus?"
done

number=0
for node in "$@"; do
    if "$is_new" && [ "$number" -ge "$MASTERS" ]; then
        eval "master=\\${{$((number % MASTERS + 1))}}"
        cli "$node" cluster replicate "$(cli "$master" cluster myid)" >/dev/null
    fi
    number=$((number + 1))
done
for node in "$@"; do
    wait_for "$node" "cluster info" cluster_state:ok "are all nodes up?"
    says "$node" "info replication" role:master ||
        wait_for "$node" "info replication" master_link_status:up "is REPLICA_PASSWORD the same on all nodes?"
done
cli "$first" --cluster check "$first"
"""
TLS: Final = f'--tls --cacert "${{CA_FILE:-{CA_FILE}}}" '


def tls_options(cache: Cache) -> str:
    """Return what the command line of a client says, where servers speak TLS alone."""
    return TLS if cache.instance.settings.tls else ""


def users(plan: Plan, cache: Cache) -> str:
    """Return the script that writes users and passwords, and on replicas of a lone master whom they copy."""
    is_copied = not cache.is_cluster and cache.copy_count > 0
    replicas = ", ".join(node.name for node in cache.nodes if node.master)
    return USERS.format(
        file=f"{cache.prefix}redis-users.sh",
        user=plain(cache_secret(plan, cache).users[""]),
        metrics=METRICS,
        asks=ASKS,
        usage=USAGE.format(master=cache.host(cache.nodes[0]), replicas=replicas) if is_copied else "",
        checked=CHECKED if is_copied else "",
        copies=COPIES if is_copied else "",
        # Channels carry messages between those who hold connections; whoever only caches needs none.
        channels="&* " if cache.streams is not None else "",
    )


def create(cache: Cache) -> str:
    """Return the script that makes a cluster of servers that hold nothing."""
    zones = "".join(
        f"#   {node.name}: zone {node.zone}{f', replica of {node.master}' if node.master else ', master'}\n"
        for node in cache.nodes
    )
    return CREATE.format(
        file=f"{cache.prefix}create-cluster.sh",
        zones=zones,
        engine=cache.instance.settings.engine,
        tls=tls_options(cache),
        hosts=" ".join(cache.host(node) for node in cache.nodes),
        masters=cache.master_count,
        nodes=len(cache.nodes),
    )
