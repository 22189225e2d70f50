"""Bounded types, the length of a month, and money."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any, Final

from pydantic import Field

HOURS_PER_MONTH: Final = 730
"""Hours a month, the length AWS's own calculators use: 365 x 24 / 12 (https://docs.aws.amazon.com/pricing-calculator/)."""

SECONDS_PER_MONTH: Final = HOURS_PER_MONTH * 3600
GIB: Final = 2**30

QUANTUM: Final = Decimal("0.000001")
"""Quantities on a bill carry six decimals, so that quantity x price is exact in 28-digit decimal arithmetic."""

Users = Annotated[int, Field(ge=1, le=1_000_000_000)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Percent = Annotated[int, Field(ge=1, le=100)]

PATTERN_WORDS: Final[dict[str, str]] = {}
"""What a text must be, in words, by the pattern that checks it: for messages, which no one should read regexes in."""


def matching(pattern: str, words: str, max_length: int) -> Any:
    """Return a field of text that must match a pattern, and remember the pattern's meaning in words."""
    PATTERN_WORDS[pattern] = words
    return Field(pattern=pattern, max_length=max_length)


def trimmed(number: str) -> str:
    """Return a number's decimal digits without the zeros that end its fraction.

    >>> trimmed("1,200.50"), trimmed("0.0600"), trimmed("100"), trimmed("5.000")
    ('1,200.5', '0.06', '100', '5')
    """
    return number.rstrip("0").rstrip(".") if "." in number else number


def quantity(value: float | int) -> Decimal:
    """Return a physical amount as the exact decimal a bill multiplies: six decimals, half to even.

    This is the one place where physics (float) becomes money's arithmetic (Decimal).
    """
    return Decimal(value).quantize(QUANTUM, rounding=ROUND_HALF_EVEN)
