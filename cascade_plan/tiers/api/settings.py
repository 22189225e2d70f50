"""What a scenario may say of a service that answers requests."""

from typing import ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from cascade_plan.model.defaults import PLAN, default
from cascade_plan.model.part import Image, Need, Part, Port, ShapeName, UrlPath, all_defaults
from cascade_plan.model.tier import Housed
from cascade_plan.units import AtLeastOne, Cores, Count, MillisecondsOrZero, SecondsOrZero, Variability

OF_NODES: Final = frozenset(
    {
        "nodes",
        "minimum_nodes",
        "minimum_nodes_scaled_in",
        "headroom_ratio",
        "shape",
        "purchase",
        "commitment_level",
        "node_provisioning_s",
    }
)
"""What only a service with nodes of its own says."""
OF_MACHINES: Final = (OF_NODES - {"headroom_ratio", "node_provisioning_s"}) | {"users_per_node", "nodes_of"}
"""What a service without nodes does not say."""


class Pod(Part):
    """What one pod requests."""

    cpu_cores: Cores = default(0.5, "assumption", "one single-threaded worker at half a core when busy")
    """CPU a pod requests."""
    memory_mib: Count = default(768, "assumption", "a Python API worker with its libraries and caches")
    """Memory a pod requests, and may take."""
    cpu_limit_cores: Cores | None = Field(default=None, examples=[1])
    """Most CPU a pod may use, over 100 ms: one that has used it up is stopped until the next; left out, none."""

    @model_validator(mode="after")
    def _limit_is_no_less(self) -> Self:
        if self.cpu_limit_cores is not None and self.cpu_limit_cores < self.cpu_cores:
            raise ValueError(
                f"cpu_limit_cores ({self.cpu_limit_cores:g}) must not be below cpu_cores ({self.cpu_cores:g})"
            )
        return self


class NodeBounds(Part):
    """Node counts pinned by hand instead of taken from the rules."""

    base: Count = Field(examples=[3])
    """Nodes at the peak."""
    min: Count = Field(examples=[2])
    """Nodes that always run."""
    max: Count = Field(examples=[5])
    """Most nodes."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min <= self.base <= self.max:
            raise ValueError(f"must be ordered min <= base <= max, got {self.min}, {self.base}, {self.max}")
        return self


class ReplicaBounds(Part):
    """The replica bounds of an autoscaler."""

    min: Count = Field(examples=[10])
    """Fewest pods."""
    max: Count = Field(examples=[40])
    """Most pods."""
    base: Count | None = Field(default=None, examples=[20])
    """Pods at the peak, of a serverless service; as the rule has it if left out."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise ValueError(f"max ({self.max}) must not be below min ({self.min})")
        if self.base is not None and not self.min <= self.base <= self.max:
            raise ValueError(f"base ({self.base}) must be between min ({self.min}) and max ({self.max})")
        return self


class Settings(Housed):
    """A service: the rules that count its nodes, its node's shape, its pods."""

    KIND: ClassVar[str] = "api"
    SEVERAL: ClassVar[bool] = True
    BOUGHT: ClassVar[str] = "vm"
    OF_NODES: ClassVar[frozenset[str]] = OF_NODES

    serverless: bool = default(False, "plan", f"{PLAN}, cost calculator: nodes")
    """Whether its pods run on no node of ours, as on Fargate: each is paid for by its own size. They need a cluster."""
    users_per_pod: Count = default(
        700, "assumption", "the plan's 5,000 users of a node, which holds seven pods of half a core"
    )
    """Connected users that one pod serves, by the rules, where the service is serverless."""
    users_per_node: Count = default(5000, "plan", f"{PLAN}, cost calculator: 5k users per node")
    """Connected users that one node serves, by the rules; of several services each by its share of the requests."""
    minimum_nodes: Count | None = default(None, "assumption", "as many as `availability` asks for", examples=[3])
    """Fewest nodes at the peak."""
    minimum_nodes_scaled_in: Count | None = default(
        None, "assumption", "as many as `availability` asks for", examples=[2]
    )
    """Fewest nodes at any time."""
    headroom_ratio: AtLeastOne = default(1.5, "plan", f"{PLAN}, cost calculator: 50% headroom")
    """Most nodes over those at the peak."""
    shape: ShapeName | Need = default(
        {"vcpu": 4, "memory_gib": 8},
        "assumption",
        "the case study names no API instance: 4 vCPU and 8 GiB for 5,000 users",
        examples=["m7g.large"],
    )
    """An instance type, or a need for which the cheapest is taken."""
    pod: Pod = all_defaults()
    """What one pod requests."""
    image: Image = default(
        "registry.example.com/api:1.0.0", "assumption", "a placeholder (RFC 2606): give the image that is deployed"
    )
    """Container image; its USER must be a number other than 0."""
    port: Port = default(8000, "cited", "uvicorn's default port, https://www.uvicorn.org/settings/")
    """Port that the container listens on."""
    ready_path: UrlPath = default("/health/ready", "assumption", "the case study names no health endpoints")
    """Answers 2xx while the pod can take requests."""
    live_path: UrlPath = default("/health/live", "assumption", "the case study names no health endpoints")
    """Answers 2xx while the process is sound, whatever its database does."""
    nodes: NodeBounds | None = Field(default=None, examples=[{"base": 3, "min": 2, "max": 5}])
    """Node counts pinned by hand."""
    replicas: ReplicaBounds | None = Field(default=None, examples=[{"min": 10, "max": 40}])
    """HPA bounds pinned by hand instead of as many pods as the nodes hold."""
    connections_per_pod: Count = default(
        15, "cited", "SQLAlchemy's pool_size 5 + max_overflow 10, https://docs.sqlalchemy.org/en/20/core/pooling.html"
    )
    """Most connections one pod opens to each address of a pool or a database."""
    discipline: Literal["event_loop", "sharing", "fcfs"] = default(
        "event_loop", "assumption", "asyncio or Node, one loop a pod: what most web services are written for"
    )
    """event_loop: a request comes back to the queue after every await. sharing: all at once, each the slower the more
    there are (threads or processes that the kernel slices). fcfs: one request after the other, each in one piece."""
    await_cpu_ms: MillisecondsOrZero = default(
        0.07, "measured", "0.06 to 0.10 ms before each await of asyncpg and redis-py under FastAPI on uvloop"
    )
    """CPU time of an event loop's request before each await, a part of its cpu_ms; the rest comes after the last."""
    service_scv: Variability = default(
        0.25, "assumption", "handlers of fixed work measured 0.002 to 0.012; rows and bodies that differ make it more"
    )
    """Squared coefficient of variation of the CPU time of one kind of request: 0 constant, 1 exponential. It stands for
    that alone: what awaits do to the wait is the discipline's."""
    pod_startup_s: SecondsOrZero = default(30.0, "assumption", "image on the node, a Python service up and ready")
    """From a pod that is asked for to one that answers."""
    node_provisioning_s: SecondsOrZero = default(
        90.0, "assumption", "an instance from launch to ready, with an EKS image"
    )
    """From a node that is asked for to one that takes pods."""

    @property
    def has_nodes(self) -> bool:
        """Whether it has nodes of its own."""
        return not self.serverless and self.nodes_of is None

    @model_validator(mode="after")
    def _has_its_own(self) -> Self:
        if self.serverless and (given := self.said(OF_MACHINES)):
            raise ValueError(f"{', '.join(given)}: the pods of a serverless service have no nodes, leave that out")
        if not self.serverless and self.said({"users_per_pod"}):
            raise ValueError("users_per_pod is for a serverless service, users_per_node counts nodes")
        return self
