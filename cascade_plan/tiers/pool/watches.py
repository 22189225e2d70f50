"""What of a connection pool is watched: how much of it is in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.languages.promql import NEGATED, number, rate, select
from cascade_plan.model.ask import Site
from cascade_plan.model.observation import CORES, POOL_CONNECTIONS_USED, POOL_WAITING, TRANSACTIONS_PER_S, Measure
from cascade_plan.model.series import (
    NEAR,
    POOL_USED,
    Scope,
    exporter,
    headed,
    is_first,
    is_watched,
    observed_window_s,
    scope_of_exporter,
    spoken,
)
from cascade_plan.model.watch import Alarm, Chart, Limit, Line, Observed, Recorded, Watch, limits
from cascade_plan.tiers.pool.settings import Settings

PROGRAM: Final = "pgbouncer"
WAIT_S: Final = 5
"""How long a client may wait: far longer than any limit to a response time, far shorter than PgBouncer's own
query_wait_timeout of 120 s, at which it gives up, https://www.pgbouncer.org/config.html (assumption)."""
OF_REPLICAS: Final = {"name": ".*_read"}
"""The exporter's `name` of what clients read the replicas by: their connections are none of the primary's."""


def watches(site: Site[Settings]) -> tuple[Watch, ...]:
    """Return the pool's connections against its size, and for each gate on them whether it holds."""
    # The cloud itself tells of a pool that it runs.
    if not is_watched(site) or not site.sized.levers or site.settings.managed:
        return ()
    connection_count = site.sized.count("connection_count")
    scope = scope_of_exporter(site, PROGRAM)
    return (_up(site, scope), _room(site, scope, connection_count), _waiting(site, scope), *_gates(site, scope))


def _up(site: Site[Settings], scope: Scope) -> Watch:
    down = Alarm(
        "PoolDown",
        f"{scope.most(scope.select('pgbouncer_up'))} == 0",
        60,
        "page",
        f"no PgBouncer of {spoken(site, 'the connection pool')} answers",
        "The exporters reach none of them: nobody gets a connection to the database.",
        "Look at the pods' states and logs (kubectl get pods); a wrong secret or file stops all of them at once."
        if site.scenario.of("cluster")
        else "Look whether the processes run and at their logs; a wrong secret or file stops all of them at once.",
    )
    return Watch(site.name, exporter=exporter(site, PROGRAM), alarms=(down,))


def _waiting(site: Site[Settings], scope: Scope) -> Watch:
    """Return the clients that wait for a connection: open connections tell of none, as they stay open when idle.

    Those who read the replicas wait as others do, so that their pools are looked at too.
    """
    waiting = scope.total(scope.select("pgbouncer_pools_client_waiting_connections"), "database")
    longest = scope.most(scope.select("pgbouncer_pools_client_maxwait_seconds"), "database")
    whose = spoken(site, "the connection pool")
    some = Alarm(
        "PoolClientsWait",
        f"{waiting} > 0",
        300,
        "ticket",
        f"clients wait for {whose}",
        "{value} clients of {database} have waited for five minutes on end, though not the same ones.",
        "Look at pg_stat_activity for long transactions first, then at queries that became slower; enlarge the pool "
        "only while the database's CPU is idle.",
    )
    long = Alarm(
        "PoolClientsWaitLong",
        f"{longest} > {number(WAIT_S)}",
        60,
        "page",
        f"clients wait long for {whose}",
        "The client of {database} that waits longest has waited for {value}: requests stand still behind it.",
        "Find what holds the connections (pg_stat_activity, oldest transaction first) and end it; then undo the last "
        "deployment.",
        unit="humanizeDuration",
    )
    lines = (Line(waiting, "{{database}}"),)
    return Watch(
        site.name,
        exporter=exporter(site, PROGRAM),
        alarms=(some, long),
        charts=(Chart(headed(site, "Clients that wait for a connection"), "short", lines),),
    )


