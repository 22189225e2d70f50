"""One scenario over a grid, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

from cascade_plan.model.sweep import Sweep
from cascade_plan.reports._spreadsheet import written

FORMAT: str = "CSV: a row for every point"
PLACES = 6
"""Decimals of a cost: arrays are exact to half a cent, and say no more."""


def render(sweep: Sweep) -> str:
    """Return every point as a row: axes and what follows them, counts, costs, 1 where it is over the budget."""
    columns = [_texts(each) for each in sweep.columns.values()]
    return written(list(sweep.columns), zip(*columns, strict=True))


def _texts(column: Any) -> Iterator[object]:
    for value in column.tolist():
        if isinstance(value, str):
            yield value
        elif not isfinite(value):
            yield ""
        else:
            yield int(value) if float(value).is_integer() else round(value, PLACES)
