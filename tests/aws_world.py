"""A synthetic AWS: products, spot prices and savings plans in five regions. None of its figures is anybody's price.

A product knows the keys and figures a price book must hold of it; a decoy is much like a product and none of a book's.
The layout is that of GetProducts, so that a bulk offer can be made of the same products.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

from cascade_plan.model.price import PriceKey

TODAY = date(2026, 11, 25)
PUBLISHED = "2026-11-20T21:04:11Z"
EFFECTIVE = "2026-11-01T00:00:00Z"
REGIONS = {
    # region: the code before its usage types, its name in the price list
    "us-east-1": ("", "US East (N. Virginia)"),
    "us-west-2": ("USW2-", "US West (Oregon)"),
    "eu-west-1": ("EU-", "EU (Ireland)"),
    "eu-central-1": ("EUC1-", "EU (Frankfurt)"),
    "ap-southeast-1": ("APS1-", "Asia Pacific (Singapore)"),
}
EC2 = ("m7g.large", "c6g.xlarge", "r6i.2xlarge", "m5.large")
RDS = ("db.r5.xlarge", "db.m6g.large")
CACHE = ("cache.r6g.large", "cache.m6g.xlarge")
HOURS = {"1yr": 8760, "3yr": 26280}
PAID = {"No Upfront": 0, "Partial Upfront": 1, "All Upfront": 2}
"""Halves of a commitment paid on its first day."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One price of a term."""

    unit: str
    amount: str | None
    begin: str = "0"
    end: str = "Inf"
    currency: str = "USD"
    words: str = ""
    """What AWS says of it; empty for the amount and the unit."""


