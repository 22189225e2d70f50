"""Many systems as one, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.portfolio import Portfolio, Total
from cascade_plan.reports._spreadsheet import written

FORMAT: str = "CSV: a row for the whole, each region and each value of a tag; --rows writes one for each system"
COUNTS = ("system_count", "failed_count", "incomplete_count", "over_budget_count", "missed_count", "users_peak",
          "users_average")  # fmt: skip


def render(portfolio: Portfolio) -> str:
    """Return every total as a row, that of all systems first."""
    columns = ("by", "name", *COUNTS, *(f"cost_usd_per_month.{level}" for level in (*LEVELS, "total")))
    return written(columns, map(_row, (portfolio.total, *portfolio.totals)))


def _row(total: Total) -> list[object]:
    return list(_cells(total))


def _cells(total: Total) -> Iterator[object]:
    yield from (total.by, total.name, *(getattr(total, name) for name in COUNTS))
    yield from (getattr(total.cost_usd_per_month, level) for level in LEVELS)
    yield total.judged_usd_per_month
