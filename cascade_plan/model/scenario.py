"""The scenario: what an engineer knows and wants, as YAML holds it.

Every field that has a default takes it from `defaults.py`, where its source stands. Annotations are evaluated here, at
definition: pydantic would evaluate postponed ones at every start.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from cascade_plan.errors import did_you_mean
from cascade_plan.languages import sql
from cascade_plan.model.defaults import NASA_WEEKDAY
from cascade_plan.model.defaults import value as default
from cascade_plan.model.terms import TermShare
from cascade_plan.units import Count, NonNegative, Percent, Positive, Share, Users, matching

SCHEMA_VERSION: Final = 1
MIX_MOST: Final = 10
"""Most terms that share a tier."""
SHARES_TOLERANCE: Final = 1e-9
"""Shares that sum to 1 may exceed it by what floats round."""
PLANS_IN_SHORT: Final = ("compute_sp_{1,3}y_...", "ec2_instance_sp_{1,3}y_...")
WHAT_PLANS_COVER: Final = {
    "compute": "Compute Savings Plans are for api, websocket and monitoring",
    "ec2_instance": "EC2 Instance Savings Plans are for api, websocket and monitoring",
    "database": "Database Savings Plans are for database and cache",
}
"""Kind of a savings plan -> what it covers, https://docs.aws.amazon.com/savingsplans/latest/userguide/"""
PROFILES: Final[dict[str, tuple[float, ...]]] = {"weekday": NASA_WEEKDAY, "flat": (1.0,) * 24}

