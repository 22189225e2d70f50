"""Docstrings, lengths, names and units: the house rules that a linter does not know.

Every check is a function from one module, or one field, to what is wrong, and is also shown something that breaks it.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import typing
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel
from sources import PACKAGE, Module, modules

from cascade_plan import registry
from cascade_plan.model.bill import Amounts
from cascade_plan.model.fleet import Band
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.tier import Settings, settings_class

Check = Callable[[Module], Iterator[str]]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# ------------------------------------------------------------------------------------------------------------- source

LONGEST_FUNCTION = 60
FORBIDDEN_WORDS = {"manager", "managers", "helper", "helpers", "util", "utils"}
FORBIDDEN_START = re.compile(r"_*(process_(?!count\b)|handle_)", re.IGNORECASE)
"""A process count is a number of processes."""
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|pragma:\s*no", re.IGNORECASE)
BLANKET = re.compile(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)|#\s*mypy:\s*ignore", re.IGNORECASE)


def public(node: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Yield the public functions and classes of a module, and the public methods and classes within those."""
    for child in node.body:
        if isinstance(child, Definition) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public(child)


def undocumented(module: Module) -> Iterator[str]:
    """Yield the module and the public definitions in it that have no docstring."""
    tree = module.tree
    if not ast.get_docstring(tree):
        yield f"{module.name}: the module has no docstring"
    for node in public(tree):
        if not ast.get_docstring(node):
            yield f"{module.name}:{node.lineno}: {node.name} has no docstring"


def long_functions(module: Module) -> Iterator[str]:
    """Yield functions that do not fit on a screen."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{module.name}:{node.lineno}: {node.name} has {lines} lines"


def given_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the names a module gives: definitions, parameters, variables, attributes and imports' other names."""
    for node in ast.walk(tree):
        if isinstance(node, Definition):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, 0


def words(name: str) -> set[str]:
    """Return the words of a name in snake or camel case."""
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def empty_names(module: Module) -> Iterator[str]:
    """Yield names that say nothing of what the thing is or does."""
    for name, line in ((module.name.replace(".", "_"), 0), *given_names(module.tree)):
        if words(name) & FORBIDDEN_WORDS or FORBIDDEN_START.match(name):
            yield f"{module.name}:{line}: {name} is a name that says nothing"


def left_open(module: Module) -> Iterator[str]:
    """Yield lines that put something off, and checks switched off without saying which."""
    for number, line in enumerate(module.text.splitlines(), 1):
        if UNFINISHED.search(line) or BLANKET.search(line):
            yield f"{module.name}:{number}: {line.strip()}"


CHECKS: tuple[Check, ...] = (undocumented, long_functions, empty_names, left_open)

