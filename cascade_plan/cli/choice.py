"""What every planning command takes: a scenario, and what to change in it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

import typer
from typer.models import ArgumentInfo

from cascade_plan import registry
from cascade_plan.cli import completing
from cascade_plan.cli.described import SCENARIO_OPTIONS
from cascade_plan.cli.output import complain, detail
from cascade_plan.inputs.choice import Choice, chosen
from cascade_plan.inputs.scenarios import Given
from cascade_plan.inputs.variables import unknown_variables, variable_of
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import MAX_PRICE_AGE_DAYS

Output = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Write to FILE, atomically; - is stdout.")]


def planned(
    choice: Choice,
    reference: str | None = None,
    explored: bool = False,
    max_price_age_days: int = MAX_PRICE_AGE_DAYS,
    brief: bool = False,
    relaxations: str = "none",
    hours: int | None = None,
) -> Plan:
    """Return the plan of the chosen scenario, or of another one with the same overrides.

    A brief one has the latencies of single actions only where a gate asks for one. `hours` are those of a calendar's
    month, in the place of the scenario's own.
    """
    from cascade_plan.planning.pipeline import plan

    given = read(choice, reference)
    if hours is not None:
        given = replace(given, scenario=given.scenario.model_copy(update={"hours_per_month": hours}))
    made = plan(
        given.scenario,
        given.book,
        given.origins,
        choice.as_of,
        by_action=not brief or any(name.startswith("action_") for name in given.scenario.gates),
        max_price_age_days=max_price_age_days,
    )
    if explored:
        from cascade_plan.choosing.outlook import outlook

        made = replace(made, outlook=outlook(given.scenario, given.book, given.origins))
    if relaxations == "none":
        return made
    from cascade_plan.choosing.relaxing import SEARCHES, why_not

    searches = None if relaxations == "all" else SEARCHES
    return replace(made, why_not=why_not(given.scenario, given.book, given.origins, choice.as_of, searches=searches))


def read(choice: Choice, reference: str | None = None) -> Given:
    """Return the chosen scenario, or another one with the same overrides, with its prices; --verbose says which."""
    given = choice.read(reference)
    detail(f"scenario {given.scenario.name}: {reference or choice.scenario}")
    detail(f"prices: {given.book.name}")
    return given


def next_with(choice: Choice, calibration: str) -> str:
    """Return what to go on with after a calibration is written: the same scenario with it."""
    from cascade_plan.languages.shell import literal

    scenario = "" if choice.taken else f"{literal(choice.scenario)} "
    return f"next: cascade-plan size {scenario}--calibration {literal(calibration)}"


def _option(flag: str, text: str, metavar: str, values: Callable[..., list[str]] | None = None) -> Any:
    # The heading says once that the environment may give them.
    option = typer.Option(
        flag,
        help=text,
        metavar=metavar,
        envvar=variable_of(flag.strip("-")),
        show_envvar=False,
        rich_help_panel=SCENARIO_OPTIONS,
        autocompletion=values,
    )
    return Annotated[str | None, option]


def values_option(flag: str, values: Sequence[str], help_text: str) -> Any:
    """Return an option that takes one of a few values, which a shell completes."""
    return typer.Option(flag, metavar="NAME", help=help_text, autocompletion=lambda: list(values))


def format_option(kind: str) -> Any:
    """Return the option --format of what prints a report of this kind: its help names the formats there are."""
    names = registry.names(f"reports/{kind}")
    return values_option("--format", names, f"{', '.join(names[:-1])} or {names[-1]}.")


RELAXATIONS: Final = ("none", "best", "all")
Relaxations = Annotated[
    str,
    values_option(
        "--relaxations",
        RELAXATIONS,
        "What each requirement costs, each by a search of its own, and what to give up together where the budget "
        "cannot be met. best: the likeliest sets; all: every set of up to three; none: not at all.",
    ),
]


def checked_relaxations(name: str) -> str:
    """Return which relaxations are looked at, as given. Raises UsageError for what is none of the names."""
    from cascade_plan.errors import UsageError, did_you_mean

    if name not in RELAXATIONS:
        raise UsageError(f"--relaxations {name}: must be {', '.join(RELAXATIONS)}{did_you_mean(name, [*RELAXATIONS])}")
    return name


MaxPriceAge = Annotated[
    int,
    typer.Option(
        "--max-price-age", metavar="DAYS", envvar="CASCADE_PLAN_MAX_PRICE_AGE", help="Older prices are too old."
    ),
]
NO_PRICE_CACHE: Final[dict[str, Any]] = {
    "envvar": "CASCADE_PLAN_NO_PRICE_CACHE",
    "help": "Only the bundled prices, whatever `prices update` fetched.",
}
NoPriceCache = Annotated[bool, typer.Option("--no-price-cache", **NO_PRICE_CACHE)]
PARAMETERS: Final[tuple[tuple[str, Any], ...]] = (
    (
        "scenario",
        Annotated[
            str | None,
            typer.Argument(
                metavar="SCENARIO",
                envvar="CASCADE_PLAN_SCENARIO",
                help="A scenario file, - for stdin, or a bundled one's name.  [default: the project's, else cascade]",
                show_default=False,
                show_envvar=False,
                autocompletion=completing.scenarios,
            ),
        ],
    ),
    (
        "env",
        _option(
            "--env",
            "The environment of a file that has several.  [default: its first]",
            "NAME",
            completing.environments,
        ),
    ),
    ("peak", _option("--peak", "Users at peak.", "USERS")),
    ("avg", _option("--avg", "Users on average.", "USERS")),
    ("region", _option("--region", "Region of the cloud, such as us-east-1.", "REGION", completing.regions)),
    (
        "method",
        _option(
            "--method",
            "How to size. rules: so many users a node, as the tiers of the scenario say. slo: the least fleet that "
            "keeps the latency limits of every load while a zone and a node are lost.  [default: the scenario's]",
            "NAME",
            completing.methods,
        ),
    ),
    (
        "set_",
        Annotated[
            list[str] | None,
            typer.Option(
                "--set",
                metavar="KEY.PATH=VALUE",
                help="Set any value of the scenario, such as tiers.cache=off; repeatable.",
                rich_help_panel=SCENARIO_OPTIONS,
                autocompletion=completing.settings,
            ),
        ],
    ),
    (
        "calibration",
        _option(
            "--calibration",
            "Measured values in place of the scenario's, as calibrate writes them.  [default: the file that it names]",
            "FILE",
            completing.calibrations,
        ),
    ),
    ("prices", _option("--prices", "Prices that override or complete the book.", "FILE")),
    (
        "no_price_cache",
        Annotated[
            bool,
            typer.Option("--no-price-cache", show_envvar=False, rich_help_panel=SCENARIO_OPTIONS, **NO_PRICE_CACHE),
        ],
    ),
    ("as_of", _option("--as-of", "The day from which the age of prices is counted.", "YYYY-MM-DD")),
)


SCENARIO_OPTION: Final = _option(
    "--scenario",
    "A scenario file, - for stdin, or a bundled one's name.  [default: the project's, else cascade]",
    "FILE",
    completing.scenarios,
)
DEFAULTS: Final = {"no_price_cache": False}
MANY: Final = {"measured_runs", "bills"}
"""Arguments that take as many files as there are."""
FROM_PROJECT: Final = {"max_price_age", "strict_prices"}
"""A command's own flags that the project file may give too."""


