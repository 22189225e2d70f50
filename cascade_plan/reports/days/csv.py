"""The simulation for spreadsheets."""

from __future__ import annotations

from cascade_plan.model.replay import Simulation
from cascade_plan.reports._spreadsheet import written
from cascade_plan.reports.days._outcomes import COLUMNS, values

FORMAT: str = "CSV: a row for each service and way of scaling, unrounded; inf for a latency without an end"


def render(simulation: Simulation) -> str:
    """Return the outcomes as CSV with a header."""
    rows = ((replay.service, *values(replay, outcome)) for replay in simulation.replays for outcome in replay.outcomes)
    return written(("service", *COLUMNS), rows)
