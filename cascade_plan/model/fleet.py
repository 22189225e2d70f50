"""What a load needs: groups of nodes, metered use, and the figures that led to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cascade_plan.model.catalogue import Shape
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.solution import Rejection
from cascade_plan.model.terms import TermShare

LEVELS = ("floor", "average", "peak", "ceiling")
"""The band of a bill: the autoscaler at its minimum in the quietest hour, the day's mean, the peak all month, and
the autoscaler at its maximum at peak load."""


@dataclass(frozen=True, slots=True)
class Band:
    """One amount at the four levels of the band."""

    floor: float
    average: float
    peak: float
    ceiling: float

    @classmethod
    def constant(cls, amount: float) -> Band:
        """Return the band of an amount that does not move with the load."""
        return cls(amount, amount, amount, amount)

    def each(self, change: Callable[[float], float]) -> Band:
        """Return the band with `change` applied at every level."""
        return Band(change(self.floor), change(self.average), change(self.peak), change(self.ceiling))

    def times(self, factor: float) -> Band:
        """Return the band multiplied by a factor."""
        return Band(self.floor * factor, self.average * factor, self.peak * factor, self.ceiling * factor)

    def plus(self, other: Band) -> Band:
        """Return the level-wise sum of two bands."""
        return Band(
            self.floor + other.floor, self.average + other.average, self.peak + other.peak, self.ceiling + other.ceiling
        )

    def __iter__(self) -> Iterator[float]:
        return iter((self.floor, self.average, self.peak, self.ceiling))


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Instances of one shape that do one job."""

    tier: str
    name: str
    """The stable name a bill shows, such as "api nodes"."""
    shape: Shape
    variant: str
    """The price's variant: linux, single_az, multi_az, redis or valkey."""
    count: Band
    """Instances running, averaged over the month at each level; the floor's count runs all month."""
    terms: tuple[TermShare, ...] = ()
    """How shares of the instances are paid; what they leave is on demand."""
    disk_gib: int = 0
    """gp3 storage of each instance."""
    idle_share: float = 0.0
    """Share of the group's allocatable capacity (CPU or memory, whichever is fuller) that nothing requests."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A metered amount a month that is not an instance."""

    tier: str
    name: str
    service: str
    item: str
    amount: Band
    """Amount a month at each level, in the price's unit."""
    unit: str
    variant: str = ""
    tiered: bool = False
    """Whether the price falls with the amount, in tiers."""


@dataclass(frozen=True, slots=True)
class TierFleet:
    """What one tier needs, and why."""

    groups: tuple[NodeGroup, ...] = ()
    usages: tuple[Usage, ...] = ()
    figures: tuple[Derivation, ...] = ()
    findings: tuple[Finding, ...] = ()
    not_priced: tuple[str, ...] = ()
    """What this tier will cost that the bill leaves out, in words."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every tier's needs, in sizing order."""

    tiers: tuple[TierFleet, ...]
    rejections: tuple[Rejection, ...] = ()
    """Smaller counts that the method slo tried, and the load each fails."""

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """All groups of nodes."""
        return tuple(group for tier in self.tiers for group in tier.groups)

    @property
    def usages(self) -> tuple[Usage, ...]:
        """All metered use."""
        return tuple(usage for tier in self.tiers for usage in tier.usages)

    @property
    def figures(self) -> tuple[Derivation, ...]:
        """All sized figures."""
        return tuple(figure for tier in self.tiers for figure in tier.figures)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings."""
        return tuple(finding for tier in self.tiers for finding in tier.findings)

    @property
    def not_priced(self) -> tuple[str, ...]:
        """All that the bill leaves out."""
        return tuple(words for tier in self.tiers for words in tier.not_priced)
