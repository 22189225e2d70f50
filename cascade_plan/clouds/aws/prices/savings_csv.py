"""The rates in a savings plan's price list: what an instance's hour costs under each plan.

The plan's own usage type says which kind of plan a record is of (ComputeSP:1yrNoUpfront, USW2-EC2SP:m5.3yrAllUpfront,
DatabaseSP:1yrNoUpfront); what is discounted is said by the usage type and the operation of the product on demand.
Layout: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-savings-plans.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from cascade_plan.clouds.aws.prices.offer_table import Table
from cascade_plan.clouds.aws.product import PREFIX
from cascade_plan.model.price import PriceKey
from cascade_plan.model.terms import commitment_of
from cascade_plan.prices.rates import Rate, Request


class _Discounted(NamedTuple):
    """A product that savings plans discount, and the book's service and variant for it."""

    offer: str
    usage: str
    operation: str
    service: str
    variant: str


_DISCOUNTED: Final = (
    _Discounted("AmazonEC2", "BoxUsage:", "RunInstances", "ec2", "linux"),
    _Discounted("AmazonRDS", "InstanceUsage:", "CreateDBInstance:0014", "rds", "single_az"),
    _Discounted("AmazonRDS", "Multi-AZUsage:", "CreateDBInstance:0014", "rds", "multi_az"),
    _Discounted("AmazonElastiCache", "NodeUsage:", "CreateCacheCluster:0002", "elasticache", "redis"),
    _Discounted("AmazonElastiCache", "NodeUsage:", "CreateCacheCluster:Valkey", "elasticache", "valkey"),
)
"""RunInstances alone is Linux, https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/billing-info-fields.html;
CreateDBInstance:0014 is PostgreSQL, https://github.com/CloudHealth/amazon-pricing definitions/database-type.rb;
CreateCacheCluster:0002 is Redis OSS, as the price list's products of that operation have it for their cacheEngine."""
PLANS: Final = {
    "AWSComputeSavingsPlan": frozenset({"ec2"}),
    "AWSDatabaseSavingsPlans": frozenset({"rds", "elasticache"}),
}
"""A savings plan's code -> the services of a book that it discounts."""
_KINDS: Final = {"ComputeSP": "compute_sp", "EC2SP": "ec2_instance_sp", "DatabaseSP": "database_sp"}
_PLAN: Final = re.compile(rf"{PREFIX}(ComputeSP|EC2SP|DatabaseSP):\S+", re.ASCII)
_USAGE: Final = re.compile(rf"{PREFIX}([A-Z][A-Za-z-]+:)(\S+)", re.ASCII)
_SHORT_SIZE: Final = re.compile(r"db\.\w[\w-]*\.[0-9]*xl", re.ASCII)
_HEADINGS: Final = (
    "SKU", "Unit", "EffectiveDate", "DiscountedRate", "Currency", "DiscountedSKU", "DiscountedServiceCode",
    "DiscountedUsageType", "DiscountedOperation", "PurchaseOption", "LeaseContractLength", "LeaseContractLengthUnit",
    "UsageType", "DiscountedRegionCode",
)  # fmt: skip


class _Record(NamedTuple):
    """The fields of `_HEADINGS`."""

    plan_sku: str
    unit: str
    effective: str
    amount: str
    currency: str
    sku: str
    offer: str
    usage: str
    operation: str
    option: str
    lease: str
    lease_unit: str
    plan: str
    region: str


def rates(lines: Iterable[str], request: Request, plan: str) -> Iterator[Rate]:
    """Yield the rates of a savings plan (a name of PLANS) for the instances a request wants, in the file's order.

    Raises CloudError for a file that is cut short, of another plan, or without a heading that is needed.
    """
    table = Table(lines, plan, plan.replace("AWS", "Amazon", 1))
    columns = list(table.columns(_HEADINGS).values())
    products = [product for product in _DISCOUNTED if product.service in request.services & PLANS[plan]]
    marks = [(product.usage, product.operation, request.region) for product in products]
    for row in table.rows(marks):
        record = _Record(*(row[column] for column in columns))
        key = _key(record)
        if key and record.region == request.region and request.wants(key):
            yield Rate(
                key=key,
                unit="hour",
                sku=record.sku,
                offer_term=record.plan_sku,
                published_unit=record.unit,
                amount=record.amount,
                currency=record.currency,
                effective=record.effective[:10],
                as_of=table.edition.as_of,
                source=table.edition.source,
            )


def _key(record: _Record) -> PriceKey | None:
    """Return what a record prices, or None when the book has no such product or term."""
    plan, usage = _PLAN.fullmatch(record.plan), _USAGE.fullmatch(record.usage)
    if not plan or not usage or record.lease_unit != "year":
        return None
    paid = record.option.partition(" ")[0].lower()
    term = f"{_KINDS[plan[1]]}_{record.lease}y_{paid}_upfront"
    if not commitment_of(term):
        return None
    for product in _DISCOUNTED:
        if (product.offer, product.usage, product.operation) == (record.offer, usage[1], record.operation):
            return PriceKey(product.service, _instance_type(usage[2]), product.variant, term)
    return None


def _instance_type(size: str) -> str:
    """Return an instance type by its whole name: usage types of databases shorten 2xlarge to 2xl."""
    return f"{size}arge" if _SHORT_SIZE.fullmatch(size) else size
