"""RDS Proxy: the pools that AWS runs, each before the primary of a database."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters.terraform._file import File, all_of, output, variable
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.database.settings import Settings as DatabaseSettings
from cascade_plan.tiers.pool.settings import Settings


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the proxies, where there are some."""
    found = [pool for pool in plan.of(Settings) if pool.settings.managed and pool.sized.levers]
    if not found:
        return
    yield File(
        "proxy.tf",
        "RDS Proxy: the connection pools that AWS runs.",
        tuple(block for pool in found for block in _resources(plan, pool)),
        tuple(block for pool in found for block in _variables(pool)),
        tuple(
            output(f"{pool.name}_address", "The pool's endpoint.", f"aws_db_proxy.{pool.name}.endpoint")
            for pool in found
        ),
        tuple(name for pool in found for name in all_of(pool.sized)),
    )


def _resources(plan: Plan, pool: Instance[Settings]) -> Iterator[Block]:
    label = pool.name
    database = _database(plan, pool)
    proxy = Expression(f"aws_db_proxy.{label}.name")
    secret: dict[str, Value] = {
        "auth_scheme": "SECRETS",
        "iam_auth": "DISABLED",
        "secret_arn": Expression(f"var.{label}_secret_arn"),
    }
    yield Block(
        "resource",
        ("aws_db_proxy", label),
        {
            "name": aws_name(f"{plan.application}-{label.replace('_', '-')}", "database"),
            "engine_family": "POSTGRESQL",
            "require_tls": True,
            "role_arn": Expression(f"var.{label}_role_arn"),
            "vpc_subnet_ids": Expression(f"var.{label}_subnet_ids"),
            "vpc_security_group_ids": Expression(f"var.{label}_security_group_ids"),
        },
        (Block("auth", (), secret),),
    )
    share = 100 * pool.sized.count("connection_count") / pool.sized.count("server_connection_count_max")
    yield Block(
        "resource",
        ("aws_db_proxy_default_target_group", label),
        {"db_proxy_name": proxy},
        (Block("connection_pool_config", (), {"max_connections_percent": min(100, ceil(share))}),),
        comment="Of max_connections, which the emitted parameters set.",
    )
    yield Block(
        "resource",
        ("aws_db_proxy_target", label),
        {
            "db_proxy_name": proxy,
            "target_group_name": Expression(f"aws_db_proxy_default_target_group.{label}.name"),
            **_target(database),
        },
    )


def _target(database: Instance[DatabaseSettings]) -> dict[str, Value]:
    if database.settings.engine == "aurora":
        return {"db_cluster_identifier": Expression(f"aws_rds_cluster.{database.name}.id")}
    return {"db_instance_identifier": Expression(f"aws_db_instance.{database.name}.identifier")}


def _database(plan: Plan, pool: Instance[Settings]) -> Instance[DatabaseSettings]:
    found = plan.of(DatabaseSettings)
    return next((each for each in found if each.name == pool.settings.database), found[0])


def _variables(pool: Instance[Settings]) -> Iterator[Block]:
    label = pool.name
    yield variable(f"{label}_secret_arn", "The secret that holds the application's name and password.")
    yield variable(f"{label}_role_arn", "The IAM role that reads it.")
    yield variable(f"{label}_subnet_ids", "Private subnets, in two zones at least.", "list(string)")
    yield variable(f"{label}_security_group_ids", "Who reaches the pool.", "list(string)")
