"""What a scenario may say of workers that do jobs from a queue."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from cascade_plan.model.defaults import default
from cascade_plan.model.part import Image, Key, Need, Part, Port, ShapeName, all_defaults
from cascade_plan.model.tier import HOST, Housed
from cascade_plan.units import (
    AtLeastOne,
    Cores,
    Count,
    Milliseconds,
    PerSecondOrZero,
    Seconds,
    SecondsOrZero,
    Variability,
)


class Pod(Part):
    """What one pod requests."""

    cpu_cores: Cores = default(1.0, "assumption", "one single-threaded worker on a core of its own")
    """CPU a pod requests."""
    memory_mib: Count = default(1024, "assumption", "a Python worker with its libraries")
    """Memory a pod requests, and may take."""


class Settings(Housed):
    """Workers: pods that take jobs from a queue, one at a time, and how old a job may get."""

    KIND: ClassVar[str] = "worker"
    SEVERAL: ClassVar[bool] = True
    BOUGHT: ClassVar[str] = "vm"
    REFERS: ClassVar[Mapping[str, str]] = {"queue": "queue", "database": "database", "nodes_of": HOST}
    OF_NODES: ClassVar[frozenset[str]] = frozenset(
        {"minimum_nodes", "shape", "purchase", "commitment_level", "node_provisioning_s"}
    )

    queue: Key | None = Field(default=None, examples=["queue"])
    """The queue that jobs are taken from; the first one if left out."""
    database: Key | None = Field(default=None, examples=["database"])
    """The database that jobs ask; the first one if left out."""
    cpu_ms: Milliseconds = default(100.0, "assumption", "a tenth of a second of one core; measure yours")
    """CPU time of one job, on one core."""
    service_scv: Variability = default(1.0, "assumption", "exponential: as variable as its mean, measure yours")
    """Squared coefficient of variation of the CPU time of a job: 0 constant, 1 exponential."""
    read_count: Annotated[int, Field(ge=0, le=1000)] = default(0, "assumption", "a job reads nothing unless said")
    """Queries of one job that read."""
    write_count: Annotated[int, Field(ge=0, le=1000)] = default(0, "assumption", "a job writes nothing unless said")
    """Queries of one job that write."""
    scheduled_jobs_per_s: PerSecondOrZero = default(0.0, "assumption", "no jobs but those of requests unless said")
    """Jobs that come whatever users do, such as those of a timer."""
    age_s_p99: Seconds = default(60.0, "assumption", "a minute: nobody waits for the answer, somebody looks for it")
    """99 of 100 jobs must be done within this after they were asked for: a gate."""
    minimum_nodes: Count | None = default(None, "assumption", "as many as `availability` asks for", examples=[2])
    """Fewest nodes."""
    headroom_ratio: AtLeastOne = default(1.5, "assumption", "as the services': half as many more")
    """Most nodes over those at the peak."""
    shape: ShapeName | Need = default(
        {"vcpu": 4, "memory_gib": 8}, "assumption", "as the services'", examples=["c7g.xlarge"]
    )
    """An instance type, or a need for which the cheapest is taken."""
    pod: Pod = all_defaults()
    """What one pod requests."""
    image: Image = default(
        "registry.example.com/worker:1.0.0", "assumption", "a placeholder (RFC 2606): give the image that is deployed"
    )
    """Container image; its USER must be a number other than 0."""
    port: Port = default(9000, "assumption", "where its metrics are read")
    """Port that metrics are served on."""
    connections_per_pod: Count = default(2, "assumption", "one for the job at hand, one beside it")
    """Most connections one pod opens to each address of a pool or a database."""
    pod_startup_s: SecondsOrZero = default(30.0, "assumption", "image on the node, a Python worker up")
    """From a pod that is asked for to one that works."""
    node_provisioning_s: SecondsOrZero = default(90.0, "assumption", "an instance from launch to ready with its image")
    """From a node that is asked for to one that takes pods."""
