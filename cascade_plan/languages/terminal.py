"""Texts on a terminal or in a log: nothing in them moves the cursor, changes colours, or reads backwards."""

from __future__ import annotations

from cascade_plan.languages._characters import printable


def line(text: str) -> str:
    """Return a text on one line, what cannot be seen as escapes.

    >>> line("red: \\x1b[31m")
    'red: \\\\u001b[31m'
    """
    return text if text.isprintable() else "".join(map(printable, text))
