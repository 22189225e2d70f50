"""Imports point one way, plug-ins stand alone, and clock, chance, disk and network enter only at the edge.

Every check is a function from one module to what is wrong with it, so that each is also shown a module that breaks it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import pytest
from sources import PACKAGE, Module, inner, modules

LAYERS = (
    {"__main__"},
    {"cli"},
    {"exploring", "running"},
    {"inputs", "evidence", "reports", "emitters", "choosing", "proving"},
    {"planning"},
    {"tiers", "clouds"},
    {"prices", "traces"},
    {"model"},
    {"formulas", "languages"},
    {"files", "registry"},
    {"units"},
    {"errors", ""},
)
"""The floors of the house, from the top; "" is the package itself, which holds the version. No room sees another one
on its own floor."""
PLUGINS = {
    ("tiers",): 2,
    ("clouds",): 2,
    ("emitters",): 2,
    ("reports",): 3,
    ("evidence", "readers"): 3,
    ("evidence", "metrics"): 3,
    ("evidence", "bills"): 3,
    ("evidence", "measuring"): 3,
    ("traces", "dialects"): 3,
    ("cli", "hosts"): 3,
    ("cli", "tools"): 3,
}
"""Folder of plug-ins -> how many parts of a module's name are the name of the plug-in that it belongs to."""
SEEN = {"tiers": "settings", "clouds": "names"}
"""What of a plug-in emitters and reports may see: a kind's nouns, a cloud's names."""
SEE_ONLY_A_PLAN = {"emitters", "reports"}
EDGE = {"__main__", "cli", "exploring", "running", "files", "prices", "inputs"}
"""With the prices of each cloud, and what asks a server of one's own."""