def with_choice(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command whose parameter `choice` is read from the arguments every planning command shares.

    A command's own arguments (explain FIGURE) come before SCENARIO; one that has `before` and `after` (diff), or
    `scenarios` (comment) or `sources` (portfolio), has none, and one that takes as many files as there are (MANY)
    has it as an option.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())
    shared = {
        name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=DEFAULTS.get(name))
        for name, kind in PARAMETERS
    }
    if {"before", "scenarios", "sources"} & {parameter.name for parameter in own}:
        del shared["scenario"]
    elif MANY & {parameter.name for parameter in own}:
        shared["scenario"] = shared["scenario"].replace(annotation=SCENARIO_OPTION)
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own if p.name != "choice"]
    parameters = [*filter(_is_argument, own), *(p for p in own if not _is_argument(p)), *shared.values()]

    def called(ctx: typer.Context, **arguments: Any) -> Any:
        given = {name: arguments.pop(name, None) for name, _ in PARAMETERS}
        choice = _choice(ctx, {name: value for name, value in given.items() if name in shared})
        for name in FROM_PROJECT & arguments.keys():
            if _source(ctx, name) == "DEFAULT":
                arguments[name] = choice.project.get(name, arguments[name])
        return command(choice=choice, **arguments)

    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    called.__signature__ = inspect.Signature([*parameters, context])  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in (*parameters, context)}
    called.__doc__, called.__name__ = command.__doc__, command.__name__
    return called


def _choice(ctx: typer.Context, given: dict[str, Any]) -> Choice:
    """Return what flags, variables and project file choose; what of it the user should know goes to stderr, once."""
    for message in unknown_variables(os.environ):
        complain(message, "warning")
    told: set[str] = set()

    def tell(note: str) -> None:
        if note not in told:
            told.add(note)
            complain(note, "note")

    sources = {name: _source(ctx, name) for name in given}
    variables = {name: variable_of(name) for name, source in sources.items() if source == "ENVIRONMENT"}
    return chosen({name: value for name, value in given.items() if sources[name] != "DEFAULT"}, variables, tell)


def _source(ctx: typer.Context, name: str) -> str:
    """Return what gave a parameter its value: COMMANDLINE, ENVIRONMENT or DEFAULT."""
    source = ctx.get_parameter_source(name)
    return "DEFAULT" if source is None else source.name


def _is_argument(parameter: inspect.Parameter) -> bool:
    return any(isinstance(extra, ArgumentInfo) for extra in getattr(parameter.annotation, "__metadata__", ()))
