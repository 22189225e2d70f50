"""Excerpts of AWS's own price lists: some products of each, as they stand there, and what a book must make of them.

AWSELB of us-east-1 (2026-09-11, whole), AmazonEC2 of eu-west-1 (2026-09-25, the NAT gateways and two instances) and of
us-east-1 (2021-02-05, one instance), AmazonRDS, AmazonECS, AWSSecretsManager, AmazonCloudWatch and AmazonS3 of
ap-southeast-1 (2026-09), AmazonElastiCache of us-east-1 (2025-06-24), AWSDatabaseSavingsPlans of ap-south-2
(2026-04-22). Copies: github.com/Elvis2131/preflight, aadk979/SPOH_2027, aws/amazon-ec2-instance-selector,
bangpound/awspricing, timfanda35/aws-pricing-list-loader; figures are AWS's.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from offer_world import Listed, Price, Term, demand

from cascade_plan.model.price import PriceKey

HERE = "AWS Region"


def _listed(
    offer: str,
    region: str,
    sku: str,
    family: str,
    usage: str,
    price: tuple[str, str],
    key: PriceKey | None = None,
    /,
    place: str = HERE,
    **others: str,
) -> Listed:
    attributes = {"productFamily": family, "locationType": place, "regionCode": region, "usagetype": usage} | others
    return Listed(offer, sku, attributes, demand(*price), key)


def _balancers() -> Iterator[Listed]:
    for sku, kind, usage, operation, amount, unit, item in (
        ("NZE73RYFQ8ZCZ553", "", "DataProcessing-Bytes", "", "0.0080000000", "GB", ""),
        ("YKBGGP5EBGDU9T5W", "-Network", "LoadBalancerUsage", ":Network", "0.0225000000", "Hrs", "nlb"),
        ("XZ2DR556MD28P9WJ", "-Network", "LCUUsage", ":Network", "0.0060000000", "LCU-Hrs", "nlb-lcu"),
        ("CP5ZUMA7RSCUNUVK", "-Application", "ReservedLCUUsage", ":Application", "0.0080000000", "ReservedLCU-Hr", ""),
        ("P2XGEJ8N3KU52WA8", "-Application", "LCUUsage", ":Application", "0.0080000000", "LCU-Hrs", "alb-lcu"),
        ("9AHXFTCYGJPK28YN", "-Gateway", "ReservedLCUUsage", ":Gateway", "0.0040000000", "ReservedLCU-Hr", ""),
        ("AS5EPCYNHYT9UZEZ", "-Network", "ReservedLCUUsage", ":Network", "0.0060000000", "ReservedLCU-Hr", ""),
        ("EBFBY6XVZMVA2MJP", "-Gateway", "LCUUsage", ":Gateway", "0.0040000000", "LCU-Hrs", ""),
        ("6XT9C7FFNQ3T39YK", "", "LoadBalancerUsage", "", "0.0250000000", "Hrs", ""),
        ("4XCKHVEY2F7FVHE3", "-Gateway", "LoadBalancerUsage", ":Gateway", "0.0125000000", "Hrs", ""),
        ("37CUWUT8GSNQEPUV", "-Application", "LoadBalancerUsage", ":Application", "0.0225000000", "Hrs", "alb"),
        ("T953TK5KT4BSUVBU", "-Application", "TS-LoadBalancerUsage", ":Application", "0.0050000000", "Hrs", ""),
    ):
        key = PriceKey("elb", item) if item else None
        operation = f"LoadBalancing{operation}"
        family = f"Load Balancer{kind}"
        yield _listed("AWSELB", "us-east-1", sku, family, usage, (amount, unit), key, operation=operation)
    for sku, usage, amount, unit in (
        ("Y57U68FTH7H6FZ2H", "Outposts-LoadBalancerUsage", "0.0225000000", "Hrs"),
        ("P8UHXAWNGFFB3K8T", "Outposts-LCUUsage", "0.0000000000", "LCU-Hrs"),
    ):
        family, place = "Load Balancer-Application", "AWS Outposts"
        yield _listed("AWSELB", "us-east-1", sku, family, usage, (amount, unit), place=place)


def _gateways() -> Iterator[Listed]:
    for sku, usage, operation, amount, unit, item in (
        ("9F25CQRR8AA58QZS", "NatGateway-Prvd-Bytes", "NatGateway", "0.0000000000", "GB", ""),
        ("AVQ7WERG9GYTK6BD", "NatGateway-Prvd-Gbps", "NatGateway", "1.1640000000", "Gbps-hrs", ""),
        ("DTH8595YVPFXV226", "NatGateway-Bytes", "NatGateway", "0.0480000000", "GB", "nat-gateway-data"),
        ("EQKFCWWHPDRFVY6T", "RegionalNatGateway-Hours", "RegionalNatGateway", "0.0480000000", "Hrs", ""),
        ("KFNSSCHWD43WZK2R", "NatGateway-Hours", "NatGateway", "0.0480000000", "Hrs", "nat-gateway"),
        ("SCVPQWR4PN8NY9DD", "RegionalNatGateway-Bytes", "RegionalNatGateway", "0.0480000000", "GB", ""),
    ):
        key, said = PriceKey("vpc", item) if item else None, {"group": "NGW:NatGateway", "operation": operation}
        yield _listed("AmazonEC2", "eu-west-1", sku, "NAT Gateway", f"EU-{usage}", (amount, unit), key, **said)


LINUX = {"operatingSystem": "Linux", "tenancy": "Shared", "licenseModel": "No License required"}


def _instances() -> Iterator[Listed]:
    """Yield two that are not Linux alone on demand: SQL Server with it, and a reservation's, at nothing an hour."""
    for sku, item, usage, operation, software, capacity, amount in (
        ("WUMXDGCE8BPN384M", "r5n.8xlarge", "BoxUsage", "RunInstances:0100", "SQL Ent", "Used", "14.6720000000"),
        (
            *("6NNDUYA6DNJNYRPC", "c5n.18xlarge", "Reservation", "RunInstances", "NA"),
            *("AllocatedCapacityReservation", "0.0000000000"),
        ),
    ):
        said = {"instanceType": item, "operation": operation, "preInstalledSw": software, "capacitystatus": capacity}
        box = f"EU-{usage}:{item}"
        yield _listed("AmazonEC2", "eu-west-1", sku, "Compute Instance", box, (amount, "Hrs"), **LINUX, **said)


