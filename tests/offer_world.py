"""A synthetic world of AWS's price list files: every kind of product that a book holds, and what stands beside it.

The headings, in their order, are those of the genuine files (AmazonEC2 of 2025-09-12, AmazonRDS of 2026-04-28, the
next six of 2026-05); the last six have what tells their products apart. Products, SKUs and prices are made up, usage
types and units are AWS's. What is wanted carries the key it must come to.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO
from itertools import product as every
from typing import Any, NamedTuple

from cascade_plan.clouds.aws.products import CODES
from cascade_plan.model.price import PriceKey

REGIONS = {
    "us-east-1": "",
    "us-west-2": "USW2-",
    "eu-west-1": "EU-",
    "eu-central-1": "EUC1-",
    "ap-southeast-1": "APS1-",
}
"""Region -> what its usage types begin with."""
PUBLISHED, VERSION = "2026-11-20T18:44:47Z", "20261120184447"
EFFECTIVE = "2026-11-01"
DISCLAIMER = 'This pricing list is for informational purposes only, "as is".'
SERVICES = frozenset(CODES)
ITEMS = {
    "ec2": frozenset({"m5.large", "c7g.xlarge"}),
    "rds": frozenset({"db.r7g.large", "db.m8g.2xlarge"}),
    "elasticache": frozenset({"cache.r7g.large"}),
}

PRICE = (
    "SKU,OfferTermCode,RateCode,TermType,PriceDescription,EffectiveDate,StartingRange,EndingRange,Unit,PricePerUnit,"
    "Currency,"
)
LEASE = "LeaseContractLength,PurchaseOption,OfferingClass,"
PLAIN = PRICE + "RelatedTo,Product Family,serviceCode,Location,Location Type,Group,Group Description,"
HEADINGS = {
    "AmazonEC2": PRICE + "RelatedTo," + LEASE + "Product Family,serviceCode,Location,Location Type,Instance Type,"
    "Current Generation,Instance Family,vCPU,Physical Processor,Clock Speed,Memory,Storage,Network Performance,"
    "Processor Architecture,Storage Media,Volume Type,Max Volume Size,Max IOPS/volume,Max IOPS Burst Performance,"
    "Max throughput/volume,Provisioned,Tenancy,EBS Optimized,Operating System,License Model,Group,Group Description,"
    "Transfer Type,From Location,From Location Type,To Location,To Location Type,usageType,operation,AvailabilityZone,"
    "CapacityStatus,ClassicNetworkingSupport,Dedicated EBS Throughput,ECU,Elastic Graphics Type,"
    "Enhanced Networking Supported,From Region Code,GPU,GPU Memory,Instance,instanceSKU,Intel AVX2 Available,"
    "Intel AVX Available,Intel Turbo Available,MarketOption,Normalization Size Factor,Physical Cores,Pre Installed S/W,"
    "Processor Features,Product Type,Region Code,Resource Type,serviceName,SnapshotArchiveFeeType,To Region Code,"
    "Volume API Name,VPCNetworkingSupport",
    "AmazonRDS": PRICE + "RelatedTo," + LEASE + "Product Family,serviceCode,Location,Location Type,Instance Type,"
    "Current Generation,Instance Family,vCPU,Physical Processor,Clock Speed,Memory,Storage,Network Performance,"
    "Processor Architecture,Storage Media,Volume Type,Min Volume Size,Max Volume Size,Engine Code,Database Engine,"
    "Database Edition,License Model,Deployment Option,Group,Group Description,usageType,operation,ACU,"
    "Dedicated EBS Throughput,Deployment Model,Engine Major Version,Engine Media Type,Enhanced Networking Supported,"
    "Extended Support Pricing Year,Instance Type Family,LimitlessPreview,Normalization Size Factor,Processor Features,"
    "Region Code,serviceName,Unbundled Licensing,Volume Name,WindowsLicenseMultiplier",
    "AmazonElastiCache": PRICE + LEASE + "Product Family,serviceCode,Location,Location Type,Instance Type,"
    "Current Generation,Instance Family,vCPU,Memory,Network Performance,Cache Engine,Storage Media,Transfer Type,"
    "usageType,operation,Normalization Size Factor,Region Code,serviceName,Year Number",
    "AmazonVPC": PRICE + "Product Family,serviceCode,Location,Location Type,Endpoint Type,Group,Group Description,"
    "Transfer Type,From Location,From Location Type,To Location,To Location Type,usageType,operation,Attachment Type,"
    "From Region Code,Region Code,serviceName,To Region Code,VPN Type",
    "AmazonEKS": PRICE + "Product Family,serviceCode,Location,Location Type,Tenancy,usageType,operation,"
    "Capability Type,CPU Type,Instance Type,Memory Type,Region Code,serviceName,Storage Type,Tier Type",
    "AWSELB": PRICE + "Product Family,serviceCode,Location,Location Type,Group,Group Description,usageType,operation,"
    "Region Code,serviceName",
    "AWSQueueService": PRICE + "RelatedTo,Product Family,serviceCode,Location,Location Type,Group,Group Description,"
    "usageType,operation,Message Delivery Frequency,Message Delivery Order,Queue Type,Region Code,serviceName",
    "AmazonS3": PLAIN + "Volume Type,usageType,operation,Durability,Availability,Storage Class,Region Code,serviceName",
    "AmazonCloudWatch": PLAIN + "usageType,operation,Alarm Type,Region Code,serviceName",
    "AmazonECS": PLAIN + "Tenancy,Operating System,usageType,operation,CPU Type,Memory Type,Region Code,serviceName",
    "AmazonECR": PLAIN + "usageType,operation,Region Code,serviceName",
    "AWSSecretsManager": PLAIN + "usageType,operation,Region Code,serviceName",
    "AmazonPrometheus": PLAIN + "usageType,operation,Region Code,serviceName",
    "AWSDataTransfer": PRICE + "RelatedTo,Product Family,serviceCode,Transfer Type,From Location,From Location Type,"
    "To Location,To Location Type,usageType,operation,From Region Code,serviceName,To Region Code",
}
"""Offer -> the headings of its CSV layout."""
OFFERS = tuple(sorted(HEADINGS))
ATTRIBUTES = {
    "Product Family": "productFamily",
    "serviceCode": "servicecode",
    "Location Type": "locationType",
    "Instance Type": "instanceType",
    "Volume Type": "volumeType",
    "Tenancy": "tenancy",
    "Operating System": "operatingSystem",
    "License Model": "licenseModel",
    "Transfer Type": "transferType",
    "From Location Type": "fromLocationType",
    "usageType": "usagetype",
    "operation": "operation",
    "CapacityStatus": "capacitystatus",
    "From Region Code": "fromRegionCode",
    "Pre Installed S/W": "preInstalledSw",
    "Region Code": "regionCode",
    "Volume API Name": "volumeApiName",
    "Database Engine": "databaseEngine",
    "Deployment Option": "deploymentOption",
    "Cache Engine": "cacheEngine",
    "Extended Support Pricing Year": "extendedSupportPricingYear",
    "Group Description": "groupDescription",
    "Queue Type": "queueType",
    "To Region Code": "toRegionCode",
}
"""Heading -> the attribute's name in the JSON layout and the query API."""


