"""What a scenario may say of a cache."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from cascade_plan.model.defaults import PLAN, default
from cascade_plan.model.part import Image, Need, ShapeName
from cascade_plan.model.tier import Bought
from cascade_plan.units import (
    AtLeastOne,
    Count,
    GibOrZero,
    Milliseconds,
    MillisecondsOrZero,
    PerOne,
    Share,
    Variability,
)

VERSIONS: Final = {"redis": ("7.1", "7.0", "6.2"), "valkey": ("8.0", "7.2")}
"""Which there are of each server, what is taken by itself first.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html"""
OF_NODES: Final = frozenset(
    {"users_per_node", "minimum_nodes", "shape", "replicas_per_master", "nodes", "purchase", "command_ms"}
)
"""What only a cache with nodes says."""


class Settings(Bought):
    """Redis or Valkey: a cache, and with WebSockets their broker and connection state."""

    KIND: ClassVar[str] = "cache"
    SEVERAL: ClassVar[bool] = True
    BOUGHT: ClassVar[str] = "cache"

    engine: Literal["redis", "valkey"] = default("redis", "plan", f"{PLAN}: message broker redis_cluster")
    """Which server it is."""
    version: Literal["6.2", "7.0", "7.1", "7.2", "8.0"] | None = Field(default=None, examples=["7.1"])
    """Its version, in quotes: of Redis 6.2, 7.0 or 7.1, of Valkey 7.2 or 8.0; left out, 7.1 or 8.0."""
    serverless: bool = default(False, "plan", f"{PLAN}, cost calculator: nodes of 8 GB")
    """Whether it has no nodes: what is stored and what is asked is paid for, as of ElastiCache Serverless, which is in
    several zones and scales by itself."""
    hit_ratio: Share = default(0.9, "plan", f"{PLAN}, target: 90% hits, to be measured")
    """Share of the reads that it answers; the others reach the database."""
    users_per_node: Count = default(20_000, "plan", f"{PLAN}, cost calculator: max(3, peak / 20000)")
    """Users that one master serves, by the rules."""
    minimum_nodes: Count = default(1, "assumption", "one master; a Redis Cluster that mends itself has three")
    """Fewest masters."""
    shape: ShapeName | Need = default(
        {"memory_gib": 8}, "plan", f"{PLAN}, cost calculator: memory_per_node 8GB", examples=["cache.r7g.large"]
    )
    """A node type, or a need for which the cheapest is taken."""
    replicas_per_master: Annotated[int, Field(ge=0, le=5)] | None = default(
        None, "assumption", "as many as `availability` asks for", examples=[1]
    )
    """Copies of each master on other nodes, one of which takes over when it is lost."""
    nodes: Count | None = Field(default=None, examples=[6])
    """Masters and replicas together, pinned by hand."""
    command_ms: Milliseconds = default(0.006, "measured", "170,000 commands a second on one core, Redis 7.0.15")
    """CPU time of one command."""
    data_gib: GibOrZero | None = Field(default=None, examples=[2])
    """What is kept in all masters together; left out, an answer of every action that asks it, for each user at peak."""
    connections_per_pod: PerOne = default(
        10.0, "assumption", "a client library's pool; more than requests of one pod that wait for it at a time"
    )
    """Connections that one pod keeps open to each master."""
    round_trip_ms: MillisecondsOrZero = default(
        0.7, "assumption", "0.4 ms within a zone, 0.5 to 1.5 to another, and every second trip or more crosses"
    )
    """Network time of one command."""
    round_trip_scv: Variability = default(
        0.5, "assumption", "0.42 ms in the middle and 1.3 at p99 within a zone are 0.27; zones differ besides"
    )
    """Squared coefficient of variation of that time."""

    processing_units_per_renewal: AtLeastOne = default(
        8.0, "assumption", "the emitted script runs eight commands, and each counts as one by itself"
    )
    """Of a serverless cache, the processing units of renewing a connection's state at a heartbeat."""

    reserved_memory_share: Share = default(
        0.25,
        "cited",
        "ElastiCache reserves as much, https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/redis-memory-management.html",
    )
    """Of the memory of servers that you run yourself, the share kept for buffers and for pages copied on a fork."""
    image: Image | None = default(
        None, "cited", "the official images, https://hub.docker.com/_/redis and https://hub.docker.com/r/valkey/valkey"
    )
    """Container image of servers that you run yourself; left out, the engine's own."""
    tls: bool = default(False, "assumption", "within a VPC; it needs certificates, which nothing here makes")
    """Whether servers that you run yourself encrypt what clients and they themselves send. ElastiCache always does."""

    @property
    def engine_version(self) -> str:
        """The version of its server."""
        return self.version or VERSIONS[self.engine][0]

    @model_validator(mode="after")
    def _is_a_version_of_it(self) -> Self:
        if self.engine_version not in VERSIONS[self.engine]:
            raise ValueError(f"version: of {self.engine} there are {', '.join(VERSIONS[self.engine])}")
        return self

    @model_validator(mode="after")
    def _has_nodes(self) -> Self:
        if self.serverless and (given := self.said(OF_NODES)):
            raise ValueError(f"{', '.join(given)}: a serverless cache has no nodes, leave that out")
        return self

    @model_validator(mode="after")
    def _whole_shards(self) -> Self:
        size = 1 + (self.replicas_per_master or 0)
        if self.nodes is not None and self.nodes % size:
            raise ValueError(
                f"nodes ({self.nodes}) must be a multiple of {size}: a master and its {size - 1} "
                f"{'replica' if size == 2 else 'replicas'}"
            )
        return self
