"""What every planning command takes: a scenario, and what to change in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Final

import typer
from typer.models import ArgumentInfo

from cascade_plan import registry
from cascade_plan.inputs.choice import Choice, chosen
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import MAX_PRICE_AGE_DAYS

Output = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Write to FILE, atomically; - is stdout.")]


def planned(
    choice: Choice, reference: str | None = None, outlook: bool = False, max_price_age_days: int = MAX_PRICE_AGE_DAYS
) -> Plan:
    """Return the plan of the chosen scenario, or of another one with the same overrides."""
    from cascade_plan.planning.pipeline import plan

    given = choice.read(reference)
    made = plan(
        given.scenario,
        given.book,
        given.origins,
        choice.as_of,
        max_price_age_days=max_price_age_days,
    )
    if not outlook:
        return made
    from cascade_plan.choosing.outlook import outlook as explore

    return replace(made, outlook=explore(given.scenario, given.book, given.origins))


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
    ("env", _option("--env", "The environment of a file that has several.  [default: its first]", "NAME")),
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
        return command(choice=chosen(given), **arguments)

    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    called.__doc__, called.__name__ = command.__doc__, command.__name__
    return called


def _is_argument(parameter: inspect.Parameter) -> bool:
    return any(isinstance(extra, ArgumentInfo) for extra in getattr(parameter.annotation, "__metadata__", ()))
