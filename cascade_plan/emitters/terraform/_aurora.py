"""Aurora PostgreSQL: each cluster with its writer and its readers, of a shape or a capacity that follows the load."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.emitters._databases import Database, databases
from cascade_plan.emitters.terraform import _database
from cascade_plan.emitters.terraform._access import group_id
from cascade_plan.emitters.terraform._file import File, all_of, output
from cascade_plan.emitters.terraform._secrets import admin_password
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.database.settings import Settings

IO_OPTIMIZED = "aurora-iopt1"
"""The storage type of a cluster that pays no I/O apart; left out, it does.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html"""
SERVERLESS = "db.serverless"


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the clusters, where there are some."""
    found = [database for database in databases(plan) if database.instance.settings.engine == "aurora"]
    if found:
        yield File(
            "aurora.tf",
            "The Aurora PostgreSQL cluster: its writer and its readers.",
            tuple(block for database in found for block in _resources(plan, database)),
            outputs=tuple(block for database in found for block in _outputs(database.instance)),
            deploys=tuple(name for database in found for name in all_of(database.instance.sized)),
            by_hand=" ".join(_database.made_by_hand(database) for database in found),
        )


def _resources(plan: Plan, of: Database) -> Iterator[Block]:
    database = of.instance
    label, settings = database.name, database.settings
    identifier = _database.identifier_of(plan, label)
    yield from _database.around(plan, of, "aws_rds_cluster_parameter_group", f"aurora-postgresql{settings.version}")
    yield _database.log_group(plan, label, f"/aws/rds/cluster/{identifier}/postgresql")
    capacity: dict[str, Value] = {
        "min_capacity": settings.capacity_units_min,
        "max_capacity": settings.capacity_units_max,
    }
    scaling = [Block("serverlessv2_scaling_configuration", (), capacity)] if settings.serverless else []
    yield Block(
        "resource",
        ("aws_rds_cluster", label),
        {
            "cluster_identifier": identifier,
            "engine": "aurora-postgresql",
            # The major version; the minor one is Aurora's choice.
            "engine_version": settings.version,
            **({"storage_type": IO_OPTIMIZED} if settings.io_mode == "io_optimized" else {}),
            **({"database_name": of.name} if _database.takes(of.name) else {}),
            "port": settings.port,
            "master_username": settings.roles.admin,
            **{f"master_{name}": value for name, value in admin_password(plan, of).items()},
            "db_subnet_group_name": Expression(f"aws_db_subnet_group.{label}.name"),
            "vpc_security_group_ids": [Expression(group_id(label))],
            "db_cluster_parameter_group_name": Expression(f"aws_rds_cluster_parameter_group.{label}.name"),
            **_database.LOGS,
            "backup_retention_period": max(1, settings.backup_retention_days),
            "storage_encrypted": True,
            "copy_tags_to_snapshot": True,
            "deletion_protection": True,
            **_database.last_snapshot(identifier),
            "depends_on": [Expression(f"aws_cloudwatch_log_group.{label}")],
        },
        (*scaling, _database.ONCE),
    )
    yield _instances(database, label, f"{identifier}-writer", 1)
    if replicas := database.sized.count("replica_count"):
        yield _instances(database, f"{label}_replica", f"{identifier}-reader", replicas)


def _instances(database: Instance[Settings], label: str, identifier: str, count: int) -> Block:
    """Return the writer, or as many readers as there are, each of which may take over."""
    cluster = f"aws_rds_cluster.{database.name}"
    shape = SERVERLESS if database.settings.serverless else database.sized.group("primary").shape.name
    number: dict[str, Value] = {"count": count} if label != database.name else {}
    named: Value = Expression(f'"{identifier}-${{count.index + 1}}"') if number else identifier
    return Block(
        "resource",
        ("aws_rds_cluster_instance", label),
        {
            **number,
            "identifier": named,
            "cluster_identifier": Expression(f"{cluster}.id"),
            "engine": Expression(f"{cluster}.engine"),
            "engine_version": Expression(f"{cluster}.engine_version"),
            "instance_class": shape,
            # In the first two tiers a serverless reader is kept as large as the writer, as the bill has it.
            "promotion_tier": 1 if number else 0,
            **_database.INSIGHTS,
            "auto_minor_version_upgrade": True,
        },
    )


def _outputs(database: Instance[Settings]) -> Iterator[Block]:
    label = database.name
    cluster = f"aws_rds_cluster.{label}"
    yield output(f"{label}_address", "The writer, for reads and writes.", f"{cluster}.endpoint")
    if database.sized.count("replica_count"):
        yield output(f"{label}_reader_address", "The readers, for reads.", f"{cluster}.reader_endpoint")
