"""Every plug-in keeps its folder's contract, and a folder answers for a name it does not have.

Each contract is a function from a module to what it lacks, and is also shown a module that breaks it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from cascade_plan import registry
from cascade_plan.cli.posting import Host
from cascade_plan.cli.tooling import Tool
from cascade_plan.errors import UsageError
from cascade_plan.evidence.servers import Kind
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.schemas import SCHEMAS
from cascade_plan.model.tier import Settings, settings_class

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


def called_as(module: ModuleType, function: str, asked: Callable[..., Any]) -> Iterator[str]:
    """Yield what keeps a module's function from being called as a method of a protocol is."""
    wanted = [each for each in inspect.signature(asked).parameters.values() if each.name != "self"]
    yield from called_with(module, function, *(each.name for each in wanted if each.default is each.empty))
    found = getattr(module, function, None)
    if found is not None:
        named = inspect.signature(found).parameters
        missing = [each.name for each in wanted if each.default is not each.empty and each.name not in named]
        yield from (f"{module.__name__}: {function} takes no {name}" for name in missing)


def placed(module: ModuleType, folder: str, attribute: str) -> Iterator[str]:
    """Yield what is wrong with the plug-ins of its folder that a module says come before it."""
    before = getattr(module, attribute, None)
    if not isinstance(before, tuple) or not all(isinstance(name, str) for name in before):
        yield f"{module.__name__}: {attribute} is no tuple of names"
    elif before != registry.READS_ALL:
        unknown = set(before) - set(registry.names(folder))
        yield from (f"{module.__name__}: {attribute} names no plug-in {name!r}" for name in sorted(unknown))


def line_of_text(module: ModuleType, attribute: str) -> Iterator[str]:
    """Yield that an attribute is no text on one line."""
    found = getattr(module, attribute, None)
    if not isinstance(found, str) or not found.strip() or "\n" in found:
        yield f"{module.__name__}: {attribute} is no line of text"


def settings(module: ModuleType) -> Iterator[str]:
    """Yield what the settings of a kind lack: a class Settings that is of the kind its folder is named after."""
    found = getattr(module, "Settings", None)
    if not (isinstance(found, type) and issubclass(found, Settings)):
        yield f"{module.__name__}: no class Settings"
        return
    kind = module.__name__.split(".")[-2].replace("_", "-") if "." in module.__name__ else ""
    if getattr(found, "KIND", None) != kind:
        yield f"{module.__name__}: Settings.KIND is not {kind!r}"
    unknown = {*found.REFERS.values()} - {*registry.names("tiers")}
    yield from (f"{module.__name__}: Settings.REFERS names no kind {name!r}" for name in sorted(unknown))
    no_fields = {*found.REFERS} - {*found.model_fields}
    yield from (f"{module.__name__}: Settings.REFERS names no field {name!r}" for name in sorted(no_fields))


def tier(module: ModuleType) -> Iterator[str]:
    """Yield what the sizing of a kind lacks: AFTER, the kinds it reads, and size(ask); places and follow if it has."""
    yield from placed(module, "tiers", "AFTER")
    yield from called_with(module, "size", "ask")
    for function, parameters in (("places", ("site", "scale", "before")), ("follow", ("site", "busy"))):
        if hasattr(module, function):
            yield from called_with(module, function, *parameters)


def cloud(module: ModuleType) -> Iterator[str]:
    """Yield what a cloud lacks of what every cloud can be asked."""
    for name, asked in vars(Cloud).items():
        if inspect.isfunction(asked) and not name.startswith("_"):
            yield from called_as(module, name, asked)


def terms(module: ModuleType) -> Iterator[str]:
    """Yield what the terms of a cloud lack: which there are, and why one cannot be paid by."""
    yield from called_with(module, "terms", "what")
    yield from called_with(module, "payable", "what", "given")
    yield from called_with(module, "unfit", "what", "engine", "shape", "terms")


def products(module: ModuleType) -> Iterator[str]:
    """Yield that a cloud sells nothing."""
    if not isinstance(found := getattr(module, "PRODUCTS", None), tuple) or not found:
        yield f"{module.__name__}: PRODUCTS is no tuple of what is sold"


