"""PostgreSQL's settings for the plan's instances: for postgresql.conf and for parameter groups of RDS and Aurora."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cascade_plan.emitters._databases import Database
from cascade_plan.formulas import postgres
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.plan import Plan

DOCS: Final = "https://www.postgresql.org/docs/15/"
MEMORY: Final = f"{DOCS}runtime-config-resource.html"
WAL: Final = f"{DOCS}runtime-config-wal.html"
REPLICATION: Final = f"{DOCS}runtime-config-replication.html"
QUERY: Final = f"{DOCS}runtime-config-query.html"
VACUUM: Final = f"{DOCS}runtime-config-autovacuum.html"
CLIENT: Final = f"{DOCS}runtime-config-client.html"
PGTUNE: Final = "PGTune, https://github.com/le0pard/pgtune"
AT_START: Final = frozenset(
    {
        "max_connections",
        "shared_buffers",
        "huge_pages",
        "max_worker_processes",
        "wal_level",
        "max_wal_senders",
        "autovacuum_max_workers",
        "shared_preload_libraries",
    }
)
"""Settings that a restart brings, by pg_settings.context of versions 14 to 17."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, why it has its value, and how RDS writes it."""

    name: str
    value: str
    """As postgresql.conf has it."""
    rule: str
    source: str
    rds: str = ""
    """The value in RDS's unit; empty where RDS does not let it be changed."""

    @property
    def needs_restart(self) -> bool:
        """Whether a server takes it only when it starts, as its context in pg_settings says (postmaster)."""
        return self.name in AT_START


def shape_of(database: Database) -> Shape:
    """Return the shape of the primary and of every replica."""
    return database.instance.sized.group("primary").shape


FORCE_TLS: Final = Setting(
    "rds.force_ssl",
    "1",
    "who connects in clear is refused, of version 14 too",
    "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html",
    "1",
)
"""A parameter that only servers of AWS's know."""


def settings(plan: Plan, database: Database) -> tuple[Setting, ...]:
    """Return the settings in the order they are written.

    Of Aurora only who may connect and what is logged: it sets memory, log and storage itself.
    """
    if database.instance.settings.engine == "aurora":
        return (_connections(database, ""), *_watching(plan, database))
    return (
        *_memory(database),
        *_writing(plan, database),
        *_planning(),
        *_vacuum(database),
        *_replicas(database),
        *_watching(plan, database),
    )