class Price(NamedTuple):
    """A price dimension."""

    amount: str
    unit: str = "Hrs"
    begin: str = "0"
    end: str = "Inf"
    currency: str = "USD"
    words: str = ""
    """What AWS says of it; empty for the amount and the unit."""


class Term(NamedTuple):
    """A term of a product."""

    code: str
    prices: tuple[Price, ...]
    kind: str = "OnDemand"
    lease: tuple[str, str, str] = ("", "", "")
    effective: str = EFFECTIVE


class Listed(NamedTuple):
    """A product of an offer; its key is None when no book wants it."""

    offer: str
    sku: str
    attributes: dict[str, str]
    terms: tuple[Term, ...]
    key: PriceKey | None = None


RESERVED = (
    Term("4NA7Y494T4", (Price("0.06"),), "Reserved", ("1yr", "No Upfront", "standard")),
    Term(
        "38NPMPTW36",
        (Price("0.019"), Price("505", "Quantity", "", "")),
        "Reserved",
        ("3yr", "Partial Upfront", "standard"),
    ),
    Term("7NE97W5U4E", (Price("0.07"),), "Reserved", ("1yr", "No Upfront", "convertible")),
)
RESERVED_USD = {"reserved_1y_no_upfront": Decimal("0.06"), "reserved_3y_partial_upfront": Decimal("0.0382161")}
"""Term -> what RESERVED comes to an hour, the second after m5.large in us-east-1, 2021-02-05."""


def demand(amount: str, unit: str = "Hrs") -> tuple[Term, ...]:
    """Return the terms of what is only sold on demand, at one price."""
    return (Term("JRTCKXETXF", (Price(amount, unit),)),)


def products(region: str) -> list[Listed]:
    """Return the products of a region's offers, wanted and other."""
    found = [*_compute(region), *_databases(region), *_caches(region), *_metered(region), *_transfer(region)]
    found += [*_queues(region), *_kept(region)]
    return [product._replace(sku=f"{product.sku}{number:04}") for number, product in enumerate(found)]


def _here(region: str, family: str, usage: str, **others: str) -> dict[str, str]:
    fixed = {"productFamily": family, "locationType": "AWS Region", "regionCode": region}
    return fixed | {"usagetype": REGIONS[region] + usage} | others


def _compute(region: str) -> Iterator[Listed]:
    prefix = REGIONS[region]
    for item, amount in (("m5.large", "0.0960000000"), ("c7g.xlarge", "0.1450000000"), ("x8.huge", "9.9")):
        linux = _here(
            region, "Compute Instance", f"BoxUsage:{item}", instanceType=item, operatingSystem="Linux",
            tenancy="Shared", preInstalledSw="NA", capacitystatus="Used", licenseModel="No License required",
            operation="RunInstances",
        )  # fmt: skip
        key = PriceKey("ec2", item, "linux") if item in ITEMS["ec2"] else None
        terms = (*demand(amount), *RESERVED)
        yield Listed("AmazonEC2", "LINUX", linux, terms, key)
        for name, usage, changed in (
            ("WINDOWS", f"{prefix}BoxUsage", {"operatingSystem": "Windows", "operation": "RunInstances:0002"}),
            ("SQL", f"{prefix}BoxUsage", {"preInstalledSw": "SQL Web", "operation": "RunInstances:0200"}),
            ("DEDICATED", f"{prefix}DedicatedUsage", {"tenancy": "Dedicated"}),
            ("UNUSED", f"{prefix}UnusedBox", {"capacitystatus": "UnusedCapacityReservation"}),
            ("LOCAL", "LAX1-BoxUsage", {"locationType": "AWS Local Zone", "regionCode": f"{region}-lax-1"}),
            ("OTHER", "SAE1-BoxUsage", {"regionCode": "sa-east-1"}),
        ):
            decoy = linux | {"usagetype": f"{usage}:{item}"} | changed
            yield Listed("AmazonEC2", name, decoy, (*demand("7.77"), *RESERVED))


