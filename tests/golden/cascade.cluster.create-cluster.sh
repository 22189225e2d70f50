#!/bin/sh
# cascade-plan: scenario cascade, 10000 users at peak, 3000 on average, us-east-1
# prices pricing/aws/us-east-1.yaml, of 2024-07-01 to 2026-10-06
# sized for 3 nodes, 3 of them masters, of 13.07 GiB; 4.129 MiB of connection state
# Makes one cluster of nodes that run with redis.conf and hold nothing:
#   REDIS_USER=admin REDISCLI_AUTH=... ./create-cluster.sh
# HOSTS: all masters, then a replica of each in the same order, then a second one. Their zones, for the order below:
#   redis-1: zone 1, master
#   redis-2: zone 2, master
#   redis-3: zone 3, master
# Zones are written out here because redis-cli --cluster create knows addresses and not zones.
set -eu
HOSTS="${HOSTS:-redis-1:6379 redis-2:6379 redis-3:6379}"
MASTERS=3
NODES=3

cli() {
    node=$1
    shift
    redis-cli ${REDIS_USER:+--user "$REDIS_USER"} -e -h "${node%:*}" -p "${node##*:}" "$@"
}

wait_for() { # node, what its CLUSTER INFO must say
    tries=0
    until cli "$1" cluster info | tr -d '\r' | grep -qx "$2"; do
        tries=$((tries + 1))
        test "$tries" -lt 300 || { echo "$1: $2: not within 60 s" >&2; exit 1; }
        sleep 0.2
    done
}

set -- $HOSTS
test "$#" -eq "$NODES" || { echo "HOSTS names $# nodes, the plan has $NODES" >&2; exit 2; }
first=$1
# Nodes meet by address; a name is looked up here.
address="$(getent ahostsv4 "${first%:*}" | awk 'NR == 1 { print $1 }')"

number=0
for node in "$@"; do
    if [ "$number" -lt "$MASTERS" ]; then
        from=$((16384 * number / MASTERS)) to=$((16384 * (number + 1) / MASTERS - 1))
        cli "$node" cluster addslotsrange "$from" "$to" >/dev/null
    fi
    number=$((number + 1))
    cli "$node" cluster set-config-epoch "$number" >/dev/null
    test "$node" = "$first" || cli "$node" cluster meet "$address" "${first##*:}" >/dev/null
done
for node in "$@"; do
    wait_for "$node" "cluster_known_nodes:$NODES"
done

number=0
for node in "$@"; do
    if [ "$number" -ge "$MASTERS" ]; then
        eval "master=\${$((number % MASTERS + 1))}"
        cli "$node" cluster replicate "$(cli "$master" cluster myid)" >/dev/null
    fi
    number=$((number + 1))
done
for node in "$@"; do
    wait_for "$node" "cluster_state:ok"
done
cli "$first" --cluster check "$first"
