"""The prices a plan is made with: the cache laid over the bundled book."""

from __future__ import annotations

from cascade_plan.model.price import Book
from cascade_plan.prices import bundled, cache
from cascade_plan.prices.products import price_list


def regions(cloud: str, cached: bool = True) -> tuple[str, ...]:
    """Return the sorted names of the regions of a cloud that have prices, bundled or (if `cached`) in the cache."""
    return tuple(sorted({*bundled.regions(cloud), *(cache.regions(cloud) if cached else ())}))


def book(cloud: str, region: str, cached: bool = True) -> Book:
    """Return a region's prices: what the cache holds laid over the bundled book, or the bundled book alone.

    Raises UsageError, naming the regions, when there are none; PriceError when either is damaged.
    """
    found = laid_over_bundled(cloud, region, cache.read(cloud, region) if cached else None)
    return bundled.book(cloud, region) if found is None else found


def laid_over_bundled(cloud: str, region: str, renewed: Book | None) -> Book | None:
    """Return a region's bundled book with a retrieved one over it, either alone where the other is not, or None."""
    if region not in bundled.regions(cloud):
        return renewed
    base = bundled.book(cloud, region)
    if renewed is None:
        return base
    prices = price_list(cloud)
    # The ranges of a tiered price belong together: of one that was renewed none of the bundled ones stays.
    tiers = {(key.service, key.item, key.term) for key in renewed.rows if prices.is_tiered(key)}
    return base.without(tiers).overridden(renewed.rows, renewed.name)
