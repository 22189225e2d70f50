"""nginx before the WebSocket nodes: nginx.conf, and the kernel's settings it needs."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._proxy import CLUSTER_DNS, PROBE_PORT, WORKERS, reserved_ports
from cascade_plan.emitters._topology import (
    HEARTBEATS,
    NGINX_HEALTH,
    NGINX_PORT,
    PROXY,
    by_proxy_protocol,
    websocket_count,
    websocket_hosts,
)
from cascade_plan.languages.plain import name as plain
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
RESOLVES: Final = (1, 27, 3)
"""The version whose upstreams look names up again, https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server"""
AGAIN_S: Final = 5
"""As long as CoreDNS keeps what it knows of pods, https://coredns.io/plugins/kubernetes/ (ttl)."""
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
# The nodes are the pods of the StatefulSet, below the name of the headless Service that emit-k8s makes with it; where
# they have other names, the scenario gives what follows ws-node-1 as tiers.{tier}.domain."""
OUTSIDE: Final = "# What follows the nodes' names in DNS the scenario gives as tiers.{tier}.domain."
RESOLVED: Final = """\
# Their names are looked up again every {again}: a node may come back with another address, and have none at first."""
AT_START: Final = """\
# Their names are looked up when nginx starts or reloads, and it does not start while one of them has no address: reload
# it when a node's address changes. From 1.27.3 on nginx looks them up again itself (tiers.{tier}.nginx_version), given
# a name server (tiers.{tier}.resolver)."""

CONF: Final = """\
# Run {proxies} of these{behind}. Apply with: nginx -t && nginx -s reload
{domain}
{looked_up}
worker_processes {workers};
worker_rlimit_nofile {files};
# After a reload, or told to quit, the old workers keep their connections, but not for ever.
worker_shutdown_timeout {lifetime};
error_log {error_log} warn;
pid {pid};

events {{
    # A proxied WebSocket takes two: {proxied} with one of {proxies} nginx lost, should one worker get them all; and
    # {spare} more.
    worker_connections {worker_connections};
}}

http {{
    server_tokens off;
    # No query string: it may carry a token.
    log_format websocket '$remote_addr [$time_iso8601] $uri $status ${{request_time}}s $bytes_sent $upstream_addr';
    access_log {access_log} websocket;
{spooled}{resolver}
{real_ip}    set_real_ip_from {addresses};
    real_ip_header {header};

    # Who is still one of the network's own addresses after that is the balancer, and all of its clients at once: not
    # counted by address, as clients are.
    geo $is_client {{
        default 1;
        {addresses} 0;
    }}
    map $is_client $counted_address {{
        1       $binary_remote_addr;
        default "";
    }}

    # Upgrade is a header from hop to hop. A request without it is an ordinary one, whose connection is not kept.
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        ""      close;
    }}

{origins}{key}    limit_conn_zone $counted_address zone=address:{zone_mib}m;

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
{refused}            proxy_pass http://websocket_nodes;
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
{probed}}}
"""

