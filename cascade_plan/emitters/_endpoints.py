"""Where the pods of a plan find what the cloud runs for them: the names of these addresses, and who knows them.

Terraform gives all of them in one output, which is written into the file that kustomize makes a ConfigMap of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cascade_plan.emitters._databases import WITH_ADDRESSES, Database, databases
from cascade_plan.emitters._topology import CACHE_PORT, Cache, caches
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.objects.settings import Settings as ObjectsSettings
from cascade_plan.tiers.queue.settings import Settings as QueueSettings

FILE: Final = "endpoints.env"
OUTPUT: Final = "endpoints_env"
"""The output of Terraform that holds the file's text."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address by the name that pods know it by."""

    name: str
    """An environment variable: DATABASE_HOST."""
    output: str
    """The output of Terraform that holds the address."""
    index: int | None = None
    """Which of several the output holds."""
    before: str = ""
    after: str = ""
    """What stands around the address."""
    service: str = ""
    """The Service by whose name pods ask for it, where a file of theirs must name it before it is known."""


def config_map(plan: Plan) -> str:
    """Return the name of the ConfigMap."""
    return f"{plan.application}-endpoints"


def endpoints(plan: Plan) -> tuple[Endpoint, ...]:
    """Return every address that pods ask the cloud's services at; none without a cluster, or on another cloud."""
    if not plan.fleet.of("cluster") or plan.scenario.cloud not in WITH_ADDRESSES:
        return ()
    return (
        *(found for database in databases(plan) for found in _of_database(plan, database)),
        *(_of_cache(cache) for cache in caches(plan) if not cache.is_pods),
        *(Endpoint("UPLOADS_BUCKET", f"{store.name}_bucket") for store in plan.of(ObjectsSettings)[:1]),
        *(Endpoint(queue_variable(queue.name), f"{queue.name}_url") for queue in plan.of(QueueSettings)),
    )


def variable(prefix: str, name: str) -> str:
    """Return the environment variable of an instance's: DATABASE_HOST, of several REPORTS_DATABASE_HOST."""
    return f"{prefix.replace('-', '_').upper()}{name}"


def queue_variable(queue: str) -> str:
    """Return the environment variable of a queue's URL."""
    return f"QUEUE_URL_{queue.upper()}"


def _of_database(plan: Plan, database: Database) -> Iterator[Endpoint]:
    name, settings = database.instance.name, database.instance.settings
    if database.is_named_by_service:
        proxies = [pool.name for pool in database.pools if pool.settings.managed]
        asked = f"{proxies[0]}_address" if proxies else f"{name}_address"
        yield Endpoint(variable(database.prefix, "DATABASE_HOST"), asked, service=database.service)
        if settings.engine == "aurora":
            if database.replica_count:
                read = variable(database.prefix, "DATABASE_READ_HOST")
                yield Endpoint(read, f"{name}_reader_address", service=database.replica_services[0])
        else:
            for number, service in enumerate(database.replica_services):
                read = variable(database.prefix, "DATABASE_READ_HOST" + (f"_{number + 1}" if number else ""))
                yield Endpoint(read, f"{name}_replica_addresses", number, service=service)


def _of_cache(cache: Cache) -> Endpoint:
    return Endpoint(
        variable(cache.prefix, "CACHE_URL"),
        f"{cache.instance.name}_address",
        before="rediss://",
        after=f":{CACHE_PORT}",
    )
