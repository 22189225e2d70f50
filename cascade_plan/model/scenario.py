"""The scenario: what an engineer knows and wants, as YAML holds it.

Every default stands at its field with its kind and source. Annotations are evaluated here, at definition: pydantic
would evaluate postponed ones at every start.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from math import ceil
from typing import Annotated, Any, Final, Literal, NamedTuple, Self, TypeVar

from pydantic import (
    BaseModel,
    Field,
    FieldSerializationInfo,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from cascade_plan.errors import did_you_mean
from cascade_plan.files.documents import shown
from cascade_plan.model import tier
from cascade_plan.model import uncertainty as unsure
from cascade_plan.model.calibration import Calibrated
from cascade_plan.model.defaults import PLAN, Default, default, default_of
from cascade_plan.model.emit import Emit
from cascade_plan.model.forecasting import Forecasting
from cascade_plan.model.growth import USERS_MOST, Connected, Growth, month_of
from cascade_plan.model.optimize import Optimize
from cascade_plan.model.part import (
    FieldName,
    FileName,
    Gate,
    HeaderName,
    Key,
    Label,
    Name,
    Part,
    Region,
    Request,
    ShapeName,
    Text,
    all_defaults,
)
from cascade_plan.units import (
    HOURS_PER_MONTH,
    BytesOrZero,
    Count,
    Milliseconds,
    Percent,
    PerSecond,
    Seconds,
    Share,
    Usd,
    Users,
    Weight,
    WeightOrZero,
    matching,
)

SCHEMA_VERSION: Final = 1
NOT_REGISTERED: Final = "budget.users is registered, but users.registered is not given"
USERS_PEAK: Final = "users_peak"
"""What figures call the load of all users at peak, which every plan has."""
NASA_WEEKDAY: Final = (
    0.415, 0.343, 0.309, 0.262, 0.226, 0.232, 0.262, 0.434, 0.684, 0.820, 0.845, 0.922,
    0.972, 0.986, 1.000, 0.996, 0.954, 0.753, 0.598, 0.532, 0.501, 0.512, 0.497, 0.488,
)  # fmt: skip
"""Mean requests of each weekday hour over the busiest one, NASA-HTTP log of July 1995 (Arlitt & Williamson 1996)."""
PROFILES: Final[dict[str, tuple[float, ...]]] = {"weekday": NASA_WEEKDAY, "flat": (1.0,) * 24}
Gates = Annotated[list[Gate], Field(min_length=1, max_length=10)]
Queries = Annotated[int, Field(ge=0, le=1000)]
S = TypeVar("S", bound=tier.Settings)


class TraceFile(Part):
    """A file of how many requests came when, as Grafana, CloudWatch, Prometheus or `uniq -c` write it."""

    file: Text = Field(examples=["requests.csv"])
    """Its path, relative to the scenario's file."""
    column: Text | None = Field(default=None, examples=["POST /orders"])
    """Which of several columns or series it is."""
    sum: bool = Field(default=False, examples=[True])
    """Whether several columns or series are added."""
    unit: Literal["count", "rate"] | None = Field(default=None, examples=["rate"])
    """Whether its numbers are counts of an interval or requests a second; left out, the file tells."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.sum and self.column is not None:
            raise ValueError("give column or sum, not both")
        return self


def _says(part: Part, name: str) -> bool:
    """Return whether a field says another thing than by default; a saved scenario gives them all."""
    return name in part.model_fields_set and getattr(part, name) != type(part).model_fields[name].get_default()


class UserCounts(Part):
    """How many people there are, and when they come."""

    peak: Users = Field(examples=[10_000])
    """Most users connected at the same time."""
    average: Users = Field(examples=[3000])
    """Users connected at the same time, averaged over the day."""
    registered: Users | None = Field(default=None, examples=[50_000])
    """Users with an account, if known."""
    average_before: Annotated[list[Users], Field(min_length=1, max_length=119)] | None = Field(
        default=None, examples=[[2600, 2800]]
    )
    """Users on average in each month before the month of the bill, the first one first: what accumulates was added by
    them. Left out, as many as now."""
    tenants: Count = default(100, "assumption", "the case study is multi-tenant and gives no number of tenants")
    """Customers that share the system."""
    active_share: Share = default(1.0, "plan", f"{PLAN}, load test: every simulated user acts all the time")
    """Share of the connected users who act with the think time below; the others only stay connected."""
    profile: Literal["weekday", "flat"] | Annotated[list[WeightOrZero], Field(min_length=24, max_length=24)] = default(
        "weekday",
        "measured",
        "hourly means of the NASA-HTTP log, weekdays of July 1995 (Arlitt & Williamson 1996)",
        examples=["flat"],
    )
    """Relative load of the 24 hours of a day: weekday, flat, or 24 numbers."""
    trace: Text | TraceFile | None = Field(default=None, examples=["requests.csv"])
    """A file of counts whose mean hours become the profile: its path, relative to the scenario's file, or a mapping."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.average > self.peak:
            raise ValueError(f"average ({self.average}) must not exceed peak ({self.peak})")
        if self.registered is not None and self.registered < self.peak:
            raise ValueError(f"registered ({self.registered}) must not be below peak ({self.peak})")
        if not isinstance(self.profile, str) and max(self.profile) <= 0:
            raise ValueError("profile must have at least one hour above 0")
        if self.trace is not None and _says(self, "profile"):
            raise ValueError("give profile or trace, not both")
        return self

    @property
    def trace_file(self) -> TraceFile | None:
        """The trace, also where its path alone is given."""
        return TraceFile(file=self.trace) if isinstance(self.trace, str) else self.trace

    @property
    def hourly_weights(self) -> tuple[float, ...]:
        """The profile's 24 hours over its busiest one."""
        if isinstance(self.profile, str):
            return PROFILES[self.profile]
        return tuple(weight / max(self.profile) for weight in self.profile)


