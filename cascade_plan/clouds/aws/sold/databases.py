"""RDS for PostgreSQL and Aurora PostgreSQL: instances, storage, what both do beyond it, proxies and old versions."""

from __future__ import annotations

from typing import Final

from cascade_plan.clouds.aws.product import HERE, ZONES, Product
from cascade_plan.model.offer import Offer
from cascade_plan.prices.products import Section

RDS: Final = Section(
    "rds",
    "RDS for PostgreSQL instances; of reservations the effective hourly rate, the upfront spread over the term",
)
RDS_STORAGE: Final = Section(
    "rds_storage",
    "RDS for PostgreSQL storage, IOPS and throughput above the baseline, and backups beyond the free share",
)
RDS_OTHER: Final = Section(
    "rds_other", "RDS for PostgreSQL: CPU credits, extended support of old versions, and RDS Proxy by vCPU behind it"
)
AURORA: Final = Section(
    "aurora",
    "Aurora PostgreSQL instances, Standard and I/O-Optimized; of reservations the effective hourly rate",
)
AURORA_STORAGE: Final = Section(
    "aurora_storage", "Aurora PostgreSQL storage, I/O requests of Standard, Serverless v2 capacity and backups"
)

_ANY: Final = {"databaseEngine": "Any"}
"""Storage of any kind is listed by engine in some regions, under Any in others, and under both in a third kind; seen in
AmazonRDS of ap-southeast-1, 2026-09-24, and for Aurora of ap-northeast-1."""
_POSTGRES: Final = HERE | {"databaseEngine": "PostgreSQL"}
_AURORA: Final = HERE | {"databaseEngine": "Aurora PostgreSQL"}
_INSTANCE: Final = {"productFamily": "Database Instance", "licenseModel": "No license required"}
_DISK: Final = _POSTGRES | {"productFamily": "Database Storage", "volumeType": "General Purpose-GP3"}
_POSTGRES_OPERATION: Final = "CreateDBInstance:0014"
_AURORA_OPERATION: Final = "CreateDBInstance:0021"
"""A bill names an engine by number: 0002 MySQL, 0014 PostgreSQL, 0016 Aurora MySQL, 0021 Aurora PostgreSQL."""
_MODES: Final = (("standard", "aurora_standard", ""), ("io_optimized", "aurora_io_optimized", "IOOptimized"))
"""An offer's way of paying I/O, the book's variant, and what AWS adds to a usage type."""

