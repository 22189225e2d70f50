"""From series of numbers to a trace: sorted, with gaps as nothing, and a word on all that was unclear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from math import isnan
from typing import Final

from cascade_plan.formulas.intervals import ends_of, step_of
from cascade_plan.model.trace import Trace
from cascade_plan.traces.clocks import HOUR_MS, Even, evened
from cascade_plan.traces.series import Clock, Series, Unit
from cascade_plan.traces.times import EPOCH

DAY_MS: Final = 24 * HOUR_MS
LONGEST_MS: Final = 366 * DAY_MS
"""The longest trace: what --days simulates at most."""
EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Placed:
    """The rows of one series, or the sum of several, at their times."""

    times_ms: list[int]
    """Rising, each once."""
    amounts: list[float]
    """0 where no row has data."""
    row_counts: list[int]
    row_count: int
    no_data_count: int


def place(series: Sequence[Series], unit: Unit, clock: Clock, name: str, way_to_rate: str) -> Trace:
    """Return the trace of one series, or of the sum of several.

    Rows of one time are added; they are averaged where they are rates. Raises ValueError, in words, for fewer than two
    times, a trace of more than 366 days, steps of more than a day, and one without a request.
    """
    _check_span(series)
    placed = _summed([_placed(each, is_sum=unit.per_s is None) for each in series])
    if len(placed.times_ms) < 2:
        raise ValueError("a trace needs rows of two times at least")
    step_ms = step_of(placed.times_ms)
    if step_ms > DAY_MS:
        raise ValueError(f"{_longest_gap(series)}: rows of a trace are a day apart at most (is a year mistyped?)")
    offset_ms = round(clock.offset_s * 1000)
    clocks_ms = [time + offset_ms for time in placed.times_ms]
    even = Even(clocks_ms, clocks_ms, placed.amounts)
    if clock.is_local:
        counts = placed.row_counts if len(series) == 1 else [round(each / len(series)) for each in placed.row_counts]
        even = evened(clocks_ms, placed.amounts, counts, step_ms, is_sum=unit.per_s is None)
    starts_ms = even.times_ms
    ends_ms = ends_of(starts_ms, step_ms)
    requests = even.amounts
    if unit.per_s is not None:
        spans = zip(even.amounts, starts_ms, ends_ms, strict=True)
        requests = [amount * (end - start) / 1000 / unit.per_s for amount, start, end in spans]
    if not any(requests):
        raise ValueError("it has no requests: every count is 0 or missing")
    midnight = even.clocks_ms[0] - even.clocks_ms[0] % DAY_MS
    return Trace(
        name=name,
        step_s=step_ms / 1000,
        starts_s=tuple((start - starts_ms[0]) / 1000 for start in starts_ms),
        ends_s=tuple((end - starts_ms[0]) / 1000 for end in ends_ms),
        clocks_s=tuple((shown - midnight) / 1000 for shown in even.clocks_ms),
        requests=tuple(requests),
        words=_words(placed, even, ends_ms, step_ms, unit, clock, len(series), way_to_rate),
    )


def _check_span(series: Sequence[Series]) -> None:
    """Raise ValueError where times span more than a trace may, naming the row after the longest gap."""
    rows = [(time, each, index) for each in series for index, time in _ends(each.times_s)]
    if not rows:
        return
    first, last = min(rows, key=lambda row: row[0]), max(rows, key=lambda row: row[0])
    if (last[0] - first[0]) * 1000 < LONGEST_MS:
        return
    raise ValueError(f"{_longest_gap(series)}: a trace spans 366 days at most (is a year mistyped?)")


def _longest_gap(series: Sequence[Series]) -> str:
    """Return which row comes longest after the one before it, in words."""
    every = sorted(((time, index, each) for each in series for index, time in enumerate(each.times_s)), key=_first)
    before, after = max(pairwise(every), key=lambda pair: pair[1][0] - pair[0][0])
    gap_ms = round((after[0] - before[0]) * 1000)
    return f"{after[2].at(after[1])} is {length(gap_ms)} after {before[2].at(before[1])}"


def _first(row: tuple[float, int, Series]) -> tuple[float, int]:
    return row[0], row[1]


def _ends(times_s: Sequence[float]) -> list[tuple[int, float]]:
    """Return the earliest and the latest of times, each with its index."""
    if not times_s:
        return []
    least, most = min(times_s), max(times_s)
    return [(times_s.index(least), least), (times_s.index(most), most)]


def _placed(series: Series, is_sum: bool) -> Placed:
    """Return a series with its rows in order and those of one time in one."""
    found = Placed([], [], [], len(series.times_s), sum(map(isnan, series.amounts)))
    with_data: list[int] = []
    # By amount too, so that a sum does not depend on the order of rows.
    for time_s, amount in sorted(zip(series.times_s, series.amounts, strict=True), key=_by_time):
        time = round(time_s * 1000)
        if not found.times_ms or time != found.times_ms[-1]:
            found.times_ms.append(time)
            found.amounts.append(0.0)
            found.row_counts.append(0)
            with_data.append(0)
        found.row_counts[-1] += 1
        if not isnan(amount):
            found.amounts[-1] += amount
            with_data[-1] += 1
    if not is_sum:
        means = (amount / max(1, count) for amount, count in zip(found.amounts, with_data, strict=True))
        found.amounts[:] = list(means)
    return found


def _by_time(row: tuple[float, float]) -> tuple[float, float]:
    return row[0], -1.0 if isnan(row[1]) else row[1]


def _summed(parts: Sequence[Placed]) -> Placed:
    if len(parts) == 1:
        return parts[0]
    sums: dict[int, list[float]] = {}
    for part in parts:
        for time, amount, count in zip(part.times_ms, part.amounts, part.row_counts, strict=True):
            held = sums.setdefault(time, [0.0, 0])
            held[0] += amount
            held[1] += count
    times = sorted(sums)
    return Placed(
        times,
        [sums[time][0] for time in times],
        [int(sums[time][1]) for time in times],
        sum(part.row_count for part in parts),
        sum(part.no_data_count for part in parts),
    )


# --------------------------------------------------------------------------------------------------------------- words


def _words(
    placed: Placed, even: Even, ends_ms: Sequence[int], step_ms: int, unit: Unit, clock: Clock, series_count: int,
    way_to_rate: str,
) -> str:  # fmt: skip
    """Return what was read and what was done, in a sentence."""
    starts_ms = even.times_ms
    what = "counts" if unit.per_s is None else "rates"
    of = f" of {series_count} series, added," if series_count > 1 else ""
    first = even.clocks_ms[0]
    last = even.clocks_ms[-1] + ends_ms[-1] - starts_ms[-1]
    between = f"from {_shown(first, clock)} to {_shown(last, clock)}"
    parts = [f"{placed.row_count:,} {what}{of} of {length(step_ms)} {between}, {length(ends_ms[-1] - starts_ms[0])}"]
    gaps_ms = [later - end for end, later in zip(ends_ms, starts_ms[1:], strict=False) if later > end]
    if absent := sum(max(1, round(gap / step_ms)) for gap in gaps_ms):
        parts.append(
            f"{absent:,} interval{'s' * (absent != 1)} without a row taken as 0 (longest {length(max(gaps_ms))})"
        )
    if placed.no_data_count:
        rows = placed.no_data_count
        parts.append(f"{rows:,} row{'s' * (rows != 1)} without a number taken as 0")
    parts += _repeats(placed, even, unit, clock, series_count)
    parts += [
        f"the hour from {_shown(hour, clock)} is skipped, as when clocks are set forward" for hour in even.skipped
    ]
    said = [", ".join(parts), clock.words]
    if unit.per_s is not None:
        period = {1.0: "second", 60.0: "minute", 3600.0: "hour"}[unit.per_s]
        said.append(f"values read as requests per {period}{f', as {unit.because}' if unit.because else ''}")
    elif not unit.because and any(amount % 1 for amount in placed.amounts):
        said.append(
            f"values read as counts of an interval though some are no whole numbers ({way_to_rate} reads them as rates)"
        )
    elif unit.because:
        said.append(f"values read as counts of an interval, as {unit.because}")
    return "; ".join(said)


def _repeats(placed: Placed, even: Even, unit: Unit, clock: Clock, series_count: int) -> list[str]:
    words = [f"the hour from {_shown(hour, clock)} comes twice, as when clocks are set back" for hour in even.twice]
    offset_ms = round(clock.offset_s * 1000)
    repeated = [
        time + offset_ms
        for time, count in zip(placed.times_ms, placed.row_counts, strict=True)
        if count > series_count and (time + offset_ms) // HOUR_MS * HOUR_MS not in even.twice
    ]
    if repeated:
        done = "added" if unit.per_s is None else "averaged"
        shown = ", ".join(_shown(time, clock) for time in repeated[:EXAMPLES])
        more = ", ..." if len(repeated) > EXAMPLES else ""
        words.append(
            f"{len(repeated):,} time{'s' * (len(repeated) != 1)} with several rows, which are {done} ({shown}{more})"
        )
    return words


def _shown(clock_ms: int, clock: Clock) -> str:
    time = EPOCH + timedelta(milliseconds=clock_ms)
    of_day = f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}"
    if clock.has_date:
        return f"{time:%Y-%m-%d} {of_day}"
    days = clock_ms // DAY_MS
    return f"{of_day} of day {days + 1}" if days else of_day


def length(ms: int) -> str:
    """Return a length of time in its two largest units.

    >>> length(21_300_000), length(300_000), length(86_400_000), length(1500), length(15_000)
    ('5 h 55 min', '5 minutes', '1 day', '1.5 seconds', '15 seconds')
    """
    if ms % DAY_MS == 0 or ms >= 100 * DAY_MS:
        return _counted(round(ms / DAY_MS), "day")
    days, rest = divmod(ms, DAY_MS)
    if days:
        return f"{_counted(days, 'day')} {round(rest / HOUR_MS)} h"
    if ms < 60_000:
        return _counted(ms / 1000, "second")
    if ms < HOUR_MS and ms % 60_000 == 0:
        return _counted(ms // 60_000, "minute")
    if ms % HOUR_MS == 0:
        return _counted(ms // HOUR_MS, "hour")
    if ms < HOUR_MS:
        return f"{ms // 60_000} min {ms % 60_000 / 1000:g} s"
    hours, rest = divmod(ms, HOUR_MS)
    return f"{hours} h {round(rest / 60_000)} min"


def _counted(number: float, noun: str) -> str:
    return f"{number:,g} {noun}{'s' * (number != 1)}" if number < 1e6 else f"{number:,.0f} {noun}s"
