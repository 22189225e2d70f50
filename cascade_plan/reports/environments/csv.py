"""Several environments for spreadsheets: the lines of all bills in one table."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_plan.model.plan import Plan
from cascade_plan.reports._spreadsheet import cell

FORMAT: str = "CSV: a row for each line of every environment's bill, the environment first"


def render(plans: Sequence[Plan], rendered: Sequence[str]) -> str:
    """Return the plans' own rows under one header, each after the name of its environment."""
    first = rendered[0].splitlines(keepends=True)[0]
    rows = [
        f"{cell(plan.scenario.name)},{row}"
        for plan, text in zip(plans, rendered, strict=True)
        for row in text.splitlines(keepends=True)[1:]
    ]
    return f"environment,{first}{''.join(rows)}"