def _databases(region: str) -> Iterator[Listed]:
    options = {"single_az": ("Single-AZ", "InstanceUsage", ""), "multi_az": ("Multi-AZ", "Multi-AZUsage", "Multi-AZ-")}
    for variant, (option, usage, storage) in options.items():
        for item, short in (("db.r7g.large", "db.r7g.large"), ("db.m8g.2xlarge", "db.m8g.2xl")):
            postgres = _here(
                region, "Database Instance", f"{usage}:{short}", instanceType=item, databaseEngine="PostgreSQL",
                licenseModel="No license required", deploymentOption=option, operation="CreateDBInstance:0014",
            )  # fmt: skip
            yield Listed("AmazonRDS", "PG", postgres, (*demand("0.24"), *RESERVED), PriceKey("rds", item, variant))
            mysql = {"databaseEngine": "MySQL", "operation": "CreateDBInstance:0002"}
            yield Listed("AmazonRDS", "MYSQL", postgres | mysql, (*demand("0.23"), *RESERVED))
        disk = _here(
            region, "Database Storage", f"RDS:{storage}GP3-Storage",
            volumeType="General Purpose-GP3", deploymentOption=option,
        )  # fmt: skip
        price = ("0.115", "GB-Mo")
        yield from _engines(region, option, "DISK", disk, price, PriceKey("rds", "storage-gp3", variant))
        for item, family, meter, price in (
            ("iops-gp3", "Provisioned IOPS", "PIOPS", ("0.02", "IOPS-Mo")),
            ("throughput-gp3", "Provisioned Throughput", "Throughput", ("0.08", "MBPS-Mo")),
        ):
            above = _here(region, family, f"RDS:{storage}GP3-{meter}", deploymentOption=option)
            yield from _engines(region, option, "ABOVE", above, price, PriceKey("rds", item, variant))
            io2 = {"usagetype": f"{REGIONS[region]}RDS:{storage}IO2-{meter}", "databaseEngine": "PostgreSQL"}
            yield Listed("AmazonRDS", "IO2", above | io2, demand("0.1", price[1]))
        gp2 = {"volumeType": "General Purpose", "usagetype": f"{REGIONS[region]}RDS:{storage}GP2-Storage"}
        yield Listed("AmazonRDS", "GP2", disk | gp2, demand("0.114", "GB-Mo"))
    backup = _here(region, "Storage Snapshot", "RDS:ChargedBackupUsage")
    yield from _engines(region, "", "BACKUP", backup, ("0.095", "GB-Mo"), PriceKey("rds", "backup-storage"))
    for family in ("t3", "t4g"):
        credits, key = _here(region, "CPU Credits", f"CPUCredits:db.{family}"), PriceKey("rds", f"cpu-credits-{family}")
        yield from _engines(region, "", "CREDIT", credits, ("0.075", "vCPU-Hours"), key)
    for engine, code, key in (("PostgreSQL", "0014", PriceKey("rds", "proxy")), ("MySQL", "0002", None)):
        said = {"databaseEngine": engine, "operation": f"CreateDBProxy:{code}"}
        proxy = _here(region, "RDSProxy", "RDS:ProxyUsage", **said)
        yield Listed("AmazonRDS", "PROXY", proxy, demand("0.015" if key else "0.016", "Hrs"), key)
    for item, years, said, amount in (
        ("extended-support-year1-2", "Yr1-Yr2", "Year 1, Year 2", "0.1"),
        ("extended-support-year3", "Yr3", "Year 3", "0.2"),
    ):
        for engine, version in (("PostgreSQL", "11"), ("PostgreSQL", "13"), ("MySQL", "8.0")):
            old = _here(
                region, "", f"ExtendedSupport:{years}:{engine}{version}", databaseEngine=engine,
                extendedSupportPricingYear=said,
            )  # fmt: skip
            key = PriceKey("rds", item) if engine == "PostgreSQL" else None
            yield Listed("AmazonRDS", "OLD", old, demand(amount if key else "0.3", "vCPU-hour"), key)
    yield from _aurora(region)


def _engines(
    region: str, option: str, sku: str, attributes: dict[str, str], price: tuple[str, str], key: PriceKey, own: str = ""
) -> Iterator[Listed]:
    """Yield what RDS lists by engine or for Any of them: as regions differ, here by engine, there for Any, or both."""
    engine = own or "PostgreSQL"
    is_own = region in ("us-east-1", "us-west-2") or (region == "ap-southeast-1" and option == "Single-AZ")
    if is_own:
        yield Listed("AmazonRDS", sku, attributes | {"databaseEngine": engine}, demand(*price), key)
    if region != "us-west-2":
        anyone = demand("0.7" if is_own else price[0], price[1])
        yield Listed("AmazonRDS", sku, attributes | {"databaseEngine": "Any"}, anyone, None if is_own else key)
    yield Listed("AmazonRDS", sku, attributes | {"databaseEngine": "MySQL"}, demand("0.8", price[1]))


