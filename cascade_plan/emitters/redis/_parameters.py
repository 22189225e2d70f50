"""The same values where the cache is ElastiCache."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._topology import Cache
from cascade_plan.emitters.redis._settings import POLICY, SAMPLES, SOFT_SECONDS, buffer_mib, keepalive_s, memory_gib
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

FAMILIES: Final = {"redis": "redis7", "valkey": "valkey8"}


def artefact(plan: Plan, cache: Cache, head: str) -> Artefact:
    """Return the file of parameters, for AWS alone."""
    path, group, engine = (
        f"{cache.prefix}elasticache-parameters.yaml",
        _group(plan, cache),
        cache.instance.settings.engine,
    )
    return Artefact(
        path,
        f"{head}# Once before: aws elasticache create-cache-parameter-group --cache-parameter-group-family "
        f"{FAMILIES[engine]} \\\n"
        f"#   --cache-parameter-group-name {group} --description {plan.application}\n"
        + dump([_document(cache, group)]),
        "The same values where the cache is ElastiCache: "
        f"`aws elasticache modify-cache-parameter-group --cli-input-yaml file://{path}`.",
        clouds=("aws",),
    )


def _document(cache: Cache, group: str) -> dict[str, object]:
    """Return the input of ModifyCacheParameterGroup. Sizes are bytes there, and maxmemory is a share of the node's."""
    maxmemory_mib = cache.instance.sized.count("maxmemory_mib_per_node")
    reserved = 100 - 100 * maxmemory_mib / (memory_gib(cache) * 1024)
    values = {
        **({"cluster-enabled": "yes"} if cache.is_cluster else {}),
        "reserved-memory-percent": f"{reserved:.0f}",
        "maxmemory-policy": POLICY,
        "maxmemory-samples": str(SAMPLES),
        **_buffers(cache),
        "tcp-keepalive": str(keepalive_s(cache)),
        "timeout": "0",
    }
    return {
        "CacheParameterGroupName": group,
        "ParameterNameValues": [{"ParameterName": name, "ParameterValue": value} for name, value in values.items()],
    }


def _buffers(cache: Cache) -> dict[str, str]:
    if cache.streams is None:
        return {}
    size = buffer_mib(cache) * 2**20
    return {
        "client-output-buffer-limit-pubsub-hard-limit": str(size),
        "client-output-buffer-limit-pubsub-soft-limit": str(size // 4),
        "client-output-buffer-limit-pubsub-soft-seconds": str(SOFT_SECONDS),
    }


def _group(plan: Plan, cache: Cache) -> str:
    return f"{plan.application}-{cache.prefix}{FAMILIES[cache.instance.settings.engine]}"
