"""Times as tools write them: dates with or without a zone, seconds since 1970, minutes of a day."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cascade_plan.traces.series import Clock, quoted

FORMS: Final = (
    "2024-03-05 00:05 (also with T, seconds and a zone), 2024/03/05 00:05, 05.03.2024 00:05, 05/Mar/2024:00:05, "
    "seconds, ms, us or ns since 1970, or numbers in a column named minute, second or hour"
)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LOG: Final = re.compile(r"\[?(\d{1,2})/([A-Za-z]{3})/(\d{4})(?::([\d:.]+))?(?: ?([+-]\d\d:?\d\d))?\]?")
"""As web servers' logs write it."""
YEAR_LAST: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:,? +|T|$)(.*)")
TWELVE: Final = re.compile(r"(\d{1,2})(:[\d:.]+) ?([AaPp])\.?[Mm]\.?")
ZONE: Final = re.compile(r" ?(?:(?:UTC|GMT|Z)|(?:UTC|GMT)?([+-]\d\d:?\d\d|[+-]\d\d))$")
DATE: Final = re.compile(r"\[?(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}([./-])\d{1,2}\1\d{4})")
OF_DAY: Final = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?(?:Z|[+-]\d\d:?\d\d)?")
NUMBER: Final = re.compile(r"\d+(?:\.\d+)?(?:[eE]\+?\d+)?")
COMPACT: Final = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d)?)?)?"
)
"""YYYYMMDD, with the hour, the minute and the second."""
UNITS: Final = (
    (1e8, 1e11, 1.0, "seconds"), (1e11, 1e14, 1e-3, "milliseconds"), (1e14, 1e17, 1e-6, "microseconds"),
    (1e17, 1e20, 1e-9, "nanoseconds"),
)  # fmt: skip
"""Least and most number, seconds of one, and its name: seconds of 1973 to 5138 do not overlap with the others."""
NAMED: Final = {
    **dict.fromkeys(("minute", "minutes", "min", "mins"), (60.0, "minutes")),
    **dict.fromkeys(("second", "seconds", "sec", "secs", "s"), (1.0, "seconds")),
    **dict.fromkeys(("hour", "hours", "h"), (3600.0, "hours")),
}


class Moment(NamedTuple):
    """A time: seconds since 1970 as written, and the zone's offset, None where there is none."""

    clock_s: float
    offset_s: float | None


class Form(NamedTuple):
    """How a column writes its times."""

    read: Callable[[str], Moment]
    """Raises ValueError."""
    clock: Clock


class AmbiguousError(ValueError):
    """Times of which nothing says which number is the day."""


def is_date(cell: str) -> bool:
    """Return whether a cell is a date, with or without a time of day."""
    if len(cell) < 6 or not (DATE.match(cell) or LOG.fullmatch(cell)):
        return False
    try:
        moment(cell, day_first=None)
    except AmbiguousError:
        return True
    except ValueError:
        return False
    return True


def moment(cell: str, day_first: bool | None) -> Moment:
    """Return the time that a cell writes, days before months where `day_first`; None where that is not known.

    Raises ValueError for what is no time, AmbiguousError for 05/03/2024 when `day_first` is None.
    """
    try:
        return _seconds(datetime.fromisoformat(cell))
    except ValueError:
        pass
    text = cell.strip()
    if found := LOG.fullmatch(text):
        day, month, year, of_day, zone = found.groups()
        date = f"{year}-{MONTHS.index(month.lower()) + 1:02}-{day:0>2}"
        return _seconds(datetime.fromisoformat(f"{date}T{_of_day(of_day or '00:00')}{zone or ''}"))
    zone = ""
    if (found := ZONE.search(text)) and ":" in text[: found.start()]:
        text, zone = text[: found.start()], found[1] or "+00:00"
    if found := YEAR_LAST.fullmatch(text):
        first, _, second, year, of_day = found.groups()
        day, month = _day_and_month(cell, first, second, day_first)
    else:
        date, _, of_day = text.replace("T", " ").partition(" ")
        year, month, day = re.split(r"[-/.]", date)
    return _seconds(
        datetime.fromisoformat(f"{year:0>4}-{month:0>2}-{day:0>2}T{_of_day(of_day.strip() or '00:00')}{zone}")
    )


def _day_and_month(cell: str, first: str, second: str, day_first: bool | None) -> tuple[str, str]:
    if day_first is None:
        if "." in cell.split(" ")[0] or int(first) > 12:
            day_first = True
        elif int(second) > 12:
            day_first = False
        else:
            raise AmbiguousError(
                f"{quoted(cell)}: nothing says whether {first} or {second} is the day; "
                f"write times as YYYY-MM-DD HH:MM:SS"
            )
    return (first, second) if day_first else (second, first)


