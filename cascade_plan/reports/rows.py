"""The rows of a portfolio as a table: a column for each thing that is known of a system."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.portfolio import Row
from cascade_plan.reports._spreadsheet import line

Cell = str | int | bool | Decimal | None


def columns(tags: Sequence[str], answers: Sequence[str]) -> list[str]:
    """Return the names of the columns, with one for each tag and for each figure that was asked for."""
    return [
        "place",
        "name",
        "region",
        *(f"tags.{tag}" for tag in tags),
        "exit_code",
        "message",
        "users_peak",
        "users_average",
        *(f"cost_usd_per_month.{level}" for level in LEVELS),
        "budget_level",
        "budget_usd_per_month",
        "over_budget_usd",
        "is_complete",
        "missed",
        "not_judged",
        *answers,
    ]


def cells(row: Row, tags: Sequence[str], answers: Sequence[str]) -> list[Cell]:
    """Return what a row has in each column; None where it has nothing."""
    cost, planned = row.cost_usd_per_month, row.is_planned
    return [
        row.place,
        row.name,
        row.region,
        *(row.tags.get(tag) for tag in tags),
        row.exit_code,
        row.message,
        row.users_peak if planned else None,
        row.users_average if planned else None,
        *(None if cost is None else getattr(cost, level) for level in LEVELS),
        row.level if planned else None,
        row.budget_usd_per_month,
        row.over_usd,
        row.is_complete if planned else None,
        " ".join(row.missed),
        " ".join(row.not_judged),
        *(row.answers.get(name) for name in answers),
    ]


def csv_line(found: Sequence[Cell] | Sequence[str]) -> str:
    """Return cells as a line of CSV, nothing taken for a formula, money unrounded."""
    return line("" if each is None else each for each in found)
