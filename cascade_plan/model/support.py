"""How long a version of something is supported, and what it is charged as by then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple

from cascade_plan.model.derivation import Finding

SOON_DAYS: Final = 90
"""An upgrade is planned, tried and done in so many (assumption): what ends within them is a warning."""
YEAR_DAYS: Final = 365
"""What a budget of a year must know of."""


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


def finding(what: str, support: Support, day: date, where: str, cost: Callable[[Rate], str]) -> Finding | None:
    """Return that a version has ended, is charged for, or soon will be; None where it has more than a year.

    `what` is the thing and its version, `cost` says in words what it costs at a rate, as "it costs $5 a month".
    """
    ends, now = support.standard_end, support.rate(day)
    if day >= support.extended_end:
        words = f"{what} is not run any more since {support.extended_end}: it is upgraded without asking"
        return Finding("warning", "version-ended", words, where)
    if now is not None:
        words = f"{what} is in extended support since {ends}: {cost(now)}, until {support.extended_end}"
        return Finding("warning", "extended-support", words, where)
    left = (ends - day).days
    if left > YEAR_DAYS:
        return None
    words = f"standard support of {what} ends on {ends}"
    if left <= SOON_DAYS:
        words += f", in {left} {'day' if left == 1 else 'days'}"
    severity: Literal["info", "warning"] = "warning" if left <= SOON_DAYS else "info"
    return Finding(severity, "support-ends", f"{words}: from then on {cost(support.rates[0])}", where)
