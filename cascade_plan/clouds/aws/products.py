"""What AWS sells of what plans need, an entry a price, in the order of a book's sections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cascade_plan.clouds.aws.product import Product
from cascade_plan.clouds.aws.sold import (
    caches,
    cluster,
    databases,
    machines,
    messages,
    network,
    observation,
    storage,
)

PRODUCTS: Final[tuple[Product, ...]] = (
    *machines.PRODUCTS,
    *databases.PRODUCTS,
    *caches.PRODUCTS,
    *cluster.PRODUCTS,
    *network.PRODUCTS,
    *storage.PRODUCTS,
    *messages.PRODUCTS,
    *observation.PRODUCTS,
)
"""Every kind of product a plan may need, and none besides."""

LISTED: Final = tuple(product for product in PRODUCTS if product.code)
"""What an update asks for."""

CODES: Final[Mapping[str, tuple[str, ...]]] = {
    service: tuple(dict.fromkeys(product.code for product in LISTED if product.service == service))
    for service in dict.fromkeys(product.service for product in LISTED)
}
"""Service of a book -> the offers that price it."""


def products_of(services: frozenset[str]) -> tuple[Product, ...]:
    """Return the listed products of some of a book's services."""
    return tuple(product for product in LISTED if product.service in services)
