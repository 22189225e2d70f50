"""Users on average and registered users, which go with those at peak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from cascade_plan.errors import Problem, ScenarioError
from cascade_plan.files.amounts import meant
from cascade_plan.files.assignments import Assignment
from cascade_plan.files.documents import Document
from cascade_plan.files.parsing import parse_flow

PEAK: Final = ("users", "peak")


def followed(document: Document, assignments: Sequence[Assignment]) -> tuple[list[Assignment], list[str]]:
    """Return the assignments, with what follows a peak that --peak gives after it, and what was done in words.

    The average keeps its share of the peak, and so do registered users, unless something else gives them.
    """
    given = {assignment.path for assignment in assignments}
    users = document.data.get("users")
    found: list[Assignment] = []
    notes: list[str] = []
    for assignment in assignments:
        found.append(assignment)
        peak = _number(assignment)
        if not assignment.is_followed or peak is None or not isinstance(users, dict) or "users" in given:
            continue
        old_peak = _count(users.get("peak"))
        for name, called, by, least in (
            ("average", "average", "--avg sets it", 1),
            ("registered", "registered users", "--set users.registered=COUNT sets them", peak),
        ):
            old = _count(users.get(name))
            if f"users.{name}" in given or old is None or old_peak is None:
                continue
            new = max(least, round(old * peak / old_peak))
            if new != old:
                found.append(Assignment(assignment.origin, f"users.{name}", str(new)))
                notes.append(f"{assignment.origin}: {called} scaled from {old:,} to {new:,} with it; {by}")
    return found, notes


def contradictions(document: Document) -> tuple[Document, list[Problem]]:
    """Return what a flag gives that the other numbers of users rule out, and the document without the contradiction.

    What stands in the file alone is the schema's to refuse, at its place.
    """
    users = document.data.get("users")
    if not isinstance(users, dict) or (peak := _count(users.get("peak"))) is None:
        return document, []
    problems, repaired = [], dict(users)
    flags = {"average": "--avg", "registered": "--set users.registered=COUNT"}
    for name, flag in flags.items():
        count = _count(users.get(name))
        if count is None or not (count > peak if name == "average" else count < peak):
            continue
        origin, line, _ = document.place(("users", name))
        peak_origin, peak_line, _ = document.place(PEAK)
        called = "average" if name == "average" else "number of registered users"
        side, other = ("above", "below") if name == "average" else ("below", "above")
        if not line:
            message = f"{count:,} is {side} the peak of {peak:,}; --peak sets that"
            problems.append(Problem(origin, 0, 0, f"users.{name}", message))
        elif not peak_line:
            message = f"{peak:,} is {other} the scenario's {called}, {count:,}; {flag} sets that"
            problems.append(Problem(peak_origin, 0, 0, "users.peak", message))
        else:
            continue
        repaired[name] = peak
    if not problems:
        return document, []
    return replace(document, data={**document.data, "users": repaired}), problems


def _number(assignment: Assignment) -> int | None:
    """Return the number of users that an assignment gives, or None where it gives none."""
    try:
        value = parse_flow(assignment.value)
    except (ScenarioError, ValueError):
        return None
    return _count(value)


def _count(value: Any) -> int | None:
    """Return a number of users as one, such as 10k, or None for what is none."""
    if isinstance(value, str):
        value = meant(PEAK, value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None
