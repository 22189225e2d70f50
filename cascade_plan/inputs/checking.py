"""What only the whole scenario can tell, or only what there is to choose from: also of one with other mistakes in it.

Each check looks at the document, so that a mistake of one field hides none of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cascade_plan import registry
from cascade_plan.errors import Problem, did_you_mean
from cascade_plan.files.documents import Document, Trail, field_name
from cascade_plan.model import scenario as schema
from cascade_plan.model.catalogue import Catalogue
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.tier import kinds_given, settings_class


def across(document: Document) -> list[Problem]:
    """Return what the fields of a document rule out together, where the schema may have stopped at one of them."""
    from cascade_plan.inputs import gates  # plans to know the figures: worth its import only where something is wrong

    return [*_unanswered(document), *_uncounted(document), *gates.of_no_name(document)]


def _uncounted(document: Document) -> Iterator[Problem]:
    """Yield a problem where the budget is for registered users, of which the document gives no number."""
    budget, users = document.data.get("budget"), document.data.get("users")
    if not isinstance(budget, dict) or not isinstance(users, dict):
        return
    if budget.get("users") == "registered" and users.get("registered") is None:
        yield Problem(*document.place(()), "", schema.NOT_REGISTERED)


def _unanswered(document: Document) -> Iterator[Problem]:
    """Yield a problem for each instance that an action of a document names and the document does not have."""
    kinds = kinds_given(document.data)
    behaviour = document.data.get("behaviour")
    actions = behaviour.get("actions") if isinstance(behaviour, dict) else None
    if kinds is None or not isinstance(actions, dict):
        return
    for name, action in actions.items():
        if isinstance(action, dict):
            for inner, _, message in schema.unanswered(action, kinds):
                trail = ("behaviour", "actions", name, *inner)
                yield Problem(*document.place(trail), field_name(trail), message)


def unknown(document: Document, scenario: Scenario | None, cached: bool) -> list[Problem]:
    """Return a problem for a cloud, a region and each shape that there is not.

    `scenario` is what the schema makes of the document, None where it refuses it.
    """
    from cascade_plan.prices import books, bundled

    cloud, region = (_text(document, scenario, name) for name in ("cloud", "region"))
    if cloud is None:
        return []
    if cloud not in (clouds := registry.names("clouds")):
        return [_problem(document, ("cloud",), f"must be one of {', '.join(clouds)}, got {cloud!r}", cloud, clouds)]
    problems = []
    if region is not None and region not in (known := books.regions(cloud, cached)):
        problems.append(Problem(*document.place(("region",)), "region", bundled.unknown_region(cloud, region, known)))
    catalogue: Catalogue = registry.load("clouds", cloud, "cloud").catalogue()
    for name, bought, shape in _shapes(document, scenario):
        if message := catalogue.unknown(bought, shape):
            trail = ("tiers", name, "shape")
            problems.append(Problem(*document.place(trail), field_name(trail), message))
    return problems


def _text(document: Document, scenario: Scenario | None, name: str) -> str | None:
    """Return a field's text, or None where the document has something in its place that the schema refuses."""
    if scenario is not None:
        return str(getattr(scenario, name))
    value: Any = document.data.get(name, Scenario.model_fields[name].default)
    return value if isinstance(value, str) and _is_plain(value) else None


def _is_plain(name: str) -> bool:
    return name.replace("-", "").replace("_", "").isalnum() and name == name.lower() and len(name) <= 40


def _shapes(document: Document, scenario: Scenario | None) -> Iterator[tuple[str, str, str]]:
    """Yield (tier, what its instances are, the shape it names)."""
    if scenario is not None:
        for name, settings in scenario.tiers.items():
            if isinstance(shape := getattr(settings, "shape", None), str):
                yield name, scenario.bought(name), shape
        return
    for name, kind in (kinds_given(document.data) or {}).items():
        given = document.data.get("tiers", {}).get(name)
        shape = given.get("shape") if isinstance(given, dict) else None
        if isinstance(shape, str) and kind in registry.names("tiers") and (bought := settings_class(kind).BOUGHT):
            yield name, bought, shape


def _problem(document: Document, trail: Trail, message: str, given: str, known: Iterable[str]) -> Problem:
    return Problem(*document.place(trail), field_name(trail), f"{message}{did_you_mean(given, list(known))}")
