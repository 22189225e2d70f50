"""The simulation for spreadsheets."""

from __future__ import annotations

from cascade_plan.model.replay import Replay
from cascade_plan.reports._spreadsheet import written
from cascade_plan.reports.days._outcomes import COLUMNS, values

FORMAT: str = "CSV: a row for each way of scaling, unrounded; inf for a latency without an end"


def render(replay: Replay) -> str:
    """Return the outcomes as CSV with a header."""
    return written(COLUMNS, (values(replay, outcome) for outcome in replay.outcomes))
