"""Days on which clocks are set, seen in times that stand without a zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cascade_plan.traces.times import EPOCH

HOUR_MS: Final = 3_600_000
FORWARD: Final = ((3, 8), (3, 25), (4, 1), (9, 2), (9, 24), (10, 1))
BACK: Final = ((10, 25), (11, 1), (4, 1), (4, 2))
"""Month and first day of the weeks in which a Sunday's night hour is skipped or comes twice: the United States (since
2007 and before), Europe, Chile, New Zealand, Australia. Source: tz database, files northamerica, europe, southamerica
and australasia."""
LAST_HOUR: Final = 3
"""Clocks are set at or before 3 o'clock: at 0 in Chile, at 1 in Portugal, at 2 in the United States."""


@dataclass(frozen=True, slots=True)
class Even:
    """Times and amounts on a clock that was never set."""

    times_ms: list[int]
    clocks_ms: list[int]
    """What clocks showed."""
    amounts: list[float]
    twice: tuple[int, ...] = ()
    """Hours that came twice, as clocks showed their beginning."""
    skipped: tuple[int, ...] = ()


def is_set(hour_ms: int, weeks: Sequence[tuple[int, int]]) -> bool:
    """Return whether clocks may be set in the hour that begins so many ms after 1970."""
    time = EPOCH + timedelta(milliseconds=hour_ms)
    in_week = any(time.month == month and day <= time.day < day + 7 for month, day in weeks)
    return time.weekday() == 6 and time.hour <= LAST_HOUR and time.minute == 0 and in_week


def evened(
    times_ms: Sequence[int], amounts: Sequence[float], row_counts: Sequence[int], step_ms: int, is_sum: bool
) -> Even:
    """Return rising times as a clock that was never set shows them.

    An hour whose rows all came twice lasts two hours, each with half of its rows' sum (`is_sum`) or with their mean:
    so no row needs to be told from its double. An hour that is skipped lasts no time. `row_counts` is how many rows
    each time had.
    """
    twice = _twice(times_ms, row_counts)
    skipped = []
    found = Even([], [], [])
    shift = 0
    held: list[tuple[int, float]] = []
    for index, (time, amount) in enumerate(zip(times_ms, amounts, strict=True)):
        hour = time - time % HOUR_MS
        if held and hour not in twice:
            shift = _repeat(found, held, shift)
        if hour in twice:
            amount = amount / 2 if is_sum else amount
            held.append((time, amount))
        elif index and (begin := _skipped(times_ms[index - 1], time, step_ms)) is not None:
            skipped.append(begin)
            shift -= HOUR_MS
        _add(found, time, amount, shift)
    if held:
        _repeat(found, held, shift)
    return Even(found.times_ms, found.clocks_ms, found.amounts, tuple(sorted(twice)), tuple(skipped))


def _add(found: Even, time: int, amount: float, shift: int) -> None:
    found.times_ms.append(time + shift)
    found.clocks_ms.append(time)
    found.amounts.append(amount)


def _repeat(found: Even, held: list[tuple[int, float]], shift: int) -> int:
    for time, amount in held:
        _add(found, time, amount, shift + HOUR_MS)
    held.clear()
    return shift + HOUR_MS


def _twice(times_ms: Sequence[int], row_counts: Sequence[int]) -> set[int]:
    """Return the hours that clocks showed twice: most of their times have two rows, and those around them have not."""
    doubled: dict[int, list[int]] = {}
    for time, count in zip(times_ms, row_counts, strict=True):
        hour = time - time % HOUR_MS
        if count > 1 or hour in doubled:
            doubled.setdefault(hour, [])
    if not doubled:
        return set()
    for time, count in zip(times_ms, row_counts, strict=True):
        if (hour := time - time % HOUR_MS) in doubled:
            doubled[hour].append(count)
    return {
        hour
        for hour, counts in doubled.items()
        if is_set(hour, BACK)
        and max(counts) == 2
        and counts.count(2) >= len(counts) / 2
        and not doubled.keys() & {hour - HOUR_MS, hour + HOUR_MS}
    }


def _skipped(earlier: int, later: int, step_ms: int) -> int | None:
    """Return the hour between two times that clocks skipped, None where they did not."""
    begin = later - later % HOUR_MS - HOUR_MS
    if abs(later - earlier - step_ms - HOUR_MS) > step_ms // 10 or not is_set(begin, FORWARD):
        return None
    return begin if begin - step_ms <= earlier < begin else None