def _aurora(region: str) -> Iterator[Listed]:
    engine = "Aurora PostgreSQL"
    for mode, added, acu, storage in (
        ("standard", "", "ServerlessV2Usage", "StorageUsage"),
        ("io_optimized", "IOOptimized", "ServerlessV2IOOptimizedUsage", "IO-OptimizedStorageUsage"),
    ):
        variant = f"aurora_{mode}"
        writer = _here(
            region, "Database Instance", f"InstanceUsage{added}:db.r7g.large", instanceType="db.r7g.large",
            databaseEngine=engine, licenseModel="No license required", deploymentOption="Single-AZ",
        )  # fmt: skip
        key = PriceKey("rds", "db.r7g.large", variant)
        yield Listed("AmazonRDS", "AURORA", writer, (*demand("0.276"), *RESERVED), key)
        yield Listed("AmazonRDS", "AURMY", writer | {"databaseEngine": "Aurora MySQL"}, demand("0.3"))
        capacity = _here(region, "ServerlessV2", f"Aurora:{acu}", databaseEngine=engine)
        yield Listed(
            "AmazonRDS", "ACU", capacity, demand("0.12", "ACU-Hr"), PriceKey("rds", "aurora-capacity", variant)
        )
        disk, key = _here(region, "Database Storage", f"Aurora:{storage}"), PriceKey("rds", "aurora-storage", variant)
        yield from _engines(region, "", "AURDISK", disk, ("0.1", "GB-Mo"), key, engine)
    first = _here(region, "Serverless", "Aurora:ServerlessUsage", databaseEngine=engine)
    yield Listed("AmazonRDS", "ACU1", first, demand("0.06", "ACU-Hr"))
    io, key = (
        _here(region, "System Operation", "Aurora:StorageIOUsage"),
        PriceKey("rds", "aurora-io", "aurora_standard"),
    )
    yield from _engines(region, "", "AURIO", io, ("0.0000002", "IOs"), key, engine)
    backup = _here(region, "Storage Snapshot", "Aurora:BackupUsage")
    yield from _engines(region, "", "AURBACK", backup, ("0.021", "GB-Mo"), PriceKey("rds", "aurora-backup"), engine)


def _caches(region: str) -> Iterator[Listed]:
    for engine, operation in (("Redis", "0002"), ("Valkey", "Valkey"), ("Memcached", "0001")):
        node = _here(
            region, "Cache Instance", "NodeUsage:cache.r7g.large", instanceType="cache.r7g.large", cacheEngine=engine,
            operation=f"CreateCacheCluster:{operation}",
        )  # fmt: skip
        key = None if engine == "Memcached" else PriceKey("elasticache", "cache.r7g.large", engine.lower())
        reserved = (term._replace(lease=(*term.lease[:2], "")) for term in RESERVED[:2])
        yield Listed("AmazonElastiCache", "NODE", node, (*demand("0.219"), *reserved), key)
        for item, usage, amount, unit in (
            ("serverless-storage", "CachedData", "0.125", "GB-Hours"),
            ("serverless-ecpu", "ElastiCacheProcessingUnits", "0.0000000034", "ElastiCacheProcessingUnit"),
        ):
            serverless = _here(
                region, "ElastiCache Serverless", f"{usage}:{engine}", cacheEngine=engine,
                operation="CreateServerlessCache",
            )  # fmt: skip
            key = None if engine == "Memcached" else PriceKey("elasticache", item, engine.lower())
            yield Listed("AmazonElastiCache", "LESS", serverless, demand(amount, unit), key)


