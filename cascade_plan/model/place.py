"""Where requests are served: what a tier declares of itself, so that nobody else need know its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.scenario import Action

Scale = Mapping[str, int]
"""Name of a lever -> the count at which places are asked for. One that is left out stands at its base."""
Discipline = Literal["event_loop", "sharing", "fcfs"]
"""event_loop: a request comes back to the queue after every await. sharing: all at once, each the slower the more there
are. fcfs: one after the other, each in one piece."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request of one action asks of a place."""

    try_count: int
    chance_ratio: float
    """Probability of each try: a query that a cache answers in 9 of 10 cases reaches the database in 1 of 10."""
    service: ServiceTime | None = None
    """What keeps a server of it busy; None where it only takes time."""
    trip_count: int = 0
    """Round trips of each try: after each an event loop's request comes back to its loop."""
    trip: ServiceTime | None = None
    """The time of one round trip on the network."""
    pause: ServiceTime | None = None
    """Time of each try that keeps nobody busy: a commit, a read of the disk."""
    is_awaited: bool = True
    """Whether the request waits for it; a job that it leaves behind keeps servers busy and nobody waiting."""

    @property
    def alone_s(self) -> float:
        """The mean time of a try where nobody else asks."""
        trips_s = self.trip_count * self.trip.mean_s if self.trip is not None else 0.0
        return trips_s + sum(law.mean_s for law in (self.service, self.pause) if law is not None)


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit on the CPU time of a unit in each period: who has used it up is stopped until the next (Linux, CFS)."""

    cores: float
    """CPU time a period may use, over its length."""
    period_s: float = 0.1
    """cpu.cfs_period_us of the kernel's documentation: 100 ms, which the kubelet keeps."""


def trip_time(trip_ms: float, scv: float) -> ServiceTime | None:
    """Return the law of a round trip; None where it takes no time."""
    return ServiceTime(trip_ms / 1000, scv) if trip_ms else None


def _nothing(action: Action) -> tuple[Visit, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Place:
    """A queue with its servers, and who comes."""

    name: str
    tier: str
    unit_count: int
    """Pods, instances, nodes."""
    server_count: int
    """Of all units together; none where nobody queues."""
    is_shared: bool = True
    """Whether one queue feeds the servers of all units, or each unit has its own and gets its part."""
    visits: Callable[[Action], tuple[Visit, ...]] = _nothing
    is_scaled: bool = False
    """Whether an autoscaler changes its units."""
    discipline: Discipline = "fcfs"
    await_s: float = 0.0
    """CPU time of an event loop's request before each await."""
    speed_ratio: float = 1.0
    """How fast its servers are together, over as many that are each as fast as a service's time says: 11 servers for
    11.07 cores. What one request takes does not change by it, what others wait does."""
    quota: Quota | None = None
    """What stops a unit that is too busy."""
    stands_before: str = ""
    """The tier to whose places no request comes but past this one."""
    passing: ServiceTime | None = None
    """What each visit to that tier is served here; None where a server is held from its beginning to its end, also
    while its request waits elsewhere."""

    @property
    def queue_count(self) -> int:
        """How many queues its servers stand behind: one, or one a unit."""
        return 1 if self.is_shared else self.unit_count

    @property
    def is_held(self) -> bool:
        """Whether its servers are held while a request is elsewhere."""
        return bool(self.stands_before) and self.passing is None
