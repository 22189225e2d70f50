"""From the names a user gives to the things they name: a scenario, its region's prices, a saved plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from cascade_plan import registry
from cascade_plan.errors import Problem, ScenarioError, UsageError, did_you_mean
from cascade_plan.files.assignments import Assignment, set_values
from cascade_plan.files.data_root import data_root
from cascade_plan.files.disk import listed, read_text
from cascade_plan.files.documents import Document, Trail, field_name, trails_below
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.files.validating import validate
from cascade_plan.inputs import calibrations, checking
from cascade_plan.inputs.environments import FIELD as ENVIRONMENTS
from cascade_plan.inputs.environments import environment, environments, without
from cascade_plan.inputs.users import contradictions, followed
from cascade_plan.model.plan import Plan, from_json
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.tier import OFF, STANDARD, is_off

MAX_TRACE_BYTES: Final = 2**25
"""A row of every minute of a year, with a name in each."""
M = TypeVar("M")
SOME: Final = 5
"""Names of files that a message lists."""


@dataclass(frozen=True, slots=True)
class Given:
    """A scenario with where its values were given, and what it is planned with."""

    scenario: Scenario
    origins: Mapping[str, str]
    book: Book
    notes: tuple[str, ...] = ()
    """What was done with the values given, of which whoever gave them should know."""


def bundled_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the program."""
    entries = data_root().joinpath("scenarios").iterdir()
    return tuple(sorted(entry.name[:-5] for entry in entries if entry.name.endswith(".yaml")))


def scenario_text(reference: str) -> tuple[str, str]:
    """Return (YAML text, display name) of a scenario: a path, "-" for stdin, or a bundled scenario's name.

    Raises UsageError when there is no such file and no bundled scenario of that name, or only a directory.
    """
    names = bundled_scenarios()
    if reference not in ("-", "", *names) and (inside := listed(reference)) is not None:
        found = [name for name in inside if name.endswith((".yaml", ".yml")) and not name.startswith(".")]
        more = f" and {len(found) - SOME:,} more" if len(found) > SOME else ""
        there = f"found: {', '.join(found[:SOME])}{more}" if found else "no .yaml file is in it"
        raise UsageError(f"{reference!r} is a directory: name a scenario file in it ({there})")
    if reference == "-" or "/" in reference or reference.endswith((".yaml", ".yml")) or Path(reference).is_file():
        return read_text(reference)
    if reference not in names:
        raise UsageError(
            f"no scenario {reference!r}: it is neither a file nor one of the bundled {', '.join(names)}"
            f"{did_you_mean(reference, list(names))}"
        )
    entry = data_root().joinpath("scenarios", f"{reference}.yaml")
    return entry.read_text(encoding="utf-8"), f"{reference}.yaml"


def environments_of(reference: str) -> tuple[str, ...]:
    """Return the names of a scenario file's environments; none where it is one system, or where `read` refuses them."""
    try:
        return environments(parse_yaml(*scenario_text(reference)))
    except ScenarioError:
        return ()


