"""A bill: line items and their band. Money is Decimal and is never rounded here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cascade_plan.model.price import PriceKey
from cascade_plan.model.terms import BreakEven, commitment_of

FIRST_YEAR: Final = "cost_usd_per_month.first_year"
"""The figure of what a month costs in the mean of the first year; only where months differ."""
MONTH_12: Final = "cost_usd_per_month.month_12"
"""The figure of what the last of them costs."""


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

    def each(self, change: Callable[[Decimal], Decimal]) -> Amounts:
        """Return the band with `change` applied at every level."""
        return Amounts(change(self.floor), change(self.average), change(self.peak), change(self.ceiling))

    def minus(self, other: Amounts) -> Amounts:
        """Return the level-wise difference."""
        return Amounts(
            self.floor - other.floor, self.average - other.average, self.peak - other.peak, self.ceiling - other.ceiling
        )

    def least(self, other: Amounts) -> Amounts:
        """Return the smaller amount at each level."""
        return Amounts(
            min(self.floor, other.floor),
            min(self.average, other.average),
            min(self.peak, other.peak),
            min(self.ceiling, other.ceiling),
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
    group: str
    """The name of the node group it is for, its storage too; empty for metered use that is no group's."""
    quantity: Amounts
    """Amount a month at each level, in `unit`."""
    quantity_used: Amounts
    """What of the amount runs: less than is paid for where a commitment is to more than runs."""
    unit: str
    price_usd: Decimal
    """What is paid per unit, after the term."""
    list_price_usd: Decimal
    """The public on-demand price per unit, before any contract."""
    cost_usd: Amounts
    list_cost_usd: Amounts
    """What is used, at the list price."""
    key: PriceKey
    as_of: str
    source: str
    note: str
    origin: str
    sku: str
    """The provider's identifier of what is priced; empty where the source has none."""
    on_demand_price_usd: Decimal
    """What is paid per unit on demand: the list price, after any contract."""
    upfront_usd: Decimal | None
    """What one instance costs on the first day of its term, spread over the term in `price_usd`; None if not known."""
    bought_count: Decimal
    """Instances the term is bought for; of a savings plan it may be a fraction. 0 where nothing is committed."""
    covered_count: Decimal
    """Running instances that these pay for: fewer where smaller ones of the family are bought."""
    break_even: BreakEven | None
    """When the commitment is cheaper than on demand; None where nothing is committed."""
    confirmed_by: str = ""
    """As of a price."""

    @property
    def unused_usd(self) -> Amounts:
        """What is paid a month for a commitment that nothing uses."""
        return self.quantity.minus(self.quantity_used).times(self.price_usd)

    @property
    def committed_usd_per_hour(self) -> Decimal:
        """What is committed to for every hour of the term; 0 where nothing is."""
        return self.bought_count * self.price_usd

    @property
    def upfront_total_usd(self) -> Decimal | None:
        """What the line costs on the first day of its term, or None if it is not known."""
        if not self.bought_count:
            return Decimal(0)
        return None if self.upfront_usd is None else self.upfront_usd * self.bought_count


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A line the bill needs and the book has no price for."""

    name: str
    tier: str
    group: str
    """As of an item."""
    quantity: Amounts
    unit: str
    key: PriceKey
    """The price that is missing."""
    term: str
    """How it is to be paid."""
    covered_count: Decimal
    """Running instances that a commitment pays for; 0 where nothing is committed."""
    on_demand_usd: Amounts | None = None
    """What it costs a month at the public on-demand price; None where the book does not have that one either."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a tier costs that has no price."""

    tier: str
    usd_per_month: Decimal | None
    """At the public on-demand prices; None where one of these is not known either."""
    share: float | None
    """Of the bill as it would be on demand; None where any line's on-demand price is not known."""

    def __str__(self) -> str:
        """Return the tier, with its share and amount as far as they are known."""
        name = self.tier.replace("_", " ")
        if self.usd_per_month is None:
            return f"{name} (no price on demand is known either)"
        amount = f"${self.usd_per_month:,.2f} a month on demand"
        return f"{name} ({amount})" if self.share is None else f"{name} ({self.share:.0%} of the bill before, {amount})"


@dataclass(frozen=True, slots=True)
class Bill:
    """The month's cost of a fleet."""

    items: tuple[Item, ...]
    unpriced: tuple[Unpriced, ...]
    not_priced: tuple[str, ...]
    """What the fleet will cost that no line covers, in words."""
    effective_usd: Amounts
    """What is paid a month. What is paid upfront is spread over its term here."""
    list_usd: Amounts
    """The same amounts at the public on-demand prices."""
    upfront_usd: Decimal
    """What is paid on the first day for all commitments together, as far as it is known."""
    first_year_usd: tuple[Amounts, ...] = ()
    """What is paid in each of the first twelve months; empty where every month costs the same."""

    def lacks(self, level: str) -> str:
        """Return how many lines have no price, and of which tiers, in words."""
        count = len(self.unpriced)
        tiers = ", ".join(map(str, self.missing(level)))
        return f"{count} line{'' if count == 1 else 's'} ha{'s' if count == 1 else 've'} no price: {tiers}"

    def missing(self, level: str) -> tuple[Missing, ...]:
        """Return what has no price, by tier: what is not known at all first, then the largest."""
        found: dict[str, Decimal | None] = {}
        for line in self.unpriced:
            usd = None if line.on_demand_usd is None else getattr(line.on_demand_usd, level)
            known = found.get(line.tier, NOTHING.floor)
            found[line.tier] = None if usd is None or known is None else known + usd
        amounts = [usd for usd in found.values() if usd is not None]
        whole = getattr(self.effective_usd, level) + sum(amounts) if len(amounts) == len(found) else NOTHING.floor
        parts = (
            Missing(tier, usd, float(usd / whole) if usd is not None and whole else None) for tier, usd in found.items()
        )
        return tuple(sorted(parts, key=lambda part: (part.usd_per_month is not None, -(part.usd_per_month or 0))))

    @property
    def complete(self) -> bool:
        """Whether every line has a price; if not, the totals are "at least"."""
        return not self.unpriced

    @property
    def upfront_unknown(self) -> tuple[str, ...]:
        """Names of the committed lines whose upfront is not known; if there are any, the total is "at least"."""
        return (
            *(item.name for item in self.items if item.upfront_total_usd is None),
            *(line.name for line in self.unpriced if _is_paid_upfront(line.term)),
        )


def _is_paid_upfront(term: str) -> bool:
    commitment = commitment_of(term)
    return commitment is not None and commitment.upfront != "no"