DOCUMENTED = '"""A module."""\n'
BREAKS: tuple[tuple[Check, str], ...] = (
    (undocumented, "x = 1"),
    (undocumented, DOCUMENTED + "def f():\n    return 1"),
    (undocumented, DOCUMENTED + "class A:\n    x: int"),
    (undocumented, DOCUMENTED + 'class A:\n    """A."""\n    @property\n    def b(self):\n        return 1'),
    (undocumented, DOCUMENTED + 'class A:\n    """A."""\n    class B:\n        pass'),
    (long_functions, "def f():\n" + "    x = 1\n" * LONGEST_FUNCTION),
    (long_functions, "class A:\n    async def _f(self):\n" + "        x = 1\n" * LONGEST_FUNCTION),
    (empty_names, "class PriceManager:\n    pass"),
    (empty_names, "def f(date_helper):\n    pass"),
    (empty_names, "def f():\n    utils = 1"),
    (empty_names, "def _process_row(row):\n    pass"),
    (empty_names, "import json as handle_json"),
    (empty_names, "class A:\n    def f(self):\n        self.helpers = []"),
    (left_open, "x = 1  # TO" + "DO later"),
    (left_open, "# FIX" + "ME"),
    (left_open, "x = 1  # prag" + "ma: no cover"),
    (left_open, "x = f()  # type: " + "ignore"),
    (left_open, "x = f()  # no" + "qa"),
)
ALLOWED = (
    DOCUMENTED + "def _f():\n" + "    x = 1\n" * (LONGEST_FUNCTION - 1),
    DOCUMENTED + "class _A:\n    def f(self):\n        def g():\n            return 1",
    DOCUMENTED + "x = f()  # type: ignore[no-any-return]\ny = 1  # noqa: E501\nprocess = handled = process_count = 1",
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_package_keeps_its_conventions(check: Check) -> None:
    problems = [problem for module in modules() for problem in check(module)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("check", "text"), BREAKS)
def test_a_breach_is_found(check: Check, text: str) -> None:
    assert len(list(check(Module("model.bad", text)))) == 1


def test_a_module_named_emptily_is_found() -> None:
    assert list(empty_names(Module("model.utils", DOCUMENTED)))


@pytest.mark.parametrize("text", ALLOWED)
def test_what_is_allowed_passes(text: str) -> None:
    assert [problem for check in CHECKS for problem in check(Module("model.good", text))] == []


# -------------------------------------------------------------------------------------------------------------- units

UNITS = {
    "s", "ms", "minutes", "hours", "days", "months", "years", "bytes", "kib", "mib", "gib", "percent", "usd", "cores",
    "vcpu", "cpu_m",
}  # fmt: skip
COUNTED = {
    "users", "tenants", "connections", "recipients", "requests", "messages", "deliveries", "nodes", "replicas", "pods",
    "series", "types", "zones", "rate", "units", "jobs", "operations", "pages", "trips",
}  # fmt: skip
DIMENSIONLESS = {"count", "ratio", "share", "weight", "scv", "confidence"}
"""scv: the squared coefficient of variation, by the name queueing theory gives it."""
PER = {
    "s", "day", "month", "node_month", "1000_users_month", "user", "node", "replica", "connection", "message",
    "request", "query", "sample", "series", "pod", "usd", "master", "address", "job", "unit", "user_month",
    "read", "write", "renewal", "interface", "proxy", "fiscal_year", "hour",
}  # fmt: skip
QUALIFIERS = {
    "p95", "p99", "min", "max", "base", "mean", "peak", "average", "registered", "scaled_in",
    "halved", "doubled", "monthly", "predicted", "measured", "before", "after", "used",
}  # fmt: skip
NAMED = re.compile(
    rf"(?:[a-z0-9]+_)*(?:{'|'.join(sorted(UNITS | COUNTED | DIMENSIONLESS))})"
    rf"(?:_per_(?:{'|'.join(sorted(PER))}))?(?:_(?:{'|'.join(sorted(QUALIFIERS))}))?"
)

IN_A_UNIT_BESIDE = re.compile(rf"(?:value|amount|quantity|limit|interval)(?:_(?:{'|'.join(sorted(QUALIFIERS))}))?")
"""Names of amounts whose unit stands in the field `unit`, or is that of the figure, input or path they are of."""
BESIDE = {"unit", "figure", "name", "path"}
BY_NAME = {"purchase", "reads", "writes", "jobs", "counts", "before", "average_before", "seasonality"}
"""Fields that map names to shares, to counts of what the field is called, or paths to their values."""
BY_KEY = {"Calibrated", "Spread"}
"""Classes whose values are in the unit of the path that they stand under."""
NO_UNIT = {"month", "schema_version", "exit_code", "port", "user_id", "profile", "seed", "lognormal", "p10", "p90"} | {
    "factor", "fiscal_year_start", "fiscal_year", "year", "number",
}  # fmt: skip
"""Numbers that count nothing, the month of a life, 24 loads relative to each other, and what a law says of another; by
what users are multiplied, and months and years by their numbers."""


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A numeric field: the class that has it, the path to it, and its neighbours' names."""

    owner: str
    path: tuple[str, ...]
    neighbours: frozenset[str]


def kinds(hint: object) -> set[object]:
    """Return the plain types within a type hint; of a function's, none."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Callable:
        return set()
    if typing.get_origin(hint) is typing.Annotated:
        return kinds(arguments[0])
    return {hint}.union(*(kinds(argument) for argument in arguments)) if arguments else {hint}


def numeric(hint: object) -> bool:
    """Return whether a hint's values are numbers, or bands of numbers."""
    return bool(kinds(hint) & {int, float, Decimal, Band, Amounts})


def dataclass_fields(owner: type) -> Iterator[Field]:
    """Yield the numeric fields of a dataclass."""
    hints = typing.get_type_hints(owner)
    for name, hint in hints.items():
        if numeric(hint) and not name.startswith("_"):
            yield Field(owner.__name__, (name,), frozenset(hints))


def scenario_fields(owner: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Field]:
    """Yield the numeric fields of a pydantic model and of the models in it."""
    for name, info in owner.model_fields.items():
        found = kinds(info.annotation)
        for part in found:
            if part is Settings:
                for kind in registry.names("tiers"):
                    yield from scenario_fields(settings_class(kind), (*path, name, kind))
            elif isinstance(part, type) and issubclass(part, BaseModel):
                yield from scenario_fields(part, (*path, name))
        if found & {int, float, Decimal} and owner.__name__ not in BY_KEY:
            yield Field(owner.__name__, (*path, name), frozenset(owner.model_fields))


def model_dataclasses() -> list[type]:
    """Return the dataclasses of model/ save the two bands, whose unit is that of the field that holds them."""
    found = []
    for module in modules():
        if module.parts[:1] == ("model",):
            loaded = import_module(f"{PACKAGE}.{module.name}")
            own = (value for value in vars(loaded).values() if getattr(value, "__module__", "") == loaded.__name__)
            found += [value for value in own if dataclasses.is_dataclass(value) and isinstance(value, type)]
    return [owner for owner in found if owner not in (Band, Amounts)]


def named(field: Field) -> bool:
    """Return whether a field's name ends in its unit and at most one qualifier.

    A qualifier alone takes the unit of what it qualifies: `think_time_s.min`, `users.peak`.
    """
    *outer, name = field.path
    if name in NO_UNIT | BY_NAME or NAMED.fullmatch(name):
        return True
    if name in QUALIFIERS and outer:
        return NAMED.fullmatch(outer[-1]) is not None
    if IN_A_UNIT_BESIDE.fullmatch(name):
        return bool(field.neighbours & BESIDE)
    return False


def test_every_number_of_the_model_ends_in_its_unit() -> None:
    fields = [field for owner in model_dataclasses() for field in dataclass_fields(owner)]
    assert {"count", "requests_per_s", "price_usd", "memory_gib"} <= {field.path[0] for field in fields}
    problems = [f"{field.owner}.{field.path[-1]}" for field in fields if not named(field)]
    assert not problems, "\n".join(problems)


def test_every_number_of_the_scenario_ends_in_its_unit() -> None:
    fields = list(scenario_fields(Scenario))
    assert len(fields) > 60
    problems = [".".join(field.path) for field in fields if not named(field)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    "path",
    ["timeout", "memory", "memory_gb", "gib_memory", "latency_p95", "cost", "value", "peak", "latency_ms_p95_max",
     "rate_per_fortnight", "users.latency.min", "tiers.api.speed"],
)  # fmt: skip
def test_a_number_without_its_unit_is_found(path: str) -> None:
    assert not named(Field("Bad", tuple(path.split(".")), frozenset({"other"})))


def test_a_numeric_field_is_seen_through_its_type() -> None:
    @dataclasses.dataclass
    class Sample:
        size: "tuple[float, ...]"  # noqa: UP037
        speed: int | None
        burst: bool
        label: str
        spend: Amounts

    assert [field.path[0] for field in dataclass_fields(Sample)] == ["size", "speed", "spend"]


# -------------------------------------------------------------------------------------------------------------- tests


def clashing(files: list[tuple[str, str]]) -> list[str]:
    """Return what of test files (path, text) depends on the order in which they are collected."""
    names = Counter(path.rpartition("/")[2] for path, _ in files)
    found = [f"{path}: another file has this name, and only one can be imported" for path, _ in files
             if names[path.rpartition("/")[2]] > 1 and not path.endswith(("conftest.py", "__init__.py"))]  # fmt: skip
    return found + [f"{path}: which conftest it imports depends on the others" for path, text in files
                    if re.search(r"^\s*(from|import) conftest\b", text, re.MULTILINE)]  # fmt: skip


def test_tests_can_be_collected_in_any_order() -> None:
    root = Path(__file__).parent
    files = [(str(path.relative_to(root)), path.read_text(encoding="utf-8")) for path in root.rglob("*.py")]
    assert len(files) > 200
    assert clashing(files) == []


def test_tests_that_cannot_be_are_found() -> None:
    assert len(clashing([("a/test_x.py", ""), ("b/test_x.py", ""), ("test_y.py", "from conftest import z\n")])) == 3
    assert clashing([("conftest.py", ""), ("a/conftest.py", "")]) == []
