"""Series from rows of times and numbers."""

from __future__ import annotations

from array import array
from typing import Final, NamedTuple

from cascade_plan.traces.layout import NO_ROWS, Layout, layout
from cascade_plan.traces.numbers import Style, number
from cascade_plan.traces.rows import Rows
from cascade_plan.traces.series import Record, Series, unit_of
from cascade_plan.traces.times import Instants

MOST_NUMBERS: Final = 1_000_000
"""Of a file: every minute of a year is half as many, and an autoscaler looks every 15 seconds."""
MOST_SERIES: Final = 1000
"""More than a person chooses from: a column of texts that differ in every row names no series."""


class Columns(NamedTuple):
    """What is read of one series."""

    times_s: array[float]
    amounts: array[float]
    lines: array[int]


def tabulated(rows: Rows) -> Record:
    """Return the series of the rows: one for each column of numbers, and in it for each text beside them.

    Raises ValueError in words, with the line, for what cannot be read.
    """
    found = layout(rows)
    styles = {column: Style(rows.separator == ";") for column in found.values}
    for count, (line, cells) in enumerate(found.data(rows), start=1):
        if count * len(styles) > MOST_NUMBERS:
            raise ValueError(
                f"{rows.place} {line}: more than {MOST_NUMBERS:,} numbers: add its rows up to one for 15 s or more"
            )
        for column, style in styles.items():
            style.learn(cells[column])
    groupings = [(column, style.grouping) for column, style in styles.items()]
    instants = Instants(found.form)
    columns: dict[tuple[tuple[str, ...], int], Columns] = {}
    for line, cells in found.data(rows):
        labels = tuple(cells[column] for column in found.labels)
        try:
            time_s = instants.read(cells[found.time])
            amounts = [(column, number(cells[column], grouping)) for column, grouping in groupings]
        except ValueError as error:
            raise ValueError(f"{rows.place} {line}: {error}") from None
        for column, amount in amounts:
            if (key := (labels, column)) not in columns:
                if len(columns) == MOST_SERIES:
                    raise ValueError(
                        f"{rows.place} {line}: more than {MOST_SERIES:,} series: {found.names[found.labels[0]]!r} "
                        "has a text of its own in most rows"
                    )
                columns[key] = Columns(array("d"), array("d"), array("q"))
            own = columns[key]
            own.times_s.append(time_s)
            own.amounts.append(amount)
            own.lines.append(line)
    if not columns:
        raise ValueError(NO_ROWS)
    made = tuple(_series(found, *key, own, styles[key[1]]) for key, own in columns.items())
    return Record(made, instants.clock)


def _series(of: Layout, labels: tuple[str, ...], column: int, own: Columns, style: Style) -> Series:
    texts = [text for text in labels if text]
    label = " ".join([*texts, *([of.names[column]] if len(of.values) > 1 or not texts else [])])
    unit = style.unit or unit_of(label)
    if unit.per_s is None and not unit.because:
        unit = unit_of(of.names[column])
    return Series(label, own.times_s, own.amounts, own.lines, unit, f"{of.place} {{}}")
