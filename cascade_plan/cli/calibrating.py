"""calibrate: what a running system did becomes values of the scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import format_option, with_choice
from cascade_plan.cli.deployed import Cores, DatabaseVcpu, Pods
from cascade_plan.cli.files import before_of, text
from cascade_plan.cli.output import arguments, deliver, laid_out, say
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.evidence.deployed import System

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
    pods: Pods = None,
    cores: Cores = None,
    database_vcpu: DatabaseVcpu = None,
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
    """
    from cascade_plan.evidence import calibrating, gathering
    from cascade_plan.evidence.writing import written
    from cascade_plan.files.disk import listed
    from cascade_plan.languages.shell import literal

    report = registry.load("reports/calibrations", format_)
    system = _system(choice, pods, cores, database_vcpu)
    found = gathering.gathered(measured_runs, metrics or (), system.scenario.driven, text, listed)
    result = calibrating.calibrate(system, found)
    kept = before_of(output, system.scenario.name) if output is not None else None
    file = written(calibrating.merged(result.calibration, kept), arguments())
    if output == "-":
        say(file)
        return 0
    say(laid_out(report, result))
    if output is not None:
        deliver(file, output, f"next: cascade-plan size --calibration {literal(output)}")
    return 0


def _system(choice: Choice, pods: list[str] | None, cores: list[str] | None, database_vcpu: list[str] | None) -> System:
    """Return the scenario, its planned fleet, and what ran of it."""
    from cascade_plan.evidence.deployed import System, deployed
    from cascade_plan.planning.pipeline import plan

    given = choice.read()
    fleet = plan(given.scenario, given.book, given.origins, predicted=False).fleet
    return System(given.scenario, fleet, deployed(given.scenario, pods or (), cores or (), database_vcpu or ()))