def _metered(region: str) -> Iterator[Listed]:
    gp3 = {"volumeApiName": "gp3", "volumeType": "General Purpose"}
    for offer, family, usage, others, amount, unit, key in (
        ("AmazonEC2", "Storage", "EBS:VolumeUsage.gp3", gp3, "0.08", "GB-Mo", PriceKey("ebs", "gp3-storage")),
        ("AmazonEC2", "Storage", "EBS:VolumeUsage.gp2", gp3 | {"volumeApiName": "gp2"}, "0.1", "GB-Mo", None),
        ("AmazonEC2", "System Operation", "EBS:VolumeP-IOPS.gp3", gp3, "0.005", "IOPS-Mo", PriceKey("ebs", "gp3-iops")),
        ("AmazonEC2", "Provisioned Throughput", "EBS:VolumeP-Throughput.gp3", gp3, "40.96", "GiBps-mo",
         PriceKey("ebs", "gp3-throughput")),
        ("AmazonEC2", "NAT Gateway", "NatGateway-Hours", {}, "0.045", "Hrs", PriceKey("vpc", "nat-gateway")),
        ("AmazonEC2", "NAT Gateway", "NatGateway-Bytes", {}, "0.046", "GB", PriceKey("vpc", "nat-gateway-data")),
        ("AmazonEC2", "NAT Gateway", "NatGateway-Prvd-Hours", {}, "0.044", "Hrs", None),
        ("AmazonVPC", "VpcPublicIPv4Address", "PublicIPv4:InUseAddress", {}, "0.005", "Hrs",
         PriceKey("vpc", "public-ipv4")),
        ("AmazonVPC", "VpcPublicIPv4Address", "PublicIPv4:IdleAddress", {}, "0.0051", "Hrs", None),
        ("AmazonEKS", "Compute", "AmazonEKS-Hours:perCluster", {"instanceType": ""}, "0.1", "Hours",
         PriceKey("eks", "cluster")),
        ("AmazonEKS", "Compute", "AmazonEKS-Hours:extendedSupport", {"tenancy": ""}, "0.5", "Hours",
         PriceKey("eks", "cluster-extended-support")),
        ("AmazonEKS", "Compute", "AmazonEKS-Hours:XL-ProvisionedTier", {"tenancy": ""}, "1.65", "Hours", None),
        *(
            ("AmazonEC2", "CPU Credits", f"CPUCredits:{family}", {"operatingSystem": system}, amount, "vCPU-Hours",
             PriceKey("ec2", f"cpu-credits-{family}", "linux") if system == "Linux" else None)
            for family, linux in (("t3", "0.05"), ("t3a", "0.051"), ("t4g", "0.04"))
            for system, amount in (("Linux", linux), ("Windows", "0.096"))
        ),
        *(
            ("AmazonECS", "Compute", f"Fargate-{arm}{usage}", {}, amount, "hours", PriceKey("fargate", item, variant))
            for variant, arm in (("x86_64", ""), ("arm64", "ARM-"))
            for item, usage, amount in (("cpu", "vCPU-Hours:perCPU", "0.04"), ("memory", "GB-Hours", "0.004"))
        ),
        ("AmazonECS", "Compute", "Fargate-Windows-vCPU-Hours:perCPU", {"operatingSystem": "Windows"}, "0.9", "hours",
         None),
        ("AmazonECS", "Compute", "Fargate-EphemeralStorage-GB-Hours", {}, "0.9", "GB-Hours", None),
        ("AmazonECS", "Compute", "SpotUsage-Fargate-GB-Hours", {}, "0.9", "hours", None),
        ("AmazonECR", "EC2 Container Registry", "TimedStorage-ByteHrs", {}, "0.1", "GB-Mo", PriceKey("ecr", "storage")),
        ("AWSSecretsManager", "Secret", "AWSSecretsManager-Secrets", {}, "0.4", "Secrets",
         PriceKey("secretsmanager", "secret")),
        ("AWSSecretsManager", "API Request",
         "AWSSecretsManager-APIRequests" if region == "eu-west-1" else "AWSSecretsManagerAPIRequest", {}, "0.000005",
         "API Requests", PriceKey("secretsmanager", "requests")),
        ("AmazonCloudWatch", "Data Payload", "DataProcessing-Bytes", {}, "0.5", "GB",
         PriceKey("cloudwatch", "logs-ingested")),
        ("AmazonCloudWatch", "Data Payload", "VendedLog-Bytes", {}, "0.9", "GB", None),
        ("AmazonCloudWatch", "Storage Snapshot", "TimedStorage-ByteHrs", {}, "0.03", "GB-Mo",
         PriceKey("cloudwatch", "logs-stored")),
        ("AmazonCloudWatch", "Alarm", "CW:AlarmMonitorUsage", {}, "0.1", "Alarms", PriceKey("cloudwatch", "alarm")),
        ("AmazonCloudWatch", "Alarm", "CW:HighResAlarmMonitorUsage", {}, "0.3", "Alarms", None),
        ("AmazonS3", "Storage", "TimedStorage-SIA-ByteHrs", {"volumeType": "Standard - Infrequent Access"}, "0.0125",
         "GB-Mo", PriceKey("s3", "storage-infrequent")),
        ("AmazonS3", "Storage", "TimedStorage-GIR-ByteHrs", {"volumeType": "Glacier Instant Retrieval"}, "0.004",
         "GB-Mo", None),
        ("AmazonS3", "API Request", "Requests-Tier1", {}, "0.000005", "Requests", PriceKey("s3", "requests-write")),
        ("AmazonS3", "API Request", "Requests-Tier2", {}, "0.0000004", "Requests", PriceKey("s3", "requests-read")),
        ("AmazonS3", "API Request", "Requests-SIA-Tier1", {}, "0.00001", "Requests", None),
        ("AmazonPrometheus", "", "AMP:QuerySamplesProcessed", {}, "0.0000000001", "Metric Datapoints",
         PriceKey("prometheus", "query-samples")),
        ("AmazonPrometheus", "", "AMP:MetricStorageByteHrs", {}, "0.03", "GB-Mo", PriceKey("prometheus", "storage")),
        ("AWSELB", "Load Balancer-Application", "LoadBalancerUsage", {}, "0.0225", "Hrs", PriceKey("elb", "alb")),
        ("AWSELB", "Load Balancer-Application", "LCUUsage", {}, "0.008", "LCU-Hrs", PriceKey("elb", "alb-lcu")),
        ("AWSELB", "Load Balancer-Network", "LoadBalancerUsage", {}, "0.0226", "Hrs", PriceKey("elb", "nlb")),
        ("AWSELB", "Load Balancer-Network", "LCUUsage", {}, "0.006", "LCU-Hrs", PriceKey("elb", "nlb-lcu")),
        ("AWSELB", "Load Balancer", "LoadBalancerUsage", {}, "0.025", "Hrs", None),
        ("AWSELB", "Load Balancer-Application", "TS-LoadBalancerUsage", {}, "0.0056", "Hrs", None),
    ):  # fmt: skip
        described = {"groupDescription": f'So-called "{usage}",\nper {unit}'}
        yield Listed(offer, "METERED", _here(region, family, usage, **others, **described), demand(amount, unit), key)


TIERS = (
    Price("0.09", "GB", "0", "10240"),
    Price("0.085", "GB", "10240", "51200"),
    Price("0.07", "GB", "51200", "153600"),
    Price("0.05", "GB", "153600", "Inf"),
)


