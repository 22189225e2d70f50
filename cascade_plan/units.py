"""Bounded types, the length of a month, and money."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

HOURS_PER_MONTH: Final = 730
"""Hours a month, the length AWS's own calculators use: 365 x 24 / 12 (https://docs.aws.amazon.com/pricing-calculator/)."""

SECONDS_PER_HOUR: Final = 3600
SECONDS_PER_MONTH: Final = HOURS_PER_MONTH * SECONDS_PER_HOUR
DAYS_PER_MONTH: Final = 365 / 12
MILLION: Final = 1_000_000
MIB: Final = 2**20
GIB: Final = 2**30

QUANTUM: Final = Decimal("0.000001")
"""Quantities on a bill carry six decimals, so that quantity x price is exact in 28-digit decimal arithmetic."""


def _between(least: float, most: float) -> Any:
    """Return a field of a finite number that lies within bounds."""
    return Field(ge=least, le=most, allow_inf_nan=False)


def _unsigned(value: float) -> float:
    """Return a number, 0.0 for -0.0: a share of -0 would make amounts of -0."""
    return value + 0.0


_UNSIGNED: Final = AfterValidator(_unsigned)

# What a number of a scenario may be is said here once for each unit, and not at each field: within these bounds every
# formula has an answer, and no system that somebody runs lies beyond them.
Users = Annotated[int, Field(ge=1, le=1_000_000_000)]
Months = Annotated[int, Field(ge=1, le=1200)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]
Percent = Annotated[int, Field(ge=1, le=100)]
Share = Annotated[float, _between(0, 1), _UNSIGNED]
Seconds = Annotated[float, _between(0.001, 31_536_000)]
"""A time from a millisecond to a year."""
SecondsOrZero = Annotated[float, _between(0, 31_536_000), _UNSIGNED]
Milliseconds = Annotated[float, _between(0.001, 86_400_000)]
"""A time from a microsecond to a day."""
MillisecondsOrZero = Annotated[float, _between(0, 86_400_000), _UNSIGNED]
Bytes = Annotated[float, _between(0.001, 1e12)]
"""A size up to a terabyte; a mean may lie below a byte."""
BytesOrZero = Annotated[float, _between(0, 1e12), _UNSIGNED]
Kib = Annotated[float, _between(0.001, 1e9)]
"""A size from a byte to a TiB."""
KibOrZero = Annotated[float, _between(0, 1e9), _UNSIGNED]
MibOrZero = Annotated[float, _between(0, 1e6), _UNSIGNED]
Gib = Annotated[float, _between(0.001, 1e6)]
"""A size from a MiB to a PiB."""
GibOrZero = Annotated[float, _between(0, 1e9), _UNSIGNED]
Cores = Annotated[float, _between(0.001, 10_000)]
"""Processors from a thousandth, the least that Kubernetes counts."""
CoresOrZero = Annotated[float, _between(0, 10_000), _UNSIGNED]
PerSecond = Annotated[float, _between(0.001, 1e9)]
PerSecondOrZero = Annotated[float, _between(0, 1e9), _UNSIGNED]
PerOne = Annotated[float, _between(0.001, 1e6)]
"""How many come to one of something."""
PerOneOrZero = Annotated[float, _between(0, 1e6), _UNSIGNED]
AtLeastOne = Annotated[float, _between(1, 1000)]
"""How many times at most, or a count over another that is not more."""
Weight = Annotated[float, _between(1e-6, 1e6)]
"""How much of a whole something is, relative to others."""
WeightOrZero = Annotated[float, _between(0, 1e12), _UNSIGNED]
Variability = Annotated[float, _between(0, 1000), _UNSIGNED]
"""A squared coefficient of variation."""
Usd = Annotated[float, _between(1e-6, 1e12)]
UsdOrZero = Annotated[float, _between(0, 1e12), _UNSIGNED]
AmountOrZero = Annotated[float, _between(0, 1e12), _UNSIGNED]
"""A quantity of whatever its field says."""

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


def counted(count: int, thing: str) -> str:
    """Return how many of a thing there are.

    >>> counted(1, "user"), counted(1000, "user")
    ('1 user', '1,000 users')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def times(ratio: float) -> str:
    """Return a ratio as a person says it: in times, never in powers of ten.

    >>> times(107.76), times(1.234), times(0.0269), times(3000.0)
    ('108 x', '1.2 x', '0.027 x', '3,000 x')
    """
    if ratio >= 100:
        return f"{ratio:,.0f} x"
    if ratio >= 10:
        return f"{ratio:.0f} x"
    text = f"{Decimal(f'{ratio:.1e}'):f}"
    return f"{trimmed(text)} x"


PLACES: Final = Decimal("0.000000000001")
"""Money that was divided is kept and written to twelve decimals: no more of them is known, and a float has no more."""


def settled(amount: Decimal) -> Decimal:
    """Return an amount of money that was divided, to twelve decimals.

    >>> settled(Decimal(100) / 3)
    Decimal('33.333333333333')
    """
    return amount.quantize(PLACES) if abs(amount) < 10**12 else amount


def decimal_text(amount: Decimal) -> str:
    """Return an amount as decimal text: twelve decimals at most, without zeros at its end, 0 without a sign.

    >>> decimal_text(Decimal("2385.550182494000")), decimal_text(Decimal("-0.00")), decimal_text(Decimal(100) / 3)
    ('2385.550182494', '0', '33.333333333333')
    """
    return trimmed(f"{amount:z.12f}")


def quantity(value: float | int) -> Decimal:
    """Return a physical amount as the exact decimal a bill multiplies: six decimals, half to even.

    This is the one place where physics (float) becomes money's arithmetic (Decimal).
    """
    return Decimal(value).quantize(QUANTUM, rounding=ROUND_HALF_EVEN)
