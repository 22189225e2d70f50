"""ElastiCache: each cache, as a cluster of several masters, as one master with its replicas, or without nodes.

With its parameters, its users, and who reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._cache_parameters import cache_parameters
from cascade_plan.emitters._secrets import METRICS, Secret, cache_secret
from cascade_plan.emitters._topology import CACHE_PORT, Cache, caches
from cascade_plan.emitters.terraform._access import WORKLOADS, group_id, reached_by_workloads, rule, subnet_group
from cascade_plan.emitters.terraform._file import File, all_of, output
from cascade_plan.emitters.terraform._secrets import password, version
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Plan

READER_PORT: Final = 6380
"""Of a cache without nodes, https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/set-up.html"""
NOBODY: Final = "off ~keys* -@all"
"""Of the user that whoever names none is, https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html"""
ASKS_HOW_IT_IS: Final = "on ~* -@all +@connection +info +slowlog +latency +cluster|info"
"""Of the exporter: no key is read."""


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the caches, where there are some and AWS runs them."""
    found = caches(plan)
    if found and plan.scenario.emit.cache == "elasticache":
        yield File(
            "cache.tf",
            "Redis or Valkey, run by ElastiCache: parameters, users and who reaches it.",
            tuple(block for cache in found for block in _resources(plan, cache)),
            outputs=tuple(_output(cache) for cache in found),
            deploys=tuple(name for cache in found for name in all_of(cache.instance.sized)),
        )


def _resources(plan: Plan, cache: Cache) -> Iterator[Block]:
    label = cache.instance.name
    yield from reached_by_workloads(plan, label, "Redis", CACHE_PORT)
    yield from _users(plan, cache, cache_secret(plan, cache))
    if cache.is_serverless:
        yield rule("ingress", f"{label}_reader", group_id(label), READER_PORT, peer=WORKLOADS)
        yield _serverless(plan, cache)
        return
    yield subnet_group(plan, "aws_elasticache_subnet_group", label)
    yield _parameters(plan, cache)
    yield _group(plan, cache)


def _users(plan: Plan, cache: Cache, secret: Secret) -> Iterator[Block]:
    """Yield the users, as the emitted users of servers of one's own: the application, the exporter, and nobody else."""
    channels = "&* " if cache.streams is not None else ""
    may = {"": f"on ~* {channels}+@all -@admin -@dangerous", METRICS: ASKS_HOW_IT_IS}
    label, engine = cache.instance.name, cache.instance.settings.engine
    for user, name in secret.users.items():
        yield _user(plan, cache, secret, user, name, may[user])
    yield _user(plan, cache, secret, "", "default", NOBODY, suffix="default")
    members = [*(f"{label}_{user}" if user else label for user in secret.users), f"{label}_default"]
    yield Block(
        "resource",
        ("aws_elasticache_user_group", label),
        {
            "engine": engine,
            "user_group_id": aws_name(f"{plan.application}-{label.replace('_', '-')}", "cache"),
            "user_ids": [Expression(f"aws_elasticache_user.{member}.user_id") for member in members],
        },
    )


def _user(plan: Plan, cache: Cache, secret: Secret, user: str, name: str, may: str, suffix: str = "") -> Block:
    suffix = suffix or user
    label = "_".join(filter(None, (cache.instance.name, suffix)))
    return Block(
        "resource",
        ("aws_elasticache_user", label),
        {
            "user_id": aws_name(f"{plan.application}-{label.replace('_', '-')}", "cache"),
            "user_name": name,
            "engine": cache.instance.settings.engine,
            "access_string": may,
            "passwords_wo": Expression(password(secret, user)),
            "passwords_wo_version": Expression(version(secret)),
        },
    )


def _serverless(plan: Plan, cache: Cache) -> Block:
    label, engine = cache.instance.name, cache.instance.settings.engine
    return Block(
        "resource",
        ("aws_elasticache_serverless_cache", label),
        {
            "name": _name(plan, cache),
            "description": f"{_holds(cache)} of {plan.application}",
            "engine": engine,
            "major_engine_version": cache.instance.settings.engine_version.partition(".")[0],
            "subnet_ids": Expression("local.private_subnet_ids"),
            "security_group_ids": [Expression(group_id(label))],
            "user_group_id": Expression(f"aws_elasticache_user_group.{label}.user_group_id"),
        },
    )


def _name(plan: Plan, cache: Cache) -> str:
    return aws_name(f"{plan.application}-{cache.instance.name.replace('_', '-')}", "cache")


def _holds(cache: Cache) -> str:
    return "Cache, pub/sub and connection state" if cache.streams is not None else "Cache"


def _parameters(plan: Plan, cache: Cache) -> Block:
    made = cache_parameters(plan, cache)
    return Block(
        "resource",
        ("aws_elasticache_parameter_group", cache.instance.name),
        {
            "name": aws_name(made.name, "group"),
            "family": made.family,
            "description": f"{_holds(cache)} of {plan.application}",
        },
        (
            *(Block("parameter", (), {"name": name, "value": value}) for name, value in made.values.items()),
            Block("lifecycle", (), {"create_before_destroy": True}),
        ),
    )


def _group(plan: Plan, cache: Cache) -> Block:
    label, settings, sized = cache.instance.name, cache.instance.settings, cache.instance.sized
    return Block(
        "resource",
        ("aws_elasticache_replication_group", label),
        {
            "replication_group_id": _name(plan, cache),
            "description": f"{_holds(cache)} of {plan.application}",
            "engine": settings.engine,
            "engine_version": settings.engine_version,
            "parameter_group_name": Expression(f"aws_elasticache_parameter_group.{label}.name"),
            "node_type": sized.group("nodes").shape.name,
            "port": CACHE_PORT,
            **_counts(cache),
            "multi_az_enabled": cache.copy_count > 0,
            "at_rest_encryption_enabled": True,
            "transit_encryption_enabled": True,
            "subnet_group_name": Expression(f"aws_elasticache_subnet_group.{label}.name"),
            "security_group_ids": [Expression(group_id(label))],
            "user_group_ids": [Expression(f"aws_elasticache_user_group.{label}.user_group_id")],
        },
    )


def _counts(cache: Cache) -> dict[str, Value]:
    if cache.is_cluster:
        return {
            "num_node_groups": cache.master_count,
            "replicas_per_node_group": cache.copy_count,
            # Cluster mode asks for it; without replicas there is nothing to fail over to.
            "automatic_failover_enabled": True,
        }
    return {"num_cache_clusters": 1 + cache.copy_count, "automatic_failover_enabled": cache.copy_count > 0}


def _output(cache: Cache) -> Block:
    label = cache.instance.name
    if cache.is_serverless:
        made = f"aws_elasticache_serverless_cache.{label}"
        return output(f"{label}_address", "The cache's endpoint; clients must use TLS.", f"{made}.endpoint[0].address")
    name = "configuration_endpoint_address" if cache.is_cluster else "primary_endpoint_address"
    words = f"The cache's {'configuration' if cache.is_cluster else 'primary'} endpoint; clients must use TLS."
    return output(f"{label}_address", words, f"aws_elasticache_replication_group.{label}.{name}")