def read_scenario(
    reference: str, assignments: Sequence[Assignment] = (), env: str | None = None
) -> tuple[Scenario, Mapping[str, str]]:
    """Return a scenario with `assignments` laid over it, and where each of its values was given.

    Of a file with environments it is that of `env`, or the first.
    Raises ScenarioError with every problem of file and assignments, UsageError when it cannot be read.
    """
    found = _read(reference, assignments, env)
    return found.valid(), _origins(found.document)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a file and the assignments laid over it come to."""

    scenario: Scenario | None
    """None where the schema refuses it."""
    document: Document
    problems: list[Problem]
    notes: list[str]

    def valid(self, problems: Iterable[Problem] = ()) -> Scenario:
        """Return the scenario. Raises ScenarioError with every problem, those given among them."""
        if (listed := [*self.problems, *problems]) or self.scenario is None:
            raise ScenarioError(listed)
        return self.scenario


def _read(reference: str, assignments: Sequence[Assignment], env: str | None, said: str = "") -> _Found:
    return _found(parse_yaml(*scenario_text(reference)), assignments, env, said)


def _found(whole: Document, assignments: Sequence[Assignment], env: str | None, said: str = "") -> _Found:
    problems: list[Problem] = []
    try:
        base = environment(whole, env, said)
    except ScenarioError as error:
        base, problems = without(whole), error.problems
    all_given = [Assignment(*each) for each in assignments]
    taken = calibrations.included(_turned_off(whole, base), all_given)
    chosen = taken.document
    given, notes = followed(chosen, [each for each in all_given if each.path != calibrations.FIELD])
    document, found = _laid_over(chosen, given)
    document, ruled_out = contradictions(_turned_off(chosen, document))
    problems += [*taken.problems, *found, *ruled_out]
    try:
        valid = validate(Scenario, document, (ENVIRONMENTS,))
        scenario, read_of = _with_trace(valid, document)
    except ScenarioError as error:
        wrong = taken.placed([*problems, *error.problems, *checking.across(document)])
        return _Found(None, document, wrong, notes)
    if taken.values:
        scenario = scenario.model_copy(update={calibrations.FIELD: dict(taken.values)})
        notes.append(taken.note)
    across = checking.across(document) if problems else ()
    return _Found(scenario, document, taken.placed([*problems, *across]), [*notes, *read_of])


def _laid_over(document: Document, assignments: Sequence[Assignment]) -> tuple[Document, list[Problem]]:
    """Return the document with assignments laid over it, in order, and what is wrong with those that cannot be.

    A tier is turned off by `tiers.websocket=off` and on by `tiers.websocket={}`, and by nothing else: a value of one
    that is off is a mistake.
    """
    document = _with_tiers(document, assignments)
    problems = []
    for assignment in assignments:
        if message := _sets_what_is_off(document, assignment):
            problems.append(Problem(assignment.origin, 0, 0, assignment.path, message))
            continue
        try:
            document = set_values(_with_level(document, assignment), [assignment])
        except ScenarioError as error:
            problems += error.problems
    return document, problems


def _turned_off(base: Document, document: Document) -> Document:
    """Return the document without the tiers of `base` that it turns off: off for a name that never was on stays."""
    before, tiers = base.data.get("tiers"), document.data.get("tiers")
    if not isinstance(before, dict) or not isinstance(tiers, dict):
        return document
    gone = {name for name, value in tiers.items() if is_off(value) and not is_off(before.get(name, OFF))}

    def kept(places: Mapping[Trail, M]) -> dict[Trail, M]:
        return {trail: mark for trail, mark in places.items() if trail[:1] != ("tiers",) or gone.isdisjoint(trail[1:2])}

    data = {**document.data, "tiers": {name: value for name, value in tiers.items() if name not in gone}}
    marks, key_marks, origins = kept(document.marks), kept(document.key_marks), kept(document.origins)
    return Document(data, marks, document.name, key_marks, origins)


def _with_tiers(document: Document, assignments: Sequence[Assignment]) -> Document:
    """Return the document with the standard tiers written out where it names none and one of them is to be changed.

    A scenario that names tiers has just those: changing one must not make away with the others.
    """
    if "tiers" in document.data or not any(each.path.partition(".")[0] == "tiers" for each in assignments):
        return document
    return replace(document, data={**document.data, "tiers": {name: {} for name in STANDARD}})


def _with_level(document: Document, assignment: Assignment) -> Document:
    """Return the document with its word for availability as the mapping that it is short for, where a part is set."""
    word = document.data.get("availability")
    if not isinstance(word, str) or not assignment.path.startswith("availability."):
        return document
    marks = dict(document.marks)
    if ("availability",) in marks:
        marks["availability", "level"] = marks["availability",]
    return replace(document, data={**document.data, "availability": {"level": word}}, marks=marks)


def _sets_what_is_off(document: Document, assignment: Assignment) -> str:
    """Return what is wrong with a value for a tier that is not there, or "". Giving its kind makes one."""
    folder, name, *inner = [*assignment.path.split("."), "", ""]
    tiers = document.data.get("tiers")
    if folder != "tiers" or not inner[0] or inner[0] == "kind" or not isinstance(tiers, dict):
        return ""
    if not is_off(tiers.get(name, OFF)):
        return ""
    kinds = registry.names("tiers")
    if name in kinds:
        return f"tiers.{name} is off in this scenario; tiers.{name}={{}} turns it on"
    there = [each for each, value in tiers.items() if not is_off(value)]
    return f"this scenario has no tier {name!r}, only {', '.join(there)}{did_you_mean(name, [*there, *kinds])}"


def _origins(document: Document) -> Mapping[str, str]:
    origins = {}
    for trail in document.marks:
        place, line, _ = document.place(trail)
        origins[field_name(trail)] = f"{place}:{line}" if line else place
    for trail, origin in document.origins.items():
        # A flag that makes a whole part gives every value in it.
        for inner in trails_below(document.data, trail):
            origins[field_name(inner)] = origin
    if isinstance(document.data.get("availability"), str):
        origins["availability.level"] = origins["availability"]
    return origins


def _with_trace(scenario: Scenario, document: Document) -> tuple[Scenario, list[str]]:
    """Return the scenario with its trace read, the mean of each hour of the day as its profile, and what was read."""
    given = scenario.users.trace_file
    if given is None:
        return scenario, []
    from cascade_plan.formulas.profile import hourly_means
    from cascade_plan.traces.reading import IN_A_SCENARIO, Wanted, read_trace

    name = str(Path(document.name).parent / given.file)
    place, line, column = document.place(("users", "trace"))
    try:
        text, _ = read_text(name, MAX_TRACE_BYTES)
        trace = read_trace(text, given.file, Wanted(given.column, given.sum, given.unit, IN_A_SCENARIO))
        profile = hourly_means(*trace.spans(), trace.step_s)
    except UsageError as error:
        raise ScenarioError([Problem(place, line, column, "users.trace", str(error))]) from None
    except ValueError as error:
        raise ScenarioError([Problem(place, line, column, "users.trace", f"{name}: {error}")]) from None
    users = scenario.users.model_copy(update={"profile": list(profile), "trace": None})
    return scenario.model_copy(update={"users": users}), [f"users.trace: {given.file}: {trace.words}"]


def read(
    reference: str,
    assignments: Sequence[Assignment] = (),
    prices: str | None = None,
    cached: bool = True,
    env: str | None = None,
    said: str = "",
) -> Given:
    """Return a scenario with the prices of its region: a file of prices over the cache (unless not
    `cached`) over the bundled book. `said` is what gave `env`, as messages name it.

    Raises ScenarioError (an unknown cloud, region or shape among it), UsageError and PriceError (a damaged book).
    """
    half = half_read(reference, assignments, prices, cached, env, said)
    half.check_gates()
    return half.given


def half_read(
    reference: str,
    assignments: Sequence[Assignment] = (),
    prices: str | None = None,
    cached: bool = True,
    env: str | None = None,
    said: str = "",
) -> Laid:
    """Return what `read` returns, with its gates unchecked. Raises what `read` raises."""

    def book(cloud: str, region: str) -> Book:
        return priced(cloud, region, prices, cached)

    return laid(parse_yaml(*scenario_text(reference)), assignments, book, cached, env, said)


@dataclass(frozen=True, slots=True)
class Laid:
    """A scenario that is read, but for its gates: what they name is known once it is planned."""

    given: Given
    _found: _Found

    def check_gates(self, figures: Collection[str] = ()) -> None:
        """Raise ScenarioError for each gate on what is a figure of no plan of this scenario.

        `figures` are the names of those that its plan has: where all gates are on one of them nothing is planned again.
        """
        scenario = self.given.scenario
        if not scenario.gates.keys() <= {*figures}:
            from cascade_plan.inputs.gates import of_nothing

            self._found.valid(of_nothing(scenario, self._found.document, self.given.book))


def laid(
    whole: Document,
    assignments: Sequence[Assignment],
    book: Callable[[str, str], Book],
    cached: bool = True,
    env: str | None = None,
    said: str = "",
) -> Laid:
    """Return the scenario of a document with assignments laid over it and the prices of its region, gates unchecked.

    `book` returns the prices of a cloud's region. Raises ScenarioError, UsageError and PriceError as `read` does.
    """
    found = _found(whole, assignments, env, said)
    if lacking := checking.unknown(found.document, found.scenario, cached):
        found.valid([*lacking, *(checking.across(found.document) if found.scenario else ())])
    scenario = found.valid()
    given = Given(scenario, _origins(found.document), book(scenario.cloud, scenario.region), tuple(found.notes))
    return Laid(given, found)


def priced(cloud: str, region: str, prices: str | None, cached: bool) -> Book:
    """Return the book of a region, from the cache unless not `cached`, with a file of prices over it.

    Raises UsageError for an unknown region or a file that cannot be read, PriceError for a damaged book.
    """
    from cascade_plan.prices import books

    book = books.book(cloud, region, cached)
    if prices is None:
        return book
    from cascade_plan.prices.reading import override

    return override(book, *read_text(prices))


def read_plan(path: str) -> Plan:
    """Return a plan saved as JSON. Raises UsageError when the file is no plan that this version reads."""
    text, name = read_text(path, 2**26)
    try:
        return from_json(text)
    except ValueError as error:
        first_line = str(error).splitlines()[0]
        raise UsageError(f"{name}: no plan that `size --format json` of this version wrote: {first_line}") from None