@dataclass(frozen=True, slots=True)
class Term:
    """One way to buy a product: on demand, or reserved where it has a lease."""

    code: str
    dimensions: tuple[Dimension, ...]
    lease: str = ""
    option: str = ""
    offering_class: str = ""
    effective: str = EFFECTIVE

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of a reservation, none of an on-demand term."""
        if not self.lease:
            return {}
        named = {"LeaseContractLength": self.lease, "PurchaseOption": self.option}
        return named | ({"OfferingClass": self.offering_class} if self.offering_class else {})


@dataclass(frozen=True, slots=True)
class Product:
    """One product of an offer, and what a book must hold of it."""

    offer: str
    sku: str
    family: str
    attributes: Mapping[str, str]
    terms: tuple[Term, ...]
    expected: Mapping[PriceKey, tuple[Decimal, Decimal | None]]
    """Key -> USD per unit of the book, and the upfront of a commitment. Empty for a decoy."""

    def entry(self) -> dict[str, Any]:
        """Return the product as GetProducts lists it."""
        terms: dict[str, dict[str, Any]] = {}
        for term in self.terms:
            kind = terms.setdefault("Reserved" if term.lease else "OnDemand", {})
            kind[f"{self.sku}.{term.code}"] = {
                "sku": self.sku,
                "offerTermCode": term.code,
                "effectiveDate": term.effective,
                "termAttributes": term.attributes,
                "priceDimensions": {
                    f"{self.sku}.{term.code}.{number}": _dimension(f"{self.sku}.{term.code}.{number}", dimension)
                    for number, dimension in enumerate(term.dimensions)
                },
            }
        return {
            "product": {"productFamily": self.family, "attributes": dict(self.attributes), "sku": self.sku},
            "serviceCode": self.offer,
            "terms": terms,
            "version": "20261120210411",
            "publicationDate": PUBLISHED,
        }


def _described(dimension: Dimension) -> str:
    """Return what AWS says of a price in words: of a fee, no amount."""
    if dimension.amount is None or dimension.currency != "USD" or dimension.unit == "Quantity":
        return dimension.words or "synthetic"
    return dimension.words or f"USD {dimension.amount} per {dimension.unit} of this and that"


def _dimension(code: str, dimension: Dimension) -> dict[str, Any]:
    priced = {} if dimension.amount is None else {dimension.currency: dimension.amount}
    listed = {"unit": dimension.unit, "description": _described(dimension), "appliesTo": [], "rateCode": code}
    ranged = {} if dimension.unit == "Quantity" else {"beginRange": dimension.begin, "endRange": dimension.end}
    return {**listed, **ranged, "pricePerUnit": priced}


# ----------------------------------------------------------------------------------------------------------- products


@cache
def products(region: str) -> tuple[Product, ...]:
    """Return everything the synthetic AWS sells in a region: what a book holds, and the decoys."""
    code, location = REGIONS[region]
    place = {"location": location, "locationType": "AWS Region", "regionCode": region}
    listed = [*_instances(code, place), *_metered(code, place), *_transfer(code, place), *_decoys(code, place)]
    listed += [*_queues(code, place), *_kept(code, place)]
    skus = [f"{region.upper().replace('-', '')}{number:04}" for number in range(len(listed))]
    return tuple(replace(product, sku=sku) for product, sku in zip(listed, skus, strict=True))


def expected(region: str, *services: str) -> dict[PriceKey, tuple[Decimal, Decimal | None]]:
    """Return what a book of the region must hold of some services (or all): USD per unit, and the upfront."""
    found = {key: price for product in products(region) for key, price in product.expected.items()}
    return {key: price for key, price in found.items() if not services or key.service in services}


def price_of(*words: str) -> Decimal:
    """Return the synthetic price of a thing: the same words have the same one, other words almost surely another."""
    return Decimal(1 + sum(number * ord(letter) for number, letter in enumerate("/".join(words), 7)) % 99991) / 100000


def _on_demand(unit: str, usd: Decimal) -> Term:
    return Term("JRTCKXETXF", (Dimension(unit, f"{usd:.12f}"),))


def _reserved(usd: Decimal, classes: tuple[str, ...]) -> Iterator[tuple[Term, Decimal, Decimal]]:
    """Yield each reservation of a product with its effective hourly rate and its upfront: 60 % or less of `usd`."""
    for offering_class in classes:
        for lease, hours in HOURS.items():
            for option, halves in PAID.items():
                share = Decimal("0.6") if lease == "1yr" else Decimal("0.4")
                hourly = usd * share + (Decimal("0.01") if offering_class == "convertible" else 0)
                upfront = hourly * hours * halves / 2
                dimensions = [Dimension("Hrs", f"{hourly * (2 - halves) / 2:.10f}")]
                if halves:
                    dimensions.insert(0, Dimension("Quantity", f"{upfront:f}"))
                code = f"{offering_class[:4]}{lease}{halves}".upper()
                yield Term(code, tuple(dimensions), lease, option, offering_class), hourly, upfront


def instance(
    offer: str, family: str, key: PriceKey, attributes: Mapping[str, str], classes: tuple[str, ...] = ("standard",)
) -> Product:
    """Return an instance product with its on-demand price and its reservations."""
    usd = price_of(attributes["regionCode"], *key)
    wanted: dict[PriceKey, tuple[Decimal, Decimal | None]] = {key: (usd, None)}
    terms = [_on_demand("Hrs", usd)]
    for term, hourly, upfront in _reserved(usd, classes):
        terms.append(term)
        if term.offering_class != "convertible":
            years, paid = f"{term.lease[0]}y", term.option.split()[0].lower()
            wanted[key._replace(term=f"reserved_{years}_{paid}_upfront")] = (hourly, upfront)
    listed = {"servicecode": offer, "instanceType": key.item, **attributes}
    return Product(offer, "", family, listed, tuple(terms), wanted)


LINUX = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}
POSTGRES = {"databaseEngine": "PostgreSQL", "licenseModel": "No license required"}


def _instances(code: str, place: Mapping[str, str]) -> Iterator[Product]:
    for item in EC2:
        attributes = {**place, **LINUX, "operation": "RunInstances", "usagetype": f"{code}BoxUsage:{item}"}
        key = PriceKey("ec2", item, "linux")
        yield instance("AmazonEC2", "Compute Instance", key, attributes, ("standard", "convertible"))
    for item in RDS:
        for option, usage, variant in (
            ("Single-AZ", "InstanceUsage", "single_az"),
            ("Multi-AZ", "Multi-AZUsage", "multi_az"),
        ):
            short = item.replace("xlarge", "xl")
            attributes = {**place, **POSTGRES, "deploymentOption": option, "usagetype": f"{code}{usage}:{short}"}
            yield instance("AmazonRDS", "Database Instance", PriceKey("rds", item, variant), attributes)
    for item in CACHE:
        for engine in ("Redis", "Valkey"):
            attributes = {**place, "cacheEngine": engine, "usagetype": f"{code}NodeUsage:{item}"}
            key = PriceKey("elasticache", item, engine.lower())
            yield instance("AmazonElastiCache", "Cache Instance", key, attributes, ("",))


def metered(
    offer: str,
    family: str,
    usage: str,
    unit: str,
    key: PriceKey | None,
    attributes: Mapping[str, str],
    count: int | Decimal = 1,
) -> Product:
    """Return a product billed by the amount, its unit `count` of the book's; without a key it is a decoy."""
    usd = price_of(attributes.get("regionCode", ""), offer, usage)
    wanted: dict[PriceKey, tuple[Decimal, Decimal | None]] = {key: (usd, None)} if key else {}
    listed = {"servicecode": offer, **attributes, "usagetype": usage}
    return Product(offer, "", family, listed, (_on_demand(unit, usd * count),), wanted)


