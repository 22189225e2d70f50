"""A file of the users of each month: CSV with the columns month, peak and average, and registered where it is known."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from io import StringIO
from itertools import pairwise
from typing import Final, NamedTuple

from cascade_plan.errors import Problem, ScenarioError, did_you_mean
from cascade_plan.files.disk import read_text
from cascade_plan.model.growth import USERS_MOST, Connected, later, month_of

NEEDED: Final = ("month", "peak", "average")
COLUMNS: Final = (*NEEDED, "registered")
MONTHS_MOST: Final = 120


class UsersByMonth(NamedTuple):
    """What such a file says."""

    start: date
    """The first day of its first month."""
    months: tuple[Connected, ...]
    """The users of each month from then on."""

    def since(self, start: date) -> tuple[Connected, ...]:
        """Return the users from a month on; nothing where the file has none of it."""
        index = (start.year - self.start.year) * 12 + start.month - self.start.month
        return self.months[index:] if index >= 0 else ()


def read_users(path: str) -> UsersByMonth:
    """Return the users of each month that a file gives; "-" is standard input.

    Raises UsageError where it cannot be read, ScenarioError with every problem in it by its line.
    """
    text, name = read_text(path)
    rows = list(csv.reader(StringIO(text)))
    numbered = [(line, row) for line, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
    if not numbered:
        raise ScenarioError([Problem(name, 1, 1, "", f"the file is empty: it begins with {','.join(NEEDED)}")])
    reading = _Reading(name, *_places(name, numbered[0]))
    months = [reading.row(line, row) for line, row in numbered[1:]]
    lines = [line for line, _ in numbered[1:]]
    problems = [*reading.problems, *_gaps(name, list(zip(lines, (month for month, _ in months), strict=True)))]
    if not months:
        problems.append(Problem(name, numbered[0][0], 1, "", "there is no month below the header"))
    if len(months) > MONTHS_MOST:
        problems.append(Problem(name, numbered[-1][0], 1, "", f"there are {len(months)} months, at most {MONTHS_MOST}"))
    if problems:
        raise ScenarioError(problems)
    return UsersByMonth(months[0][0], tuple(users for _, users in months))


def _places(name: str, header: tuple[int, list[str]]) -> tuple[dict[str, int], list[Problem]]:
    """Return column -> its place, and what is wrong with the header."""
    line, cells = header
    titles = [cell.strip().lower() for cell in cells]
    problems = [
        Problem(name, line, at + 1, title or "column", f"no such column{did_you_mean(title, [*COLUMNS])}")
        for at, title in enumerate(titles)
        if title not in COLUMNS
    ]
    problems += [
        Problem(name, line, 1, title, "the column is there twice") for title in COLUMNS if titles.count(title) > 1
    ]
    if lacking := [title for title in NEEDED if title not in titles]:
        raise ScenarioError([*problems, Problem(name, line, 1, "", f"the header lacks {', '.join(lacking)}")])
    return {title: titles.index(title) for title in COLUMNS if title in titles}, problems


class _Reading:
    def __init__(self, name: str, places: dict[str, int], problems: list[Problem]) -> None:
        self.name, self.places, self.problems = name, places, problems

    def row(self, line: int, cells: Sequence[str]) -> tuple[date, Connected]:
        """Return the month and the users of a row; what is wrong with it becomes a problem."""
        month = self._month(line, cells)
        counts = {title: self._count(line, cells, title) for title in self.places if title != "month"}
        peak, average, registered = counts["peak"], counts["average"], counts.get("registered")
        if peak and average and average > peak:
            self._wrong(line, "average", f"it is {average:,}, more than the peak of {peak:,}")
        if peak and registered and registered < peak:
            self._wrong(line, "registered", f"it is {registered:,}, fewer than the peak of {peak:,}")
        return month, Connected(peak or 1, average or 1, registered)

    def _month(self, line: int, cells: Sequence[str]) -> date:
        text = self._cell(cells, "month")
        try:
            if len(text) == len("2027-01") or text.endswith("-01"):
                return month_of(text[:7])
        except ValueError:
            pass
        self._wrong(line, "month", f"write a month as YYYY-MM, got {text!r}")
        return date.min

    def _count(self, line: int, cells: Sequence[str], title: str) -> int | None:
        text = self._cell(cells, title)
        if not text and title not in NEEDED:
            return None
        if text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= USERS_MOST:
            return int(text)
        self._wrong(line, title, f"must be a whole number from 1 to {USERS_MOST:,}, got {text!r}")
        return None

    def _cell(self, cells: Sequence[str], title: str) -> str:
        at = self.places[title]
        return cells[at].strip() if at < len(cells) else ""

    def _wrong(self, line: int, title: str, message: str) -> None:
        self.problems.append(Problem(self.name, line, self.places[title] + 1, title, message))


def _gaps(name: str, months: Sequence[tuple[int, date]]) -> Iterator[Problem]:
    """Yield that a month does not follow the one above it."""
    for (_, before), (line, month) in pairwise(months):
        if date.min not in (before, month) and month != later(before, 1):
            message = f"after {before:%Y-%m} comes {later(before, 1):%Y-%m}, not {month:%Y-%m}"
            yield Problem(name, line, 1, "month", message)
