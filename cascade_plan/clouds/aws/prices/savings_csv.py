"""The rates in a savings plan's price list: what an instance's hour costs under each plan.

The plan's own usage type says which kind of plan a record is of (ComputeSP:1yrNoUpfront, USW2-EC2SP:m5.3yrAllUpfront,
DatabaseSP:1yrNoUpfront); what is discounted is said by the usage type and the operation of the product on demand.
Layout: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-savings-plans.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from cascade_plan.clouds.aws.prices.discounted import DISCOUNTED, discounted
from cascade_plan.clouds.aws.prices.offer_table import Table
from cascade_plan.clouds.aws.product import PREFIX
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.rates import Rate, Request

PLANS: Final = {
    "AWSComputeSavingsPlan": frozenset({"ec2"}),
    "AWSDatabaseSavingsPlans": frozenset({"rds", "elasticache"}),
}
"""A savings plan's code -> the services of a book that it discounts."""
_KINDS: Final = {"ComputeSP": "compute_sp", "EC2SP": "ec2_instance_sp", "DatabaseSP": "database_sp"}
_PLAN: Final = re.compile(rf"{PREFIX}(ComputeSP|EC2SP|DatabaseSP):\S+", re.ASCII)
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
    products = [product for product in DISCOUNTED if product.service in request.services & PLANS[plan]]
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
    plan = _PLAN.fullmatch(record.plan)
    if not plan or record.lease_unit != "year":
        return None
    paid = record.option.partition(" ")[0].lower()
    term = f"{_KINDS[plan[1]]}_{record.lease}y_{paid}_upfront"
    return discounted(record.offer, record.usage, record.operation, term)