PRODUCTS: Final[tuple[Product, ...]] = (
    *(
        Product(
            section=RDS,
            service="rds",
            variant=variant,
            unit="hour",
            offer=Offer("database", options=("postgres", zones)),
            code="AmazonRDS",
            filters=_POSTGRES | _INSTANCE | {"deploymentOption": option},
            usage=usage,
            operation=_POSTGRES_OPERATION,
            told_by_operation=True,
        )
        for (zones, variant, option, _), usage in zip(
            ZONES, (r"InstanceUsage:db\.\S+", r"Multi-AZUsage:db\.\S+"), strict=True
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
            neutral=_ANY,
            usage=f"RDS:{prefix}GP3-Storage",
            operation=_POSTGRES_OPERATION,
            told_by_operation=True,
            collected=("AmazonRDS", "storage-gp3"),
        )
        for zones, variant, option, prefix in ZONES
    ),
    *(
        Product(
            section=RDS_STORAGE,
            service="rds",
            item=item,
            variant=variant,
            unit=unit,
            offer=Offer(what, options=("postgres", zones)),
            code="AmazonRDS",
            filters=_POSTGRES | {"productFamily": family, "deploymentOption": option},
            neutral=_ANY,
            usage=f"RDS:{prefix}GP3-{usage}",
            operation=_POSTGRES_OPERATION,
            told_by_operation=True,
            collected=("AmazonRDS", f"{item} (above baseline)"),
        )
        for what, item, unit, family, usage in (
            ("database_operations", "iops-gp3", "iops_month", "Provisioned IOPS", "PIOPS"),
            ("database_throughput", "throughput-gp3", "mibps_month", "Provisioned Throughput", "Throughput"),
        )
        for zones, variant, option, prefix in ZONES
    ),
    *(
        Product(
            section=RDS_STORAGE, service="rds", item=item, variant=variant, unit=unit, collected=("AmazonRDS", item)
        )
        for item, unit in (
            ("storage-gp2", "gib_month"),
            ("storage-io1", "gib_month"),
            ("iops-io1", "iops_month"),
            ("storage-io2", "gib_month"),
            ("iops-io2", "iops_month"),
        )
        for _, variant, _, _ in ZONES
    ),
    Product(
        section=RDS_STORAGE,
        service="rds",
        item="backup-storage",
        unit="gib_month",
        offer=Offer("database_backup"),
        code="AmazonRDS",
        filters=_POSTGRES | {"productFamily": "Storage Snapshot"},
        neutral=_ANY,
        usage="RDS:ChargedBackupUsage",
        collected=("AmazonRDS", "backup-storage (beyond free)"),
    ),
    *(
        Product(
            section=RDS_OTHER,
            service="rds",
            item=f"cpu-credits-{family}",
            unit="vcpu_hour",
            offer=Offer("database_credits", family),
            code="AmazonRDS",
            filters=_POSTGRES | {"productFamily": "CPU Credits"},
            neutral=_ANY,
            usage=f"CPUCredits:db\\.{family}",
            operation=_POSTGRES_OPERATION,
            collected=("AmazonRDS", f"CPUCredits-db.{family}"),
        )
        for family in ("t3", "t4g")
    ),
    *(
        Product(
            section=RDS_OTHER,
            service="rds",
            item=f"extended-support-{years}",
            unit="vcpu_hour",
            offer=Offer("database_support", years),
            code="AmazonRDS",
            filters=_POSTGRES | {"extendedSupportPricingYear": listed},
            usage=f"ExtendedSupport:{usage}:PostgreSQL[0-9]+",
            billed=f"ExtendedSupport:{usage}:PostgreSQL12",
            operation=_POSTGRES_OPERATION,
            collected=("AmazonRDS", f"extended-support-{years}-pg12"),
        )
        for years, usage, listed in (("year1-2", "Yr1-Yr2", "Year 1, Year 2"), ("year3", "Yr3", "Year 3"))
    ),
    Product(
        section=RDS_OTHER,
        service="rds",
        item="proxy",
        unit="vcpu_hour",
        offer=Offer("database_proxy"),
        code="AmazonRDS",
        filters=HERE | {"operation": "CreateDBProxy:0014"},  # a proxy for PostgreSQL
        usage="RDS:ProxyUsage",
        operation="CreateDBProxy:0014",
        told_by_operation=True,
        hour_of="vCPU",
        collected=("AmazonRDS", "RDS-Proxy-vCPU-Hours"),
    ),
    *(
        Product(
            section=AURORA,
            service="rds",
            variant=variant,
            unit="hour",
            offer=Offer("database", options=("aurora", mode)),
            code="AmazonRDS",
            filters=_AURORA | _INSTANCE,
            usage=rf"InstanceUsage{added}:db\.\S+",
            operation=_AURORA_OPERATION,
            told_by_operation=True,
        )
        for mode, variant, added in _MODES
    ),
    *(
        Product(
            section=AURORA_STORAGE,
            service="rds",
            item=item,
            variant=variant,
            unit=unit,
            offer=Offer(what, options=("aurora", mode)),
            code="AmazonRDS",
            filters=_AURORA | {"productFamily": family},
            neutral=_ANY,
            usage=usage,
            operation=_AURORA_OPERATION,
            collected=("AmazonRDS", collected),
        )
        for mode, variant, what, item, unit, family, usage, collected in (
            (
                "standard",
                "aurora_standard",
                "database_storage",
                "aurora-storage",
                "gib_month",
                "Database Storage",
                "Aurora:StorageUsage",
                "aurora-storage-standard",
            ),
            (
                "io_optimized",
                "aurora_io_optimized",
                "database_storage",
                "aurora-storage",
                "gib_month",
                "Database Storage",
                "Aurora:IO-OptimizedStorageUsage",
                "aurora-storage-io-optimized",
            ),
            (
                "standard",
                "aurora_standard",
                "database_requests",
                "aurora-io",
                "million_requests",
                "System Operation",
                "Aurora:StorageIOUsage",
                "aurora-io-requests",
            ),
            (
                "standard",
                "aurora_standard",
                "database_capacity",
                "aurora-capacity",
                "acu_hour",
                "ServerlessV2",
                "Aurora:ServerlessV2Usage",
                "Aurora-ServerlessV2-ACU",
            ),
            (
                "io_optimized",
                "aurora_io_optimized",
                "database_capacity",
                "aurora-capacity",
                "acu_hour",
                "ServerlessV2",
                "Aurora:ServerlessV2IOOptimizedUsage",
                "Aurora-ServerlessV2-ACU",
            ),
        )
    ),
    Product(
        section=AURORA_STORAGE,
        service="rds",
        item="aurora-backup",
        unit="gib_month",
        offer=Offer("database_backup", options=("aurora",)),
        code="AmazonRDS",
        filters=_AURORA | {"productFamily": "Storage Snapshot"},
        neutral=_ANY,
        usage="Aurora:BackupUsage",
        collected=("AmazonRDS", "aurora-backup-storage"),
    ),
)
