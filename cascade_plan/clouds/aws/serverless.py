"""What AWS runs without instances of ours: what it holds and does at most, and by what it is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cascade_plan.clouds.aws.elasticache import CONNECTIONS
from cascade_plan.model.catalogue import PodSizes, ServerlessCache

_ELASTICACHE: Final = "https://aws.amazon.com/elasticache/pricing/"
CACHES: Final[Mapping[str, ServerlessCache]] = {
    "redis": ServerlessCache(1.0, 5000.0, 15_000_000.0, 1024.0, CONNECTIONS, _ELASTICACHE),
    "valkey": ServerlessCache(0.1, 5000.0, 15_000_000.0, 1024.0, CONNECTIONS, _ELASTICACHE),
}
"""ElastiCache Serverless: at least 1 GB of Redis OSS or 100 MB of Valkey are charged; an ECPU is a GET or SET of up to
1 KB, and one more for each further KB. Most of both is what a cache's own limits may be set to: 5,000 GB and 15 million
ECPU a second, https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elasticache_serverless_cache
(November 2026). Connections are taken to be as many as of a node."""


def _each(first: int, last: int, step: int = 1) -> tuple[float, ...]:
    return tuple(float(gib) for gib in range(first, last + 1, step))


PODS: Final = PodSizes(
    {
        0.25: (0.5, 1.0, 2.0),
        0.5: _each(1, 4),
        1.0: _each(2, 8),
        2.0: _each(4, 16),
        4.0: _each(8, 30),
        8.0: _each(16, 60, 4),
        16.0: _each(32, 120, 8),
    },
    256,
    "x86_64",
    "https://docs.aws.amazon.com/eks/latest/userguide/fargate-pod-configuration.html",
)
"""Fargate on EKS, which adds 256 MiB for kubelet, kube-proxy and containerd; it has neither Arm, GPU nor Spot:
https://docs.aws.amazon.com/eks/latest/userguide/fargate.html (read 2026-11)"""
