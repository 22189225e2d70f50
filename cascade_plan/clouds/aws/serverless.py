"""What AWS runs without instances of ours: what it holds and does at most, and by what it is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cascade_plan.model.catalogue import ServerlessCache

_ELASTICACHE: Final = "https://aws.amazon.com/elasticache/pricing/"
CACHES: Final[Mapping[str, ServerlessCache]] = {
    "redis": ServerlessCache(1.0, 5000.0, 15_000_000.0, 1024.0, _ELASTICACHE),
    "valkey": ServerlessCache(0.1, 5000.0, 15_000_000.0, 1024.0, _ELASTICACHE),
}
"""ElastiCache Serverless: at least 1 GB of Redis OSS or 100 MB of Valkey are charged; an ECPU is a GET or SET of up to
1 KB, and one more for each further KB. Most of both is what a cache's own limits may be set to: 5,000 GB and 15 million
ECPU a second, https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elasticache_serverless_cache
(November 2026)"""
