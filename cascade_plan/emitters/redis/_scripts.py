"""The scripts that write a cache's users, and that make one cluster of its servers."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._topology import Cache
from cascade_plan.emitters.redis._settings import PORT
from cascade_plan.languages.plain import name as plain
from cascade_plan.model.plan import Plan

USERS: Final = """\
# Run on each node as the server's user, with the passwords in the environment; nothing is printed:
#   APPLICATION_PASSWORD=... REPLICA_PASSWORD=... ADMIN_PASSWORD=... ./{file} [/etc/redis]
{usage}set -eu
directory="${{1:-/etc/redis}}"
: "${{APPLICATION_PASSWORD:?}}" "${{REPLICA_PASSWORD:?}}" "${{ADMIN_PASSWORD:?}}"
case "$REPLICA_PASSWORD" in
*[!A-Za-z0-9_-]*) echo "REPLICA_PASSWORD stands in a configuration file: letters, digits, _ and - only" >&2; exit 2 ;;
esac
{checked}umask 077

hashed() {{
    printf '%s' "$1" | sha256sum | cut -d ' ' -f 1
}}

cat >"$directory/users.acl" <<END
user default off resetpass -@all
user {user} on #$(hashed "$APPLICATION_PASSWORD") ~* {channels}+@all -@admin -@dangerous
user replica on #$(hashed "$REPLICA_PASSWORD") -@all +psync +replconf +ping
user admin on #$(hashed "$ADMIN_PASSWORD") ~* &* +@all
END
cat >"$directory/replication.conf" <<END
masteruser replica
masterauth $REPLICA_PASSWORD
{copies}END
"""
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
test "$#" -eq "$NODES" || {{ echo "HOSTS names $# nodes, this scenario has $NODES" >&2; exit 2; }}
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


def users(plan: Plan, cache: Cache) -> str:
    """Return the script that writes users and passwords, and on replicas of a lone master whom they copy."""
    is_copied = not cache.is_cluster and cache.copy_count > 0
    replicas = ", ".join(node.name for node in cache.nodes if node.master)
    return USERS.format(
        file=f"{cache.prefix}redis-users.sh",
        user=plain(plan.application),
        usage=USAGE.format(master=f"{cache.nodes[0].name}:{PORT}", replicas=replicas) if is_copied else "",
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
        hosts=" ".join(f"{node.name}:{PORT}" for node in cache.nodes),
        masters=cache.master_count,
        nodes=len(cache.nodes),
    )
