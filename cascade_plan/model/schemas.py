"""The JSON Schemas of the documents that are read and written."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any, Final, get_args

from pydantic import BaseModel

from cascade_plan import registry
from cascade_plan.files.parsing import plain_scalar
from cascade_plan.model import documents, plan, portfolio, risk, tier
from cascade_plan.model.calibration import Calibrated
from cascade_plan.model.defaults import Default, default_of
from cascade_plan.model.scenario import Scenario

PARTIAL: Final = "InEnvironment"
"""What the name of a part's definition ends in where an environment gives some of its fields."""


PLAIN: Final = re.compile(r"[A-Za-z0-9/](?:[A-Za-z0-9 ._/{}@+-]|:(?! ))*")
"""Texts that need no quotes in YAML, unless they are read as a number or a word such as true."""


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario: every part's fields, each described by its docstring and its default.

    The kinds of tiers are those of the registry. A default's kind and source stand beside it, as `default_kind` and
    `default_source`.
    """
    root = _definition(Scenario)
    parts = [part for part in _reached(Scenario) if part not in (tier.Settings, Calibrated)]
    definitions = {titled(part): _definition(part) for part in dict.fromkeys(parts)} | _kinds()
    definitions["Availability"] = _or_its_level(definitions["Availability"])
    root["properties"]["tiers"] = _tiers(root["properties"]["tiers"])
    root["properties"]["calibration"] = _path_alone(root["properties"]["calibration"])
    partial = {name: each for name, each in definitions.items() if _requires(each, definitions)}
    root["properties"]["environments"] = _environments(root["properties"], partial)
    definitions |= {f"{name}{PARTIAL}": _partial(each, partial) for name, each in partial.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cascade-plan scenario",
        **root,
        "$defs": definitions,
    }


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of a plan, in whose scenario each tier has the settings of its kind."""
    schema, kinds = plan.json_schema(), _kinds()
    settings = [{"$ref": f"#/$defs/{titled(tier.settings_class(kind))}"} for kind in registry.names("tiers")]
    definitions = kinds | schema["$defs"]
    definitions["Scenario"]["properties"]["tiers"] = {"type": "object", "additionalProperties": {"anyOf": settings}}
    return {**schema, "title": "cascade-plan plan", "$defs": definitions}


def titled(part: type[BaseModel]) -> str:
    """Return what a part is called in the schema: its class, with its kind before it where a kind of tier has it.

    >>> from cascade_plan.tiers.api.settings import Pod, Settings
    >>> titled(Settings), titled(Pod)
    ('Api', 'ApiPod')
    """
    rooms = part.__module__.split(".")
    if "tiers" not in rooms:
        return part.__name__
    kind = rooms[rooms.index("tiers") + 1]
    own = "" if issubclass(part, tier.Settings) else part.__name__
    return "".join(word.capitalize() for word in kind.split("_")) + own


