"""What accumulates month by month, at one unit a month, as it is billed: in the mean over a month."""

from __future__ import annotations

MONTHS_PER_YEAR = 12


def held(month: int, kept_months: float | None = None) -> float:
    """Return what is there in the mean of a month, the first being 1, of what is added evenly at 1 a month.

    What is added is there in the mean for half of its first month; each part is taken away after `kept_months`, or
    never: the integral of min(t, kept) from month - 1 to month. Raises ValueError for a month below 1.

    >>> held(1), held(12), held(12, 3), held(1, 0.5)
    (0.5, 11.5, 3.0, 0.375)
    """
    if month < 1:
        raise ValueError(f"the first month is 1, got {month}")
    begin = month - 1
    if kept_months is None or month <= kept_months:
        return begin + 0.5
    if begin >= kept_months:
        return float(kept_months)
    growing = kept_months - begin
    return growing * (begin + kept_months) / 2 + (1 - growing) * kept_months
