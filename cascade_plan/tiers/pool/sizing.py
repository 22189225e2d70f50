"""The connection pool between what asks a database and its primary."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, sqrt
from typing import Any, Final

from cascade_plan.formulas import pools, postgres, rollouts
from cascade_plan.formulas.draws import whole
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model import connections
from cascade_plan.model.ask import Ask, Site, connections_held
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Lever, Sized
from cascade_plan.model.place import Place, Scale
from cascade_plan.tiers.pool import managed
from cascade_plan.tiers.pool.settings import Settings

AFTER: tuple[str, ...] = ("api", "database", "worker")
POOL_SPREADS = 4
"""Standard deviations of the busy connections above their mean that the pool covers: 3 in 100,000 queries wait."""

MEMORY: Final = "database_memory_mib"
"""The figure of what the connections, and what they run beside, take of each database server."""


def size(ask: Ask[Settings]) -> Sized:
    """Return the pool's size by the plan's rule, and what contradicts it; nothing where there is no database."""
    if not _database(ask):
        message = "a pool stands before a database, and this scenario has none: turn the pool off"
        return Sized(ask.name, "pool", findings=(Finding("warning", "pool-unused", message, f"tiers.{ask.name}"),))
    settings, users = ask.settings, ask.scenario.users
    note = ""
    count, solved = settings.connections, ask.solved("connection_count")
    if count is None and solved is not None:
        return _sized(ask, _solved(ask, solved), "")
    if count is None:
        count = max(1, ask.nodes_for(users.peak, settings.users_per_connection))
        note = ask.rounding_note(users.peak, settings.users_per_connection, 1)
    pool = ask.figure(
        "connection_count",
        count,
        "connections",
        f"users.peak / users_per_connection rounded {ask.scenario.rounding}"
        if settings.connections is None
        else "pinned in the scenario",
        (ask.given("users.peak"), ask.own("users_per_connection"))
        if settings.connections is None
        else (ask.own("connections"),),
        f"{PLAN}, cost calculator",
        note,
    )
    return _sized(ask, pool, note)


def places(site: Site[Settings], scale: Scale, before: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the connections, each held over a whole transaction, and the processes that pass the queries on.

    A service holds no more of them than its own connections to the pool.
    """
    database = _database(site)
    if not database:
        return ()
    sized = site.fleet[site.name]
    connections = scale.get(f"{site.name}.connection_count", sized.count("connection_count"))
    own = connections_held(site, before) or connections
    held = Place(site.name, site.name, 1, min(connections, own), stands_before=database)
    if site.settings.managed:
        return (held, managed.place(site.settings, site.name, database)) if site.settings.managed_ms else (held,)
    processes = sized.count("process_count")
    each = ServiceTime(site.settings.transaction_ms / 1000)
    return (
        held,
        Place(f"{site.name} processes", site.name, processes, processes, False, stands_before=database, passing=each),
    )


def follow(site: Site[Settings], busy: Mapping[str, float]) -> Mapping[str, int]:
    """Return the connections that let (nearly) no query wait for one, for so many busy servers at each place.

    busy = queries/s x time a connection is held (Little's law); Poisson in the mean, so mean + 4 standard deviations;
    never fewer than the database can use (cores x 2 + 1, HikariCP: About Pool Sizing).
    """
    database = _database(site)
    if not database or site.settings.connections is not None:
        return {}
    held = busy.get(site.name, 0.0)
    cores = site.fleet[database].group("primary").shape.cores
    return {f"{site.name}.connection_count": max(cores * 2 + 1, ceil(held + POOL_SPREADS * sqrt(held)))}


def _database(site: Site[Settings]) -> str:
    """Return the database that the pool stands before, "" where there is none."""
    return site.settings.database or site.scenario.first("database")


def _solved(ask: Ask[Settings], count: int) -> Derivation:
    rule = ceil(ask.scenario.users.peak / ask.settings.users_per_connection)
    return ask.figure(
        "connection_count",
        count,
        "connections",
        "max(cores x 2 + 1, busy + 4 sqrt(busy)), busy = queries/s x time a connection is held",
        (Input("the rule's count", rule, "computed"),),
        "Little's law; HikariCP, About Pool Sizing",
    )


def _sized(ask: Ask[Settings], pool: Derivation, note: str) -> Sized:
    count = whole(pool.value)
    behind, other = ask.fleet[_database(ask)], ask.scenario.tiers[_database(ask)].other_connections  # type: ignore[attr-defined]
    is_managed = ask.settings.managed
    per_10000 = _per_10000(ask, count)
    servers = tuple(managed.figures(ask, behind, count, other)) if is_managed else _server_figures(ask, count, other)
    needed, shape = whole(servers[-1].value), behind.group("primary").shape
    memory = (MEMORY, _database(ask), shape, needed + _of_pools_before(ask))
    set_by = "pinned" if ask.settings.connections is not None else "rules" if ask.solution is None else "method"
    return Sized(
        ask.name,
        "pool",
        figures=(pool, per_10000, *servers, connections.figure(ask, *memory)),
        findings=(
            *_findings(ask, count, needed, per_10000.value, note),
            *(managed.findings(ask, behind) if is_managed else ()),
        ),
        usages=managed.usages(ask, behind) if is_managed else (),
        not_priced=managed.not_priced(ask, behind) if is_managed else (),
        ceilings=tuple(connections.ceilings(ask, *memory)),
        levers=(Lever(f"{ask.name}.connection_count", count, count, count, set_by),),
    )


