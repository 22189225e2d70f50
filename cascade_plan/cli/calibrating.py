"""calibrate: what a running system did becomes values of the scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.charting import draw_to, format_of
from cascade_plan.cli.choice import format_option, next_with, with_choice
from cascade_plan.cli.deployed import Cores, DatabaseVcpu, Pods
from cascade_plan.cli.files import before_of, text
from cascade_plan.cli.output import arguments, deliver, laid_out, say
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.evidence.gathering import Asked
    from cascade_plan.model.plan import Plan

Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUNS",
        help="Directories, each with the results of one load test and the metrics of that time; or results alone.",
    ),
]
MetricsOption = Annotated[
    list[str] | None,
    typer.Option("--metrics", metavar="FILE", help="Metrics of the time of all runs, or WHAT:TIER=FILE; repeatable."),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--prometheus",
        metavar="URL",
        help="Ask this Prometheus for the metrics that emit-monitoring names; CASCADE_PLAN_PROMETHEUS_TOKEN lets in.",
    ),
]
From = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Ask Prometheus from then on.  [default: the runs' start]")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Ask Prometheus up to then.  [default: the runs' end]")
]
Step = Annotated[
    float | None,
    typer.Option(
        "--step", metavar="SECONDS", help="Ask Prometheus for windows of so long.  [default: what its rates look back]"
    ),
]
Chart = Annotated[
    str | None,
    typer.Option("--chart", metavar="FILE", help="Draw predicted against measured: .svg, .png, .pdf, .html or .json."),
]
Format = Annotated[str, format_option("calibrations")]
File = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write the calibration there, atomically; - is stdout, alone."),
]


@with_choice
def calibrate(
    choice: Choice,
    measured_runs: Runs,
    metrics: MetricsOption = None,
    prometheus: Address = None,
    from_: From = None,
    to: To = None,
    step: Step = None,
    pods: Pods = None,
    cores: Cores = None,
    database_vcpu: DatabaseVcpu = None,
    chart: Chart = None,
    format_: Format = "table",
    output: File = None,
) -> int:
    """Find what requests cost on the running system, and write it as a file that scenarios include.

    Load tests at several loads, with the metrics of their time, tell CPU times, hit ratios, pauses and delays. Each
    load is then predicted from the others, which says to which load predictions can be trusted. Nothing is made up:
    what the runs do not tell is listed, and the scenario's value stays.

    Examples:
      cascade-plan calibrate runs/low runs/normal runs/high -o calibration.yaml
      cascade-plan calibrate runs/* --scenario my.yaml --pods 4 --cores 3.5
      cascade-plan calibrate runs/* --metrics cores:api=cpu.json --metrics rates.csv
      cascade-plan calibrate runs/* --prometheus http://localhost:9090
    """
    from cascade_plan.evidence import calibrating, gathering
    from cascade_plan.evidence.deployed import System, deployed
    from cascade_plan.evidence.writing import written
    from cascade_plan.files.disk import listed

    report = registry.load("reports/calibrations", format_)
    if chart is not None:
        format_of(chart)
    made = _plan(choice)
    system = System(made.scenario, made.fleet, deployed(made.scenario, pods or (), cores or (), database_vcpu or ()))
    kept = before_of(output, system.scenario.name) if output is not None else None
    system = calibrating.with_measured(system, kept)
    asked = _asked(made, prometheus, from_, to, step)
    found = gathering.gathered(measured_runs, metrics or (), system.scenario.driven, text, listed, asked)
    result = calibrating.calibrate(system, found)
    if chart is not None:
        draw_to(registry.load("reports/charts", "calibration").draw(result), chart)
    file = written(calibrating.merged(result.calibration, kept), arguments())
    if output == "-":
        say(file)
        return 0
    say(laid_out(report, result))
    if output is not None:
        deliver(file, output, next_with(choice, output))
    return 0


def _plan(choice: Choice) -> Plan:
    """Return the plan of the scenario, without what it predicts."""
    from cascade_plan.planning.pipeline import plan

    given = choice.read()
    return plan(given.scenario, given.book, given.origins, predicted=False)


def _asked(made: Plan, url: str | None, from_: str | None, to: str | None, step: float | None) -> Asked | None:
    """Return a way to ask a Prometheus what the plan's tiers observe; None where none is to be asked."""
    import os

    from cascade_plan.cli import fetching
    from cascade_plan.errors import UsageError
    from cascade_plan.evidence import asking
    from cascade_plan.evidence.texts import Text, held

    if url is None:
        if given := [name for name, each in (("--from", from_), ("--to", to), ("--step", step)) if each is not None]:
            raise UsageError(f"{' and '.join(given)} without --prometheus URL: files hold the time that they are of")
        return None
    fetch = fetching.prometheus(url, os.environ.get(asking.TOKEN, ""))
    observed = asking.observed(made)
    step_s = asking.step_s(made) if step is None else step
    ends = [None if each is None else asking.at_s(each, name) for name, each in (("--from", from_), ("--to", to))]

    def asked(span_s: tuple[float, float] | None) -> Text:
        first, last = (told if said is None else said for said, told in zip(ends, span_s or (None, None), strict=True))
        if first is None or last is None:
            raise UsageError("no results tell when they were: give --from and --to, the time to ask Prometheus for")
        return held(fetching.shown(url), asking.answers(observed, fetch, first, last, step_s))

    return asked
