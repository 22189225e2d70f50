"""A table for spreadsheets: amounts unrounded, nothing taken for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import StringIO
from typing import Final

from cascade_plan.reports._words import one_line
from cascade_plan.units import decimal_text

FORMULA: Final = ("=", "+", "-", "@")
"""What a spreadsheet takes for the beginning of a formula."""


def written(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV under a header, each cell as `cell` writes it."""
    return "".join(map(line, (columns, *rows)))


def line(cells: Iterable[object]) -> str:
    """Return cells as a line of CSV."""
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerow([cell(value) for value in cells])
    return out.getvalue()


def cell(value: object) -> str:
    """Return a value as a cell: money without an exponent, text on one line, an apostrophe before what begins like a
    formula.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = one_line(value)
        return f"'{text}" if text.startswith(FORMULA) else text
    return decimal_text(value) if isinstance(value, Decimal) else str(value)
