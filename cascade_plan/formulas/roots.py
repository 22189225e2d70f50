"""The root of a monotone function, in few evaluations."""

from __future__ import annotations

from collections.abc import Callable


def root(
    function: Callable[[float], float], low: float, high: float, tolerance: float = 1e-6, near: float = 1e-12
) -> float:
    """Return where a function that rises from below 0 at `low` to above 0 at `high` is 0, to a relative `tolerance`,
    or where it is at most `near` from 0.

    False position with the Illinois rule, which halves the value of an end that stays: as safe as bisection, and as
    fast as the secant where the function is smooth. Returns `low` or `high` when the function does not change sign.
    Source: Dowell and Jarratt, A modified regula falsi method, BIT 11 (1971).

    >>> round(root(lambda x: x * x - 2, 0, 2), 5)
    1.41421
    """
    at_low, at_high = function(low), function(high)
    if at_low >= 0:
        return low
    if at_high <= 0:
        return high
    side = 0
    for _ in range(100):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < middle < high:
            middle = (low + high) / 2
        value = function(middle)
        if value == 0 or high - low <= tolerance * abs(high):
            return middle
        if value < 0:
            low, at_low = middle, value
            at_high, side = (at_high / 2, -1) if side == -1 else (at_high, -1)
        else:
            high, at_high = middle, value
            at_low, side = (at_low / 2, 1) if side == 1 else (at_low, 1)
        if abs(value) <= near:
            return middle
    return (low + high) / 2
