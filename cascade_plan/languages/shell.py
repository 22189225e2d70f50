"""Shell source: the one way a value of a scenario, or a remark, gets into it."""

from __future__ import annotations

from cascade_plan.languages._lines import commented


def literal(value: str) -> str:
    """Return text as a word in single quotes, always: bare, `esac` is a word of the shell's own.

    >>> literal("esac"), literal("it's")
    ("'esac'", "'it'\\\\''s'")
    """
    return "'" + value.replace("'", "'\\''") + "'"


def comment(text: str) -> str:
    """Return text as comment lines."""
    return commented(text, "#")
