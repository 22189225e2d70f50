"""The prices a plan is made with: the cache laid over the bundled book."""

from __future__ import annotations

from cascade_plan.model.price import Book
from cascade_plan.prices import bundled, cache


def regions(cached: bool = True) -> tuple[str, ...]:
    """Return the sorted names of the regions that have prices, bundled or (if `cached`) in the cache."""
    return tuple(sorted({*bundled.regions(), *(cache.regions() if cached else ())}))


def book(region: str, cached: bool = True) -> Book:
    """Return a region's prices: what the cache holds laid over the bundled book, or the bundled book alone.

    Raises UsageError, naming the regions, when there are none; PriceError when either is damaged.
    """
    found = laid_over_bundled(region, cache.read(region) if cached else None)
    return bundled.book(region) if found is None else found


def laid_over_bundled(region: str, renewed: Book | None) -> Book | None:
    """Return a region's bundled book with a retrieved one over it, either alone where the other is not, or None."""
    if region not in bundled.regions():
        return renewed
    base = bundled.book(region)
    return base if renewed is None else base.overridden(renewed.rows, renewed.name)