def _in_mib(name: str, mib: int, rule: str, source: str, kib_per_unit: int) -> Setting:
    return Setting(name, f"{mib}MB", rule, source, str(mib * 1024 // kib_per_unit))


def _opened(database: Database) -> str:
    """Return who opens how many connections, in words: the pools, or pods themselves."""
    counts = [str(pool.sized.count("connection_count")) for pool in database.pools]
    if not counts:
        return f"{database.client_connection_count} from the application's pods, those that a rollout adds among them"
    return f"the pool's {counts[0]}" if len(counts) == 1 else f"the pools' {' and '.join(counts)}"


def _connections(database: Database, default: str) -> Setting:
    count, other = database.connection_count_max, database.instance.settings.other_connections
    return Setting(
        "max_connections",
        str(count),
        f"{_opened(database)}, {other} for monitoring, migrations and people, "
        f"{postgres.SUPERUSER_RESERVED} reserved for superusers, {postgres.RDS_RESERVED} for RDS{default}",
        f"{DOCS}runtime-config-connection.html; LEAST(DBInstanceClassMemory/9531392, 5000), "
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html",
        str(count),
    )


def _memory(database: Database) -> tuple[Setting, ...]:
    shape = shape_of(database)
    memory = int(shape.program_gib * 1024)
    connections = database.connection_count_max
    workers = max(8, shape.vcpu)
    default = (
        ""
        if shape.connection_count_max is None
        else f"; {shape.name} accepts {shape.connection_count_max:,} by default"
    )
    return (
        _connections(database, default),
        _in_mib(
            "shared_buffers",
            postgres.shared_buffers_mib(memory),
            f"a quarter of the {memory} MiB that RDS leaves of {shape.memory_gib:g} GiB",
            f"{MEMORY}; RDS's default: DBInstanceClassMemory/32768 pages of 8 kB",
            8,
        ),
        Setting("huge_pages", "try", "fewer page tables for each connection; falls back without them", MEMORY),
        _in_mib(
            "effective_cache_size",
            postgres.effective_cache_size_mib(memory),
            "three quarters of the memory: shared buffers and the kernel's cache",
            PGTUNE,
            8,
        ),
        _in_mib(
            "work_mem",
            postgres.work_mem_mib(memory, connections, shape.cores),
            f"what is left after shared buffers, {postgres.CONNECTION_MIB} MiB a connection and "
            f"{postgres.AUTOVACUUM_WORKERS} vacuums, over (max_connections + cores) x 3 sorts x 2 for hashes",
            f"{PGTUNE}; {MEMORY}, hash_mem_multiplier",
            1,
        ),
        _in_mib(
            "maintenance_work_mem",
            postgres.maintenance_work_mem_mib(memory),
            "a sixteenth of the memory, at most the 1 GB that a vacuum uses",
            f"{PGTUNE}; {MEMORY}",
            1,
        ),
        Setting("max_worker_processes", str(workers), "one a core, at least the default of 8", PGTUNE, str(workers)),
        Setting("max_parallel_workers", str(shape.vcpu), "one a core", PGTUNE, str(shape.vcpu)),
    )


def _writing(plan: Plan, database: Database) -> tuple[Setting, ...]:
    growth = plan.traffic.database_growth_bytes_per_s[database.instance.name].peak
    most = postgres.max_wal_size_mib(growth, database.instance.settings.storage_gib)
    return (
        Setting("wal_level", "replica", "what a standby and a replica need", WAL),
        Setting(
            "checkpoint_timeout",
            f"{postgres.CHECKPOINT_TIMEOUT_S}s",
            "the default: a crash replays at most this much",
            WAL,
            str(postgres.CHECKPOINT_TIMEOUT_S),
        ),
        _in_mib(
            "max_wal_size",
            most,
            "twice the WAL of a checkpoint_timeout at the peak's growth; at least 4 GB, at most a tenth of the storage",
            f"{DOCS}wal-configuration.html; {PGTUNE} (4 GB)",
            1024,
        ),
        _in_mib("min_wal_size", most // 4, "a quarter of max_wal_size", PGTUNE, 1024),
        Setting("wal_compression", "on", "page images after a checkpoint compressed: less WAL for some CPU", WAL),
    )


def _planning() -> tuple[Setting, ...]:
    return (
        Setting("random_page_cost", "1.1", "solid-state storage (gp3) reads anywhere at the same cost", QUERY, "1.1"),
        Setting(
            "effective_io_concurrency",
            "200",
            "solid-state storage answers hundreds of requests at once",
            f"{MEMORY}; {PGTUNE} (200)",
            "200",
        ),
    )


def _vacuum(database: Database) -> tuple[Setting, ...]:
    writes_per_s = database.instance.sized.value("writes_per_s_peak")
    limit = postgres.vacuum_cost_limit(writes_per_s)
    growth = database.instance.sized.value("growth_gib_per_month")
    rule = f"a tenth of a table, not a fifth: at {growth:.2g} GiB a month a fifth of a large table is long in coming"
    return (
        Setting(
            "autovacuum_max_workers",
            str(postgres.AUTOVACUUM_WORKERS),
            "the default, as work_mem's rule counts them",
            VACUUM,
            str(postgres.AUTOVACUUM_WORKERS),
        ),
        Setting("autovacuum_vacuum_scale_factor", "0.1", rule, VACUUM, "0.1"),
        Setting(
            "autovacuum_vacuum_insert_scale_factor",
            "0.1",
            "the same for tables that only grow, as the log",
            VACUUM,
            "0.1",
        ),
        Setting("autovacuum_analyze_scale_factor", "0.05", "statistics twice as often as vacuums", VACUUM, "0.05"),
        Setting(
            "autovacuum_vacuum_cost_limit",
            str(limit),
            f"{writes_per_s:.0f} writes/s x {postgres.PAGES_PER_WRITE} pages x (2 + 20) x "
            "2 ms, at least the default of 200: as fast as writes leave something to clean",
            f"{MEMORY}, cost-based vacuum delay",
            str(limit),
        ),
    )


def _replicas(database: Database) -> tuple[Setting, ...]:
    delay_ms = round(database.instance.settings.statement_timeout_s * 1000)
    # Two for each replica and the standby, one of them for a base backup or a connection that is not yet given up.
    senders = max(10, 2 * (database.instance.sized.count("replica_count") + 1))
    return (
        Setting(
            "max_wal_senders", str(senders), "two for each replica and the standby, at least the default", REPLICATION
        ),
        Setting(
            "hot_standby_feedback",
            "on",
            "queries of the replicas are not cancelled for rows that the primary would vacuum; they delay vacuum there",
            REPLICATION,
            "1",
        ),
        Setting(
            "max_standby_streaming_delay",
            f"{delay_ms}ms",
            "as long as a statement may run: replay waits for one, then goes on",
            REPLICATION,
            str(delay_ms),
        ),
    )


def _watching(plan: Plan, database: Database) -> tuple[Setting, ...]:
    idle_ms = round(database.instance.settings.statement_timeout_s * 1000)
    held = "a connection of the pool" if database.pools else "a connection"
    file = "roles.sql" if database.instance.settings.tables is None else "tenancy.sql"
    slow_ms = round(plan.scenario.autoscaling.target_latency_s_p95 * 1000)
    return (
        Setting(
            "statement_timeout",
            "0",
            f"off here, on for the application's roles ({file}): it would end backups and migrations",
            CLIENT,
        ),
        Setting("lock_timeout", "0", "likewise", CLIENT),
        Setting(
            "idle_in_transaction_session_timeout",
            f"{idle_ms}ms",
            f"a transaction left open holds {held} and keeps vacuum from its rows",
            CLIENT,
            str(idle_ms),
        ),
        Setting(
            "log_min_duration_statement",
            f"{slow_ms}ms",
            "a statement alone as slow as a whole request may be (the autoscaling's target)",
            f"{DOCS}runtime-config-logging.html",
            str(slow_ms),
        ),
        Setting(
            "log_lock_waits",
            "on",
            "who waits for a lock longer than a second",
            f"{DOCS}runtime-config-logging.html",
            "1",
        ),
        Setting(
            "shared_preload_libraries",
            "'pg_stat_statements'",
            "calls, rows and time of every statement; then CREATE EXTENSION pg_stat_statements",
            f"{DOCS}pgstatstatements.html",
            "pg_stat_statements",
        ),
        Setting(
            "track_io_timing", "on", "time spent reading and writing", f"{DOCS}runtime-config-statistics.html", "1"
        ),
    )
