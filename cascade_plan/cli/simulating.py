"""simulate: days of traffic through the autoscaler, or requests one by one through the fleet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.charting import draw_to, format_of
from cascade_plan.cli.choice import Output, format_option, with_choice
from cascade_plan.cli.output import Color, complain, deliver, laid_out, width
from cascade_plan.cli.progress import measured
from cascade_plan.errors import UsageError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.model.trace import Trace as Read
    from cascade_plan.proving.requests import Checked

Trace = Annotated[
    str | None,
    typer.Option(
        "--trace", metavar="FILE", help="Requests over time, as Grafana, CloudWatch or Prometheus export them, or CSV."
    ),
]
Column = Annotated[
    str | None, typer.Option("--column", metavar="NAME", help="Which of the trace's columns or series to replay.")
]
Sum = Annotated[bool, typer.Option("--sum", help="Add the trace's columns or series.")]
Unit = Annotated[
    str | None,
    typer.Option(
        "--unit",
        metavar="NAME",
        help="The trace holds counts of an interval (count) or requests a second (rate).",
        autocompletion=lambda: ["count", "rate"],
    ),
]
ScaleToPeak = Annotated[bool, typer.Option("--scale-to-peak", help="Scale the trace to the scenario's peak.")]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="The day's shape: weekday or flat.  [default: scenario's]",
        autocompletion=lambda: ["weekday", "flat"],
    ),
]
Days = Annotated[int | None, typer.Option("--days", metavar="N", help="Days.  [default: 1, or the whole trace]")]
Runs = Annotated[int, typer.Option("--runs", metavar="K", help="Monte Carlo runs.")]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Seed: the same one gives the same bytes.")]
Chart = Annotated[
    str | None,
    typer.Option("--chart", metavar="FILE", help="Draw load, capacity and latency: .svg, .png, .pdf, .html or .json."),
]
Policy = Annotated[
    str | None,
    typer.Option("--policy", metavar="NAME", help="The policy charts show.  [default: the scenario's]"),
]
Requests = Annotated[
    int | None, typer.Option("--requests", metavar="N", help="Simulate N requests of each load one by one instead.")
]
Format = Annotated[str, format_option("days")]


@with_choice
def simulate(
    choice: Choice,
    trace: Trace = None,
    column: Column = None,
    sum_: Sum = False,
    unit: Unit = None,
    scale_to_peak: ScaleToPeak = False,
    profile: Profile = None,
    days: Days = None,
    runs: Runs = 1,
    seed: Seed = 1,
    chart: Chart = None,
    policy: Policy = None,
    requests: Requests = None,
    format_: Format = "table",
    output: Output = "-",
) -> int:
    """Replay days of traffic through the real HPA algorithm: minutes the SLO is missed, and what the days cost.

    Examples:
      cascade-plan simulate my.yaml --chart day.svg
      cascade-plan simulate my.yaml --trace requests.csv --days 7 --runs 20
      cascade-plan simulate my.yaml --requests 200000
    """
    _check(days, runs, requests, trace, chart)
    if profile is not None:
        choice = choice.also(Assignment(f"--profile {profile}", "users.profile", profile))
    if requests is not None:
        _requests(choice, requests, seed, format_, output)
        return 0
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.proving import days as proving
    from cascade_plan.proving.stages import services

    report = registry.load("reports/days", format_)
    read = _trace(trace, column, sum_, unit, scale_to_peak)
    given = choice.read()
    order = proving.Order(days, runs, seed, read, scale_to_peak)
    made = plan(given.scenario, given.book, given.origins, predicted=False)
    services(made)  # refuses a plan that nothing of is scaled, before a bar is drawn
    if not made.bill.complete:
        complain(f"costs are at least what they say: {made.bill.lacks(made.scenario.budget.level)}", "warning")
    with measured(1.0) as progress:
        simulation = proving.simulate(made, order, progress)
    shown = policy or simulation.replays[0].own
    if shown not in (names := [outcome.policy for outcome in simulation.replays[0].outcomes]):
        raise UsageError(f"no policy {shown!r}: known are {', '.join(names)}")
    if chart is not None:
        draw_to(registry.load("reports/charts", "day").draw(simulation, shown), chart)
    rendered = laid_out(report, simulation)
    if format_ == "table" and output == "-" and Color.on():
        from cascade_plan.reports.characters import text as drawn

        rendered += "\n" + drawn(simulation, shown, width())
    deliver(rendered, output)
    return 0


def _check(days: int | None, runs: int, requests: int | None, trace: str | None, chart: str | None) -> None:
    """Raise UsageError for a count that is out of bounds, flags that exclude each other, and a chart of no format."""
    bounds = (("--days", days, 1, 366), ("--runs", runs, 1, 10_000), ("--requests", requests, 100, 10_000_000))
    for flag, value, least, most in bounds:
        if value is not None and not least <= value <= most:
            raise UsageError(f"{flag} {value}: must be between {least} and {most:,}")
    if chart is not None:
        format_of(chart)
    if requests is not None and trace is not None:
        raise UsageError("give --trace or --requests, not both: requests one by one have no days")


def _trace(file: str | None, column: str | None, is_sum: bool, unit: str | None, is_scaled: bool) -> Read | None:
    """Return the trace of a file, said on stderr, or None where none is given. Raises UsageError as it is read."""
    given = (("--column", column), ("--sum", is_sum), ("--unit", unit), ("--scale-to-peak", is_scaled))
    flags = [flag for flag, value in given if value]
    if file is None:
        if flags:
            raise UsageError(f"{flags[0]} is of a trace: give --trace FILE too")
        return None
    if column is not None and is_sum:
        raise UsageError("give --column or --sum, not both")
    if unit not in (None, "count", "rate"):
        raise UsageError(f"--unit {unit}: must be count (of each interval) or rate (requests a second)")
    from cascade_plan.files.disk import read_text
    from cascade_plan.inputs.scenarios import MAX_TRACE_BYTES
    from cascade_plan.traces.reading import Wanted, read_trace

    text, name = read_text(file, MAX_TRACE_BYTES)
    try:
        found = read_trace(text, Path(name).name, Wanted(column, is_sum, unit))
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
    complain(found.words, "trace")
    return found


def _requests(choice: Choice, count: int, seed: int, format_: str, output: str) -> None:
    """Print predicted and simulated latencies of every named load. Raises UsageError for a format it has not."""
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.proving.requests import BELIEVED, checked, limits_of_loads
    from cascade_plan.reports.columns import aligned

    if format_ not in ("table", "json"):
        raise UsageError(f"--format {format_}: requests one by one are printed as table or json")
    given = choice.read()
    with measured(count * len(given.scenario.loads), "requests") as progress:
        made = plan(given.scenario, given.book, given.origins, predicted=False)
        rows = checked(made, count, seed, lambda load, answered: progress(f"load {load}", answered))
    headers = ("load", "users", "figure", "predicted", "simulated", "+/- (95%)", "off by")
    cells = [
        (row.load, f"{row.users:,}", row.figure, f"{row.predicted:,.2f}", f"{row.simulated:,.2f}",
         f"{row.half_width:,.2f}", f"{row.predicted / row.simulated - 1:+.1%}")
        for row in rows
    ]  # fmt: skip
    if format_ == "json":
        deliver(_requests_json(rows, count, seed), output)
    else:
        deliver(aligned(headers, cells, (1, 3, 4, 5, 6), width(), drop=(1, 6)) + "\n", output)
    for words in limits_of_loads(made):
        complain(words, "warning")
    for load in dict.fromkeys(row.load for row in rows if row.is_off):
        complain(
            f"load {load}: predictions are off by more than {BELIEVED:.0%}: believe what is simulated, and what a load "
            "test of the real system measures more than either",
            "warning",
        )


def _requests_json(rows: Sequence[Checked], count: int, seed: int) -> str:
    from dataclasses import asdict

    from cascade_plan.languages.json import dump

    document = {"schema_version": 1, "request_count": count, "seed": seed, "figures": [asdict(row) for row in rows]}
    return dump(document)