def emitter(module: ModuleType) -> Iterator[str]:
    """Yield what an emitter lacks: COMMAND, APPLIED_AFTER, whose files are applied before, and render(plan)."""
    yield from line_of_text(module, "COMMAND")
    yield from placed(module, "emitters", "APPLIED_AFTER")
    yield from called_with(module, "render", "plan")


def report(*of: str) -> Contract:
    """Return what a report on something lacks: FORMAT, its description on one line, and render."""

    def lacking(module: ModuleType) -> Iterator[str]:
        yield from line_of_text(module, "FORMAT")
        yield from called_with(module, "render", *of)

    return lacking


def names_of_files(module: ModuleType, attribute: str, least: int) -> Iterator[str]:
    """Yield what is wrong with an attribute that is a tuple of file names or patterns, of `least` of them at least."""
    found = getattr(module, attribute, None)
    if not isinstance(found, tuple) or len(found) < least or not all(isinstance(each, str) and each for each in found):
        yield f"{module.__name__}: {attribute} is no tuple of names"


def reader(module: ModuleType) -> Iterator[str]:
    """Yield what a reader of evidence lacks: what it READS, which FILES with which COMPANIONS, claims and read."""
    yield from line_of_text(module, "READS")
    yield from names_of_files(module, "FILES", least=1)
    yield from names_of_files(module, "COMPANIONS", least=0)
    yield from called_with(module, "claims", "file")
    yield from called_with(module, "read", "file", "beside")


def metrics(module: ModuleType) -> Iterator[str]:
    """Yield what a reader of metrics lacks: what it READS, claims(file) and read(file, said)."""
    yield from line_of_text(module, "READS")
    yield from called_with(module, "claims", "file")
    yield from called_with(module, "read", "file", "said")


def bill(module: ModuleType) -> Iterator[str]:
    """Yield what a reader of bills lacks: what it READS, claims(file) and read(file, tags)."""
    yield from line_of_text(module, "READS")
    yield from called_with(module, "claims", "file")
    yield from called_with(module, "read", "file", "tags")


def measuring(module: ModuleType) -> Iterator[str]:
    """Yield what a kind of server to measure lacks: whose FIELDS it tells, its option, and what every one is asked."""
    for attribute in ("KIND", "METAVAR", "HELP"):
        yield from line_of_text(module, attribute)
    yield from names_of_files(module, "FIELDS", least=1)
    for name, asked in vars(Kind).items():
        if inspect.isfunction(asked) and not name.startswith("_"):
            yield from called_as(module, name, asked)
    if getattr(module, "KIND", "") not in registry.names("tiers"):
        yield f"{module.__name__}: KIND is no kind of tier"
    else:
        unknown = {*module.FIELDS} - {*settings_class(module.KIND).model_fields}
        yield from (f"{module.__name__}: FIELDS names no field {name!r}" for name in sorted(unknown))


def dialect(module: ModuleType) -> Iterator[str]:
    """Yield what a way of writing traces lacks: what it READS, claims(text) and read(text)."""
    yield from line_of_text(module, "READS")
    yield from called_with(module, "claims", "text")
    yield from called_with(module, "read", "text")


def host(module: ModuleType) -> Iterator[str]:
    """Yield what a host of pull requests lacks: its NAME, how much it takes, and what every one is asked."""
    yield from line_of_text(module, "NAME")
    if not isinstance(most := getattr(module, "MOST_CHARACTERS", None), int) or most < 1:
        yield f"{module.__name__}: MOST_CHARACTERS is no number of characters"
    for name, asked in vars(Host).items():
        if inspect.isfunction(asked) and not name.startswith("_"):
            yield from called_as(module, name, asked)


