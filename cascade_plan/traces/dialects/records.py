"""JSON objects with a time and numbers: a list of them, or one on each line."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from cascade_plan.traces.documents import document, text_of
from cascade_plan.traces.rows import Rows
from cascade_plan.traces.series import Record
from cascade_plan.traces.tabular import tabulated

READS: str = "JSON objects or pairs of a time and a count"


def claims(text: str) -> bool:
    """Return whether a text is a list of objects, or of pairs, that hold values only."""
    found = document(text)
    if not isinstance(found, list) or not found:
        return False
    return all(isinstance(each, dict) and each and all(map(_is_plain, each.values())) for each in found) or all(
        isinstance(each, list) and len(each) > 1 and all(map(_is_plain, each)) for each in found
    )


def _is_plain(value: Any) -> bool:
    return not isinstance(value, dict | list)


def read(text: str) -> Record:
    """Return the series of the objects' numbers. Raises ValueError, in words, as rows do."""
    found = document(text)
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    above = isinstance(found[0], dict)
    if above:
        names = list(dict.fromkeys(name for each in found for name in each))
        writer.writerow(_cells(names))
        found = [[each.get(name) for name in names] for each in found]
    writer.writerows(map(_cells, found))
    return tabulated(Rows(out.getvalue(), ",", "entry", int(above)))


def _cells(values: list[Any]) -> list[str]:
    return [" ".join(text_of(value).split()) for value in values]
