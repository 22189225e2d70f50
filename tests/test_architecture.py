"""Imports point one way, plug-ins stand alone, and clock, chance, disk and network enter only at the edge.

Every check is a function from one module to what is wrong with it, so that each is also shown a module that breaks it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sources import PACKAGE, Module, inner, modules

LAYERS = (
    {"__main__", "cli"},
    {
        "files", "prices", "reading", "pipeline", "exploring", "comparing", "explaining", "charts", "replay_reports",
        "replaying", "emitting", "results", "measuring", "measurement_reports",
    },
    {"load", "sizing", "billing", "judging", "performance", "predicting", "solving", "simulation"},
    {"tiers", "clouds", "emitters", "reports"},
    {"model", "formulas", "registry"},
    {"units", "errors", ""},
)  # fmt: skip
"""From top to bottom; "" is the package itself, which holds the version."""
PLUGINS = {"tiers", "clouds", "emitters", "reports"}
SEE_ONLY_A_PLAN = {"emitters", "reports"}
EDGE = {"__main__", "cli", "files", "prices", "reading"}

BANNED_OUTSIDE_EDGE = {
    "time", "random", "secrets", "uuid", "os", "pathlib", "tempfile", "shutil", "socket", "ssl", "urllib", "http",
    "subprocess",
}  # fmt: skip
SEEDED = {"simulation": {"random"}}
"""Simulations draw, from generators that are given their seed."""
CLOCKS = {"now", "utcnow", "today", "fromtimestamp"}
SLOW = {"numpy", "scipy", "boto3", "botocore", "urllib3", "ijson", "filelock", "platformdirs", "rich", "tabulate"}
"""Packages that cost a start-up more than they give it: imported where they are used, in functions."""
LATE: dict[str, set[str]] = {"simulation": {"numpy", "scipy"}, "replaying": set(), "cli.terminal": {"rich"}}
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


def upward(module: Module) -> Iterator[str]:
    """Yield imports of a higher layer, and modules that no layer has."""
    here = level(home(module.parts))
    if here is None:
        yield f"{module.name}: in no layer; give it a place in LAYERS"
        return
    for parts, line in own(module):
        there = level(home(parts))
        if there is None or there < here:
            yield f"{module.name}:{line}: imports {'.'.join(parts)} from above"


def relative(module: Module) -> Iterator[str]:
    """Yield relative imports: every import names its target in full."""
    for found in imports(module):
        if found.name.startswith("."):
            yield f"{module.name}:{found.line}: relative import"


def siblings(module: Module) -> Iterator[str]:
    """Yield a plug-in's imports of other plug-ins; private modules of its own folder are its own."""
    folder = home(module.parts)
    if folder not in PLUGINS:
        return
    for parts, line in own(module):
        private = parts[0] == folder and parts[-1].startswith("_") if parts else False
        if home(parts) in PLUGINS and len(parts) > 1 and not private:
            yield f"{module.name}:{line}: a plug-in imports the plug-in {'.'.join(parts)}"


def more_than_a_plan(module: Module) -> Iterator[str]:
    """Yield what an emitter or a report imports beside the model, formulas, units, errors and its private modules."""
    folder = home(module.parts)
    if folder not in SEE_ONLY_A_PLAN:
        return
    for parts, line in own(module):
        if home(parts) not in {"model", "formulas", "units", "errors", folder}:
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


def cloud_outside_prices(module: Module) -> Iterator[str]:
    """Yield imports of the cloud's client outside prices/."""
    if home(module.parts) != "prices":
        for found in imports(module):
            if found.name.split(".")[0] in {"boto3", "botocore"}:
                yield f"{module.name}:{found.line}: imports {found.name}"


def impure(module: Module) -> Iterator[str]:
    """Yield what reads a clock, chance, disk or network away from the edge."""
    if home(module.parts) in EDGE:
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


CHECKS = (upward, relative, siblings, more_than_a_plan, slow_start, cloud_outside_prices, impure, hidden)
Check = Callable[[Module], Iterator[str]]

BREAKS: tuple[tuple[Check, str, str], ...] = (
    (upward, "formulas.bad", "from cascade_plan.sizing import size"),
    (upward, "formulas.bad", "from cascade_plan import sizing"),
    (upward, "model.bad", "import cascade_plan.tiers.api"),
    (upward, "units", "from cascade_plan.model import plan"),
    (upward, "sizing", "def size():\n    from cascade_plan.pipeline import plan"),
    (upward, "judging", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cascade_plan.cli import output"),
    (upward, "homeless", ""),
    (relative, "tiers.bad", "from .api import size"),
    (relative, "tiers.bad", "from .. import sizing"),
    (siblings, "tiers.bad", "from cascade_plan.tiers.api import size"),
    (siblings, "tiers.bad", "from cascade_plan.tiers import api"),
    (siblings, "clouds.bad", "import cascade_plan.tiers.api"),
    (siblings, "tiers._bad", "def f():\n    from cascade_plan.tiers import api"),
    (more_than_a_plan, "reports.bad", "from cascade_plan import registry"),
    (more_than_a_plan, "emitters.bad", "from cascade_plan.tiers._shared import x"),
    (slow_start, "formulas.bad", "import numpy as np"),
    (slow_start, "formulas.bad", "class A:\n    from scipy.stats import norm"),
    (slow_start, "prices.bad", "try:\n    import boto3\nexcept ImportError:\n    pass"),
    (slow_start, "simulation.bad", "import rich.table"),
    (slow_start, "cli.bad", "from cascade_plan.cli import terminal"),
    (slow_start, "cli.bad", "from cascade_plan.simulation.queue import run"),
    (slow_start, "reports.bad", "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import tabulate"),
    (cloud_outside_prices, "cli.bad", "def f():\n    import boto3"),
    (impure, "formulas.bad", "import time"),
    (impure, "formulas.bad", "def f():\n    from random import choice"),
    (impure, "pipeline", "from datetime import datetime\ntoday = datetime.now()"),
    (impure, "judging", "import datetime\ntoday = datetime.date.today()"),
    (impure, "reports.bad", "text = open('x').read()"),
    (impure, "reports.bad", "from pathlib import Path"),
    (hidden, "sizing", "from importlib import import_module\nimport_module('cascade_plan.cli')"),
    (hidden, "sizing", "import importlib\nimportlib.import_module('cascade_plan.cli')"),
)
ALLOWED: tuple[tuple[str, str], ...] = (
    ("cli.good", "from cascade_plan.tiers import api\nfrom datetime import date\ntoday = date.today()"),
    ("tiers.good", "from cascade_plan.tiers._shared import x\nfrom cascade_plan.model.brief import Brief"),
    ("reports.good", "def render():\n    from tabulate import tabulate\n    from cascade_plan.reports._words import w"),
    ("formulas.good", "from datetime import date\ndef f(x):\n    import numpy\n    return date.fromisoformat(x)"),
    ("simulation.good", "import numpy as np\nfrom cascade_plan.formulas import eks"),
    ("simulation.good", "from cascade_plan.simulation.queue import run"),
    ("cli.good", "def show():\n    from cascade_plan.cli import terminal"),
    ("prices.good", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import boto3"),
    ("cli.__init__", "from cascade_plan import __version__"),
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
    assert {"", "pipeline", "model.scenario", "tiers.api"} <= {module.name for module in modules()}
