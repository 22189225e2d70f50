"""What AWS sells of what plans need, an entry a price: its place in a book, and how AWS's price list describes it.

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

from cascade_plan.model.offer import Offer
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.products import Product as Sold
from cascade_plan.prices.products import Section

PREFIX: Final = r"(?:(?:EU|[A-Z]{3}[0-9]{1,2})-)?"
"""The region's code before a usage type, absent in us-east-1; other prefixes (TS-, Global-) are other products."""

PUBLISHED: Final[Mapping[str, tuple[str, Decimal]]] = {
    "hrs": ("hour", Decimal(1)),
    "hours": ("hour", Decimal(1)),
    "lcu-hrs": ("lcu_hour", Decimal(1)),
    "lcu-hours": ("lcu_hour", Decimal(1)),
    "nlcu-hrs": ("lcu_hour", Decimal(1)),
    "gb-mo": ("gib_month", Decimal(1)),
    "gb-month": ("gib_month", Decimal(1)),
    "gb": ("gib", Decimal(1)),
    "iops-mo": ("iops_month", Decimal(1)),
    "mibps-mo": ("mibps_month", Decimal(1)),
    "gibps-mo": ("mibps_month", Decimal(1024)),
    "requests": ("million_requests", Decimal("1e-6")),
}
"""A unit of the price list, in lower case -> the book's unit, and how many of it one is. AWS's GB is 2^30 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Sold):
    """Something AWS sells, and which products of its price list that is."""

    code: str = ""
    """AWS's code of the service's offer, such as AmazonEC2; empty where an update does not ask for it."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Attribute -> the value it must have."""
    usage: str = ""
    """Pattern of the usage type after the region's prefix."""
    region_attribute: str = "regionCode"
    collected: tuple[str, str] = ("", "")
    """Service and item by which the collected files name it, of a tier without its range."""
    ranges: Mapping[str, str] = field(default_factory=dict)
    """A tier's range in the collected files' words, after a colon -> in the unit; the book wants a price of each."""

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


EC2: Final = Section("ec2_on_demand", "EC2 on demand: Linux, shared tenancy")
EC2_SPOT: Final = Section("ec2_spot", "EC2 spot: the median of each type's daily values, where below on demand")
EC2_COMMITTED: Final = Section(
    "ec2_reserved",
    "EC2 commitments: effective hourly rates, the upfront spread over the term; the split is not held",
)
RDS: Final = Section(
    "rds",
    "RDS for PostgreSQL instances; of reservations the effective hourly rate, the upfront spread over the term",
)
RDS_STORAGE: Final = Section(
    "rds_storage", "RDS for PostgreSQL storage, IOPS above the baseline, and backups beyond the free share"
)
ELASTICACHE: Final = Section(
    "elasticache",
    "ElastiCache nodes; of reservations the effective hourly rate, the upfront spread over the term",
)
EKS: Final = Section("eks", "EKS control plane; extended support is the whole price, not the surcharge")
BALANCERS: Final = Section("load_balancer", "Application and Network Load Balancers and their capacity units")
NETWORK: Final = Section("network", "NAT gateways and public IPv4 addresses")
EBS: Final = Section("ebs", "EBS gp3: storage, IOPS and throughput above the baseline")
TRANSFER: Final = Section(
    "transfer",
    "Data transfer: to the internet in tiers a month, between zones (each direction), between regions",
)
QUEUES: Final = Section("queue", "SQS requests to standard queues, in tiers a month")
PROMETHEUS: Final = Section("prometheus", "Amazon Managed Service for Prometheus")

_HERE: Final = {"locationType": "AWS Region"}
_POSTGRES: Final = _HERE | {"databaseEngine": "PostgreSQL"}
_INSTANCE: Final = _POSTGRES | {"productFamily": "Database Instance", "licenseModel": "No license required"}
_DISK: Final = _POSTGRES | {"productFamily": "Database Storage", "volumeType": "General Purpose-GP3"}
_FROM_HERE: Final = {"productFamily": "Data Transfer", "fromLocationType": "AWS Region"}
_ZONES: Final = (("single_zone", "single_az", "Single-AZ", ""), ("multi_zone", "multi_az", "Multi-AZ", "Multi-AZ-"))
"""An offer's zones, the book's variant, AWS's deployment option, and what begins its usage types of storage."""

