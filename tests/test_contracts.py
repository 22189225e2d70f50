"""Every plug-in keeps its folder's contract, and a folder answers for a name it does not have.

Each contract is a function from a module to what it lacks, and is also shown a module that breaks it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from cascade_plan import registry
from cascade_plan.errors import UsageError

Contract = Callable[[ModuleType], Iterator[str]]


def called_with(module: ModuleType, function: str, *parameters: str) -> Iterator[str]:
    """Yield what keeps a module's function from being called with positional arguments of these names alone."""
    found = getattr(module, function, None)
    if not inspect.isfunction(found):
        yield f"{module.__name__}: no function {function}"
        return
    signature = inspect.signature(found)
    needed = [name for name, each in signature.parameters.items() if each.default is each.empty]
    if needed != list(parameters) or list(signature.parameters)[: len(parameters)] != needed:
        yield f"{module.__name__}: {function}{signature} is not {function}({', '.join(parameters)})"
    if not found.__doc__:
        yield f"{module.__name__}: {function} has no docstring"


def placed(module: ModuleType, folder: str) -> Iterator[str]:
    """Yield what is wrong with a module's AFTER, the plug-ins of its folder that come before it."""
    after = getattr(module, "AFTER", None)
    if not isinstance(after, tuple) or not all(isinstance(name, str) for name in after):
        yield f"{module.__name__}: AFTER is no tuple of names"
    else:
        unknown = set(after) - set(registry.names(folder))
        yield from (f"{module.__name__}: AFTER names no plug-in {name!r}" for name in sorted(unknown))


def tier(module: ModuleType) -> Iterator[str]:
    """Yield what a tier lacks: AFTER, the tiers it reads, and size(brief)."""
    yield from placed(module, "tiers")
    yield from called_with(module, "size", "brief")


def cloud(module: ModuleType) -> Iterator[str]:
    """Yield what a cloud lacks: lines(fleet, book)."""
    yield from called_with(module, "lines", "fleet", "book")


def emitter(module: ModuleType) -> Iterator[str]:
    """Yield what an emitter lacks: AFTER, the emitters whose files are applied before, and render(plan)."""
    yield from placed(module, "emitters")
    yield from called_with(module, "render", "plan")


def report(module: ModuleType) -> Iterator[str]:
    """Yield what a report lacks: FORMAT, its description on one line, and render(plan)."""
    described = getattr(module, "FORMAT", None)
    if not isinstance(described, str) or not described.strip() or "\n" in described:
        yield f"{module.__name__}: FORMAT is no line of text"
    yield from called_with(module, "render", "plan")


CONTRACTS: dict[str, Contract] = {"tiers": tier, "clouds": cloud, "emitters": emitter, "reports": report}


def made(**attributes: object) -> ModuleType:
    """Return a module with these attributes."""
    module = ModuleType("bad", "A module.")
    vars(module).update(attributes)
    return module


def one(a: object) -> None:
    """Take one argument of another name."""


def size(brief: object, more: int = 0) -> None:
    """Size."""


def lines(fleet: object, book: object) -> None:
    """Bill."""


def render(plan: object) -> str:
    """Render."""
    return ""


@pytest.mark.parametrize("folder", CONTRACTS)
def test_every_plug_in_keeps_its_contract(folder: str) -> None:
    loaded = [registry.load(folder, name) for name in registry.names(folder)]
    problems = [problem for module in loaded for problem in CONTRACTS[folder](module)]
    problems += [f"{module.__name__}: no docstring" for module in loaded if not module.__doc__]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("folder", CONTRACTS)
def test_every_folder_has_a_plug_in(folder: str) -> None:
    assert registry.names(folder)


@pytest.mark.parametrize(
    ("contract", "module"),
    [
        (tier, made(size=size)),
        (tier, made(size=size, AFTER=["api"])),
        (tier, made(size=size, AFTER=("no-such-tier",))),
        (tier, made(AFTER=())),
        (tier, made(AFTER=(), size=one)),
        (tier, made(AFTER=(), size=lines)),
        (tier, made(AFTER=(), size=lambda brief: None)),
        (cloud, made(lines=one)),
        (cloud, made()),
        (emitter, made(AFTER=(), render="text")),
        (emitter, made(render=render)),
        (emitter, made(AFTER=("no-such-emitter",), render=render)),
        (report, made(render=render)),
        (report, made(render=render, FORMAT="")),
        (report, made(render=render, FORMAT="two\nlines")),
    ],
)
def test_a_breach_is_found(contract: Contract, module: ModuleType) -> None:
    assert len(list(contract(module))) == 1


@pytest.mark.parametrize(
    ("contract", "module"),
    [
        (tier, made(size=size, AFTER=("api",))),
        (cloud, made(lines=lines)),
        (emitter, made(AFTER=("k8s",), render=render)),
        (report, made(render=render, FORMAT="a format")),
    ],
)
def test_a_module_that_keeps_the_contract_passes(contract: Contract, module: ModuleType) -> None:
    assert list(contract(module)) == []


@pytest.mark.parametrize("folder", ["tiers", "emitters"])
def test_plug_ins_come_in_an_order_without_a_cycle(folder: str) -> None:
    """`ordered` raises CycleError for a cycle."""
    ordered = registry.ordered(folder)
    assert sorted(ordered) == sorted(registry.names(folder))
    for position, name in enumerate(ordered):
        assert set(registry.load(folder, name).AFTER) <= set(ordered[:position])


@pytest.mark.parametrize("folder", CONTRACTS)
def test_a_name_nearly_right_is_answered_with_the_right_one(folder: str) -> None:
    for name in registry.names(folder):
        with pytest.raises(UsageError, match=rf"did you mean '{name}'\?"):
            registry.load(folder, f"{name}x")


@pytest.mark.parametrize("folder", CONTRACTS)
@pytest.mark.parametrize("name", ["", "_private", "__init__", "..errors", "os.path", "API"])
def test_what_is_no_plug_in_is_not_loaded(folder: str, name: str) -> None:
    with pytest.raises(UsageError, match="known are"):
        registry.load(folder, name)
