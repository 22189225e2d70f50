"""How a bill of AWS names what a book prices, read in both directions.

A line of a bill says its service's code, usage type, operation and region; a plan's line says a key of the book. The
words stand once, with each product, and are the ones that its price is looked for by. Never by a product's name: AWS
calls NAT gateways, disks and traffic "Amazon Elastic Compute Cloud".

Sources: https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html; codes of regions,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple

from cascade_plan.clouds.aws.product import PUBLISHED, Product
from cascade_plan.clouds.aws.products import PRODUCTS
from cascade_plan.model.price import PriceKey

HOME: Final = "us-east-1"
"""Where most usage types begin with no region's code."""
REGIONS: Final[Mapping[str, str]] = {
    "us-east-1": "USE1",
    "us-east-2": "USE2",
    "us-west-1": "USW1",
    "us-west-2": "USW2",
    "us-gov-east-1": "UGE1",
    "us-gov-west-1": "UGW1",
    "ca-central-1": "CAN1",
    "ca-west-1": "CAN2",
    "sa-east-1": "SAE1",
    "eu-west-1": "EU",
    "eu-west-2": "EUW2",
    "eu-west-3": "EUW3",
    "eu-central-1": "EUC1",
    "eu-central-2": "EUC2",
    "eu-north-1": "EUN1",
    "eu-south-1": "EUS1",
    "eu-south-2": "EUS2",
    "ap-east-1": "APE1",
    "ap-northeast-1": "APN1",
    "ap-northeast-2": "APN2",
    "ap-northeast-3": "APN3",
    "ap-southeast-1": "APS1",
    "ap-southeast-2": "APS2",
    "ap-south-1": "APS3",
    "ap-southeast-3": "APS4",
    "ap-south-2": "APS5",
    "ap-southeast-4": "APS6",
    "me-south-1": "MES1",
    "me-central-1": "MEC1",
    "il-central-1": "ILC1",
    "af-south-1": "AFS1",
}
"""Region -> what its usage types begin with."""
_BY_CODE: Final = {code: region for region, code in REGIONS.items()} | {"EUW1": "eu-west-1"}
_PREFIX: Final = re.compile(r"(EU|[A-Z]{3}[0-9]{1,2})-(?!(?:EU|[A-Z]{3}[0-9]{1,2})-)", re.ASCII)
"""One region's code; two in a row are traffic between two regions, which is no product of either."""
_ESCAPED: Final = re.compile(r"\\(?=\.)")
_SPOT: Final = "SpotUsage:"
_ON_DEMAND: Final = "BoxUsage:"
_DESCRIBED: Final = tuple(
    (re.compile(pattern), usage)
    for pattern, usage in (
        (r"per On Demand Linux (\S+) Instance Hour", r"BoxUsage:\1"),
        (r"per NAT Gateway Hour", "NatGateway-Hours"),
        (r"per GB Data Processed by NAT Gateways", "NatGateway-Bytes"),
        (r"In-use public IPv4 address", "PublicIPv4:InUseAddress"),
        (r"per Application LoadBalancer-hour", "LoadBalancerUsage"),
        (r"Application load balancer capacity unit-hour", "LCUUsage"),
        (r"per GB - regional data transfer", "DataTransfer-Regional-Bytes"),
        (r"per GB - first .* data transfer out", "DataTransfer-Out-Bytes"),
        (r"Amazon EKS cluster usage", "AmazonEKS-Hours:perCluster"),
        (r"per GB-month of General Purpose \(gp3\)", "EBS:VolumeUsage.gp3"),
    )
)
"""What AWS's descriptions of charges say -> the usage type: for FOCUS without AWS's own columns, which has no other
word. As AWS wrote them in the FOCUS Foundation's sample of September 2024."""
_OPERATIONS: Final = {"LoadBalancerUsage": "LoadBalancing:Application", "LCUUsage": "LoadBalancing:Application"}
_EXPLORED: Final[Mapping[str, tuple[str, ...]]] = {
    "ec2": ("Amazon Elastic Compute Cloud - Compute", "EC2-Instances"),
    "ec2 other": ("EC2 - Other", "EC2-Other"),
    "ebs": ("EC2 - Other", "EC2-Other"),
    "vpc": ("EC2 - Other", "EC2-Other"),
    "vpc public-ipv4": ("Amazon Virtual Private Cloud", "VPC"),
    "transfer": ("EC2 - Other", "EC2-Other"),
    "rds": ("Amazon Relational Database Service", "Relational Database Service"),
    "elasticache": ("Amazon ElastiCache", "ElastiCache"),
    "eks": ("Amazon Elastic Container Service for Kubernetes", "Elastic Container Service for Kubernetes"),
    "fargate": ("Amazon Elastic Container Service for Kubernetes", "Elastic Container Service for Kubernetes"),
    "elb": ("Amazon Elastic Load Balancing", "Elastic Load Balancing"),
    "s3": ("Amazon Simple Storage Service", "S3"),
    "ecr": ("Amazon EC2 Container Registry (ECR)", "EC2 Container Registry (ECR)"),
    "sqs": ("Amazon Simple Queue Service", "SQS"),
    "cloudwatch": ("AmazonCloudWatch", "CloudWatch"),
    "secretsmanager": ("AWS Secrets Manager", "Secrets Manager"),
    "prometheus": ("Amazon Managed Service for Prometheus", "Managed Service for Prometheus"),
}
"""Service of a book, or one of its items -> what Cost Explorer's answers and its page call the service."""
_MONTHS: Final = re.compile("-months?$")
_BILLED_SIZE: Final = re.compile(r"(?<=\.)([0-9]*)xl(?:arge)?$")
"""RDS bills db.r5.xlarge as db.r5.xl, and db.r5.2xlarge as db.r5.2xl."""


