"""Rows of cells from text, whatever separates them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from cascade_plan.traces.numbers import is_number
from cascade_plan.traces.times import DATE, NUMBER, OF_DAY, is_date

SEPARATORS: Final = ("\t", ";", "|", ",")
SPACES: Final = " "
NAMES: Final = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", SPACES: "spaces"}
SAMPLED: Final = 200
"""Rows by which a file's form is told."""
DECLARED: Final = re.compile(r"sep=(.)")
"""First line of what Grafana and others write for Excel."""
RULE: Final = re.compile(r"[|+ ]*-{2,}[-|+: ]*|\(\d+ rows?\)")
"""What tables drawn with characters have between their rows, and below them."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a text, as often as they are asked for; blank lines and comments are left out."""

    text: str
    separator: str
    place: str = "line"
    """What a row is called."""
    above: int = 0
    """Lines of the text above the first row that has a number."""

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, cells). Raises ValueError for what is no CSV."""
        if self.separator == SPACES:
            for number, line in enumerate(_lines(self.text), start=1):
                if cells := line.split():
                    yield number - self.above, _joined([cell.strip('"') for cell in cells])
            return
        reader = csv.reader(_lines(self.text), delimiter=self.separator, skipinitialspace=True)
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise ValueError(f"{self.place} {reader.line_num - self.above}: {_in_words(error)}") from None
            if row is None:
                return
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num - self.above, _joined(cells)

    def sample(self) -> list[tuple[int, list[str]]]:
        """Return the first rows."""
        return list(islice(self, SAMPLED))


def _in_words(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a field of more than {csv.field_size_limit():,} characters"
    return f"not CSV: {error}"


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text without their ends; comments and the line that declares the separator are empty."""
    start, end = 0, len(text)
    while start < end:
        stop = text.find("\n", start)
        stop = end if stop < 0 else stop
        line = text[start:stop]
        is_none = line.startswith("#") or RULE.fullmatch(line) or (start == 0 and DECLARED.fullmatch(line.strip('"')))
        yield "" if is_none else line
        start = stop + 1


def _joined(cells: list[str]) -> list[str]:
    """Return cells with a date, the time of day beside it, and its half of the day or zone in one."""
    for index in range(len(cells) - 1):
        cell, beside = cells[index], cells[index + 1]
        if len(cell) <= 10 and DATE.fullmatch(cell) and OF_DAY.fullmatch(beside):
            last = index + 2
            whole = f"{cell} {beside}"
            while last < len(cells) and re.fullmatch(r"[AaPp][Mm]|[+-]\d\d:?\d\d|UTC|GMT", cells[last]):
                whole, last = f"{whole} {cells[last]}", last + 1
            return [*cells[:index], whole, *cells[last:]]
    return cells


def rows_of(text: str) -> Rows:
    """Return a text's rows, split by what makes most of them times and numbers.

    Raises ValueError when nothing does.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if found := DECLARED.match(text.lstrip('"')):
        return Rows(text, found[1])
    fallback = None
    for separator in (*SEPARATORS, SPACES):
        rows = Rows(text, separator)
        sample = rows.sample()
        widths = Counter(len(cells) for _, cells in sample)
        width, count = widths.most_common(1)[0] if widths else (0, 0)
        if width < 2 or count < 0.5 * len(sample):
            continue
        wide = [cells for _, cells in sample if len(cells) == width]
        is_guessed = separator == SPACES and fallback is not None
        if any(_is_one(cells) and (not is_guessed or any(map(is_date, cells))) for cells in wide):
            return rows
        fallback = fallback or rows
    if fallback is None and any(is_date(" ".join(cells)) for _, cells in Rows(text, SPACES).sample()):
        raise ValueError("its lines are times without counts: `sort FILE | uniq -c` counts them")
    if fallback is None:
        raise ValueError(
            "its lines are no columns of times and counts, with commas, semicolons, tabs or spaces between"
        )
    return fallback


def _is_one(cells: list[str]) -> bool:
    """Return whether cells may be a row of a trace: a time, and a number beside it."""
    times = [cell for cell in cells if is_date(cell) or OF_DAY.fullmatch(cell)] or [
        cell for cell in cells if NUMBER.fullmatch(cell)
    ][:1]
    return bool(times) and any(is_number(cell) for cell in cells if cell is not times[0])