RESOLVER: Final = """\

    # Whatever time the answers say they are good for, they are asked for again after {again}.
    resolver {server} valid={again} ipv6=off;
"""
SPOOLED: Final = "".join(
    f"    {name}_temp_path /tmp/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)
"""Nothing but /tmp can be written in a pod."""
ORIGINS: Final = """\
    # Only pages of these sites open connections. Who says no origin is no browser.
    map $http_origin $is_foreign {{
        default 1;
        ""      0;
{allowed}    }}

"""
REFUSED: Final = """\
            if ($is_foreign) {
                return 403;
            }
"""
PROBED: Final = """\

    # The kubelet speaks no PROXY protocol.
    server {{
        listen {port};

        location = {health} {{
            access_log off;
            return 204;
        }}
    }}
"""

FROM_HEADER: Final = """\
    # Behind another proxy the client's address is in a header; only from the network's own addresses it is believed,
    # where the balancer stands (emit.cidr).
"""
FROM_PROTOCOL: Final = """\
    # A network load balancer sends no header: each connection comes from one of its few addresses. The client's stands
    # in the PROXY protocol before the connection's first byte (the target group's proxy_protocol_v2; its health checks
    # begin with it too); only from the network's own addresses it is believed, where the balancer stands (emit.cidr).
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
    """Return nginx.conf and, where it runs on a host and in no pod, the sysctl file of that."""
    return tuple(artefact for sockets in plan.of(Settings) for artefact in _of(plan, sockets))


def _of(plan: Plan, sockets: Instance[Settings]) -> Iterator[Artefact]:
    tier, in_cluster = sockets.settings, bool(plan.fleet.of("cluster"))
    head = heading(
        plan,
        [
            f"sized for {sockets.sized.count('connection_count'):,} connections to "
            f"{websocket_count(sockets)} nodes of at most {tier.connections_per_node:,}"
        ],
    )
    purpose = "nginx before the WebSocket nodes: `nginx -t && nginx -s reload`."
    if in_cluster:
        purpose = f"nginx before the WebSocket nodes, which the pods of {PROXY} read."
    yield Artefact("nginx.conf", head + _conf(plan, sockets), purpose, config_map=PROXY if in_cluster else "")
    if not in_cluster:
        ports = ",".join(str(port) for port in reserved_ports(sockets))
        yield Artefact(
            "nginx-sysctl.conf",
            head + SYSCTL.format(most=f"{tier.connections_per_node:,}", ports=ports, backlog=BACKLOG),
            "The kernel settings of nginx's host: `sysctl --load nginx-sysctl.conf`.",
        )


def _conf(plan: Plan, sockets: Instance[Settings]) -> str:
    tier = sockets.settings
    proxied = sockets.sized.count("proxy_connection_count")
    return CONF.format(
        **_of_network(plan, sockets),
        **_of_nodes(plan, sockets),
        **_of_clients(sockets),
        **_of_host(plan, tier),
        proxies=sockets.sized.count("proxy_count"),
        workers=WORKERS,
        files=proxied + 2 * SPARE_CONNECTIONS,
        proxied=proxied,
        spare=SPARE_CONNECTIONS,
        worker_connections=proxied + SPARE_CONNECTIONS,
        zone_mib=ceil(max(proxied, 1) / 2 / STATES_PER_MIB),
        port=NGINX_PORT,
        health=NGINX_HEALTH,
        backlog=BACKLOG,
    )


def _of_network(plan: Plan, sockets: Instance[Settings]) -> dict[str, object]:
    """Return what stands before nginx, whom it believes, and whom it asks for names."""
    by_protocol, server = by_proxy_protocol(plan), _name_server(plan, sockets.settings)
    return {
        "behind": " behind the network's load balancer" if plan.fleet.of("gateway") else ", all in the DNS",
        "addresses": plan.scenario.emit.cidr,
        "resolver": RESOLVER.format(server=server, again=f"{AGAIN_S}s") if server else "",
        "real_ip": FROM_PROTOCOL if by_protocol else FROM_HEADER,
        "header": "proxy_protocol" if by_protocol else "X-Forwarded-For;\n    real_ip_recursive on",
        "protocol": " proxy_protocol" if by_protocol else "",
        # Behind a network load balancer nobody has set it whom we know.
        "forwarded": "$remote_addr" if by_protocol else "$proxy_add_x_forwarded_for",
        "probed": PROBED.format(port=PROBE_PORT, health=NGINX_HEALTH) if by_protocol else "",
    }


def _name_server(plan: Plan, tier: Settings) -> str:
    """Return whom nginx asks for the nodes' names again; "" where it cannot, or where nobody is known."""
    if tuple(int(part) for part in f"{tier.nginx_version}.0".split(".")[:3]) < RESOLVES:
        return ""
    return plain(known) if (known := tier.resolver or (CLUSTER_DNS if plan.fleet.of("cluster") else "")) else ""


def _of_nodes(plan: Plan, sockets: Instance[Settings]) -> dict[str, object]:
    """Return the nodes by name, their limits, and how long is waited for them."""
    tier, resolved = sockets.settings, bool(_name_server(plan, sockets.settings))
    max_fails = min(max(1, int(tier.health_interval_s // tier.health_timeout_s)), FAILS_MOST)
    fail_timeout = f"{ceil(tier.health_interval_s)}s"
    limits = f"max_conns={tier.connections_per_node} max_fails={max_fails} fail_timeout={fail_timeout}"
    again = " resolve" if resolved else ""
    names = websocket_hosts(plan, sockets)
    return {
        "domain": (IN_CLUSTER if plan.fleet.of("cluster") else OUTSIDE).format(tier=sockets.name),
        "looked_up": (RESOLVED if resolved else AT_START).format(tier=sockets.name, again=f"{AGAIN_S} s"),
        "upstream_kib": 64 + (8 if resolved else 2) * len(names),
        "max_fails": max_fails,
        "fail_timeout": fail_timeout,
        "servers": "".join(f"        server {name}:{tier.port} {limits}{again};\n" for name in names),
        "connect": _time(tier.health_timeout_s),
        "heartbeats": HEARTBEATS,
        "heartbeat": _time(tier.heartbeat_interval_s),
        "silence": _time(HEARTBEATS * tier.heartbeat_interval_s),
    }


def _of_clients(sockets: Instance[Settings]) -> dict[str, object]:
    """Return who is let in, and how each finds its node again."""
    tier = sockets.settings
    hashed = tier.sticky == "consistent_hash"
    allowed = "".join(f'        "{origin}" 0;\n' for origin in dict.fromkeys(tier.allowed_origins or ()))
    return {
        "origins": ORIGINS.format(allowed=allowed) if allowed else "",
        "refused": REFUSED if allowed else "",
        "key": CONSISTENT if hashed else "",
        "cookie": COOKIE if hashed else "",
        "method": "hash $route_key consistent" if hashed else "ip_hash",
        "per_address": tier.connections_per_address,
    }


def _of_host(plan: Plan, tier: Settings) -> dict[str, object]:
    """Return where nginx writes, and how long it may take to end."""
    if plan.fleet.of("cluster"):
        return {
            "error_log": "/dev/stderr",
            "access_log": "/dev/stdout",
            "pid": "/tmp/nginx.pid",
            "spooled": SPOOLED,
            "lifetime": _time(min(tier.drain_s, tier.connection_lifetime_s)),
        }
    return {
        "error_log": "/var/log/nginx/error.log",
        "access_log": "/var/log/nginx/access.log",
        "pid": "/run/nginx.pid",
        "spooled": "",
        "lifetime": _time(tier.connection_lifetime_s),
    }


def _time(seconds: float) -> str:
    """Return a time as nginx reads it: whole seconds, or whole milliseconds, rounded up and never none."""
    return f"{seconds:.0f}s" if seconds == int(seconds) else f"{ceil(seconds * 1000)}ms"
