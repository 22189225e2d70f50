"""Points in time as windows: how long a window is, and one clock for series that have their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, fsum, isfinite, isnan, nan
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.model.observation import (
    BUSY_SHARE,
    ENGINE_SHARE,
    RESPONSE_MS_P50,
    RESPONSE_MS_P95,
    RESPONSE_MS_P99,
    THROTTLED_SHARE,
    Measure,
    Metrics,
)
from cascade_plan.units import trimmed

Points = Sequence[tuple[float, float]]
"""Starts of windows in seconds since 1970, and a value for each; NaN where there is none."""

UNEVEN: Final = 0.01
"""Share of a window by which times may miss their grid: some tools round them to milliseconds."""
WHOLE: Final = 0.999
"""Share of a window that has to be measured for the window to count as measured."""
MOST_SHARE: Final = 1.05
"""A share may be so much by rounding and by rates that are extrapolated; beyond it is a percentage."""
SHARES: Final = (BUSY_SHARE, ENGINE_SHARE, THROTTLED_SHARE)
PERCENTILES: Final = (RESPONSE_MS_P50, RESPONSE_MS_P95, RESPONSE_MS_P99)
MOST_WINDOWS: Final = 1_000_000


def window_of(times: Iterable[float], name: str) -> float:
    """Return the seconds between times: the shortest distance, of which all others are multiples.

    Raises UsageError for a single time and for times that no one distance leads to.
    """
    ordered = sorted(set(times))
    steps = [later - earlier for earlier, later in pairwise(ordered)]
    if not steps:
        raise UsageError(f"{name}: one moment only: a series has at least two")
    window_s = min(steps)
    missed = next((step for step in steps if abs(step / window_s - round(step / window_s)) > UNEVEN), None)
    if missed is not None:
        raise UsageError(
            f"{name}: its times are {trimmed(f'{window_s:.3f}')} s apart, and others {trimmed(f'{missed:.3f}')} s, "
            "which is no multiple of it: ask for one step, or give the files apart"
        )
    return window_s


def metrics(found: Mapping[Measure, Points], window_s: float, name: str, remarks: Sequence[str] = ()) -> Metrics:
    """Return series as windows of one clock. Raises UsageError for values that their measure cannot have.

    Also for two values of one measure at one time that differ.
    """
    starts = sorted({round(start, 3) for points in found.values() for start, _ in points})
    index = {start: place for place, start in enumerate(starts)}
    series = {}
    for measure, points in found.items():
        values = [nan] * len(starts)
        for start, value in points:
            place = index[round(start, 3)]
            _check(measure, value, values[place], name)
            if isfinite(value):
                values[place] = value
        series[measure] = tuple(values)
    return Metrics(tuple(starts), window_s, series, sources=dict.fromkeys(series, name), remarks=tuple(remarks))


def _check(measure: Measure, value: float, earlier: float, name: str) -> None:
    if value < 0:
        raise UsageError(f"{name}: {measure} is {value:g}, and cannot be less than 0")
    if measure.what in SHARES and value > MOST_SHARE:
        raise UsageError(f"{name}: {measure} is {value:g}, and is a share from 0 to 1: divide a percentage by 100")
    if isfinite(earlier) and isfinite(value) and earlier != value:
        raise UsageError(f"{name}: {measure} is {earlier:g} and {value:g} at the same time: give one series of it")


def joined(parts: Sequence[Metrics]) -> Metrics:
    """Return the series of several files on one clock: that of the longest windows.

    A value of a longer window is the mean of those it covers, each by the time that it covers; a window that is not
    covered whole has none. Raises UsageError where two files tell one measure at one time differently.
    """
    there = [part for part in parts if part.series]
    if not there:
        return Metrics(remarks=_remarks(parts))
    window_s = max(part.window_s for part in there)
    clock = next(part for part in there if part.window_s == window_s)
    moved = [part if _stays(part, clock, there) else _moved(part, clock) for part in there]
    starts = sorted({start for part in moved for start in part.starts_s})
    index = {start: place for place, start in enumerate(starts)}
    series: dict[Measure, list[float]] = {}
    sources: dict[Measure, list[str]] = {}
    for part in moved:
        for measure, values in part.series.items():
            own = series.setdefault(measure, [nan] * len(starts))
            for start, value in zip(part.starts_s, values, strict=True):
                place = index[start]
                if isfinite(own[place]) and isfinite(value) and own[place] != value:
                    others = ", ".join(sources[measure])
                    raise UsageError(f"{part.sources[measure]}: {measure} is also in {others}, with other values")
                own[place] = value if isnan(own[place]) else own[place]
            sources.setdefault(measure, []).append(part.sources[measure])
    return Metrics(
        tuple(starts),
        window_s,
        {measure: tuple(values) for measure, values in series.items()},
        sources={measure: ", ".join(dict.fromkeys(names)) for measure, names in sources.items()},
        remarks=_remarks((*parts, *moved)),
    )


def _remarks(parts: Sequence[Metrics]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(remark for part in parts for remark in part.remarks))


def _stays(part: Metrics, clock: Metrics, parts: Sequence[Metrics]) -> bool:
    """Return whether windows are those of a clock, or as long and of a time that no other part tells."""
    if part.window_s != clock.window_s:
        return False
    shift = (part.starts_s[0] - clock.starts_s[0]) / clock.window_s
    if abs(shift - round(shift)) * clock.window_s < 0.001:
        return True
    (first, last), others = _span(part), [_span(other) for other in parts if other is not part]
    return all(last <= begins or ends <= first for begins, ends in others)


def _span(part: Metrics) -> tuple[float, float]:
    return part.starts_s[0], part.starts_s[-1] + part.window_s


def _moved(part: Metrics, clock: Metrics) -> Metrics:
    """Return the series of a part in the windows of a clock."""
    window_s, origin = clock.window_s, clock.starts_s[0]
    first = floor((part.starts_s[0] - origin) / window_s)
    last = ceil((part.starts_s[-1] + part.window_s - origin) / window_s)
    if last - first > MOST_WINDOWS:
        raise UsageError(f"{_named(part)}: more than {MOST_WINDOWS:,} windows of {window_s:g} s: give fewer days")
    grid = [round(origin + number * window_s, 3) for number in range(first, last)]
    series = {measure: _means(part, values, grid, window_s) for measure, values in part.series.items()}
    # The clock's own windows keep the places of those of this part that lie between them.
    kept = [place for place in range(len(grid)) if any(isfinite(values[place]) for values in series.values())]
    words = (
        f"{_named(part)}: windows of {trimmed(f'{part.window_s:.3f}')} s, taken over those of "
        f"{trimmed(f'{window_s:.3f}')} s of {_named(clock)}"
    )
    if part.window_s == window_s:
        words += ", which start at other seconds"
    if any(measure.what in PERCENTILES for measure in part.series):
        words += "; a percentile of a longer window is the mean of those it covers"
    return Metrics(
        tuple(grid[place] for place in kept),
        window_s,
        {measure: tuple(values[place] for place in kept) for measure, values in series.items()},
        sources=part.sources,
        remarks=(*part.remarks, words),
    )


def _means(part: Metrics, values: Sequence[float], grid: Sequence[float], window_s: float) -> list[float]:
    """Return the mean over each window of a grid; NaN where too little of it was measured."""
    found = []
    place = 0
    for start in grid:
        while place < len(values) and part.starts_s[place] + part.window_s <= start:
            place += 1
        weights, weighted, at = [], [], place
        while at < len(values) and part.starts_s[at] < start + window_s:
            own = part.starts_s[at]
            weight = min(own + part.window_s, start + window_s) - max(own, start)
            if isfinite(values[at]):
                weights.append(weight)
                weighted.append(weight * values[at])
            at += 1
        covered = fsum(weights)
        found.append(fsum(weighted) / covered if covered >= WHOLE * window_s else nan)
    return found


def _named(part: Metrics) -> str:
    return ", ".join(dict.fromkeys(part.sources.values()))