def _transfer(region: str) -> Iterator[Listed]:
    start = {"productFamily": "Data Transfer", "fromLocationType": "AWS Region", "fromRegionCode": region}
    prefix = REGIONS[region]
    out = start | {"transferType": "AWS Outbound", "usagetype": f"{prefix}DataTransfer-Out-Bytes"}
    tiers = (Term("JRTCKXETXF", TIERS),)
    yield Listed("AWSDataTransfer", "OUT", out, tiers, PriceKey("transfer", "internet-out"))
    yield Listed("AWSDataTransfer", "GLOBAL", out | {"usagetype": "Global-DataTransfer-Out-Bytes"}, demand("0", "GB"))
    yield Listed("AWSDataTransfer", "FROM", out | {"fromRegionCode": "sa-east-1"}, demand("0.15", "GB"))
    between = start | {"transferType": "IntraRegion", "usagetype": f"{prefix}DataTransfer-Regional-Bytes"}
    yield Listed("AWSDataTransfer", "ZONE", between, demand("0.01", "GB"), PriceKey("transfer", "inter-zone"))
    abroad = start | {"transferType": "InterRegion Outbound", "usagetype": f"{prefix}SAE1-AWS-Out-Bytes"}
    yield Listed("AWSDataTransfer", "ABROAD", abroad | {"toRegionCode": "sa-east-1"}, demand("0.02", "GB"))


QUEUE_TIERS = (
    Price("0.0000004000", "Requests", "0", "100000000000"),
    Price("0.0000003000", "Requests", "100000000000", "200000000000"),
    Price("0.0000002400", "Requests", "200000000000", "Inf"),
)


def _queues(region: str) -> Iterator[Listed]:
    usage = "Requests-RBP" if region == "us-east-1" else "Requests-Tier1"
    for queue, kind, key in (
        ("Standard", usage, PriceKey("sqs", "requests")),
        ("FIFO (first-in, first-out)", "Requests-FIFO-Tier1", None),
        ("Fair", "Requests-Fair-Tier1", None),
    ):
        described = {"queueType": queue, "groupDescription": "Amazon SQS Requests"}
        tiers = (Term("JRTCKXETXF", QUEUE_TIERS if key else (Price("0.0000005", "Requests"),)),)
        yield Listed("AWSQueueService", "QUEUE", _here(region, "API Request", kind, **described), tiers, key)


KEPT = (
    ("AmazonS3", "Storage", "TimedStorage-ByteHrs", {"volumeType": "Standard"}, PriceKey("s3", "storage"),
     (Price("0.023", "GB-Mo", "0", "51200"), Price("0.022", "GB-Mo", "51200", "512000"),
      Price("0.021", "GB-Mo", "512000", "Inf"))),
    ("AmazonCloudWatch", "Metric", "CW:MetricMonitorUsage", {}, PriceKey("cloudwatch", "metric"),
     (Price("0.3", "Metrics", "0", "10000"), Price("0.1", "Metrics", "10000", "Inf"))),
    ("AmazonPrometheus", "", "AMP:MetricSampleCount", {}, PriceKey("prometheus", "samples-ingested"),
     (Price("0", "Metric Datapoints", "0", "40000000"),
      Price("0.00000009", "Metric Datapoints", "40000000", "2000000000"),
      Price("0.000000035", "Metric Datapoints", "2000000000", "Inf"))),
)  # fmt: skip
"""Offer, family, usage type, other attributes, key and tiers of what is kept by the amount."""
PER_UNIT = {
    "GiBps-mo": Decimal(1) / 1024,
    **dict.fromkeys(("Requests", "API Requests", "IOs", "ElastiCacheProcessingUnit", "Metric Datapoints"), 10**6),
}
"""Unit -> by what its price is multiplied for one of the book's unit, where that is another."""
TIERED = {("transfer", "internet-out"), ("sqs", "requests"), *(kept[4][:2] for kept in KEPT)}


def _kept(region: str) -> Iterator[Listed]:
    for offer, family, usage, others, key, prices in KEPT:
        yield Listed(offer, "KEPT", _here(region, family, usage, **others), (Term("JRTCKXETXF", prices),), key)


def tiers(prices: Iterable[Price]) -> dict[str, Decimal]:
    """Return range -> price, in a book's units; a free first tier is part of the next."""
    found, begin = {}, "0"
    for price in prices:
        count = Decimal(PER_UNIT.get(price.unit, 1))
        if Decimal(price.amount):
            bounds = (Decimal(bound.replace("Inf", "0")) / count for bound in (begin, price.end))
            low, high = (f"{bound.normalize():f}" for bound in bounds)
            found[f"{low}-{high if price.end != 'Inf' else ''}"] = Decimal(price.amount) * count
        begin = price.end if Decimal(price.amount) else begin
    return found


def expected(region: str) -> dict[PriceKey, Decimal]:
    """Return what the offers' prices must come to, reservations and tiers too; savings plans are not among them."""
    rows: dict[PriceKey, Decimal] = {}
    for product in products(region):
        if product.key is None:
            continue
        if product.key[:2] in TIERED:
            found = tiers(product.terms[0].prices)
            rows |= {product.key._replace(variant=variant): usd for variant, usd in found.items()}
            continue
        (price,) = product.terms[0].prices
        rows[product.key] = Decimal(price.amount) * PER_UNIT.get(price.unit, 1)
        if len(product.terms) > 1:
            rows |= {product.key._replace(term=term): usd for term, usd in RESERVED_USD.items()}
    return rows


# -------------------------------------------------------------------------------------------------------------- layouts


def quoted(cells: Iterable[str]) -> str:
    """Return a record as the offers have it: every field in quotes, but for empty ones."""
    return ",".join('"{}"'.format(cell.replace('"', '""')) if cell else "" for cell in cells) + "\n"


