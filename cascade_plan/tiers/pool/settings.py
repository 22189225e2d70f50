"""What a scenario may say of a connection pool."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from cascade_plan.model import tier
from cascade_plan.model.defaults import PLAN, default
from cascade_plan.model.part import Image, Key, Port, Version
from cascade_plan.units import Count, Milliseconds, MillisecondsOrZero

OF_PROCESSES: Final = frozenset(
    {
        "tenant_class_share",
        "pgbouncer_version",
        "process_count",
        "image",
        "exporter_image",
        "user_id",
        "transaction_ms",
        "client_tls",
        "port",
    }
)
"""What only a pool of our own processes says."""


class Settings(tier.Settings):
    """The connection pool in front of a primary and its replicas."""

    KIND: ClassVar[str] = "pool"
    SEVERAL: ClassVar[bool] = True
    REFERS: ClassVar[Mapping[str, str]] = {"database": "database"}

    database: Key | None = Field(default=None, examples=["database"])
    """The database it stands before; the first one if left out."""
    managed: bool = default(False, "plan", f"{PLAN}, cost calculator: PgBouncer")
    """Whether the cloud runs it, as RDS Proxy, paid for by the vCPUs of the database behind it; else PgBouncer."""
    managed_ms: MillisecondsOrZero = default(
        1.0, "assumption", "a trip more through another zone, and TLS: AWS names single-digit milliseconds"
    )
    """Of a managed pool, the time it adds to a transaction."""
    users_per_connection: Count = default(100, "plan", f"{PLAN}, cost calculator: peak / 100")
    """Users that one connection serves, by the rules."""
    connections: Count | None = Field(default=None, examples=[100])
    """Connections pinned by hand."""
    tenant_class_share: Annotated[
        dict[Key, Annotated[float, Field(gt=0, le=1)]], Field(min_length=1, max_length=20)
    ] = default({"standard": 1.0}, "assumption", "the case study knows one kind of tenant")
    """Share of the connections each class of tenants has to itself, so that one cannot starve another."""
    pgbouncer_version: Version = default("1.23", "assumption", "a version with prepared statements (1.21 and later)")
    """What it decides: prepared statements in transaction pooling came with 1.21."""
    process_count: Annotated[int, Field(ge=1, le=100)] = default(
        2, "assumption", "one may be lost or replaced while another answers; they share the pool's connections"
    )
    """Fewest processes, each a pod of its own on Kubernetes; more where one thread each cannot carry the queries."""
    image: Image = default(
        "edoburu/pgbouncer:v1.25.2-p0", "assumption", "a well-kept image; PgBouncer's makers publish none"
    )
    """Container image where pods run it, of `pgbouncer_version` or later."""
    exporter_image: Image = default(
        "prometheuscommunity/pgbouncer-exporter:v0.12.1",
        "cited",
        "https://github.com/prometheus-community/pgbouncer_exporter/releases",
    )
    """Container image of what tells Prometheus of it, in each of its pods."""
    user_id: Annotated[int, Field(ge=1, le=65_535)] = default(
        70, "cited", "the user postgres of Alpine Linux, which edoburu/pgbouncer runs as, by name"
    )
    """The number of the user that the image runs as."""
    transaction_ms: Milliseconds = default(
        0.25, "measured", "0.18 to 0.35 ms for the 4 to 7 trips of a query under the emitted tenancy, version 1.18"
    )
    """CPU time of a process for one transaction; each has one thread."""
    client_tls: Literal["disable", "prefer", "require"] = default(
        "disable",
        "assumption",
        "pods and processes share a network that nobody else is in; else it takes a certificate",
    )
    """Whether clients talk to it by TLS: never, if they can, or always; its certificate is then given to it."""
    port: Port = default(6432, "cited", "PgBouncer's default listen_port, https://www.pgbouncer.org/config.html")
    """Port that it listens on."""

    @model_validator(mode="after")
    def _has_processes(self) -> Self:
        if self.managed and (given := self.said(OF_PROCESSES)):
            raise ValueError(f"{', '.join(given)}: of a managed pool nobody sets that, leave it out")
        return self

    @field_validator("tenant_class_share")
    @classmethod
    def _whole(cls, classes: dict[str, float]) -> dict[str, float]:
        if abs(sum(classes.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of the classes must add up to 1, not {sum(classes.values()):g}")
        return classes
