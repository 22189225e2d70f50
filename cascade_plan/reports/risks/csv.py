"""The unsure numbers of a plan, for a spreadsheet."""

from __future__ import annotations

from cascade_plan.model.risk import Driver, Risk
from cascade_plan.reports._spreadsheet import written

FORMAT: str = "CSV: a row for every unsure number, with what hangs on it and what it is worth to measure"


def render(risk: Risk) -> str:
    """Return every unsure number as a row."""
    columns = list(Driver.__dataclass_fields__)
    return written(columns, ([getattr(each, name) for name in columns] for each in risk.drivers))
