"""What every cloud can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from cascade_plan.model.bill import Item, Unpriced
from cascade_plan.model.catalogue import (
    Allocatable,
    Burst,
    CapacityUnit,
    Catalogue,
    DiskRate,
    PodSizes,
    ServerlessCache,
    Shape,
    StorageRate,
)
from cascade_plan.model.commitments import Size
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.offer import Offer
from cascade_plan.model.price import Book, PriceKey
from cascade_plan.model.support import Support


class Cloud(Protocol):
    """A plug-in of clouds/: shapes, what a node leaves for pods, price keys, and the lines of a bill."""

    def catalogue(self) -> Catalogue:
        """Return the shapes that exist."""
        ...

    def allocatable(
        self,
        shape: Shape,
        vm_overhead_ratio: float,
        daemonset_cpu_cores: float,
        daemonset_memory_mib: float,
        daemonset_pods: int,
        prefix_delegation: bool = False,
        in_cluster: bool = True,
    ) -> Allocatable:
        """Return what a node leaves for pods."""
        ...

    def sells(self, offer: Offer, term: str = "on_demand") -> bool:
        """Return whether the cloud sells something by a term; of an instance without a shape, whether it sells some."""
        ...

    def key(self, offer: Offer, term: str = "on_demand") -> PriceKey:
        """Return the key of something's price. Raises UsageError for what the cloud does not sell."""
        ...

    def sizes(self, offer: Offer) -> Iterator[Size]:
        """Yield what may be reserved to pay for an instance: itself first, then what its reservations exchange with."""
        ...

    def commitments(self, offer: Offer, region: str) -> Iterator[tuple[str, str]]:
        """Yield (term, what it is bought for) of each commitment that pays for an instance, whoever runs it.

        All that is bought for the same pays for whichever of them runs: it may be bought as one.
        """
        ...

    def capacity_unit(self, balancer: str) -> CapacityUnit | None:
        """Return what one capacity unit of a load balancer covers; None where there is no such meter."""
        ...

    def database_storage(self) -> StorageRate | None:
        """Return what a database's storage does; None where it sets no limit of its own."""
        ...

    def node_disk(self) -> DiskRate | None:
        """Return what the root volume of a machine does all the time; None where it sets no limit."""
        ...

    def serverless_cache(self, engine: str) -> ServerlessCache | None:
        """Return what a cache without nodes does; None where the cloud sells none of an engine."""
        ...

    def pod_sizes(self) -> PodSizes | None:
        """Return what pods may be that run on no node of ours; None where there are none."""
        ...

    def burst(self, shape: Shape) -> Burst | None:
        """Return what becomes of a burstable shape without credits; None where that is not known."""
        ...

    def support(self, what: str, version: str) -> Support | None:
        """Return how long a version of kubernetes or of a database's engine is supported; None where not known."""
        ...

    def lines(self, fleet: Fleet, book: Book) -> Iterator[Item | Unpriced]:
        """Yield a line of the bill for everything the fleet uses."""
        ...