def _metered(code: str, place: Mapping[str, str]) -> Iterator[Product]:
    gp3 = {**place, "volumeApiName": "gp3"}
    for family, usage, unit, item, count in (
        ("Storage", "EBS:VolumeUsage.gp3", "GB-Mo", "gp3-storage", 1),
        ("System Operation", "EBS:VolumeP-IOPS.gp3", "IOPS-Mo", "gp3-iops", 1),
        ("Provisioned Throughput", "EBS:VolumeP-Throughput.gp3", "GiBps-mo", "gp3-throughput", 1024),
    ):
        yield metered("AmazonEC2", family, code + usage, unit, PriceKey("ebs", item), gp3, count)
    for usage, unit, item in (
        ("NatGateway-Hours", "Hrs", "nat-gateway"),
        ("NatGateway-Bytes", "GB", "nat-gateway-data"),
    ):
        yield metered("AmazonEC2", "NAT Gateway", code + usage, unit, PriceKey("vpc", item), place)
    address = f"{code}PublicIPv4:InUseAddress"
    yield metered("AmazonVPC", "VPC Public IPv4 Address", address, "Hrs", PriceKey("vpc", "public-ipv4"), place)
    yield from _databases(code, place)
    for offer, family, usage, unit, key, others in METERED:
        count = 1 / Decimal(1_000_000) if unit in BY_THE_PIECE else 1
        yield metered(offer, family, code + usage, unit, key, {**place, **others}, count)
    cluster = f"{code}AmazonEKS-Hours:perCluster"
    yield metered("AmazonEKS", "Compute", cluster, "Hours", PriceKey("eks", "cluster"), place)
    old, key = f"{code}AmazonEKS-Hours:extendedSupport", PriceKey("eks", "cluster-extended-support")
    yield metered("AmazonEKS", "Compute", old, "Hours", key, place)
    for kind, item in (("Application", "alb"), ("Network", "nlb")):
        family = f"Load Balancer-{kind}"
        yield metered("AWSELB", family, f"{code}LoadBalancerUsage", "Hrs", PriceKey("elb", item), place)
        yield metered("AWSELB", family, f"{code}LCUUsage", "LCU-Hrs", PriceKey("elb", f"{item}-lcu"), place)


