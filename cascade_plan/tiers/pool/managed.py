"""A pool that the cloud runs: paid for by the vCPUs behind it, as fast as it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.formulas import postgres
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.place import Place
from cascade_plan.tiers.pool.settings import Settings

OFFER: Final = Offer("database_proxy")
VCPU_LEAST: Final = 2
"""Charged at least for an instance, https://aws.amazon.com/rds/proxy/pricing/"""
SERVERS: Final = 10_000
"""So many that none of them is ever waited for."""
SCV: Final = 1.0
"""Of the time it adds: exponential, as variable as its mean (assumption)."""
PINNED: Final = (
    "a session that uses SET, PREPARE, temporary tables, cursors or LISTEN keeps its connection to itself behind a "
    "managed pool: set what is needed within the transaction"
)
"""https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html"""


def place(settings: Settings, name: str, database: str) -> Place:
    """Return that a transaction takes a time more, and waits for no process."""
    each = ServiceTime(settings.managed_ms / 1000, SCV)
    return Place(f"{name} proxy", name, 1, SERVERS, stands_before=database, passing=each)


def usages(ask: Ask[Settings], database: Sized) -> tuple[Usage, ...]:
    """Return the vCPU-hours of the instances that it stands before: of RDS the primary, of Aurora all of them.

    Of a serverless database it is charged by capacity, which has no price here. Raises UsageError where the cloud sells
    no such pool.
    """
    if not ask.cloud.sells(OFFER):
        given = ask.own("managed")
        raise UsageError(f"{given.origin}: {given.name}: {ask.scenario.cloud} runs no pool of connections")
    if database.group("primary").portions:
        return ()
    hours = Band.constant(_vcpu(database) * ask.hours)
    return (Usage(ask.name, f"{ask.name.replace('_', ' ')} proxy", OFFER, hours, "vcpu_hour"),)


def not_priced(ask: Ask[Settings], database: Sized) -> tuple[str, ...]:
    """Return what it costs that the bill leaves out."""
    if not database.group("primary").portions:
        return ()
    return (f"the managed pool {ask.name} before a serverless database: by its capacity, as of 8 units at least",)


def figures(ask: Ask[Settings], database: Sized, connections: int, other: int) -> Iterator[Derivation]:
    """Yield what is paid for, and the connections that the server must admit."""
    yield ask.figure(
        "charged_vcpu",
        _vcpu(database),
        "vCPU",
        f"vCPU of the instances of {database.name} behind it, of each at least {VCPU_LEAST}",
        (ask.own("managed"),),
        "https://aws.amazon.com/rds/proxy/pricing/",
    )
    yield ask.figure(
        "server_connection_count_max",
        postgres.connection_count_max(connections, other),
        "connections",
        f"{ask.name}.connection_count + other_connections + {postgres.SUPERUSER_RESERVED} reserved for superusers "
        f"+ {postgres.RDS_RESERVED} for RDS: max_connections of the primary",
        (ask.given(f"tiers.{database.name}.other_connections"),),
        "https://www.postgresql.org/docs/15/runtime-config-connection.html",
    )


def findings(ask: Ask[Settings], database: Sized) -> Iterator[Finding]:
    """Yield what it does otherwise than PgBouncer."""
    yield Finding("info", "pool-pinning", PINNED, f"tiers.{ask.name}.managed")
    if database.has("replicas") and not _is_aurora(database):
        words = (
            f"the managed pool {ask.name} stands before the primary alone: services connect to the read replicas of "
            f"{database.name} themselves"
        )
        yield Finding("info", "pool-without-replicas", words, f"tiers.{ask.name}.managed")


def _is_aurora(database: Sized) -> bool:
    return "aurora" in database.group("primary").offer.options


def _vcpu(database: Sized) -> float:
    behind = database.groups if _is_aurora(database) else (database.group("primary"),)
    return sum(max(VCPU_LEAST, group.shape.vcpu) * group.count.average for group in behind)
