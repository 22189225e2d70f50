"""The day: how many users are connected in each hour, given the peak, the mean and the shape of a day."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

STEEPEST: Final = 12.0
"""A weight of 0.9 to this power is 0.28: steeper days are modelled as a peak shorter than an hour instead."""

QUIETEST: Final = 1e-6
"""The least weight of an hour: an hour of nothing could not be raised to any mean."""


@lru_cache(256)
def hourly_users(peak: float, average: float, weights: tuple[float, ...]) -> tuple[float, ...]:
    """Return users of each hour, with the shape of `weights` and a mean of `average` (to a millionth of a user).

    users(h) = peak x weights(h)^k, with the k >= 0 that gives the mean: k = 0 is a flat day at the peak. The ratio of
    peak to mean is the scenario's, the order of the hours is the profile's. When even a steep day (k = 12) has a
    higher mean, the peak lasts less than an hour and the whole curve is scaled down to the mean.
    `weights` are relative to the busiest hour (their maximum is 1).

    >>> [round(users) for users in hourly_users(100, 62.5, (1.0, 0.5))]
    [100, 25]
    """
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


def trace_points(text: str) -> list[tuple[float, float]]:
    """Return (minutes since midnight of the first day, count) of a trace: CSV with a header, of time and count.

    A first column headed `minute` counts minutes from midnight; otherwise times are ISO timestamps, read as written.
    Raises ValueError naming the line that cannot be read.
    """
    import csv
    from datetime import datetime

    lines = csv.reader(text.splitlines())
    header = next(lines, [])
    by_minute = bool(header) and header[0].strip() == "minute"
    midnight: datetime | None = None
    points = []
    for number, row in enumerate(lines, start=2):
        try:
            amount = float(row[1])
            if by_minute:
                minutes = float(row[0])
            else:
                # Without its zone: a machine's own must not move the hours.
                time = datetime.fromisoformat(row[0]).replace(tzinfo=None)
                midnight = midnight or time.replace(hour=0, minute=0, second=0, microsecond=0)
                minutes = (time - midnight).total_seconds() / 60
        except (ValueError, IndexError):
            raise ValueError(f"line {number} is not a timestamp and a count") from None
        if not 0 <= amount < float("inf"):
            raise ValueError(f"line {number}: counts must be numbers from 0 up")
        points.append((minutes, amount))
    return points


def hourly_means(text: str) -> tuple[float, ...]:
    """Return the mean of each hour of the day from a trace's text. Missing hours are an error, not zero.

    Raises ValueError naming the line that cannot be read, or the hours without data.
    """
    totals, counts = [0.0] * 24, [0] * 24
    for minutes, amount in trace_points(text):
        hour = int(minutes // 60 % 24)
        totals[hour] += amount
        counts[hour] += 1
    if empty := [str(hour) for hour in range(24) if not counts[hour]]:
        raise ValueError(f"no data for the hours {', '.join(empty)}")
    means = tuple(total / count for total, count in zip(totals, counts, strict=True))
    if not max(means):
        raise ValueError("every count is 0")
    return means