BANNED_OUTSIDE_EDGE = {
    "time", "random", "secrets", "uuid", "os", "pathlib", "tempfile", "shutil", "socket", "ssl", "urllib", "http",
    "subprocess",
}  # fmt: skip
SEEDED = {"proving": {"random"}}
"""Simulations draw, from generators that are given their seed."""
CLOCKS = {"now", "utcnow", "today", "fromtimestamp"}
SLOW = {
    "numpy",
    "scipy",
    "boto3",
    "botocore",
    "urllib3",
    "ijson",
    "filelock",
    "platformdirs",
    "rich",
    "tabulate",
    "psycopg",
    "redis",
    "duckdb",
    "pyarrow",
    "distributed",
    "starlette",
    "uvicorn",
    "mcp",
    "mcp_types",
    "anyio",
    "jsonschema",
}
"""Packages that cost a start-up more than they give it: imported where they are used, in functions."""
LATE: dict[str, set[str]] = {
    "proving": {"numpy", "scipy"},
    "formulas.arrays": {"numpy"},
    "choosing.drawn": {"numpy"},
    "choosing.portfolio.grid": {"numpy"},
    "choosing.sure": {"numpy"},
    "choosing.worlds": {"numpy"},
    "exploring": {"starlette", "uvicorn"},
}
"""Modules that may import slow packages, because they are themselves imported only in functions."""


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module."""

    name: str
    line: int
    at_import: bool
    """Whether importing the importer runs it."""


def imports(module: Module) -> Iterator[Import]:
    """Yield what a module imports, own modules by their full name; a name's own module where the name is one."""
    known = {f"{PACKAGE}.{other.name}" for other in modules()}
    for node, at_import in inner(module.tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(full if full in known else base, node.lineno, at_import)


def own(module: Module) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the parts below the package, and the line, of each import of an own module."""
    for found in imports(module):
        top, *parts = found.name.split(".")
        if top == PACKAGE:
            yield tuple(parts), found.line


def home(parts: tuple[str, ...]) -> str:
    """Return the layer's member a module belongs to: its first folder or its own name."""
    return parts[0] if parts else ""


def level(name: str) -> int | None:
    """Return how far down a member of a layer stands, or None when no layer has it."""
    return next((depth for depth, layer in enumerate(LAYERS) if name in layer), None)


def plugin(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the plug-in that a module is or belongs to; () for one that belongs to none, or to all of a folder."""
    for folder, depth in PLUGINS.items():
        if parts[: len(folder)] == folder and len(parts) >= depth:
            found = parts[:depth]
            stands_beside = depth == len(parts) == 2 and found not in folders()
            return () if stands_beside or any(part.startswith("_") for part in found) else found
    return ()


def folders() -> set[tuple[str, ...]]:
    """Return the names of the folders in the package."""
    return {module.parts[:depth] for module in modules() for depth in range(1, len(module.parts))}


# -------------------------------------------------------------------------------------------------------------- checks


def upward(module: Module) -> Iterator[str]:
    """Yield imports of a higher floor or of another room on the same one, and modules that no layer has."""
    here = level(home(module.parts))
    if here is None:
        yield f"{module.name}: in no layer; give it a place in LAYERS"
        return
    for parts, line in own(module):
        there = level(home(parts))
        if there is None or there < here or (there == here and home(parts) != home(module.parts)):
            yield f"{module.name}:{line}: imports {'.'.join(parts)} from above or beside"


def relative(module: Module) -> Iterator[str]:
    """Yield relative imports: every import names its target in full."""
    for found in imports(module):
        if found.name.startswith("."):
            yield f"{module.name}:{found.line}: relative import"


def by_name(module: Module) -> Iterator[str]:
    """Yield imports of plug-ins by any but the commands and themselves: all others ask the registry.

    Emitters and reports may see the settings of a kind of tier, and the names of a cloud.
    """
    mine = plugin(module.parts)
    if home(module.parts) in ("__main__", "cli"):
        return
    for parts, line in own(module):
        theirs = plugin(parts)
        may_see = home(module.parts) in SEE_ONLY_A_PLAN and seen(parts)
        if theirs not in ((), mine) and not may_see:
            yield f"{module.name}:{line}: imports the plug-in {'.'.join(theirs)} by its name"


def seen(parts: tuple[str, ...]) -> bool:
    """Return whether a module is what emitters and reports may see of a plug-in."""
    return len(parts) == 3 and SEEN.get(parts[0]) == parts[2]


def private(module: Module) -> Iterator[str]:
    """Yield imports of another folder's private modules."""
    for parts, line in own(module):
        hidden_at = next((index for index, part in enumerate(parts) if part.startswith("_")), None)
        if hidden_at is not None and module.parts[:hidden_at] != parts[:hidden_at]:
            yield f"{module.name}:{line}: imports {'.'.join(parts)}, which is private to its folder"


def more_than_a_plan(module: Module) -> Iterator[str]:
    """Yield what an emitter or a report imports beside the nouns, formulas, languages and modules of its own folder.

    What stands beside the plug-ins may ask the registry for them.
    """
    folder = home(module.parts)
    if folder not in SEE_ONLY_A_PLAN:
        return
    allowed = {"model", "formulas", "languages", "units", "errors", folder}
    if not plugin(module.parts):
        allowed.add("registry")
    for parts, line in own(module):
        if home(parts) not in allowed and not seen(parts):
            yield f"{module.name}:{line}: sees {'.'.join(parts)}, more than a plan"


def slow_start(module: Module) -> Iterator[str]:
    """Yield what makes importing a module slow: a slow package, or a module of LATE, which may have some."""
    for found in imports(module):
        if not found.at_import:
            continue
        allowed = LATE.get(late_home(module.name), set())
        if found.name.split(".")[0] in SLOW - allowed:
            yield f"{module.name}:{found.line}: imports {found.name} at start-up"
        target = late_home(found.name.removeprefix(f"{PACKAGE}."))
        if target and not late_home(module.name):
            yield f"{module.name}:{found.line}: imports {found.name} at start-up, which is slow"


def late_home(name: str) -> str:
    """Return which member of LATE a module is or belongs to, "" for none."""
    return next((late for late in LATE if f"{name}.".startswith(f"{late}.")), "")


def prices_of_a_cloud(parts: tuple[str, ...]) -> bool:
    """Return whether a module fetches the prices of a cloud."""
    return parts[:1] == ("clouds",) and parts[2:3] == ("prices",)


def asks_a_server(parts: tuple[str, ...]) -> bool:
    """Return whether a module measures one's own servers."""
    return parts[:2] == ("evidence", "measuring")


def client_elsewhere(module: Module) -> Iterator[str]:
    """Yield imports of a cloud's client outside the prices of that cloud."""
    if not prices_of_a_cloud(module.parts):
        for found in imports(module):
            if found.name.split(".")[0] in {"boto3", "botocore"}:
                yield f"{module.name}:{found.line}: imports {found.name}"


def impure(module: Module) -> Iterator[str]:
    """Yield what reads a clock, chance, disk or network away from the edge."""
    if home(module.parts) in EDGE or prices_of_a_cloud(module.parts) or asks_a_server(module.parts):
        return
    for found in imports(module):
        if found.name.split(".")[0] in BANNED_OUTSIDE_EDGE - SEEDED.get(home(module.parts), set()):
            yield f"{module.name}:{found.line}: imports {found.name}"
    for node, _ in inner(module.tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id == "open":
            yield f"{module.name}:{node.lineno}: opens a file"
        elif isinstance(called, ast.Attribute) and called.attr in CLOCKS and "date" in ast.unparse(called.value):
            yield f"{module.name}:{node.lineno}: {ast.unparse(called)} reads the clock"


def hidden(module: Module) -> Iterator[str]:
    """Yield imports by a computed name, which no other check sees; the registry and the command list may."""
    if module.name in {"registry", "cli.app"}:
        return
    for node, _ in inner(module.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in {"import_module", "__import__"}:
                yield f"{module.name}:{node.lineno}: imports by a computed name"


def two_things(module: Module) -> Iterator[str]:
    """Yield a folder whose one sentence says more than one thing: a room is for one."""
    if module.parts not in {*folders(), ()}:
        return
    sentence = ast.get_docstring(module.tree) or ""
    if not re.fullmatch(r"[^.\n]+(?:\.\w[^.\n]*)*\.", sentence):
        yield f"{module.name}: its docstring is not one sentence on one line"
    elif re.search(r"\band\b", sentence):
        yield f'{module.name}: a folder that needs an "and" is two: {sentence}'


CHECKS = (
    upward, relative, by_name, private, more_than_a_plan, slow_start, client_elsewhere, impure, hidden, two_things,
)  # fmt: skip
Check = Callable[[Module], Iterator[str]]

BREAKS: tuple[tuple[Check, str, str], ...] = (
    (upward, "formulas.bad", "from cascade_plan.planning import sizing"),
    (upward, "formulas.bad", "import cascade_plan.planning.sizing"),
    (upward, "formulas.bad", "from cascade_plan.model import plan"),
    (upward, "model.bad", "import cascade_plan.tiers.api"),
    (upward, "units", "from cascade_plan.model import plan"),
    (upward, "planning.sizing", "def size():\n    from cascade_plan.choosing.outlook import outlook"),
    (
        upward,
        "planning.bad",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cascade_plan.cli import app",
    ),
    (upward, "choosing.bad", "from cascade_plan.reports.explanation import explain"),
    (upward, "evidence.bad", "from cascade_plan.inputs.scenarios import read"),
    (upward, "tiers.bad.sizing", "from cascade_plan.clouds import x"),
    (upward, "choosing.bad", "from cascade_plan.exploring.session import Session"),
    (upward, "exploring.bad", "from cascade_plan.cli.output import say"),
    (upward, "homeless", ""),
    (relative, "tiers.bad.sizing", "from .settings import Settings"),
    (relative, "tiers.bad.sizing", "from .. import api"),
    (by_name, "tiers.bad.sizing", "from cascade_plan.tiers.api.sizing import size"),
    (by_name, "tiers.bad.sizing", "from cascade_plan.tiers import api"),
    (by_name, "tiers.bad.sizing", "from cascade_plan.tiers.api.settings import Settings"),
    (by_name, "tiers._bad", "def f():\n    from cascade_plan.tiers import api"),
    (by_name, "planning.bad", "from cascade_plan.tiers.api.settings import Settings"),
    (by_name, "prices.bad", "import cascade_plan.clouds.aws.products"),
    (by_name, "emitters.bad.artefacts", "from cascade_plan.emitters.kubernetes.names import x"),
    (by_name, "emitters.bad.artefacts", "from cascade_plan.tiers.api.sizing import size"),
    (by_name, "emitters.directory", "from cascade_plan.emitters.kubernetes.artefacts import render"),
    (by_name, "reports.days.bad", "from cascade_plan.reports.days.table import render"),
    (by_name, "reports.days.bad", "from cascade_plan.reports.plans import table"),
    (by_name, "evidence.runs", "from cascade_plan.evidence.readers import hey"),
    (by_name, "evidence.observing", "from cascade_plan.evidence.metrics import prometheus"),
    (by_name, "evidence.metrics.bad", "from cascade_plan.evidence.metrics.table import read"),
    (by_name, "evidence.measuring.http", "from cascade_plan.evidence.measuring import redis"),
    (private, "cli.bad", "from cascade_plan.reports.days._outcomes import row"),
    (private, "reports.plans.bad", "from cascade_plan.reports.days import _outcomes"),
    (private, "emitters.redis.bad", "from cascade_plan.emitters.nginx._parts import x"),
    (more_than_a_plan, "reports.days.bad", "from cascade_plan import registry"),
    (more_than_a_plan, "emitters.bad.artefacts", "from cascade_plan.tiers._shared import x"),
    (more_than_a_plan, "emitters.bad.artefacts", "from cascade_plan.clouds.aws.products import PRODUCTS"),
    (slow_start, "formulas.bad", "import numpy as np"),
    (slow_start, "formulas.bad", "class A:\n    from scipy.stats import norm"),
    (slow_start, "clouds.aws.prices.bad", "try:\n    import boto3\nexcept ImportError:\n    pass"),
    (slow_start, "proving.bad", "import rich.table"),
    (slow_start, "evidence.measuring.bad", "import psycopg"),
    (slow_start, "cli.bad", "from cascade_plan.proving import days"),
    (slow_start, "cli.bad", "from cascade_plan.exploring.server import serve"),
    (slow_start, "cli.bad", "import uvicorn"),
    (slow_start, "cli.bad", "from cascade_plan.proving.queue import run"),
    (slow_start, "reports.bad", "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import tabulate"),
    (client_elsewhere, "cli.bad", "def f():\n    import boto3"),
    (client_elsewhere, "prices.bad", "def f():\n    import boto3"),
    (impure, "formulas.bad", "import time"),
    (impure, "formulas.bad", "def f():\n    from random import choice"),
    (impure, "planning.bad", "from datetime import datetime\ntoday = datetime.now()"),
    (impure, "clouds.aws.cloud", "import datetime\ntoday = datetime.date.today()"),
    (impure, "reports.bad", "text = open('x').read()"),
    (impure, "evidence.bad", "from pathlib import Path"),
    (hidden, "planning.bad", "from importlib import import_module\nimport_module('cascade_plan.cli')"),
    (hidden, "planning.bad", "import importlib\nimportlib.import_module('cascade_plan.cli')"),
    (two_things, "planning", '"""One plan, and many."""'),
    (two_things, "planning", '"""One plan. Many plans."""'),
    (two_things, "reports.days", '"""One plan"""'),
    (two_things, "", "x = 1"),
)
ALLOWED: tuple[tuple[str, str], ...] = (
    ("cli.good", "from cascade_plan.reports.plans import table\nfrom datetime import date\ntoday = date.today()"),
    ("cli.good", "from cascade_plan.emitters.kubernetes.artefacts import stream"),
    ("tiers.good.sizing", "from cascade_plan.tiers._shared import x\nfrom cascade_plan.model.ask import Ask"),
    ("tiers.good.sizing", "from cascade_plan.tiers.good.settings import Settings"),
    ("emitters.good.artefacts", "from cascade_plan.tiers.api.settings import Settings"),
    ("emitters.good.artefacts", "from cascade_plan.clouds.aws.names import name"),
    (
        "emitters.good.artefacts",
        "from cascade_plan.emitters.good._part import x\nfrom cascade_plan.languages import sql",
    ),
    ("emitters.directory", "from cascade_plan import registry"),
    (
        "reports.days.good",
        "def render():\n    from tabulate import tabulate\n    from cascade_plan.reports._words import w",
    ),
    (
        "reports.days.good",
        "from cascade_plan.reports.days._outcomes import row\nfrom cascade_plan.reports import pictures",
    ),
    ("evidence.readers.good", "from cascade_plan.evidence.texts import Text"),
    ("formulas.good", "from datetime import date\ndef f(x):\n    import numpy\n    return date.fromisoformat(x)"),
    ("proving.good", "import numpy as np\nfrom cascade_plan.formulas import roots"),
    ("evidence.measuring.good", "import socket\nfrom time import monotonic\ndef f():\n    import redis"),
    ("proving.good", "from cascade_plan.proving.queue import run"),
    ("cli.good", "def show():\n    from cascade_plan.proving import days"),
    ("clouds.aws.prices.good", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import boto3"),
    ("cli.good", "from cascade_plan import __version__"),
    ("reports.days", '"""One day of 24.5 hours, in one format each."""'),
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_package_keeps_its_architecture(check: Check) -> None:
    problems = [problem for module in modules() for problem in check(module)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("check", "name", "text"), BREAKS)
def test_a_breach_is_found(check: Check, name: str, text: str) -> None:
    assert len(list(check(Module(name, text)))) == 1


@pytest.mark.parametrize(("name", "text"), ALLOWED)
def test_what_is_allowed_passes(name: str, text: str) -> None:
    assert [problem for check in CHECKS for problem in check(Module(name, text))] == []


def test_every_check_has_a_breach() -> None:
    assert {check for check, _, _ in BREAKS} == set(CHECKS)


def test_the_modules_are_found() -> None:
    assert {"", "planning.pipeline", "model.scenario", "tiers.api.settings"} <= {module.name for module in modules()}


# ------------------------------------------------------------------------------------------------------------- circles


def circle(found: Iterable[Module]) -> list[str]:
    """Return modules that import each other in a circle, wherever in them they do; [] where there is none."""
    graph = {
        module.name: {".".join(parts) for parts, _ in own(module) if ".".join(parts) != module.name} for module in found
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(modules()) == []


def test_a_circle_is_found() -> None:
    one = Module("model.price", "from cascade_plan.model import bill")
    two = Module("model.bill", "def f():\n    from cascade_plan.model.price import Price")
    assert {*circle([one, two])} == {"model.price", "model.bill"}
