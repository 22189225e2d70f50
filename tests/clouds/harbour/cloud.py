"""The cloud: only names and keys are its own."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from cascade_plan import registry
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
from cascade_plan.prices import bundled
from cascade_plan.prices.lines import Seller
from cascade_plan.prices.lines import lines as priced
from cascade_plan.prices.products import price_list

NOT_CHARGED: Final = frozenset(
    {"kubernetes", "balancer", "nat_gateway", "nat_traffic", "public_address", "zone_traffic", "database_backup"}
)


def catalogue() -> Catalogue:
    """Return its shapes."""
    return bundled.catalogue("harbour")


def allocatable(
    shape: Shape,
    vm_overhead_ratio: float,
    daemonset_cpu_cores: float,
    daemonset_memory_mib: float,
    daemonset_pods: int,
    prefix_delegation: bool = False,
    in_cluster: bool = True,
) -> Allocatable:
    """Return what a node leaves for pods: an eighth of a core and half a GiB are the cloud's own."""
    if not in_cluster:
        return Allocatable.whole(shape, vm_overhead_ratio)
    return Allocatable(
        cpu_m=shape.vcpu * 1000 - 125 - round(daemonset_cpu_cores * 1000),
        memory_mib=int(shape.memory_gib * 1024 - 512 - daemonset_memory_mib),
        pods=shape.interface_count * shape.address_count_per_interface - daemonset_pods,
    )


def key(offer: Offer, term: str = "on_demand") -> PriceKey:
    """Return what an offer's price is found by. Raises UsageError for what it does not sell."""
    return price_list("harbour").key(offer, term)


def sells(offer: Offer, term: str = "on_demand") -> bool:
    """Return whether it sells an offer by a term."""
    return price_list("harbour").sells(offer) and (
        term == "on_demand" or term in registry.load("clouds", "harbour", "terms").terms(offer.what)
    )


def sizes(offer: Offer) -> Iterator[Size]:
    """Yield the instance itself: harbour exchanges no sizes."""
    yield Size(offer, Fraction(1))


def capacity_unit(balancer: str) -> CapacityUnit | None:
    """Return None: load balancers are free."""
    return None


def database_storage() -> StorageRate | None:
    """Return None: its disks are as fast as they are asked."""
    return None


def node_disk() -> DiskRate | None:
    """Return None: its disks are as fast as they are asked."""
    return None


def serverless_cache(engine: str) -> ServerlessCache | None:
    """Return None: it has no caches."""
    return None


def pod_sizes() -> PodSizes | None:
    """Return None: what does not float does not run."""
    return None


def burst(shape: Shape) -> Burst | None:
    """Return None: it has no burstable shapes."""
    return None


def support(what: str, version: str) -> Support | None:
    """Return None: what it supports, and until when, is not known."""
    return None


def lines(fleet: Fleet, book: Book) -> Iterator[Item | Unpriced]:
    """Yield a line for everything the fleet uses that is charged."""
    return priced(fleet, book, Seller(price_list("harbour"), NOT_CHARGED, "hold"))
