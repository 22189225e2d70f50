"""The calibration that a scenario includes: measured values in the place of those that were typed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from cascade_plan.errors import Problem, ScenarioError, UsageError, did_you_mean
from cascade_plan.files.assignments import Assignment, set_values
from cascade_plan.files.disk import read_text
from cascade_plan.files.documents import Document, Trail, field_name
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.files.validating import validate
from cascade_plan.model.calibration import CALIBRATED, Calibrated, Calibration, plain
from cascade_plan.model.tier import STANDARD, is_off
from cascade_plan.units import counted

FIELD: Final = "calibration"
VALUES: Final = "values"
MEASURED_ON: Final = "behaviour.measured_on"
M = TypeVar("M")
ROOTS: Final = ("behaviour", "tiers")
"""What of a scenario a running system can tell: what requests cost, and how long what they wait for takes."""


@dataclass(frozen=True, slots=True)
class Included:
    """A document with the values of a calibration laid over it."""

    document: Document
    values: Mapping[str, Calibrated] = field(default_factory=dict)
    places: Mapping[str, tuple[str, int, int]] = field(default_factory=dict)
    """Origin of a value -> (file, line, column) at which it stands."""
    problems: tuple[Problem, ...] = ()
    note: str = ""
    """What was done, in words; empty where nothing was included."""

    def placed(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return problems with those of included values at their place in the calibration's file."""
        found = []
        for each in problems:
            file, line, column = self.places.get(each.file, (each.file, each.line, each.column))
            found.append(replace(each, file=file, line=line, column=column))
        return found


def flag_value(path: str) -> str:
    """Return a path as seen from the working directory so that it is found from the scenario's file too."""
    return str(Path(path).absolute()) if path != "-" else path


def included(document: Document, assignments: Sequence[Assignment]) -> Included:
    """Return the document with its calibration laid over it: the one that the last assignment names, or its own.

    It is read from a path relative to the scenario's file. Nothing is laid over where a part of it is wrong.
    """
    for assignment in assignments:
        if assignment.path == FIELD:
            try:
                document = set_values(document, [assignment])
            except ScenarioError as error:
                return Included(_without(document), problems=tuple(error.problems))
    given = document.data.get(FIELD)
    if given is None:
        return Included(document)
    where = document.place((FIELD,))
    if not isinstance(given, str):
        words = "must be the path of a file that calibrate or measure wrote"
        return Included(_without(document), problems=(Problem(*where, FIELD, words),))
    name = _seen(Path(document.name).parent / given)
    try:
        text, _ = read_text(name)
        read = parse_yaml(text, name)
    except ScenarioError as error:
        return Included(_without(document), problems=tuple(error.problems))
    except UsageError as error:
        return Included(_without(document), problems=(Problem(*where, FIELD, str(error)),))
    return _read(document, read)


def _read(document: Document, read: Document) -> Included:
    """Return the document with the values of a file, or all that is wrong with the file."""
    given = read.data.get(VALUES)
    paths = [path for path in given if isinstance(path, str)] if isinstance(given, dict) else []
    with_tiers = document
    if "tiers" not in document.data and any(path.startswith("tiers.") for path in paths):
        with_tiers = replace(document, data={**document.data, "tiers": {name: {} for name in STANDARD}})
    problems = tuple(_misdirected(with_tiers, paths, read))
    try:
        made = validate(Calibration, read)
    except ScenarioError as error:
        problems = (*error.problems, *problems)
    if problems:
        return Included(_without(document), problems=problems)
    return _laid_over(with_tiers, made, read)


def _seen(path: Path) -> str:
    """Return a path as a person in the working directory calls it."""
    return os.path.relpath(path) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)


def _without(document: Document) -> Document:
    """Return the document without the field: the values are then in it."""

    def kept(places: Mapping[Trail, M]) -> dict[Trail, M]:
        return {trail: mark for trail, mark in places.items() if trail[:1] != (FIELD,)}

    data = {key: value for key, value in document.data.items() if key != FIELD}
    marks, key_marks, origins = kept(document.marks), kept(document.key_marks), kept(document.origins)
    return Document(data, marks, document.name, key_marks, origins)


def _laid_over(document: Document, made: Calibration, read: Document) -> Included:
    problems: tuple[Problem, ...] = ()
    places, values, laid = {}, {}, document
    for path, each in made.values.items():
        trail: Trail = (VALUES, path)
        _, line, column = read.place((*trail, "value"))
        found = each.model_copy(update={"origin": f"{read.name}:{line}"})
        origin = origin_of(found)
        try:
            laid = set_values(laid, [Assignment(origin, path, plain(each.value))])
        except ScenarioError as error:
            problems += tuple(Problem(*read.key_place(trail), path, one.message) for one in error.problems)
            continue
        places[origin], values[path] = (read.name, line, column), found
    if made.measured_on is not None:
        laid = set_values(laid, [Assignment(f"{CALIBRATED}: {read.name}", MEASURED_ON, made.measured_on)])
    note = f"{FIELD}: {read.name}: {counted(len(values), 'value')} in place of the scenario's"
    return Included(_without(laid), values, places, problems, note)


def origin_of(value: Calibrated) -> str:
    """Return where a calibrated value comes from, as `explain` and every derivation name it."""
    interval = f", {value.interval}" if value.interval else ""
    return f"{CALIBRATED}: {value.origin}, {value.method}{interval}"


def _misdirected(document: Document, paths: Iterable[str], read: Document) -> Iterator[Problem]:
    """Yield a problem for each path that leads to nothing of the scenario."""
    for path in paths:
        if message := _leads_nowhere(document.data, path):
            trail: Trail = (VALUES, path)
            yield Problem(*read.key_place(trail), field_name(trail), message)


def _leads_nowhere(data: Mapping[str, Any], path: str) -> str:
    root, _, rest = path.partition(".")
    if root not in ROOTS or not rest:
        return f"a calibration gives values of {' and '.join(ROOTS)} alone"
    first, _, inner = rest.partition(".")
    if root == "tiers":
        tiers = data.get("tiers")
        there = [name for name, value in tiers.items() if not is_off(value)] if isinstance(tiers, dict) else []
        return "" if first in there else _nobody("tier", first, there)
    if first == "actions" and inner:
        behaviour = data.get("behaviour")
        actions = behaviour.get("actions") if isinstance(behaviour, dict) else None
        known = list(actions) if isinstance(actions, dict) else []
        name = inner.partition(".")[0]
        return "" if name in known else _nobody("action", name, known)
    return ""


def _nobody(kind: str, name: str, known: Sequence[str]) -> str:
    return f"the scenario has no {kind} {name!r}, only {', '.join(known) or 'none'}{did_you_mean(name, list(known))}"