Name = Annotated[
    str,
    matching(r"^[a-z]([-a-z0-9]*[a-z0-9])?$", "lower-case letters, digits and dashes, starting with a letter", 53),
]
"""A Kubernetes label (RFC 1123) that leaves room for a suffix within its 63 characters."""
Key = Annotated[
    str, matching(r"^[a-z][a-z0-9_]*$", "lower-case letters, digits and underscores, starting with a letter", 40)
]
Text = Annotated[str, Field(max_length=2000)]
ShapeName = Annotated[str, matching(r"^[a-z0-9][a-z0-9.-]*$", "a name such as db.r5.xlarge or us-east-1", 60)]
Commitments = Literal[
    "reserved_1y_no_upfront",
    "reserved_1y_partial_upfront",
    "reserved_1y_all_upfront",
    "reserved_3y_no_upfront",
    "reserved_3y_partial_upfront",
    "reserved_3y_all_upfront",
]
ComputePlans = Literal[
    "compute_sp_1y_no_upfront",
    "compute_sp_1y_partial_upfront",
    "compute_sp_1y_all_upfront",
    "compute_sp_3y_no_upfront",
    "compute_sp_3y_partial_upfront",
    "compute_sp_3y_all_upfront",
    "ec2_instance_sp_1y_no_upfront",
    "ec2_instance_sp_1y_partial_upfront",
    "ec2_instance_sp_1y_all_upfront",
    "ec2_instance_sp_3y_no_upfront",
    "ec2_instance_sp_3y_partial_upfront",
    "ec2_instance_sp_3y_all_upfront",
]
DatabasePlans = Literal["database_sp_1y_no_upfront"]
TermShares = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
InstanceTerm = Literal["on_demand", Commitments, ComputePlans, "spot"]
InstanceMix = Annotated[
    dict[Literal[Commitments, ComputePlans, "spot"], TermShares], Field(min_length=1, max_length=MIX_MOST)
]
DatabaseTerm = Literal["on_demand", Commitments, DatabasePlans]
DatabaseMix = Annotated[dict[Literal[Commitments, DatabasePlans], TermShares], Field(min_length=1, max_length=MIX_MOST)]
INSTANCE_TERMS: Final[tuple[str, ...]] = get_args(InstanceTerm)
DATABASE_TERMS: Final[tuple[str, ...]] = get_args(DatabaseTerm)
TERMS: Final[tuple[str, ...]] = tuple(dict.fromkeys((*INSTANCE_TERMS, *DATABASE_TERMS)))
Request = Annotated[
    str,
    matching(
        r"^(GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9._~/{}=&?%:@+,-]*$", "a method and a path, GET /api/v1/workrooms", 500
    ),
]
Image = Annotated[
    str,
    matching(r"^[a-z0-9]([A-Za-z0-9._/:@-]*[A-Za-z0-9])?$", "an image name, registry.example.com/api:1.0.0", 255),
]
HostName = Annotated[str, matching(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", "a host name or an IPv4 address", 253)]
Version = Annotated[str, matching(r"^[0-9]+\.[0-9]+(\.[0-9]+)?$", "a version in quotes such as '1.23'", 20)]
Identifier = Annotated[str, AfterValidator(sql.checked_identifier)]
"""A PostgreSQL name: anything but NUL, at most 63 bytes."""
LineIdentifier = Annotated[str, AfterValidator(sql.checked_line_identifier)]
"""A PostgreSQL name that can also stand in a file of lines, such as pgbouncer.ini: no control characters."""
Domain = Annotated[
    str,
    matching(
        r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$",
        "a DNS domain, ws-node.cascade.svc.cluster.local",
        200,
    ),
]
UrlPath = Annotated[str, matching(r"^/[A-Za-z0-9._~/-]*$", "a path such as /health/ready", 200)]
Gate = Annotated[str, matching(r"^(<|<=|>|>=|==) [0-9]+(\.[0-9]+)?$", "a limit such as '< 50'", 40)]


class Part(BaseModel):
    """The configuration all parts of a scenario share: immutable, nothing unknown, nothing coerced.

    Validators are built on first use, so that a start builds one for the scenario and none for each of its parts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


def _all_defaults() -> Any:
    """Return a field that, when left out, is validated from {} by the parent: no validator of the part's own."""
    return Field(default={}, validate_default=True)


class UserCounts(Part):
    """How many people there are, and when they come."""

    peak: Users
    """Most users connected at the same time."""
    average: Users
    """Users connected at the same time, averaged over the day."""
    registered: Users | None = None
    """Users with an account, if known."""
    tenants: Count = default("users.tenants")
    active_share: Share = default("users.active_share")
    """Share of the connected users who act with the think time below; the others only stay connected."""
    profile: Literal["weekday", "flat"] | Annotated[list[NonNegative], Field(min_length=24, max_length=24)] = default(
        "users.profile"
    )
    """Relative load of the 24 hours of a day: weekday, flat, or 24 numbers."""
    trace: Text | None = None
    """A CSV of timestamp,count whose mean hours become the profile; relative to the scenario's file."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.average > self.peak:
            raise ValueError(f"average ({self.average}) must not exceed peak ({self.peak})")
        if self.registered is not None and self.registered < self.peak:
            raise ValueError(f"registered ({self.registered}) must not be below peak ({self.peak})")
        if not isinstance(self.profile, str) and max(self.profile) <= 0:
            raise ValueError("profile must have at least one hour above 0")
        if self.trace is not None and "profile" in self.model_fields_set:
            raise ValueError("give profile or trace, not both")
        return self

    @property
    def hourly_weights(self) -> tuple[float, ...]:
        """The profile's 24 hours over its busiest one."""
        if isinstance(self.profile, str):
            return PROFILES[self.profile]
        return tuple(weight / max(self.profile) for weight in self.profile)


class ThinkTime(Part):
    """Seconds between an answer and the same user's next request, uniform between two bounds."""

    min: Positive = default("behaviour.think_time_s.min")
    max: Positive = default("behaviour.think_time_s.max")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise ValueError(f"max ({self.max}) must not be below min ({self.min})")
        return self

    @property
    def mean(self) -> float:
        """Mean seconds between an answer and the next request: uniform between min and max."""
        return (self.min + self.max) / 2


class Action(Part):
    """A request users make, what it moves and what it stores."""

    weight: Positive
    """How often the action is chosen, relative to the others."""
    request: Request
    """Method and path, such as GET /api/v1/workrooms."""
    request_bytes: NonNegative = default("action.request_bytes")
    """Body the client sends."""
    response_bytes: NonNegative = default("action.response_bytes")
    """Body the server answers with."""
    database_bytes: NonNegative = default("action.database_bytes")
    """Growth of the database for each request."""
    object_bytes: NonNegative = default("action.object_bytes")
    """Growth of the object store for each request."""
    publishes: bool = False
    """Whether the action is broadcast over the WebSockets."""
    audience: Literal["workroom", "tenant"] = default("action.audience")
    """Who receives what it publishes: the other members of its workroom, or everyone of the tenant who is connected."""
    cpu_ms: Positive = default("action.cpu_ms")
    """CPU time of the API for one request, on one core."""
    read_count: Annotated[int, Field(ge=0, le=1000)] = default("action.read_count")
    """Queries that read; those the cache answers do not reach the database."""
    write_count: Annotated[int, Field(ge=0, le=1000)] = default("action.write_count")
    n_plus_one_query_count: Annotated[int, Field(ge=0, le=1000)] = default("action.n_plus_one_query_count")
    """Queries more, one for each row, as long as timing.n_plus_one is true; the lateral join makes them one."""


class Behaviour(Part):
    """What an acting user does."""

    think_time_s: ThinkTime = _all_defaults()
    actions: Annotated[dict[Key, Action], Field(min_length=1, max_length=100)]
    header_bytes: NonNegative = default("behaviour.header_bytes")
    """Headers of a request, and of a response."""
    cache_hit_ratio: Share = default("behaviour.cache_hit_ratio")


class Timing(Part):
    """How long the pieces of a request take, and how fast the fleet can grow."""

    api_scv: NonNegative = default("timing.api_scv")
    """Squared coefficient of variation of the CPU time of one kind of request: 0 constant, 1 exponential."""
    read_ms: Positive = default("timing.read_ms")
    """CPU time of the database for an indexed read."""
    scan_ms: Positive = default("timing.scan_ms")
    """CPU time of a read without index."""
    scan_ratio: Share = default("timing.scan_ratio")
    """Share of the reads that find no index."""
    write_ms: Positive = default("timing.write_ms")
    parse_ms: NonNegative = default("timing.parse_ms")
    """CPU time of parsing and planning a query, saved by a prepared statement."""
    prepared_statements: bool = default("timing.prepared_statements")
    n_plus_one: bool = default("timing.n_plus_one")
    """Whether lists still fetch each row with a query of its own."""
    commit_ms: NonNegative = default("timing.commit_ms")
    """Wait of a write for its commit to reach the disk."""
    database_scv: NonNegative = default("timing.database_scv")
    cache_ms: Positive = default("timing.cache_ms")
    """CPU time of one cache command."""
    round_trip_ms: NonNegative = default("timing.round_trip_ms")
    """Network time of one query or cache command."""
    pod_startup_s: NonNegative = default("timing.pod_startup_s")
    node_provisioning_s: NonNegative = default("timing.node_provisioning_s")


class WebSocketUse(Part):
    """What the open connections carry and take."""

    connections_per_user: NonNegative = default("websocket.connections_per_user")
    recipients_per_message: NonNegative = default("websocket.recipients_per_message")
    message_bytes: NonNegative = default("websocket.message_bytes")
    heartbeat_interval_s: Positive = default("websocket.heartbeat_interval_s")
    heartbeat_bytes: NonNegative = default("websocket.heartbeat_bytes")
    connection_lifetime_s: Positive = default("websocket.connection_lifetime_s")
    memory_kib_per_connection: Positive = default("websocket.memory_kib_per_connection")
    kernel_kib_per_connection: NonNegative = default("websocket.kernel_kib_per_connection")


class LoadLevel(Part):
    """A named load: what a load test drives and what latency it must meet."""

    users: Users
    spawn_rate_per_s: Positive
    duration_s: Positive
    """How long all its users are there; they come before, at the spawn rate."""
    latency_ms_p95: Positive
    latency_ms_p99: Positive | None = None
    failure_ratio_max: Share = default("load.failure_ratio_max")
    """Most of its requests that may fail."""


class Need(Part):
    """A need instead of a type: the cheapest shape that has at least this much is taken."""

    vcpu: Count = 1
    memory_gib: Positive
    architecture: Literal["any", "arm64", "x86_64"] = "any"
    burstable: bool = False
    """Whether shapes on CPU credits (T families) may be taken."""


class Pod(Part):
    """What one API pod requests."""

    cpu_cores: Positive = default("tiers.api.pod.cpu_cores")
    memory_mib: Count = default("tiers.api.pod.memory_mib")


class NodeBounds(Part):
    """API node counts pinned by hand instead of taken from the rules."""

    base: Count
    min: Count
    max: Count

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min <= self.base <= self.max:
            raise ValueError(f"must be ordered min <= base <= max, got {self.min}, {self.base}, {self.max}")
        return self


class ReplicaBounds(Part):
    """The replica bounds of an autoscaler."""

    min: Count
    max: Count

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise ValueError(f"max ({self.max}) must not be below min ({self.min})")
        return self


def _need(path: str) -> Any:
    return Field(default=default(path), validate_default=True)


_Some = TypeVar("_Some", bound=Part)


def _distinct(part: _Some, names: tuple[str, ...]) -> _Some:
    """Return the part. Raises ValueError when two of its fields hold the same name."""
    seen: dict[str, str] = {}
    for name in names:
        value = getattr(part, name)
        if value in seen:
            raise ValueError(f"{seen[value]} and {name} must differ, both are {value!r}")
        seen[value] = name
    return part


class ClusterTier(Part):
    """What every Kubernetes node loses before the first pod, and its root volume."""

    daemonset_cpu_cores: NonNegative = default("tiers.cluster.daemonset_cpu_cores")
    """CPU that the per-node agents request on every node."""
    daemonset_memory_mib: NonNegative = default("tiers.cluster.daemonset_memory_mib")
    daemonset_pods: Annotated[int, Field(ge=0, le=50)] = default("tiers.cluster.daemonset_pods")
    vm_overhead_ratio: Share = default("tiers.cluster.vm_overhead_ratio")
    """Share of the advertised memory that the hypervisor and firmware keep."""
    disk_gib: Count = default("tiers.cluster.disk_gib")
    """gp3 root volume of each node."""


class ApiTier(Part):
    """The API: the rules that count its nodes, its node's shape, its pods."""

    users_per_node: Count = default("tiers.api.users_per_node")
    minimum_nodes: Count = default("tiers.api.minimum_nodes")
    minimum_nodes_scaled_in: Count = default("tiers.api.minimum_nodes_scaled_in")
    headroom_ratio: Annotated[Positive, Field(ge=1)] = default("tiers.api.headroom_ratio")
    shape: ShapeName | Need = _need("tiers.api.shape")
    pod: Pod = _all_defaults()
    image: Image = default("tiers.api.image")
    """Container image; its USER must be a number other than 0."""
    port: Annotated[int, Field(ge=1, le=65_535)] = default("tiers.api.port")
    ready_path: UrlPath = default("tiers.api.ready_path")
    """Answers 2xx while the pod can take requests."""
    live_path: UrlPath = default("tiers.api.live_path")
    """Answers 2xx while the process is sound, whatever its database does."""
    nodes: NodeBounds | None = None
    replicas: ReplicaBounds | None = None
    """HPA bounds pinned by hand instead of as many pods as the nodes hold."""


class WebSocketTier(Part):
    """The nodes that hold the open connections."""

    connections_per_node: Count = default("tiers.websocket.connections_per_node")
    minimum_nodes: Count = default("tiers.websocket.minimum_nodes")
    shape: ShapeName | Need = _need("tiers.websocket.shape")
    nodes: Count | None = None
    sticky: Literal["consistent_hash", "ip_hash"] = default("tiers.websocket.sticky")
    """How a client finds its node again: by the hash of a key of its own, or of the first 24 bits of its address."""
    connections_per_address: Annotated[int, Field(ge=1, le=65_535)] = default("tiers.websocket.connections_per_address")
    """Most connections nginx accepts from one address, behind which a whole office may be; 65,535 at most."""
    health_interval_s: Positive = default("tiers.websocket.health_interval_s")
    """How long a node that failed is left alone, and within what failures are counted."""
    health_timeout_s: Positive = default("tiers.websocket.health_timeout_s")
    """How long a node may take to accept a connection."""
    image: Image = default("tiers.websocket.image")
    """Container image; its USER must be a number other than 0."""
    port: Annotated[int, Field(ge=1, le=65_535)] = default("tiers.websocket.port")
    domain: Domain | None = None
    """What follows the nodes' names ws-node-1, ws-node-2, ... in DNS; nothing if left out."""


class Tables(Part):
    """The tables of the application, as the performance plan calls them."""

    users: Identifier = default("tiers.database.tables.users")
    user_settings: Identifier = default("tiers.database.tables.user_settings")
    resources: Identifier = default("tiers.database.tables.resources")
    activity_logs: Identifier = default("tiers.database.tables.activity_logs")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        return _distinct(self, ("users", "user_settings", "resources", "activity_logs"))


class Columns(Part):
    """The columns that indexes, queries and policies need."""

    tenant: Identifier = default("tiers.database.columns.tenant")
    """The tenant of a row, in every table."""
    id: Identifier = default("tiers.database.columns.id")
    """The key of a user."""
    user: Identifier = default("tiers.database.columns.user")
    """The user whose settings a row holds."""
    settings: Identifier = default("tiers.database.columns.settings")
    """What a row of a user's settings holds."""
    is_active: Identifier = default("tiers.database.columns.is_active")
    created_at: Identifier = default("tiers.database.columns.created_at")
    """When a user or a resource was created."""
    timestamp: Identifier = default("tiers.database.columns.timestamp")
    """When a logged activity happened."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for table in (("id", "is_active", "created_at"), ("user", "settings"), ("timestamp",)):
            _distinct(self, ("tenant", *table))
        return self


class Roles(Part):
    """Who may do what in the database; none of them is a superuser or bypasses row-level security."""

    owner: LineIdentifier = default("tiers.database.roles.owner")
    """Owns the tables and migrates them; nobody logs in as it."""
    app: LineIdentifier = default("tiers.database.roles.app")
    """The application: reads and writes one tenant's rows at a time."""
    readonly: LineIdentifier = default("tiers.database.roles.readonly")
    """Reads one tenant's rows at a time."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for name in ("owner", "app", "readonly"):
            role = getattr(self, name)
            if role in ("public", "none") or role.startswith("pg_"):
                raise ValueError(f"{name}: PostgreSQL reserves the role name {role!r}")
        return _distinct(self, ("owner", "app", "readonly"))


class DatabaseTier(Part):
    """PostgreSQL: primary, read replicas and storage."""

    shape: ShapeName | Need = _need("tiers.database.shape")
    users_per_replica: Count = default("tiers.database.users_per_replica")
    minimum_replicas: Annotated[int, Field(ge=0, le=15)] = default("tiers.database.minimum_replicas")
    replicas: Annotated[int, Field(ge=0, le=1000)] | None = None
    storage_gib: Annotated[int, Field(ge=20, le=65_536)] = default("tiers.database.storage_gib")
    """gp3 storage of each instance; RDS allows 20 to 65,536 GiB for PostgreSQL."""
    backup_gib: NonNegative = default("tiers.database.backup_gib")
    """Backup storage beyond the free allowance."""
    version: Literal["14", "15", "16", "17", "18"] = default("tiers.database.version")
    """Major version of PostgreSQL."""
    host: HostName = default("tiers.database.host")
    """Where the pool finds the primary."""
    replica_hosts: Annotated[list[HostName], Field(max_length=1000)] = []
    """Where the pool finds the replicas; replica-1.db.example.com and so on if left out."""
    port: Annotated[int, Field(ge=1, le=65_535)] = default("tiers.database.port")
    database_name: LineIdentifier | None = None
    """The application's name if left out."""
    schema_name: Identifier = default("tiers.database.schema_name")
    tables: Tables = _all_defaults()
    columns: Columns = _all_defaults()
    roles: Roles = _all_defaults()
    tenant_type: Literal["text", "uuid", "bigint", "integer"] = default("tiers.database.tenant_type")
    """Type of the tenant column."""
    statement_timeout_s: Annotated[float, Field(ge=1, le=86_400)] = default("tiers.database.statement_timeout_s")
    """How long a statement of the application may run, wait in the pool, or hold up a replica's replay."""
    other_connections: Annotated[int, Field(ge=0, le=1000)] = default("tiers.database.other_connections")
    """Connections beside the pool's: monitoring, migrations, people."""


class PoolTier(Part):
    """The connection pool in front of the primary and its replicas."""

    users_per_connection: Count = default("tiers.pool.users_per_connection")
    connections: Count | None = None
    connections_per_pod: Count = default("tiers.pool.connections_per_pod")
    """Most connections one API pod opens to each address of the pool."""
    tenant_class_share: Annotated[
        dict[Key, Annotated[float, Field(gt=0, le=1)]], Field(min_length=1, max_length=20)
    ] = default("tiers.pool.tenant_class_share")
    """Share of the connections each class of tenants has to itself, so that one cannot starve another."""
    pgbouncer_version: Version = default("tiers.pool.pgbouncer_version")
    """What it decides: prepared statements in transaction pooling came with 1.21."""
    port: Annotated[int, Field(ge=1, le=65_535)] = default("tiers.pool.port")

    @field_validator("tenant_class_share")
    @classmethod
    def _whole(cls, classes: dict[str, float]) -> dict[str, float]:
        if abs(sum(classes.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of the classes must add up to 1, not {sum(classes.values()):g}")
        return classes


class CacheTier(Part):
    """Redis or Valkey: cache, broker and connection state."""

    engine: Literal["redis", "valkey"] = default("tiers.cache.engine")
    users_per_node: Count = default("tiers.cache.users_per_node")
    minimum_nodes: Count = default("tiers.cache.minimum_nodes")
    shape: ShapeName | Need = _need("tiers.cache.shape")
    replicas_per_master: Annotated[int, Field(ge=0, le=5)] = default("tiers.cache.replicas_per_master")
    """Copies of each master on other nodes, one of which takes over when it is lost."""
    nodes: Count | None = None
    """Masters and replicas together."""

    @model_validator(mode="after")
    def _whole_shards(self) -> Self:
        size = 1 + self.replicas_per_master
        if self.nodes is not None and self.nodes % size:
            raise ValueError(
                f"nodes ({self.nodes}) must be a multiple of {size}: a master and its {size - 1} "
                f"{'replica' if size == 2 else 'replicas'}"
            )
        return self


class GatewayTier(Part):
    """The load balancer."""

    balancer: Literal["alb", "nlb"] = default("tiers.gateway.balancer")


class NetworkTier(Part):
    """NAT gateways and the bytes between tiers."""

    nat_gateway_per_zone: bool = default("tiers.network.nat_gateway_per_zone")
    nat_gib_per_node_month: NonNegative = default("tiers.network.nat_gib_per_node_month")
    database_bytes_per_request: NonNegative = default("tiers.network.database_bytes_per_request")


class MonitoringTier(Part):
    """Prometheus: its series, samples and servers."""

    query_types: Count = default("tiers.monitoring.query_types")
    label_by_tenant: bool = default("tiers.monitoring.label_by_tenant")
    """Whether the query histogram carries the tenant_id label, which multiplies its series by the tenants."""
    other_series_per_pod: Count = default("tiers.monitoring.other_series_per_pod")
    scrape_interval_s: Annotated[Positive, Field(ge=1, le=75)] = default("tiers.monitoring.scrape_interval_s")
    """At most 75 s: the alerts' shortest window, 5 minutes, must hold four samples."""
    retention_days: Count = default("tiers.monitoring.retention_days")
    bytes_per_sample: Positive = default("tiers.monitoring.bytes_per_sample")
    memory_kib_per_series: Positive = default("tiers.monitoring.memory_kib_per_series")
    nodes: Count = default("tiers.monitoring.nodes")
    series_per_node: Count = default("tiers.monitoring.series_per_node")
    """Most series one Prometheus is given; more are sharded."""


class Tiers(Part):
    """What is sized, tier by tier."""

    cluster: ClusterTier = _all_defaults()
    api: ApiTier = _all_defaults()
    websocket: WebSocketTier = _all_defaults()
    database: DatabaseTier = _all_defaults()
    pool: PoolTier = _all_defaults()
    cache: CacheTier = _all_defaults()
    gateway: GatewayTier = _all_defaults()
    network: NetworkTier = _all_defaults()
    monitoring: MonitoringTier = _all_defaults()


class Availability(Part):
    """Which losses the fleet survives."""

    zones: Annotated[int, Field(ge=1, le=6)] = default("availability.zones")
    multi_az: bool = default("availability.multi_az")
    """A standby of the primary database in another zone."""
    lost_zone_count: Annotated[int, Field(ge=0, le=5)] = default("availability.lost_zone_count")
    """Zones whose loss the method slo sizes for; with one zone there is none to lose."""
    lost_node_count: Annotated[int, Field(ge=0, le=100)] = default("availability.lost_node_count")
    """Nodes more that may be lost at the same time, of each tier."""


class Purchase(Part):
    """How the instances of each tier are paid: one term, or the shares of several, the rest of them on demand.

    Commitments are counted on what runs all month, spot on what runs at each level.
    """

    api: InstanceTerm | InstanceMix = "on_demand"
    """A term such as spot, or shares such as {reserved_1y_no_upfront: 0.6, spot: 0.2}; the rest is on demand."""
    websocket: InstanceTerm | InstanceMix = "on_demand"
    database: DatabaseTerm | DatabaseMix = "on_demand"
    """As for api. AWS sells no database on spot; its Database Savings Plans are for one year, nothing upfront."""
    cache: DatabaseTerm | DatabaseMix = "on_demand"
    """As for database. Database Savings Plans cover Valkey, not Redis."""
    monitoring: InstanceTerm | InstanceMix = "on_demand"

    @field_validator("api", "websocket", "monitoring", mode="before")
    @classmethod
    def _for_instances(cls, given: Any) -> Any:
        return _payable(given, INSTANCE_TERMS, "EC2 instances")

    @field_validator("database", "cache", mode="before")
    @classmethod
    def _for_databases(cls, given: Any) -> Any:
        return _payable(given, DATABASE_TERMS, "databases and caches")

    def terms(self, tier: str) -> tuple[TermShare, ...]:
        """Return what a tier's instances are paid by other than on demand, commitments first, in the order of TERMS."""
        given = getattr(self, tier)
        if isinstance(given, str):
            return () if given == "on_demand" else (TermShare(given, 1.0),)
        return tuple(TermShare(term, given[term]) for term in TERMS if term in given)


def _payable(given: Any, known: tuple[str, ...], what: str) -> Any:
    """Return a term or a mix as given. Raises ValueError for a term that is none for `what`, and for shares above 1."""
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, dict) else None
    if names is None:
        raise ValueError("must be a term such as on_demand, or a mapping of terms to their shares")
    if not names:
        raise ValueError("must map at least one term to its share, such as {spot: 0.5}")
    for name in names:
        if name == "on_demand" and isinstance(given, dict):
            raise ValueError("on_demand is what the other shares leave: leave it out")
        if name not in known:
            raise ValueError(_unpayable(name, known, what))
    shares = [share for share in given.values() if isinstance(share, int | float)] if isinstance(given, dict) else []
    if sum(shares) > 1 + SHARES_TOLERANCE:
        raise ValueError(f"the shares sum to {sum(shares):.6g}: at most 1, what they leave is on demand")
    return given


def _unpayable(name: str, known: tuple[str, ...], what: str) -> str:
    if name == "spot":
        return f"{what} cannot be bought on spot, only the EC2 tiers api, websocket and monitoring can"
    if name in TERMS:
        return f"{name} does not cover {what}: {WHAT_PLANS_COVER[name.partition('_sp')[0]]}"
    families = ["on_demand", *(["spot"] if "spot" in known else []), "reserved_{1,3}y_{no,partial,all}_upfront"]
    families += PLANS_IN_SHORT if "spot" in known else DATABASE_TERMS[-1:]
    hint = did_you_mean(name, list(known))
    return f"no term {name[:60]!r}{hint}{' ' if hint else '; '}known are {', '.join(families)}"


class Currency(Part):
    """A currency in which reports also show totals. Figures, gates, budget and differences stay in US dollars."""

    code: Annotated[str, matching(r"^[A-Z]{3}$", "three capital letters (ISO 4217), such as EUR", 40)]
    units_per_usd: Positive
    """How much of the currency one US dollar is."""
    as_of: Annotated[str, matching(r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", "a day, YYYY-MM-DD", 40)]
    """The day of the rate."""
    source: Annotated[str, Field(min_length=1, max_length=200)]
    """Who publishes the rate, such as ECB reference rate."""

    @field_validator("code")
    @classmethod
    def _is_another(cls, code: str) -> str:
        if code == "USD":
            raise ValueError("everything is in USD already: name another currency, or leave the block out")
        return code

    @field_validator("as_of")
    @classmethod
    def _is_a_day(cls, as_of: str) -> str:
        try:
            date.fromisoformat(as_of)
        except ValueError:
            raise ValueError(f"there is no day {as_of}") from None
        return as_of

    def amount(self, usd: Decimal) -> Decimal:
        """Return an amount of US dollars in this currency."""
        return usd * Decimal(str(self.units_per_usd))


class Autoscaling(Part):
    """The targets and speeds of the API's HorizontalPodAutoscaler."""

    target_latency_s_p95: Positive = default("autoscaling.target_latency_s_p95")
    target_memory_percent: Percent = default("autoscaling.target_memory_percent")
    scale_up_window_s: Annotated[int, Field(ge=0, le=3600)] = default("autoscaling.scale_up_window_s")
    scale_up_percent: Annotated[int, Field(ge=1, le=10_000)] = default("autoscaling.scale_up_percent")
    scale_up_period_s: Annotated[int, Field(ge=1, le=1800)] = default("autoscaling.scale_up_period_s")
    scale_down_window_s: Annotated[int, Field(ge=0, le=3600)] = default("autoscaling.scale_down_window_s")


class Budget(Part):
    """What 1000 users may cost a month, and which users and which cost are meant."""

    usd_per_1000_users_month: Positive = default("budget.usd_per_1000_users_month")
    users: Literal["peak", "average", "registered"] = default("budget.users")
    """Which users the cost is divided by."""
    level: Literal["floor", "average", "peak", "ceiling"] = default("budget.level")
    """Which point of the cost band is divided."""


class Scenario(Part):
    """What an engineer knows and wants: users, behaviour, loads, tiers, terms, budget and gates."""

    schema_version: Literal[1]
    name: Name
    description: Text = ""
    application: Name | None = None
    """What the emitted objects are called after; the scenario's name if left out."""
    cloud: Key = "aws"
    region: ShapeName = "us-east-1"
    method: Literal["rules", "slo"] = default("method")
    """rules: the performance plan's formulas. slo: the least fleet that meets every load's latency."""
    rounding: Literal["up", "down"] = default("rounding")
    """How the rules divide users by users a node: up leaves nobody without a node; down is the plan as written."""
    users: UserCounts
    behaviour: Behaviour
    timing: Timing = _all_defaults()
    websocket: WebSocketUse = _all_defaults()
    loads: Annotated[dict[Key, LoadLevel], Field(max_length=20)] = {}
    tiers: Tiers = _all_defaults()
    availability: Availability = _all_defaults()
    purchase: Purchase = _all_defaults()
    autoscaling: Autoscaling = _all_defaults()
    budget: Budget = _all_defaults()
    gates: Annotated[dict[Text, Annotated[list[Gate], Field(min_length=1, max_length=10)]], Field(max_length=50)] = {}
    """Limits on figures, in k6's style: cost_usd_per_1000_users_month: ["< 50"]."""
    currency: Currency | None = None
    """Another currency to show totals in, beside US dollars."""

    @field_validator("gates")
    @classmethod
    def _known_figures(cls, gates: dict[str, list[str]]) -> dict[str, list[str]]:
        for figure in gates:
            if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", figure):
                raise ValueError(f"{figure!r} is not a figure's name, such as cost_usd_per_1000_users_month")
        return gates

    @model_validator(mode="after")
    def _budget_has_users(self) -> Self:
        if self.budget.users == "registered" and self.users.registered is None:
            raise ValueError("budget.users is registered, but users.registered is not given")
        return self

    @model_validator(mode="after")
    def _plan_covers_the_cache(self) -> Self:
        plans = [term.term for term in self.purchase.terms("cache") if term.term.startswith("database_sp")]
        if plans and self.tiers.cache.engine != "valkey":
            raise ValueError(
                f"purchase.cache is {plans[0]}, but AWS Database Savings Plans cover Valkey, not Redis: set "
                "tiers.cache.engine to valkey"
            )
        return self

    @property
    def latency_limits_ms(self) -> tuple[float, ...]:
        """Every latency this scenario sets a limit to: its loads', its gates' and the autoscaler's, ascending."""
        limits = {float(Decimal(str(self.autoscaling.target_latency_s_p95)) * 1000)}
        for load in self.loads.values():
            limits |= {load.latency_ms_p95, *([] if load.latency_ms_p99 is None else [load.latency_ms_p99])}
        gates = (gate for figure, listed in self.gates.items() if figure.startswith("latency_ms_") for gate in listed)
        limits |= {float(gate.split()[1]) for gate in gates}
        return tuple(sorted(limits))

    def with_users(self, peak: int, average: int) -> Self:
        """Return this scenario for other user counts, everything else unchanged. Registered users scale with the peak.

        Raises pydantic.ValidationError when average exceeds peak.
        """
        old = self.users
        registered = None if old.registered is None else max(peak, round(old.registered * peak / old.peak))
        users = UserCounts.model_validate(
            {**{name: getattr(old, name) for name in old.model_fields_set}, "peak": peak, "average": average}
            | ({} if registered is None else {"registered": registered})
        )
        return self.model_copy(update={"users": users})


def fields(part: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted path, value) of every leaf of a scenario that is a plain value."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        where = f"{path}.{name}" if path else name
        if isinstance(value, BaseModel):
            yield from fields(value, where)
        elif not isinstance(value, dict):
            yield where, value
