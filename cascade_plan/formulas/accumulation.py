"""What accumulates month by month, at one unit a month, as it is billed: in the mean over a month."""

from __future__ import annotations

from collections.abc import Sequence

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


def held_of(added: Sequence[float], kept_months: float | None = None) -> float:
    """Return what is there in the mean of the last of some months, of what each of them adds, evenly within it.

    What a month added is there as long after it as what a constant stream adds: `held` of so many months less `held`
    of one fewer. Raises ValueError where there is no month.

    >>> held_of([1, 1, 1]) == held(3), held_of([0.25, 0.5, 1]), held_of([4, 2, 1], 1)
    (True, 1.25, 1.5)
    """
    if not added:
        raise ValueError("there is at least one month")
    stays = [0.0, *(held(months, kept_months) for months in range(1, len(added) + 1))]
    return sum(each * (stays[months] - stays[months - 1]) for months, each in enumerate(reversed(added), start=1))
