"""What a book lacks, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from cascade_plan.clouds.aws.prices.collected import PRICES, REGIONS, Found
from cascade_plan.clouds.aws.products import PRODUCTS
from cascade_plan.clouds.aws.terms import RESERVED
from cascade_plan.model.price import PriceKey
from cascade_plan.prices import writing
from cascade_plan.prices.coverage import NO_PRICE

_TERMS: Final = {"ec2_spot": ("spot",), "ec2_reserved": RESERVED, "rds": RESERVED, "elasticache": RESERVED}
WANTED: Final = tuple(
    PriceKey(product.service, product.item, variant)
    for product in PRODUCTS
    if product.item
    for variant in (product.ranges.values() or (product.variant,))
)
"""What every book should price, apart from instances."""

STATED: Final = (
    ("ec2_on_demand", REGIONS, "20 families without metal sizes; Linux, shared tenancy"),
    ("ec2_spot", REGIONS, "old: the source's values end on 2024-05-14"),
    ("ec2_spot", REGIONS, "one price per region, not per zone"),
    (
        "ec2_reserved",
        ("us-east-1",),
        "EC2 Instance Savings Plans; Compute Savings Plans but m7g.large's; convertible reservations but m5.large's",
    ),
    (
        "ec2_reserved",
        ("ap-southeast-1", "eu-central-1", "eu-west-1", "us-west-2"),
        "Compute and EC2 Instance Savings Plans; convertible reservations",
    ),
    ("rds", REGIONS, "Aurora; classes with local disks (d), more network (n) or x2 memory"),
    ("rds_storage", ("us-east-1",), "io1 storage and IOPS were seen as MySQL's SKUs only, which are not used"),
    ("rds_storage", ("eu-central-1",), "single-AZ gp3 was seen as MariaDB's SKU only, which is not used"),
    ("elasticache", REGIONS, "Serverless; backup storage; r8g and m8g nodes; data tiering"),
    ("load_balancer", REGIONS, "Classic and Gateway Load Balancers"),
    ("ebs", REGIONS, "volume types other than gp3; snapshots"),
    ("transfer", REGIONS, "inter-region is the price to most regions; some pairs cost less"),
)
"""(section, regions, what the books lack), as the collection's own notes say."""


def gaps_of(region: str, prices: Mapping[PriceKey, Found], everywhere: Collection[PriceKey]) -> dict[str, list[str]]:
    """Return section -> what a book lacks: stated, wanted and absent, and counted against other regions and terms."""
    gaps: dict[str, list[str]] = {section: [] for section in PRICES.sections}
    for section, regions, text in STATED:
        if region in regions:
            gaps[section].append(text)
    for key in WANTED:
        if key not in prices:
            gaps[PRICES.section_of(key)].append(f"{NO_PRICE}{key}")
    for section in ("ec2_on_demand", "rds", "elasticache"):
        gaps[section] += _missing_families(section, prices, everywhere)
    for section, terms in _TERMS.items():
        gaps[section] += _missing_terms(PRICES.sections[section], terms, prices)
    return gaps


def _missing_families(section: str, prices: Collection[PriceKey], everywhere: Collection[PriceKey]) -> Iterator[str]:
    """Yield the families of which some shapes are priced in another region and not in this one."""
    known = [key for key in everywhere if PRICES.section_of(key) == section and key.term == "on_demand"]
    total = Counter(_family(key) for key in known)
    here = Counter(_family(key) for key in known if key in prices)
    for family in sorted(total, key=writing.natural):
        if here[family] < total[family]:
            yield f"on_demand: {here[family]} of {total[family]} prices of {family}"


def _missing_terms(service: str, terms: Iterable[str], prices: Collection[PriceKey]) -> Iterator[str]:
    """Yield the terms that not every shape priced on demand has."""
    listed = [key for key in prices if key.service == service and PRICES.is_instance(key) and key.term == "on_demand"]
    for term in terms:
        have = [key for key in listed if key._replace(term=term) in prices]
        if len(have) < len(listed):
            yield f"{term}: {len(have)} of {len(listed)} prices{_which(listed, have)}"


def _which(listed: Iterable[PriceKey], have: Collection[PriceKey]) -> str:
    """Return the families that have a price, or those that have none, whichever are fewer."""
    priced = {_family(key) for key in have}
    without = {_family(key) for key in listed} - priced
    if not priced or not without:
        return ""
    word, families = ("only", priced) if len(priced) < len(without) else ("none", without)
    return f"; {word} for {', '.join(sorted(families, key=writing.natural))}"


def _family(key: PriceKey) -> str:
    return key.item.rpartition(".")[0]
