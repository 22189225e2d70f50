"""What every tool is asked about: a scenario, and what to change in it; nothing outside the working directory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from cascade_plan.cli.tooling import Ask
from cascade_plan.errors import ScenarioError, UsageError
from cascade_plan.files.assignments import Assignment, steps_of
from cascade_plan.files.disk import MAX_BYTES
from cascade_plan.files.documents import Document
from cascade_plan.files.parsing import parse_flow, parse_yaml
from cascade_plan.inputs.choice import Choice, chosen
from cascade_plan.inputs.naming import files_named
from cascade_plan.inputs.scenarios import Given, bundled_scenarios, laid, priced, scenario_text
from cascade_plan.model.plan import Plan

YAML: Final = (".yaml", ".yml")
TEXT: Final = "scenario_yaml"
"""What messages call a scenario that was given as text."""
Overrides = Annotated[
    dict[str, Any],
    Field(
        max_length=200,
        description='Values to set, by dotted path: {"users.peak": 20000, "tiers.cache": "off"}. What is not named '
        "stays as it is, users.average beside users.peak too.",
    ),
]


class Input(BaseModel):
    """A scenario by its name or path, or as text; one of both."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    scenario: str | None = Field(
        default=None,
        max_length=1000,
        description="Name of a bundled scenario (such as cascade, saas-300), or path of a YAML file below the working "
        "directory.",
    )
    scenario_yaml: str | None = Field(
        default=None, max_length=MAX_BYTES, description="The scenario itself, as YAML text, instead of a name."
    )
    overrides: Overrides = Field(default_factory=dict)
    environment: str | None = Field(
        default=None, max_length=200, description="Which environment, of a scenario that has several."
    )


def given(asked: Input, tell: Ask) -> tuple[Given, Choice]:
    """Return the scenario that is asked about with its prices, and what the project's file chooses.

    Raises UsageError, ScenarioError among it, for what is wrong with it and for a file outside the working directory.
    """
    return _given(asked.scenario, asked.scenario_yaml, asked.overrides, asked.environment, tell)


def given_else(asked: Input, name: str | None, text: str | None, overrides: Mapping[str, Any], tell: Ask) -> Given:
    """Return another scenario than the one that is asked about, or the same with more values set."""
    if name is None and text is None:
        name, text, overrides = asked.scenario, asked.scenario_yaml, {**asked.overrides, **overrides}
    return _given(name, text, overrides, asked.environment, tell)[0]


def planned(found: Given, choice: Choice) -> Plan:
    """Return the plan of a scenario."""
    from cascade_plan.planning.pipeline import plan

    return plan(found.scenario, found.book, found.origins, choice.as_of)


def _given(
    name: str | None, text: str | None, overrides: Mapping[str, Any], environment: str | None, tell: Ask
) -> tuple[Given, Choice]:
    if (name is None) == (text is None):
        names = ", ".join(bundled_scenarios())
        raise UsageError(f"give scenario (a path, or one of {names}) or scenario_yaml (its text), one of both")
    reference = TEXT if name is None else _allowed(name)
    folder = Path() if name is None else Path(reference).parent
    document = parse_yaml(*(scenario_text(reference) if text is None else (text, reference)))
    assignments = [Assignment(f"overrides {path}", path, _flow(value)) for path, value in overrides.items()]
    _stays_inside(document, folder, overrides)
    choice = chosen({"scenario": reference})
    found = laid(
        document,
        (*choice.assignments, *assignments),
        lambda cloud, region: priced(cloud, region, choice.prices, choice.price_cache),
        choice.price_cache,
        choice.env if environment is None else environment,
        "" if environment is None else f"environment {environment}",
    )
    found.check_gates()
    for note in found.given.notes:
        tell(note)
    return found.given, choice


def _allowed(name: str) -> str:
    """Return a reference that may be read: a bundled scenario, or a YAML file below the working directory."""
    if name in bundled_scenarios():
        return name
    if "\0" in name or not name.endswith(YAML):
        names = ", ".join(bundled_scenarios())
        raise UsageError(f"no scenario {name!r}: give a path that ends in .yaml or .yml, or one of {names}")
    if not _is_inside(name):
        raise UsageError(f"{name!r} is not below the working directory: this server reads nothing else")
    return name if "/" in name else f"./{name}"


def _stays_inside(whole: Document, folder: Path, overrides: Mapping[str, Any]) -> None:
    """Raise UsageError where a scenario, or what is set in it, names a file outside the working directory."""
    for document in (whole.data, *(_alone(path, value) for path, value in overrides.items())):
        for file in files_named(document) if isinstance(document, dict) else ():
            if not _is_inside(os.path.join(folder, file)):  # noqa: PTH118 - an absolute path stays one
                raise UsageError(f"{whole.name} names the file {file!r}, which is not below the working directory")


def _alone(path: str, value: Any) -> Any:
    """Return what an override sets as a document; of what is no path or no value, which is refused later, nothing."""
    try:
        made, steps = parse_flow(_flow(value)), steps_of(path)
    except (ScenarioError, ValueError):
        return {}
    for step in reversed(steps):
        made = {step: made}
    return made


def _is_inside(path: str | Path) -> bool:
    here = Path(os.path.realpath(Path.cwd()))
    return Path(os.path.realpath(path)).is_relative_to(here)


def _flow(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
