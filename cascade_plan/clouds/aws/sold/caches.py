"""ElastiCache: nodes, and Serverless by what is stored and asked."""

from __future__ import annotations

from typing import Final

from cascade_plan.clouds.aws.product import HERE, Product
from cascade_plan.model.offer import Offer
from cascade_plan.prices.products import Section

ELASTICACHE: Final = Section(
    "elasticache",
    "ElastiCache nodes; of reservations the effective hourly rate, the upfront spread over the term",
)
SERVERLESS: Final = Section(
    "elasticache_serverless", "ElastiCache Serverless: what is stored, and ElastiCache processing units (ECPU)"
)

PRODUCTS: Final[tuple[Product, ...]] = (
    *(
        Product(
            section=ELASTICACHE,
            service="elasticache",
            variant=engine.lower(),
            unit="hour",
            offer=Offer("cache", options=(engine.lower(),)),
            code="AmazonElastiCache",
            filters=HERE | {"productFamily": "Cache Instance", "cacheEngine": engine},
            usage=r"NodeUsage:cache\.\S+",
            operation=f"CreateCacheCluster:{operation}",
            told_by_operation=True,
        )
        for engine, operation in (("Redis", "0002"), ("Valkey", "Valkey"))
    ),
    *(
        Product(
            section=SERVERLESS,
            service="elasticache",
            item=item,
            variant=engine.lower(),
            unit=unit,
            offer=Offer(what, options=(engine.lower(),)),
            code="AmazonElastiCache",
            filters=HERE | {"productFamily": "ElastiCache Serverless"},
            usage=f"{usage}:{engine}",
            collected=("AmazonElastiCache", collected),
        )
        for what, item, unit, usage, collected in (
            ("cache_storage", "serverless-storage", "gib_hour", "CachedData", "ElastiCache-Serverless-GB-Hours"),
            (
                "cache_requests",
                "serverless-ecpu",
                "million_requests",
                "ElastiCacheProcessingUnits",
                "ElastiCache-Serverless-ECPU",
            ),
        )
        for engine in ("Redis", "Valkey")
    ),
)
