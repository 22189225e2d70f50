"""What a scenario may say of a PostgreSQL database."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from cascade_plan.model.defaults import PLAN, default
from cascade_plan.model.part import (
    HostName,
    Identifier,
    Need,
    Part,
    Port,
    ShapeName,
    all_defaults,
    distinct,
)
from cascade_plan.model.tier import Bought
from cascade_plan.units import (
    Count,
    GibOrZero,
    MibOrZero,
    Milliseconds,
    MillisecondsOrZero,
    Months,
    PerOneOrZero,
    Seconds,
    Share,
    Variability,
    matching,
)

CapacityUnits = Annotated[float, Field(ge=0.5, le=256, multiple_of=0.5)]
"""https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.requirements.html (2026-11)"""


class Tables(Part):
    """The tables that the emitted SQL knows: users, their settings, what they upload, what they did, and any others."""

    users: Identifier = default("users", "plan", f"{PLAN}, query optimisation")
    """Table of the users."""
    user_settings: Identifier = default("user_settings", "plan", f"{PLAN}, query optimisation")
    """Table of their settings."""
    resources: Identifier = default("resources", "plan", f"{PLAN}, index strategy")
    """Table of uploaded resources."""
    activity_logs: Identifier = default("activity_logs", "plan", f"{PLAN}, index strategy")
    """Table of what users did."""
    others: Annotated[list[Identifier], Field(max_length=1000)] = Field(
        default_factory=list, examples=[["orders", "invoices"]]
    )
    """Tables besides that have the tenant's column: each gets an owner, grants and row-level security too."""

    @property
    def named(self) -> dict[str, str]:
        """Field -> the table's name, of all of them."""
        four = {name: getattr(self, name) for name in ("users", "user_settings", "resources", "activity_logs")}
        return four | {f"others.{at}": name for at, name in enumerate(self.others)}

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        return distinct(self, self.named)


class Columns(Part):
    """The columns that indexes, queries and policies need."""

    tenant: Identifier = default("tenant_id", "plan", f"{PLAN}, index strategy")
    """The tenant of a row, in every table."""
    id: Identifier = default("id", "plan", f"{PLAN}, query optimisation: u.id")
    """The key of a user."""
    user: Identifier = default("user_id", "plan", f"{PLAN}, query optimisation: user_id = u.id")
    """The user whose settings a row holds."""
    settings: Identifier = default("settings", "plan", f"{PLAN}, query optimisation: json_agg(settings)")
    """What a row of a user's settings holds."""
    login: Identifier = default("email", "assumption", "most accounts are known by an address")
    """What a user logs in with."""
    is_active: Identifier = default("is_active", "plan", f"{PLAN}, index strategy")
    """Whether a user is active."""
    created_at: Identifier = default("created_at", "plan", f"{PLAN}, index strategy")
    """When a user or a resource was created."""
    timestamp: Identifier = default("timestamp", "plan", f"{PLAN}, index strategy")
    """When a logged activity happened."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for table in (("id", "login", "is_active", "created_at"), ("user", "settings"), ("timestamp",)):
            distinct(self, {name: getattr(self, name) for name in ("tenant", *table)})
        return self


ROLES: Final = ("admin", "owner", "app", "readonly", "monitoring")
MasterName = Annotated[
    str, matching(r"^[A-Za-z][A-Za-z0-9_]*$", "letters, digits and underscores, as RDS takes a master user", 63)
]
"""https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html, MasterUsername"""


class Roles(Part):
    """Who may do what in the database; none of them is a superuser or bypasses row-level security."""

    admin: MasterName = default("app_admin", "assumption", "the case study names no roles")
    """The master user that RDS makes at the start, which makes the others and is none of them."""
    owner: Identifier = default("app_owner", "assumption", "the case study names no roles")
    """Owns the tables and migrates them; nobody logs in as it."""
    app: Identifier = default("app_user", "assumption", "the case study names no roles")
    """The application: reads and writes one tenant's rows at a time."""
    readonly: Identifier = default("app_readonly", "assumption", "the case study names no roles")
    """Reads one tenant's rows at a time."""
    monitoring: Identifier = default("app_monitoring", "assumption", "the case study names no roles")
    """The exporter: reads the server's statistics and no rows."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for name in ROLES:
            role = getattr(self, name)
            if role in ("public", "none") or role.startswith("pg_"):
                raise ValueError(f"{name}: PostgreSQL reserves the role name {role!r}")
        return distinct(self, {name: getattr(self, name) for name in ROLES})


STORAGE_GIB_MOST: Final = 65_536
"""Of gp3 for PostgreSQL, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html"""
OF_DISKS: Final = frozenset({"storage_gib", "provisioned_operations_per_s", "provisioned_mib_per_s"})
"""What only a database with disks of its instances says: Aurora's storage is one for all, as large as its data."""
OF_AURORA: Final = frozenset({"io_mode", "serverless"})
OF_CAPACITY: Final = frozenset({"capacity_units_min", "capacity_units_max", "capacity_busy_ratio"})
"""What only a serverless database says, as it does not say OF_INSTANCES."""
OF_INSTANCES: Final = frozenset({"shape", "purchase"})


