"""What evidence is read from: a file of results in lines, as a table, as a JSON document, or whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO, TextIOWrapper
from math import isfinite
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias

from cascade_plan.errors import UsageError
from cascade_plan.units import counted

MOST_BYTES: Final = 2**31
"""Of a file that is read a line at a time: a million requests are less in any of these forms."""
MOST_WHOLE: Final = 2**26
"""Characters of a file that is read whole: a summary of ten thousand routes is a tenth of this."""
LONGEST_LINE: Final = 2**20
HEAD_BYTES: Final = 4096
SEPARATORS: Final = (",", ";", "\t", "|")
MOST_NUMBER: Final = 1e15
"""No run has as many requests, milliseconds or bytes: a larger number is a mistake, and no float holds it exactly."""


@dataclass(frozen=True)
class Text:
    """A file of results: its name and a way to read it from its start, as often as it is asked for."""

    name: str
    opened: Callable[[], BinaryIO]

    @cached_property
    def head(self) -> bytes:
        """Its first bytes."""
        with self.opened() as file:
            return file.read(HEAD_BYTES)

    @cached_property
    def opening(self) -> str:
        """Its first characters, whatever they are: what kind of file it is can be told from them."""
        return self.head.decode(self._encoding, errors="replace").lstrip("\ufeff")

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The fields of its first line that is not blank, as a table's header."""
        line = next((line for line in self.opening.splitlines() if line.strip()), "")
        try:
            return tuple(name.strip() for name in next(csv.reader([line], delimiter=separator(line)), ()))
        except csv.Error:
            return ()

    @cached_property
    def document(self) -> Any:
        """The JSON document that it is; None when it is none, as where each line is one."""
        opening = self.opening.strip()
        if not opening.startswith(("{", "[")) or (self.first is not None and "\n" in opening):
            return None
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @cached_property
    def first(self) -> Any:
        """The JSON document that its first line is; None when it is none."""
        line = self.opening.lstrip().split("\n", 1)[0]
        try:
            return json.loads(line) if line.startswith("{") else None
        except (ValueError, RecursionError):
            return None

    @cached_property
    def text(self) -> str:
        """The whole of it. Raises UsageError, in one line, when it is too long or is not text."""
        with self._reader() as reader:
            try:
                text = reader.read(MOST_WHOLE + 1)
            except UnicodeError:
                raise UsageError(f"{self.name}:{self._bad_line()}: not UTF-8 text") from None
        if len(text) > MOST_WHOLE:
            raise UsageError(f"{self.name}: larger than the {MOST_WHOLE:,} characters allowed")
        return text

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield its lines with their numbers, one at a time in memory.

        Raises UsageError naming the line that is too long or is not text, and when the file is too large.
        """
        read = number = 0
        with self._reader() as reader:
            while True:
                number += 1
                try:
                    line = reader.readline(LONGEST_LINE + 1)
                except UnicodeError:
                    raise UsageError(f"{self.name}:{self._bad_line()}: not UTF-8 text") from None
                if not line:
                    return
                read += len(line)
                if len(line) > LONGEST_LINE:
                    raise UsageError(f"{self.name}:{number}: longer than the {LONGEST_LINE:,} characters of a line")
                if read > MOST_BYTES:
                    raise UsageError(f"{self.name}: larger than the {MOST_BYTES:,} characters allowed")
                yield number, line

    @property
    def _encoding(self) -> str:
        # Windows' own shell writes what a program prints as UTF-16.
        return "utf-16" if self.head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"

    def _bad_line(self) -> int:
        """Return the first line that is not text: a reader that decodes ahead does not tell."""
        with self.opened() as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
                try:
                    line.decode()
                except UnicodeError:
                    return number
        return 1

    def _reader(self) -> TextIOWrapper:
        return TextIOWrapper(self.opened(), encoding=self._encoding, newline="")


Beside: TypeAlias = Callable[[str], Text | None]
"""A way to another file by its name: None when there is no such file."""


def held(name: str, content: str | bytes) -> Text:
    """Return a file of results that is in memory."""
    data = content.encode() if isinstance(content, str) else content
    return Text(name, lambda: BytesIO(data))


def separator(line: str) -> str:
    """Return what separates the fields of a line: the one there is most of.

    >>> separator("a,b"), separator('"a;b";c;d'), separator("a")
    (',', ';', ',')
    """
    return max(SEPARATORS, key=line.count)


class Row(NamedTuple):
    """A row of a table: its line in the file, its fields in the columns' order."""

    line: int
    fields: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file's columns and where each stands; its rows are read when they are asked for."""

    file: Text
    columns: Mapping[str, int]
    separator: str

    def rows(self) -> Iterator[Row]:
        """Yield the rows. Raises UsageError naming the line that is no row of the table, as one cut short."""
        reader = csv.reader((line for _, line in self.file.lines()), delimiter=self.separator, strict=True)
        is_header = True
        try:
            for fields in reader:
                if len(fields) < len(self.columns) and not any(field.strip() for field in fields):
                    continue
                if is_header:
                    is_header = False
                    continue
                if len(fields) < len(self.columns):
                    raise UsageError(
                        f"{self.file.name}:{reader.line_num}: {counted(len(fields), 'field')} for "
                        f"{len(self.columns)} columns: the row is cut short"
                    )
                yield Row(reader.line_num, fields)
        except csv.Error as error:
            raise UsageError(f"{self.file.name}:{reader.line_num}: no CSV: {error}") from None

    def text(self, row: Row, column: str) -> str:
        """Return a field; "" in a column that the table does not have."""
        index = self.columns.get(column)
        return "" if index is None else row.fields[index]

    def number(self, row: Row, column: str) -> float:
        """Return a field as a number of 0 or more. Raises UsageError naming line and column for anything else."""
        field = row.fields[self.columns[column]]
        if self.separator != ",":
            field = field.replace(",", ".")
        try:
            value = float(field)
        except ValueError:
            value = -1.0
        # Where it stands is put into words only where it is asked for: a million rows have three million numbers.
        return value if 0 <= value <= MOST_NUMBER else number(f"{self.file.name}:{row.line}", column, field)

    def count(self, row: Row, column: str) -> int:
        """Return a field as a whole number of 0 or more. Raises UsageError as `number` does."""
        field = row.fields[self.columns[column]]
        if field.isdecimal() and len(field) <= 15:
            return int(field)
        return whole(f"{self.file.name}:{row.line}", column, field)