BY_THE_PIECE = ("Requests", "API Requests", "IOs", "ElastiCacheProcessingUnit", "Metric Datapoints")
"""Units of which a book counts millions."""
METERED = (
    ("AmazonECR", "EC2 Container Registry", "TimedStorage-ByteHrs", "GB-Mo", PriceKey("ecr", "storage"), {}),
    ("AWSSecretsManager", "Secret", "AWSSecretsManager-Secrets", "Secrets", PriceKey("secretsmanager", "secret"), {}),
    ("AWSSecretsManager", "API Request", "AWSSecretsManagerAPIRequest", "API Requests",
     PriceKey("secretsmanager", "requests"), {}),
    ("AmazonCloudWatch", "Data Payload", "DataProcessing-Bytes", "GB", PriceKey("cloudwatch", "logs-ingested"), {}),
    ("AmazonCloudWatch", "Storage Snapshot", "TimedStorage-ByteHrs", "GB-Mo",
     PriceKey("cloudwatch", "logs-stored"), {}),
    ("AmazonCloudWatch", "Alarm", "CW:AlarmMonitorUsage", "Alarms", PriceKey("cloudwatch", "alarm"), {}),
    ("AmazonS3", "Storage", "TimedStorage-SIA-ByteHrs", "GB-Mo", PriceKey("s3", "storage-infrequent"),
     {"volumeType": "Standard - Infrequent Access"}),
    ("AmazonS3", "API Request", "Requests-Tier1", "Requests", PriceKey("s3", "requests-write"), {}),
    ("AmazonS3", "API Request", "Requests-Tier2", "Requests", PriceKey("s3", "requests-read"), {}),
    ("AmazonPrometheus", "", "AMP:QuerySamplesProcessed", "Metric Datapoints",
     PriceKey("prometheus", "query-samples"), {}),
    ("AmazonPrometheus", "", "AMP:MetricStorageByteHrs", "GB-Mo", PriceKey("prometheus", "storage"), {}),
    *(
        ("AmazonEC2", "CPU Credits", f"CPUCredits:{family}", "vCPU-Hours",
         PriceKey("ec2", f"cpu-credits-{family}", "linux"), {"operatingSystem": "Linux"})
        for family in ("t3", "t3a", "t4g")
    ),
    *(
        ("AmazonECS", "Compute", f"Fargate-{arm}{usage}", "hours", PriceKey("fargate", item, architecture), {})
        for architecture, arm in (("x86_64", ""), ("arm64", "ARM-"))
        for item, usage in (("cpu", "vCPU-Hours:perCPU"), ("memory", "GB-Hours"))
    ),
    *(
        ("AmazonElastiCache", "ElastiCache Serverless", f"{usage}:{engine}", unit,
         PriceKey("elasticache", item, engine.lower()), {"cacheEngine": engine})
        for engine in ("Redis", "Valkey")
        for item, usage, unit in (
            ("serverless-storage", "CachedData", "GB-Hours"),
            ("serverless-ecpu", "ElastiCacheProcessingUnits", "ElastiCacheProcessingUnit"),
        )
    ),
)  # fmt: skip
"""Offer, family, usage type, unit, key and attributes of what has one price and no engine."""


def _databases(code: str, place: Mapping[str, str]) -> Iterator[Product]:
    """Yield what databases do beyond their hours."""
    for option, usage, variant in (("Single-AZ", "RDS:", "single_az"), ("Multi-AZ", "RDS:Multi-AZ-", "multi_az")):
        for family, meter, unit, item in (
            ("Database Storage", "GP3-Storage", "GB-Mo", "storage-gp3"),
            ("Provisioned IOPS", "GP3-PIOPS", "IOPS-Mo", "iops-gp3"),
            ("Provisioned Throughput", "GP3-Throughput", "MBPS-Mo", "throughput-gp3"),
        ):
            volume = {"volumeType": "General Purpose-GP3"} if meter == "GP3-Storage" else {}
            disk = {**place, "deploymentOption": option, **volume}
            yield from _engines(family, code + usage + meter, unit, PriceKey("rds", item, variant), disk)
    for family, usage, unit, item in (
        ("Storage Snapshot", "RDS:ChargedBackupUsage", "GB-Mo", "backup-storage"),
        ("CPU Credits", "CPUCredits:db.t3", "vCPU-Hours", "cpu-credits-t3"),
        ("CPU Credits", "CPUCredits:db.t4g", "vCPU-Hours", "cpu-credits-t4g"),
    ):
        yield from _engines(family, code + usage, unit, PriceKey("rds", item), place)
    for operation, key in (("CreateDBProxy:0014", PriceKey("rds", "proxy")), ("CreateDBProxy:0002", None)):
        usage = f"{code}RDS:ProxyUsage"
        yield metered("AmazonRDS", "RDSProxy", usage, "Hrs", key, {**place, "operation": operation})
    for item, years, said in (
        ("extended-support-year1-2", "Yr1-Yr2", "Year 1, Year 2"),
        ("extended-support-year3", "Yr3", "Year 3"),
    ):
        of = {**place, "databaseEngine": "PostgreSQL", "extendedSupportPricingYear": said}
        key, usage = PriceKey("rds", item), f"{code}ExtendedSupport:{years}:PostgreSQL12"
        yield metered("AmazonRDS", "", usage, "vCPU-hour", key, of)
    yield from _aurora(code, place)


