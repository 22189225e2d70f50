"""What every planning command takes: a scenario, and what to change in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.models import ArgumentInfo

from cascade_plan import registry
from cascade_plan.errors import Problem, ScenarioError, UsageError, did_you_mean
from cascade_plan.inputs.scenarios import Assignment, Given, read
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import MAX_PRICE_AGE_DAYS

PROJECT_FILE: Final = ".cascade-plan.yaml"
PROJECT_KEYS: Final = ("as_of", "avg", "method", "peak", "prices", "region", "scenario", "set")
FIELDS: Final = (("peak", "users.peak"), ("avg", "users.average"), ("region", "region"), ("method", "method"))
"""Flags that are short for a --set."""
DEFAULT_SCENARIO: Final = "cascade"

Output = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Write to FILE, atomically; - is stdout.")]


@dataclass(frozen=True, slots=True)
class Choice:
    """The scenario a command works on, as flags, environment and project file give it."""

    scenario: str
    assignments: tuple[Assignment, ...]
    prices: str | None
    price_cache: bool
    as_of: date | None

    def read(self, reference: str | None = None) -> Given:
        """Return the chosen scenario, or another one with the same overrides, with its catalogue and prices."""
        return read(reference or self.scenario, self.assignments, self.prices, self.price_cache)

    def also(self, assignment: Assignment) -> Choice:
        """Return this choice with one more value set."""
        return replace(self, assignments=(*self.assignments, assignment))

    def plan(
        self, reference: str | None = None, outlook: bool = False, max_price_age_days: int = MAX_PRICE_AGE_DAYS
    ) -> Plan:
        """Return the plan of the chosen scenario, or of another one with the same overrides."""
        from cascade_plan.planning.pipeline import plan

        given = self.read(reference)
        made = plan(
            given.scenario,
            given.catalogue,
            given.book,
            given.origins,
            self.as_of,
            max_price_age_days=max_price_age_days,
        )
        if not outlook:
            return made
        from cascade_plan.choosing.outlook import outlook as explore

        return replace(made, outlook=explore(given.scenario, given.catalogue, given.book, given.origins))


def _option(flag: str, help_text: str, metavar: str, **extra: Any) -> Any:
    variable = "CASCADE_PLAN_" + flag.strip("-").replace("-", "_").upper()
    return Annotated[
        extra.pop("kind", str | None), typer.Option(flag, help=help_text, metavar=metavar, envvar=variable, **extra)
    ]


def format_option(kind: str) -> Any:
    """Return the option --format of what prints a report of this kind: its help names the formats there are."""
    *others, last = registry.names(f"reports/{kind}")
    return typer.Option("--format", metavar="NAME", help=f"{', '.join(others)} or {last}.")


MaxPriceAge = Annotated[
    int,
    typer.Option(
        "--max-price-age", metavar="DAYS", envvar="CASCADE_PLAN_MAX_PRICE_AGE", help="Older prices are too old."
    ),
]
NoPriceCache = Annotated[
    bool,
    typer.Option(
        "--no-price-cache",
        envvar="CASCADE_PLAN_NO_PRICE_CACHE",
        help="Only the bundled prices, whatever `prices update` fetched.",
    ),
]
Offline = Annotated[
    bool, typer.Option("--offline", envvar="CASCADE_PLAN_OFFLINE", help="Use no network. Planning never does.")
]
PARAMETERS: Final[tuple[tuple[str, Any], ...]] = (
    (
        "scenario",
        Annotated[
            str | None,
            typer.Argument(
                metavar="SCENARIO",
                envvar="CASCADE_PLAN_SCENARIO",
                help="A scenario file, - for stdin, or a bundled one's name.  [default: cascade]",
                show_default=False,
            ),
        ],
    ),
    ("peak", _option("--peak", "Users at peak.", "USERS")),
    ("avg", _option("--avg", "Users on average.", "USERS")),
    ("region", _option("--region", "Region of the cloud.", "REGION")),
    ("method", _option("--method", "How to size: rules or slo.", "NAME")),
    (
        "set_",
        Annotated[
            list[str] | None,
            typer.Option("--set", metavar="KEY.PATH=VALUE", help="Set any value of the scenario; repeatable."),
        ],
    ),
    ("prices", _option("--prices", "Prices that override or complete the book.", "FILE")),
    ("no_price_cache", NoPriceCache),
    ("offline", Offline),
    ("as_of", _option("--as-of", "The day from which the age of prices is counted.", "YYYY-MM-DD")),
)


DEFAULTS: Final = {"no_price_cache": False, "offline": False}


def with_choice(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command whose parameter `choice` is read from the arguments every planning command shares.

    A command's own arguments (explain FIGURE) come before SCENARIO; one that has `before` and `after` (diff) has none.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())
    shared = {
        name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=DEFAULTS.get(name))
        for name, kind in PARAMETERS
    }
    if "before" in {parameter.name for parameter in own}:
        del shared["scenario"]
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own if p.name != "choice"]
    parameters = [*filter(_is_argument, own), *shared.values(), *(p for p in own if not _is_argument(p))]

    def called(**arguments: Any) -> Any:
        given = {name: arguments.pop(name, None) for name, _ in PARAMETERS}
        return command(choice=_choice(given), **arguments)

    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    called.__doc__, called.__name__ = command.__doc__, command.__name__
    return called


def _is_argument(parameter: inspect.Parameter) -> bool:
    return any(isinstance(extra, ArgumentInfo) for extra in getattr(parameter.annotation, "__metadata__", ()))


def _choice(given: dict[str, Any]) -> Choice:
    project = _project()
    sets = [*_strings(project.get("set")), *(given["set_"] or [])]
    # Flags and environment come before the project file, and a --set before neither: it is laid over last.
    value = {name: given[name] if given.get(name) is not None else project.get(name) for name in PROJECT_KEYS}
    assignments = [(f"--{name} {value[name]}", path, str(value[name])) for name, path in FIELDS if value[name]]
    return Choice(
        scenario=str(value["scenario"] or DEFAULT_SCENARIO),
        assignments=(*assignments, *(_assignment(text) for text in sets)),
        prices=value["prices"],
        price_cache=not given["no_price_cache"],
        as_of=day(value["as_of"]),
    )


def _assignment(text: str) -> Assignment:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise UsageError(f"--set {text}: write KEY.PATH=VALUE, such as --set users.tenants=500")
    return (f"--set {text}", path, value)


def day(text: Any) -> date | None:
    """Return the day that --as-of gives, or None. Raises UsageError for what is no day."""
    if text is None:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise UsageError(f"--as-of {text}: write a day as YYYY-MM-DD") from None


def _strings(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _project() -> dict[str, Any]:
    """Return what the project file of the working directory gives. Raises ScenarioError for an unknown key."""
    if not Path(PROJECT_FILE).is_file():
        return {}
    from cascade_plan.files.disk import read_text
    from cascade_plan.files.parsing import parse_yaml

    document = parse_yaml(*read_text(PROJECT_FILE))
    problems = [
        Problem(*document.key_place((key,)), key, f"unknown field{did_you_mean(key, list(PROJECT_KEYS))}")
        for key in document.data
        if key not in PROJECT_KEYS
    ]
    if problems:
        raise ScenarioError(problems)
    return document.data
