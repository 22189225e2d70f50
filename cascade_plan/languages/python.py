"""Python source: the one way a value of a scenario, or a remark, gets into it."""

from __future__ import annotations

from cascade_plan.languages._lines import commented


def literal(value: str | int | float | None) -> str:
    """Return a value as the Python literal that evaluates to it: ASCII only, on one line, no character unescaped.

    >>> literal("it's\\u2028"), literal(0.5), literal(None)
    ('"it\\'s\\\\u2028"', '0.5', 'None')
    """
    return ascii(value)


def comment(text: str) -> str:
    """Return text as comment lines."""
    return commented(text, "#")
