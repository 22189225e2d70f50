"""What is left of a count when zones and nodes are lost, and the least count for which a condition holds."""

from __future__ import annotations

from collections.abc import Callable


def after_loss(count: int, zones: int, zones_lost: int, nodes_lost: int) -> int:
    """Return how many of `count`, spread evenly over the zones, are left when the fullest zones go; never below 0.

    One zone is always left: with a single zone there is none to lose.

    >>> after_loss(6, 3, 1, 1), after_loss(4, 3, 2, 0), after_loss(2, 1, 1, 1)
    (3, 1, 1)
    """
    lost = min(zones_lost, zones - 1)
    each, fuller = divmod(count, zones)
    return max(0, count - lost * each - min(fuller, lost) - nodes_lost)


def least_count(meets_at: Callable[[int], bool], most: int, start: int = 1) -> int:
    """Return the least count for which a condition holds that, once it holds, holds for every larger count.

    Searches outwards from `start` in doubling steps, then halves; returns `most` when the condition never holds.

    >>> least_count(lambda count: count >= 37, 100), least_count(lambda count: count >= 37, 100, 50)
    (37, 37)
    """
    low, high, step = 0, min(most, max(1, start)), 1
    while high < most and not meets_at(high):
        low, high, step = high, min(most, high + step), step * 2
    if not low:
        while high > 1 and meets_at(below := max(1, high - step)):
            high, step = below, step * 2
        low = max(0, high - step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets_at(middle) else (middle, high)
    return high
