"""The files that a scenario or a project's file names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cascade_plan.inputs import project
from cascade_plan.inputs.environments import FIELD as ENVIRONMENTS

PATHS: Final = (*project.FILES, "scenario")


def files_named(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that a document names, its environments' too, as they are written: a trace, a calibration, what a
    project's file gives. What is no text is left for whoever validates it.
    """
    environments = document.get(ENVIRONMENTS)
    parts = [document, *(environments.values() if isinstance(environments, dict) else ())]
    for part in parts:
        if isinstance(part, dict):
            yield from (value for value in _paths(part) if isinstance(value, str) and value and "\0" not in value)


def _paths(part: Mapping[str, Any]) -> Iterator[object]:
    users = part.get("users")
    trace = users.get("trace") if isinstance(users, dict) else None
    yield trace.get("file") if isinstance(trace, dict) else trace
    yield from (part.get(name) for name in PATHS)
