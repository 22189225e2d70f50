"""What savings plans discount of what a book holds: by the usage type and the operation of the product on demand."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cascade_plan.clouds.aws.product import PREFIX
from cascade_plan.model.price import PriceKey
from cascade_plan.model.terms import commitment_of


class Discounted(NamedTuple):
    """A product that savings plans discount, and the book's service and variant for it."""

    offer: str
    usage: str
    """What its usage types begin with, after the region's prefix; the instance type follows."""
    operation: str
    service: str
    variant: str


DISCOUNTED: Final = (
    Discounted("AmazonEC2", "BoxUsage:", "RunInstances", "ec2", "linux"),
    Discounted("AmazonRDS", "InstanceUsage:", "CreateDBInstance:0014", "rds", "single_az"),
    Discounted("AmazonRDS", "Multi-AZUsage:", "CreateDBInstance:0014", "rds", "multi_az"),
    Discounted("AmazonRDS", "InstanceUsage:", "CreateDBInstance:0021", "rds", "aurora_standard"),
    Discounted("AmazonRDS", "InstanceUsageIOOptimized:", "CreateDBInstance:0021", "rds", "aurora_io_optimized"),
    Discounted("AmazonElastiCache", "NodeUsage:", "CreateCacheCluster:0002", "elasticache", "redis"),
    Discounted("AmazonElastiCache", "NodeUsage:", "CreateCacheCluster:Valkey", "elasticache", "valkey"),
)
"""RunInstances alone is Linux, https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/billing-info-fields.html;
CreateDBInstance:0014 is PostgreSQL, https://github.com/CloudHealth/amazon-pricing definitions/database-type.rb, and
0021 is Aurora PostgreSQL, as AWSDatabaseSavingsPlans of ap-south-2 has it, 2026-04-22; CreateCacheCluster:0002 is Redis
OSS, as the price list's products of that operation have it for their cacheEngine."""
_USAGE: Final = re.compile(rf"{PREFIX}([A-Z][A-Za-z-]+:)(\S+)", re.ASCII)
_SHORT_SIZE: Final = re.compile(r"db\.\w[\w-]*\.[0-9]*xl", re.ASCII)


def discounted(offer: str, usage: str, operation: str, term: str) -> PriceKey | None:
    """Return what a discounted usage is in a book, or None when the book has no such product or term.

    The instance type is the usage type's: the field that should hold it is a family alone for some databases (M8G).
    """
    parts = _USAGE.fullmatch(usage)
    if not parts or not commitment_of(term):
        return None
    for product in DISCOUNTED:
        if (product.offer, product.usage, product.operation) == (offer, parts[1], operation):
            return PriceKey(product.service, _instance_type(parts[2]), product.variant, term)
    return None


def _instance_type(size: str) -> str:
    """Return an instance type by its whole name: usage types of databases shorten 2xlarge to 2xl."""
    return f"{size}arge" if _SHORT_SIZE.fullmatch(size) else size
