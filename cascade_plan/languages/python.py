"""Python source: the one way a value of a scenario gets into it."""

from __future__ import annotations


def literal(value: str | int | float | None) -> str:
    """Return a value as the Python literal that evaluates to it: ASCII only, on one line, no character unescaped.

    >>> literal("it's\\u2028"), literal(0.5), literal(None)
    ('"it\\'s\\\\u2028"', '0.5', 'None')
    """
    return ascii(value)