M5 = Listed(
    "AmazonEC2",
    "6C86BEPQVG73ZGGR",
    {
        **{"productFamily": "Compute Instance", "locationType": HERE, "regionCode": "us-east-1"},
        **LINUX,
        **{"usagetype": "BoxUsage:m5.large", "operation": "RunInstances", "instanceType": "m5.large"},
        **{"preInstalledSw": "NA", "capacitystatus": "Used"},
    },
    (
        Term("JRTCKXETXF", (Price("0.0960000000"),), effective="2021-02-01"),
        *(
            Term(code, (*fee, Price(amount)), "Reserved", (lease, option, offering_class), effective)
            for code, effective, lease, offering_class, option, fee, amount in (
                ("4NA7Y494T4", "2020-04-01", "1yr", "standard", "No Upfront", (), "0.0600000000"),
                ("HU7G6KETJZ", "2020-04-01", "1yr", "standard", "Partial Upfront",
                 (Price("252", "Quantity", "", ""),), "0.0290000000"),
                ("6QCMYABX3D", "2020-04-01", "1yr", "standard", "All Upfront",
                 (Price("494", "Quantity", "", ""),), "0.0000000000"),
                ("BPH4J8HBKS", "2020-04-01", "3yr", "standard", "No Upfront", (), "0.0410000000"),
                ("NQ3QZPMQV9", "2020-04-01", "3yr", "standard", "All Upfront",
                 (Price("949", "Quantity", "", ""),), "0.0000000000"),
                ("7NE97W5U4E", "2017-10-31", "1yr", "convertible", "No Upfront", (), "0.0710000000"),
                ("VJWZNREJX2", "2017-10-31", "1yr", "convertible", "All Upfront",
                 (Price("577", "Quantity", "", ""),), "0.0000000000"),
            )
        ),
    ),
    PriceKey("ec2", "m5.large", "linux"),
)  # fmt: skip
M5_USD = {
    "on_demand": Decimal("0.096"),
    "reserved_1y_no_upfront": Decimal("0.06"),
    "reserved_1y_partial_upfront": Decimal("0.029") + Decimal(252) / 8760,
    "reserved_1y_all_upfront": Decimal(494) / 8760,
    "reserved_3y_no_upfront": Decimal("0.041"),
    "reserved_3y_all_upfront": Decimal(949) / 26280,
}


