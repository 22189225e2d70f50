"""Parts that are rounded and still add up to their rounded whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal


def apportioned(parts: Sequence[Decimal], whole: Decimal, step: Decimal) -> list[Decimal]:
    """Return the parts in whole steps that add up to `whole`, which is in whole steps: the largest remainders go up.

    No part is further than a step from what it was if the parts add up to the whole before it was rounded.
    Source: the method of largest remainders (Hamilton).

    >>> apportioned([Decimal("33.4"), Decimal("33.4"), Decimal("33.2")], Decimal(100), Decimal(1))
    [Decimal('34'), Decimal('33'), Decimal('33')]
    """
    floors = [(part / step).to_integral_value(ROUND_FLOOR) for part in parts]
    left = int(whole / step - sum(floors))
    order = sorted(range(len(parts)), key=lambda index: floors[index] - parts[index] / step)
    for place in range(left):
        floors[order[place % len(order)]] += 1
    return [floor * step for floor in floors]