def described(part: type[BaseModel]) -> dict[str, str]:
    """Return field -> the string that stands below it in its class or in one that this inherits from."""
    found: dict[str, str] = {}
    for owner in reversed(part.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            found |= _docstrings(owner)
    return found


def _kinds() -> dict[str, Any]:
    """Return the definitions of every kind's settings and of the parts in them."""
    parts: list[type[BaseModel]] = []
    for kind in registry.names("tiers"):
        settings = tier.settings_class(kind)
        parts += [settings, *_reached(settings)]
    return {titled(part): _definition(part) for part in dict.fromkeys(parts)}


def _reached(part: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield the parts that the fields of one hold, and those that these hold, in their order."""
    for name in part.model_fields:
        for inner in _parts_in(part.model_fields[name].annotation):
            yield inner
            yield from _reached(inner)


def _parts_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts_in(inner)


def _definition(part: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of one part, those of the parts in it as references."""
    names = {inner.__name__: titled(inner) for inner in _reached(part)}
    schema: dict[str, Any] = _with_references(part.model_json_schema(ref_template="#/$defs/{model}"), names)
    schema.pop("$defs", None)
    schema.pop("title")
    schema["description"] = " ".join(inspect.cleandoc(part.__doc__ or "").split())
    sentences = described(part)
    for name, field in schema["properties"].items():
        field.pop("title", None)
        field["description"] = _sentence(sentences.get(name, ""), default_of(part, name))
        if examples := part.model_fields[name].examples:
            field["examples"] = examples  # in the order given, which pydantic sorts
    if issubclass(part, tier.Settings):
        schema["properties"]["kind"] = _kind_of(part, schema["properties"]["kind"]["description"])
        often = "A scenario may have several." if part.SEVERAL else "A scenario has one at most."
        schema["description"] += f" {often}"
    if issubclass(part, tier.Bought):
        schema["properties"]["purchase"] |= _terms(part.BOUGHT)
    return schema


def _with_references(schema: Any, names: Mapping[str, str]) -> Any:
    """Return a schema whose references name definitions otherwise."""
    if isinstance(schema, list):
        return [_with_references(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: _with_references(value, names) for key, value in schema.items()}
    if isinstance(target := schema.get("$ref"), str):
        name = target.removeprefix("#/$defs/")
        changed["$ref"] = f"#/$defs/{names.get(name, name)}"
    return changed


def _sentence(text: str, default: Default | None) -> str:
    """Return a field's description: its docstring, and its default with how far to trust it."""
    if default is None:
        return text
    given = f"{default.kind}: {default.source}"
    if default.value is None:
        return f"{text} If left out: {default.source} ({default.kind})."
    return f"{text} Default: {written(default.value)} ({given})."


def written(value: object) -> str:
    """Return a value as a scenario writes it, on one line.

    >>> written({"vcpu": 4, "memory_gib": 8}), written(1000000.0), written(["< 50"]), written("15")
    ('{vcpu: 4, memory_gib: 8}', '1000000', '["< 50"]', '"15"')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(inner) for inner in value) + "]"
    if isinstance(value, str) and not (PLAIN.fullmatch(value) and isinstance(plain_scalar(value), str)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _kind_of(part: type[tier.Settings], description: str) -> dict[str, Any]:
    return {"const": part.KIND, "description": description}


def _terms(what: str) -> dict[str, Any]:
    """Return the schema of the terms that any cloud sells something by."""
    clouds = (registry.load("clouds", name, "terms") for name in registry.names("clouds"))
    terms = list(dict.fromkeys(term for cloud in clouds for term in cloud.terms(what)))
    shares = {
        "type": "object",
        "propertyNames": {"enum": [term for term in terms if term != "on_demand"]},
        "additionalProperties": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "minProperties": 1,
    }
    return {"anyOf": [{"enum": terms}, shares]}


def _or_its_level(availability: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a part that may be given as a word alone: that of its field `level`."""
    words = {"enum": availability["properties"]["level"]["enum"]}
    mapping = {key: value for key, value in availability.items() if key != "description"}
    return {"description": availability["description"], "anyOf": [words, mapping]}


def _tiers(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of `tiers`: of a kind's name that kind or off, of any other name an instance of some kind."""
    off = {"enum": [tier.OFF, False]}
    kinds = {kind: {"$ref": f"#/$defs/{titled(tier.settings_class(kind))}"} for kind in registry.names("tiers")}
    return {
        "description": field["description"],
        "type": "object",
        "default": {name: {} for name in tier.STANDARD},
        "examples": field["examples"],
        "propertyNames": {"pattern": f"^{tier.NAMED.pattern}$"},
        "properties": {kind: {"anyOf": [settings, off]} for kind, settings in kinds.items()},
        "additionalProperties": {"anyOf": [{**settings, "required": ["kind"]} for settings in kinds.values()]},
    }


def _path_alone(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a field that a file gives as a path, though a saved plan holds what was read from there."""
    text = next(choice for choice in field["anyOf"] if choice.get("type") == "string")
    return {**{name: value for name, value in field.items() if name != "anyOf"}, "anyOf": [text, {"type": "null"}]}


def _requires(schema: Any, definitions: Mapping[str, Any]) -> bool:
    """Return whether a schema asks for a field, in what it refers to as well."""
    if isinstance(schema, list):
        return any(_requires(each, definitions) for each in schema)
    if not isinstance(schema, dict):
        return False
    if "required" in schema:
        return True
    target = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    if target and _requires(definitions[target], definitions):
        return True
    return any(_requires(each, definitions) for each in schema.values())


def _partial(schema: Any, partial: Mapping[str, Any]) -> Any:
    """Return a schema that asks for no field, nor does what it refers to."""
    without = _with_references(schema, {name: f"{name}{PARTIAL}" for name in partial})

    def freed(inner: Any) -> Any:
        if isinstance(inner, list):
            return [freed(each) for each in inner]
        if isinstance(inner, dict):
            return {key: freed(value) for key, value in inner.items() if key != "required"}
        return inner

    return freed(without)


def _environments(properties: Mapping[str, Any], partial: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of systems that one file describes: what of the scenario each has otherwise."""
    inner = {name: field for name, field in properties.items() if name != "schema_version"}
    return {
        "description": "Systems by name, each this scenario with other values laid over it.",
        "examples": [{"prod": {}, "staging": {"users": {"peak": 100, "average": 20}, "availability": "minimal"}}],
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "type": "object",
            "additionalProperties": False,
            "properties": _partial(inner, partial),
        },
    }


@cache
def _docstrings(owner: type) -> Mapping[str, str]:
    """Return field -> the string that stands below it in a class's own body.

    Read when a schema is printed rather than by pydantic at every start, which would cost a tenth of it.
    """
    (body,) = (node.body for node in ast.parse(dedent(inspect.getsource(owner))).body if isinstance(node, ast.ClassDef))
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "scenario": scenario_schema,
    "plan": plan_schema,
    "risk": risk.json_schema,
    "portfolio": portfolio.json_schema,
    **documents.SCHEMAS,
}
"""What `schema` prints, by name."""