def _server_figures(ask: Ask[Settings], count: int, other: int) -> tuple[Derivation, Derivation, Derivation]:
    """Return PgBouncer's processes, the clients they admit, and the connections each database server must admit."""
    settings, name = ask.settings, _database(ask)
    database = ask.fleet[name]
    busy = pools.processes_for(database.value("queries_per_s_peak"), settings.transaction_ms)
    processes = max(settings.process_count, busy)
    addresses = 2 if database.count("replica_count") else 1
    asking = [each for sized in ask.fleet.values() for each in sized.workloads if each.connection_count_per_pod]
    clients = sum(
        pools.client_connection_count(each.running_count_max, each.connection_count_per_pod, addresses)
        for each in asking
    )
    pods = " + ".join(f"{each.tier}.replica_count.max" for each in asking) or "no pods"
    # One connection a class and process is the least, whatever the rule's count.
    served = processes * sum(pools.per_process(count, settings.tenant_class_share, processes).values())
    return (
        ask.figure(
            "process_count",
            processes,
            "processes",
            f"max(process_count, {name}.queries_per_s_peak x transaction_ms / {pools.BUSY_MOST:.0%} busy), rounded up: "
            "each has one thread",
            (ask.own("process_count"), ask.computed(f"{name}.queries_per_s_peak"), ask.own("transaction_ms")),
            "https://www.pgbouncer.org/config.html, so_reuseport; measured with PgBouncer 1.18",
        ),
        ask.figure(
            "client_connection_count_max",
            clients,
            "connections",
            f"({pods} + {rollouts.SURGE_PERCENT}% of a rollout, as far as nodes hold them) x connections_per_pod x "
            f"{addresses} addresses",
            tuple(
                given
                for each in asking
                for given in (
                    ask.computed(f"{each.tier}.replica_count.max"),
                    ask.given(f"tiers.{each.tier}.connections_per_pod"),
                )
            ),
            "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge",
        ),
        ask.figure(
            "server_connection_count_max",
            postgres.connection_count_max(max(count, served), other),
            "connections",
            f"{ask.name}.connection_count + other_connections + {postgres.SUPERUSER_RESERVED} reserved for superusers "
            f"+ {postgres.RDS_RESERVED} for RDS: max_connections of the primary and of each replica",
            (ask.given(f"tiers.{name}.other_connections"),),
            "https://www.postgresql.org/docs/15/runtime-config-connection.html",
        ),
    )


def _of_pools_before(ask: Ask[Settings]) -> int:
    """Return the connections of the pools sized before this one to the same database."""
    name, first = _database(ask), ask.scenario.first("database")
    other = postgres.connection_count_max(0, ask.scenario.tiers[name].other_connections)  # type: ignore[attr-defined]
    pools: Any = ask.scenario.of("pool")
    return sum(
        sized.count("server_connection_count_max") - other
        for sized in ask.of("pool")
        if (pools[sized.name].database or first) == name
    )


def _per_10000(ask: Ask[Settings], count: int) -> Derivation:
    return ask.figure(
        "connection_count_per_10000_users",
        count / ask.scenario.users.peak * 10_000,
        "connections",
        f"{ask.name}.connection_count / (users.peak / 10,000)",
        (ask.given("users.peak"),),
        f"{PLAN}, target: < 100 connections for 10k users",
    )


def _findings(ask: Ask[Settings], count: int, needed: int, per_10000: Any, note: str) -> list[Finding]:
    where = f"{ask.name}.connection_count"
    findings = []
    if note:
        findings.append(Finding("info", "rounding", note, where))
    if ask.settings.connections is None and per_10000 >= 100 and f"{where}_per_10000_users" in ask.scenario.gates:
        findings.append(
            Finding(
                "warning",
                "pool-not-below-100",
                f"a pool of {count:,} is {per_10000:g} connections for 10,000 users: a connection for each "
                f"{ask.settings.users_per_connection:,} users can meet no limit below that",
                where,
            )
        )
    shape = ask.fleet[_database(ask)].group("primary").shape
    findings += connections.findings(shape, needed + _of_pools_before(ask), where)
    busy = shape.vcpu * 2 + 1
    if count > 4 * busy:
        findings.append(
            Finding(
                "info",
                "pool-oversized",
                f"{count:,} connections on {shape.vcpu} vCPU: throughput peaks near {busy} (cores x 2 + 1, "
                "HikariCP) and measured pgbench lost 37% at 64 connections a core; queue in the pool instead",
                where,
            )
        )
    return findings
