"""How an instance is paid: on demand, on spot, or by a commitment to one or three years."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

CENT: Final = Decimal("0.01")
HOURS_PER_YEAR: Final = 8760
"""A commitment is billed for 365 days a year, https://aws.amazon.com/ec2/pricing/reserved-instances/pricing/"""
_TERM: Final = re.compile(r"(reserved|compute_sp|ec2_instance_sp|database_sp)_([13])y_(no|partial|all)_upfront")
SHARES_TOLERANCE: Final = 1e-9
"""Shares that sum to 1 may exceed it by what floats round."""
_SHARES: Final = {"no": Decimal(0), "partial": Decimal("0.5"), "all": Decimal(1)}


@dataclass(frozen=True, slots=True)
class Commitment:
    """A term that is bought for years."""

    kind: str
    """reserved, compute_sp, ec2_instance_sp or database_sp."""
    years: int
    upfront: str
    """no, partial or all."""

    @property
    def hours(self) -> int:
        """Hours of the whole term."""
        return self.years * HOURS_PER_YEAR

    @property
    def is_whole(self) -> bool:
        """Whether it is bought for whole instances: a reservation is, a savings plan is an amount an hour."""
        return self.kind == "reserved"

    @property
    def is_of_family(self) -> bool:
        """Whether it pays for one family of instances; other savings plans pay for all that they cover, in any hour."""
        return self.kind in ("reserved", "ec2_instance_sp")

    @property
    def upfront_share(self) -> Decimal:
        """Share of a savings plan paid on its first day: half of it with partial upfront.

        Source: https://docs.aws.amazon.com/savingsplans/latest/userguide/what-is-savings-plans.html
        """
        return _SHARES[self.upfront]


@lru_cache(maxsize=256)
def commitment_of(term: str) -> Commitment | None:
    """Return what a term commits to, or None for on demand and spot.

    >>> commitment_of("reserved_3y_all_upfront").hours, commitment_of("spot")
    (26280, None)
    """
    match = _TERM.fullmatch(term)
    return Commitment(match[1], int(match[2]), match[3]) if match else None


@dataclass(frozen=True, slots=True)
class TermShare:
    """A share of a group's instances that is paid by a term other than on demand."""

    term: str
    share: float
    """Above 0, at most 1: of a commitment of what runs at `level`, of spot of what runs at each level."""
    level: str = "floor"
    """The level of the band that commitments are counted at."""


def checked(given: object, sold: Collection[str], refusal: Callable[[str], str]) -> object:
    """Return a term, or a mapping of terms to their shares, as given.

    Raises ValueError for one that is neither, for a term that is not `sold` (what `refusal` says of it), and for shares
    above 1.
    """
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, dict) else None
    if names is None:
        raise ValueError("must be a term such as on_demand, or a mapping of terms to their shares")
    if not names:
        raise ValueError("must map at least one term to its share, such as {spot: 0.5}")
    for name in names:
        if name == "on_demand" and isinstance(given, dict):
            raise ValueError("on_demand is what the other shares leave: leave it out")
        if name not in sold:
            raise ValueError(refusal(str(name)))
    shares = [share for share in given.values() if isinstance(share, int | float)] if isinstance(given, dict) else []
    if sum(shares) > 1 + SHARES_TOLERANCE:
        raise ValueError(f"the shares sum to {sum(shares):.6g}: at most 1, what they leave is on demand")
    return given


@dataclass(frozen=True, slots=True)
class BreakEven:
    """When a commitment becomes cheaper than paying on demand."""

    hours_per_month: Decimal
    """Hours an instance must run each month of the term; above 730 it never pays."""
    upfront_months: Decimal | None
    """Months, at 730 hours each, until what was paid upfront has been saved; None when nothing is paid upfront, when it
    is not known how much, or when the term ends before."""


def recurring_of(term: str, usd: Decimal, upfront_usd: Decimal | None) -> Decimal:
    """Return what is paid for each hour of a commitment beside its upfront: its effective rate less that one's share.

    In millionths of a dollar, as its sources have rates. Paid all upfront, nothing is left: a source rounds what an
    hour of it comes to. Where it is not known what is paid upfront, all of it recurs.

    >>> recurring_of("reserved_1y_partial_upfront", Decimal("0.275057"), Decimal("1205"))
    Decimal('0.137500')
    """
    commitment = commitment_of(term)
    if commitment is None or not upfront_usd:
        return usd
    if commitment.upfront == "all":
        return Decimal(0)
    from cascade_plan.units import QUANTUM  # beside pydantic, which opening a book does without

    return (usd - upfront_usd / commitment.hours).quantize(QUANTUM)


def upfront_of(term: str, usd: Decimal, known_usd: Decimal | None) -> Decimal | None:
    """Return what a unit costs on the first day of its term, from its effective rate an hour; None if it is not known.

    The source's figure counts where it has one. Otherwise it is nothing on demand, on spot and with no upfront, and the
    rate of every hour of the term with all upfront. A savings plan's partial upfront is half of that; a reservation's
    is a price of its own.

    >>> upfront_of("reserved_1y_all_upfront", Decimal("0.15"), None), upfront_of("spot", Decimal("0.05"), None)
    (Decimal('1314.00'), Decimal('0'))
    >>> upfront_of("reserved_1y_partial_upfront", Decimal("0.15"), None) is None
    True
    """
    commitment = commitment_of(term)
    if known_usd is not None:
        return known_usd
    if commitment is None or commitment.upfront == "no":
        return Decimal(0)
    if commitment.is_whole and commitment.upfront == "partial":
        return None
    return (usd * commitment.hours * commitment.upfront_share).quantize(CENT)