class Usage(NamedTuple):
    """What a line of a bill calls something."""

    service: str
    """The code of a service, such as AmazonEC2."""
    usage_type: str
    operation: str


def usage_type(key: PriceKey, region: str) -> Usage | None:
    """Return how a bill names what a key prices; None where no line of a bill is known that it would be.

    A commitment's hours are billed under the usage type of hours on demand, with another kind of line.

    >>> usage_type(PriceKey("rds", "db.r5.2xlarge", "multi_az"), "eu-west-1")
    Usage(service='AmazonRDS', usage_type='EU-Multi-AZUsage:db.r5.2xl', operation='CreateDBInstance:0014')
    >>> usage_type(PriceKey("eks", "cluster"), "us-east-1").usage_type
    'USE1-AmazonEKS-Hours:perCluster'
    """
    product = _sold(key)
    code = REGIONS.get(region)
    if product is None or not product.usage or code is None:
        return None
    named = product.billed or _ESCAPED.sub("", product.usage)
    if not product.item:
        named = named.partition(":")[0] + ":" + _billed(product, key.item)
    if key.term == "spot":
        named = named.replace(_ON_DEMAND, _SPOT)
    prefix = f"{code}-" if region != HOME or product.always_prefixed else ""
    return Usage(_codes(product)[0], prefix + named, product.operation)


def product_of(service: str, usage_type: str, operation: str, region: str) -> PriceKey | None:
    """Return the key that a line of a bill is priced by; None where no product is it, or several may be.

    Of a tier the key is without its range: the range follows from the month's amount. See `products_of`.

    >>> product_of("AmazonRDS", "EU-Multi-AZUsage:db.r5.2xl", "CreateDBInstance:0014", "eu-west-1")
    PriceKey(service='rds', item='db.r5.2xlarge', variant='multi_az', term='on_demand')
    >>> product_of("AmazonEC2", "BoxUsage:m5.large", "RunInstances:0002", "us-east-1") is None
    True
    """
    found = products_of(service, usage_type, operation, region)
    return found[0] if len(found) == 1 else None


@cache
def products_of(service: str, usage_type: str, operation: str, region: str) -> tuple[PriceKey, ...]:
    """Return every key that a line of a bill may be priced by.

    A service's code or an operation that is empty is not known, and rules nothing out. A region that is not the usage
    type's own rules out everything.
    """
    prefix, bare = _parted(usage_type)
    if prefix and region and _BY_CODE.get(prefix) not in (region, None):
        return ()
    spot = bare.startswith(_SPOT)
    bare = bare.replace(_SPOT, _ON_DEMAND, 1) if spot else bare
    term = "spot" if spot else "on_demand"
    return tuple(
        dict.fromkeys(
            PriceKey(product.service, product.item or _shape(bare), _variant(product), term)
            for product in _named(bare)
            if (not service or service in _codes(product))
            and (not operation or not product.told_by_operation or operation == product.operation)
        )
    )