def _databases() -> Iterator[Listed]:
    """Yield RDS of a region that lists gp3 for Single-AZ under PostgreSQL, and for Multi-AZ under Any alone."""
    for usage, item, option, variant, amount in (
        ("InstanceUsage", "db.t4g.small", "Single-AZ", "single_az", "0.051"),
        ("Multi-AZUsage", "db.t4g.small", "Multi-AZ", "multi_az", "0.102"),
        ("InstanceUsage", "db.t4g.medium", "Single-AZ", "single_az", "0.102"),
    ):
        said = {"licenseModel": "No license required", "deploymentOption": option, "instanceType": item}
        key, postgres = PriceKey("rds", item, variant), {"databaseEngine": "PostgreSQL"}
        box = f"APS1-{usage}:{item}"
        yield _rds(f"{variant}{item}", "Database Instance", box, (amount, "Hrs"), key, **postgres, **said)
    for engine, prefix, option, variant, amount in (
        ("PostgreSQL", "", "Single-AZ", "single_az", "0.138"),
        ("Any", "Multi-AZ-", "Multi-AZ", "multi_az", "0.276"),
    ):
        said = {"databaseEngine": engine, "deploymentOption": option, "volumeType": "General Purpose-GP3"}
        key, usage = PriceKey("rds", "storage-gp3", variant), f"APS1-RDS:{prefix}GP3-Storage"
        yield _rds(f"GP3{variant}", "Database Storage", usage, (amount, "GB-Mo"), key, **said)
    usage, key = "APS1-RDS:ChargedBackupUsage", PriceKey("rds", "backup-storage")
    yield _rds("BACKUP", "Storage Snapshot", usage, ("0.095", "GB-Mo"), key, databaseEngine="PostgreSQL")


def _rds(sku: str, family: str, usage: str, price: tuple[str, str], key: PriceKey, **said: str) -> Listed:
    return _listed("AmazonRDS", "ap-southeast-1", sku, family, usage, price, key, **said)


def _metered() -> Iterator[Listed]:
    for offer, family, usage, amount, unit, key in (
        ("AmazonECS", "Compute", "Fargate-ARM-vCPU-Hours:perCPU", "0.04045", "hours",
         PriceKey("fargate", "cpu", "arm64")),
        ("AmazonECS", "Compute", "Fargate-ARM-GB-Hours", "0.00442", "hours", PriceKey("fargate", "memory", "arm64")),
        ("AWSSecretsManager", "Secret", "AWSSecretsManager-Secret", "0.4", "Secrets",
         PriceKey("secretsmanager", "secret")),
        ("AmazonCloudWatch", "Data Payload", "DataProcessing-Bytes", "0.7", "GB",
         PriceKey("cloudwatch", "logs-ingested")),
        ("AmazonCloudWatch", "Storage Snapshot", "TimedStorage-ByteHrs", "0.03", "GB-Mo",
         PriceKey("cloudwatch", "logs-stored")),
        ("AmazonCloudWatch", "Alarm", "CW:AlarmMonitorUsage", "0.1", "Alarms", PriceKey("cloudwatch", "alarm")),
        ("AmazonECR", "EC2 Container Registry", "TimedStorage-ByteHrs", "0.1", "GB-Mo", PriceKey("ecr", "storage")),
        ("AmazonVPC", "VPC Public IPv4 Address", "PublicIPv4:InUseAddress", "0.005", "Hrs",
         PriceKey("vpc", "public-ipv4")),
    ):  # fmt: skip
        yield _listed(offer, "ap-southeast-1", f"{offer}{usage}"[:40], family, f"APS1-{usage}", (amount, unit), key)


def _cache() -> Iterator[Listed]:
    said = {"instanceType": "cache.c7gn.large", "cacheEngine": "Valkey", "operation": "CreateCacheCluster:Valkey"}
    node = _listed(
        "AmazonElastiCache", "us-east-1", "4D2E7K7G4GPM84WN", "Cache Instance", "NodeUsage:cache.c7gn.large",
        ("0", "Hrs"), PriceKey("elasticache", "cache.c7gn.large", "valkey"), **said,
    )  # fmt: skip
    terms = [
        Term(code, (*fee, Price(amount)), "Reserved", (lease, option, "standard"), "2025-06-24")
        for code, lease, option, fee, amount in (
            ("6QCMYABX3D", "1yr", "All Upfront", (Price("1143.7056", "Quantity", "", ""),), "0.0000000000"),
            ("HU7G6KETJZ", "1yr", "Partial Upfront", (Price("580.788", "Quantity", "", ""),), "0.0664000000"),
            ("4NA7Y494T4", "1yr", "No Upfront", (), "0.1384000000"),
            ("BPH4J8HBKS", "3yr", "No Upfront", (), "0.1064000000"),
        )
    ]
    yield node._replace(terms=tuple(terms))