def chart(module: ModuleType) -> Iterator[str]:
    """Yield what a chart lacks: what it shows (CHART), OF which noun, and draw."""
    yield from line_of_text(module, "CHART")
    yield from line_of_text(module, "OF")
    found = getattr(module, "draw", None)
    if not inspect.isfunction(found) or not found.__doc__:
        yield f"{module.__name__}: no function draw with a docstring"
        return
    needed = [name for name, each in inspect.signature(found).parameters.items() if each.default is each.empty]
    if len(needed) != 1:
        yield f"{module.__name__}: draw needs {', '.join(needed)}, not the noun alone"


def tool(module: ModuleType) -> Iterator[str]:
    """Yield what a tool for assistants lacks: a DESCRIPTION, the SCHEMA of its answer, its Input, and answer."""
    yield from line_of_text(module, "DESCRIPTION")
    if getattr(module, "SCHEMA", None) not in SCHEMAS:
        yield f"{module.__name__}: SCHEMA names no schema"
    found = getattr(module, "Input", None)
    if not (isinstance(found, type) and issubclass(found, BaseModel) and found.model_config.get("extra") == "forbid"):
        yield f"{module.__name__}: Input is no model that forbids what it does not know"
    yield from called_as(module, "answer", Tool.answer)


CONTRACTS: dict[tuple[str, str], Contract] = {
    ("tiers", "settings"): settings,
    ("tiers", "sizing"): tier,
    ("clouds", "cloud"): cloud,
    ("clouds", "terms"): terms,
    ("clouds", "products"): products,
    ("emitters", "artefacts"): emitter,
    ("reports/plans", ""): report("plan"),
    ("reports/days", ""): report("simulation"),
    ("reports/verifications", ""): report("verification"),
    ("reports/differences", ""): report("differences"),
    ("reports/calibrations", ""): report("calibrating"),
    ("reports/actuals", ""): report("actuals"),
    ("reports/risks", ""): report("risk"),
    ("reports/environments", ""): report("plans", "rendered"),
    ("reports/optima", ""): report("optimum"),
    ("reports/forecasts", ""): report("found"),
    ("reports/portfolios", ""): report("portfolio"),
    ("reports/charts", ""): chart,
    ("reports/sweeps", ""): report("sweep"),
    ("evidence/readers", ""): reader,
    ("evidence/metrics", ""): metrics,
    ("evidence/bills", ""): bill,
    ("evidence/measuring", ""): measuring,
    ("traces/dialects", ""): dialect,
    ("cli/hosts", ""): host,
    ("cli/tools", ""): tool,
}
"""(Folder, module of each of its plug-ins that keeps the contract, "" for the plug-in itself)."""
FOLDERS = sorted({folder for folder, _ in CONTRACTS})


def made(**attributes: object) -> ModuleType:
    """Return a module with these attributes."""
    module = ModuleType("package.bad.part", "A module.")
    vars(module).update(attributes)
    return module


class Bad(Settings):
    """Settings of the kind that `made` modules are of."""

    KIND: ClassVar[str] = "bad"


class Other(Settings):
    """Settings of another kind."""

    KIND: ClassVar[str] = "other"


class Dangling(Settings):
    """Settings that refer to what is not there."""

    KIND: ClassVar[str] = "bad"
    REFERS = {"kind": "no-such-kind"}  # noqa: RUF012


class Fieldless(Settings):
    """Settings that refer by a field they have not."""

    KIND: ClassVar[str] = "bad"
    REFERS = {"queue": "queue"}  # noqa: RUF012


def one(a: object) -> None:
    """Take one argument of another name."""


def size(ask: object, more: int = 0) -> None:
    """Size."""


def render(plan: object) -> str:
    """Render."""
    return ""


def places(site: object, scale: object, before: object) -> None:
    """Declare."""


def claims(file: object) -> bool:
    """Claim."""
    return True


def read(file: object, beside: object) -> None:
    """Read."""


def read_said(file: object, said: object) -> None:
    """Read."""


def read_tags(file: object, tags: object) -> None:
    """Read."""


def claims_text(text: object) -> bool:
    """Claim."""
    return True


def read_text(text: object) -> None:
    """Read."""


def terms_of(what: object) -> None:
    """List."""


def payable(what: object, given: object) -> None:
    """Judge."""


def unfit(what: object, engine: object, shape: object, terms: object) -> None:
    """Judge."""


