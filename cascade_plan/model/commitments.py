"""What a share of a fleet commits to, and when that pays off against paying on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from cascade_plan.model.offer import Offer
from cascade_plan.model.price import Price
from cascade_plan.model.terms import BreakEven, Commitment, TermShare, commitment_of
from cascade_plan.units import HOURS_PER_MONTH, QUANTUM

MONTHS_PER_YEAR: Final = 12


def exact_share(part: TermShare) -> Decimal:
    """Return a share as the decimal it was written as: 0.29 of 100 instances are 29, not 28.999999999999996."""
    return Decimal(str(part.share))


class Size(NamedTuple):
    """An instance that can be reserved to pay for another one of its family."""

    offer: Offer
    ratio: Fraction
    """How much of one running instance a reservation of it pays for."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What is bought for a share of a group's instances."""

    offer: Offer
    count: Decimal
    """How many are bought: whole ones for a reservation, any fraction for a savings plan."""
    covered_count: Decimal
    """How many of the running instances they pay for."""


def lot(part: TermShare, running_count: float, sizes: Sequence[Size]) -> Lot:
    """Return what a share commits to, of so many running instances; nothing for spot.

    A savings plan is an amount of money an hour: any fraction of the running instance, which is the first of `sizes`.
    A reservation is bought whole, in the size that pays for most without exceeding the share; the first of equals.

    >>> running, smaller = Offer("vm", "m5.xlarge"), Offer("vm", "m5.large")
    >>> sizes = [Size(running, Fraction(1)), Size(smaller, Fraction(1, 2))]
    >>> half = TermShare("reserved_1y_no_upfront", 0.5)
    >>> [f"{found.count} {found.offer.name}, {found.covered_count}" for n in (3, 4) if (found := lot(half, n, sizes))]
    ['3 m5.large, 1.5', '2 m5.xlarge, 2']
    >>> str(lot(TermShare("compute_sp_1y_no_upfront", 0.5), 3, sizes).count)
    '1.5'
    """
    running, commitment = sizes[0].offer, commitment_of(part.term)
    if commitment is None:
        return Lot(running, Decimal(0), Decimal(0))
    share = exact_share(part) * Decimal(str(running_count))
    if not commitment.is_whole:
        return Lot(running, share, share)
    wanted = Fraction(share)
    size = max(sizes, key=lambda size: wanted // size.ratio * size.ratio)
    count = wanted // size.ratio
    covered = count * size.ratio
    return Lot(size.offer, Decimal(count), Decimal(covered.numerator) / covered.denominator)


def break_even(commitment: Commitment, price: Price, on_demand_usd: Decimal) -> BreakEven:
    """Return when a commitment is cheaper than on demand, from both prices of one hour.

    Hours: 730 x effective / on demand, since a commitment is paid for every hour and on demand for those that run.
    Months: upfront / (730 x on demand - what is still paid a month), for an instance that runs all month.

    >>> from cascade_plan.model.price import PriceKey
    >>> key = PriceKey("ec2", "m5.large", "linux", "reserved_1y_all_upfront")
    >>> break_even(Commitment("reserved", 1, "all"), Price(key, "hour", Decimal("0.15"), "", ""), Decimal("0.2"))
    BreakEven(hours_per_month=Decimal('547.500000'), upfront_months=Decimal('9.000000'))
    """
    hours_per_month = (HOURS_PER_MONTH * price.usd / on_demand_usd).quantize(QUANTUM)
    return BreakEven(hours_per_month, _months(commitment, price, on_demand_usd))


def _months(commitment: Commitment, price: Price, on_demand_usd: Decimal) -> Decimal | None:
    if not (upfront_usd := price.first_day_usd):
        return None
    term_months = commitment.years * MONTHS_PER_YEAR
    still_paid_usd = HOURS_PER_MONTH * price.usd - upfront_usd / term_months
    saved_usd = HOURS_PER_MONTH * on_demand_usd - still_paid_usd
    if saved_usd * term_months < upfront_usd:
        return None
    return (upfront_usd / saved_usd).quantize(QUANTUM)
