"""portfolio: many scenarios as one, planned on all cores or on a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, format_option, values_option, with_choice
from cascade_plan.cli.output import Talk, deliver, laid_out, note, wrote
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.inputs.portfolios import Source
    from cascade_plan.model.portfolio import Portfolio
    from cascade_plan.running.answering import Setup

NAMES = ("size", "slo", "optimize", "risk", "forecast")
Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SCENARIOS]...",
        help="Scenario files, directories of them, or patterns in quotes such as 'systems/**/*.yaml'.",
        show_default=False,
    ),
]
Question = Annotated[
    str,
    values_option("--do", NAMES, "What each system is asked, as the command of that name; slo: size --method slo."),
]
Table = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="FILE",
        help="A CSV or Parquet file in place of scenarios: a row for each system, a column for each path that --set "
        "takes.",
    ),
]
Base = Annotated[
    str | None,
    typer.Option("--base", metavar="SCENARIO", help="The scenario that the rows of --table change."),
]
Rows = Annotated[
    str | None,
    typer.Option(
        "--rows",
        metavar="FILE",
        help="Write a row for each system to a .csv or .parquet file; what is interrupted goes on where it was.",
    ),
]
Gates = Annotated[
    list[str] | None,
    typer.Option("--gate", metavar="LIMIT", help="A limit on the whole, 'cost_usd_per_month.total < 1e5'; repeatable."),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, max=1024, help="Processes that plan.  [default: one for each core]"),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="A Dask scheduler whose workers plan, tcp://host:8786; local: a cluster on this machine.",
    ),
]
GridAxis = Annotated[
    list[str] | None,
    typer.Option(
        "--grid",
        metavar="PATH=VALUES",
        help="One scenario at every point of a grid, by its rules: users.peak=1000:100000:100, or "
        "region=us-east-1,eu-west-1; repeatable.",
    ),
]
Format = Annotated[str, format_option("portfolios")]


@with_choice
def portfolio(
    choice: Choice,
    sources: Sources = None,
    do: Question = "size",
    table: Table = None,
    base: Base = None,
    rows: Rows = None,
    gate: Gates = None,
    grid: GridAxis = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    format_: Format = "table",
    output: Output = "-",
) -> int:
    """Plan many systems and say what they come to: totals by region and tag, the worst, what to buy together.

    Flags such as --peak and --set are laid over every system. Of a file with environments each is a system. One that
    cannot be planned is a row with its message and exit code; the others go on.

    Examples:
      cascade-plan portfolio systems/ --rows systems.csv
      cascade-plan portfolio 'teams/**/*.yaml' --do optimize
      cascade-plan portfolio systems/ --gate 'cost_usd_per_month.total < 100000'
      cascade-plan portfolio --table tenants.csv --base my.yaml
      cascade-plan portfolio my.yaml --grid users.peak=1000:100000:100

    Exit status:
      0  Every system was planned, and every --gate is met.
      1  A --gate is missed.
      2  A system could not be planned, whatever its own exit code.
      3  A --gate could not be judged, as systems lack prices.
      5  The scheduler does not answer, or has other versions.
    """
    from cascade_plan.choosing.portfolio.gates import limit_of
    from cascade_plan.running import keeping
    from cascade_plan.running.portfolio import Where, run

    if grid:
        return _swept(choice, sources or [], grid, format_, rows, output)
    if do not in NAMES:
        raise UsageError(f"--do {do}: must be {', '.join(NAMES)}{did_you_mean(do, [*NAMES])}")
    report = registry.load("reports/portfolios", format_)
    limits = [limit_of(each) for each in gate or ()]
    if rows is not None:
        keeping.checked(rows)
    source = _source(sources or [], table, base)
    setup = _setup(choice, do, source)
    where = Where(_processes(workers), scheduler or "")
    found = _shown(rows, lambda told: run(source, setup, limits, rows or "", where, told))
    if rows is not None:
        wrote(rows)
    deliver(laid_out(report, found), output)
    return _status(found)


def _swept(choice: Choice, sources: list[str], texts: list[str], format_: str, rows: str | None, output: str) -> int:
    """Plan one scenario at every point of a grid, and return the exit status."""
    from dataclasses import replace

    from cascade_plan.inputs.grids import axes
    from cascade_plan.running.sweeping import swept

    report = registry.load("reports/sweeps", format_)
    if len(sources) != 1:
        raise UsageError("--grid is for one scenario: give one file, or the name of a bundled one")
    one = replace(choice, scenario=sources[0], taken="")
    found = swept(axes(texts), lambda more: replace(one, assignments=(*one.assignments, *more)).read(), one.as_of)
    if rows is not None:
        if not rows.endswith(".csv"):
            raise UsageError(f"--rows {rows}: with --grid the name must end in .csv")
        deliver(registry.load("reports/sweeps", "csv").render(found), rows)
    deliver(laid_out(report, found), output)
    return 2 if found.failed_count else 0


def _source(sources: list[str], table: str | None, base: str | None) -> Source:
    """Return where systems come from. Raises UsageError where that is said twice, or not at all."""
    from cascade_plan.inputs import portfolios

    if table is not None:
        if sources:
            raise UsageError(f"give scenarios or --table, not both: {sources[0]}")
        if base is None:
            raise UsageError("--table needs --base SCENARIO: the scenario that its rows change")
        return portfolios.table(table, base)
    if base is not None:
        raise UsageError("--base is for --table: give the table too, or the scenario alone")
    if not sources:
        raise UsageError("give scenario files, directories or patterns, or --table FILE --base SCENARIO")
    return portfolios.files(sources)


def _setup(choice: Choice, do: str, source: Source) -> Setup:
    from cascade_plan.files.disk import read_text
    from cascade_plan.running.answering import Setup

    prices = None if choice.prices is None else read_text(choice.prices)
    return Setup(do, source.base, choice.assignments, prices, choice.price_cache, choice.env, choice.as_of)


def _processes(asked: int | None) -> int:
    """Return how many processes plan: as many as asked for, or as this one may use cores."""
    import os

    if asked is not None:
        return asked
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shown(rows: str | None, run: Callable[..., Portfolio]) -> Portfolio:
    """Return what a run comes to, with how far it is on a terminal."""
    from contextlib import ExitStack

    from cascade_plan.cli.progress import counted
    from cascade_plan.running.portfolio import Told

    with ExitStack() as stack:
        bar: list[Callable[[int], None]] = []

        def begun(total: int, done: int) -> None:
            if done:
                note(f"{rows}.journal has {done:,} of {total:,} systems: going on from there")
            bar.append(stack.enter_context(counted(total, done, "systems")))

        try:
            return run(Told(begun, lambda more: bar[0](more)))
        except KeyboardInterrupt:
            if bar and rows:
                # What is kept of an interrupted run is said with what it has written.
                Talk.written = (*Talk.written, f"{rows}.journal")
            raise


def _status(found: Portfolio) -> int:
    """Return the exit status: what could not be planned comes before what is missed, and that before what lacks."""
    if found.total.failed_count:
        return 2
    if found.failed:
        return 1
    return 3 if any(verdict.status == "unjudged" for verdict in found.verdicts) else 0
