"""RDS: each database's primary, its standby and the read replicas, their parameters, and who reaches them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters import _database_parameters
from cascade_plan.emitters._databases import Database, databases
from cascade_plan.emitters.terraform._access import group_id, reached_by_workloads, subnet_group
from cascade_plan.emitters.terraform._file import File, all_of, output
from cascade_plan.emitters.terraform._secrets import admin_password
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.tiers.telemetry.settings import Settings as Telemetry
from cascade_plan.units import MIB

LOG_DAYS: Final = 30
"""As long as `telemetry` keeps logs by default."""


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
        outputs=tuple(block for database in found for block in _outputs(database.instance)),
        deploys=tuple(name for database in found for name in all_of(database.instance.sized)),
        by_hand=" ".join(made_by_hand(database) for database in found),
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


def identifier_of(plan: Plan, label: str) -> str:
    """Return what a database is called where AWS runs it."""
    return aws_name(f"{plan.application}-{label.replace('_', '-')}", "database")


def around(plan: Plan, of: Database, kind: str, family: str) -> Iterator[Block]:
    """Yield what stands around a database's instances: who reaches it, its subnets, its parameters, its logs."""
    label = of.instance.name
    yield from reached_by_workloads(plan, label, "PostgreSQL", of.instance.settings.port)
    yield subnet_group(plan, "aws_db_subnet_group", label)
    yield _parameters(plan, of, kind, family)


LOGS: Final[dict[str, Value]] = {"enabled_cloudwatch_logs_exports": ["postgresql"]}
"""Slow statements and who waits for a lock: kept, and found without the instance."""
INSIGHTS: Final[dict[str, Value]] = {"performance_insights_enabled": True, "performance_insights_retention_period": 7}
"""Seven days of waits and statements of an instance are free, https://aws.amazon.com/rds/performance-insights/pricing/"""


def log_group(plan: Plan, label: str, name: Value, **counted: Value) -> Block:
    """Return where a log goes: made before what writes it, which else makes one that is kept for ever."""
    days = [telemetry.settings.log_retention_days for telemetry in plan.of(Telemetry)]
    kept: dict[str, Value] = {"name": name, "retention_in_days": days[0] if days else LOG_DAYS}
    return Block("resource", ("aws_cloudwatch_log_group", label), {**counted, **kept})


def last_snapshot(identifier: str) -> dict[str, Value]:
    """Return the attributes of what is kept of a database that is destroyed, of which each has a name of its own."""
    made = f'"{identifier}-${{formatdate("YYYYMMDDhhmmss", timestamp())}}"'
    return {"skip_final_snapshot": False, "final_snapshot_identifier": Expression(made)}


ONCE: Final = Block(
    "lifecycle",
    (),
    {"ignore_changes": [Expression("final_snapshot_identifier")]},
    comment="Its name is of the day the database was made, so that another one's snapshot has another.",
)


def _parameters(plan: Plan, of: Database, kind: str, family: str) -> Block:
    """Return the parameter group: each setting that AWS lets be changed, below its reason."""
    label = of.instance.name
    return Block(
        "resource",
        (kind, label),
        {
            "name": aws_name(f"{plan.application}-{label.replace('_', '-')}-{family}", "group"),
            "description": f"PostgreSQL of {plan.application}",
            "family": family,
        },
        (
            *(
                Block(
                    "parameter",
                    (),
                    {
                        "name": each.name,
                        "value": each.rds,
                        "apply_method": "pending-reboot" if each.needs_restart else "immediate",
                    },
                    comment=f"{each.name} = {each.value}: {each.rule}\n{each.source}",
                )
                for each in (*_database_parameters.settings(plan, of), _database_parameters.FORCE_TLS)
                if each.rds
            ),
            Block("lifecycle", (), {"create_before_destroy": True}),
        ),
    )


def _resources(plan: Plan, of: Database) -> Iterator[Block]:
    database = of.instance
    label, replica_count = database.name, database.sized.count("replica_count")
    primary = database.sized.group("primary")
    identifier = identifier_of(plan, label)
    yield from around(plan, of, "aws_db_parameter_group", f"postgres{database.settings.version}")
    yield log_group(plan, label, f"/aws/rds/instance/{identifier}/postgresql")
    shared: dict[str, Value] = {
        "instance_class": primary.shape.name,
        "storage_type": "gp3",
        # Of a replica too: it holds what the primary holds, and replication stops where its disk is full.
        "max_allocated_storage": database.sized.count("storage_gib_max"),
        **_provisioned(database),
        "storage_encrypted": True,
        "vpc_security_group_ids": [Expression(group_id(label))],
        "parameter_group_name": Expression(f"aws_db_parameter_group.{label}.name"),
        **LOGS,
        **INSIGHTS,
        "auto_minor_version_upgrade": True,
        "copy_tags_to_snapshot": True,
        "deletion_protection": True,
    }
    yield _primary(plan, of, identifier, shared)
    if replica_count:
        named = Expression(f'"/aws/rds/instance/{identifier}-replica-${{count.index + 1}}/postgresql"')
        yield log_group(plan, f"{label}_replica", named, count=replica_count)
        yield _replicas(database, replica_count, shared)


def _primary(plan: Plan, of: Database, identifier: str, shared: dict[str, Value]) -> Block:
    database, label = of.instance, of.instance.name
    return Block(
        "resource",
        ("aws_db_instance", label),
        {
            "identifier": identifier,
            "engine": "postgres",
            # The major version; the minor one is RDS's choice.
            "engine_version": database.settings.version,
            **({"db_name": of.name} if takes(of.name) else {}),
            "port": database.settings.port,
            "username": database.settings.roles.admin,
            **admin_password(plan, of),
            "multi_az": "multi_zone" in database.sized.group("primary").offer.options,
            "allocated_storage": database.sized.count("storage_gib"),
            "db_subnet_group_name": Expression(f"aws_db_subnet_group.{label}.name"),
            "backup_retention_period": database.settings.backup_retention_days,
            **last_snapshot(identifier),
            **shared,
            "depends_on": [Expression(f"aws_cloudwatch_log_group.{label}")],
        },
        (ONCE,),
    )


def _replicas(database: Instance[Settings], count: int, shared: dict[str, Value]) -> Block:
    label, replica = database.name, f"{database.name}_replica"
    return Block(
        "resource",
        ("aws_db_instance", replica),
        {
            "count": count,
            "identifier": Expression(f'"${{aws_db_instance.{label}.identifier}}-replica-${{count.index + 1}}"'),
            "replicate_source_db": Expression(f"aws_db_instance.{label}.identifier"),
            "port": database.settings.port,
            "skip_final_snapshot": True,
            **shared,
            "depends_on": [Expression(f"aws_cloudwatch_log_group.{replica}")],
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


def _outputs(database: Instance[Settings]) -> Iterator[Block]:
    label = database.name
    yield output(f"{label}_address", "The primary, for reads and writes.", f"aws_db_instance.{label}.address")
    if database.sized.count("replica_count"):
        replicas = f"aws_db_instance.{label}_replica[*].address"
        yield output(f"{label}_replica_addresses", "The read replicas.", replicas)
