"""How an instance is paid: on demand, on spot, or by a commitment to one or three years."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

HOURS_PER_YEAR: Final = 8760
"""A commitment is billed for 365 days a year, https://aws.amazon.com/ec2/pricing/reserved-instances/pricing/"""
_TERM: Final = re.compile(r"(reserved|compute_sp|ec2_instance_sp|database_sp)_([13])y_(no|partial|all)_upfront")
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
    def upfront_share(self) -> Decimal:
        """Share of a savings plan paid on its first day: half of it with partial upfront.

        Source: https://docs.aws.amazon.com/savingsplans/latest/userguide/what-is-savings-plans.html
        """
        return _SHARES[self.upfront]


def commitment_of(term: str) -> Commitment | None:
    """Return what a term commits to, or None for on demand and spot.

    >>> commitment_of("reserved_3y_all_upfront").hours, commitment_of("spot")
    (26280, None)
    """
    match = _TERM.fullmatch(term)
    return Commitment(match[1], int(match[2]), match[3]) if match else None