def described(price: Price) -> str:
    """Return what AWS says of a price in words."""
    named = f"${price.amount} per {price.unit} of this and that"
    return price.words or (named if price.currency == "USD" and price.unit != "Quantity" else "so much")


def records(product: Listed) -> Iterator[dict[str, str]]:
    """Yield a product's records, heading -> field."""
    for term in product.terms:
        for number, price in enumerate(term.prices):
            said = {
                "SKU": product.sku,
                "OfferTermCode": term.code,
                "RateCode": f"{product.sku}.{term.code}.{number:010}",
                "TermType": term.kind,
                "PriceDescription": described(price),
                "EffectiveDate": term.effective,
                "StartingRange": price.begin,
                "EndingRange": price.end,
                "Unit": price.unit,
                "PricePerUnit": price.amount,
                "Currency": price.currency,
                "serviceCode": product.offer,
                **dict(zip(LEASE.split(","), term.lease, strict=False)),
            }
            yield said | {heading: product.attributes.get(name, "") for heading, name in ATTRIBUTES.items()}


def offer_csv(offer: str, listed: Iterable[Listed], headings: str = "") -> str:
    """Return an offer's file in CSV."""
    names = (headings or HEADINGS[offer]).split(",")
    said = {"FormatVersion": "v1.0", "Disclaimer": DISCLAIMER, "Publication Date": PUBLISHED, "Version": VERSION}
    lines = [*map(quoted, (said | {"OfferCode": offer}).items()), quoted(names)]
    for product in listed:
        if product.offer == offer:
            lines += [quoted(record.get(name, "") for name in names) for record in records(product)]
    return "".join(lines)


def offer_json(offer: str, listed: Iterable[Listed]) -> str:
    """Return an offer's file in JSON."""
    chosen = [product for product in listed if product.offer == offer]
    terms: dict[str, dict[str, Any]] = {"OnDemand": {}, "Reserved": {}}
    for product in chosen:
        for term in product.terms:
            terms[term.kind].setdefault(product.sku, {})[f"{product.sku}.{term.code}"] = _json_term(product.sku, term)
    whole = {"formatVersion": "v1.0", "disclaimer": DISCLAIMER, "offerCode": offer, "version": VERSION}
    listing = {product.sku: _json_product(product) for product in chosen}
    return json.dumps(
        whole | {"publicationDate": PUBLISHED, "products": listing, "terms": terms, "attributesList": {}}, indent=2
    )


def _json_product(product: Listed) -> dict[str, Any]:
    family = product.attributes.get("productFamily", "")
    others = {name: value for name, value in product.attributes.items() if name != "productFamily"}
    return {"sku": product.sku, "productFamily": family, "attributes": {"servicecode": product.offer} | others}


def _json_term(sku: str, term: Term) -> dict[str, Any]:
    prices = {}
    for number, price in enumerate(term.prices):
        code = f"{sku}.{term.code}.{number:010}"
        ranges = {"beginRange": price.begin, "endRange": price.end} if price.begin else {}
        prices[code] = {"rateCode": code, "description": described(price), **ranges, "unit": price.unit}
        prices[code] |= {"pricePerUnit": {price.currency: price.amount}, "appliesTo": []}
    names = LEASE.split(",")
    attributes = {name: value for name, value in zip(names, term.lease, strict=False) if value}
    return {
        "offerTermCode": term.code,
        "sku": sku,
        "effectiveDate": f"{term.effective}T00:00:00Z",
        "priceDimensions": prices,
        "termAttributes": attributes,
    }


# -------------------------------------------------------------------------------------------------------- savings plans

PLAN_HEADINGS = (
    "SKU,RateCode,Unit,EffectiveDate,DiscountedRate,Currency,DiscountedSKU,DiscountedServiceCode,DiscountedUsageType,"
    "DiscountedOperation,PurchaseOption,LeaseContractLength,LeaseContractLengthUnit,ServiceCode,UsageType,Operation,"
    "Description,Instance Family,Location,Location Type,Granularity,Product Family,DiscountedRegionCode,"
    "DiscountedInstanceType"
)
PLANS = ("AWSComputeSavingsPlan", "AWSDatabaseSavingsPlans")


class Discount(NamedTuple):
    """A record of a savings plan; its key is None when no book wants it."""

    key: PriceKey | None
    offer: str
    usage: str
    operation: str
    amount: str
    plan: str
    """The plan's usage type, which ends with the years and the option."""
    region: str

    def record(self, number: int) -> dict[str, str]:
        """Return the fields under their headings."""
        bought = re.search(r"([13])yr(No|Partial|All)Upfront$", self.plan)
        assert bought
        return {
            "SKU": f"PLAN{self.plan}",
            "RateCode": f"PLAN{self.plan}.D{number:04}",
            "Unit": "Hrs",
            "EffectiveDate": f"{EFFECTIVE}T07:36:03Z",
            "DiscountedRate": self.amount,
            "Currency": "USD",
            "DiscountedSKU": f"D{number:04}",
            "DiscountedServiceCode": self.offer,
            "DiscountedUsageType": self.usage,
            "DiscountedOperation": self.operation,
            "PurchaseOption": f"{bought[2]} Upfront",
            "LeaseContractLength": bought[1],
            "LeaseContractLengthUnit": "year",
            "UsageType": self.plan,
            "Description": f'{bought[1]} year, "{bought[2]} Upfront"',
            "Location Type": "AWS Region",
            "DiscountedRegionCode": self.region,
        }


