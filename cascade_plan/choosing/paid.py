"""Bills month by month -> what each costs and what is paid in it: what is paid upfront is bought once and used up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from cascade_plan.model.bill import Bill, Item
from cascade_plan.model.growth import MONTHS_PER_YEAR
from cascade_plan.model.price import PriceKey
from cascade_plan.model.terms import CENT, commitment_of
from cascade_plan.units import QUANTUM

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Paid:
    """What one month costs, by both views."""

    tier_usd: dict[str, Decimal]
    """Tier -> effective cost."""
    cash_usd: Decimal
    prepaid_usd: Decimal
    """Paid upfront and not used up at its end."""

    @property
    def effective_usd(self) -> Decimal:
        """The effective cost of all tiers."""
        return sum(self.tier_usd.values(), NOTHING)


@dataclass(frozen=True, slots=True)
class _Lot:
    """What was committed to in one month."""

    tier: str
    count: Decimal
    begins: int
    """The month that it is bought in, 0 the first; it lasts from its first hour on."""
    month_count: int
    upfront_usd: Decimal
    """Of all together, in whole cents."""
    recurring_usd_per_hour: Decimal
    """Of all together, for every hour."""

    def lasts(self, month: int) -> bool:
        return self.begins <= month < self.begins + self.month_count

    def used_usd(self, until: int, hours: Sequence[int]) -> Decimal:
        """Return what of the upfront is used up before a month, by the hours of its term: whole cents."""
        term = hours[self.begins : self.begins + self.month_count]
        gone = sum(term[: max(0, until - self.begins)])
        return (self.upfront_usd * gone / sum(term)).quantize(CENT)

    def owed_usd(self, after: int, hours: Sequence[int]) -> Decimal:
        """Return what is still to be paid from a month on."""
        left = hours[max(after, self.begins) : self.begins + self.month_count]
        return self.recurring_usd_per_hour * sum(left)


@dataclass(slots=True)
class Ledger:
    """What has been committed to so far. Months are told in their order."""

    hours: Sequence[int]
    """Of each month, those of terms that end after the last month among them."""
    level: str
    """The level of the band of a bill that is counted."""
    lots: dict[tuple[str, PriceKey], list[_Lot]] = field(default_factory=dict)
    """Line -> what was bought for it."""

    def month(self, month: int, bill: Bill) -> Paid:
        """Return what a month costs, 0 the first: what a commitment lacks is bought, and what it has too much is paid.

        A line on demand costs what it says. A commitment that its line needs no more is paid until its term ends.
        """
        tier_usd: dict[str, Decimal] = {}
        cash = NOTHING
        for item in bill.items:
            tier_usd.setdefault(item.tier, NOTHING)
            if item.bought_count and commitment_of(item.key.term) is not None:
                cash += self._buy(month, item)
            else:
                cost: Decimal = getattr(item.cost_usd, self.level)
                tier_usd[item.tier] += cost
                cash += cost
        prepaid = NOTHING
        for lot in self._all:
            if lot.lasts(month):
                recurring = lot.recurring_usd_per_hour * self.hours[month]
                used, before = lot.used_usd(month + 1, self.hours), lot.used_usd(month, self.hours)
                tier_usd[lot.tier] = tier_usd.get(lot.tier, NOTHING) + recurring + used - before
                cash += recurring
                prepaid += lot.upfront_usd - used
        return Paid(tier_usd, cash, prepaid)

    def owed_usd(self, after: int) -> Decimal:
        """Return what is still to be paid from a month on, 0 the first, for all that has been committed to."""
        return sum((lot.owed_usd(after, self.hours) for lot in self._all), NOTHING)

    @property
    def _all(self) -> Iterator[_Lot]:
        return (lot for lots in self.lots.values() for lot in lots)

    def _buy(self, month: int, item: Item) -> Decimal:
        """Return what is paid upfront in a month for what a committed line lacks."""
        lots = self.lots.setdefault((item.name, item.key), [])
        lacking = item.bought_count - sum((lot.count for lot in lots if lot.lasts(month)), NOTHING)
        if lacking <= 0:
            return NOTHING
        commitment = commitment_of(item.key.term)
        assert commitment is not None, "a line that is on demand buys nothing"
        upfront = item.upfront_usd or NOTHING
        # All upfront leaves nothing to pay; a source rounds what an hour of it comes to.
        recurring = (item.price_usd - upfront / commitment.hours).quantize(QUANTUM)
        if commitment.upfront == "all" and item.upfront_usd is not None:
            recurring = NOTHING
        first_day = (lacking * upfront).quantize(CENT)
        years = commitment.years * MONTHS_PER_YEAR
        lots.append(_Lot(item.tier, lacking, month, years, first_day, lacking * recurring))
        return first_day
