"""ElastiCache: each cache, as a cluster of several masters, as one master with its replicas, or without nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._topology import Cache, caches
from cascade_plan.emitters.terraform._file import File, all_of, output, variable
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Plan

ENGINE_VERSIONS: Final = {"redis": "7.1", "valkey": "8.0"}
"""Sharded pub/sub needs Redis 7; https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html"""
PARAMETER_GROUPS: Final = {"redis": "default.redis7", "valkey": "default.valkey8"}
"""With cluster mode off; https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html"""


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the caches, where there are some."""
    found = caches(plan)
    if found:
        yield File(
            "cache.tf",
            "Redis or Valkey, run by ElastiCache.",
            tuple(_serverless(plan, cache) if cache.is_serverless else _group(plan, cache) for cache in found),
            tuple(block for cache in found for block in _variables(cache)),
            tuple(_output(cache) for cache in found),
            tuple(name for cache in found for name in all_of(cache.instance.sized)),
        )


def _serverless(plan: Plan, cache: Cache) -> Block:
    label, engine = cache.instance.name, cache.instance.settings.engine
    return Block(
        "resource",
        ("aws_elasticache_serverless_cache", label),
        {
            "name": aws_name(f"{plan.application}-{label.replace('_', '-')}", "cache"),
            "description": f"{_holds(cache)} of {plan.application}",
            "engine": engine,
            "major_engine_version": ENGINE_VERSIONS[engine].partition(".")[0],
            "subnet_ids": Expression(f"var.{label}_subnet_ids"),
            "security_group_ids": Expression(f"var.{label}_security_group_ids"),
        },
    )


def _holds(cache: Cache) -> str:
    return "Cache, pub/sub and connection state" if cache.streams is not None else "Cache"


def _group(plan: Plan, cache: Cache) -> Block:
    label, settings, sized = cache.instance.name, cache.instance.settings, cache.instance.sized
    return Block(
        "resource",
        ("aws_elasticache_replication_group", label),
        {
            "replication_group_id": aws_name(f"{plan.application}-{label.replace('_', '-')}", "cache"),
            "description": f"{_holds(cache)} of {plan.application}",
            "engine": settings.engine,
            "engine_version": ENGINE_VERSIONS[settings.engine],
            "parameter_group_name": Expression(f"var.{label}_parameter_group_name"),
            "node_type": sized.group("nodes").shape.name,
            **_counts(cache),
            "multi_az_enabled": cache.copy_count > 0,
            "at_rest_encryption_enabled": True,
            "transit_encryption_enabled": True,
            "subnet_group_name": Expression(f"var.{label}_subnet_group_name"),
            "security_group_ids": Expression(f"var.{label}_security_group_ids"),
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


def _variables(cache: Cache) -> Iterator[Block]:
    label = cache.instance.name
    if cache.is_serverless:
        yield variable(f"{label}_subnet_ids", "Private subnets, two or three in as many zones.", "list(string)")
        yield variable(f"{label}_security_group_ids", "Who reaches the cache.", "list(string)")
        return
    yield variable(f"{label}_subnet_group_name", "The ElastiCache subnet group.")
    yield variable(f"{label}_security_group_ids", "Who reaches the cache.", "list(string)")
    group = PARAMETER_GROUPS[cache.instance.settings.engine]
    yield variable(
        f"{label}_parameter_group_name",
        "With the emitted parameters; the default takes ElastiCache's own.",
        default=f"{group}.cluster.on" if cache.is_cluster else group,
    )


def _output(cache: Cache) -> Block:
    label = cache.instance.name
    if cache.is_serverless:
        made = f"aws_elasticache_serverless_cache.{label}"
        return output(f"{label}_address", "The cache's endpoint; clients must use TLS.", f"{made}.endpoint[0].address")
    name = "configuration_endpoint_address" if cache.is_cluster else "primary_endpoint_address"
    words = f"The cache's {'configuration' if cache.is_cluster else 'primary'} endpoint."
    return output(f"{label}_address", words, f"aws_elasticache_replication_group.{label}.{name}")
