"""RDS Proxy: the pools that AWS runs, each before the primary of a database, and who reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._databases import Database, databases
from cascade_plan.emitters._secrets import database_secret
from cascade_plan.emitters.terraform import _roles, _secrets
from cascade_plan.emitters.terraform._access import group_id, reached_by_workloads, rule
from cascade_plan.emitters.terraform._file import File, all_of, output
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.pool.settings import Settings

PORT: Final = 5432
"""PostgreSQL's, which is a proxy's whatever port its database has."""


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the proxies, where there are some."""
    found = [pool for pool in plan.of(Settings) if pool.settings.managed and pool.sized.levers]
    if not found:
        return
    yield File(
        "proxy.tf",
        "RDS Proxy: the connection pools that AWS runs.",
        tuple(block for pool in found for block in _resources(plan, pool)),
        outputs=tuple(
            output(f"{pool.name}_address", "The pool's endpoint.", f"aws_db_proxy.{pool.name}.endpoint")
            for pool in found
        ),
        deploys=tuple(name for pool in found for name in all_of(pool.sized)),
    )


def _resources(plan: Plan, pool: Instance[Settings]) -> Iterator[Block]:
    label = pool.name
    database = _database(plan, pool)
    secret, port = database_secret(plan, database), database.instance.settings.port
    proxy = Expression(f"aws_db_proxy.{label}.name")
    yield from reached_by_workloads(plan, label, "RDS Proxy", PORT)
    yield rule("egress", f"{label}_to_{database.instance.name}", group_id(label), port, peer=_group(database))
    yield rule("ingress", f"{label}_to_{database.instance.name}", _group(database), port, peer=group_id(label))
    reads = _roles.may(["secretsmanager:GetSecretValue"], [Expression(_secrets.arn(secret))])
    yield from _roles.role(plan, label, _roles.service("rds.amazonaws.com"), [reads])
    signs_in: dict[str, Value] = {
        "auth_scheme": "SECRETS",
        "iam_auth": "DISABLED",
        "secret_arn": Expression(_secrets.arn(secret)),
    }
    yield Block(
        "resource",
        ("aws_db_proxy", label),
        {
            "name": aws_name(f"{plan.application}-{label.replace('_', '-')}", "database"),
            "engine_family": "POSTGRESQL",
            "require_tls": True,
            "role_arn": Expression(f"aws_iam_role.{label}.arn"),
            "vpc_subnet_ids": Expression("local.private_subnet_ids"),
            "vpc_security_group_ids": [Expression(group_id(label))],
        },
        (Block("auth", (), signs_in),),
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


def _group(database: Database) -> str:
    return group_id(database.instance.name)


def _target(database: Database) -> dict[str, Value]:
    label = database.instance.name
    if database.instance.settings.engine == "aurora":
        return {"db_cluster_identifier": Expression(f"aws_rds_cluster.{label}.id")}
    return {"db_instance_identifier": Expression(f"aws_db_instance.{label}.identifier")}


def _database(plan: Plan, pool: Instance[Settings]) -> Database:
    found = databases(plan)
    return next((each for each in found if each.instance.name == pool.settings.database), found[0])
