"""Which columns of a table are times, numbers and names, and where its data begins."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from cascade_plan.traces.numbers import NO_COUNT, NO_DATA, is_number
from cascade_plan.traces.rows import SPACES, Rows
from cascade_plan.traces.series import quoted
from cascade_plan.traces.times import (
    COMPACT,
    FORMS,
    NAMED,
    NUMBER,
    OF_DAY,
    UNITS,
    YEAR_LAST,
    Form,
    date_form,
    day_form,
    is_date,
    number_form,
)

TIME: Final = re.compile(
    r"[_@]?(?:time|date|when|ts|epoch|unix|bucket|minute|hour|second|period|bin).*|.*(?:time|date)"
)
"""What a column of times is called."""
COUNT: Final = re.compile(r".*(?:counts?|requests?|hits|calls|values?|sum|total|number)")
"""What a column of counts is called, so that a text in it is a mistake."""
PADDED: Final = re.compile(r"^ ", re.MULTILINE)
"""`uniq -c` pads its counts, which come first, to seven columns."""
NO_ROWS: Final = "it has a header and no row below it"
LABELS: Final = ("full label", "label")
"""First cells of the rows in which CloudWatch names its columns, above the data."""

Named = Sequence[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table."""

    first_line: int
    header: Sequence[str] | None
    """As in the file; None where it has none."""
    names: Sequence[str]
    """Of every column."""
    time: int
    values: Sequence[int]
    labels: Sequence[int]
    form: Form
    place: str
    """What a row is called."""

    def data(self, rows: Rows) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, cells) of the rows that hold data. Raises ValueError for one of another width."""
        width = len(self.names)
        for line, cells in rows:
            if line < self.first_line or cells == self.header:
                continue
            if len(cells) != width and (len(cells) < width or any(cells[width:])):
                raise ValueError(_of_another_width(f"{self.place} {line}", cells, width, self.header is not None))
            yield line, cells


def _of_another_width(place: str, cells: Sequence[str], width: int, has_header: bool) -> str:
    others = "the header has" if has_header else "others have"
    hint = "; a number with commas in it needs quotes" if len(cells) > width else ""
    return f"{place} has {len(cells)} cell{'s' * (len(cells) != 1)} where {others} {width}{hint}"


def layout(rows: Rows) -> Layout:
    """Return the columns of rows, told by the first of them.

    Raises ValueError, in words, where there are no times or no counts.
    """
    sample = rows.sample()
    if not sample:
        raise ValueError("it is empty")
    header, data = _split(sample)
    if not data:
        raise ValueError(NO_ROWS)
    names = _names(header, data)
    width = len(names)
    first = f"{rows.place} {data[0][0]}"
    columns = [[cells[column] for _, cells in data if len(cells) >= width] for column in range(width)]
    if width < 2 or not columns[0]:
        raise ValueError(_of_another_width(first, data[0][1], width, header is not None))
    is_counted_first = rows.separator == SPACES and PADDED.search(rows.text) is not None
    time = _time_column(columns, names if header else None, is_counted_first, first, data[0][1])
    others = [column for column in range(width) if column != time]
    numbers = [column for column in others if _is_value(columns[column], names[column], header is not None)]
    indices = [column for column in numbers if header is not None and _is_index(columns[column], names[column])]
    values = [column for column in numbers if column not in indices] or numbers
    labels = [column for column in others if column not in numbers and _is_label(columns[column])]
    if not values and labels:
        raise ValueError(f"{first}: {quoted(columns[labels[-1]][0])} {NO_COUNT}")
    if not values:
        raise ValueError(f"{first} has a time and no count: a trace has both (`sort | uniq -c` counts lines of times)")
    form = _form(rows, columns[time], names[time] if header else None, first, time)
    return Layout(data[0][0], header, names, time, values, labels, form, rows.place)


def _split(sample: Named) -> tuple[Sequence[str] | None, Named]:
    """Return the header, None where there is none, and the rows below it.

    A row above the first date may be a title, or one whose time is wrong: the header is the last that names a time,
    else the last without a number. CloudWatch writes what it was asked in rows above the data.
    """
    dated = next((index for index, (_, cells) in enumerate(sample) if any(map(is_date, cells))), None)
    if dated is None:
        is_header = not all(is_number(cell) or OF_DAY.fullmatch(cell) for cell in sample[0][1])
        return (sample[0][1] if is_header else None), sample[is_header:]
    # A single cell above several is a title.
    titles = [row for row in sample[:dated] if len(row[1]) == 1 < len(sample[dated][1])]
    sample = [row for row in sample if row not in titles]
    above = [cells for _, cells in sample[: dated - len(titles)]]
    for label in LABELS:
        for cells in above:
            if cells[0].lower() == label:
                return cells, sample[len(above) :]
    named = [index for index, cells in enumerate(above) if any(TIME.fullmatch(cell.lower()) for cell in cells)]
    worded = [index for index, cells in enumerate(above) if not any(cell and is_number(cell) for cell in cells)]
    if not (found := named or worded):
        return None, sample
    return above[found[-1]], sample[found[-1] + 1 :]


def _names(header: Sequence[str] | None, data: Named) -> Sequence[str]:
    """Return the name of each column: as the header has it, else by its place."""
    usual = Counter(len(cells) for _, cells in data).most_common(1)[0][0]
    cells = next(cells for _, cells in data if len(cells) == usual)
    names = list(header or [""] * len(cells))
    if header and len(names) > len(cells):
        # A date and its time of day are one cell of the data by now, and two of the header.
        at = next((index for index, cell in enumerate(cells) if is_date(cell)), 0)
        more = len(names) - len(cells)
        names[at : at + more + 1] = [" ".join(names[at : at + more + 1])]
    return [name or f"column {number}" for number, name in enumerate(names, start=1)]


def _share(cells: Sequence[str], test: Callable[[str], object]) -> float:
    there = [cell for cell in cells if cell.lower() not in NO_DATA]
    return sum(1 for cell in there if test(cell)) / len(there) if there else 0.0


def _time_column(
    columns: Sequence[Sequence[str]],
    names: Sequence[str] | None,
    is_counted_first: bool,
    first: str,
    cells: Sequence[str],
) -> int:
    """Return the column of times: of several that may be, the one named so, else the first."""
    kinds: tuple[Callable[[str], object], ...] = (is_date, OF_DAY.fullmatch)
    found: list[int] = []
    for test in kinds:
        found = found or [column for column, each in enumerate(columns) if _share(each, test) >= 0.5]
    if not found:
        found = [column for column, each in enumerate(columns) if _share(each, _is_epoch) >= 0.5]
    named = [column for column, name in enumerate(names or ()) if TIME.fullmatch(name.lower())]
    if both := [column for column in found if column in named]:
        return both[0]
    if found:
        return found[0]
    if counted := [column for column in named if (names or ())[column].lower() in NAMED]:
        return counted[0]
    if named:
        return named[0]
    if names is None and all(_share(each, NUMBER.fullmatch) >= 0.5 for each in columns):
        return 1 if is_counted_first or (len(columns) > 1 and not _rises(columns[0]) and _rises(columns[1])) else 0
    raise ValueError(f"{first}: no cell of {quoted(', '.join(cells))} is a time; times are {FORMS}")


def _rises(cells: Sequence[str]) -> bool:
    numbers = [float(cell) for cell in cells if NUMBER.fullmatch(cell)]
    return all(earlier < later for earlier, later in pairwise(numbers))


def _is_epoch(cell: str) -> bool:
    return COMPACT.fullmatch(cell) is not None or (
        NUMBER.fullmatch(cell) is not None and UNITS[0][0] <= float(cell) < UNITS[-1][1]
    )


def _is_value(cells: Sequence[str], name: str, has_header: bool) -> bool:
    there = [cell for cell in cells if cell.lower() not in NO_DATA]
    if not there:
        return has_header and any(cells)
    if _share(cells, is_date) >= 0.5:
        return False
    return _share(cells, is_number) >= 0.5 or (has_header and COUNT.fullmatch(name.lower()) is not None)


def _is_index(cells: Sequence[str], name: str) -> bool:
    """Return whether a column without a name counts the rows, as data frames are written."""
    if not name.startswith(("column ", "Unnamed")) or not all(cell.isdecimal() and len(cell) < 12 for cell in cells):
        return False
    return len(cells) > 1 and all(int(later) == int(earlier) + 1 for earlier, later in pairwise(cells))


def _is_label(cells: Sequence[str]) -> bool:
    there = [cell for cell in cells if cell.lower() not in NO_DATA]
    return bool(there) and _share(cells, is_date) < 0.5 and _share(cells, is_number) < 0.5


def _form(rows: Rows, cells: Sequence[str], name: str | None, first: str, column: int) -> Form:
    try:
        if _share(cells, is_date) >= 0.5:
            # Days are told from months by all rows, the sample's where it can be told by none.
            is_open = any(YEAR_LAST.fullmatch(cell) for cell in cells)
            return date_form([row[column] for _, row in rows if column < len(row)] if is_open else ())
        if _share(cells, OF_DAY.fullmatch) >= 0.5:
            return day_form()
        if not (numbers := [cell for cell in cells if NUMBER.fullmatch(cell)]):
            raise ValueError(f"{quoted(cells[0])} is no time; times are {FORMS}")
        return number_form(numbers, name)
    except ValueError as error:
        raise ValueError(f"{first}: {error}") from None
