"""The day: how many users are connected in each hour, given the peak, the mean and the shape of a day."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from cascade_plan.formulas.draws import Draws, tabulated

STEEPEST: Final = 12.0
"""A weight of 0.9 to this power is 0.28: steeper days are modelled as a peak shorter than an hour instead."""

MANY: Final = 1e9
"""Users of whom a millionth of one is a part of 1e-15: the hours of many are told as shares of the peak."""

QUIETEST: Final = 1e-6
"""The least weight of an hour: an hour of nothing could not be raised to any mean."""


def hourly_users(peak: float, average: float, weights: tuple[float, ...]) -> tuple[float, ...]:
    """Return users of each hour, with the shape of `weights` and a mean of `average` (to a millionth of a user).

    users(h) = peak x weights(h)^k, with the k >= 0 that gives the mean: k = 0 is a flat day at the peak. The ratio of
    peak to mean is the scenario's, the order of the hours is the profile's. When even a steep day (k = 12) has a
    higher mean, the peak lasts less than an hour and the whole curve is scaled down to the mean.
    `weights` are relative to the busiest hour (their maximum is 1).

    >>> [round(users) for users in hourly_users(100, 62.5, (1.0, 0.5))]
    [100, 25]
    """
    if isinstance(peak, Draws) or isinstance(average, Draws):
        return _of_many(peak, average, weights)
    return _hourly_users(peak, average, weights)


def _of_many(peak: Any, average: Any, weights: tuple[float, ...]) -> tuple[float, ...]:
    """Return the same in many worlds: what an hour has of the peak follows from the average's share of it alone."""
    share = average / peak
    hours: list[Any] = tabulated(lambda part: _hourly_users(MANY, MANY * part, weights), share)
    return tuple(peak * (hour / MANY) for hour in hours)


@lru_cache(256)
def _hourly_users(peak: float, average: float, weights: tuple[float, ...]) -> tuple[float, ...]:
    count = len(weights)
    shape = [max(weight, QUIETEST) for weight in weights]
    share = average / peak

    def mean(power: float) -> float:
        return float(sum(weight**power for weight in shape)) / count

    low, high = 0.0, STEEPEST
    if mean(high) >= share:
        power = high
    else:
        for _ in range(50):
            power = (low + high) / 2
            low, high = (power, high) if mean(power) > share else (low, power)
        power = (low + high) / 2
    curve = [peak * weight**power for weight in shape]
    scale = average * count / sum(curve)
    return tuple(min(float(peak), round(users * scale, 6)) for users in curve)


def hourly_means(
    clocks_s: Sequence[float], lengths_s: Sequence[float], amounts: Sequence[float], step_s: float
) -> tuple[float, ...]:
    """Return the mean amount of a step in each of the 24 hours of a day, over all the time that the spans cover.

    Each span starts at what clocks showed (seconds since a midnight) and lasts for a length; its amount comes evenly.
    Raises ValueError naming the hours that no span covers, or when every amount is 0.
    """
    totals, covered_s = [0.0] * 24, [0.0] * 24
    for clock_s, length_s, amount in zip(clocks_s, lengths_s, amounts, strict=True):
        start, end = clock_s, clock_s + length_s
        while start < end:
            hour = int(start // 3600)
            stop = min(end, (hour + 1) * 3600.0)
            covered_s[hour % 24] += stop - start
            totals[hour % 24] += amount * ((stop - start) / length_s)
            start = stop
    if empty := [str(hour) for hour in range(24) if not covered_s[hour]]:
        raise ValueError(f"no data for the hours {', '.join(empty)}: a day's profile needs a whole day at least")
    means = tuple(total / (seconds / step_s) for total, seconds in zip(totals, covered_s, strict=True))
    if not max(means):
        raise ValueError("every count is 0")
    return means
