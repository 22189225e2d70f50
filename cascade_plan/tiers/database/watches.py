"""What of a database is watched: its queries' time, its connections, its disk, and how far its replicas lag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.languages.promql import number, quantile, rate, select, total
from cascade_plan.model.ask import Site
from cascade_plan.model.observation import CONNECTIONS as OPEN_CONNECTIONS
from cascade_plan.model.observation import QUERIES_PER_S, Measure
from cascade_plan.model.series import (
    NEAR,
    QUERY,
    Scope,
    bucket_rates,
    exporter,
    headed,
    is_alone,
    is_first,
    is_watched,
    observed_window_s,
    percentile,
    scope_of_exporter,
    spoken,
)
from cascade_plan.model.watch import Alarm, Chart, Line, Observed, Recorded, Watch
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.units import GIB

PROGRAM: Final = "postgres"
DISK_DAYS: Final = 4
"""Time for a weekend and a change window before the disk is full (assumption)."""
LAG_S: Final = 30
"""Replica lag at which users see that what they wrote is missing (assumption)."""
CONNECTIONS: Final = "pod:pg_connections:ratio"
SIZE: Final = "pod:pg_database_size_bytes:sum"
LAG: Final = "pg_replication_lag_seconds"
PERCENTS: Final = (95, 99)


def watches(site: Site[Settings]) -> tuple[Watch, ...]:
    """Return the queries of all databases, with the first, and this one's connections, disk and replicas."""
    if not is_watched(site):
        return ()
    replica_count = site.sized.count("replica_count")
    scope = scope_of_exporter(site, PROGRAM)
    return tuple(_watches(site, scope, replica_count))


def _watches(site: Site[Settings], scope: Scope, replica_count: int) -> Iterator[Watch]:
    if is_first(site):
        yield _queries(scope)
    yield _up(site, scope)
    yield _connections(site, scope)
    yield _disk(site, scope)
    if replica_count:
        yield _lag(site, scope)


def _queries(scope: Scope) -> Watch:
    """Return the percentiles of queries: applications count them by type, whatever databases there are."""
    namespace, metric = scope.namespace, scope.own(QUERY)
    buckets = total(select(bucket_rates(metric), namespace=namespace), "namespace", "le")
    return Watch(
        "latency",
        sign="queries",
        recorded=tuple(Recorded(percentile(metric, percent), quantile(percent / 100, buckets)) for percent in PERCENTS),
        charts=(
            Chart(
                "Query time",
                "s",
                tuple(
                    Line(select(percentile(metric, percent), namespace=namespace), f"p{percent}")
                    for percent in PERCENTS
                ),
            ),
        ),
    )


def _up(site: Site[Settings], scope: Scope) -> Watch:
    down = Alarm(
        "DatabaseDown",
        f"{scope.select('pg_up')} == 0",
        60,
        "page",
        f"{spoken(site, 'PostgreSQL')} does not answer",
        "{pod} cannot connect to its server: the primary's loss stops every request that asks it.",
        "Ask the cloud's console for the instance's state and events; a failover takes one to two minutes. When the "
        "server is well, look at the exporter's user and at who may reach the server.",
    )
    return Watch(site.name, exporter=exporter(site, PROGRAM), alarms=(down,))


def _connections(site: Site[Settings], scope: Scope) -> Watch:
    used = scope.total(scope.select("pg_stat_activity_count"), "pod")
    most = scope.most(scope.select("pg_settings_max_connections"), "pod")
    past = " past the pool" if site.scenario.of("pool") else ""
    nearly = Alarm(
        "DatabaseConnectionsNearlyMax",
        f"{scope.select(CONNECTIONS)} > {number(NEAR)}",
        300,
        "page",
        f"{spoken(site, 'PostgreSQL')} is near max_connections",
        "{pod} sees {value} of max_connections in use; beyond it even an operator is refused.",
        f"Find who connects{past} (pg_stat_activity by application_name) and stop it.",
        unit="humanizePercentage",
    )
    lines = (Line(scope.select(CONNECTIONS), "{{pod}}: of max_connections"),)
    return Watch(
        site.name,
        exporter=exporter(site, PROGRAM),
        recorded=(scope.recorded(CONNECTIONS, f"{used} / {most}"),),
        observed=tuple(_observed(site, scope)),
        alarms=(nearly,),
        charts=(Chart(headed(site, "Database connections"), "percentunit", lines, "<=", 1),),
    )


def _observed(site: Site[Settings], scope: Scope) -> Iterator[Observed]:
    """Yield what a calibration asks: connections, and queries where it is told that they are this database's."""
    yield Observed(Measure(OPEN_CONNECTIONS, site.name), f"sum({scope.select('pg_stat_activity_count')})")
    if is_alone(site):
        asked = rate(select(f"{scope.own(QUERY)}_count", namespace=scope.namespace), observed_window_s(site))
        yield Observed(Measure(QUERIES_PER_S, site.name), f"sum({asked})")


def _disk(site: Site[Settings], scope: Scope) -> Watch:
    size = scope.select(SIZE)
    recorded = scope.recorded(SIZE, scope.total(scope.select("pg_database_size_bytes"), "pod"))
    heading, lines = headed(site, "Database size and its disk"), (Line(size, "{{pod}}"),)
    if site.settings.engine == "aurora":
        # Its storage is never provisioned, and no month of any plan reaches its end.
        return Watch(
            site.name,
            exporter=exporter(site, PROGRAM),
            recorded=(recorded,),
            charts=(Chart(headed(site, "Database size"), "bytes", lines),),
        )
    storage_gib = site.sized.count("storage_gib_max")
    fills = Alarm(
        "DatabaseDiskFillsUp",
        f"predict_linear({size}[6h], {DISK_DAYS * 86_400}) > {storage_gib * GIB}",
        3600,
        "ticket",
        f"{spoken(site, 'the database')} outgrows its disk within {DISK_DAYS} days",
        f"At the rate of the last 6 h it reaches {{value}}B; its disk may grow to {storage_gib:,} GiB.",
        "Find what grows and delete what may go, or let the disk grow to more.",
        unit="humanize1024",
    )
    return Watch(
        site.name,
        exporter=exporter(site, PROGRAM),
        recorded=(recorded,),
        alarms=(fills,),
        charts=(Chart(heading, "bytes", lines, "<", float(storage_gib * GIB)),),
    )


def _lag(site: Site[Settings], scope: Scope) -> Watch:
    behind = Alarm(
        "ReplicaLags",
        f"{scope.select(LAG)} > {LAG_S}",
        300,
        "ticket",
        f"a read replica of {spoken(site, 'the database')} lags behind",
        "{pod} sees a replica {value} behind: users miss what they have just written.",
        "Read from the primary meanwhile. Look for a long query on the replica, and for a bulk write.",
        unit="humanizeDuration",
    )
    lines = (Line(scope.select(LAG), "{{pod}}"),)
    heading = headed(site, "Replica lag")
    return Watch(
        site.name,
        exporter=exporter(site, PROGRAM),
        sign="replica lag",
        alarms=(behind,),
        charts=(Chart(heading, "s", lines),),
    )
