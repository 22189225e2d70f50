"""nginx before the WebSocket nodes: nginx.conf, and the kernel's settings it needs."""

from __future__ import annotations

from math import ceil
from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._topology import NGINX_HEALTH, NGINX_PORT, by_proxy_protocol, websocket_hosts
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


SPARE_CONNECTIONS: Final = 512
"""For listening sockets, health checks and plain requests: nginx's own default of worker_connections."""
HEARTBEATS: Final = 3
"""Silent heartbeats until a connection is cut. The node itself gives up after two: its interval and its time-out."""
FAILS_MOST: Final = 1000
"""Whoever waits for more failures has no health check; nginx itself stops at what 64 bits hold."""
STATES_PER_MIB: Final = 8000
"""Addresses that 1 MiB of a limit_conn zone remembers, https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html"""
BACKLOG: Final = 4096
"""net.core.somaxconn of Linux since 5.4: a lost node's clients come back all at once."""

CONSISTENT: Final = """\
    # A client returns to its node by a key of its own: client_id in the URL when the application gives one that stays
    # the same over reconnections, else a cookie that nginx sets with its first answer. The address is no such key:
    # ip_hash takes the first 24 bits of it, so that a whole office lands on one node; and everyone in an office
    # has the same browser. "consistent" moves only a lost node's clients, and in every nginx to the same nodes.
    map $arg_client_id $route_key {
        default $arg_client_id;
        ""      $uid_got$uid_set;
    }

"""
COOKIE: Final = """\
        userid on;
        userid_name ws_route;
        userid_flags secure httponly samesite=lax;

"""

IN_CLUSTER: Final = """\
They are the pods of the StatefulSet, below
# the name of the headless Service that emit-k8s makes with it; where they have others, the scenario gives what follows
# ws-node-1 as tiers.{tier}.domain."""
OUTSIDE: Final = """\
What follows their names
# in DNS the scenario gives as tiers.{tier}.domain."""

CONF: Final = """\
# Run at least two of these{behind}. Apply with: nginx -t && nginx -s reload
# The nodes' names are looked up when nginx starts or reloads, and it does not start while one of them has no address:
# reload it when a node's address changes. {domain}
worker_processes auto;
worker_rlimit_nofile {files};
# After a reload the old workers keep their connections, but not for ever.
worker_shutdown_timeout {lifetime};
error_log /var/log/nginx/error.log warn;
pid /run/nginx.pid;

events {{
    # A proxied WebSocket takes two: {proxied} for {connections} at peak, should one worker get them all; and {spare}.
    worker_connections {worker_connections};
}}

http {{
    server_tokens off;
    # No query string: it may carry a token.
    log_format websocket '$remote_addr [$time_iso8601] $uri $status ${{request_time}}s $bytes_sent $upstream_addr';
    access_log /var/log/nginx/access.log websocket;

{real_ip}    set_real_ip_from 10.0.0.0/8;
    set_real_ip_from 172.16.0.0/12;
    set_real_ip_from 192.168.0.0/16;
    set_real_ip_from 100.64.0.0/10;
    set_real_ip_from 127.0.0.0/8;
    real_ip_header {header};

    # Upgrade is a header from hop to hop. A request without it is an ordinary one, whose connection is not kept.
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        ""      close;
    }}

{key}    limit_conn_zone $binary_remote_addr zone=address:{zone_mib}m;

    upstream websocket_nodes {{
        # Shared by the workers: failures and connections are counted once. Each nginx counts its own.
        zone websocket_nodes {upstream_kib}k;
        {method};
        # Open-source nginx has no active health checks. A node that fails {max_fails} times within {fail_timeout} (so
        # many time-outs fit into it) gets no new connection for {fail_timeout}.
{servers}    }}

    server {{
        listen {port} default_server{protocol} reuseport backlog={backlog} so_keepalive=on;
{cookie}        limit_conn address {per_address};
        limit_conn_status 429;

        location / {{
            proxy_pass http://websocket_nodes;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For {forwarded};
            proxy_socket_keepalive on;
            proxy_connect_timeout {connect};
            # {heartbeats} heartbeats of {heartbeat}: nginx's default of 60s cuts whoever is silent longer.
            proxy_read_timeout {silence};
            proxy_send_timeout {silence};
            # A node that drains answers 503 to new connections; they go to another.
            proxy_next_upstream error timeout http_502 http_503 http_504;
            proxy_next_upstream_timeout {fail_timeout};
        }}

        location = {health} {{
            access_log off;
            return 204;
        }}
    }}
}}
"""

