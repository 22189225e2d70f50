"""A commitment in one month: what it pays for, what it costs and what is paid for it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cascade_plan.model.bill import Item


@dataclass(frozen=True, slots=True)
class Held:
    """What was committed to in one purchase, in a month in which it lasts."""

    item: Item
    """The line of the bill that it was bought for, as that was then."""
    count: Decimal
    """Instances; of a savings plan it may be a fraction."""
    hours: Decimal
    """Of instances, that it pays for in the month."""
    cost_usd: Decimal
    """What it costs in the month: what recurs, and of what was paid upfront the month's part."""
    upfront_usd: Decimal
    """What is paid upfront in the month; nothing where it was bought before."""
    recurring_usd: Decimal
    """What is paid for the month's hours."""
