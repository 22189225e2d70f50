"""What a file of traffic holds: series of numbers, each at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

RATES: Final = (
    (1.0, re.compile(r"(?:per[ _]?|[a-z0-9)]/)(?:s|secs?|seconds?)(?![a-z])|(?<![a-z])[rqt]ps(?![a-z])")),
    (60.0, re.compile(r"(?:per[ _]?|[a-z0-9)]/)(?:m|mins?|minutes?)(?![a-z])|(?<![a-z])[rqt]pm(?![a-z])")),
    (3600.0, re.compile(r"(?:per[ _]?|[a-z0-9)]/)(?:h|hours?)(?![a-z])")),
    (1.0, re.compile(r"(?<![a-z])i?rate(?![a-z])")),
)
"""Seconds, and what in the name of a series says that its numbers are of so many seconds each."""
PATH: Final = re.compile(r"(?:^|\s)/\S*|\S+://\S*")


@dataclass(frozen=True, slots=True)
class Unit:
    """What the numbers of a series count."""

    per_s: float | None
    """The seconds that a rate is of; None for a count of each interval."""
    because: str = ""
    """What says so; "" where nothing does and a count is assumed."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What the times of a file are."""

    words: str
    offset_s: float = 0.0
    """What clocks showed beyond the times of the series."""
    is_local: bool = False
    """Whether times stand without a zone, so that clocks may have been set between them."""
    has_date: bool = True


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one kind, in the order of the file."""

    label: str
    times_s: Sequence[float]
    """Seconds since 1970, or since midnight of the first day."""
    amounts: Sequence[float]
    """NaN where a row has no data."""
    places: Sequence[int]
    """Where each stands in the file: a line or an index."""
    unit: Unit = Unit(None)
    place: str = "line {}"
    """The words for a place."""

    def at(self, index: int) -> str:
        """Return where an entry stands, in words."""
        return self.place.format(self.places[index])


@dataclass(frozen=True, slots=True)
class Record:
    """What a file holds."""

    series: tuple[Series, ...]
    clock: Clock


def unit_of(name: str) -> Unit:
    """Return what the numbers of a series of this name count: a count of each interval unless the name says a rate.

    >>> unit_of("requests_per_s").per_s, unit_of("req/min").per_s, unit_of("rate(http[5m])").per_s
    (1.0, 60.0, 1.0)
    >>> unit_of("requests").per_s, unit_of("GET /s").per_s, unit_of("increase(http_requests_total[5m])").because
    (None, None, 'it is an increase')
    """
    words = PATH.sub(" ", name.lower())
    if re.search(r"(?<![a-z])increase(?![a-z])", words):
        return Unit(None, "it is an increase")
    for per_s, pattern in RATES:
        if pattern.search(words):
            return Unit(per_s, "their name says")
    return Unit(None)


def quoted(text: object) -> str:
    """Return a piece of a file as a message quotes it: short, and without control characters."""
    short = repr(str(text)[:41])
    return f"{short[:40]}...{short[0]}" if len(str(text)) > 40 else short
