"""How long a version of something is supported, and what it is charged as by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Rate(NamedTuple):
    """From a day on a version costs more."""

    begin: date
    name: str
    """What tells its price apart, as an offer's name."""


@dataclass(frozen=True, slots=True)
class Support:
    """How long a version is supported."""

    standard_end: date
    """The first day without standard support."""
    rates: tuple[Rate, ...]
    """What is charged from when, the earliest first."""
    extended_end: date
    """The first day on which nobody runs it any more: it is upgraded."""

    def rate(self, day: date) -> Rate | None:
        """Return what the version is charged as on a day; None while standard support lasts.

        >>> Support(date(2027, 3, 1), (Rate(date(2027, 3, 1), "year1-2"),), date(2030, 3, 1)).rate(date(2027, 2, 28))
        """
        begun = [rate for rate in self.rates if rate.begin <= day]
        return begun[-1] if begun else None
