"""A bill: line items and their band. Money is Decimal and is never rounded here."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cascade_plan.model.price import PriceKey


@dataclass(frozen=True, slots=True)
class Amounts:
    """An exact amount, of use or of money, at the four levels of the band."""

    floor: Decimal
    average: Decimal
    peak: Decimal
    ceiling: Decimal

    def plus(self, other: Amounts) -> Amounts:
        """Return the level-wise sum."""
        return Amounts(
            self.floor + other.floor, self.average + other.average, self.peak + other.peak, self.ceiling + other.ceiling
        )

    def times(self, price: Decimal) -> Amounts:
        """Return the band multiplied by a unit price: exact, as quantities carry six decimals."""
        return Amounts(self.floor * price, self.average * price, self.peak * price, self.ceiling * price)


NOTHING = Amounts(Decimal(0), Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the bill: quantity x unit price = cost, exactly, at each level."""

    name: str
    tier: str
    quantity: Amounts
    """Amount a month at each level, in `unit`."""
    unit: str
    price_usd: Decimal
    """What is paid per unit, after the term."""
    list_price_usd: Decimal
    """The on-demand price per unit."""
    cost_usd: Amounts
    list_cost_usd: Amounts
    key: PriceKey
    as_of: str
    source: str
    note: str
    origin: str


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A line the bill needs and the book has no price for."""

    name: str
    tier: str
    quantity: Amounts
    unit: str
    key: PriceKey


@dataclass(frozen=True, slots=True)
class Bill:
    """The month's cost of a fleet."""

    items: tuple[Item, ...]
    unpriced: tuple[Unpriced, ...]
    not_priced: tuple[str, ...]
    """What the fleet will cost that no line covers, in words."""
    effective_usd: Amounts
    list_usd: Amounts

    @property
    def lacks(self) -> str:
        """How many lines have no price, in words."""
        count = len(self.unpriced)
        return f"{count} line{'' if count == 1 else 's'} ha{'s' if count == 1 else 've'} no price"

    @property
    def complete(self) -> bool:
        """Whether every line has a price; if not, the totals are "at least"."""
        return not self.unpriced
