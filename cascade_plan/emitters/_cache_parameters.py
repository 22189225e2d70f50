"""What every server of a cache runs with, as redis.conf and ElastiCache's parameter groups both say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from cascade_plan.emitters._topology import Cache
from cascade_plan.model.plan import Plan

POLICY: Final = "allkeys-lru"
SAMPLES: Final = 10
"""As near to exact LRU as it gets, says redis.conf; the default of 5 is cheaper."""
SOFT_SECONDS: Final = 60
"""With a soft limit of a quarter of the hard one, as in redis.conf 7.0: 32mb 8mb 60."""
KEEPALIVE_S: Final = 300
"""tcp-keepalive of redis.conf 7.0."""
INT_MOST: Final = 2**31 - 1
FAMILIES: Final = {"redis 6": "redis6.x", "redis 7": "redis7", "valkey 7": "valkey7", "valkey 8": "valkey8"}
"""Of parameters, by engine and major version:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html"""


@dataclass(frozen=True, slots=True)
class CacheParameters:
    """The parameter group of a cache that ElastiCache runs."""

    name: str
    family: str
    values: Mapping[str, str]
    """By parameter. Sizes are bytes there, and maxmemory is what is not reserved of a node's."""


def cache_parameters(plan: Plan, cache: Cache) -> CacheParameters:
    """Return the parameter group of a cache that has nodes."""
    settings = cache.instance.settings
    family = FAMILIES[f"{settings.engine} {settings.engine_version.partition('.')[0]}"]
    reserved = 100 - 100 * cache.instance.sized.count("maxmemory_mib_per_node") / (memory_gib(cache) * 1024)
    values = {
        **({"cluster-enabled": "yes"} if cache.is_cluster else {}),
        "reserved-memory-percent": f"{reserved:.0f}",
        "maxmemory-policy": POLICY,
        "maxmemory-samples": str(SAMPLES),
        **_buffers(cache),
        "tcp-keepalive": str(keepalive_s(cache)),
        "timeout": "0",
    }
    return CacheParameters(f"{plan.application}-{cache.prefix}{family.replace('.', '-')}", family, values)


def memory_gib(cache: Cache) -> float:
    """Return the memory of one server."""
    return cache.instance.sized.group("nodes").shape.memory_gib


def buffer_mib(cache: Cache) -> int:
    """Return what a subscriber may leave unread."""
    return cache.instance.sized.count("pubsub_buffer_mib_per_subscriber")


def keepalive_s(cache: Cache) -> int:
    """Return how often TCP asks a silent client: with each heartbeat, or as Redis does by itself."""
    return KEEPALIVE_S if cache.streams is None else min(INT_MOST, ceil(cache.streams.heartbeat_interval_s))


def _buffers(cache: Cache) -> dict[str, str]:
    if cache.streams is None:
        return {}
    size = buffer_mib(cache) * 2**20
    return {
        "client-output-buffer-limit-pubsub-hard-limit": str(size),
        "client-output-buffer-limit-pubsub-soft-limit": str(size // 4),
        "client-output-buffer-limit-pubsub-soft-seconds": str(SOFT_SECONDS),
    }
