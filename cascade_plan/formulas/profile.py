"""The day: how many users are connected in each hour, given the peak, the mean and the shape of a day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

STEEPEST: Final = 12.0
"""A weight of 0.9 to this power is 0.28: steeper days are modelled as a peak shorter than an hour instead."""


def hourly_users(peak: float, average: float, weights: Sequence[float]) -> tuple[float, ...]:
    """Return users of each hour, with the shape of `weights` and a mean of `average` (to a millionth of a user).

    users(h) = peak x weights(h)^k, with the k >= 0 that gives the mean: k = 0 is a flat day at the peak. The ratio of
    peak to mean is the scenario's, the order of the hours is the profile's. When even a steep day (k = 12) has a
    higher mean, the peak lasts less than an hour and the whole curve is scaled down to the mean.
    `weights` are relative to the busiest hour (their maximum is 1).

    >>> [round(users) for users in hourly_users(100, 62.5, (1.0, 0.5))]
    [100, 25]
    """
    count = len(weights)
    share = average / peak

    def mean(power: float) -> float:
        return float(sum(weight**power for weight in weights)) / count

    low, high = 0.0, STEEPEST
    if mean(high) >= share:
        power = high
    else:
        for _ in range(50):
            power = (low + high) / 2
            low, high = (power, high) if mean(power) > share else (low, power)
        power = (low + high) / 2
    curve = [peak * weight**power for weight in weights]
    scale = average * count / sum(curve)
    return tuple(min(float(peak), round(users * scale, 6)) for users in curve)
