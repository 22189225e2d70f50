"""Environments: several systems in one file, each the scenario with other values laid over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from cascade_plan.errors import Problem, ScenarioError, UsageError, did_you_mean
from cascade_plan.files.documents import Document, Trail, field_name, value_at
from cascade_plan.model.tier import STANDARD

FIELD: Final = "environments"
NAMED: Final = ("application", "name")
"""What tells the objects of two environments apart in one account: an environment that gives none adds its own name."""


def environments(document: Document) -> tuple[str, ...]:
    """Return the names of a document's environments in its order; none where it is one system.

    Raises ScenarioError where the field is no mapping of names to mappings.
    """
    given = document.data.get(FIELD)
    if given is None:
        return ()
    if not isinstance(given, dict) or not given:
        words = "must be a mapping of environments, such as {prod: {}, staging: {...}}"
        raise ScenarioError([_problem(document, (FIELD,), words)])
    problems = []
    for name, values in given.items():
        if not isinstance(values, dict):
            problems.append(
                _problem(document, (FIELD, name), "must be a mapping of the values that differ, {} for none")
            )
        elif FIELD in values:
            problems.append(_problem(document, (FIELD, name, FIELD), "an environment has none of its own"))
    if problems:
        raise ScenarioError(problems)
    return tuple(given)


def without(document: Document) -> Document:
    """Return the document as it is without its environments."""
    return replace(document, data={key: value for key, value in document.data.items() if key != FIELD})


def environment(document: Document, wanted: str | None, said: str = "") -> Document:
    """Return the document of one environment: the wanted one, else the first; as it is where it has none.

    Mappings are laid over each other, everything else replaces; a tier that the scenario has off is on where the
    environment gives it. Raises UsageError, with what `said` it, for an environment that is not there.
    """
    names = environments(document)
    if wanted is not None and wanted not in names:
        known = f"its environments are {', '.join(names)}" if names else "it has no environments"
        raise UsageError(f"{said or f'--env {wanted}'}: {known}{did_you_mean(wanted, list(names))}")
    base = {key: value for key, value in document.data.items() if key != FIELD}
    if not names:
        return document
    chosen = wanted or names[0]
    values = document.data[FIELD][chosen]
    if "tiers" in values and "tiers" not in base:
        base["tiers"] = {name: {} for name in STANDARD}
    data = _laid_over(base, values)
    for field in NAMED:
        if field not in values and (called := base.get(field)) is not None:
            data[field] = f"{called}-{chosen}"
    prefix = (FIELD, chosen)
    return Document(
        data,
        _moved(document.marks, prefix, data),
        document.name,
        _moved(document.key_marks, prefix, data),
        _moved(document.origins, prefix, data),
    )


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        # A tier that is off below is no mapping: what the environment gives of it is all there is.
        result[key] = _laid_over(under, value) if isinstance(value, dict) and isinstance(under, dict) else value
    return result


def _moved(places: Mapping[Trail, Any], prefix: Trail, data: Mapping[str, Any]) -> dict[Trail, Any]:
    """Return places as they are once an environment's values are laid over the others: the environment's win."""
    length = len(prefix)
    own = {trail[length:]: place for trail, place in places.items() if trail[:length] == prefix and trail[length:]}
    kept = {trail: place for trail, place in places.items() if trail[:1] != (FIELD,)}
    return {trail: place for trail, place in (kept | own).items() if _leads(data, trail)}


def _leads(data: Any, trail: Trail) -> bool:
    """Return whether a trail leads to a value: what an environment replaced whole is not there any more."""
    try:
        value_at(data, trail)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _problem(document: Document, trail: Trail, message: str) -> Problem:
    return Problem(*document.place(trail), field_name(trail), message)