class Settings(Bought):
    """PostgreSQL: primary, read replicas and storage, and how long its queries take."""

    KIND: ClassVar[str] = "database"
    SEVERAL: ClassVar[bool] = True
    BOUGHT: ClassVar[str] = "database"

    engine: Literal["postgres", "aurora"] = default("postgres", "plan", f"{PLAN}: RDS for PostgreSQL")
    """postgres: RDS for PostgreSQL, a disk for each instance and a standby. aurora: Aurora PostgreSQL, one storage in
    three zones that is as large as its data; a reader takes over from the writer, there is no other standby."""
    io_mode: Literal["standard", "io_optimized"] = default(
        "standard", "cited", "what a new cluster has, https://aws.amazon.com/rds/aurora/faqs/"
    )
    """Of Aurora: standard pays each I/O request apart, io_optimized pays more for instances and storage and none."""
    serverless: bool = default(False, "plan", f"{PLAN}: instances")
    """Of Aurora: whether its instances have no shape but a capacity that follows the load (Aurora Serverless v2)."""
    capacity_units_min: CapacityUnits = default(
        0.5,
        "cited",
        "the least, https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.html",
    )
    """Of a serverless database, the least capacity of an instance, of about 2 GiB each."""
    capacity_units_max: CapacityUnits = default(
        16.0,
        "cited",
        "the console's, https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.html",
    )
    """Of a serverless database, the most."""
    capacity_busy_ratio: Annotated[Share, Field(ge=0.05)] = default(
        0.5, "assumption", "how busy it is kept: AWS says only that it grows with CPU, memory and network"
    )
    """Of a serverless database, the share of its capacity that queries keep busy."""
    shape: ShapeName | Need = default(
        {"vcpu": 4, "memory_gib": 32},
        "assumption",
        "as much as the db.r5.xlarge of the case study",
        examples=["db.r5.xlarge"],
    )
    """An instance type, or a need for which the cheapest is taken."""
    users_per_replica: Count = default(10_000, "plan", f"{PLAN}, cost calculator: max(1, peak / 10000)")
    """Users that one read replica serves, by the rules."""
    minimum_replicas: Annotated[int, Field(ge=0, le=15)] | None = default(
        None, "assumption", "as many as `availability` asks for", examples=[1]
    )
    """Fewest read replicas."""
    replicas: Annotated[int, Field(ge=0, le=1000)] | None = Field(default=None, examples=[2])
    """Read replicas pinned by hand."""
    storage_gib: Annotated[int, Field(ge=20, le=STORAGE_GIB_MOST)] = default(
        100, "assumption", "rows of the first months; the case study gives no data size"
    )
    """gp3 storage of each instance at first, 20 to 65,536 GiB on RDS; it grows by itself as data fills it."""
    provisioned_operations_per_s: Annotated[int, Field(ge=1000, le=64_000)] | None = Field(
        default=None, examples=[20_000]
    )
    """Disk operations a second of each instance; left out, as many as it is asked at the busiest, where its storage
    includes fewer: RDS sells up to 64,000 for gp3 of 400 GiB or more."""
    provisioned_mib_per_s: Annotated[int, Field(ge=125, le=4000)] | None = Field(default=None, examples=[1000])
    """Throughput of each instance's disk; left out, as much as it is asked at the busiest, where its storage includes
    less: RDS sells up to 4,000 for gp3 of 400 GiB or more."""
    data_gib: GibOrZero | None = Field(default=None, examples=[40])
    """Tables and indexes; left out, what a year's growth comes to, and at most what the storage holds."""
    retention_months: Months | None = Field(default=None, examples=[12])
    """After so many months rows are deleted, by the application's own means: what was there at first stays, and what
    requests add no longer grows. Left out, never."""
    hot_data_ratio: Annotated[float, Field(ge=0.001, le=0.8)] = default(
        0.2, "assumption", "Pareto's: four fifths of the reads ask for a fifth of the data; 0.8 is no skew at all"
    )
    """Share of the data that four fifths of the reads which reach the database ask for."""
    pages_per_read: PerOneOrZero = default(
        2.0, "assumption", "a leaf of an index and the page of a row; the inner pages of an index are always in memory"
    )
    """Pages of 8 KiB, asked for one after the other, that a read finds in memory or waits for."""
    pages_per_write: PerOneOrZero = default(
        0.0, "assumption", "rows are appended, and the ends of tables and indexes are in memory; 1 or 2 for updates"
    )
    """Pages that a write reads before it changes them."""
    disk_read_ms: MillisecondsOrZero = default(
        1.0,
        "assumption",
        "the low end of the single-digit milliseconds that AWS says of gp3, "
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html",
    )
    """Wait for a page that is not in memory, while the disk is not full."""
    backup_retention_days: Annotated[int, Field(ge=0, le=35)] = default(
        7,
        "cited",
        "as the console has it, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html",
    )
    """Days that automated backups are kept; 0 for none."""
    snapshot_gib: GibOrZero = default(0, "assumption", "no snapshot is kept that somebody made by hand")
    """Snapshots that are kept besides."""
    backup_gib: GibOrZero | None = Field(default=None, examples=[50])
    """Backups and snapshots beyond the free allowance; left out, the data and the log of the days that are kept,
    less the storage of the primary, which is free (https://aws.amazon.com/rds/postgresql/pricing/)."""
    version: Literal["14", "15", "16", "17", "18"] = default(
        "15", "assumption", "the version the emitted SQL is tested on; 14 to 18 take it"
    )
    """Major version of PostgreSQL."""
    host: HostName = default("primary.db.example.com", "assumption", "a placeholder (RFC 2606): give the endpoint")
    """Where the pool finds the primary."""
    replica_hosts: Annotated[list[HostName], Field(max_length=1000)] = Field(
        default_factory=list, examples=[["replica-1.db.example.com"]]
    )
    """Where the pool finds the replicas; replica-1.db.example.com and so on if left out."""
    port: Port = default(5432, "cited", "PostgreSQL's default port, https://www.postgresql.org/docs/")
    """Port that it listens on."""
    database_name: Identifier | None = Field(default=None, examples=["app"])
    """The application's name if left out, with underscores for hyphens."""
    schema_name: Identifier = default("public", "plan", f"{PLAN}, queries: tables without a schema")
    """Schema of the tables."""
    tables: Tables | None = Field(default=None, examples=[{}])
    """What the tables are called for which indexes, queries and row-level security are emitted; left out, none are."""
    columns: Columns = all_defaults()
    """What their columns are called."""
    roles: Roles = all_defaults()
    """Who may do what."""
    tenant_type: Literal["text", "uuid", "bigint", "integer"] = default("text", "plan", f"{PLAN}, tenant_id: str")
    """Type of the tenant column."""
    statement_timeout_s: Annotated[Seconds, Field(ge=1, le=86_400)] = default(
        30.0, "assumption", "sixty times a slow request's limit (p99 < 500 ms): nobody waits for the answer any more"
    )
    """How long a statement of the application may run, wait in the pool, or hold up a replica's replay."""
    other_connections: Annotated[int, Field(ge=0, le=1000)] = default(
        20, "assumption", "an exporter and a migration at a time, with psql and the provider's own agents"
    )
    """Connections beside the pool's: monitoring, migrations, people."""
    memory_mib_per_connection: MibOrZero = default(
        5, "measured", "an upper bound of an idle one: 1.1 to 1.4 MiB private, and its page tables (PostgreSQL 15)"
    )
    """Memory of one connection before its query sorts."""
    read_ms: Milliseconds = default(
        0.1, "measured", "a key look-up on PostgreSQL 15: 0.03 ms to execute, 0.05 to 0.1 to plan; a join takes more"
    )
    """CPU time of an indexed read, where its action says no other."""
    scan_ms: Milliseconds = default(20.0, "assumption", "some ten thousand rows read without index")
    """CPU time of a read without index."""
    scan_ratio: Share = default(0.0, "assumption", "the emitted indexes serve every frequent query")
    """Share of the reads that find no index."""
    write_ms: Milliseconds = default(
        0.3, "measured", "0.27 ms for an insert with its indexes and its transaction on PostgreSQL 15"
    )
    """CPU time of a write, where its action says no other."""
    parse_ms: MillisecondsOrZero = default(
        0.05, "assumption", "parse and plan of a short query; measure with EXPLAIN (SUMMARY)"
    )
    """CPU time of parsing and planning a query, saved by a prepared statement."""
    prepared_statements: bool = default(True, "plan", f"{PLAN}, optimisation 1: prepared statement caching")
    """Whether statements are prepared."""
    n_plus_one: bool = default(False, "plan", f"{PLAN}, optimisation 2: the lateral join in place of N+1 queries")
    """Whether lists still fetch each row with a query of its own."""
    commit_ms: MillisecondsOrZero = default(
        1.5, "assumption", "one flush to network storage, whose latency is single-digit ms (AWS)"
    )
    """Wait of a write for its commit to reach the disk."""
    standby_commit_ms: MillisecondsOrZero = default(
        1.5, "assumption", "as much again, in another zone: 2 to 4 ms in all are reported for Multi-AZ"
    )
    """Wait of a write, besides, for its commit to reach the disk of a standby, where there is one."""
    commit_scv: Variability = default(0.5, "assumption", "flushes are shared, and some come late")
    """Squared coefficient of variation of these waits."""
    service_scv: Variability = default(1.0, "assumption", "exponential: as variable as its mean")
    """Squared coefficient of variation of the CPU time of one kind of query: 0 constant, 1 exponential."""
    round_trip_ms: MillisecondsOrZero = default(
        0.7, "assumption", "0.4 ms within a zone, 0.5 to 1.5 to another, and every second trip or more crosses"
    )
    """Network time of one round trip."""
    round_trip_scv: Variability = default(
        0.5, "assumption", "0.42 ms in the middle and 1.3 at p99 within a zone are 0.27; zones differ besides"
    )
    """Squared coefficient of variation of that time."""
    round_trips_per_query: Annotated[int, Field(ge=1, le=100)] = default(
        4, "measured", "psycopg under the emitted tenancy: BEGIN, set_config, the query, COMMIT; asyncpg makes 7"
    )
    """Round trips that one query makes, with the transaction that it is alone in."""

    @model_validator(mode="after")
    def _of_its_engine(self) -> Self:
        has_capacity = self.engine == "aurora" and self.serverless
        for applies, names, words in (
            (self.engine == "aurora", OF_AURORA, "only of engine aurora"),
            (self.engine == "postgres", OF_DISKS, "Aurora's storage is as large as its data and never provisioned"),
            (has_capacity, OF_CAPACITY, "only of a serverless database (engine: aurora, serverless: true)"),
            (not has_capacity, OF_INSTANCES, "a serverless database has no instances to choose or to commit to"),
        ):
            if not applies and (given := self.said(names)):
                raise ValueError(f"{', '.join(given)}: {words}")
        if self.capacity_units_max < self.capacity_units_min:
            low, high = self.capacity_units_min, self.capacity_units_max
            raise ValueError(f"capacity_units_max ({high:g}) must not be below capacity_units_min ({low:g})")
        return self
