"""nginx before the WebSocket nodes, as those see it who configure it and those who run it."""

from __future__ import annotations

from math import ceil
from typing import Final

from cascade_plan.emitters._topology import NGINX_PORT
from cascade_plan.model.plan import Instance
from cascade_plan.tiers.websocket.settings import Settings

WORKERS: Final = 2
"""Processes of one nginx: one that is busy does not hold up the other. "auto" would be as many as its node has CPUs."""
PROBE_PORT: Final = 8081
"""Where nginx answers whether it is up to who speaks no PROXY protocol."""
CLUSTER_DNS: Final = "kube-dns.kube-system.svc.cluster.local"
"""The Service of a cluster's name server, CoreDNS on EKS too;
https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html"""
SLOT_KIB: Final = 0.43
"""Memory of one of worker_connections, used or not: 446 MB for 1,049,088 of them (measured, nginx 1.31.3)."""
CONNECTION_KIB: Final = 25.0
"""Memory of one proxied WebSocket, both ends: 49,392 KiB for 2,000 of them (measured, nginx 1.31.3)."""
BASE_MIB: Final = 32
"""Memory of nginx itself, its shared zones apart (assumption)."""


def reserved_ports(sockets: Instance[Settings]) -> list[int]:
    """Return the ports that nothing but servers may take where nginx runs, which opens connections from all others."""
    return sorted({NGINX_PORT, PROBE_PORT, sockets.settings.port} - set(range(1024)))


def memory_mib(sockets: Instance[Settings]) -> int:
    """Return the memory of one nginx: every worker's slots, and the connections that it holds with another lost."""
    slots = sockets.sized.count("proxy_connection_count")
    return BASE_MIB + ceil((WORKERS * slots * SLOT_KIB + slots / 2 * CONNECTION_KIB) / 1024)
