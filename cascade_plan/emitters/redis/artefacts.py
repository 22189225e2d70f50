"""Redis or Valkey: settings, users, how a cluster is put together, and what keeps the open connections' state."""

from __future__ import annotations

from cascade_plan.emitters._cache_parameters import memory_gib
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._topology import Cache, caches
from cascade_plan.emitters.redis import _connection_state, _scripts, _settings
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

COMMAND = "cluster"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("terraform",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("cache",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ()
"""The only clouds it writes for; empty for any."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the files of each cache, and the module that keeps connection state in one.

    A cache without nodes has no settings: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/RedisConfiguration.html
    """
    return tuple(artefact for cache in caches(plan) for artefact in _of(plan, cache))


def _of(plan: Plan, cache: Cache) -> tuple[Artefact, ...]:
    if cache.is_serverless:
        return _connection_state.artefacts(plan, cache)
    head, engine = heading(plan, [_sized(cache)]), cache.instance.settings.engine
    script = f"#!/bin/sh\n{head}"
    files = [
        Artefact(
            f"{cache.prefix}redis.conf",
            head + _settings.conf(plan, cache),
            f"Settings of every server of {cache.instance.name}: `{engine}-server redis.conf`.",
        ),
        Artefact(
            f"{cache.prefix}redis-users.sh",
            script + _scripts.users(plan, cache),
            f"Writes the users of {cache.instance.name} and their hashed passwords on each server: "
            f"`./{cache.prefix}redis-users.sh`.",
            executable=True,
        ),
    ]
    if cache.is_cluster:
        files.append(
            Artefact(
                f"{cache.prefix}create-cluster.sh",
                script + _scripts.create(cache),
                f"Makes a cluster of the servers of {cache.instance.name}, each replica in another zone than its "
                f"master: `./{cache.prefix}create-cluster.sh`.",
                executable=True,
            )
        )
    return (*files, *_connection_state.artefacts(plan, cache))


def _sized(cache: Cache) -> str:
    masters = cache.master_count
    replicas = f", each with {cache.copy_count} to copy it" if cache.copy_count else ""
    words = f"sized for {masters} master{'s' if masters > 1 else ''} of {memory_gib(cache):g} GiB{replicas}"
    if cache.streams is not None:
        words += f"; {cache.instance.sized.value('connection_state_mib'):.4g} MiB of connection state"
    return words