def region_of(usage_type: str) -> str:
    """Return the region that a usage type says, where a line does not: us-east-1 where it begins with no code.

    >>> region_of("USW2-BoxUsage:m5.large"), region_of("NatGateway-Hours")
    ('us-west-2', 'us-east-1')
    """
    prefix, _ = _parted(usage_type)
    return _BY_CODE.get(prefix, "") if prefix else HOME


def bare(usage_type: str) -> str:
    """Return a usage type without its region's code."""
    return _parted(usage_type)[1]


def in_units(key: PriceKey, quantity: Decimal, unit: str) -> Decimal | None:
    """Return an amount of a bill's unit in the unit that a key is priced in; None where it is no amount of that.

    Without a unit the amount is taken to be in the price list's.

    >>> in_units(PriceKey("s3", "requests-write"), Decimal(73_600_000), "Requests")
    Decimal('73.600000')
    """
    product = _sold(key)
    if product is None:
        return None
    per_million = product.unit in ("million_requests", "million_samples")
    if not unit:
        return quantity * Decimal("1e-6") if per_million else quantity
    listed = product.unit_of(unit).lower()
    known, factor = PUBLISHED.get(listed) or PUBLISHED.get(_MONTHS.sub("-mo", listed)) or (product.unit, Decimal(0))
    if known != product.unit and not (per_million and factor == Decimal("1e-6")):
        return None
    return quantity * factor if factor else None


def described(description: str) -> tuple[str, str]:
    """Return (usage type, operation) that a charge's description says; ("", "") where it is none that is known.

    >>> described("$0.096 per On Demand Linux m5.large Instance Hour")
    ('BoxUsage:m5.large', 'RunInstances')
    """
    for pattern, usage in _DESCRIBED:
        if match := pattern.search(description):
            named = match.expand(usage)
            return named, "RunInstances" if named.startswith(_ON_DEMAND) else _OPERATIONS.get(named, "")
    return "", ""


def explored(key: PriceKey) -> tuple[str, ...]:
    """Return what Cost Explorer calls the service that a key is billed under, in its answers and on its page.

    >>> explored(PriceKey("vpc", "nat-gateway")), explored(PriceKey("ec2", "cpu-credits-t3", "linux"))
    (('EC2 - Other', 'EC2-Other'), ('EC2 - Other', 'EC2-Other'))
    """
    of_item = _EXPLORED.get(f"{key.service} {key.item}")
    if of_item is None and key.service == "ec2" and key.item.startswith("cpu-credits"):
        of_item = _EXPLORED["ec2 other"]
    return of_item or _EXPLORED.get(key.service, ())


def interchangeable(key: PriceKey) -> tuple[str, ...]:
    """Return what a key is interchangeable with, as the name of the pool: instances whatever their shape.

    A managed database's primary and its replicas are two: what one saves is no use to the other.

    >>> interchangeable(PriceKey("rds", "db.r5.large", "multi_az"))
    ('rds', 'instances', 'multi_az')
    >>> interchangeable(PriceKey("ec2", "m5.large", "linux"))
    ('ec2', 'instances', '')
    """
    product = _sold(key)
    if product is None or product.item:
        return (key.service, key.item, key.variant)
    return (key.service, "instances", key.variant if key.service == "rds" else "")


def _parted(usage_type: str) -> tuple[str, str]:
    """Return a region's code, "" where there is none, and what follows it."""
    match = _PREFIX.match(usage_type)
    return (match.group(1), usage_type[match.end() :]) if match else ("", usage_type)


@cache
def _named(bare: str) -> tuple[Product, ...]:
    return tuple(product for product in PRODUCTS if product.usage and re.fullmatch(product.usage, bare, re.ASCII))


@cache
def _by_key() -> Mapping[tuple[str, str, str], Product]:
    return {(product.service, product.item, _variant(product)): product for product in PRODUCTS}


def _sold(key: PriceKey) -> Product | None:
    found = _by_key()
    return (
        found.get((key.service, key.item, key.variant))
        or found.get((key.service, key.item, ""))
        or found.get((key.service, "", key.variant))
    )


def _variant(product: Product) -> str:
    return "" if product.is_tiered else product.variant


def _codes(product: Product) -> tuple[str, ...]:
    return product.billed_by or (product.code,)


def _billed(product: Product, shape: str) -> str:
    return _BILLED_SIZE.sub(r"\1xl", shape) if product.service == "rds" else shape


def _shape(bare: str) -> str:
    """Return the shape that a usage type of instances names."""
    size = bare.partition(":")[2]
    return _BILLED_SIZE.sub(r"\1xlarge", size) if size.startswith("db.") else size
