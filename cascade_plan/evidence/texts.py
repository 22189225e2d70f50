"""What evidence is read from: a file's text under its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

from cascade_plan.errors import UsageError


class Text(NamedTuple):
    """A file's text and its name."""

    text: str
    name: str


Beside: TypeAlias = Callable[[str], Text | None]
"""A way to read another file by its name: None when there is no such file."""


def number(file: Text, row: Mapping[str, Any], column: str) -> float:
    """Return a number of 0 or more. Raises UsageError naming file and column for anything else."""
    text = row[column]
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = -1.0
    if not isfinite(value) or value < 0:
        raise UsageError(f"{file.name}: {column} must be a number of 0 or more, not {str(text)[:40]!r}")
    return value
