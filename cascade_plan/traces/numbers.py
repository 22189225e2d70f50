"""Numbers as tools write them: with separators, shortened, with a unit behind them, or none at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite, nan
from typing import Final

from cascade_plan.traces.series import Unit, quoted

NO_DATA: Final = frozenset(
    {"", "nan", "null", "none", "nil", "n/a", "na", "-", "--", "undefined", "no data", "nodata", "#n/a"}
)
"""What stands where there is no number."""
MOST: Final = 1e12
"""The most requests of one interval: beyond what any one system is asked."""
NO_COUNT: Final = f"is no count: counts are numbers from 0 to {MOST:,.0f}"
SHORTENED: Final = {"k": 1e3, "mil": 1e6, "m": 1e6, "bil": 1e9, "g": 1e9, "tri": 1e12}
"""Grafana's short numbers, and SI's."""
WORDED: Final = re.compile(
    r"(?P<number>[+-]?[\d.,'’_\u00a0\u202f\u2009 ]*\d(?:[eE][+-]?\d+)?)\s*(?P<short>[kKMG]|Mil|Bil|Tri)?"
    r"(?:\s*(?P<what>reqs?|requests?|ops|rd|wr|io|c|counts?|hits?|calls?|queries)"
    r"(?:/(?P<period>s|sec|m|min|h))?|\s*/(?P<alone>s|sec|m|min|h)|\s*(?P<abbreviated>[rqt]p[sm]))?"
)
PERIODS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
"""Seconds of a unit that stands behind a number."""
GROUPS: Final = re.compile(r"(?<=\d)['’_\u00a0\u202f\u2009 ](?=\d{3}(?!\d))")
"""Marks between thousands that are nothing else."""


@dataclass(slots=True)
class Style:
    """How the numbers of a column are written, learnt from all of them."""

    is_semicolon: bool = False
    """Whether a semicolon separates the columns, so that a comma may be a decimal one."""
    both_last: str = ""
    """Which of . and , came last where both stand in a number: the decimal one."""
    both: bool = False
    plain_small: bool = False
    plain_large: bool = False
    threes: str = ""
    """The marks that were always followed by three digits only, so far."""
    decimals: str = ""
    """The marks that were followed by another count of digits, or a leading 0."""
    repeated: str = ""
    """The marks that came twice in a number."""
    example: str = ""
    unit: Unit | None = None

    def learn(self, cell: str) -> None:
        """Take a cell into account."""
        if cell.isdecimal():
            self.plain_large, self.plain_small = self.plain_large or len(cell) > 3, self.plain_small or len(cell) <= 3
            return
        found = WORDED.fullmatch(cell.strip())
        if not found:
            return
        if self.unit is None and (period := found["period"] or found["alone"] or (found["abbreviated"] or "")[2:]):
            self.unit = Unit(PERIODS[period[0]], "they are written so")
        digits = GROUPS.sub("", found["number"]).lstrip("+-").lower().partition("e")[0]
        comma, dot = digits.count(","), digits.count(".")
        if comma and dot:
            self.both_last = "," if digits.rindex(",") > digits.rindex(".") else "."
        elif comma > 1 or dot > 1:
            self.repeated += "," if comma else "."
        elif comma or dot:
            mark = "," if comma else "."
            whole, _, rest = digits.partition(mark)
            if len(rest) == 3 and whole != "0" and 0 < len(whole) <= 3 and "e" not in found["number"].lower():
                self.threes += "" if mark in self.threes else mark
                self.example = self.example or cell
            elif mark not in self.decimals:
                self.decimals += mark
        elif len(digits) > 3:
            self.plain_large = True
        else:
            self.plain_small = True

    @property
    def grouping(self) -> str:
        """The mark between thousands, "" where there is none. Raises ValueError where nothing tells."""
        if self.both_last:
            return "." if self.both_last == "," else ","
        if self.repeated:
            return self.repeated[0]
        if "," in self.decimals or not self.threes:
            return "." if "," in self.decimals and "." in self.threes else ""
        is_grouped = self.plain_small and not self.plain_large
        if "," in self.threes and (is_grouped or not self.is_semicolon):
            return ","
        if "," in self.threes and self.plain_large:
            return ""
        if "," in self.threes:
            raise ValueError(
                f"{quoted(self.example)}: nothing says whether its comma is a decimal one or one between thousands; "
                "write numbers without marks between thousands"
            )
        return "." if self.is_semicolon and is_grouped and "." not in self.decimals else ""


def number(cell: str, grouping: str) -> float:
    """Return the number of requests that a cell writes, NaN where it has no data.

    Raises ValueError in words for what is no number from 0 up, or above MOST.
    """
    text = cell.strip()
    try:
        value = float(text if not grouping else text.replace(grouping, "").replace(",", "."))
    except ValueError:
        if text.lower() in NO_DATA:
            return nan
        value = _worded(text, grouping)
    if value != value:
        return nan
    if not 0 <= value <= MOST or not isfinite(value):
        raise ValueError(f"{quoted(cell)} {NO_COUNT}")
    return value


def is_number(cell: str) -> bool:
    """Return whether a cell may be a number, or stands for one that is missing."""
    return cell.strip().lower() in NO_DATA or WORDED.fullmatch(cell.strip()) is not None


def _worded(text: str, grouping: str) -> float:
    found = WORDED.fullmatch(text)
    if not found:
        raise ValueError(f"{quoted(text)} {NO_COUNT}")
    digits = GROUPS.sub("", found["number"])
    plain = digits.replace(grouping, "") if grouping else digits
    try:
        return float(plain.replace(",", ".")) * SHORTENED.get((found["short"] or "").lower(), 1.0)
    except ValueError:
        raise ValueError(f"{quoted(text)} {NO_COUNT}") from None
