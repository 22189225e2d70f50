"""Bills month by month -> what each costs and what is paid in it: what is paid upfront is bought once and used up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from cascade_plan.model.bill import Bill, Item
from cascade_plan.model.growth import MONTHS_PER_YEAR
from cascade_plan.model.held import Held
from cascade_plan.model.price import PriceKey
from cascade_plan.model.terms import CENT, commitment_of, recurring_of

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Paid:
    """What one month costs, by both views."""

    tier_usd: dict[str, Decimal]
    """Tier -> effective cost."""
    cash_usd: Decimal
    prepaid_usd: Decimal
    """Paid upfront and not used up at its end."""
    held: tuple[Held, ...]
    """What is committed to, a purchase each."""

    @property
    def effective_usd(self) -> Decimal:
        """The effective cost of all tiers."""
        return sum(self.tier_usd.values(), NOTHING)


@dataclass(frozen=True, slots=True)
class _Lot:
    """What was committed to in one month."""

    item: Item
    """The line that it was bought for, as that was then."""
    count: Decimal
    begins: int
    """The month that it is bought in, 0 the first; it lasts from its first hour on."""
    month_count: int
    upfront_usd: Decimal
    """Of all together, in whole cents."""
    recurring_usd_per_hour: Decimal
    """Of all together, for every hour."""

    @property
    def tier(self) -> str:
        return self.item.tier

    def held(self, month: int, hours: Sequence[int]) -> Held:
        """Return it in a month in which it lasts."""
        recurring = self.recurring_usd_per_hour * hours[month]
        used, before = self.used_usd(month + 1, hours), self.used_usd(month, hours)
        upfront = self.upfront_usd if month == self.begins else NOTHING
        return Held(self.item, self.count, self.count * hours[month], recurring + used - before, upfront, recurring)

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
    """Group and price -> what was bought for it. Not by the line's name, which may say of how many it is."""

    def month(self, month: int, bill: Bill) -> Paid:
        """Return what a month costs, 0 the first: what a commitment lacks is bought, and what it has too much is paid.

        A line on demand costs what it says. A commitment that its line needs no more is paid until its term ends.
        """
        tier_usd: dict[str, Decimal] = {}
        cash = NOTHING
        for item in bill.items:
            tier_usd.setdefault(item.tier, NOTHING)
            if item.bought_count and commitment_of(item.key.term) is not None:
                self._buy(month, item)
            else:
                cost: Decimal = getattr(item.cost_usd, self.level)
                tier_usd[item.tier] += cost
                cash += cost
        lasting = [lot for lot in self._all if lot.lasts(month)]
        held = tuple(lot.held(month, self.hours) for lot in lasting)
        for each in held:
            tier_usd[each.item.tier] = tier_usd.get(each.item.tier, NOTHING) + each.cost_usd
            cash += each.upfront_usd + each.recurring_usd
        prepaid = sum((lot.upfront_usd - lot.used_usd(month + 1, self.hours) for lot in lasting), NOTHING)
        return Paid(tier_usd, cash, prepaid, held)

    def owed_usd(self, after: int) -> Decimal:
        """Return what is still to be paid from a month on, 0 the first, for all that has been committed to."""
        return sum((lot.owed_usd(after, self.hours) for lot in self._all), NOTHING)

    @property
    def _all(self) -> Iterator[_Lot]:
        return (lot for lots in self.lots.values() for lot in lots)

    def _buy(self, month: int, item: Item) -> None:
        """Buy what a committed line lacks."""
        lots = self.lots.setdefault((item.group, item.key), [])
        lacking = item.bought_count - sum((lot.count for lot in lots if lot.lasts(month)), NOTHING)
        if lacking <= 0:
            return
        commitment = commitment_of(item.key.term)
        assert commitment is not None, "a line that is on demand buys nothing"
        first_day = (lacking * (item.upfront_usd or NOTHING)).quantize(CENT)
        recurring = lacking * recurring_of(item.key.term, item.price_usd, item.upfront_usd)
        lots.append(_Lot(item, lacking, month, commitment.years * MONTHS_PER_YEAR, first_day, recurring))