def test_every_registry_has_a_contract() -> None:
    kinds = {f"reports/{kind}" for kind in registry.names("reports")}
    others = {
        "tiers",
        "clouds",
        "emitters",
        "evidence/readers",
        "evidence/metrics",
        "evidence/measuring",
        "evidence/bills",
    }
    assert kinds | others | {"traces/dialects", "cli/hosts", "cli/tools"} == {*FOLDERS}


@pytest.mark.parametrize(("folder", "part"), CONTRACTS)
def test_every_plug_in_keeps_its_contract(folder: str, part: str) -> None:
    loaded = [registry.load(folder, name, part) for name in registry.names(folder)]
    problems = [problem for module in loaded for problem in CONTRACTS[folder, part](module)]
    problems += [f"{module.__name__}: no docstring" for module in loaded if not module.__doc__]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_has_a_plug_in(folder: str) -> None:
    assert registry.names(folder)


def aws(**changes: object) -> ModuleType:
    """Return AWS's cloud with some of it replaced; None takes it away."""
    return made(**{**vars(registry.load("clouds", "aws", "cloud")), "__name__": "bad", **changes})


def http(**changes: object) -> ModuleType:
    """Return what measures an HTTP address with some of it replaced; None takes it away."""
    return made(**{**vars(registry.load("evidence/measuring", "http")), "__name__": "bad", **changes})


def planning(**changes: object) -> ModuleType:
    """Return what an assistant plans with, with some of it replaced; None takes it away."""
    return made(**{**vars(registry.load("cli/tools", "plan")), "__name__": "bad", **changes})


def github(**changes: object) -> ModuleType:
    """Return what writes to GitHub with some of it replaced; None takes it away."""
    return made(**{**vars(registry.load("cli/hosts", "github")), "__name__": "bad", **changes})


@pytest.mark.parametrize(
    ("contract", "module"),
    [
        (host, github(NAME="")),
        (host, github(MOST_CHARACTERS=None)),
        (host, github(advice=None)),
        (host, github(create=one)),
        (tool, planning(SCHEMA="no-such")),
        (tool, planning(Input=BaseModel)),
        (tool, planning(answer=one)),
        (tool, planning(DESCRIPTION="")),
        (settings, made()),
        (settings, made(Settings=one)),
        (settings, made(Settings=Other)),
        (settings, made(Settings=Dangling)),
        (settings, made(Settings=Fieldless)),
        (tier, made(size=size)),
        (tier, made(size=size, AFTER=["api"])),
        (tier, made(size=size, AFTER=("no-such-tier",))),
        (tier, made(AFTER=())),
        (tier, made(AFTER=(), size=one)),
        (tier, made(AFTER=(), size=read)),
        (tier, made(AFTER=(), size=lambda ask: None)),
        (tier, made(AFTER=(), size=size, places=size)),
        (tier, made(AFTER=(), size=size, follow=places)),
        (cloud, aws(lines=one)),
        (cloud, aws(catalogue=None)),
        (cloud, aws(key=lambda offer: None)),
        (terms, made(terms=terms_of, payable=payable)),
        (terms, made(terms=one, payable=payable, unfit=unfit)),
        (products, made()),
        (products, made(PRODUCTS=())),
        (emitter, made(COMMAND="k8s", APPLIED_AFTER=(), render="text")),
        (emitter, made(APPLIED_AFTER=(), render=render)),
        (emitter, made(COMMAND="k8s", render=render)),
        (emitter, made(COMMAND="k8s", APPLIED_AFTER=("no-such-emitter",), render=render)),
        (report("plan"), made(render=render)),
        (report("plan"), made(render=render, FORMAT="")),
        (report("plan"), made(render=render, FORMAT="two\nlines")),
        (report("replay"), made(render=render, FORMAT="a format")),
        (reader, made(READS="results", COMPANIONS=(), claims=claims, read=read)),
        (reader, made(READS="results", FILES=(), COMPANIONS=(), claims=claims, read=read)),
        (reader, made(READS="results", FILES=("*.json",), COMPANIONS="*", claims=claims, read=read)),
        (reader, made(FILES=("*.json",), COMPANIONS=(), claims=claims, read=read)),
        (reader, made(READS="results", FILES=("*.json",), COMPANIONS=(), read=read)),
        (reader, made(READS="results", FILES=("*.json",), COMPANIONS=(), claims=claims, read=claims)),
        (metrics, made(READS="results", claims=claims, read=read)),
        (metrics, made(READS="results", claims=claims_text, read=read_said)),
        (metrics, made(claims=claims, read=read_said)),
        (bill, made(READS="bills", claims=claims, read=read_said)),
        (bill, made(claims=claims, read=read_tags)),
        (measuring, http(KIND="balancer")),
        (measuring, http(FIELDS=())),
        (measuring, http(FIELDS=("response_s",))),
        (measuring, http(HELP=None)),
        (measuring, http(opened=one)),
        (measuring, http(steps=None)),
        (dialect, made(claims=claims_text, read=read_text)),
        (dialect, made(READS="rows", claims=claims, read=read_text)),
        (dialect, made(READS="rows", claims=claims_text, read=read)),
    ],
)
def test_a_breach_is_found(contract: Contract, module: ModuleType) -> None:
    assert list(contract(module))