def _room(site: Site[Settings], scope: Scope, size: int) -> Watch:
    ratio = f"namespace:{scope.own('pool_connections')}:ratio"
    used = scope.select(ratio)
    nearly = Alarm(
        "PoolNearlyFull",
        f"{used} > {number(NEAR)}",
        600,
        "ticket",
        f"{spoken(site, 'the connection pool')} is nearly full",
        f"{{value}} of the pool's {size} connections are open; clients wait when all are busy.",
        "Look at pg_stat_activity for long transactions first, then at queries that became slower.",
        unit="humanizePercentage",
    )
    lines = [Line(used, "open of the pool's size")]
    recorded = [
        scope.recorded(_open(scope), scope.total(scope.select("pgbouncer_databases_current_connections", OF_REPLICAS))),
        scope.recorded(ratio, f"{scope.select(_open(scope))} / {number(size)}"),
    ]
    if is_first(site):
        # The processes say which pool by a label of their own, whatever pools there are.
        metric = scope.own(POOL_USED)
        most = f"namespace:{metric}:max"
        fullest = f"max by (namespace, pool_name) ({select(metric, namespace=scope.namespace)})"
        recorded.append(Recorded(most, fullest))
        lines.append(Line(select(most, namespace=scope.namespace), "{{pool_name}}: of the fullest process's own"))
    return Watch(
        site.name,
        exporter=exporter(site, PROGRAM),
        sign="pool",
        recorded=tuple(recorded),
        observed=tuple(_observed(site, scope)),
        alarms=(nearly,),
        charts=(Chart(headed(site, "Connection pool"), "percentunit", tuple(lines), "<=", 1),),
    )


def _observed(site: Site[Settings], scope: Scope) -> Iterator[Observed]:
    """Yield what a calibration asks: transactions, connections held, clients that wait, and PgBouncer's own CPU.

    The exporter knows the last where it is told PgBouncer's pid file (--pgBouncer.pid-file).
    Source: https://github.com/prometheus-community/pgbouncer_exporter, README.
    """
    for what, counter in (
        (TRANSACTIONS_PER_S, "pgbouncer_stats_sql_transactions_pooled_total"),
        (CORES, "pgbouncer_process_cpu_seconds_total"),
    ):
        yield Observed(Measure(what, site.name), f"sum({rate(scope.select(counter), observed_window_s(site))})")
    for what, gauge in (
        (POOL_CONNECTIONS_USED, "pgbouncer_pools_server_active_connections"),
        (POOL_WAITING, "pgbouncer_pools_client_waiting_connections"),
    ):
        yield Observed(Measure(what, site.name), f"sum({scope.select(gauge)})")


def _open(scope: Scope) -> str:
    return f"namespace:{scope.own('pool_connections')}:sum"


def _gates(site: Site[Settings], scope: Scope) -> Iterator[Watch]:
    figure, peak = f"{site.name}.connection_count_per_10000_users", site.scenario.users.peak
    for limit in limits(site.scenario.gates, figure):
        allowed = float(limit.value) * peak / 10_000
        number_of = Chart(
            f"{figure} {limit.operator} {number(limit.value)}",
            "short",
            (Line(scope.select(_open(scope)), "connections"),),
            limit.operator,
            allowed,
            f"Connections to PostgreSQL; the limit is that of {peak:,} users.",
            is_number=True,
        )
        alarm = _over(site, scope, figure, limit, number(allowed))
        yield Watch(site.name, figure, alarms=(alarm,), charts=(number_of,))


def _over(site: Site[Settings], scope: Scope, figure: str, limit: Limit, allowed: str) -> Alarm:
    asked = number(limit.value)
    return Alarm(
        "DatabaseConnectionsOverGoal",
        f"{scope.select(_open(scope))} {NEGATED[limit.operator]} {allowed}",
        600,
        "ticket",
        f"database connections are not {limit.operator} {allowed}",
        f"PgBouncer holds {{value}} connections to PostgreSQL; {asked} for each 10,000 users are {allowed} for the "
        f"{site.scenario.users.peak:,} of this scenario.",
        "A full pool is slow queries or long transactions far more often than too few connections: look at "
        "pg_stat_activity for what holds them. Enlarge the pool only while the database's CPU is idle.",
        labels={"figure": figure, "limit": f"{limit.operator} {asked}"},
    )