def _aurora(code: str, place: Mapping[str, str]) -> Iterator[Product]:
    engine = "Aurora PostgreSQL"
    for mode, added, acu, disk in (
        ("standard", "", "ServerlessV2Usage", "StorageUsage"),
        ("io_optimized", "IOOptimized", "ServerlessV2IOOptimizedUsage", "IO-OptimizedStorageUsage"),
    ):
        variant = f"aurora_{mode}"
        of = {**place, "databaseEngine": engine}
        listed = {**of, "licenseModel": "No license required", "usagetype": f"{code}InstanceUsage{added}:{RDS[1]}"}
        yield instance("AmazonRDS", "Database Instance", PriceKey("rds", RDS[1], variant), listed)
        key = PriceKey("rds", "aurora-capacity", variant)
        yield metered("AmazonRDS", "ServerlessV2", f"{code}Aurora:{acu}", "ACU-Hr", key, of)
        key = PriceKey("rds", "aurora-storage", variant)
        yield from _engines("Database Storage", f"{code}Aurora:{disk}", "GB-Mo", key, place, engine)
    key = PriceKey("rds", "aurora-io", "aurora_standard")
    yield from _engines("System Operation", f"{code}Aurora:StorageIOUsage", "IOs", key, place, engine)
    key = PriceKey("rds", "aurora-backup")
    yield from _engines("Storage Snapshot", f"{code}Aurora:BackupUsage", "GB-Mo", key, place, engine)


def _engines(
    family: str, usage: str, unit: str, key: PriceKey, attributes: Mapping[str, str], engine: str = "PostgreSQL"
) -> Iterator[Product]:
    """Yield what RDS lists by engine, for Any of them, or both: in the region's order of the alphabet."""
    count = 1 / Decimal(1_000_000) if unit in BY_THE_PIECE else 1
    region = attributes["regionCode"]
    engines = {"us-east-1": (engine, "Any", "MySQL"), "us-west-2": (engine, "MySQL")}.get(region, ("Any", "MySQL"))
    for number, name in enumerate(engines):
        listed = {**attributes, "databaseEngine": name}
        product = metered("AmazonRDS", family, usage, unit, key if number == 0 else None, listed, count)
        # The one that counts has the price; the others have a hundred times of it.
        yield product if number == 0 else replace(product, terms=(_on_demand(unit, price_of(usage) * count * 100),))


def _kept(code: str, place: Mapping[str, str]) -> Iterator[Product]:
    """Yield what is kept by the amount and costs less with it."""
    for offer, usage, unit, key, others, bounds, count in (
        ("AmazonS3", "TimedStorage-ByteHrs", "GB-Mo", PriceKey("s3", "storage"), {"volumeType": "Standard"},
         ("0", "51200", "512000", "Inf"), 1),
        ("AmazonCloudWatch", "CW:MetricMonitorUsage", "Metrics", PriceKey("cloudwatch", "metric"), {},
         ("0", "10000", "Inf"), 1),
        ("AmazonPrometheus", "AMP:MetricSampleCount", "Metric Datapoints", PriceKey("prometheus", "samples-ingested"),
         {}, ("0", "2000000000", "252000000000", "Inf"), 1_000_000),
    ):  # fmt: skip
        first = price_of(place["regionCode"], usage)
        tiers = [(*bound, first * (10 - number) / 10) for number, bound in enumerate(pairwise(bounds))]
        wanted: dict[PriceKey, tuple[Decimal, Decimal | None]] = {}
        for begin, end, usd in tiers:
            low, high = (f"{int(bound) // count}" if bound != "Inf" else "" for bound in (begin, end))
            wanted[key._replace(variant=f"{low}-{high}")] = (usd, None)
        dimensions = tuple(Dimension(unit, f"{usd / count:.12f}", begin, end) for begin, end, usd in tiers)
        listed = {"servicecode": offer, **place, **others, "usagetype": code + usage}
        family = {"AmazonS3": "Storage", "AmazonCloudWatch": "Metric"}.get(offer, "")
        yield Product(offer, "", family, listed, (Term("JRTCKXETXF", dimensions),), wanted)