PRODUCTS: Final[tuple[Product, ...]] = (
    Product(
        section=EC2,
        spot=EC2_SPOT,
        committed=EC2_COMMITTED,
        service="ec2",
        variant="linux",
        unit="hour",
        offer=Offer("vm"),
        code="AmazonEC2",
        filters=_HERE
        | {
            "productFamily": "Compute Instance",
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
        },
        usage=r"BoxUsage:\S+",
    ),
    *(
        Product(
            section=RDS,
            service="rds",
            variant=variant,
            unit="hour",
            offer=Offer("database", options=("postgres", zones)),
            code="AmazonRDS",
            filters=_INSTANCE | {"deploymentOption": option},
            usage=usage,
        )
        for (zones, variant, option, _), usage in zip(
            _ZONES, (r"InstanceUsage:db\.\S+", r"Multi-AZUsage:db\.\S+"), strict=True
        )
    ),
    *(
        Product(
            section=RDS_STORAGE,
            service="rds",
            item="storage-gp3",
            variant=variant,
            unit="gib_month",
            offer=Offer("database_storage", options=("postgres", zones)),
            code="AmazonRDS",
            filters=_DISK | {"deploymentOption": option},
            usage=f"RDS:{prefix}GP3-Storage",
            collected=("AmazonRDS", "storage-gp3"),
        )
        for zones, variant, option, prefix in _ZONES
    ),
    *(
        Product(
            section=RDS_STORAGE,
            service="rds",
            item="iops-gp3",
            variant=variant,
            unit="iops_month",
            offer=Offer("database_operations", options=("postgres", zones)),
            collected=("AmazonRDS", "iops-gp3 (above baseline)"),
        )
        for zones, variant, _, _ in _ZONES
    ),
    *(
        Product(
            section=RDS_STORAGE, service="rds", item=item, variant=variant, unit=unit, collected=("AmazonRDS", name)
        )
        for item, name, unit in (
            ("storage-gp2", "storage-gp2", "gib_month"),
            ("storage-io1", "storage-io1", "gib_month"),
            ("iops-io1", "iops-io1", "iops_month"),
        )
        for _, variant, _, _ in _ZONES
    ),
    Product(
        section=RDS_STORAGE,
        service="rds",
        item="backup-storage",
        unit="gib_month",
        offer=Offer("database_backup"),
        code="AmazonRDS",
        filters=_POSTGRES | {"productFamily": "Storage Snapshot"},
        usage="RDS:ChargedBackupUsage",
        collected=("AmazonRDS", "backup-storage (beyond free)"),
    ),
    *(
        Product(
            section=ELASTICACHE,
            service="elasticache",
            variant=engine.lower(),
            unit="hour",
            offer=Offer("cache", options=(engine.lower(),)),
            code="AmazonElastiCache",
            filters=_HERE | {"productFamily": "Cache Instance", "cacheEngine": engine},
            usage=r"NodeUsage:cache\.\S+",
        )
        for engine in ("Redis", "Valkey")
    ),
    Product(
        section=EKS,
        service="eks",
        item="cluster",
        unit="hour",
        offer=Offer("kubernetes"),
        code="AmazonEKS",
        filters=_HERE | {"productFamily": "Compute"},
        usage="AmazonEKS-Hours:perCluster",
        collected=("AmazonEKS", "EKS-cluster-hours"),
    ),
    Product(
        section=EKS,
        service="eks",
        item="cluster-extended-support",
        unit="hour",
        collected=("AmazonEKS", "EKS-cluster-extended-support-hours"),
    ),
    *(
        Product(
            section=BALANCERS,
            service="elb",
            item=item,
            unit=unit,
            offer=Offer(what, name),
            code="AWSELB",
            filters=_HERE | {"productFamily": f"Load Balancer-{kind}"},
            usage=usage,
            collected=("AWSELB", collected),
        )
        for name, kind in (("alb", "Application"), ("nlb", "Network"))
        for what, item, unit, usage, collected in (
            ("balancer", name, "hour", "LoadBalancerUsage", f"{name.upper()}-Hours"),
            ("balancer_capacity", f"{name}-lcu", "lcu_hour", "LCUUsage", f"{name.upper()}-LCU-Hours"),
        )
    ),
    *(
        Product(
            section=NETWORK,
            service="vpc",
            item=item,
            unit=unit,
            offer=Offer(what),
            code="AmazonEC2",
            filters=_HERE | {"productFamily": "NAT Gateway"},
            usage=usage,
            collected=("AmazonVPC", usage),
        )
        for what, item, unit, usage in (
            ("nat_gateway", "nat-gateway", "hour", "NatGateway-Hours"),
            ("nat_traffic", "nat-gateway-data", "gib", "NatGateway-Bytes"),
        )
    ),
    Product(
        section=NETWORK,
        service="vpc",
        item="public-ipv4",
        unit="hour",
        offer=Offer("public_address"),
        code="AmazonVPC",
        filters=_HERE,
        usage="PublicIPv4:InUseAddress",
        collected=("AmazonVPC", "PublicIPv4-InUse-Hours"),
    ),
    *(
        Product(
            section=EBS,
            service="ebs",
            item=item,
            unit=unit,
            offer=offer,
            code="AmazonEC2",
            filters=_HERE | {"productFamily": family, "volumeApiName": "gp3"},
            usage=usage,
            collected=("AmazonEC2", collected),
        )
        for item, unit, offer, family, usage, collected in (
            ("gp3-storage", "gib_month", Offer("disk"), "Storage", r"EBS:VolumeUsage\.gp3", "EBS-gp3-GB-Mo"),
            ("gp3-iops", "iops_month", None, "System Operation", r"EBS:VolumeP-IOPS\.gp3", "EBS-gp3-IOPS-Mo"),
            (
                "gp3-throughput",
                "mibps_month",
                None,
                "Provisioned Throughput",
                r"EBS:VolumeP-Throughput\.gp3",
                "EBS-gp3-MiBps-Mo",
            ),
        )
    ),
    Product(
        section=TRANSFER,
        service="transfer",
        item="internet-out",
        unit="gib",
        offer=Offer("internet_traffic"),
        is_tiered=True,
        code="AWSDataTransfer",
        filters=_FROM_HERE | {"transferType": "AWS Outbound"},
        usage="DataTransfer-Out-Bytes",
        region_attribute="fromRegionCode",
        collected=("AWSDataTransfer", "DataTransfer-Out-Bytes"),
        ranges={"0-10TB": "0-10240", "10-50TB": "10240-51200", "50-150TB": "51200-153600", "150TB+": "153600-"},
    ),
    Product(
        section=TRANSFER,
        service="transfer",
        item="inter-zone",
        unit="gib",
        offer=Offer("zone_traffic"),
        code="AWSDataTransfer",
        filters=_FROM_HERE | {"transferType": "IntraRegion"},
        usage="DataTransfer-Regional-Bytes",
        region_attribute="fromRegionCode",
        collected=("AWSDataTransfer", "DataTransfer-Regional-Bytes"),
    ),
    Product(
        section=TRANSFER,
        service="transfer",
        item="inter-region",
        unit="gib",
        collected=("AWSDataTransfer", "DataTransfer-InterRegion-Other"),
    ),
    Product(
        section=QUEUES,
        service="sqs",
        item="requests",
        unit="million_requests",
        offer=Offer("queue_requests"),
        is_tiered=True,
        code="AWSQueueService",
        filters=_HERE | {"productFamily": "API Request", "queueType": "Standard"},
        usage="Requests-(?:Tier1|RBP)",
        collected=("AWSQueueService", "Requests-RBP (standard queue; first tier above the free million)"),
        ranges={"": "0-100000"},  # the first tier ends at 100 billion requests, https://aws.amazon.com/sqs/pricing/
    ),
    Product(
        section=PROMETHEUS,
        service="prometheus",
        item="samples-ingested",
        unit="million_samples",
        is_tiered=True,
        collected=("AmazonPrometheus", "AMP-samples-ingested"),
        ranges={"0-2B": "0-2000", "2B-252B": "2000-252000", "252B+": "252000-"},
    ),
    *(
        Product(section=PROMETHEUS, service="prometheus", item=item, unit=unit, collected=("AmazonPrometheus", name))
        for item, unit, name in (
            ("storage", "gib_month", "AMP-storage (above 10 GB)"),
            ("query-samples", "million_samples", "AMP-query-samples-processed"),
        )
    ),
)
"""Every kind of product a plan may need, and none besides."""

LISTED: Final = tuple(product for product in PRODUCTS if product.code)
"""What an update asks for."""

CODES: Final[Mapping[str, tuple[str, ...]]] = {
    service: tuple(dict.fromkeys(product.code for product in LISTED if product.service == service))
    for service in dict.fromkeys(product.service for product in LISTED)
}
"""Service of a book -> the offers that price it."""


def products_of(services: frozenset[str]) -> tuple[Product, ...]:
    """Return the listed products of some of a book's services."""
    return tuple(product for product in LISTED if product.service in services)
