"""Amazon Web Services: its shapes, what its nodes leave for pods, its price keys, and the lines of its bill."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.clouds.aws import eks, serverless, terms
from cascade_plan.clouds.aws.sizes import sizes
from cascade_plan.clouds.aws.support import SUPPORT
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
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.offer import Offer
from cascade_plan.model.price import Book, PriceKey
from cascade_plan.model.support import Support
from cascade_plan.prices import bundled
from cascade_plan.prices.lines import Seller
from cascade_plan.prices.lines import lines as priced
from cascade_plan.prices.products import price_list

NAME: Final = "aws"
NOT_CHARGED: Final[frozenset[str]] = frozenset()
"""What of offers AWS does not charge for."""
_BALANCERS: Final = "https://aws.amazon.com/elasticloadbalancing/pricing/"
CAPACITY_UNITS: Final = {
    "alb": CapacityUnit(25, 3000, 1, _BALANCERS),
    "nlb": CapacityUnit(50, 3000, 1, _BALANCERS),
}
"""Of an NLB with TLS listeners. An ALB also counts rule evaluations, of which the first ten rules of a request are
free: the plan needs two."""


DATABASE_STORAGE: Final = StorageRate(
    "gp3",
    DiskRate(3000, 125 * 2**20),
    400,
    DiskRate(12_000, 500 * 2**20),
    DiskRate(64_000, 4000 * 2**20),
    4,
    "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage: below 400 GiB fixed",
)
NODE_DISK: Final = DiskRate(3000.0, 125.0 * 2**20)
"""gp3 of any size, https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html"""
BURSTS: Final = {
    **{
        f"database {family}": Burst(
            Offer("database_credits", family), "always unlimited: https://aws.amazon.com/rds/instance-types/"
        )
        for family in ("t3", "t4g")
    },
    **{
        f"cache {family}": Burst(
            None, "standard: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html"
        )
        for family in ("t2", "t3", "t4g")
    },
    **{
        f"vm {family}": Burst(
            Offer("vm_credits", family), f"unlimited by default: https://aws.amazon.com/ec2/instance-types/{family}/"
        )
        for family in ("t3", "t3a", "t4g")
    },
}
"""What an instance is, and its family."""


def catalogue() -> Catalogue:
    """Return the shapes that AWS has. Raises PriceError when their file is damaged."""
    return bundled.catalogue(NAME)


def allocatable(
    shape: Shape,
    vm_overhead_ratio: float,
    daemonset_cpu_cores: float,
    daemonset_memory_mib: float,
    daemonset_pods: int,
    prefix_delegation: bool = False,
    in_cluster: bool = True,
) -> Allocatable:
    """Return what a node of a shape leaves for pods on EKS, or for processes on an instance without Kubernetes."""
    if not in_cluster:
        return Allocatable.whole(shape, vm_overhead_ratio)
    return eks.allocatable(
        shape, vm_overhead_ratio, daemonset_cpu_cores, daemonset_memory_mib, daemonset_pods, prefix_delegation
    )


def key(offer: Offer, term: str = "on_demand") -> PriceKey:
    """Return what an offer's price is found by. Raises UsageError for what AWS does not sell."""
    return price_list(NAME).key(offer, term)


def sells(offer: Offer, term: str = "on_demand") -> bool:
    """Return whether AWS sells an offer by a term; of an instance without its shape's name, whether it sells some."""
    if not price_list(NAME).sells(offer) or term == "on_demand":
        return price_list(NAME).sells(offer)
    engine = offer.options[0] if offer.options else ""
    return term in terms.SOLD.get(offer.what, ()) and not terms.unfit(offer.what, engine, offer.name, (term,))


def commitments(offer: Offer, region: str) -> Iterator[tuple[str, str]]:
    """Yield (term, what it is bought for) of each commitment that pays for an instance; "" is for whatever runs."""
    engine = offer.options[0] if offer.options and offer.what != "vm" else ""
    for term, bought_for in terms.commitments(offer.what, engine, offer.name, region):
        # A reservation of a database is for its zones too.
        yield term, f"{bought_for} {' '.join(offer.options)}" if term.startswith("reserved") else bought_for


def capacity_unit(balancer: str) -> CapacityUnit | None:
    """Return what a capacity unit of a load balancer (alb or nlb) covers, None for one that AWS does not have."""
    return CAPACITY_UNITS.get(balancer)


def database_storage() -> StorageRate:
    """Return what RDS includes in gp3 storage of PostgreSQL."""
    return DATABASE_STORAGE


def node_disk() -> DiskRate:
    """Return what gp3 includes for an EC2 instance."""
    return NODE_DISK


def serverless_cache(engine: str) -> ServerlessCache | None:
    """Return what ElastiCache Serverless does with an engine."""
    return serverless.CACHES.get(engine)


def pod_sizes() -> PodSizes:
    """Return what pods may be on Fargate."""
    return serverless.PODS


def burst(shape: Shape) -> Burst | None:
    """Return what becomes of a shape of a T family without credits; None of one that has none."""
    return BURSTS.get(f"{shape.what} {shape.name.split('.')[-2]}") if shape.burstable else None


def support(what: str, version: str) -> Support | None:
    """Return how long EKS (kubernetes), RDS (postgres) or ElastiCache (redis) supports a version; None: not known."""
    return SUPPORT.get(what, {}).get(version)


def lines(fleet: Fleet, book: Book) -> Iterator[Item | Unpriced]:
    """Yield a line for everything the fleet uses: priced from the book, or Unpriced where the book has no row.

    Raises UsageError for an offer that AWS does not sell.
    """
    titles = {"kubernetes": "EKS control plane"}
    return priced(fleet, book, Seller(price_list(NAME), NOT_CHARGED, "gp3", titles, _described, NODE_DISK, sizes))


def _described(offer: Offer) -> str:
    return f"{offer.name}, multi-AZ" if "multi_zone" in offer.options else offer.name
