"""The points of a grid: axes as flags give them, each with its values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.files.assignments import steps_of
from cascade_plan.files.parsing import parse_flow

POINTS_MOST: Final = 1_000_000
"""Points of one grid: their costs fill some hundred megabytes."""
_RANGE: Final = re.compile(r"([0-9.]+(?:e[0-9]+)?):([0-9.]+(?:e[0-9]+)?):([0-9]+)")
HOW: Final = "write PATH=FIRST:LAST:COUNT or PATH=VALUE,VALUE,..., such as users.peak=1000:100000:100"


@dataclass(frozen=True, slots=True)
class Axis:
    """A value of the scenario, and what it is along one side of the grid."""

    flag: str
    """As typed."""
    path: str
    values: tuple[int | float | str, ...]

    @property
    def is_numeric(self) -> bool:
        """Whether all its values are numbers."""
        return all(not isinstance(value, str) for value in self.values)


def axes(texts: Sequence[str]) -> tuple[Axis, ...]:
    """Return the axes that flags give. Raises UsageError for what is none, is there twice, and for too many points."""
    found = tuple(map(_axis, texts))
    paths = [axis.path for axis in found]
    if twice := next((path for path in paths if paths.count(path) > 1), ""):
        raise UsageError(f"--grid: {twice} is there twice")
    if (count := prod(len(axis.values) for axis in found)) > POINTS_MOST:
        raise UsageError(f"--grid: {count:,} points, and at most {POINTS_MOST:,}")
    return found


def _axis(text: str) -> Axis:
    flag = f"--grid {text}"
    path, equals, given = text.partition("=")
    if not equals or not given:
        raise UsageError(f"{flag}: {HOW}")
    try:
        steps_of(path)
    except ValueError as error:
        raise UsageError(f"{flag}: {path!r} is {error}") from None
    if found := _RANGE.fullmatch(given):
        return Axis(flag, path, _stepped(flag, *found.groups()))
    try:
        values = [parse_flow(each) for each in given.split(",")]
    except (ValueError, UsageError) as error:
        raise UsageError(f"{flag}: {error}; {HOW}") from None
    if not all(isinstance(value, int | float | str) and not isinstance(value, bool) for value in values):
        raise UsageError(f"{flag}: each value must be a number or a word; {HOW}")
    return Axis(flag, path, tuple(dict.fromkeys(values)))


def _stepped(flag: str, first_text: str, last_text: str, count_text: str) -> tuple[int | float | str, ...]:
    """Return so many values from the first to the last, in equal steps; whole ones where both ends are."""
    try:
        first, last, count = float(first_text), float(last_text), int(count_text)
    except ValueError:
        raise UsageError(f"{flag}: {HOW}") from None
    if not 2 <= count <= POINTS_MOST or first >= last:
        raise UsageError(f"{flag}: the last must be above the first, and 2 to {POINTS_MOST:,} values; {HOW}")
    values = [first + (last - first) * step / (count - 1) for step in range(count)]
    if "." in first_text + last_text:
        return tuple(values)
    return tuple(dict.fromkeys(round(value) for value in values))