FROM_HEADER: Final = """\
    # Behind another proxy the client's address is in a header; from public addresses it is not believed (RFC 1918,
    # RFC 6598).
"""
FROM_PROTOCOL: Final = """\
    # A network load balancer sends no header: each connection comes from one of its few addresses. The client's stands
    # in the PROXY protocol before the connection's first byte (the target group's proxy_protocol_v2; its health checks
    # begin with it too); from public addresses it is not believed (RFC 1918, RFC 6598).
"""

SYSCTL: Final = """\
# The host of nginx: sysctl --load nginx-sysctl.conf
# To one node's address nginx has one connection for each local port. Linux gives out 28,232 of them (32768 to 60999),
# fewer than the {most} connections of a node.
net.ipv4.ip_local_port_range = 1024 65535
net.ipv4.ip_local_reserved_ports = {ports}
net.core.somaxconn = {backlog}
"""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return nginx.conf and the sysctl file of its host."""
    return tuple(artefact for sockets in plan.of(Settings) for artefact in _of(plan, sockets))


def _of(plan: Plan, sockets: Instance[Settings]) -> tuple[Artefact, ...]:
    tier = sockets.settings
    head = heading(
        plan,
        [
            f"sized for {sockets.sized.count('connection_count'):,} connections to "
            f"{sockets.sized.count('node_count')} nodes of at most {tier.connections_per_node:,}"
        ],
    )
    ports = ",".join(str(port) for port in sorted({NGINX_PORT, tier.port} - set(range(1024))))
    return (
        Artefact(
            "nginx.conf",
            head + _conf(plan, sockets),
            "nginx before the WebSocket nodes: `nginx -t && nginx -s reload`.",
        ),
        Artefact(
            "nginx-sysctl.conf",
            head + SYSCTL.format(most=f"{tier.connections_per_node:,}", ports=ports, backlog=BACKLOG),
            "The kernel settings of nginx's host: `sysctl --load nginx-sysctl.conf`.",
        ),
    )


def _conf(plan: Plan, sockets: Instance[Settings]) -> str:
    tier = sockets.settings
    proxied = sockets.sized.count("proxy_connection_count")
    max_fails = min(max(1, int(tier.health_interval_s // tier.health_timeout_s)), FAILS_MOST)
    fail_timeout = f"{ceil(tier.health_interval_s)}s"
    names = websocket_hosts(plan, sockets)
    hashed = tier.sticky == "consistent_hash"
    limits = f"max_conns={tier.connections_per_node} max_fails={max_fails} fail_timeout={fail_timeout}"
    by_protocol = by_proxy_protocol(plan)
    return CONF.format(
        real_ip=FROM_PROTOCOL if by_protocol else FROM_HEADER,
        header="proxy_protocol" if by_protocol else "X-Forwarded-For;\n    real_ip_recursive on",
        protocol=" proxy_protocol" if by_protocol else "",
        # Behind a network load balancer nobody has set it whom we know.
        forwarded="$remote_addr" if by_protocol else "$proxy_add_x_forwarded_for",
        behind=" behind the network's load balancer" if plan.fleet.of("gateway") else ", both in the DNS",
        domain=(IN_CLUSTER if plan.fleet.of("cluster") else OUTSIDE).format(tier=sockets.name),
        files=proxied + 2 * SPARE_CONNECTIONS,
        lifetime=_time(tier.connection_lifetime_s),
        proxied=proxied,
        connections=sockets.sized.count("connection_count"),
        spare=SPARE_CONNECTIONS,
        worker_connections=proxied + SPARE_CONNECTIONS,
        key=CONSISTENT if hashed else "",
        cookie=COOKIE if hashed else "",
        method="hash $route_key consistent" if hashed else "ip_hash",
        zone_mib=ceil(max(proxied, 1) / 2 / STATES_PER_MIB),
        upstream_kib=64 + 2 * len(names),
        max_fails=max_fails,
        fail_timeout=fail_timeout,
        servers="".join(f"        server {name}:{tier.port} {limits};\n" for name in names),
        port=NGINX_PORT,
        health=NGINX_HEALTH,
        backlog=BACKLOG,
        per_address=tier.connections_per_address,
        connect=_time(tier.health_timeout_s),
        heartbeats=HEARTBEATS,
        heartbeat=_time(tier.heartbeat_interval_s),
        silence=_time(HEARTBEATS * tier.heartbeat_interval_s),
    )


def _time(seconds: float) -> str:
    """Return a time as nginx reads it: whole seconds, or whole milliseconds, rounded up and never none."""
    return f"{seconds:.0f}s" if seconds == int(seconds) else f"{ceil(seconds * 1000)}ms"