def table(file: Text, columns: Sequence[str], what: str) -> Table:
    """Return a CSV file as a table. Raises UsageError when it is empty or has not these columns."""
    if not file.header:
        raise UsageError(f"{file.name}: the file is empty")
    if missing := [column for column in columns if column not in file.header]:
        raise UsageError(f"{file.name}:1: not {what}: it has no column {', '.join(missing)}")
    line = next(line for line in file.opening.splitlines() if line.strip())
    # Of two columns of one name the first counts.
    places = {name: place for place, name in reversed(list(enumerate(file.header)))}
    return Table(file, places, separator(line))


def number(where: str, name: str, value: object) -> float:
    """Return a number of 0 or more. Raises UsageError saying where it stands and what it is called."""
    try:
        found = -1.0 if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        found = -1.0
    if not isfinite(found) or not 0 <= found <= MOST_NUMBER:
        raise UsageError(f"{where}: {name} must be a number from 0 to {MOST_NUMBER:.0e}, not {quoted(value)}")
    return found


def whole(where: str, name: str, value: object) -> int:
    """Return a whole number of 0 or more. Raises UsageError as `number` does."""
    found = number(where, name, value)
    if found != int(found):
        raise UsageError(f"{where}: {name} must be a whole number, not {quoted(value)}")
    return int(found)


def quoted(value: object) -> str:
    """Return what a file holds for a message: short, on one line, of printable ASCII."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MOST_NUMBER:
        return "a larger one" if value > 0 else "a negative one"  # Python refuses to print some of them
    return ascii(value if isinstance(value, str | int | float | bool | None) else type(value).__name__)[:40]
