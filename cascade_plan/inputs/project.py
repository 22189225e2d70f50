"""The files that a directory and all below it are planned with: the project file, and the project's own scenario."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cascade_plan.errors import Problem, ScenarioError, did_you_mean
from cascade_plan.files.assignments import Assignment
from cascade_plan.files.disk import read_text
from cascade_plan.files.documents import Document, Trail, field_name
from cascade_plan.inputs.scenarios import bundled_scenarios

FILE: Final = ".cascade-plan.yaml"
SCENARIO_FILE: Final = "cascade-plan.yaml"
FILES: Final = ("prices", "calibration")
"""Values that are the path of a file."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a project file gives."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """By the names of the flags, those alone that are given; paths as seen from the working directory."""
    document: Document | None = None

    def place(self, *trail: str | int) -> str:
        """Return where a value stands, as file:line:column."""
        assert self.document is not None
        return ":".join(map(str, self.document.place(trail)))

    @property
    def assignments(self) -> Iterator[Assignment]:
        """What its `set` gives. Raises ScenarioError for an item of a list that is no KEY.PATH=VALUE."""
        given = self.values.get("set", ())
        if isinstance(given, dict):
            for path, value in given.items():
                yield Assignment(self.place("set", path), path, _flow(value))
            return
        for index, text in enumerate(given):
            path, equals, value = text.partition("=")
            if not equals or not path:
                assert self.document is not None
                trail: Trail = ("set", index)
                words = "write KEY.PATH=VALUE, or a mapping, such as set: {users.tenants: 500}"
                raise ScenarioError([Problem(*self.document.place(trail), field_name(trail), words)])
            yield Assignment(self.place("set", index), path, value)


def upwards(name: str) -> str | None:
    """Return the nearest file of that name in the working directory or one above it, as seen from here; None without.

    The search ends with the directory that holds .git, with home, and with the root of the file system: what lies
    beyond is another project's.
    """
    try:
        here = Path.cwd()
    except OSError:  # it was removed
        return None
    home = Path("~").expanduser()
    for folder in (here, *here.parents):
        if _is_there(folder / name, Path.is_file):
            return os.path.relpath(folder / name, here)
        if folder == home or _is_there(folder / ".git"):
            return None
    return None


def _is_there(path: Path, test: Callable[[Path], bool] = Path.exists) -> bool:
    """Return whether there is something of that name; what cannot be seen is not there."""
    try:
        return test(path)
    except OSError:
        return False


def project() -> Given:
    """Return what the nearest project file gives, nothing without one.

    Raises ScenarioError with everything wrong in it: a value of the wrong kind, an unknown key, a file that is not
    there.
    """
    if (path := upwards(FILE)) is None:
        return Given()
    from cascade_plan.files.parsing import parse_yaml
    from cascade_plan.files.validating import validate
    from cascade_plan.model.project import Project

    document = parse_yaml(*read_text(path))
    made = validate(Project, document)
    values = {name: getattr(made, name) for name in made.model_fields_set if getattr(made, name) is not None}
    folder, problems = Path(path).parent, []
    for name in FILES:
        if (file := values.get(name)) is not None:
            values[name] = str(folder / file)
            if not _is_there(folder / file):
                problems.append(Problem(*document.place((name,)), name, f"no such file: {values[name]}"))
    if (scenario := values.get("scenario")) is not None:
        values["scenario"], message = _scenario(scenario, folder)
        if message:
            problems.append(Problem(*document.place(("scenario",)), "scenario", message))
    if problems:
        raise ScenarioError(problems)
    return Given(values, document)


def _scenario(reference: str, folder: Path) -> tuple[str, str]:
    """Return (the scenario a project file names, as seen from here, what is wrong with it or "")."""
    path = folder / reference
    if reference == "-" or reference in (names := bundled_scenarios()):
        return reference, ""
    hint = did_you_mean(reference, list(names))
    return str(path), "" if _is_there(path) else f"no such file: {path}, and no bundled scenario{hint}"


def _flow(value: object) -> str:
    """Return a value as one line of YAML that means the same wherever it stands."""
    import yaml

    text: str = yaml.safe_dump([value], default_flow_style=True, width=10**9, allow_unicode=True)
    return text.strip()[1:-1]
