"""Shell source: the one way a value of a scenario gets into it."""

from __future__ import annotations


def literal(value: str) -> str:
    """Return text as a word in single quotes, always: bare, `esac` is a word of the shell's own.

    >>> literal("esac"), literal("it's")
    ("'esac'", "'it'\\\\''s'")
    """
    return "'" + value.replace("'", "'\\''") + "'"