BALANCERS, GATEWAYS, INSTANCES, DATABASES = [*_balancers()], [*_gateways()], [*_instances()], [*_databases()]
METERED, CACHE = [*_metered()], [*_cache()]
CACHE_USD = {
    "reserved_1y_all_upfront": Decimal("1143.7056") / 8760,
    "reserved_1y_partial_upfront": Decimal("0.0664") + Decimal("580.788") / 8760,
    "reserved_1y_no_upfront": Decimal("0.1384"),
    "reserved_3y_no_upfront": Decimal("0.1064"),
}

PLAN_HEAD = (
    "FormatVersion,v1.0\n"
    "Disclaimer,This pricing list is for informational purposes only. All prices are subject to the additional terms "
    "included in the pricing pages on http://aws.amazon.com. All Free Tier prices are also subject to the terms "
    "included at https://aws.amazon.com/free/\n"
    "Publication Date,2026-04-22T19:42:03Z\nVersion,20260422194203\nOfferCode,AmazonDatabaseSavingsPlans\n"
    "SKU,RateCode,Unit,EffectiveDate,DiscountedRate,Currency,DiscountedSKU,DiscountedServiceCode,DiscountedUsageType,"
    "DiscountedOperation,PurchaseOption,LeaseContractLength,LeaseContractLengthUnit,ServiceCode,UsageType,Operation,"
    "Description,Instance Family,Location,Location Type,Granularity,Product Family,DiscountedRegionCode,"
    "DiscountedInstanceType\n"
)
PLAN_RECORDS: tuple[tuple[str, str, str, str, str, str, PriceKey | None], ...] = (
    # SKU, service, usage type, operation, rate, instance type as the file has it, key
    ("245EPUU8S7HP5WUD", "AWSDatabaseMigrationSvc", "Multi-AZUsg:dms.r7i.12xlarge", "CreateDMSInstance",
     "10.9760000000", "", None),
    ("25B2RB2TJW9VCXZ6", "AmazonRDS", "Multi-AZUsage:db.r7i.2xl", "CreateDBInstance:0005", "1.824", "db.r7i.2xlarge",
     None),
    ("M8G48XL", "AmazonRDS", "InstanceUsage:db.m8g.48xl", "CreateDBInstance:0014", "18.4320000000", "M8G",
     PriceKey("rds", "db.m8g.48xlarge", "single_az")),
    ("R7G8XL", "AmazonRDS", "InstanceUsage:db.r7g.8xl", "CreateDBInstance:0021", "4.0000000000", "R7G",
     PriceKey("rds", "db.r7g.8xlarge", "aurora_standard")),
    ("R7I48XL", "AmazonRDS", "InstanceUsageIOOptimized:db.r7i.48xl", "CreateDBInstance:0021", "32.9472",
     "db.r7i.48xlarge", PriceKey("rds", "db.r7i.48xlarge", "aurora_io_optimized")),
    ("M7G4XL", "AmazonRDS", "Multi-AZUsage:db.m7g.4xl", "CreateDBInstance:0014", "3.0668800000", "M7G",
     PriceKey("rds", "db.m7g.4xlarge", "multi_az")),
    ("ACU", "AmazonRDS", "Aurora:ServerlessV2Usage", "CreateDBInstance:0016", "0.1170000000", "", None),
    ("CACHED", "AmazonElastiCache", "CachedData:Valkey", "CreateServerlessCache", "0.0378000000", "", None),
    ("NODE", "AmazonElastiCache", "NodeUsage:cache.m7g.16xlarge", "CreateCacheCluster:Valkey", "3.3625600000",
     "cache.m7g.16xlarge", PriceKey("elasticache", "cache.m7g.16xlarge", "valkey")),
)  # fmt: skip
PLAN_TERM = "database_sp_1y_no_upfront"


def plan_csv() -> str:
    """Return the excerpt of the savings plans as a file."""
    return PLAN_HEAD + "".join(
        f"DZCHH8H3SPVYZ2Z4,DZCHH8H3SPVYZ2Z4.{sku},Hrs,2026-04-20T21:53:43Z,{rate},USD,{sku},{service},APS5-{usage},"
        f"{operation},No Upfront,1,year,DatabaseSavingsPlans,DatabaseSP:1yrNoUpfront,,1 year No Upfront Database "
        f"Savings Plan,,Any,AWS Region,hourly,DatabaseSavingsPlans,ap-south-2,{item}\n"
        for sku, service, usage, operation, rate, item, _ in PLAN_RECORDS
    )
