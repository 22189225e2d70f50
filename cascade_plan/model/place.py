"""Where requests are served: what a tier declares of itself, so that nobody else need know its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.scenario import Action

Scale = Mapping[str, int]
"""Name of a lever -> the count at which places are asked for. One that is left out stands at its base."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request of one action asks of a place."""

    try_count: int
    chance_ratio: float
    """Probability of each try: a query that a cache answers in 9 of 10 cases reaches the database in 1 of 10."""
    service: ServiceTime
    after_s: float = 0.0
    """Constant time after each: a round trip, a commit."""
    held_for: str = ""
    """The place whose service this one's server is held for; empty where the service is its own. Only the wait for what
    is held is added to the response."""
    is_awaited: bool = True
    """Whether the request waits for it; a job that it leaves behind keeps servers busy and nobody waiting."""


@dataclass(frozen=True, slots=True)
class Place:
    """A queue with its servers, and who comes."""

    name: str
    tier: str
    unit_count: int
    """Pods, instances, nodes."""
    server_count_per_unit: int
    is_shared: bool
    """Whether one queue feeds the servers of all units, or each unit has its own and gets its part."""
    visits: Callable[[Action], tuple[Visit, ...]]
    is_scaled: bool = False
    """Whether an autoscaler changes its units: where the closed system's own formulas matter."""

    @property
    def queue_count(self) -> int:
        """How many queues its servers stand behind: one, or one a unit."""
        return 1 if self.is_shared else self.unit_count
