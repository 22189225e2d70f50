"""From the names a user gives to the things they name: a scenario, its region's prices, a saved plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cascade_plan import registry
from cascade_plan.errors import Problem, ScenarioError, UsageError, did_you_mean
from cascade_plan.files.assignments import set_values
from cascade_plan.files.data_root import data_root
from cascade_plan.files.disk import read_text
from cascade_plan.files.documents import Document, field_name, trails_below
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.files.validating import validate
from cascade_plan.model.plan import Plan, from_json
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.tier import STANDARD

Assignment = tuple[str, str, str]
"""Where it was given (a flag as typed), the dotted path, the value as YAML text."""


@dataclass(frozen=True, slots=True)
class Given:
    """A scenario with where its values were given, and what it is planned with."""

    scenario: Scenario
    origins: Mapping[str, str]
    book: Book


def bundled_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the program."""
    entries = data_root().joinpath("scenarios").iterdir()
    return tuple(sorted(entry.name[:-5] for entry in entries if entry.name.endswith(".yaml")))


def scenario_text(reference: str) -> tuple[str, str]:
    """Return (YAML text, display name) of a scenario: a path, "-" for stdin, or a bundled scenario's name.

    Raises UsageError when there is no such file and no bundled scenario of that name.
    """
    if reference == "-" or "/" in reference or reference.endswith((".yaml", ".yml")) or Path(reference).is_file():
        return read_text(reference)
    names = bundled_scenarios()
    if reference not in names:
        raise UsageError(
            f"no scenario {reference!r}: it is neither a file nor one of the bundled {', '.join(names)}"
            f"{did_you_mean(reference, list(names))}"
        )
    entry = data_root().joinpath("scenarios", f"{reference}.yaml")
    return entry.read_text(encoding="utf-8"), f"{reference}.yaml"


def read_scenario(reference: str, assignments: Sequence[Assignment] = ()) -> tuple[Scenario, Mapping[str, str]]:
    """Return a scenario with `assignments` laid over it, and where each of its values was given.

    Raises ScenarioError with every problem of file and assignments, UsageError when it cannot be read.
    """
    text, name = scenario_text(reference)
    document = parse_yaml(text, name)
    if assignments:
        document = set_values(_with_tiers(document, assignments), assignments)
    scenario = validate(Scenario, document)
    return _with_trace(scenario, document), _origins(document)


def _with_tiers(document: Document, assignments: Sequence[Assignment]) -> Document:
    """Return the document with the standard tiers written out where it names none and one of them is to be changed.

    A scenario that names tiers has just those: changing one must not make away with the others.
    """
    if "tiers" in document.data or not any(path.partition(".")[0] == "tiers" for _, path, _ in assignments):
        return document
    return replace(document, data={**document.data, "tiers": {name: {} for name in STANDARD}})


def _origins(document: Document) -> Mapping[str, str]:
    origins = {}
    for trail in document.marks:
        place, line, _ = document.place(trail)
        origins[field_name(trail)] = f"{place}:{line}" if line else place
    for trail, origin in document.origins.items():
        # A flag that makes a whole part gives every value in it.
        for inner in trails_below(document.data, trail):
            origins[field_name(inner)] = origin
    return origins


def _with_trace(scenario: Scenario, document: Document) -> Scenario:
    """Return the scenario with its trace read: the mean of each hour of the day becomes the profile."""
    if scenario.users.trace is None:
        return scenario
    from cascade_plan.formulas.profile import hourly_means

    path = Path(document.name).parent / scenario.users.trace
    text, name = read_text(str(path), 2**26)
    try:
        profile = hourly_means(text)
    except ValueError as error:
        place, line, column = document.place(("users", "trace"))
        raise ScenarioError([Problem(place, line, column, "users.trace", f"{name}: {error}")]) from None
    users = scenario.users.model_copy(update={"profile": list(profile), "trace": None})
    return scenario.model_copy(update={"users": users})


def read(
    reference: str, assignments: Sequence[Assignment] = (), prices: str | None = None, cached: bool = True
) -> Given:
    """Return a scenario with the prices of its region: a file of prices over the cache (unless not
    `cached`) over the bundled book.

    Raises ScenarioError, UsageError (an unknown region among them) and PriceError (a damaged book).
    """
    from cascade_plan.prices import books, reading

    scenario, origins = read_scenario(reference, assignments)
    _must_be_known(scenario, origins, "cloud", registry.names("clouds"))
    _must_be_known(scenario, origins, "region", books.regions(scenario.cloud, cached))
    book = books.book(scenario.cloud, scenario.region, cached)
    if prices is not None:
        text, name = read_text(prices)
        book = reading.override(book, text, name)
    return Given(scenario, origins, book)


def _must_be_known(scenario: Scenario, origins: Mapping[str, str], field: str, known: Sequence[str]) -> None:
    """Raise UsageError, with a suggestion, where a field of the scenario is none of the known names."""
    if (value := getattr(scenario, field)) not in known:
        where = origins.get(field, "default")
        suggestion = did_you_mean(value, list(known))
        raise UsageError(f"{where}: {field}: must be one of {', '.join(known)}, got {value!r}{suggestion}")


def read_plan(path: str) -> Plan:
    """Return a plan saved as JSON. Raises UsageError when the file is no plan that this version reads."""
    text, name = read_text(path, 2**26)
    try:
        return from_json(text)
    except ValueError as error:
        first_line = str(error).splitlines()[0]
        raise UsageError(f"{name}: no plan that `size --format json` of this version wrote: {first_line}") from None
