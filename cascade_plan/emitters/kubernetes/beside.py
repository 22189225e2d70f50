"""What stands between clients and the plan's own pods: nginx before the WebSocket nodes, PgBouncer before databases."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from cascade_plan.emitters import _proxy
from cascade_plan.emitters._certificates import secret_name
from cascade_plan.emitters._databases import Pool
from cascade_plan.emitters._nodes import LABEL, is_tainted, open_group
from cascade_plan.emitters._topology import NGINX_HEALTH, NGINX_PORT, PROXY, by_proxy_protocol
from cascade_plan.emitters._watches.targets import exporter_of
from cascade_plan.emitters.kubernetes import objects as built
from cascade_plan.emitters.kubernetes.secrets import userlist_name
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.websocket.settings import Settings as Sockets

PGBOUNCER_PORT_NAME: Final = "pgbouncer"
EXPORTER_PORT: Final = 9127
"""https://github.com/prometheus-community/pgbouncer_exporter, --web.listen-address"""
CLIENT_KIB: Final = 10
"""Memory of a connection to PgBouncer: 2 kB and a packet buffer of 4, https://www.pgbouncer.org/features.html, doubled
(assumption)."""
BASE_MIB: Final = 32
"""Memory of PgBouncer itself (assumption)."""
QUIT: Final = "sleep {wait_s}; kill -INT 1; while kill -s 0 1; do sleep 1; done"
"""SIGINT lets the transactions under way end and takes no others; SIGTERM waits for clients, who stay connected.
Source: https://www.pgbouncer.org/usage.html#signals"""


@dataclass(frozen=True, slots=True)
class Beside:
    """Pods that are no tier's workload, as many as are sized."""

    identity: built.Identity
    pod: built.Pod
    replica_count: int
    placement: built.Placement | None
    is_shared_out: bool = False
    """Whether each has a share of something, so that there may never be one more."""


def _placement(plan: Plan, group: NodeGroup | None) -> built.Placement | None:
    return None if group is None else built.Placement(LABEL, group.tier, is_tainted(plan, group))


def proxy(plan: Plan, sockets: Instance[Sockets], priority: str) -> Beside:
    """Return nginx before WebSocket nodes: on the hosts bought for it, else where pods that choose none go."""
    by_protocol = by_proxy_protocol(plan)
    hosts = next((group for sized in plan.fleet.of("proxy") for group in sized.groups), open_group(plan))
    cpu_cores, memory_mib = sockets.settings.proxy_cpu_cores, _proxy.memory_mib(sockets)
    ports = ",".join(str(port) for port in _proxy.reserved_ports(sockets))
    pod = built.Pod(
        image=f"nginxinc/nginx-unprivileged:{sockets.settings.nginx_version}",
        port=NGINX_PORT,
        resources=built.Resources(cpu_cores, memory_mib),
        ready_path=NGINX_HEALTH,
        live_path=NGINX_HEALTH,
        zone_spread="DoNotSchedule",
        probe_port=_proxy.PROBE_PORT if by_protocol else 0,
        shutdown_s=ceil(sockets.settings.drain_s),
        command=("nginx", "-c", "/config/nginx.conf", "-g", "daemon off;"),
        mounts=(built.Mount("config", "/config", ({"configMap": {"name": PROXY}},)),),
        # To one node's address it has one connection for each local port: all but those that servers take.
        sysctls=(("net.ipv4.ip_local_port_range", "1024 65535"), ("net.ipv4.ip_local_reserved_ports", ports)),
        priority=priority,
        zone_count=plan.scenario.availability.asked.zones,
    )
    identity = built.Identity(PROXY, plan.application, plan.application, component="proxy")
    return Beside(identity, pod, sockets.sized.count("proxy_count"), _placement(plan, hosts))


def pool_of(plan: Plan, pool: Pool, priority: str) -> Beside:
    """Return PgBouncer's pods, which share the pool's connections: never more of them, or the server refuses some."""
    sized, settings, database = pool.instance.sized, pool.instance.settings, pool.database.instance
    busy = database.sized.value("queries_per_s_peak") * settings.transaction_ms / 1000 / pool.process_count
    clients = sized.count("client_connection_count_max") + sum(pool.connection_count_per_process.values())
    statement_s = ceil(database.settings.statement_timeout_s)
    wait_s = 10
    secret = userlist_name(pool)
    pod = built.Pod(
        image=settings.image,
        port=settings.port,
        resources=built.Resources(max(0.1, round(min(1.0, busy), 3)), BASE_MIB + ceil(clients * CLIENT_KIB / 1024)),
        ready_path=None,
        live_path=None,
        zone_spread="DoNotSchedule",
        port_name=PGBOUNCER_PORT_NAME,
        drain_s=wait_s,
        shutdown_s=statement_s + 5,
        stop=("/bin/sh", "-c", QUIT.format(wait_s=wait_s)),
        command=("pgbouncer", f"/etc/pgbouncer/{pool.prefix}pgbouncer.ini"),
        mounts=(built.Mount("config", "/etc/pgbouncer", tuple(_files(plan, pool, secret))),),
        beside=(_exporter(settings.exporter_image, secret),),
        user_id=settings.user_id,
        priority=priority,
        zone_count=plan.scenario.availability.asked.zones,
    )
    component = exporter_of(plan, pool.instance.name) or pool.workload_name
    identity = built.Identity(pool.workload_name, plan.application, plan.application, component=component)
    return Beside(identity, pod, pool.process_count, _placement(plan, open_group(plan)), is_shared_out=True)


def _files(plan: Plan, pool: Pool, secret: str) -> list[built.KubernetesObject]:
    item = {"key": "userlist.txt", "path": f"{pool.prefix}userlist.txt"}
    files: list[built.KubernetesObject] = [
        {"configMap": {"name": pool.workload_name}},
        {"secret": {"name": secret, "items": [item]}},
    ]
    if pool.instance.settings.client_tls == "disable":
        return files
    # Below the settings, where CLIENT_TLS_DIRECTORY is.
    items = [{"key": key, "path": f"tls/{key}"} for key in ("tls.crt", "tls.key")]
    return [*files, {"secret": {"name": secret_name(plan, pool.workload_name), "items": items}}]


def _exporter(image: str, secret: str) -> built.KubernetesObject:
    """Return the container that tells Prometheus of the PgBouncer beside it."""
    reference = {"secretKeyRef": {"name": secret, "key": "exporter"}}
    return {
        "name": "exporter",
        "image": image,
        "env": [{"name": "PGBOUNCER_EXPORTER_CONNECTION_STRING", "valueFrom": reference}],
        "ports": [{"name": "metrics", "containerPort": EXPORTER_PORT, "protocol": "TCP"}],
        "resources": built.resources(built.Resources(0.01, 32)),
        # Its own page, which PgBouncer has no part in: one that is down takes no clients away.
        "readinessProbe": built.probe("metrics", "/", built.PROBE_PERIOD_S, 2),
        "livenessProbe": built.probe("metrics", "/", 2 * built.PROBE_PERIOD_S, 3),
        "securityContext": built.CONFINED,
    }