@pytest.mark.parametrize(
    ("contract", "module"),
    [
        (settings, made(Settings=Bad)),
        (tier, made(size=size, AFTER=("api",))),
        (tier, made(size=size, AFTER=registry.READS_ALL, places=places)),
        (cloud, aws()),
        (terms, made(terms=terms_of, payable=payable, unfit=unfit)),
        (products, made(PRODUCTS=(1,))),
        (emitter, made(COMMAND="k8s", APPLIED_AFTER=("terraform",), render=render)),
        (report("plan"), made(render=render, FORMAT="a format")),
        (reader, made(READS="results", FILES=("*.json",), COMPANIONS=(), claims=claims, read=read)),
        (metrics, made(READS="results", claims=claims, read=read_said)),
        (bill, made(READS="bills", claims=claims, read=read_tags)),
        (measuring, http()),
        (dialect, made(READS="rows", claims=claims_text, read=read_text)),
    ],
)
def test_a_module_that_keeps_the_contract_passes(contract: Contract, module: ModuleType) -> None:
    assert list(contract(module)) == []


@pytest.mark.parametrize(
    ("folder", "part", "attribute"), [("tiers", "sizing", "AFTER"), ("emitters", "artefacts", "APPLIED_AFTER")]
)
def test_plug_ins_come_in_an_order_without_a_cycle(folder: str, part: str, attribute: str) -> None:
    """`ordered` raises CycleError for a cycle."""
    ordered = registry.ordered(folder, part, attribute)
    assert sorted(ordered) == sorted(registry.names(folder))
    for position, name in enumerate(ordered):
        before = getattr(registry.load(folder, name, part), attribute)
        assert before == registry.READS_ALL or set(before) <= set(ordered[:position])


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_name_nearly_right_is_answered_with_the_right_one(folder: str) -> None:
    for name in registry.names(folder):
        with pytest.raises(UsageError, match=rf"did you mean '{name}'\?"):
            registry.load(folder, f"{name}x")


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("name", ["", "_private", "__init__", "..errors", "os.path", "API"])
def test_what_is_no_plug_in_is_not_loaded(folder: str, name: str) -> None:
    with pytest.raises(UsageError, match="known are"):
        registry.load(folder, name)


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("tiers", "no tier named 'nope': known are api, cache, "),
        ("reports/days", "no format 'nope' for days: known are csv, json, markdown, table"),
        ("reports/charts", "no chart named 'nope': known are calibration, cost-over-months, "),
        ("evidence/readers", "no reader named 'nope': known are hey, jmeter, "),
        ("evidence/metrics", "no metric named 'nope': known are cloudwatch, pg-stat-statements, "),
    ],
)
def test_an_unknown_name_is_refused_in_words(folder: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        registry.load(folder, "nope")
    assert str(caught.value).startswith(message)
