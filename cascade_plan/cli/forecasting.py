"""forecast: what each month costs over some years, what becomes too small when, and what to buy now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from cascade_plan import registry
from cascade_plan.cli.charges import FocusVersion, version_of
from cascade_plan.cli.choice import Output, format_option, read, with_choice
from cascade_plan.cli.output import check_binary, complain, deliver, laid_out
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.inputs.scenarios import Given
    from cascade_plan.model.forecast import Forecast

PANEL: Final = "What is forecast, if not as the scenario says"
Months = Annotated[
    int | None,
    typer.Option("--months", metavar="N", help="Months, 1 to 120.  [default: 36]", rich_help_panel=PANEL),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="YYYY-MM",
        help="The first month.  [default: the month after the newest price]",
        rich_help_panel=PANEL,
    ),
]
Growth = Annotated[
    str | None,
    typer.Option("--growth", metavar="PERCENT", help="More users every month, such as 8%.", rich_help_panel=PANEL),
]
UsersFile = Annotated[
    str | None,
    typer.Option(
        "--users-by-month",
        metavar="FILE",
        help="CSV of month,peak,average[,registered] in place of growth; - is stdin.",
        rich_help_panel=PANEL,
    ),
]
FiscalYear = Annotated[
    int | None,
    typer.Option(
        "--fiscal-year-start",
        metavar="MONTH",
        help="Month that a fiscal year begins with, 1 to 12.",
        rich_help_panel=PANEL,
    ),
]
Band = Annotated[
    bool,
    typer.Option("--band", help="Also between what the costs are, P10 to P90, as growth and what is unsure may be."),
]
Draws = Annotated[int, typer.Option("--draws", metavar="N", min=100, max=100_000, help="Draws of the band.")]
Seed = Annotated[int, typer.Option("--seed", metavar="S", min=0, help="Seed: the same one gives the same bytes.")]
Events = Annotated[bool, typer.Option("--events", help="Everything that changes, month by month.")]
Format = Annotated[str, format_option("forecasts")]
PATHS: Final = {
    "--growth": "growth.percent_per_month",
    "--start": "forecast.start",
    "--months": "forecast.months",
    "--fiscal-year-start": "forecast.fiscal_year_start",
}
"""What each flag sets of the scenario."""
MONTHS: Final = "cost-over-months"
"""The chart that the page has."""


@with_choice
def forecast(
    choice: Choice,
    months: Months = None,
    start: Start = None,
    growth: Growth = None,
    users_by_month: UsersFile = None,
    fiscal_year_start: FiscalYear = None,
    band: Band = False,
    draws: Draws = 1000,
    seed: Seed = 1,
    events: Events = False,
    format_: Format = "table",
    output: Output = "-",
    focus_version: FocusVersion = None,
) -> int:
    """Say what each month costs as users and data grow: the years, what becomes too small when, what breaks.

    Each month is planned anew for its users, with all that has accumulated by then, at today's prices and the month's
    own hours.

    Examples:
      cascade-plan forecast my.yaml --growth 8%
      cascade-plan forecast my.yaml --users-by-month users.csv
      cascade-plan forecast my.yaml --format csv -o months.csv

    Exit status:
      0  The forecast was printed, whatever it costs.
      1  A gate on a figure of the forecast failed, such as forecast.cost_usd_fiscal_year.2027.
      3  A gate on it could not be judged, as a price is missing.
      4  In some month no fleet keeps every promise; the message names it.
    """
    check_binary(format_, output)
    report, version = registry.load("reports/forecasts", format_), version_of(format_, focus_version)
    flags: dict[str, object] = {
        "--growth": None if growth is None else growth.strip().removesuffix("%").strip(),
        "--start": None if start is None else f"'{start}'",
        "--months": months,
        "--fiscal-year-start": fiscal_year_start,
    }
    choice = choice.flagged(PATHS, flags)
    given = read(choice)
    found = _found(choice, given, users_by_month)
    if band:
        from cascade_plan.choosing.forecast import with_band

        found = with_band(found, given.book, given.origins, draws, seed)
    charts = {} if format_ != "html" else {MONTHS: registry.load("reports/charts", MONTHS).draw(found)}
    deliver(laid_out(report, found, every=events, focus_version=version, charts=charts), output)
    return _status(found)


def _found(choice: Choice, given: Given, users_by_month: str | None) -> Forecast:
    from cascade_plan.choosing.forecast import first_month, forecast
    from cascade_plan.errors import UsageError
    from cascade_plan.model.growth import month_of

    scenario = given.scenario
    own = None if scenario.forecast.start is None else month_of(scenario.forecast.start)
    if users_by_month is None:
        start = first_month(scenario, given.book, own)
        if own is None:
            complain(f"the first month is {start:%Y-%m}, after the newest price; --start chooses another", "note")
        return forecast(scenario, given.book, given.origins, start)
    from cascade_plan.inputs.users_by_month import read_users

    file = read_users(users_by_month)
    start = own or file.start
    users, months = file.since(start), scenario.forecast.months
    if not users:
        raise UsageError(f"{users_by_month} begins in {file.start:%Y-%m} and has no {start:%Y-%m}")
    if "forecast.months" not in given.origins:
        months = min(months, len(users))
    if len(users) < months:
        raise UsageError(f"{users_by_month} has {len(users)} months from {start:%Y-%m} on: it cannot give {months}")
    return forecast(scenario, given.book, given.origins, start, months, users)


def _status(found: Forecast) -> int:
    """Say what was not judged and what lacks a price, and return the exit status."""
    if not found.is_complete:
        lacking = next(month.plan.bill for month in found.months if not month.plan.bill.complete)
        complain(f"costs are at least what they say: {lacking.lacks(found.level)}", "warning")
    for verdict in found.verdicts:
        if verdict.status == "unjudged":
            complain(f"{verdict.figure} is not judged: {verdict.reason}", "warning")
        if verdict.status == "fail":
            complain(f"{verdict.figure} {verdict.operator} {verdict.limit:f} = {verdict.value:,.2f}", "failed")
    if found.failed:
        return 1
    return 3 if not found.is_complete and any(each.status == "unjudged" for each in found.verdicts) else 0
