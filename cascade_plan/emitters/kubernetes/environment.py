"""What pods of the application read from their environment: where everything is, and by which names they log in.

Passwords come from Secrets, addresses that the cloud gives from a ConfigMap; nothing of them stands in a file here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cascade_plan.emitters import _endpoints as at
from cascade_plan.emitters._databases import Database, Pool, databases, pooled
from cascade_plan.emitters._secrets import cache_secret, database_secret
from cascade_plan.emitters._topology import Cache, caches
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan

Variable = dict[str, Any]


def environment(plan: Plan, workload: Workload) -> tuple[Variable, ...]:
    """Return the variables of a workload's pods: of the databases that they ask, the caches, uploads and queues."""
    asked = databases(plan) if workload.connection_count_per_pod else ()
    known = {each.name for each in at.endpoints(plan)}
    stores = [name for name in known if name == "UPLOADS_BUCKET" and workload.serves != "connections"]
    queues = sorted(name for name in known if name.startswith(at.queue_variable("")))
    return (
        *(each for database in asked for each in _of_database(plan, database)),
        *(each for cache in caches(plan) for each in _of_cache(plan, cache)),
        *(from_endpoints(plan, name) for name in (*stores, *queues)),
    )


def from_endpoints(plan: Plan, name: str) -> Variable:
    """Return a variable whose value is the address of that name."""
    return {"name": name, "valueFrom": {"configMapKeyRef": {"name": at.config_map(plan), "key": name}}}


def from_secret(name: str, secret: str, key: str) -> Variable:
    """Return a variable whose value a Secret holds."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _of_database(plan: Plan, database: Database) -> Iterator[Variable]:
    secret = database_secret(plan, database)
    pools = [pool for pool in pooled(plan) if pool.database == database]
    values = _of_pool(plan, pools[0]) if pools else _of_server(database)
    for name, value in values.items():
        yield {"name": at.variable(database.prefix, name), "value": str(value)}
    if not pools:
        hosts = (at.variable(database.prefix, name) for name in ("DATABASE_HOST", "DATABASE_READ_HOST"))
        known = {each.name for each in at.endpoints(plan)}
        yield from (from_endpoints(plan, host) for host in hosts if host in known)
    for name, key in (("DATABASE_USER", secret.username_key("")), ("DATABASE_PASSWORD", secret.password_key(""))):
        yield from_secret(at.variable(database.prefix, name), secret.kubernetes_name, key)


def _of_pool(plan: Plan, pool: Pool) -> dict[str, object]:
    """Return where a pool is, and what its databases are called: one for each class of tenants, the first by default.

    A class's own is at DATABASE_NAME_ and its name, and those of the replicas end in _read.
    """
    host = f"{pool.workload_name}.{plan.application}.svc.cluster.local"
    classes = [*pool.connection_count_per_process]
    replicas = pool.database.replica_hosts
    return {
        "DATABASE_HOST": host,
        "DATABASE_PORT": pool.instance.settings.port,
        "DATABASE_NAME": f"{pool.called}_{classes[0]}",
        **{f"DATABASE_NAME_{each.upper()}": f"{pool.called}_{each}" for each in classes if len(classes) > 1},
        **({"DATABASE_READ_HOST": host, "DATABASE_READ_NAME": f"{pool.called}_{classes[0]}_read"} if replicas else {}),
    }


def _of_server(database: Database) -> dict[str, object]:
    """Return where the server itself is; without its hosts where only the cloud knows them."""
    given: dict[str, object] = {}
    if not database.is_named_by_service:
        given["DATABASE_HOST"] = database.host
        if database.replica_hosts:
            given["DATABASE_READ_HOST"] = ",".join(database.replica_hosts)
    return {**given, "DATABASE_PORT": database.instance.settings.port, "DATABASE_NAME": database.name}


def _of_cache(plan: Plan, cache: Cache) -> Iterator[Variable]:
    name, secret = at.variable(cache.prefix, "CACHE_URL"), cache_secret(plan, cache)
    if name in {each.name for each in at.endpoints(plan)}:
        yield from_endpoints(plan, name)
    elif cache.nodes:
        yield {"name": name, "value": cache.own_url}
    for variable, key in (("CACHE_USERNAME", secret.username_key("")), ("CACHE_PASSWORD", secret.password_key(""))):
        yield from_secret(at.variable(cache.prefix, variable), secret.kubernetes_name, key)
