"""What exists to choose from: instance shapes, apart from what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Shape:
    """An instance type of a cloud."""

    service: str
    """ec2, rds or elasticache."""
    name: str
    vcpu: int
    memory_gib: float
    """Memory the provider advertises (EC2, RDS) or leaves to the data (ElastiCache)."""
    architecture: str = ""
    """arm64 or x86_64; empty where the provider does not say (RDS, ElastiCache)."""
    burstable: bool = False
    """CPU credits: the vCPUs are not sustained (T families)."""
    eni_count: int = 0
    """Network interfaces of the default network card; 0 where not applicable."""
    ipv4_count_per_eni: int = 0

    @property
    def family(self) -> str:
        """The part of the name that all sizes share: m7g of m7g.large, r5 of db.r5.xlarge."""
        return self.name.split(".")[-2]


class Catalogue:
    """The shapes of one cloud."""

    __slots__ = ("_shapes",)

    def __init__(self, shapes: Mapping[tuple[str, str], Shape]) -> None:
        self._shapes = shapes

    def find(self, service: str, name: str) -> Shape | None:
        """Return the shape of that name, or None."""
        return self._shapes.get((service, name))

    def of(self, service: str) -> Iterator[Shape]:
        """Yield the shapes of a service in the catalogue's order."""
        return (shape for (shape_service, _), shape in self._shapes.items() if shape_service == service)

    def __len__(self) -> int:
        return len(self._shapes)

    def cheapest(self, service: str, fits: Callable[[Shape], bool], rates: Mapping[str, Decimal]) -> Shape | None:
        """Return the cheapest priced shape that fits, ties broken by name; None when none is priced and fits.

        A shape without a price in `rates` is no candidate: it cannot be shown to be the cheapest.
        """
        candidates = ((rates[shape.name], shape.name, shape) for shape in self.of(service) if shape.name in rates)
        return min((row for row in candidates if fits(row[2])), default=(None, None, None))[2]
