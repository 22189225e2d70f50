"""What psql prints of a query, as CSV, unaligned or aligned, with the moment it was printed where that is said."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.texts import Text, number, separator

AT: Final = re.compile(r"#\s*at\s+(\d+(?:\.\d+)?)\s*")
"""The line above what was printed at a moment: `echo "# at $(date +%s)"`."""
AT_COLUMN: Final = "at_s"
"""The column that says the moment: `extract(epoch from now()) AS at_s`."""
RULE: Final = re.compile(r"[-+]*--[-+]*")
ROW_COUNT: Final = re.compile(r"\(\d+ rows?\)")


@dataclass(frozen=True, slots=True)
class Printed:
    """A table as psql printed it."""

    file: Text
    columns: Sequence[str]
    rows: Sequence[tuple[int, Mapping[str, str]]]
    """Line in the file, and text by column."""
    at_s: float | None
    """When it was printed, in seconds since 1970; None where nothing says it."""

    def number(self, line: int, row: Mapping[str, str], column: str) -> float:
        """Return a field as a number of 0 or more. Raises UsageError naming line and column for anything else."""
        return number(f"{self.file.name}:{line}", column, row[column])


def columns(file: Text) -> tuple[str, ...]:
    """Return the names of the columns that a file's first line with more than a comment has; () for no table."""
    lines = [line for line in file.opening.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return ()
    try:
        return tuple(name.strip() for name in next(csv.reader(lines[:1], delimiter=separator(lines[0])), ()))
    except csv.Error:
        return ()


def printed(file: Text) -> Printed:
    """Return the table of a file. Raises UsageError with the line for what is none, such as a row cut short."""
    lines = file.text.splitlines(keepends=True)
    above, at_s = 0, None
    while above < len(lines) and (not lines[above].strip() or lines[above].startswith("#")):
        if found := AT.fullmatch(lines[above].strip()):
            at_s = float(found[1])
        above += 1
    names = columns(file)
    # Aligned output has a rule below its header, and every one has the count of rows at its end.
    body = [
        "\n" if RULE.fullmatch(line.strip()) or ROW_COUNT.fullmatch(line.strip()) else line for line in lines[above:]
    ]
    reader = csv.reader(body, delimiter=separator(body[0]) if body else ",", strict=True)
    rows: list[tuple[int, Mapping[str, str]]] = []
    try:
        for place, cells in enumerate(reader):
            if place == 0 or not any(cell.strip() for cell in cells):
                continue
            line = above + reader.line_num
            if len(cells) != len(names):
                raise UsageError(
                    f"{file.name}:{line}: {len(cells)} fields for {len(names)} columns: is the file cut short, or "
                    "printed without --csv?"
                )
            rows.append((line, dict(zip(names, (cell.strip() for cell in cells), strict=True))))
    except csv.Error as error:
        raise UsageError(f"{file.name}:{above + reader.line_num}: no CSV: {error}: is the file cut short?") from None
    if AT_COLUMN in names and rows:
        at_s = number(f"{file.name}:{rows[0][0]}", AT_COLUMN, rows[0][1][AT_COLUMN])
    return Printed(file, names, rows, at_s)
