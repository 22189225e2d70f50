"""Aurora PostgreSQL: each cluster with its writer and its readers, of a shape or a capacity that follows the load."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._databases import Database, databases
from cascade_plan.emitters.terraform._database import made_by_hand, takes
from cascade_plan.emitters.terraform._file import File, all_of, output, variable
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
            tuple(block for database in found for block in _variables(database.instance)),
            tuple(block for database in found for block in _outputs(database.instance)),
            tuple(name for database in found for name in all_of(database.instance.sized)),
            " ".join(made_by_hand(database) for database in found),
        )


def _resources(plan: Plan, of: Database) -> Iterator[Block]:
    database = of.instance
    label, settings = database.name, database.settings
    identifier = aws_name(f"{plan.application}-{label.replace('_', '-')}", "database")
    capacity = {"min_capacity": settings.capacity_units_min, "max_capacity": settings.capacity_units_max}
    yield Block(
        "resource",
        ("aws_rds_cluster", label),
        {
            "cluster_identifier": identifier,
            "engine": "aurora-postgresql",
            # The major version; the minor one is Aurora's choice.
            "engine_version": settings.version,
            **({"storage_type": IO_OPTIMIZED} if settings.io_mode == "io_optimized" else {}),
            **({"database_name": of.name} if takes(of.name) else {}),
            "master_username": settings.roles.admin,
            "manage_master_user_password": True,
            "db_subnet_group_name": Expression(f"var.{label}_subnet_group_name"),
            "vpc_security_group_ids": Expression(f"var.{label}_security_group_ids"),
            "backup_retention_period": max(1, settings.backup_retention_days),
            "storage_encrypted": True,
            "copy_tags_to_snapshot": True,
            "deletion_protection": True,
            "skip_final_snapshot": False,
            "final_snapshot_identifier": f"{identifier}-final",
        },
        (Block("serverlessv2_scaling_configuration", (), dict(capacity)),) if settings.serverless else (),
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
            "auto_minor_version_upgrade": True,
        },
    )


def _variables(database: Instance[Settings]) -> Iterator[Block]:
    label = database.name
    yield variable(f"{label}_subnet_group_name", "The DB subnet group of the cluster, in three zones where there are.")
    yield variable(f"{label}_security_group_ids", "Who reaches PostgreSQL.", "list(string)")


def _outputs(database: Instance[Settings]) -> Iterator[Block]:
    label = database.name
    cluster = f"aws_rds_cluster.{label}"
    yield output(f"{label}_address", "The writer, for reads and writes.", f"{cluster}.endpoint")
    if database.sized.count("replica_count"):
        yield output(f"{label}_reader_address", "The readers, for reads.", f"{cluster}.reader_endpoint")
