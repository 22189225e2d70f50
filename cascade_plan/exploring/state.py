"""What a page sends: values set in the scenario, within bounds, none of which names a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cascade_plan.errors import Problem, ScenarioError, UsageError
from cascade_plan.files.assignments import steps_of
from cascade_plan.files.documents import Trail, field_name, trails_below
from cascade_plan.files.parsing import parse_flow

Changes = tuple[tuple[str, str], ...]
"""(dotted path, value as --set takes it), in the order in which they are set."""

MOST_CHANGES: Final = 200
LONGEST_PATH: Final = 200
LONGEST_VALUE: Final = 4000
"""Characters."""
COLUMNS: Final = (40, 160)
"""Between how many a text may be wide."""
FILES: Final[tuple[Trail, ...]] = (("calibration",), ("users", "trace"))
"""What of a scenario names a file: a link that somebody sent must not choose what this machine reads."""


def changes_of(posted: Mapping[str, Any], name: str = "set") -> Changes:
    """Return the values that a page sets. Raises UsageError for what no page sends, ScenarioError for a file."""
    given = posted.get(name, [])
    if not isinstance(given, list) or len(given) > MOST_CHANGES:
        raise UsageError(f"{name}: must be a list of at most {MOST_CHANGES} pairs of a path and a value")
    found = tuple(_change(name, each) for each in given)
    if problems := [problem for path, value in found for problem in _files_in(path, value)]:
        raise ScenarioError(problems)
    return found


def _change(name: str, given: Any) -> tuple[str, str]:
    if not isinstance(given, list) or len(given) != 2 or not all(isinstance(each, str) for each in given):
        raise UsageError(f"{name}: each must be a pair of texts, a path and a value")
    path, value = given
    if len(path) > LONGEST_PATH or len(value) > LONGEST_VALUE:
        raise UsageError(
            f"{name}: a path has at most {LONGEST_PATH} characters and a value at most {LONGEST_VALUE:,}, "
            f"got {len(path):,} and {len(value):,}"
        )
    return path, value


def _files_in(path: str, value: str) -> list[Problem]:
    """Return a problem for each file that a value names. What is no path or no value is refused where it is set."""
    try:
        steps, inner = steps_of(path), parse_flow(value)
    except (ValueError, ScenarioError):
        return []
    trails = {(*steps, *below) for below in trails_below(inner, ())}
    message = "names a file, which a page may not: give it to the command, as in cascade-plan explore --set"
    named = [file for file in FILES if any(trail[: len(file)] == file for trail in trails)]
    return [Problem(f"--set {path}", 0, 0, field_name(file), message) for file in named]


def text_of(posted: Mapping[str, Any], name: str) -> str:
    """Return a short text that a page sends. Raises UsageError for what is none."""
    given = posted.get(name, "")
    if not isinstance(given, str) or len(given) > LONGEST_PATH:
        raise UsageError(f"{name}: must be a text of at most {LONGEST_PATH} characters")
    return given


def number_of(posted: Mapping[str, Any], name: str, least: int, most: int, otherwise: int) -> int:
    """Return a whole number that a page sends, or what it is otherwise. Raises UsageError for one out of bounds."""
    given = posted.get(name, otherwise)
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        raise UsageError(f"{name}: must be a whole number between {least} and {most:,}")
    return given


def columns_of(posted: Mapping[str, Any]) -> int:
    """Return how many columns a page has for a text, as many as one is wide at least and at most."""
    given = posted.get("columns", 0)
    return min(max(int(given), COLUMNS[0]), COLUMNS[1]) if isinstance(given, int | float) and given == given else 80
