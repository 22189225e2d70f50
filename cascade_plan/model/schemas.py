"""The JSON Schemas of the documents that are read and written."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any, Final

from cascade_plan.model import plan, scenario


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario, each field described by its docstring and its default's source."""
    schema = scenario.Scenario.model_json_schema()
    described = _docstrings()
    for name, definition in {**schema["$defs"], "Scenario": schema}.items():
        for field, text in described.get(name, {}).items():
            if field in definition.get("properties", {}):
                definition["properties"][field].setdefault("description", text)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "cascade-plan scenario", **schema}


def _docstrings() -> dict[str, dict[str, str]]:
    """Return class -> field -> the string that stands below the field in the scenario's source.

    Read when a schema is printed rather than by pydantic at every start, which would cost a tenth of it.
    """
    found: dict[str, dict[str, str]] = {}
    for part in ast.parse(inspect.getsource(scenario)).body:
        if isinstance(part, ast.ClassDef):
            pairs = zip(part.body, part.body[1:], strict=False)
            found[part.name] = {
                field.target.id: inspect.cleandoc(text.value.value)
                for field, text in pairs
                if isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            }
    return found


SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {"scenario": scenario_schema, "plan": plan.json_schema}
"""What `schema` prints, by name."""
