"""RDS: each database's primary, its standby and the read replicas."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._databases import Database, databases
from cascade_plan.emitters.terraform._file import File, all_of, output, variable
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.units import MIB


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the databases, where there are some."""
    found = [database for database in databases(plan) if database.instance.settings.engine == "postgres"]
    if not found:
        return
    yield File(
        "database.tf",
        "The PostgreSQL primary, its standby and the read replicas."
        if len(found) == 1
        else "The PostgreSQL primaries, their standbys and their read replicas.",
        tuple(block for database in found for block in _resources(plan, database)),
        tuple(block for database in found for block in _variables(database.instance)),
        tuple(block for database in found for block in _outputs(database.instance)),
        tuple(name for database in found for name in all_of(database.instance.sized)),
        " ".join(made_by_hand(database) for database in found),
    )


def made_by_hand(database: Database) -> str:
    """Return what is to be done for a database of a name that RDS makes none with."""
    if takes(database.name):
        return ""
    label = database.instance.name
    return (
        f"RDS makes no database of the name that tiers.{label}.database_name gives: CREATE DATABASE as its master user."
    )


def takes(name: str) -> bool:
    """Return whether RDS makes a database of a name, https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"""
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name) is not None


def _resources(plan: Plan, of: Database) -> Iterator[Block]:
    database = of.instance
    label, replica_count = database.name, database.sized.count("replica_count")
    primary = database.sized.group("primary")
    identifier = aws_name(f"{plan.application}-{label.replace('_', '-')}", "database")
    shared: dict[str, Value] = {
        "instance_class": primary.shape.name,
        "storage_type": "gp3",
        # Of a replica too: it holds what the primary holds, and replication stops where its disk is full.
        "max_allocated_storage": database.sized.count("storage_gib_max"),
        **_provisioned(database),
        "storage_encrypted": True,
        "vpc_security_group_ids": Expression(f"var.{label}_security_group_ids"),
        "parameter_group_name": Expression(f"var.{label}_parameter_group_name"),
        "auto_minor_version_upgrade": True,
        "deletion_protection": True,
    }
    yield Block(
        "resource",
        ("aws_db_instance", label),
        {
            "identifier": identifier,
            "engine": "postgres",
            # The major version; the minor one is RDS's choice.
            "engine_version": database.settings.version,
            **({"db_name": of.name} if takes(of.name) else {}),
            "username": database.settings.roles.admin,
            **_password(label, replica_count),
            "multi_az": "multi_zone" in primary.offer.options,
            "allocated_storage": database.sized.count("storage_gib"),
            "db_subnet_group_name": Expression(f"var.{label}_subnet_group_name"),
            "backup_retention_period": database.settings.backup_retention_days,
            "copy_tags_to_snapshot": True,
            "skip_final_snapshot": False,
            "final_snapshot_identifier": f"{identifier}-final",
            **shared,
        },
    )
    if replica_count:
        yield Block(
            "resource",
            ("aws_db_instance", f"{label}_replica"),
            {
                "count": replica_count,
                "identifier": Expression(f'"${{aws_db_instance.{label}.identifier}}-replica-${{count.index + 1}}"'),
                "replicate_source_db": Expression(f"aws_db_instance.{label}.identifier"),
                "skip_final_snapshot": True,
                **shared,
            },
        )


def _provisioned(database: Instance[Settings]) -> dict[str, Value]:
    """Return what is bought of the disk beyond what its size includes; RDS takes both fields or neither."""
    bought = {usage.offer.what for usage in database.sized.usages}
    if not bought & {"database_operations", "database_throughput"}:
        return {}
    return {
        "iops": database.sized.count("disk_operations_per_s_max"),
        "storage_throughput": database.sized.count("disk_bytes_per_s_max") // MIB,
    }


def _password(label: str, replica_count: int) -> dict[str, Value]:
    """Return how the master user gets a password that no file holds.

    RDS keeps it in Secrets Manager by itself only where there are no read replicas, which it then refuses to make:
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-limitations
    """
    if not replica_count:
        return {"manage_master_user_password": True}
    return {"password_wo": Expression(f"var.{label}_password"), "password_wo_version": 1}


def _variables(database: Instance[Settings]) -> Iterator[Block]:
    label = database.name
    if database.sized.count("replica_count"):
        yield Block(
            "variable",
            (f"{label}_password",),
            {
                "description": f"The master user's password, as TF_VAR_{label}_password. No state file keeps it.",
                "type": Expression("string"),
                "sensitive": True,
                "ephemeral": True,
            },
        )
    yield variable(f"{label}_subnet_group_name", "The DB subnet group of the primary and the replicas.")
    yield variable(f"{label}_security_group_ids", "Who reaches PostgreSQL.", "list(string)")
    own = "With the emitted settings; null takes RDS's own."
    yield variable(f"{label}_parameter_group_name", own, default=None)


def _outputs(database: Instance[Settings]) -> Iterator[Block]:
    label = database.name
    yield output(f"{label}_address", "The primary, for reads and writes.", f"aws_db_instance.{label}.address")
    if database.sized.count("replica_count"):
        replicas = f"aws_db_instance.{label}_replica[*].address"
        yield output(f"{label}_replica_addresses", "The read replicas.", replicas)
