"""What a share of a fleet commits to, and when that pays off against paying on demand."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from cascade_plan.model.price import Price
from cascade_plan.model.terms import BreakEven, Commitment, TermShare, commitment_of
from cascade_plan.units import HOURS_PER_MONTH, QUANTUM

MONTHS_PER_YEAR: Final = 12


def exact_share(part: TermShare) -> Decimal:
    """Return a share as the decimal it was written as: 0.29 of 100 instances are 29, not 28.999999999999996."""
    return Decimal(str(part.share))


def bought(part: TermShare, count_floor: float) -> Decimal:
    """Return how many instances a share commits to, of those that run all month; 0 for spot.

    Whole ones for a reservation, rounded down. A savings plan is an amount of money an hour: any fraction of one.

    >>> [str(bought(TermShare(f"{kind}_1y_no_upfront", 0.5), 3)) for kind in ("reserved", "compute_sp")]
    ['1', '1.5']
    """
    commitment = commitment_of(part.term)
    if commitment is None:
        return Decimal(0)
    count = exact_share(part) * Decimal(str(count_floor))
    return Decimal(int(count)) if commitment.is_whole else count


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
