"""What a book lacks, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from cascade_plan.clouds.aws.prices.collected import PRICES, Found
from cascade_plan.clouds.aws.products import PRODUCTS
from cascade_plan.clouds.aws.terms import RESERVED
from cascade_plan.model.price import PriceKey
from cascade_plan.prices import writing
from cascade_plan.prices.coverage import NO_PRICE

_RDS_TERMS: Final = tuple(term for term in RESERVED if term != "reserved_3y_no_upfront")
"""RDS sells No Upfront for one year only, https://aws.amazon.com/rds/reserved-instances/."""
_TERMS: Final = {
    "ec2_spot": ("ec2_on_demand", ("spot",)),
    "ec2_reserved": ("ec2_on_demand", RESERVED),
    "rds": ("rds", _RDS_TERMS),
    "aurora": ("aurora", _RDS_TERMS),
    "elasticache": ("elasticache", RESERVED),
}
"""Section -> the section of what its terms are compared with, and what AWS sells there."""
WANTED: Final = tuple(
    PriceKey(product.service, product.item, variant)
    for product in PRODUCTS
    if product.item
    for variant in (product.ranges.values() or (product.variant,))
)
"""What every book should price, apart from instances."""

STATED: Final = (
    ("ec2_on_demand", "families beyond these 20; metal sizes; other systems than Linux; dedicated tenancy"),
    ("ec2_spot", "prices of each zone: these are one for a region"),
    ("ec2_reserved", "Savings Plans, but Compute Savings Plans of m7g.large in us-east-1"),
    ("fargate", "disks beyond the 20 GiB that are included; Windows; Savings Plans"),
    ("rds", "classes with local disks (d), more network (n) or x2 memory"),
    ("rds_storage", "magnetic storage"),
    ("aurora", "classes that RDS for PostgreSQL does not have here"),
    ("elasticache", "backup storage; data tiering; r8g and m8g nodes"),
    ("load_balancer", "Classic and Gateway Load Balancers"),
    ("network", "addresses that are not in use; regional and provisioned NAT"),
    ("transfer", "inter-region is the price to most regions; some pairs cost less"),
    ("ebs", "volume types other than gp3; snapshots"),
    ("object_storage", "other storage classes; retrieval from Standard-Infrequent Access; replication"),
    ("queue", "FIFO and fair queues; what lies beyond 100 billion requests a month"),
    ("cloudwatch", "queries, dashboards, canaries, high-resolution alarms"),
)
"""Section -> what every book lacks of it, in words; what can be counted is counted."""


def gaps_of(prices: Mapping[PriceKey, Found], everywhere: Collection[PriceKey]) -> dict[str, list[str]]:
    """Return section -> what a book lacks: stated, wanted and absent, and counted against other regions and terms."""
    gaps: dict[str, list[str]] = {section: [] for section in PRICES.sections}
    for section, text in STATED:
        gaps[section].append(text)
    for key in WANTED:
        if key not in prices:
            gaps[PRICES.section_of(key)].append(f"{NO_PRICE}{key}")
    gaps["ec2_spot"] += _old(row for key, row in prices.items() if key.term == "spot")
    for section in ("ec2_on_demand", "rds", "aurora", "elasticache"):
        gaps[section] += _missing_families(section, prices, everywhere)
    for section, (compared, terms) in _TERMS.items():
        listed = [key for key in prices if _is_listed(key, compared)]
        gaps[section] += _missing_terms(listed, terms, prices)
    return gaps


def _old(rows: Iterable[Found]) -> Iterator[str]:
    """Yield how many spot prices are of the oldest date: such prices move hourly."""
    dates = Counter(row.as_of for row in rows)
    if dates:
        yield f"recent prices: {dates[min(dates)]} of {dates.total()} are of {min(dates)}"


def _is_listed(key: PriceKey, section: str) -> bool:
    return key.term == "on_demand" and PRICES.is_instance(key) and PRICES.section_of(key) == section


def _missing_families(section: str, prices: Collection[PriceKey], everywhere: Collection[PriceKey]) -> Iterator[str]:
    """Yield the families of which some shapes are priced in another region and not in this one."""
    known = [key for key in everywhere if _is_listed(key, section)]
    total = Counter(_family(key) for key in known)
    here = Counter(_family(key) for key in known if key in prices)
    for family in sorted(total, key=writing.natural):
        if here[family] < total[family]:
            yield f"on_demand: {here[family]} of {total[family]} prices of {family}"


def _missing_terms(listed: Collection[PriceKey], terms: Iterable[str], prices: Collection[PriceKey]) -> Iterator[str]:
    """Yield the terms that not every instance listed on demand has."""
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
