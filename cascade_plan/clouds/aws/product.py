"""Something that AWS sells: its place in a book, and how AWS's price list describes it.

Attribute names and values are those of the Price List Query API (AmazonEC2's `operatingSystem`, `capacitystatus`); the
bulk offer files have the same under other headings. Sources: the offers themselves,
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-an-offer.html; usage types as cost reports name
them, https://docs.aws.amazon.com/cur/latest/userguide/product-columns.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Final

from cascade_plan.model.price import PriceKey
from cascade_plan.prices.products import Product as Sold

PREFIX: Final = r"(?:(?:EU|[A-Z]{3}[0-9]{1,2})-)?"
"""The region's code before a usage type, absent in us-east-1; other prefixes (TS-, Global-) are other products."""

HERE: Final = {"locationType": "AWS Region"}
"""Not an Outpost, a Local Zone or a Wavelength Zone."""
ZONES: Final = (("single_zone", "single_az", "Single-AZ", ""), ("multi_zone", "multi_az", "Multi-AZ", "Multi-AZ-"))
"""An offer's zones, the book's variant, AWS's deployment option, and what begins its usage types of storage."""

PUBLISHED: Final[Mapping[str, tuple[str, Decimal]]] = {
    "hrs": ("hour", Decimal(1)),
    "hours": ("hour", Decimal(1)),
    "lcu-hrs": ("lcu_hour", Decimal(1)),
    "lcu-hours": ("lcu_hour", Decimal(1)),
    "nlcu-hrs": ("lcu_hour", Decimal(1)),
    "vcpu-hrs": ("vcpu_hour", Decimal(1)),
    "vcpu-hours": ("vcpu_hour", Decimal(1)),
    "vcpu-hour": ("vcpu_hour", Decimal(1)),
    "acu-hr": ("acu_hour", Decimal(1)),
    "acu-hrs": ("acu_hour", Decimal(1)),
    "acu-hours": ("acu_hour", Decimal(1)),
    "gb-hrs": ("gib_hour", Decimal(1)),
    "gb-hours": ("gib_hour", Decimal(1)),
    "gb-mo": ("gib_month", Decimal(1)),
    "gb-month": ("gib_month", Decimal(1)),
    "gb": ("gib", Decimal(1)),
    "iops-mo": ("iops_month", Decimal(1)),
    "mibps-mo": ("mibps_month", Decimal(1)),
    "mbps-mo": ("mibps_month", Decimal(1)),
    "gibps-mo": ("mibps_month", Decimal(1024)),
    "requests": ("million_requests", Decimal("1e-6")),
    "api requests": ("million_requests", Decimal("1e-6")),
    "ios": ("million_requests", Decimal("1e-6")),
    "ecpus": ("million_requests", Decimal("1e-6")),
    "elasticacheprocessingunits": ("million_requests", Decimal("1e-6")),
    "elasticacheprocessingunit": ("million_requests", Decimal("1e-6")),
    "metric datapoints": ("million_samples", Decimal("1e-6")),
    "metrics": ("metric_month", Decimal(1)),
    "metrics-mo": ("metric_month", Decimal(1)),
    "alarms": ("alarm_month", Decimal(1)),
    "alarms-mo": ("alarm_month", Decimal(1)),
    "secrets": ("secret_month", Decimal(1)),
}
"""A unit of the price list, in lower case -> the book's unit, and how many of it one is. AWS's GB is 2^30 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Sold):
    """Something AWS sells, and which products of its price list that is."""

    code: str = ""
    """AWS's code of the service's offer, such as AmazonEC2; empty where an update does not ask for it."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Attribute -> the value it must have."""
    neutral: Mapping[str, str] = field(default_factory=dict)
    """Attribute -> the value under which AWS lists one product for all alike, where it lists none for each: of RDS one
    region has the gp3 of PostgreSQL, another one gp3 of Any engine, a third has both."""
    usage: str = ""
    """Pattern of the usage type after the region's prefix."""
    billed: str = ""
    """The usage type as a bill writes it, an instance's without its size; empty where the pattern says it."""
    billed_by: tuple[str, ...] = ()
    """Codes of the services whose lines of a bill it may be, the usual one first; empty where `code` alone is."""
    operation: str = ""
    """What a bill calls the operation; empty where it may be any."""
    told_by_operation: bool = False
    """Whether only the operation tells it from another product: engines, and kinds of load balancers."""
    always_prefixed: bool = False
    """Whether the usage type begins with the region's code in us-east-1 too."""
    hour_of: str = ""
    """What an hour is one of, vCPU or GB, where AWS lists its unit as hours and no more."""
    region_attribute: str = "regionCode"
    collected: tuple[str, str] = ("", "")
    """Service and item by which the collected files name it, of a tier without its range."""
    ranges: Mapping[str, str] = field(default_factory=dict)
    """A tier's range in the collected files' words, after a colon -> in the unit; the book wants a price of each."""

    @property
    def fixed(self) -> Mapping[str, str]:
        """Attribute -> the value that every product of this kind has, those for all alike included."""
        return {name: value for name, value in self.filters.items() if name not in self.neutral}

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that tell a product of this kind from the others."""
        item = () if self.item else ("instanceType",)
        return frozenset({*self.filters, *item, "usagetype", self.region_attribute})

    def key_of(self, attributes: Mapping[str, str]) -> PriceKey | None:
        """Return the on-demand key of a product of this kind, or None when the product is none."""
        if any(
            attributes.get(name) not in (value, self.neutral.get(name, value)) for name, value in self.filters.items()
        ):
            return None
        if not _usage(self.usage).fullmatch(attributes.get("usagetype", "")):
            return None
        item = self.item or attributes.get("instanceType", "")
        return PriceKey(self.service, item, self.variant) if item else None

    def is_neutral(self, attributes: Mapping[str, str]) -> bool:
        """Return whether a product of this kind is one for all alike, which counts where there is none of its own."""
        return any(attributes.get(name) != self.filters[name] for name in self.neutral)

    def unit_of(self, listed: str) -> str:
        """Return a unit of the price list in the words that say what is counted: hours of a vCPU are vCPU-hours."""
        return f"{self.hour_of}-{listed}" if self.hour_of and listed.lower() in ("hrs", "hours") else listed


@cache
def _usage(pattern: str) -> re.Pattern[str]:
    return re.compile(PREFIX + pattern, re.ASCII)
