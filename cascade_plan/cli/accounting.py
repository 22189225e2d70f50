"""actuals: a month's bill against the plan."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, format_option, read, with_choice
from cascade_plan.cli.output import arguments, deliver, laid_out
from cascade_plan.errors import UsageError
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.evidence.actuals import Asked
    from cascade_plan.evidence.bill_file import BillFile
    from cascade_plan.model.actuals import Actuals

Bills = Annotated[
    list[str],
    typer.Argument(
        metavar="BILLS",
        help="Files of one bill, or a directory of them: FOCUS, CUR 2.0, legacy CUR (CSV, gzip, Parquet), Cost "
        "Explorer's JSON or CSV; - is stdin.",
    ),
]
Month = Annotated[
    str | None, typer.Option("--month", metavar="YYYY-MM", help="The month of the bill.  [default: its only one]")
]
ActualUsers = Annotated[
    str | None,
    typer.Option(
        "--users", metavar="PEAK,AVG", help="Users there were, such as 11200,3300.  [default: as many as planned]"
    ),
]
UsersFile = Annotated[
    str | None,
    typer.Option("--users-by-month", metavar="FILE", help="CSV of month,peak,average in place of --users."),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=VALUE", help="What is this application, by cost allocation tag; repeatable."),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="ID", help="What is this application, by account; repeatable."),
]
ToDate = Annotated[bool, typer.Option("--to-date", help="Compare the part of the month that the bill has.")]
Gates = Annotated[
    list[str] | None,
    typer.Option("--gate", metavar="LIMIT", help='A limit, such as "variance_percent.total < 12"; repeatable.'),
]
Percent = Annotated[float, typer.Option("--min-percent", metavar="PERCENT", help="Name lines that differ by more.")]
Usd = Annotated[float, typer.Option("--min-usd", metavar="USD", help="Name lines that differ by more than this too.")]
Calibration = Annotated[
    str | None,
    typer.Option(
        "--calibrate", metavar="FILE", help="Write what the bill tells of the scenario's values; - is stdout, alone."
    ),
]
Format = Annotated[str, format_option("actuals")]


@with_choice
def actuals(
    choice: Choice,
    bills: Bills,
    month: Month = None,
    users: ActualUsers = None,
    users_by_month: UsersFile = None,
    tag: Tags = None,
    account: Accounts = None,
    to_date: ToDate = False,
    gate: Gates = None,
    min_percent: Percent = 5,
    min_usd: Usd = 50,
    calibrate: Calibration = None,
    format_: Format = "table",
    output: Output = "-",
) -> int:
    """Hold a month's bill against the plan: what differs, why, and how it leads to the invoice.

    The plan is made again for the month's hours and the users there were, so that growth is told from waste. Lines meet
    by service code, usage type, operation and region. Nothing is sent anywhere: files in, no account.

    Examples:
      cascade-plan actuals cur.csv.gz --tag application=cascade --users 11200,3300
      cascade-plan actuals focus/ --scenario my.yaml --month 2027-01
      cascade-plan actuals bill.csv --gate "variance_percent.total < 12"
      cascade-plan actuals bill.csv --users 11200 --calibrate calibration.yaml

    Exit status:
      0  The bill was compared, and every gate is kept.
      1  A gate is broken, or the bill does not tell what it asks for.
      2  The bill cannot be read, or is of another month, region or currency.
    """
    from cascade_plan.evidence.actuals import Asked
    from cascade_plan.evidence.scope import scope_of
    from cascade_plan.model.actuals import Tolerance

    report = registry.load("reports/actuals", format_)
    scope = scope_of(tag or (), account or ())
    tolerance = Tolerance(_positive(min_percent, "--min-percent"), _positive(min_usd, "--min-usd"))
    if users is not None and users_by_month is not None:
        raise UsageError("give --users or --users-by-month, not both")
    asked = Asked(scope, _users(users), to_date, tolerance, tuple(gate or ()))
    found = _compared(bills, _month(month), choice, asked, users_by_month)
    if calibrate == "-":
        deliver(_calibration(found), "-")
        return 0 if found.is_within_gates else 1
    deliver(laid_out(report, found), output)
    if calibrate is not None:
        deliver(_calibration(found), calibrate)
    return 0 if found.is_within_gates else 1


def _compared(bills: list[str], month: str | None, choice: Choice, asked: Asked, users_by_month: str | None) -> Actuals:
    """Return the bill held against the plan, with values that would have met it."""
    from cascade_plan.choosing.met import suggestions
    from cascade_plan.evidence.actuals import held_against, plans_of, span_of, users_of
    from cascade_plan.evidence.billed import billed, files_of, of_month
    from cascade_plan.evidence.scope import tags_read
    from cascade_plan.files.disk import listed

    given = read(choice)
    bill = billed(files_of(bills, _opened, listed), tags_read(asked.scope))
    month, lines = of_month(bill, month)
    span = span_of(month, lines, asked.to_date)
    if users_by_month is not None:
        asked = replace(asked, users=_users_in(users_by_month, month))
    users = users_of(given.scenario, asked.users)
    plans = plans_of(given.scenario, given.book, given.origins, span.hours, users)
    found = held_against(plans, given.book, bill, month, lines, span, asked)
    return suggestions(found, plans.flexed, given.book, given.origins)


def _users_in(path: str, month: str) -> tuple[int, int]:
    """Return the users that a file gives of a month. Raises UsageError for a file that has none of it."""
    from datetime import date

    from cascade_plan.inputs.users_by_month import read_users

    found = read_users(path).since(date.fromisoformat(f"{month}-01"))
    if not found:
        raise UsageError(f"{path}: it has no users of {month}")
    return found[0].peak, found[0].average


def _opened(path: str) -> BillFile | None:
    """Return a file of a bill, or None where there is none of that name; what can be read only once is read here."""
    import sys
    from functools import partial
    from io import BytesIO
    from pathlib import Path

    from cascade_plan.evidence.bill_file import MOST_HELD, BillFile
    from cascade_plan.files.disk import opened

    try:
        if path != "-" and Path(path).is_file():
            return BillFile(path, partial(opened, path))
        if path != "-" and not Path(path).exists():
            return None
    except (OSError, ValueError):
        return None
    with sys.stdin.buffer if path == "-" else opened(path) as file:
        held = file.read(MOST_HELD + 1)
    if len(held) > MOST_HELD:
        raise UsageError(f"{path}: more than {MOST_HELD:,} bytes through a pipe: give the bill as a file")
    return BillFile("stdin" if path == "-" else path, partial(BytesIO, held), is_on_disk=False)


def _calibration(found: Actuals) -> str:
    """Return what a bill tells of the scenario's values, as the file that a scenario includes."""
    from cascade_plan import __version__
    from cascade_plan.choosing.met import calibration
    from cascade_plan.evidence.writing import written

    return written(calibration(found, f"cascade-plan {__version__}"), arguments())


def _month(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text, re.ASCII):
        raise UsageError(f"--month {text}: write a month as YYYY-MM, such as 2027-01")
    return text


def _users(text: str | None) -> tuple[int, int | None] | None:
    """Return the users that --users gives, at peak and on average; no average where it gives the peak alone."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*([0-9]{1,12})(?:\s*,\s*([0-9]{1,12}))?\s*", text, re.ASCII)
    if match is None or not int(match.group(1)) or match.group(2) == "0":
        raise UsageError(f"--users {text}: write PEAK,AVG, such as 11200,3300")
    return int(match.group(1)), int(match.group(2)) if match.group(2) else None


def _positive(value: float, flag: str) -> Decimal:
    if not 0 <= value <= 1e12:
        raise UsageError(f"{flag} {value}: must be 0 or more")
    return Decimal(str(value))