class ThinkTime(Part):
    """Seconds between an answer and the same user's next request, uniform between two bounds."""

    min: Seconds = default(1.0, "plan", f"{PLAN}, load test: wait_time = between(1, 3)")
    """Shortest pause."""
    max: Seconds = default(3.0, "plan", f"{PLAN}, load test: wait_time = between(1, 3)")
    """Longest pause."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise ValueError(f"max ({self.max}) must not be below min ({self.min})")
        return self

    @property
    def mean(self) -> float:
        """Mean seconds between an answer and the next request: uniform between min and max."""
        return (self.min + self.max) / 2

    @property
    def steadiness(self) -> float:
        """E[min(Z, Z')] / E[Z] of two of them: 1 where all are as long."""
        return (self.min + (self.max - self.min) / 3) / self.mean


class Action(Part):
    """A request users make, what it moves, what it stores, and what it asks of whom."""

    weight: Weight = Field(examples=[3])
    """How often the action is chosen, relative to the others."""
    request: Request = Field(examples=["GET /api/v1/orders"])
    """Method and path, such as GET /api/v1/orders."""
    request_bytes: BytesOrZero = default(200, "assumption", "a small JSON body")
    """Body the client sends."""
    response_bytes: BytesOrZero = default(500, "assumption", "a small JSON body")
    """Body the server answers with."""
    database_bytes: BytesOrZero = default(0, "assumption", "an action stores nothing unless the scenario says so")
    """Growth of the database for each request."""
    object_bytes: BytesOrZero = default(0, "assumption", "an action stores no object unless the scenario says so")
    """Growth of the object store for each request: a load test sends a file of that size in a form."""
    json_field: FieldName = default("content", "assumption", "what a message's text is often called")
    """The field of its JSON body that a load test fills until the body has request_bytes."""
    form_field: Key | None = Field(default=None, examples=["room_id"])
    """A field beside the file in that form, which carries the number of the user's room, or of the user."""
    file_name: FileName = default("loadtest.bin", "assumption", "says where the file came from")
    """What that file is called; its media type follows from the end of its name."""
    publishes: bool = Field(default=False, examples=[True])
    """Whether the action is broadcast over the WebSockets."""
    audience: Literal["room", "tenant"] = default("room", "plan", f"{PLAN}, channels: workroom:{{workroom_id}}:updates")
    """Who receives what it publishes: the other members of its room, or everyone of the tenant who is connected."""
    at: Key | None = Field(default=None, examples=["search"])
    """The service (a tier of kind api) that answers it; the first one if left out."""
    cpu_ms: Milliseconds = default(
        1.0, "assumption", "5,000 users at 2 s think time on the 3.69 cores a 4 vCPU node leaves: 68% busy at 1 ms"
    )
    """CPU time of its service for one request, on one core."""
    read_ms: Milliseconds | None = Field(default=None, examples=[3.4])
    """CPU time of one of its reads, in place of its database's."""
    write_ms: Milliseconds | None = Field(default=None, examples=[0.8])
    """CPU time of one of its writes, in place of its database's."""
    read_count: Queries = default(1, "assumption", "one query that reads")
    """Queries that read the first database; those the cache answers do not reach it."""
    write_count: Queries = default(0, "assumption", "an action writes nothing unless the scenario says so")
    """Queries that write to the first database."""
    reads: dict[Key, Queries] | None = Field(default=None, examples=[{"database": 2, "reports": 1}])
    """In place of read_count, queries that read by database: {database: 2, reports: 1}."""
    writes: dict[Key, Queries] | None = Field(default=None, examples=[{"database": 1}])
    """In place of write_count, queries that write by database."""
    n_plus_one_query_count: Queries = default(0, "assumption", "no rows fetched one by one unless the scenario says so")
    """Queries more, one for each row, as long as its database's n_plus_one is true; the lateral join makes them one."""
    cache: Key | None = Field(default=None, examples=["off"])
    """The cache that its reads ask first: the first one if left out, off for none."""
    jobs: dict[Key, Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]] = Field(
        default_factory=dict, examples=[{"worker": 1}]
    )
    """Jobs that one request leaves to workers, by worker: {worker: 1}."""

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        for short, long in (("read_count", "reads"), ("write_count", "writes")):
            if getattr(self, long) is not None and _says(self, short):
                raise ValueError(f"give {short} or {long}, not both")
        return self


class Login(Part):
    """The request by which a test account becomes known, for an answer that holds a bearer token."""

    request: Annotated[
        str, matching(r"^POST /[A-Za-z0-9._~/?=&-]*$", "POST and a path, POST /api/v1/auth/login", 500)
    ] = Field(examples=["POST /api/v1/auth/login"])
    """Its path; it is sent by POST, as JSON."""
    user: Text = default("user{user}@tenant{tenant}.example", "assumption", "addresses that reach nobody (RFC 2606)")
    """What the test accounts are called: {user} is the account's number, {tenant} its tenant's."""
    user_field: FieldName = default("email", "assumption", "most accounts are known by an address")
    """The field of the request that says who."""
    password_field: FieldName = default("password", "assumption", "what most call it")
    """The field of the request that proves it."""
    token_field: FieldName = default("token", "assumption", "OAuth 2.0 calls it access_token (RFC 6749, 5.1)")
    """The field of the answer that holds the token."""


class Behaviour(Part):
    """What an acting user does, and how it is known."""

    think_time_s: ThinkTime = all_defaults()
    """Pause between an answer and the same user's next request."""
    actions: Annotated[dict[Key, Action], Field(min_length=1, max_length=100)] = Field(
        examples=[{"list": {"weight": 1, "request": "GET /things"}}]
    )
    """What users do, by name."""
    login: Login | Literal["token", "none"] = default(
        "token", "assumption", "an API takes a bearer token; who gives it out is often another's", examples=["none"]
    )
    """How a load test's users are known: by a login of each, by a bearer token of all, or not at all."""
    tenant_header: HeaderName | None = default(
        "X-Tenant-ID", "assumption", "a common name for it", examples=["X-Tenant-ID"]
    )
    """The header that says a user's tenant; null for none."""
    header_bytes: BytesOrZero = default(
        400, "assumption", "request or response headers after HPACK, with a bearer token; measure yours"
    )
    """Headers of a request, and of a response."""
    measured_on: ShapeName | None = default(
        None, "assumption", "a vCPU of speed 1 in the catalogue: on AWS Graviton2's (m6g, c6g, r6g, t4g)",
        examples=["m7i.large"],
    )  # fmt: skip
    """The instance type that all CPU times of the scenario were measured on: on faster ones they are shorter."""

    @property
    def mix(self) -> tuple[tuple[float, Action], ...]:
        """(share of all requests, action) of every action."""
        total = sum(action.weight for action in self.actions.values())
        return tuple((action.weight / total, action) for action in self.actions.values())


class Load(NamedTuple):
    """A named load in numbers: how many users a load test drives, how fast they come, and what they must find."""

    users: int
    spawn_rate_per_s: float
    duration_s: float
    latency_ms_p95: float
    latency_ms_p99: float | None
    failure_ratio_max: float


class LoadTest(Part):
    """A named load: what a load test drives, as a share of the peak or in users, and what latency it must meet."""

    share: Annotated[float, Field(ge=1e-6, le=100, allow_inf_nan=False)] | None = Field(default=None, examples=[0.5])
    """Users who act at the same time, as a share of users.peak: 1.0 follows the peak whatever it is."""
    users: Users | None = Field(default=None, examples=[10_000])
    """In place of share, users who act at the same time, whatever the peak is."""
    ramp_s: Seconds | None = Field(default=None, examples=[100])
    """Seconds in which the users come, evenly."""
    spawn_rate_per_s: PerSecond | None = Field(default=None, examples=[100])
    """In place of ramp_s, users who start each second until all are there."""
    duration_s: Seconds = Field(examples=[300])
    """How long all its users are there; they come before, at the spawn rate."""
    latency_ms_p95: Milliseconds = Field(examples=[300])
    """95 of 100 answers must come within this."""
    latency_ms_p99: Milliseconds | None = Field(default=None, examples=[500])
    """99 of 100 answers must come within this."""
    failure_ratio_max: Share = default(
        0.01, "cited", "k6's own example, rate<0.01, https://grafana.com/docs/k6/latest/using-k6/thresholds/"
    )
    """Most of its requests that may fail."""

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        for one, other in (("share", "users"), ("ramp_s", "spawn_rate_per_s")):
            if (getattr(self, one) is None) == (getattr(self, other) is None):
                raise ValueError(f"give {one} or {other}, and not both")
        return self

    def at(self, peak: int) -> Load:
        """Return the load in numbers where so many users are there at peak; of a share at least one user."""
        users = self.users if self.share is None else max(1, ceil(round(self.share * peak, 6)))
        assert users is not None, "users or share is given"
        rate = self.spawn_rate_per_s or users / (self.ramp_s or 1.0)
        return Load(users, rate, self.duration_s, self.latency_ms_p95, self.latency_ms_p99, self.failure_ratio_max)


class Losses(NamedTuple):
    """What one word for availability asks for."""

    zones: int
    has_standby: bool
    lost_zone_count: int
    lost_node_count: int
    node_count: int
    """Nodes of every kind at least."""
    replica_count: int
    """Read replicas of a database at least."""
    copy_count: int
    """Copies of each cache master."""
    nat_gateway_per_zone: bool


AVAILABILITY: Final[Mapping[str, Losses]] = {
    "minimal": Losses(2, False, 0, 0, 1, 0, 0, False),
    "standard": Losses(2, True, 1, 0, 2, 0, 1, True),
    "critical": Losses(3, True, 1, 1, 3, 1, 1, True),
}
"""What each word asks for; every value can be given on its own (assumption; spelled out in docs/scenario.md)."""


class Availability(Part):
    """Which losses the fleet survives: minimal, standard or critical, or a mapping that starts from one of them.

    minimal: one of everything, in two zones for the load balancer's sake; a loss is an outage until it is replaced.
    standard: two of everything in two zones, a standby of the database, a copy of the cache; survives the loss of a
    zone. critical: three of everything in three zones, read replicas too; survives the loss of a zone and a node more.
    """

    level: Literal["minimal", "standard", "critical"] = default(
        "standard", "assumption", "the loss of one zone must not break the SLO"
    )
    """What is not given below is as this word says."""
    zones: Annotated[int, Field(ge=1, le=6)] | None = Field(default=None, examples=[3])
    """Zones the fleet is spread over."""
    multi_az: bool | None = Field(default=None, examples=[True])
    """A standby of the primary database in another zone."""
    lost_zone_count: Annotated[int, Field(ge=0, le=5)] | None = Field(default=None, examples=[1])
    """Zones whose loss the method slo sizes for; with one zone there is none to lose."""
    lost_node_count: Annotated[int, Field(ge=0, le=100)] | None = Field(default=None, examples=[1])
    """Nodes more that may be lost at the same time, of each tier."""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"level": given}
        if not isinstance(given, Mapping | Availability):
            raise ValueError(f"must be {', '.join(AVAILABILITY)}, or a mapping, got {shown(given)}")
        return given

    @property
    def asked(self) -> Losses:
        """What is asked for: the word's values, with those given on their own in their place."""
        word = AVAILABILITY[self.level]
        own = {"zones": self.zones, "has_standby": self.multi_az, "lost_zone_count": self.lost_zone_count,
               "lost_node_count": self.lost_node_count}  # fmt: skip
        given: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
        return word._replace(**given)


