#!/bin/sh
# cascade-plan: scenario cascade, 10000 users at peak, 3000 on average, us-east-1
# prices pricing/aws/us-east-1.yaml, of 2024-07-01 to 2026-10-06
# sized for 3 nodes, 3 of them masters, of 13.07 GiB; 4.129 MiB of connection state
# Run on each node as the server's user, with the passwords in the environment; nothing is printed:
#   APPLICATION_PASSWORD=... REPLICA_PASSWORD=... ADMIN_PASSWORD=... ./redis-users.sh [/etc/redis]
set -eu
directory="${1:-/etc/redis}"
: "${APPLICATION_PASSWORD:?}" "${REPLICA_PASSWORD:?}" "${ADMIN_PASSWORD:?}"
case "$REPLICA_PASSWORD" in
*[!A-Za-z0-9_-]*) echo "REPLICA_PASSWORD stands in a configuration file: letters, digits, _ and - only" >&2; exit 2 ;;
esac
umask 077

hashed() {
    printf '%s' "$1" | sha256sum | cut -d ' ' -f 1
}

cat >"$directory/users.acl" <<END
user default off resetpass -@all
user cascade on #$(hashed "$APPLICATION_PASSWORD") ~* &* +@all -@admin -@dangerous
user replica on #$(hashed "$REPLICA_PASSWORD") -@all +psync +replconf +ping
user admin on #$(hashed "$ADMIN_PASSWORD") ~* &* +@all
END
cat >"$directory/replication.conf" <<END
masteruser replica
masterauth $REPLICA_PASSWORD
END