def _from_here(place: Mapping[str, str], kind: str) -> dict[str, str]:
    return {
        "fromRegionCode": place["regionCode"],
        "fromLocation": place["location"],
        "fromLocationType": "AWS Region",
        "transferType": kind,
        "toLocation": "External" if kind == "AWS Outbound" else place["location"],
    }


def _transfer(code: str, place: Mapping[str, str]) -> Iterator[Product]:
    offer, family = "AWSDataTransfer", "Data Transfer"
    first = price_of(place["regionCode"], "internet-out")
    bounds = ("0", "10240", "51200", "153600", "Inf")
    tiers = [(begin, end, first * (10 - number) / 10) for number, (begin, end) in enumerate(pairwise(bounds))]
    wanted: dict[PriceKey, tuple[Decimal, Decimal | None]] = {
        PriceKey("transfer", "internet-out", f"{begin}-{end.removesuffix('Inf')}"): (usd, None)
        for begin, end, usd in tiers
    }
    term = Term("JRTCKXETXF", tuple(Dimension("GB", f"{usd:.10f}", begin, end) for begin, end, usd in tiers))
    out = {"servicecode": offer, **_from_here(place, "AWS Outbound"), "usagetype": f"{code}DataTransfer-Out-Bytes"}
    yield Product(offer, "", family, out, (term,), wanted)
    between, key = f"{code}DataTransfer-Regional-Bytes", PriceKey("transfer", "inter-zone")
    yield metered(offer, family, between, "GB", key, _from_here(place, "IntraRegion"))


def _queues(code: str, place: Mapping[str, str]) -> Iterator[Product]:
    """Yield the requests of each kind of queue, of which a book holds the standard ones, by the million."""
    usd = price_of(place["regionCode"], "requests")
    tier = {"unit": "Requests", "amount": f"{usd / 1_000_000:.12f}"}
    term = Term("JRTCKXETXF", (Dimension(**tier, end="100000000000"), Dimension(**tier, begin="100000000000")))
    for queue, usage in (("Standard", "Requests-Tier1"), ("FIFO (first-in, first-out)", "Requests-FIFO-Tier1")):
        wanted: dict[PriceKey, tuple[Decimal, Decimal | None]] = {
            PriceKey("sqs", "requests", variant): (usd, None) for variant in ("0-100000", "100000-")
        }
        listed = {"servicecode": "AWSQueueService", **place, "queueType": queue, "usagetype": code + usage}
        yield Product("AWSQueueService", "", "API Request", listed, (term,), wanted if queue == "Standard" else {})


