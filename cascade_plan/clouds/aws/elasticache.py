"""What ElastiCache reserves of a node's maxmemory, and how many connections a node accepts."""

from __future__ import annotations

from typing import Final

RESERVED_SHARE: Final = 0.25
"""reserved-memory-percent by default, for client buffers, replication, and pages written while a fork copies them:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/redis-memory-management.html"""
CONNECTIONS: Final = 65_000
CONNECTIONS_OF: Final = {
    "cache.t2.micro": 20_000,
    "cache.t2.small": 20_000,
    "cache.t2.medium": 20_000,
    "cache.t3.micro": 20_000,
    "cache.t3.small": 46_000,
    "cache.t3.medium": 46_000,
    "cache.t4g.micro": 20_000,
}
"""maxclients, which nobody can change: of these node types, and of all others,
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html#ParameterGroups.Redis.2-6-13"""


def usable_memory_gib(memory_gib: float) -> float:
    """Return what a node keeps keys in of its maxmemory.

    >>> usable_memory_gib(0.5)
    0.375
    """
    return memory_gib * (1 - RESERVED_SHARE)


def connection_count_max(name: str) -> int:
    """Return maxclients of a node type.

    >>> connection_count_max("cache.t3.small"), connection_count_max("cache.r7g.large")
    (46000, 65000)
    """
    return CONNECTIONS_OF.get(name, CONNECTIONS)
