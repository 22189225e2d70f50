"""What a row of prices must name: an item that the cloud sells, a variant, a term and a unit of it; tiers in order."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from cascade_plan import registry
from cascade_plan.errors import did_you_mean
from cascade_plan.files.documents import shown
from cascade_plan.model.catalogue import Catalogue
from cascade_plan.model.price import UNITS, Book, PriceKey
from cascade_plan.prices.products import Product, price_list

_RANGE: Final = re.compile(r"(?P<start>[0-9]{1,12}(?:\.[0-9]{1,6})?)-(?P<end>[0-9]{1,12}(?:\.[0-9]{1,6})?)?", re.ASCII)
ON_DEMAND: Final = "on_demand"


class Tiers(NamedTuple):
    """What the tiers of one price have in common."""

    service: str
    item: str
    term: str


class Sold:
    """What a book's cloud sells, for the rows of a file that is laid over the book."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.prices = price_list(book.cloud)
        self._catalogue: Catalogue = registry.load("clouds", book.cloud, "cloud").catalogue()

    def faults(self, key: PriceKey, unit: str) -> Iterator[str]:
        """Yield what is wrong with a row's key and unit: a price of what no plan can buy is never passed over."""
        if (price := self.book.find(*key)) is not None:
            if price.unit != unit and unit in UNITS:
                yield f"unit: the book prices {key} per {price.unit}, got {unit}"
            return
        products = self.products_of(key.service, key.item)
        if not products:
            hint = did_you_mean(key.item, sorted(self._items(key.service)))
            yield f"item: {self.book.cloud} sells no {shown(key.item)} as {key.service}{hint}"
            return
        if products[0].is_tiered:
            if not _RANGE.fullmatch(key.variant):
                example = "its range, such as 0- for one price of any amount, or 0-10240 and 10240-"
                yield f"variant: {key.item} is priced in tiers, each with {example}, got {shown(key.variant)}"
        elif key.variant not in (known := list(dict.fromkeys(product.variant for product in products))):
            allowed = f"must be {' or '.join(map(shown, known))}" if any(known) else "must be empty"
            yield f"variant: {allowed}, got {shown(key.variant)}{did_you_mean(key.variant, known)}"
        terms = self.terms_of(products[0])
        if key.term not in terms:
            hint = did_you_mean(key.term, list(terms))
            yield f"term: {key.item} is not sold {shown(key.term)}{hint}{' ' if hint else '; '}it is {_listed(terms)}"
        if unit in UNITS and unit != products[0].unit:
            yield f"unit: {key.item} is priced per {products[0].unit}, got {unit}"

    def products_of(self, service: str, item: str) -> list[Product]:
        """Return the products of a service that an item is: the metered one, or those of a shape that there is."""
        mine = [product for product in self.prices if product.service == service]
        if found := [product for product in mine if product.item == item]:
            return found
        instances = [product for product in mine if not product.item and product.offer is not None]
        known = any(product.offer and self._catalogue.find(product.offer.what, item) for product in instances)
        return instances if known else []

    def terms_of(self, product: Product) -> Sequence[str]:
        """Return the terms that a product is sold by."""
        if product.item or product.offer is None or not registry.has("clouds", self.book.cloud, "terms"):
            return (ON_DEMAND,)
        terms: Sequence[str] = registry.load("clouds", self.book.cloud, "terms").terms(product.offer.what)
        return terms

    def tiers(self, keys: Iterable[PriceKey]) -> dict[Tiers, list[PriceKey]]:
        """Return the keys that replace all tiers of their price: those of which one is none of the book's."""
        found: dict[Tiers, list[PriceKey]] = {}
        for key in keys:
            products = self.products_of(key.service, key.item)
            if products and products[0].is_tiered and _RANGE.fullmatch(key.variant):
                found.setdefault(Tiers(key.service, key.item, key.term), []).append(key)
        return {tiers: own for tiers, own in found.items() if any(self.book.find(*key) is None for key in own)}

    def _items(self, service: str) -> Iterator[str]:
        for product in self.prices:
            if product.service == service:
                if product.item:
                    yield product.item
                elif product.offer is not None:
                    yield from (shape.name for shape in self._catalogue.of(product.offer.what))


def gap(keys: Collection[PriceKey]) -> tuple[PriceKey, str] | None:
    """Return the tier that does not begin where the one below it ends, and what is wrong with it; None without one."""
    reached: Decimal | None = Decimal(0)
    for key in sorted(keys, key=lambda key: _bounds(key.variant)[0]):
        start, end = _bounds(key.variant)
        if reached is None or start < reached:
            return key, f"variant: the tier {key.variant} overlaps the one below it"
        if start > reached:
            return key, f"variant: no tier prices {reached:f}-{start:f}; a tier begins where the one below it ends"
        if end is not None and end <= start:
            return key, f"variant: the tier {key.variant} ends before it begins"
        reached = end
    return None


def _bounds(variant: str) -> tuple[Decimal, Decimal | None]:
    start, _, end = variant.partition("-")
    return Decimal(start), Decimal(end) if end else None


def _listed(terms: Sequence[str]) -> str:
    return f"sold {', '.join(terms)}" if len(terms) < 4 else f"sold {terms[0]} and by {len(terms) - 1} other terms"