def _decoys(code: str, place: Mapping[str, str]) -> Iterator[Product]:
    """Yield what is for sale beside a book's products: most differ in one attribute, some only in the usage type."""
    box = {**place, **LINUX, "instanceType": EC2[0]}
    usage = f"BoxUsage:{EC2[0]}"
    zone = {"locationType": "AWS Local Zone", "location": "US West (Los Angeles)"}
    for changed, kind in (
        ({"operatingSystem": "Windows"}, code + usage),
        ({"tenancy": "Dedicated"}, f"{code}DedicatedUsage:{EC2[0]}"),
        ({"preInstalledSw": "SQL Std"}, code + usage),
        ({"capacitystatus": "UnusedCapacityReservation"}, f"{code}UnusedBox:{EC2[0]}"),
        ({"capacitystatus": "AllocatedCapacityReservation"}, f"{code}Reservation:{EC2[0]}"),
        (zone, f"LAX1-{usage}"),
        ({}, f"{code}UnusedBox:{EC2[0]}"),
    ):
        yield metered("AmazonEC2", "Compute Instance", kind, "Hrs", None, {**box, **changed})
    yield metered(
        "AmazonEC2", "Storage", f"{code}EBS:VolumeUsage.gp2", "GB-Mo", None, {**place, "volumeApiName": "gp2"}
    )
    yield metered("AmazonEC2", "NAT Gateway", f"{code}NatGateway-Prvd-Bytes", "GB", None, place)
    yield metered("AmazonVPC", "VPC Public IPv4 Address", f"{code}PublicIPv4:IdleAddress", "Hrs", None, place)
    single = {**place, **POSTGRES, "instanceType": RDS[0], "deploymentOption": "Single-AZ"}
    for engine in ("MySQL", "Aurora MySQL"):
        mine = {**single, "databaseEngine": engine}
        yield metered("AmazonRDS", "Database Instance", f"{code}InstanceUsage:{RDS[0]}", "Hrs", None, mine)
    nodes = {**place, "instanceType": CACHE[0]}
    kind = f"{code}NodeUsage:{CACHE[0]}"
    yield metered("AmazonElastiCache", "Cache Instance", kind, "Hrs", None, {**nodes, "cacheEngine": "Memcached"})
    yield metered("AmazonEKS", "Compute", f"{code}AmazonEKS-Hours:XL-ProvisionedTier", "Hours", None, place)
    for kind in (f"{code}TS-LoadBalancerUsage", f"{code}Outposts-LoadBalancerUsage"):
        yield metered("AWSELB", "Load Balancer-Application", kind, "Hrs", None, place)
    free = _from_here(place, "AWS Outbound")
    yield metered("AWSDataTransfer", "Data Transfer", "Global-DataTransfer-Out-Bytes", "GB", None, free)


# -------------------------------------------------------------------------------------------------- spot, savings plans


@dataclass(frozen=True, slots=True)
class SpotPrice:
    """From when on a type has a spot price in a zone."""

    at: datetime
    zone: str
    item: str
    price: str
    platform: str = "Linux/UNIX"


@cache
def spot_prices(region: str) -> tuple[SpotPrice, ...]:
    """Return 40 days of changes: each zone's price alternates daily between 10 and 20 cents and a little by zone.

    The first change is before any window; Windows and a Local Zone are decoys.
    """
    end = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    found = []
    for item in EC2:
        for number, zone in enumerate((f"{region}a", f"{region}b", f"{region}c")):
            for day in range(40):
                at = end - timedelta(days=40 - day) + timedelta(hours=number)
                found.append(SpotPrice(at, zone, item, f"0.{1 + day % 2}{number}0000"))
        start = end - timedelta(days=40)
        found.append(SpotPrice(start, f"{region}-lax-1a", item, "9.000000"))
        found.append(SpotPrice(start, f"{region}a", item, "8.000000", "Windows"))
    return tuple(found)


DATABASE_PLANS = (
    # product, offer, what the usage type begins with, operation, service and variant of the book, types
    ("RDS", "AmazonRDS", "InstanceUsage", "CreateDBInstance:0014", "rds", "single_az", RDS),
    ("RDS", "AmazonRDS", "Multi-AZUsage", "CreateDBInstance:0014", "rds", "multi_az", RDS),
    ("RDS", "AmazonRDS", "InstanceUsage", "CreateDBInstance:0021", "rds", "aurora_standard", RDS),
    ("RDS", "AmazonRDS", "InstanceUsageIOOptimized", "CreateDBInstance:0021", "rds", "aurora_io_optimized", RDS),
    ("ElastiCache", "AmazonElastiCache", "NodeUsage", "CreateCacheCluster:Valkey", "elasticache", "valkey", CACHE),
)
DATABASE_DECOYS = (
    ("RDS", "AmazonRDS", "InstanceUsage:db.r5.xl", "CreateDBInstance:0002", "Hrs"),
    ("RDS", "AmazonRDS", "Multi-AZClusterUsage:db.r5.xl", "CreateDBInstance:0014", "Hrs"),
    ("RDS", "AmazonRDS", "InstanceUsage:db.z9.large", "CreateDBInstance:0014", "Hrs"),
    ("RDS", "AmazonRDS", "Aurora:ServerlessV2Usage", "CreateDBInstance:0021", "ACU-Hr"),
    ("ElastiCache", "AmazonElastiCache", "CachedData:Valkey", "CreateServerlessCache", "GB-Hours"),
    ("ElastiCache", "AmazonElastiCache", "NodeUsage:cache.r6g.large", "CreateCacheCluster:0001", "Hrs"),
    ("DocDB", "AmazonDocDB", "InstanceUsage:db.r5.xl", "CreateDBInstance:0014", "Hrs"),
)
DATABASE_TERM = "database_sp_1y_no_upfront"


