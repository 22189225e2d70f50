"""chart: one picture of a plan, as SVG, PNG, PDF, a page, or the specification that all of them are drawn from."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, read, values_option, with_choice
from cascade_plan.cli.output import check_binary, deliver
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.inputs.choice import Choice

FORMATS: Final = ("html", "json", "pdf", "png", "svg")
ELSEWHERE: Final = {"calibration": "cascade-plan calibrate RUNS --chart FILE, or verify RESULTS --chart FILE"}
"""Charts of what a scenario alone does not tell, and what draws them."""
Name = Annotated[
    str,
    typer.Argument(
        metavar="CHART",
        help="Which one; `cascade-plan chart list` says what there is.",
        show_default=False,
        autocompletion=lambda: [*registry.names("reports/charts")],
    ),
]
Format = Annotated[
    str | None,
    values_option("--format", FORMATS, "html, json (Vega-Lite), pdf, png or svg.  [default: as FILE ends, else json]"),
]
Policy = Annotated[
    str | None, typer.Option("--policy", metavar="NAME", help="Of day: the policy that is shown.  [default: its own]")
]


@with_choice
def chart(choice: Choice, name: Name, policy: Policy = None, format_: Format = None, output: Output = "-") -> int:
    """Draw one chart of a plan: its data and marks are a Vega-Lite specification.

    `list` names the charts. SVG, PNG and PDF need the extra `charts`; a page (html) draws the chart itself, with
    nothing loaded, and json is the specification for any tool that reads Vega-Lite.

    Examples:
      cascade-plan chart list
      cascade-plan chart cost-over-users my.yaml -o cost.svg
      cascade-plan chart waterfall my.yaml -o saving.png
      cascade-plan chart latency my.yaml -o latency.html
    """
    if name == "list":
        from cascade_plan.cli.output import width
        from cascade_plan.reports.pictures import listed

        deliver(listed(width()), output)
        return 0
    wanted = format_of(output, format_, ", or give --format")
    module = registry.load("reports/charts", name)
    if name in ELSEWHERE:
        raise UsageError(f"a scenario alone has no chart {name!r}: {ELSEWHERE[name]}")
    if policy is not None and name != "day":
        raise UsageError(f"--policy is of the chart day, not of {name}")
    spec = module.draw(NOUNS[module.OF](choice), *([policy] if policy else []))
    draw_to(spec, output, wanted)
    return 0


def format_of(output: str, format_: str | None = None, otherwise: str = "") -> str:
    """Return in what a chart is written: as is asked, or as the file's name ends; JSON where nothing says.

    `otherwise` is what else its user can do than to name the file so.

    Raises UsageError for what is no format, and for bytes on a terminal.
    """
    ending = output.rpartition(".")[2].lower() if "." in output else ""
    found = format_ or (ending if output != "-" else "json")
    if found not in FORMATS:
        if format_ is None:
            raise UsageError(f"{output}: name it .{', .'.join(FORMATS[:-1])} or .{FORMATS[-1]}{otherwise}")
        raise UsageError(f"--format {found}: must be {', '.join(FORMATS)}{did_you_mean(found, [*FORMATS])}")
    check_binary(found, output)
    return found


def draw_to(spec: dict[str, Any], output: str, format_: str | None = None) -> None:
    """Write a chart. Raises UsageError as `format_of` does, and where what draws it is not installed."""
    from cascade_plan.files.scripts import drawing
    from cascade_plan.reports import pictures

    wanted = format_ or format_of(output)
    made = getattr(pictures, wanted)
    deliver(made(spec, drawing()) if wanted == "html" else made(spec), output)


def _plan(choice: Choice) -> Any:
    from cascade_plan.cli.choice import planned

    return planned(choice, explored=True)


def _latency_curve(choice: Choice) -> Any:
    from cascade_plan.choosing.latency_curve import latency_curve
    from cascade_plan.planning.pipeline import plan

    given = read(choice)
    return latency_curve(plan(given.scenario, given.book, given.origins, choice.as_of, predicted=False))


def _risk(choice: Choice) -> Any:
    from cascade_plan.choosing.risk import risk_of
    from cascade_plan.cli.risking import DRAWS, fleet_of

    made, given = fleet_of(choice)
    return risk_of(made, given.book, given.origins, DRAWS, 1)


def _differences(choice: Choice) -> Any:
    from cascade_plan.choosing.differences import compare
    from cascade_plan.choosing.optimum import optimum

    given = read(choice)
    found = optimum(given.scenario, given.book, given.origins, choice.as_of)
    return compare(found.today, found.plan)


def _simulation(choice: Choice) -> Any:
    from cascade_plan.cli.progress import measured
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.proving import days

    given = read(choice)
    made = plan(given.scenario, given.book, given.origins, predicted=False)
    with measured(1.0) as progress:
        return days.simulate(made, days.Order(None, 1, 1, None, False), progress)


def _forecast(choice: Choice) -> Any:
    from cascade_plan.choosing.forecast import forecast

    given = read(choice)
    return forecast(given.scenario, given.book, given.origins)


NOUNS: Final = {
    "forecast": _forecast,
    "plan": _plan,
    "latency-curve": _latency_curve,
    "risk": _risk,
    "differences": _differences,
    "simulation": _simulation,
}
"""What a chart is of -> how it is made of a scenario."""