def discounts(plan: str, region: str) -> list[Discount]:
    """Return a savings plan's records for a region, wanted and other."""
    return list((_compute_plans if plan == "AWSComputeSavingsPlan" else _database_plans)(region, REGIONS[region]))


def _compute_plans(region: str, prefix: str) -> Iterator[Discount]:
    ec2, box = "AmazonEC2", f"{prefix}BoxUsage:m5.large"
    for years, paid in every("13", ("No", "Partial", "All")):
        bought = f"{years}yr{paid}Upfront"
        for kind, plan in (("compute_sp", f"ComputeSP:{bought}"), ("ec2_instance_sp", f"{prefix}EC2SP:m5.{bought}")):
            key = PriceKey("ec2", "m5.large", "linux", f"{kind}_{years}y_{paid.lower()}_upfront")
            yield Discount(key, ec2, box, "RunInstances", "0.0700", plan, region)
            yield Discount(None, ec2, box, "RunInstances:0002", "0.9", plan, region)
            for usage in (
                f"{prefix}UnusedBox:m5.large",
                f"{prefix}DedicatedUsage:m5.large",
                f"{prefix}BoxUsage:x8.huge",
            ):
                yield Discount(None, ec2, usage, "RunInstances", "0.9", plan, region)
            yield Discount(None, ec2, "LAX1-BoxUsage:m5.large", "RunInstances", "0.9", plan, f"{region}-lax-1")
            yield Discount(None, ec2, box, "RunInstances", "0.9", f"{prefix}SomeSP:m5.{bought}", region)
            yield Discount(None, "AmazonECS", f"{prefix}Fargate-GB-Hours", "", "0.003", plan, region)


def _database_plans(region: str, prefix: str) -> Iterator[Discount]:
    term, plan = "database_sp_1y_no_upfront", "DatabaseSP:1yrNoUpfront"
    for mode, usage in (("standard", "InstanceUsage"), ("io_optimized", "InstanceUsageIOOptimized")):
        key = PriceKey("rds", "db.r7g.large", f"aurora_{mode}", term)
        writer = f"{prefix}{usage}:db.r7g.large"
        yield Discount(key, "AmazonRDS", writer, "CreateDBInstance:0021", "0.2", plan, region)
        yield Discount(None, "AmazonRDS", writer, "CreateDBInstance:0016", "0.2", plan, region)
    for usage in ("CachedData:Valkey", "ElastiCacheProcessingUnits:Valkey"):
        yield Discount(None, "AmazonElastiCache", prefix + usage, "CreateServerlessCache", "0.1", plan, region)
    for (usage, variant), (short, item) in every(
        (("InstanceUsage", "single_az"), ("Multi-AZUsage", "multi_az")),
        (("db.r7g.large", "db.r7g.large"), ("db.m8g.2xl", "db.m8g.2xlarge")),
    ):
        for engine, key in (("0014", PriceKey("rds", item, variant, term)), ("0002", None), ("0018", None)):
            operation = f"CreateDBInstance:{engine}"
            yield Discount(key, "AmazonRDS", f"{prefix}{usage}:{short}", operation, "0.191", plan, region)
        optimized = f"{prefix}{usage}IOOptimized:{short}"
        yield Discount(None, "AmazonRDS", optimized, "CreateDBInstance:0014", "0.25", plan, region)
    valkey, node = PriceKey("elasticache", "cache.r7g.large", "valkey", term), f"{prefix}NodeUsage:cache.r7g.large"
    yield Discount(valkey, "AmazonElastiCache", node, "CreateCacheCluster:Valkey", "0.14", plan, region)
    yield Discount(None, "AmazonElastiCache", node, "CreateCacheCluster:0001", "0.15", plan, region)


def plan_csv(plan: str, region: str) -> str:
    """Return a savings plan's file, whose fields are in quotes only where they must be."""
    text = StringIO()
    writer = csv.DictWriter(text, PLAN_HEADINGS.split(","), lineterminator="\n")
    said = {"FormatVersion": "v1.0", "Disclaimer": DISCLAIMER, "Publication Date": PUBLISHED, "Version": VERSION}
    csv.writer(text, lineterminator="\n").writerows((said | {"OfferCode": plan.replace("AWS", "Amazon")}).items())
    writer.writeheader()
    writer.writerows(discount.record(number) for number, discount in enumerate(discounts(plan, region)))
    return text.getvalue()


def expected_discounts(region: str) -> dict[PriceKey, Decimal]:
    """Return what the savings plans' rates must come to."""
    found = [discount for plan in PLANS for discount in discounts(plan, region)]
    return {discount.key: Decimal(discount.amount) for discount in found if discount.key}


# -------------------------------------------------------------------------------------------------------------- indexes


def offer_index(offer: str, regions: Iterable[str] = REGIONS) -> str:
    """Return an offer's index of regions."""
    entries = {
        region: {
            "regionCode": region,
            "currentVersionUrl": f"/offers/v1.0/aws/{offer}/{VERSION}/{region}/index.json",
        }
        for region in regions
    }
    return json.dumps({"formatVersion": "v1.0", "publicationDate": PUBLISHED, "regions": entries})


def plan_index(plan: str, regions: Iterable[str] = REGIONS) -> str:
    """Return a savings plan's index of regions."""
    entries = [
        {"regionCode": region, "versionUrl": f"/savingsPlan/v1.0/aws/{plan}/{VERSION}/{region}/index.json"}
        for region in regions
    ]
    return json.dumps({"publicationDate": PUBLISHED, "regions": entries, "formatVersion": "v1.0"})
