"""Redis or Valkey: settings, users, how a cluster is put together, and what keeps the open connections' state."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.emitters import _certificates
from cascade_plan.emitters._cache_parameters import memory_gib
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._topology import Cache, caches
from cascade_plan.emitters.redis import _connection_state, _scripts, _servers, _settings
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact, Step
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
    """Return the module that keeps connection state in a cache, and the files of servers that you run yourself."""
    is_own = plan.scenario.emit.cache == "self"
    return tuple(
        artefact
        for cache in caches(plan)
        for artefact in (*(_servers_of(plan, cache) if is_own else ()), *_connection_state.artefacts(plan, cache))
    )


def _servers_of(plan: Plan, cache: Cache) -> Iterator[Artefact]:
    head, engine, name = heading(plan, [_sized(cache)]), cache.instance.settings.engine, cache.instance.name
    script = f"#!/bin/sh\n{head}"
    conf, users = head + _settings.conf(plan, cache), script + _scripts.users(plan, cache)
    yield Artefact(
        f"{cache.prefix}redis.conf", conf, f"Settings of every server of {name}: `{engine}-server redis.conf`."
    )
    yield Artefact(
        f"{cache.prefix}redis-users.sh",
        users,
        f"Writes the users of {name} and their hashed passwords on each server.",
        executable=True,
    )
    is_encrypted = cache.instance.settings.tls
    if cache.is_pods:
        yield Artefact(
            f"{cache.prefix}redis-servers.yaml",
            head + dump(_servers.objects(plan, cache, conf, users)),
            f"The servers of {name}: a StatefulSet in each zone, on the nodes that were bought for them.",
            kustomized=True,
            deploys=tuple(usage.name for usage in cache.instance.sized.usages),
            steps=(
                *([_certificates.step(plan, cache.called)] if is_encrypted else []),
                Step("workloads", f"Start the servers of {name}", _servers.start(plan, cache)),
            ),
            gives=_certificates.gives(cache.called, f"*.{cache.host}") if is_encrypted else (),
        )
    if cache.is_cluster:
        path = f"{cache.prefix}create-cluster.sh"
        words = f"Makes a cluster of the servers of {name}, each replica in another zone than its master."
        made = Step("workloads", f"Make a cluster of the servers of {name}", _servers.create(plan, cache, path))
        text = script + _scripts.create(cache)
        yield Artefact(path, text, words, executable=True, steps=(made,) if cache.is_pods else ())


def _sized(cache: Cache) -> str:
    masters = cache.master_count
    replicas = f", each with {cache.copy_count} to copy it" if cache.copy_count else ""
    words = f"sized for {masters} master{'s' if masters > 1 else ''} of {memory_gib(cache):g} GiB{replicas}"
    if cache.streams is not None:
        words += f"; {cache.instance.sized.value('connection_state_mib'):.4g} MiB of connection state"
    return words
