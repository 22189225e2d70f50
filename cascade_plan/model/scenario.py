"""The scenario: what an engineer knows and wants, as YAML holds it.

Every field that has a default takes it from `defaults.py`, where its source stands. Annotations are evaluated here, at
definition: pydantic would evaluate postponed ones at every start.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cascade_plan.model.defaults import NASA_WEEKDAY
from cascade_plan.model.defaults import value as default
from cascade_plan.units import Count, NonNegative, Percent, Positive, Share, Users, matching

SCHEMA_VERSION: Final = 1
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
Term = Literal[
    "on_demand",
    "spot",
    "reserved_1y_no_upfront",
    "reserved_1y_partial_upfront",
    "reserved_1y_all_upfront",
    "reserved_3y_no_upfront",
    "reserved_3y_partial_upfront",
    "reserved_3y_all_upfront",
]
TERMS: Final[tuple[str, ...]] = get_args(Term)
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
    latency_ms_p95: Positive
    latency_ms_p99: Positive | None = None


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
    port: Annotated[int, Field(ge=1, le=65_535)] = default("tiers.websocket.port")
    domain: Domain | None = None
    """What follows the nodes' names ws-node-1, ws-node-2, ... in DNS; nothing if left out."""


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


class PoolTier(Part):
    """The connection pool in front of the primary."""

    users_per_connection: Count = default("tiers.pool.users_per_connection")
    connections: Count | None = None


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
    scrape_interval_s: Positive = default("tiers.monitoring.scrape_interval_s")
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
    """How the instances of each tier are paid. A reservation covers what runs all month; the rest is on demand."""

    api: Term = "on_demand"
    websocket: Term = "on_demand"
    database: Term = "on_demand"
    cache: Term = "on_demand"
    monitoring: Term = "on_demand"


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
