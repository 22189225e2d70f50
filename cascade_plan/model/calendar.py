"""Months of the calendar, whose hours a bill counts."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final, NamedTuple

from cascade_plan.errors import UsageError

_WRITTEN: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
FIRST_YEAR: Final = 1970
HOURS_PER_DAY: Final = 24


class Month(NamedTuple):
    """A month of a year."""

    year: int
    number: int
    """From 1, January."""

    @classmethod
    def parse(cls, text: str, said: str = "") -> Month:
        """Return the month that YYYY-MM says. Raises UsageError for what is none, `said` before it.

        >>> Month.parse("2027-01").hours
        744
        """
        match = _WRITTEN.fullmatch(text)
        if match is None or int(match[1]) < FIRST_YEAR or text > "9998-12":
            raise UsageError(f"{said}{text[:40]}: must be a year and a month, such as 2027-01")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """Return the month that a day lies in."""
        return cls(day.year, day.month)

    def plus(self, months: int) -> Month:
        """Return the month so many later.

        >>> str(Month(2026, 12).plus(1)), str(Month(2027, 1).plus(-1))
        ('2027-01', '2026-12')
        """
        years, number = divmod(self.number - 1 + months, 12)
        return Month(self.year + years, number + 1)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def after(self) -> date:
        """The first day that is no longer in it."""
        return self.plus(1).first

    @property
    def hours(self) -> int:
        """Its hours in UTC, from 672 to 744."""
        days: timedelta = self.after - self.first
        return days.days * HOURS_PER_DAY

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


def following(day: date | None) -> Month:
    """Return the month after the one that a day lies in. Raises UsageError where no price has a date.

    >>> str(following(date(2026, 12, 31)))
    '2027-01'
    """
    if day is None:
        raise UsageError("no price has a date to take the month after: name the month with --month YYYY-MM")
    return Month.of(day).plus(1)