def _of_day(text: str) -> str:
    if found := TWELVE.fullmatch(text):
        hour, rest, half = found.groups()
        if not 1 <= int(hour) <= 12:
            raise ValueError("no hour of twelve")
        text = f"{int(hour) % 12 + 12 * (half in 'Pp'):02}{rest}"
    hour, colon, rest = text.partition(":")
    return f"{hour:0>2}{colon or ':'}{rest or '00'}"


def _seconds(time: datetime) -> Moment:
    offset = time.utcoffset()
    clock_s = (time.replace(tzinfo=UTC) - EPOCH).total_seconds()
    return Moment(clock_s, None if offset is None else offset.total_seconds())


def date_form(cells: Iterable[str]) -> Form:
    """Return how a column of dates is to be read, from all its cells.

    Raises AmbiguousError when days and months cannot be told apart.
    """
    day_first: bool | None = None
    ambiguous = ""
    for cell in cells:
        found = YEAR_LAST.fullmatch(cell.strip())
        if not found or found[2] == ".":
            continue
        if int(found[1]) > 12 or int(found[3]) > 12:
            day_first = int(found[1]) > 12
            break
        ambiguous = ambiguous or cell
    if ambiguous and day_first is None:
        moment(ambiguous, None)
    return Form(lambda cell: moment(cell, day_first), Clock("times without zone read as they stand", is_local=True))


def day_form() -> Form:
    """Return how times of a day without a date are read."""

    def read(cell: str) -> Moment:
        found = moment(f"1970-01-01 {cell}", None)
        return Moment(found.clock_s, None)

    return Form(read, Clock("times of a day without its date, taken as of one day", has_date=False))


def number_form(cells: Sequence[str], name: str | None) -> Form:
    """Return how a column of numbers is read as times, by their size, else by the column's name.

    `name` is None where the file has no header: small numbers are then minutes. Raises ValueError in words.
    """
    if cells and all(COMPACT.fullmatch(cell) for cell in cells):
        return Form(_compact, Clock("times without zone read as they stand", is_local=True))
    numbers = [float(cell) for cell in cells]
    for least, most, unit_s, words in UNITS:
        if numbers and least <= min(numbers) and max(numbers) < most:
            return Form(_number(unit_s, least, most, 0.0), Clock(f"times are {words} since 1970, in UTC"))
    unit_s, words = NAMED["minute"] if name is None else NAMED.get(name.strip().lower(), (0.0, ""))
    if not unit_s or max(numbers, default=0.0) >= UNITS[0][0]:
        shown = ", ".join(cells[:3])
        raise ValueError(f"{shown[:60]}: no times; times are {FORMS}")
    return Form(_number(unit_s, 0.0, UNITS[0][0], None), Clock(f"times are {words} since midnight", has_date=False))


def _number(unit_s: float, least: float, most: float, offset_s: float | None) -> Callable[[str], Moment]:
    def read(cell: str) -> Moment:
        if not NUMBER.fullmatch(cell) or not least <= float(cell) < most:
            raise ValueError(cell)
        return Moment(float(cell) * unit_s, offset_s)

    return read


def _compact(cell: str) -> Moment:
    if not COMPACT.fullmatch(cell):
        raise ValueError(cell)
    padded = f"{cell:0<14}"
    date, of_day = f"{padded[:4]}-{padded[4:6]}-{padded[6:8]}", f"{padded[8:10]}:{padded[10:12]}:{padded[12:]}"
    return _seconds(datetime.fromisoformat(f"{date}T{of_day}"))


class Instants:
    """Times of one form, read one by one onto one clock that runs evenly."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._first: tuple[float, float | None] | None = None
        self._offsets_s: set[float] = set()

    def read(self, cell: str) -> float:
        """Return seconds since 1970 (since midnight without a date), to the millisecond. Raises ValueError in words."""
        try:
            clock_s, offset_s = self._form.read(cell)
        except AmbiguousError:
            raise
        except (ValueError, OverflowError):
            raise ValueError(f"{quoted(cell)} is no time; times are {FORMS}") from None
        found = round(clock_s - (offset_s or 0.0), 3)
        if self._first is None:
            self._first = (found, offset_s)
        elif (offset_s is None) != (self._first[1] is None):
            have, lack = ("has a zone", "have none") if offset_s is not None else ("has no zone", "have one")
            raise ValueError(f"{quoted(cell)} {have}, and times before it {lack}")
        if offset_s is not None:
            self._offsets_s.add(offset_s)
        if found < self._first[0]:
            self._first = (found, offset_s)
        return found

    @property
    def clock(self) -> Clock:
        """What the times are that were read."""
        if self._first is None or self._first[1] is None or "1970" in self._form.clock.words:
            return self._form.clock
        offset_s = self._first[1]
        minutes = round(abs(offset_s) / 60)
        zone = f"UTC{'-' if offset_s < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}" if offset_s else "UTC"
        several = len(self._offsets_s) > 1
        words = f"times of several zones, hours are those of {zone}" if several else f"times are in {zone}"
        return Clock(words, offset_s)