def database_rates(region: str) -> Iterator[tuple[dict[str, Any], PriceKey | None]]:
    """Yield the rates of Database Savings Plans with what a book has of each, None for a decoy.

    The type among a rate's properties is the family alone in capitals for some, as AWS has it.
    """
    plain = plan_rate(region, "", "Database", HOURS["1yr"], "No Upfront", "9")

    def rate(product: str, offer: str, usage: str, operation: str, unit: str, amount: str) -> dict[str, Any]:
        said = [{"name": "region", "value": region}, {"name": "instanceType", "value": "R5"}]
        named = {"productType": product, "serviceCode": offer, "operation": operation, "unit": unit, "rate": amount}
        return {**plain, **named, "usageType": REGIONS[region][0] + usage, "properties": said}

    for product, offer, usage, operation, service, variant, items in DATABASE_PLANS:
        for item in items:
            key, short = PriceKey(service, item, variant, DATABASE_TERM), item
            if service == "rds":
                short = item.replace("xlarge", "xl")
            yield rate(product, offer, f"{usage}:{short}", operation, "Hrs", f"{price_of(region, *key):f}"), key
    for decoy in DATABASE_DECOYS:
        yield rate(*decoy, "9"), None


@cache
def plan_rates(region: str) -> tuple[dict[str, Any], ...]:
    """Return the rates of savings plans as the API lists them, with decoys for each type."""
    found = [rate for rate, _ in database_rates(region)]
    for item in EC2:
        for plan in ("Compute", "EC2Instance"):
            for lease, hours in HOURS.items():
                for option in PAID:
                    usd = price_of(region, item, plan, lease, option)
                    plain = plan_rate(region, item, plan, hours, option, f"{usd:f}")
                    found += [plain, *_plan_decoys(plain)]
    return tuple(found)


def plan_rate(region: str, item: str, plan: str, hours: int, option: str, rate: str) -> dict[str, Any]:
    """Return one rate of a savings plan."""
    family = item.split(".")[0] if plan == "EC2Instance" else "any"
    return {
        "savingsPlanOffering": {
            "offeringId": f"{sum(map(ord, plan + option + family)):08x}-{hours}",
            "paymentOption": option,
            "planType": plan,
            "durationSeconds": hours * 3600,
            "currency": "USD",
            "planDescription": "synthetic",
        },
        "rate": rate,
        "unit": "Hrs",
        "productType": "EC2",
        "serviceCode": "AmazonEC2",
        "usageType": f"{REGIONS[region][0]}BoxUsage:{item}",
        "operation": "RunInstances",
        "properties": [
            {"name": "productDescription", "value": "Linux/UNIX"},
            {"name": "tenancy", "value": "shared"},
            {"name": "instanceType", "value": item},
            {"name": "instanceFamily", "value": item.split(".")[0]},
            {"name": "region", "value": region},
        ],
    }


def _plan_decoys(plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rates beside one: reserved and unused, Windows, dedicated, for containers."""

    def changed(**values: str) -> list[dict[str, str]]:
        return [{**entry, "value": values.get(entry["name"], entry["value"])} for entry in plain["properties"]]

    yield {**plain, "rate": "9", "usageType": plain["usageType"].replace("BoxUsage", "UnusedBox")}
    yield {**plain, "rate": "9", "properties": changed(productDescription="Windows")}
    yield {**plain, "rate": "9", "properties": changed(tenancy="dedicated")}
    yield {**plain, "rate": "9", "serviceCode": "AmazonEKS"}
    yield {**plain, "rate": "9", "properties": changed(region="sa-east-1")}
