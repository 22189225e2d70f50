"""One scenario over a grid, for programs."""

from __future__ import annotations

from dataclasses import asdict, replace

from cascade_plan.model.sweep import Sweep
from cascade_plan.reports._document import written

FORMAT: str = "JSON: a list of every column's values, and least and most"


def render(sweep: Sweep) -> str:
    """Return every column's values at all points as JSON; null where a point has no plan."""
    columns = {name: each.tolist() for name, each in sweep.columns.items()}
    return written(asdict(replace(sweep, columns=columns)))
