"""What a cloud sells, an entry a price: the sections, keys and units of its books follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.model.offer import Offer
from cascade_plan.model.price import PriceKey


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a price book's file."""

    name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that a cloud sells at one price a region, or at one for each shape."""

    section: Section
    service: str
    item: str = ""
    """Empty where it is the name of a shape: then the product is instances."""
    variant: str = ""
    unit: str
    """One of the model's UNITS."""
    offer: Offer | None = None
    """What it is in no cloud's words, an instance without its shape's name; None where no tier buys it."""
    is_tiered: bool = False
    """Whether the price falls with the amount; the range is then the variant of each of its prices."""
    committed: Section | None = None
    """Where the prices of commitments stand, if not in `section`."""
    spot: Section | None = None
    """Where spot prices stand, if there are some."""

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections its prices stand in, in the order of the file."""
        return tuple(section for section in (self.section, self.spot, self.committed) if section is not None)


class PriceList:
    """Everything that one cloud sells."""

    __slots__ = ("_instances", "_items", "_offers", "cloud", "products", "sections", "titles")

    def __init__(self, cloud: str, products: Iterable[Product]) -> None:
        self.cloud = cloud
        self.products = tuple(products)
        self.sections: Mapping[str, str] = {
            section.name: product.service for product in self.products for section in product.sections
        }
        """Section of a book -> the service its prices are of, in the order of the file."""
        self.titles: Mapping[str, str] = {
            section.name: section.title for product in self.products for section in product.sections
        }
        self._items: dict[tuple[str, str], Product] = {}
        for product in self.products:
            self._items.setdefault((product.service, product.item), product)
        self._instances = {(product.service, product.variant): product for product in self.products if not product.item}
        self._offers = {product.offer: product for product in self.products if product.offer is not None}

    @property
    def services(self) -> tuple[str, ...]:
        """The services there are prices of, in the order of the file."""
        return tuple(dict.fromkeys(self.sections.values()))

    def is_instance(self, key: PriceKey) -> bool:
        """Return whether a key prices an instance of some shape, and not a metered amount."""
        return (key.service, key.item) not in self._items and (key.service, "") in self._items

    def is_tiered(self, key: PriceKey) -> bool:
        """Return whether a key prices a tier, its variant being the range."""
        product = self._items.get((key.service, key.item))
        return product is not None and product.is_tiered

    def section_of(self, key: PriceKey) -> str:
        """Return the section of a book that a price stands in, "" for a service that the cloud does not have."""
        product = (
            self._items.get((key.service, key.item))
            or self._instances.get((key.service, key.variant))
            or self._items.get((key.service, ""))
        )
        if product is None:  # something metered that only an override prices
            return next((name for name, service in self.sections.items() if service == key.service), "")
        if key.term == "spot" and product.spot is not None:
            return product.spot.name
        if key.term != "on_demand" and product.committed is not None:
            return product.committed.name
        return product.section.name

    def find(self, offer: Offer) -> Product | None:
        """Return the product that an offer is, or None when the cloud does not sell it."""
        if (product := self._offers.get(offer)) is not None:
            return product
        product = self._offers.get(offer._replace(name=""))
        return product if product is not None and not product.item else None

    def offer_of(self, key: PriceKey) -> Offer | None:
        """Return what a price is for in no cloud's words, an instance without its shape; None where no tier buys it."""
        product = self._items.get((key.service, key.item)) or self._instances.get((key.service, key.variant))
        return None if product is None else product.offer

    def sells(self, offer: Offer) -> bool:
        """Return whether the cloud sells an offer."""
        return self.find(offer) is not None

    def key(self, offer: Offer, term: str = "on_demand") -> PriceKey:
        """Return what an offer's price is found by; of a tiered one without the range.

        Raises UsageError, naming what the cloud sells instead, for an offer that it does not sell.
        """
        if (product := self.find(offer)) is None:
            raise UsageError(f"{self.cloud} does not sell {offer}{self._instead(offer)}")
        return PriceKey(product.service, product.item or offer.name, product.variant, term)

    def _instead(self, offer: Offer) -> str:
        """Return what of the same kind there is, in words."""
        known = [str(other._replace(what="")) for other in self._offers if other.what == offer.what]
        listed = " or ".join(sorted(filter(None, known)))
        return f": as {offer.what} it sells {listed}" if listed else ""

    def __iter__(self) -> Iterator[Product]:
        return iter(self.products)


@cache
def price_list(cloud: str) -> PriceList:
    """Return what a cloud sells. Raises UsageError when there is none of that name."""
    return PriceList(cloud, registry.load("clouds", cloud, "products").PRODUCTS)
