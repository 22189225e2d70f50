"""Text, numbers, amounts and gates as every report words them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from cascade_plan.model.derivation import Derivation
from cascade_plan.model.plan import Verdict
from cascade_plan.units import trimmed

MARKS: Final = {"pass": "✓", "fail": "✗", "unjudged": "?"}
MOST_PLACES: Final = 6
"""Decimals of an amount: a price has so many at most, and what is divided by users would have 28."""
SIDES: Final = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "==": (0,)}
"""On which sides of a limit (below -1, at 0, above 1) a gate's operator wants the figure."""
UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+")
"""Line breaks, control characters, marks that reverse the reading direction, and what UTF-8 or XML cannot hold."""


def one_line(text: str) -> str:
    """Return text on one line: a run of line breaks and of characters that have no place in text is one space."""
    return UNFIT.sub(" ", text).strip()


def usd(amount: Decimal) -> str:
    """Return an amount in dollars and cents, half to even.

    >>> usd(Decimal("1234.565")), usd(Decimal("-0.5")), usd(Decimal("-0.001"))
    ('$1,234.56', '-$0.50', '$0.00')
    """
    return dollars(f"{amount:z,.2f}")


def unit_price(amount: Decimal) -> str:
    """Return a price with all its digits, at least two of them after the point.

    >>> unit_price(Decimal("0.0225")), unit_price(Decimal("1"))
    ('$0.0225', '$1.00')
    """
    places = max(2, _places(amount))
    return dollars(f"{amount:z,.{places}f}")


def dollars(number: str) -> str:
    """Return a number as written, in dollars."""
    return f"-${number[1:]}" if number.startswith("-") else f"${number}"


def _places(amount: Decimal) -> int:
    _, _, fraction = f"{amount:f}".partition(".")
    return len(fraction.rstrip("0"))


def count(number: int | float | Decimal) -> str:
    """Return a number with thousands separators and at most two decimals, two significant digits when near 0.

    >>> count(4380), count(7233.632728), count(100.0), count(0.000123)
    ('4,380', '7,233.63', '100', '0.00012')
    """
    exact = Decimal(str(number))
    if exact and abs(exact) < Decimal("0.005"):
        return trimmed(f"{exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1)):f}")
    return trimmed(f"{exact:z,.2f}")


def shown(value: int | float | Decimal | bool | str) -> str:
    """Return a value as a person reads it: thousands separated, money to six decimals, physics to six digits."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else trimmed(f"{value:z,.{MOST_PLACES}f}")


def percent(share: float) -> str:
    """Return a share as a whole percentage."""
    return f"{share:.0%}"


def date_span(dates: Iterable[str]) -> str:
    """Return the span of price dates, the undated counted apart.

    >>> date_span(["2026-10", "undated", "2024-08-09"])
    '2024-08-09 to 2026-10, 1 undated'
    """
    known = [one_line(date) for date in dates]
    dated = sorted(date for date in known if date[:1].isdigit())
    span = "" if not dated else dated[0] if dated[0] == dated[-1] else f"{dated[0]} to {dated[-1]}"
    undated = f"{len(known) - len(dated)} undated" if len(dated) < len(known) else ""
    return ", ".join(part for part in (span, undated) if part) or "no prices"


# Gates


def beside(value: int | float | Decimal, limit: Decimal) -> str:
    """Return a value with as many decimals as it takes to stay on its side of a limit, two at least for money.

    >>> beside(Decimal("49.9999"), Decimal(50)), beside(Decimal("41.2666"), Decimal(50)), beside(100.0, Decimal(100))
    ('49.9999', '41.27', '100')
    """
    exact = Decimal(str(value))
    money = isinstance(value, Decimal)
    places = 2
    while _side(Decimal(text := f"{exact:z.{places}f}"), limit) != _side(exact, limit):
        places += 1
    return text if money else trimmed(text)


def _side(value: Decimal, limit: Decimal) -> int:
    return (value > limit) - (value < limit)


def keeps(value: Decimal, verdict: Verdict) -> bool:
    """Return whether a value would keep a verdict's limit."""
    return _side(value, verdict.limit) in SIDES[verdict.operator]


def limit_text(verdict: Verdict) -> str:
    """Return a gate's condition, such as < 50."""
    return f"{verdict.operator} {trimmed(f'{verdict.limit:f}')}"


def ends(figure: Derivation) -> str:
    """Return a figure's value; both ends where it is only known to lie between them."""
    if figure.interval is None:
        return count(figure.value)
    return " to ".join(count(end) for end in figure.interval)


def measured(verdict: Verdict) -> str:
    """Return the figure a gate judged, unmistakably on its side of the limit; empty where there is none."""
    if verdict.value is None:
        return ""
    # A verdict on a cost has a reason only where the bill is incomplete, whichever way it ends.
    prefix = "at least " if verdict.reason and verdict.figure.startswith("cost_") else ""
    if verdict.interval is not None:
        return between(verdict.interval, verdict.limit)
    return prefix + beside(verdict.value, verdict.limit)


def between(interval: tuple[float, float], limit: Decimal) -> str:
    """Return the two ends of a value that is only known so far, each on its side of a limit.

    >>> between((196.4, 412.0), Decimal(300))
    '196.4 to 412'
    """
    return " to ".join(beside(end, limit) for end in interval)


def gate_line(verdict: Verdict) -> str:
    """Return a gate and how it ended, such as ✓ cost_usd_per_1000_users_month < 50 = 41.27."""
    gate = f"{MARKS[verdict.status]} {one_line(verdict.figure)} {limit_text(verdict)}"
    value = measured(verdict)
    if verdict.status != "unjudged":
        return f"{gate} = {value}"
    return f"{gate} not judged: {one_line(verdict.reason)}" + (f" ({value})" if value else "")
