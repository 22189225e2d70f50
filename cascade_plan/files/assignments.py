"""Values set in a document by their dotted path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cascade_plan.errors import Problem, ScenarioError
from cascade_plan.files.documents import Document, Trail, shown
from cascade_plan.files.parsing import parse_flow


class Assignment(NamedTuple):
    """A value given elsewhere than in the document."""

    origin: str
    """What gives it, as messages and reports name it: a flag as typed, a variable, a place in another file."""
    path: str
    """Dotted, such as users.peak."""
    value: str
    """A YAML scalar, [..] or {..}."""
    is_followed: bool = False
    """Whether values that go with it follow, where nothing gives them: users on average follow those at peak."""


def set_values(document: Document, assignments: Iterable[Assignment | tuple[str, str, str]]) -> Document:
    """Return the document with values given elsewhere, in order. The document given is left as it is.

    A path is users.peak, users.profile[3] (or users.profile.3), or gates."latency_ms_p95.normal"; mappings missing on
    the way are created, list items must exist. `place` names the origin, without a line, for such a value.
    Raises ScenarioError with every path or value that is unusable.
    """
    problems: list[Problem] = []
    for origin, path, raw, *_ in assignments:
        try:
            document = _with_value(document, origin, steps_of(path), parse_flow(raw))
        except ScenarioError as error:
            problems += [Problem(origin, 0, 0, _joined(path, one.field), one.message) for one in error.problems]
        except ValueError as error:
            problems.append(Problem(origin, 0, 0, path, str(error)))
    if problems:
        raise ScenarioError(problems)
    return document


def _joined(path: str, inner: str) -> str:
    return path + ("." if inner and inner[0] != "[" else "") + inner


def steps_of(path: str) -> Trail:
    """Return the steps of a dotted path: [3] is an int; the digits of .3 stay text until what they index is known.

    Raises ValueError for what is no path.

    >>> steps_of('gates."latency_ms_p95.normal"')
    ('gates', 'latency_ms_p95.normal')
    """
    if not re.fullmatch(r'(?:[^."\[\]]+|"[^"]+")(?:\.(?:[^."\[\]]+|"[^"]+")|\[\d{1,9}\])*', path, re.ASCII):
        raise ValueError('not a path such as users.peak, users.profile[3] or gates."latency_ms_p95.normal"')
    found = re.findall(r'"([^"]+)"|\[(\d+)\]|([^."\[\]]+)', path)
    return tuple(int(index) if index else quoted or plain for quoted, index, plain in found)


def _with_value(document: Document, origin: str, steps: Trail, value: Any) -> Document:
    """Return a document with one value set. Raises ValueError when the path leads through a plain value."""
    data, trail, created = _assigned(document.data, steps, value)
    above = trail[:created]

    def kept(places: Mapping[Trail, Any]) -> dict[Trail, Any]:
        return {place: mark for place, mark in places.items() if place[:created] != above}

    origins = kept(document.origins) | {above: origin}
    return Document(data, kept(document.marks), document.name, kept(document.key_marks), origins)


def _assigned(data: Any, steps: Trail, value: Any) -> tuple[Any, Trail, int]:
    """Return (copy of data with the value set, the trail to it, the length of the trail up to what is new)."""
    if not steps:
        return value, (), 0
    if data is None:
        data = {}
    step = _step_into(data, steps[0])
    copy = data.copy()
    is_new = isinstance(data, dict) and data.get(step) is None
    inner, trail, created = _assigned(data.get(step) if isinstance(data, dict) else data[step], steps[1:], value)
    copy[step] = inner
    return copy, (step, *trail), 1 if is_new else created + 1


def _step_into(data: Any, step: str | int) -> str | int:
    """Return the key or index that a step of a path means here. Raises ValueError when it can mean none."""
    if isinstance(data, dict):
        if isinstance(step, int):
            raise ValueError(f"[{step}] needs a list, but there is a mapping")
        return step
    if not isinstance(data, list):
        raise ValueError(f"{step!r} cannot be set inside the value {shown(data)}")
    if isinstance(step, str) and not re.fullmatch(r"\d{1,9}", step, re.ASCII):
        raise ValueError(f"a list is indexed by numbers, not {step!r}")
    if int(step) >= len(data):
        raise ValueError(f"there is no item {step}: the list holds {len(data)}, counted from 0")
    return int(step)
