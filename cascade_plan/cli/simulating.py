"""simulate: days of traffic through the autoscaler, or requests one by one through the fleet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, format_option, with_choice
from cascade_plan.cli.output import Color, complain, deliver, laid_out, width
from cascade_plan.errors import UsageError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.choice import Choice

POLICIES = 5
"""Ways of scaling that are compared for each service: the steps of the progress bar."""

Trace = Annotated[
    str | None,
    typer.Option("--trace", metavar="FILE", help="CSV of timestamp or minute and count, instead of the day."),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="The day's shape: weekday or flat.  [default: scenario's]"),
]
Days = Annotated[int | None, typer.Option("--days", metavar="N", help="Days.  [default: 1, or the whole trace]")]
Runs = Annotated[int, typer.Option("--runs", metavar="K", help="Monte Carlo runs.")]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Seed: the same one gives the same bytes.")]
Chart = Annotated[str | None, typer.Option("--chart", metavar="FILE.svg", help="Draw load, capacity and latency.")]
Policy = Annotated[
    str | None, typer.Option("--policy", metavar="NAME", help="The policy charts show.  [default: the plan's, latency]")
]
Requests = Annotated[
    int | None, typer.Option("--requests", metavar="N", help="Simulate N requests of each load one by one instead.")
]
Format = Annotated[str, format_option("days")]


@with_choice
def simulate(
    choice: Choice,
    trace: Trace = None,
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
    bounds = (("--days", days, 1, 366), ("--runs", runs, 1, 10_000), ("--requests", requests, 100, 10_000_000))
    for flag, value, least, most in bounds:
        if value is not None and not least <= value <= most:
            raise UsageError(f"{flag} {value}: must be between {least} and {most:,}")
    if chart is not None and chart != "-" and not chart.lower().endswith(".svg"):
        raise UsageError(f"--chart {chart}: charts are SVG: name the file .svg")
    if profile is not None:
        choice = choice.also(Assignment(f"--profile {profile}", "users.profile", profile))
    if requests is not None:
        _requests(choice, requests, seed, output)
        return 0
    from cascade_plan.files.disk import read_text
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.proving.days import Order, services
    from cascade_plan.proving.days import simulate as simulated

    report = registry.load("reports/days", format_)
    given = choice.read()
    text = read_text(trace, 2**26)[0] if trace is not None else None
    order = Order(days if days is not None else 0 if trace else 1, runs, seed, text, Path(trace).name if trace else "")
    made = plan(given.scenario, given.book, given.origins, predicted=False)
    scaled = services(made)
    if not made.bill.complete:
        complain(f"costs are at least what they say: {made.bill.lacks}", "warning")
    with _progress(POLICIES * len(scaled)) as progress:
        simulation = simulated(made, order, progress)
    shown = policy or "latency"
    if shown not in (names := [outcome.policy for outcome in simulation.replays[0].outcomes]):
        raise UsageError(f"no policy {shown!r}: known are {', '.join(names)}")
    if chart is not None:
        from cascade_plan.reports.drawing import svg

        deliver(svg(simulation, shown), chart)
    rendered = laid_out(report, simulation)
    if format_ == "table" and output == "-" and Color.on():
        from cascade_plan.reports.drawing import text as drawn

        rendered += "\n" + drawn(simulation, shown, width())
    deliver(rendered, output)
    return 0


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[str], None]]:
    """Show a bar on stderr, a step for each policy of each service, when stderr is a terminal."""
    if not sys.stderr.isatty():
        yield lambda policy: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulating", total=steps + 1)

        def advance(policy: str) -> None:
            bar.update(task, advance=1, description=f"simulating {policy}")

        yield advance


def _requests(choice: Choice, count: int, seed: int, output: str) -> None:
    """Print predicted and simulated latencies of every named load."""
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.proving.requests import BELIEVED, checked
    from cascade_plan.reports.columns import aligned

    given = choice.read()
    rows = checked(plan(given.scenario, given.book, given.origins, predicted=False), count, seed)
    headers = ("load", "users", "figure", "predicted", "simulated", "+/- (95 %)", "difference")
    cells = [
        (row.load, f"{row.users:,}", row.figure, f"{row.predicted:,.2f}", f"{row.simulated:,.2f}",
         f"{row.half_width:,.2f}", f"{row.predicted / row.simulated - 1:+.1%}")
        for row in rows
    ]  # fmt: skip
    deliver(aligned(headers, cells, (1, 3, 4, 5, 6), width()) + "\n", output)
    for load in dict.fromkeys(row.load for row in rows if row.is_off):
        complain(
            f"load {load}: predictions are off by more than {BELIEVED:.0%}: users wait for each other longer than the "
            "formulas know, which have a connection held for its query and a round trip alone, not while the query "
            "waits or commits",
            "warning",
        )
