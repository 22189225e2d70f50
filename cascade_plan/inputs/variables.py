"""The variables of the environment that the program reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cascade_plan.errors import did_you_mean

PREFIX: Final = "CASCADE_PLAN_"
KNOWN: Final = frozenset(
    PREFIX + name
    for name in (
        "AS_OF", "AVG", "CACHE_DIR", "CALIBRATION", "DEBUG", "ENDPOINT_URL", "ENV", "MAX_PRICE_AGE", "METHOD",
        "NO_PRICE_CACHE", "FAIL_ON", "OFFLINE", "PEAK", "PRICES", "PRICE_SOURCE", "PROMETHEUS_TOKEN", "RECORD",
        "REGION", "SCENARIO", "STRICT_PRICES",
    )
)  # fmt: skip
"""Those of the flags, where the price cache is, and the one by which the tests write what they expect."""


def variable_of(flag: str) -> str:
    """Return the variable that gives a flag's value.

    >>> variable_of("as-of")
    'CASCADE_PLAN_AS_OF'
    """
    return PREFIX + flag.replace("-", "_").upper()


def unknown_variables(names: Iterable[str]) -> Iterator[str]:
    """Yield what to say of each variable that begins like one of ours and is none: a misspelt one changes nothing."""
    for name in sorted(names):
        if name.startswith(PREFIX) and name not in KNOWN:
            yield f"{name}: no such variable, it changes nothing{did_you_mean(name, sorted(KNOWN))}"
