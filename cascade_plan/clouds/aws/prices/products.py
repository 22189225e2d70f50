"""What the books hold, as AWS's price list describes it: which products of which offer, by their attributes.

Attribute names and values are those of the Price List Query API (AmazonEC2's `operatingSystem`, `capacitystatus`); the
bulk offer files have the same under other headings. Sources: the offers themselves,
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-an-offer.html; usage types as cost reports name
them, https://docs.aws.amazon.com/cur/latest/userguide/product-columns.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from cascade_plan.model.price import PriceKey

PREFIX: Final = r"(?:(?:EU|[A-Z]{3}[0-9]{1,2})-)?"
"""The region's code before a usage type, absent in us-east-1; other prefixes (TS-, Global-) are other products."""


class Product(NamedTuple):
    """A kind of product a book prices."""

    offer: str
    """AWS's service code, such as AmazonEC2."""
    filters: Mapping[str, str]
    """Attribute -> the value it must have."""
    usage: str
    """Pattern of the usage type after the region's prefix."""
    service: str
    item: str
    """The book's item; "" where it is the product's instance type."""
    variant: str
    unit: str
    """The book's unit."""
    tiered: bool = False
    """Whether the price falls with the amount; the range is then the variant."""
    region_attribute: str = "regionCode"

    def key_of(self, attributes: Mapping[str, str]) -> PriceKey | None:
        """Return the on-demand key of a product of this kind, or None when the product is none."""
        if any(attributes.get(name) != value for name, value in self.filters.items()):
            return None
        if not _usage(self.usage).fullmatch(attributes.get("usagetype", "")):
            return None
        item = self.item or attributes.get("instanceType", "")
        return PriceKey(self.service, item, self.variant) if item else None


@cache
def _usage(pattern: str) -> re.Pattern[str]:
    return re.compile(PREFIX + pattern, re.ASCII)


_HERE: Final = {"locationType": "AWS Region"}
_NODE: Final = _HERE | {"productFamily": "Cache Instance"}
_INSTANCE: Final = _HERE | {
    "productFamily": "Database Instance",
    "databaseEngine": "PostgreSQL",
    "licenseModel": "No license required",
}
_DISK: Final = _HERE | {
    "productFamily": "Database Storage",
    "databaseEngine": "PostgreSQL",
    "volumeType": "General Purpose-GP3",
}
_BALANCER: Final = {
    "alb": _HERE | {"productFamily": "Load Balancer-Application"},
    "nlb": _HERE | {"productFamily": "Load Balancer-Network"},
}

PRODUCTS: Final[tuple[Product, ...]] = (
    Product(
        "AmazonEC2",
        _HERE
        | {
            "productFamily": "Compute Instance",
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
        },
        r"BoxUsage:\S+",
        "ec2",
        "",
        "linux",
        "hour",
    ),
    Product(
        "AmazonEC2",
        _HERE | {"productFamily": "Storage", "volumeApiName": "gp3"},
        r"EBS:VolumeUsage\.gp3",
        "ebs",
        "gp3-storage",
        "",
        "gib_month",
    ),
    Product(
        "AmazonEC2",
        _HERE | {"productFamily": "System Operation", "volumeApiName": "gp3"},
        r"EBS:VolumeP-IOPS\.gp3",
        "ebs",
        "gp3-iops",
        "",
        "iops_month",
    ),
    Product(
        "AmazonEC2",
        _HERE | {"productFamily": "Provisioned Throughput", "volumeApiName": "gp3"},
        r"EBS:VolumeP-Throughput\.gp3",
        "ebs",
        "gp3-throughput",
        "",
        "mibps_month",
    ),
    *(
        Product("AmazonEC2", _HERE | {"productFamily": "NAT Gateway"}, usage, "vpc", item, "", unit)
        for usage, item, unit in (
            ("NatGateway-Hours", "nat-gateway", "hour"),
            ("NatGateway-Bytes", "nat-gateway-data", "gib"),
        )
    ),
    Product("AmazonVPC", _HERE, "PublicIPv4:InUseAddress", "vpc", "public-ipv4", "", "hour"),
    *(
        Product("AmazonRDS", _INSTANCE | {"deploymentOption": option}, rf"{usage}:db\.\S+", "rds", "", variant, "hour")
        for option, usage, variant in (
            ("Single-AZ", "InstanceUsage", "single_az"),
            ("Multi-AZ", "Multi-AZUsage", "multi_az"),
        )
    ),
    *(
        Product("AmazonRDS", _DISK | {"deploymentOption": option}, usage, "rds", "storage-gp3", variant, "gib_month")
        for option, usage, variant in (
            ("Single-AZ", "RDS:GP3-Storage", "single_az"),
            ("Multi-AZ", "RDS:Multi-AZ-GP3-Storage", "multi_az"),
        )
    ),
    Product(
        "AmazonRDS",
        _HERE | {"productFamily": "Storage Snapshot", "databaseEngine": "PostgreSQL"},
        "RDS:ChargedBackupUsage",
        "rds",
        "backup-storage",
        "",
        "gib_month",
    ),
    *(
        Product(
            "AmazonElastiCache",
            _NODE | {"cacheEngine": engine},
            r"NodeUsage:cache\.\S+",
            "elasticache",
            "",
            engine.lower(),
            "hour",
        )
        for engine in ("Redis", "Valkey")
    ),
    Product(
        "AmazonEKS",
        _HERE | {"productFamily": "Compute"},
        "AmazonEKS-Hours:perCluster",
        "eks",
        "cluster",
        "",
        "hour",
    ),
    *(
        Product("AWSELB", _BALANCER[name], usage, "elb", f"{name}{suffix}", "", unit)
        for name in ("alb", "nlb")
        for usage, suffix, unit in (("LoadBalancerUsage", "", "hour"), ("LCUUsage", "-lcu", "lcu_hour"))
    ),
    Product(
        "AWSDataTransfer",
        {"productFamily": "Data Transfer", "fromLocationType": "AWS Region", "transferType": "AWS Outbound"},
        "DataTransfer-Out-Bytes",
        "transfer",
        "internet-out",
        "",
        "gib",
        tiered=True,
        region_attribute="fromRegionCode",
    ),
    Product(
        "AWSDataTransfer",
        {"productFamily": "Data Transfer", "fromLocationType": "AWS Region", "transferType": "IntraRegion"},
        "DataTransfer-Regional-Bytes",
        "transfer",
        "inter-zone",
        "",
        "gib",
        region_attribute="fromRegionCode",
    ),
)
"""Every kind of product a plan may need, and none besides."""

SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    "ec2": ("AmazonEC2",),
    "ebs": ("AmazonEC2",),
    "vpc": ("AmazonEC2", "AmazonVPC"),
    "rds": ("AmazonRDS",),
    "elasticache": ("AmazonElastiCache",),
    "eks": ("AmazonEKS",),
    "elb": ("AWSELB",),
    "transfer": ("AWSDataTransfer",),
}
"""Service of a book -> the offers that price it."""


def products_of(services: frozenset[str]) -> tuple[Product, ...]:
    """Return the products that price some of a book's services."""
    return tuple(product for product in PRODUCTS if product.service in services)
