"""What a shell may offer for a value: names that the program knows, and files of the kind that is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import typer

YAML: Final = (".yaml", ".yml")
METHODS: Final = ("rules", "slo")


def _silent(values: Callable[[typer.Context, str], Iterable[str]]) -> Callable[..., list[str]]:
    """Return a completion that offers nothing where the values cannot be found: a shell has no place for a message."""

    @wraps(values)
    def offered(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return [value for value in values(ctx, incomplete) if value.startswith(incomplete)]
        except Exception:
            return []

    return offered


@_silent
def scenarios(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the bundled scenarios and the YAML files."""
    from cascade_plan.inputs.scenarios import bundled_scenarios

    return [*bundled_scenarios(), *_files(incomplete, YAML)]


@_silent
def scenarios_and_plans(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the bundled scenarios, the YAML files, and JSON files, which may be saved plans."""
    from cascade_plan.inputs.scenarios import bundled_scenarios

    return [*bundled_scenarios(), *_files(incomplete, (*YAML, ".json"))]


@_silent
def calibrations(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the YAML files."""
    return _files(incomplete, YAML)


@_silent
def schemas(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the names of what there are schemas of."""
    from cascade_plan.model.schemas import SCHEMAS

    return list(SCHEMAS)


@_silent
def bundled(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the bundled scenarios."""
    from cascade_plan.inputs.scenarios import bundled_scenarios

    return bundled_scenarios()


@_silent
def regions(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the regions that have prices: of the cloud that is named, else of the scenario's."""
    from cascade_plan.prices import books

    cloud = ctx.params.get("cloud") or "aws"
    if "scenario" in _given(ctx):
        cloud = _chosen(ctx).read().scenario.cloud
    return books.regions(cloud)


@_silent
def methods(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the ways to size."""
    return METHODS


@_silent
def metrics(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return what an autoscaler may read, after what is there of a list joined by +."""
    from typing import get_args

    from cascade_plan.model.scenario import Metric

    *before, _ = incomplete.split("+")
    return ["+".join((*before, metric)) for metric in get_args(Metric) if metric not in before]


@_silent
def environments(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the environments of the scenario."""
    from cascade_plan.inputs.scenarios import environments_of

    return environments_of(_chosen(ctx).scenario)


@_silent
def loads(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the named loads of the scenario."""
    return _chosen(ctx).read().scenario.loads  # type: ignore[no-any-return]


@_silent
def figures(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the figures of the plan and, once something is typed, the inputs of its scenario."""
    from cascade_plan.reports import inputs

    plan = _plan(ctx)
    return [*sorted(plan.figures), *(inputs.paths(plan.scenario) if incomplete else ())]


@_silent
def settings(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return what --set may set: the inputs of the scenario, and a gate for each figure."""
    from cascade_plan.reports import inputs

    if incomplete.startswith("gates."):
        return [f"gates.{name}=" for name in sorted(_plan(ctx).figures)]
    return [f"{path}=" for path in inputs.paths(_chosen(ctx).read().scenario)]


@_silent
def files_emitted(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the files that an emit- command makes."""
    from cascade_plan.emitters.directory import emitted

    return [artefact.path for artefact in emitted(_plan(ctx), (ctx.info_name or "").removeprefix("emit-")).files]


@_silent
def parts(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return what `emit-k8s --with` may emit, after what is there of a list with commas."""
    from cascade_plan.emitters.kubernetes.artefacts import parts as emitted

    *before, _ = incomplete.split(",")
    return [",".join((*before, part)) for part in (each.name for each in emitted(_plan(ctx))) if part not in before]


@_silent
def price_sources(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return what the prices of the cloud are renewed from."""
    from cascade_plan.prices.updating import sources_of

    return [*sources_of(ctx.params.get("cloud") or "aws").SOURCES]


@_silent
def price_services(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return what the source of prices can renew, after what is there of a list with commas."""
    from cascade_plan.prices.updating import sources_of

    found = sources_of(ctx.params.get("cloud") or "aws").SOURCES
    *before, _ = incomplete.split(",")
    services = found[ctx.params.get("source") or next(iter(found))]
    return [",".join((*before, service)) for service in services if service not in before]


@_silent
def compared_with(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return what `prices verify` may compare with."""
    from cascade_plan.prices.updating import sources_of

    return ["cache", *sources_of(ctx.params.get("cloud") or "aws").SOURCES]


@_silent
def clouds(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the clouds there are."""
    from cascade_plan import registry

    return registry.names("clouds")


@_silent
def commands(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Return the commands that `help` may be asked for, below those that are named."""
    above: Any = ctx.find_root()
    for word in ctx.params.get("command") or ():
        above = type(ctx)(above.command.get_command(above, word), info_name=word, parent=above)
    return above.command.list_commands(above)  # type: ignore[no-any-return]


def _files(incomplete: str, endings: tuple[str, ...]) -> list[str]:
    """Return files with one of some endings, and the directories beside them; none where there are directories alone.

    With nothing offered the shell completes files itself, and steps into a directory better than we can.
    """
    folder, _, start = incomplete.rpartition("/")
    above = f"{folder}/" if "/" in incomplete else ""
    with os.scandir(Path(above).expanduser()) as entries:
        shown = [entry for entry in entries if not entry.name.startswith(".") and entry.name.startswith(start)]
        files = [f"{above}{entry.name}" for entry in shown if entry.is_file() and entry.name.endswith(endings)]
        folders = [f"{above}{entry.name}/" for entry in shown if entry.is_dir()]
    return sorted(files + folders) if files else []


def _chosen(ctx: typer.Context) -> Any:
    """Return the choice that the words before make."""
    from cascade_plan.inputs.choice import chosen

    return chosen({"set_": None, "no_price_cache": False, **_given(ctx)})


def _given(ctx: typer.Context) -> dict[str, Any]:
    """Return the values of the words before.

    An option that still waits for its value keeps the parser from giving arguments theirs: their words are left over.
    """
    arguments = [param.name for param in ctx.command.get_params(ctx) if param.param_type_name == "argument"]
    return {**ctx.params, **dict(zip(arguments, ctx.args, strict=False))}


def _plan(ctx: typer.Context) -> Any:
    from cascade_plan.planning.pipeline import plan

    given = _chosen(ctx).read()
    return plan(given.scenario, given.book, given.origins)