class Currency(Part):
    """A currency in which reports also show totals. Figures, gates, budget and differences stay in US dollars."""

    code: Annotated[str, matching(r"^[A-Z]{3}$", "three capital letters (ISO 4217), such as EUR", 40)] = Field(
        examples=["EUR"]
    )
    """The currency's code (ISO 4217)."""
    units_per_usd: Usd = Field(examples=[0.92])
    """How much of the currency one US dollar is."""
    as_of: Annotated[str, matching(r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", "a day, YYYY-MM-DD", 40)] = Field(
        examples=["2026-11-01"]
    )
    """The day of the rate."""
    source: Annotated[str, Field(min_length=1, max_length=200)] = Field(examples=["ECB reference rate"])
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


Metric = Literal["latency", "memory", "cpu", "requests"]
"""What an HPA may read: the pods' p95, memory and CPU over what they request, requests/s of each pod."""


class Autoscaling(Part):
    """What every service's HorizontalPodAutoscaler reads, its targets and its speeds."""

    metrics: Annotated[list[Metric], Field(min_length=1, max_length=4)] = default(
        ["cpu"],
        "measured",
        "CPU rises with the load before the pods are full, and needs no adapter; docs/model.md, Scaling over time",
        examples=[["cpu"]],
    )
    """What the autoscaler reads; of several the one that asks for most pods decides."""
    target_latency_s_p95: Seconds = default(0.2, "plan", f'{PLAN}, HPA: averageValue "0.2"')
    """latency: pods are added above this p95."""
    target_memory_percent: Percent = default(70, "plan", f"{PLAN}, HPA: memory averageUtilization 70")
    """memory: pods are added above this share of the memory that they request."""
    target_busy_ratio: Annotated[Share, Field(ge=0.01)] = default(
        0.6, "assumption", "room for what comes while a node and a pod start"
    )
    """cpu and requests: pods are added above this share of what a pod can do when it never rests."""
    target_cpu_percent: Annotated[int, Field(ge=1, le=10_000)] | None = default(
        None, "assumption", "target_busy_ratio of the CPU that a busy pod uses", examples=[70]
    )
    """cpu: pods are added above this share of the CPU that they request."""
    target_requests_per_s: PerSecond | None = default(
        None, "assumption", "target_busy_ratio of what a busy pod answers", examples=[100]
    )
    """requests: pods are added above this rate of each."""
    memory_idle_ratio: Share = default(0.5, "assumption", "a runtime with its libraries and caches; measure yours")
    """Share of the memory it requests that a pod takes before its first load."""
    memory_busy_ratio: Share = default(0.65, "assumption", "and its heap under load; measure yours")
    """Share that it takes when busy."""
    memory_is_returned: bool = default(
        False,
        "assumption",
        "most runtimes keep the heap of their busiest hour, https://github.com/kubernetes/kubernetes/issues/78761",
    )
    """Whether a pod gives the memory of a peak back after it: only then does memory follow the load."""
    scale_up_window_s: Annotated[int, Field(ge=0, le=3600)] = default(
        60, "plan", f"{PLAN}, HPA: scaleUp stabilizationWindowSeconds 60"
    )
    """How long more pods must have been asked for before they are added."""
    scale_up_percent: Annotated[int, Field(ge=1, le=10_000)] = default(100, "plan", f"{PLAN}, HPA: Percent 100")
    """Pods added in one period at most, of those there are."""
    scale_up_period_s: Annotated[int, Field(ge=1, le=1800)] = default(60, "plan", f"{PLAN}, HPA: periodSeconds 60")
    """Length of that period."""
    scale_down_window_s: Annotated[int, Field(ge=0, le=3600)] = default(
        300, "plan", f"{PLAN}, HPA: scaleDown stabilizationWindowSeconds 300"
    )
    """How long fewer pods must have been enough before some are removed."""
    scale_down_percent: Annotated[int, Field(ge=1, le=100)] = default(
        10, "assumption", "a lull of some minutes does not take the pods away that its end needs; the plan gives none"
    )
    """Pods removed in one period at most, of those there are."""
    scale_down_period_s: Annotated[int, Field(ge=1, le=1800)] = default(
        60, "assumption", "half of the pods in 7 minutes: the load of a day falls slower; the plan gives none"
    )
    """Length of that period."""

    @field_validator("metrics")
    @classmethod
    def _once_each(cls, metrics: list[Metric]) -> list[Metric]:
        for metric in metrics:
            if metrics.count(metric) > 1:
                raise ValueError(f"names {metric} twice")
        return metrics

    @model_validator(mode="after")
    def _memory_grows(self) -> Self:
        if self.memory_busy_ratio < self.memory_idle_ratio:
            raise ValueError(
                f"memory_busy_ratio ({self.memory_busy_ratio:g}) must not be below memory_idle_ratio "
                f"({self.memory_idle_ratio:g})"
            )
        return self

    @property
    def memory_resting_ratio(self) -> float:
        """The share of its request that a pod's memory takes after a peak."""
        return self.memory_idle_ratio if self.memory_is_returned else self.memory_busy_ratio


class Budget(Part):
    """What 1000 users, or everything, may cost a month, and which users and which cost are meant."""

    usd_per_1000_users_month: Usd | None = Field(default=None, examples=[50])
    """Most that 1000 users may cost a month."""
    usd_per_month: Usd | None = Field(default=None, examples=[3000])
    """Most that everything may cost a month."""
    usd_per_fiscal_year: Usd | None = Field(default=None, examples=[60_000])
    """Most that everything may cost in a fiscal year; `forecast` says in which it does not."""
    users: Literal["peak", "average", "registered"] = default(
        "peak", "assumption", "concurrent users at peak: what the fleet is sized for"
    )
    """Which users the cost is divided by."""
    level: Literal["floor", "average", "peak", "ceiling"] = default(
        "average", "assumption", "the bill of a month as the load moves over the day"
    )
    """Which point of the cost band is meant."""

    @property
    def limits(self) -> Mapping[str, float]:
        """The figures that the budget limits, each with its limit; none where it names none."""
        given = {
            "cost_usd_per_1000_users_month": self.usd_per_1000_users_month,
            f"cost_usd_per_month.{self.level}": self.usd_per_month,
        }
        return {figure: limit for figure, limit in given.items() if limit is not None}

    def usd_per_month_most(self, users: UserCounts) -> Decimal | None:
        """Return what a month may cost: the lower of the limits it names; None where it names none."""
        limits = []
        if self.usd_per_month is not None:
            limits.append(Decimal(str(self.usd_per_month)))
        if self.usd_per_1000_users_month is not None:
            count: int = getattr(users, self.users)
            limits.append(Decimal(str(self.usd_per_1000_users_month)) * count / 1000)
        return min(limits, default=None)


class Scenario(Part):
    """What an engineer knows and wants: users, behaviour, loads, tiers, budget and gates."""

    schema_version: Literal[1] = Field(examples=[1])
    """The version of this format."""
    name: Name = Field(examples=["cascade"])
    """What reports call the scenario."""
    description: Text = Field(default="", examples=["Chat for 300 offices."])
    """One sentence for a reader of the reports."""
    tags: Annotated[dict[Key, Label], Field(max_length=20)] = Field(
        default_factory=dict, examples=[{"team": "payments", "stage": "prod"}]
    )
    """What the system is counted under, such as a team or a product: `portfolio` says the totals of each."""
    application: Name | None = Field(default=None, examples=["cascade"])
    """What the emitted objects are called after; the scenario's name if left out."""
    cloud: Key = "aws"
    """The cloud that everything is bought from."""
    region: Region = Field(default="us-east-1", examples=["eu-west-1"])
    """The cloud's region, whose prices are taken."""
    method: Literal["rules", "slo"] = default("rules", "plan", f"{PLAN}, cost calculator")
    """rules: so many users a node. slo: the least fleet that meets every load's latency."""
    rounding: Literal["up", "down"] = default(
        "up", "assumption", "rounding down leaves up to 4,999 users without a node; see docs/seed.md"
    )
    """How the rules divide users by users a node: up leaves nobody without a node; down is the plan as written."""
    month: Annotated[int, Field(ge=1, le=120)] = default(
        1, "assumption", "the first; what accumulates is said for the mean of the first year and for its end besides"
    )
    """The month of the system's life that the bill is of: data, objects and logs accumulate until then."""
    hours_per_month: Annotated[int, Field(ge=672, le=744)] = default(
        HOURS_PER_MONTH, "cited", "365 x 24 / 12, as AWS's own calculators have it, https://calculator.aws/"
    )
    """Hours of the month that the bill is of: 730 on average, 744 of a month with 31 days."""
    users: UserCounts = Field(examples=[{"peak": 10_000, "average": 3000}])
    """How many users there are, and when."""
    behaviour: Behaviour = Field(examples=[{"actions": {"list": {"weight": 1, "request": "GET /things"}}}])
    """What they do."""
    loads: Annotated[dict[Key, LoadTest], Field(max_length=20)] = Field(
        default_factory=dict,
        examples=[{"peak": {"share": 1.0, "ramp_s": 100, "duration_s": 300, "latency_ms_p95": 300}}],
    )
    """Load tests by name, each with the latency it must meet."""
    tiers: dict[Key, tier.Settings] = Field(
        default={name: {} for name in tier.STANDARD},
        validate_default=True,
        examples=[{"api": {}, "search": {"kind": "api"}, "database": {}, "websocket": "off"}],
    )
    """What is sized, by name. What is off or not named is not there; without this field all standard tiers are."""
    availability: Availability = all_defaults(examples=["critical"])
    """Which losses the fleet survives: minimal, standard, critical, or a mapping."""
    autoscaling: Autoscaling = all_defaults()
    """How services scale."""
    budget: Budget = all_defaults()
    """What the system may cost."""
    emit: Emit = all_defaults(examples=[{"nodes": "terraform"}])
    """Which files are written where there are several ways."""
    growth: Growth = all_defaults(examples=[{"percent_per_month": 8.0}])
    """How the users grow after the first month."""
    forecast: Forecasting = all_defaults(examples=[{"start": "2027-01", "months": 36}])
    """What `forecast` looks at."""
    optimize: Optimize = all_defaults(examples=[{"keep": ["tiers.database.shape"], "commitment_years_max": 1}])
    """What the search for the cheapest fleet may choose."""
    gates: Annotated[dict[Text, Annotated[list[Gate], Field(min_length=1, max_length=10)]], Field(max_length=50)] = (
        Field(default_factory=dict, examples=[{"cost_usd_per_1000_users_month": ["< 50"]}])
    )
    """Limits on figures, in k6's style: cost_usd_per_1000_users_month: ["< 50"]. Those on a bill, such as
    variance_percent.total: ["< 12"], `actuals` judges."""
    uncertainty: unsure.Laws = Field(
        default_factory=dict,
        examples=[{"behaviour.actions.*.cpu_ms": {"lognormal": 0.5}, "users.peak": {"p10": 8000, "p90": 14_000}}],
    )
    """How unsure numbers are, by dotted path, * for any name: a spread, or `certain`. Without an entry a number that
    only the running system tells is as unsure as its origin makes it, and what is decided is certain: docs/risk.md."""
    calibration: Text | dict[Text, Calibrated] | None = Field(default=None, examples=["calibration.yaml"])
    """A file that `calibrate` or `measure` wrote: its path, relative to the scenario's file. Its values take the place
    of those given here; flags, the environment and the project file are laid over them. A saved plan has the values."""
    currency: Currency | None = Field(
        default=None,
        examples=[{"code": "EUR", "units_per_usd": 0.92, "as_of": "2026-11-01", "source": "ECB reference rate"}],
    )
    """Another currency to show totals in, beside US dollars."""

    @field_validator("tiers", mode="plain")
    @classmethod
    def _instances(cls, given: Any, info: ValidationInfo) -> Any:
        return tier.instances(given, str(info.data.get("cloud", "")))

    @field_serializer("tiers")
    def _each_by_its_kind(self, tiers: dict[str, tier.Settings], info: FieldSerializationInfo) -> dict[str, Any]:
        """Return each instance with all its kind may say. SerializeAsAny cannot, where a class is not yet built."""
        return {name: each.model_dump(mode=info.mode, exclude_unset=info.exclude_unset) for name, each in tiers.items()}

    @field_validator("gates")
    @classmethod
    def _known_figures(cls, gates: dict[str, list[str]]) -> dict[str, list[str]]:
        for figure in gates:
            if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", figure):
                raise ValueError(f"{figure!r} is not a figure's name, such as cost_usd_per_1000_users_month")
        return gates

    @field_validator("loads")
    @classmethod
    def _named_apart(cls, loads: dict[str, LoadTest]) -> dict[str, LoadTest]:
        if USERS_PEAK in loads:
            raise ValueError(f"{USERS_PEAK} is the peak itself, in every plan: call the load something else")
        return loads

    @model_validator(mode="after")
    def _zones_are_named(self) -> Self:
        named, asked = self.emit.zone_names, self.availability.asked.zones
        if named is not None and len(named) != asked:
            raise ValueError(f"emit.zone_names has {len(named)} zones, and availability asks for {asked}")
        return self

    @model_validator(mode="after")
    def _kept_is_there(self) -> Self:
        if problems := list(self._not_kept()):
            raise ValidationError.from_exception_data("Scenario", problems)
        return self

    def _not_kept(self) -> Iterator[InitErrorDetails]:
        """Yield a problem for each path to keep that is no tier of the scenario, and no setting of one."""
        for at, path in enumerate(self.optimize.keep):
            if message := self._misses(path.split(".")[1:]):
                error = PydanticCustomError("value_error", "{error}", {"error": message})
                yield InitErrorDetails(type=error, loc=("optimize", "keep", at), input=path)
        for at, name in enumerate(self.optimize.burstable or ()):
            if message := self._misses([name]):
                error = PydanticCustomError("value_error", "{error}", {"error": message})
                yield InitErrorDetails(type=error, loc=("optimize", "burstable", at), input=name)

    def _misses(self, names: list[str]) -> str:
        """Return which of the names from a tier on there is not, with the nearest; "" where there are all."""
        part: Any = self.tiers
        for name in names:
            known = list(part) if isinstance(part, Mapping) else list(getattr(type(part), "model_fields", ()))
            if name not in known:
                what = "tier" if part is self.tiers else "setting"
                return f"there is no {what} {name!r} here{did_you_mean(name, known)}"
            part = part[name] if isinstance(part, Mapping) else getattr(part, name)
        return ""

    @model_validator(mode="after")
    def _budget_has_users(self) -> Self:
        if self.budget.users == "registered" and self.users.registered is None:
            raise ValueError(NOT_REGISTERED)
        return self

    @model_validator(mode="after")
    def _months_before_are_all_said(self) -> Self:
        before = self.users.average_before
        if before is not None and len(before) != self.month - 1:
            raise ValueError(
                f"users.average_before has {len(before)} months, and month is {self.month}: give {self.month - 1}"
            )
        return self

    @model_validator(mode="after")
    def _actions_ask_who_is_there(self) -> Self:
        if problems := list(self._unanswered()):
            raise ValidationError.from_exception_data("Scenario", problems)
        return self

    @model_validator(mode="after")
    def _unsure_numbers_are_there(self) -> Self:
        if self.uncertainty and (found := list(unsure.problems(self.uncertainty, list(numbers(self))))):
            details = [
                InitErrorDetails(
                    type=PydanticCustomError("value_error", "{error}", {"error": message}),
                    loc=("uncertainty", pattern),
                    input=pattern,
                )
                for pattern, message in found
            ]
            raise ValidationError.from_exception_data("Scenario", details)
        return self

    def _unanswered(self) -> Iterator[InitErrorDetails]:
        """Yield a problem for each instance that an action names and the scenario does not have."""
        kinds = {name: settings.KIND for name, settings in self.tiers.items()}
        for name, action in self.behaviour.actions.items():
            for trail, target, message in unanswered(vars(action), kinds):
                error = PydanticCustomError("value_error", "{error}", {"error": message})
                yield InitErrorDetails(type=error, loc=("behaviour", "actions", name, *trail), input=target)

    @property
    def application_name(self) -> str:
        """What emitted objects are called after: the application, or the scenario's own name."""
        return self.application or self.name

    @property
    def driven(self) -> Mapping[str, Load]:
        """The named loads in numbers: shares are of the users at peak."""
        return {name: load.at(self.users.peak) for name, load in self.loads.items()}

    def acting(self, load: str) -> int | None:
        """Return the users who act in a load, or at the peak by the name that figures have for it; None of no load."""
        return self.users.peak if load == USERS_PEAK else self.driven[load].users if load in self.loads else None

    @property
    def strictest(self) -> tuple[float, float | None]:
        """The least p95 and p99 in ms that any load asks; without loads the autoscaler's target, and no p99."""
        if not self.loads:
            return self.autoscaling.target_latency_s_p95 * 1000, None
        p99 = [load.latency_ms_p99 for load in self.loads.values() if load.latency_ms_p99 is not None]
        return min(load.latency_ms_p95 for load in self.loads.values()), min(p99, default=None)

    def of(self, kind: str) -> Mapping[str, tier.Settings]:
        """Return the instances of a kind by name; none where it is off."""
        return {name: settings for name, settings in self.tiers.items() if kind == settings.KIND}

    def bought(self, name: str) -> str:
        """Return what an instance's nodes are to a cloud: those of a cache that you run yourself are machines."""
        settings = self.tiers[name]
        return "vm" if settings.KIND == "cache" and self.emit.cache == "self" else settings.BOUGHT

    def first(self, kind: str) -> str:
        """Return the name of the first instance of a kind, "" where it is off."""
        for name, settings in self.tiers.items():
            if kind == settings.KIND:
                return name
        return ""

    def all_of(self, settings_class: type[S]) -> Mapping[str, S]:
        """Return the instances of a kind by name, typed by the class of its settings."""
        return {name: each for name, each in self.tiers.items() if isinstance(each, settings_class)}

    def service(self, action: Action) -> str:
        """Return the name of the service that answers an action; "" where there is none."""
        return action.at or self.first("api")

    def cache(self, action: Action) -> str:
        """Return the name of the cache that an action's reads ask first; "" where there is none."""
        if action.cache is not None:
            return "" if action.cache == tier.OFF else action.cache
        return self.first("cache")

    def miss_ratio(self, action: Action) -> float:
        """Return the share of an action's reads that no cache answers."""
        cache = self.cache(action)
        return 1 - getattr(self.tiers[cache], "hit_ratio", 0.0) if cache else 1.0

    def reads(self, action: Action, database: str) -> int:
        """Return the reads of an action that are meant for a database, with its rows' while they are fetched singly."""
        return self._meant(action).get(database, 0) + self.rows(action, database)

    def rows(self, action: Action, database: str) -> int:
        """Return the reads of an action from a database that fetch one row each, while they are fetched singly."""
        singly = database == next(iter(self._meant(action)), "") and getattr(self.tiers[database], "n_plus_one", False)
        return action.n_plus_one_query_count if singly else 0

    def _meant(self, action: Action) -> Mapping[str, int]:
        return {self.first("database"): action.read_count} if action.reads is None else action.reads

    def all_reads(self, action: Action) -> int:
        """Return the reads of an action from all databases together; without any, those that a cache is asked alone."""
        if databases := self.of("database"):
            return sum(self.reads(action, name) for name in databases)
        return action.read_count

    def writes(self, action: Action, database: str) -> int:
        """Return the writes of an action to a database."""
        if action.writes is not None:
            return action.writes.get(database, 0)
        return action.write_count if database == self.first("database") else 0

    def stored_in(self, action: Action) -> str:
        """Return the database that an action stores its rows in: the first it writes to, else the first there is."""
        return next(iter(action.writes or {}), self.first("database"))

    @property
    def latency_limits_ms(self) -> tuple[float, ...]:
        """Every latency this scenario sets a limit to: its loads', its gates' and the autoscaler's, ascending."""
        limits = {float(Decimal(str(self.autoscaling.target_latency_s_p95)) * 1000)}
        for load in self.loads.values():
            limits |= {load.latency_ms_p95, *([] if load.latency_ms_p99 is None else [load.latency_ms_p99])}
        gates = (gate for figure, listed in self.gates.items() if figure.startswith("latency_ms_") for gate in listed)
        limits |= {float(gate.split()[1]) for gate in gates}
        return tuple(sorted(limits))

    def in_month(self, month: int) -> Self:
        """Return this scenario in a month of its life, with the users that it has then and had before.

        Raises UsageError where growth is by the calendar and `forecast.start` is not given.
        """
        start = None if self.forecast.start is None else month_of(self.forecast.start)
        return self.after(self.growth.months(month, self.users.peak, self.users.average, start))

    def after(self, months: Sequence[Connected]) -> Self:
        """Return this scenario in the last of some months from its first one on, each with its users.

        Raises pydantic.ValidationError where a month's average exceeds its peak.
        """
        now, before = months[-1], [each.average for each in months[:-1]]
        found = self.with_users(now.peak, now.average)
        changed: dict[str, Any] = {"average_before": before if set(before) - {now.average} else None}
        if now.registered is not None:
            changed["registered"] = now.registered
        return found.model_copy(update={"month": len(months), "users": found.users.model_copy(update=changed)})

    def with_users(self, peak: int, average: int) -> Self:
        """Return this scenario for other user counts, everything else unchanged.

        Registered users scale with the peak, those of months before with the average.
        Raises pydantic.ValidationError when average exceeds peak.
        """
        old = self.users
        follows: dict[str, Any] = {}
        if old.registered is not None:
            follows["registered"] = min(USERS_MOST, max(peak, round(old.registered * peak / old.peak)))
        if old.average_before is not None:
            follows["average_before"] = [max(1, round(each * average / old.average)) for each in old.average_before]
        given = {name: getattr(old, name) for name in old.model_fields_set}
        users = UserCounts.model_validate(given | {"peak": peak, "average": average} | follows)
        return self.model_copy(update={"users": users})


def unanswered(action: Mapping[str, Any], kinds: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield (place in the action, the name there, what is wrong) for each name of nobody that an action asks.

    `action` is its fields as a document or a model holds them, `kinds` the kind of each instance by its name.
    """
    for field, kind in (("at", "api"), ("cache", "cache"), ("reads", "database"), ("writes", "database"),
                        ("jobs", "worker")):  # fmt: skip
        given = action.get(field)
        named: list[tuple[tuple[str, ...], str]] = []
        if isinstance(given, str) and (field, given) != ("cache", tier.OFF):
            named = [((field,), given)]
        elif isinstance(given, Mapping):
            named = [((field, target), target) for target in given]
        known = [name for name, its_kind in kinds.items() if its_kind == kind]
        for trail, target in named:
            if target not in known:
                yield trail, target, tier.nobody(kind, known, target)


def value_at(scenario: Scenario, path: str) -> Any:
    """Return the value at a dotted path. Raises AttributeError or KeyError where there is none."""
    part: Any = scenario
    for step in _steps(path):
        part = part[step] if type(part) is dict else getattr(part, step)
    return part


def with_values(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """Return the scenario with the values at dotted paths replaced, unchecked. Raises as `value_at` does."""
    for path, value in values.items():
        scenario = _replaced(scenario, _steps(path), value)
    return scenario


def _replaced(part: Any, steps: tuple[str, ...], value: Any) -> Any:
    if not steps:
        return value
    if type(part) is dict:
        return {**part, steps[0]: _replaced(part[steps[0]], steps[1:], value)}
    return part.model_copy(update={steps[0]: _replaced(getattr(part, steps[0]), steps[1:], value)})


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def default_at(scenario: Scenario, path: str) -> Default | None:
    """Return the default of the field at a dotted path, or of the part that it was given with; None without one."""
    part: Any = scenario
    found: Default | None = None
    for step in _steps(path):
        if type(part) is dict:
            part = part.get(step)
        elif isinstance(part, BaseModel):
            found = default_of(type(part), step) or found
            part = getattr(part, step, None)
    return found


def fields(part: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted path, value) of every leaf of a scenario that is a plain value, also of its instances.

    What a calibration gave stands at the values themselves.
    """
    for name in type(part).model_fields:
        value = getattr(part, name)
        if name == "calibration":
            continue
        where = f"{path}.{name}" if path else name
        if isinstance(value, BaseModel):
            yield from fields(value, where)
        elif not isinstance(value, dict):
            yield where, value
        elif all(isinstance(each, BaseModel) for each in value.values()):
            for key, each in value.items():
                yield from fields(each, f"{where}.{key}")


UNSURE: Final = ("users.", "behaviour.", "tiers.")
"""Where numbers may be unsure. What is promised, paid and chosen elsewhere is as it is said."""


def numbers(part: BaseModel, path: str = "") -> Iterator[unsure.Numeric]:
    """Yield every number of a scenario that may be unsure, in the scenario's order."""
    for name, field in type(part).model_fields.items():
        value, where = getattr(part, name), f"{path}.{name}" if path else name
        if not f"{where}.".startswith(UNSURE):
            continue
        if isinstance(value, BaseModel):
            yield from numbers(value, where)
        elif isinstance(value, dict):
            for key, each in value.items():
                if isinstance(each, BaseModel):
                    yield from numbers(each, f"{where}.{key}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            least, most = unsure.bounds(type(part), name)
            yield unsure.Numeric(where, value, least, most, field.annotation in (int, int | None))
