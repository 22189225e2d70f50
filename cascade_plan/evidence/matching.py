"""A bill's lines and the plan's: by service code, usage type, operation and region; never by a product's name.

What could be several things, or none, is left unmatched, and shown with its dollars.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import ModuleType
from typing import Final

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.model.actuals import Line
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey
from cascade_plan.prices.products import PriceList, price_list

NAMES: Final = "usage_types"
Pool = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What of the plan a line of a bill is."""

    pool: Pool | None
    """What it is interchangeable with; None where it is nothing of the plan."""
    key: PriceKey | None = None
    quantity: Decimal | None = None
    """In the unit of the plan."""
    why: str = ""
    """Why it is nothing of the plan, in words."""
    by: str = ""
    """How it was told, where not by its usage type."""


@dataclass(frozen=True)
class Matcher:
    """A way to tell what of a plan a line is."""

    book: Book
    wanted: frozenset[PriceKey]
    """What the plan's lines are priced by, without terms and ranges."""
    by_service: bool
    """Whether the bill has totals of services alone."""
    names: ModuleType = field(init=False)
    sold: PriceList = field(init=False)
    skus: Mapping[str, PriceKey] = field(init=False)
    services: Mapping[str, str] = field(init=False)
    """What Cost Explorer calls a service -> its first name."""

    def __post_init__(self) -> None:
        """Look up what the cloud calls things. Raises UsageError for a cloud whose bills are not read."""
        if not registry.has("clouds", self.book.cloud, NAMES):
            raise UsageError(f"bills of {self.book.cloud} are not read")
        names = registry.load("clouds", self.book.cloud, NAMES)
        named = [names.explored(key) for key in self.wanted]
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "sold", price_list(self.book.cloud))
        object.__setattr__(self, "skus", {price.sku: self.plain(price.key) for price in self.book if price.sku})
        object.__setattr__(self, "services", {name: each[0] for each in named for name in each})

    def plain(self, key: PriceKey) -> PriceKey:
        """Return a key as a bill tells it: no commitment and no range is in a usage type."""
        variant = "" if self.sold.is_tiered(key) else key.variant
        return key._replace(variant=variant, term=key.term if key.term == "spot" else "on_demand")

    def pool(self, key: PriceKey) -> Pool:
        """Return what a key is held against the plan with: what it is interchangeable with, or its service's total."""
        if self.by_service:
            named = self.names.explored(key)
            return ("service", named[0] if named else key.service)
        found: Pool = self.names.interchangeable(key)
        return found

    def service_name(self, key: PriceKey) -> str:
        """Return what Cost Explorer's page calls the service of a key; empty where that is not known."""
        named: tuple[str, ...] = self.names.explored(key)
        return named[-1] if named else ""

    def match(self, line: Line, pools: Collection[Pool]) -> Match:
        """Return what of the plan a line is; `pools` are those of the plan."""
        if self.by_service:
            return self._of_service(line, pools)
        region = line.region or (self.names.region_of(line.usage_type) if line.usage_type else "")
        if region and region != self.book.region:
            return Match(None, why=f"in {region}, the plan is in {self.book.region}")
        key, by, why = self._key(line, region)
        if key is None:
            return Match(None, why=why)
        pool = self.pool(key)
        quantity = None if line.quantity is None else self.names.in_units(key, line.quantity, line.unit)
        if pool not in pools:
            return Match(None, key, quantity, why="no line of the plan")
        if quantity is None and line.quantity is not None:
            return Match(None, key, why=f"billed per {line.unit}, planned in another unit")
        return Match(pool, key, quantity, by=by)

    def _of_service(self, line: Line, pools: Collection[Pool]) -> Match:
        if line.region and line.region != self.book.region:
            return Match(None, why=f"in {line.region}, the plan is in {self.book.region}")
        pool = ("service", self.services.get(line.service, line.service))
        return Match(pool) if pool in pools else Match(None, why="no line of the plan")

    def _key(self, line: Line, region: str) -> tuple[PriceKey | None, str, str]:
        """Return (what prices a line, how that was told, why not)."""
        operation, usage_type, by = line.operation, line.usage_type, ""
        if not usage_type:
            if (key := self.skus.get(line.sku)) is not None:
                return key, "SKU", ""
            usage_type, operation = self.names.described(line.description)
            if not usage_type:
                return None, "", "nothing says what it is"
            by = "description"
        service = "" if " " in line.service else line.service
        found = self.names.products_of(service, usage_type, operation, region)
        if len(found) > 1:
            found = tuple(key for key in found if key in self.wanted)
        if len(found) == 1:
            return found[0], by, ""
        return None, "", "it may be several lines of the plan" if found else "no line of the plan"


def matcher_of(plans: Iterable[Plan], book: Book, by_service: bool) -> Matcher:
    """Return the matcher for what some plans have. Raises UsageError for a cloud whose bills are not read."""
    plain = Matcher(book, frozenset(), by_service).plain
    return Matcher(book, frozenset(plain(item.key) for made in plans for item in made.bill.items), by_service)
