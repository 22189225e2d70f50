"""A workbook that finance recomputes in: live formulas beside their values, and text that is never a formula."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final, NamedTuple

from cascade_plan.errors import UsageError
from cascade_plan.reports._words import one_line

EXTRA: Final = "pip install 'cascade-plan[xlsx]'"
CREATED: Final = datetime(2000, 1, 1)  # noqa: DTZ001  (a workbook's times have no zone)
"""When every workbook says it was made: the same plan is the same bytes."""
FORMS: Final = {
    "usd": "#,##0.00",
    "price": "#,##0.00####",
    "count": "#,##0.##",
    "whole": "#,##0",
    "percent": "0.0##",
    "month": "yyyy-mm",
    "text": "@",
}
WIDEST: Final = 60
"""Characters of a column."""


class Formula(NamedTuple):
    """A formula and its value, which is what a viewer shows that does not compute."""

    text: str
    value: float


Cell = str | int | float | Decimal | date | Formula | None


class Book:
    """A workbook that is written sheet by sheet."""

    def __init__(self) -> None:
        """Begin a workbook. Raises UsageError where the extra is missing."""
        try:
            from xlsxwriter import Workbook
        except ImportError:
            raise UsageError(f"a workbook is written by XlsxWriter, which is not installed: {EXTRA}") from None
        self._file = BytesIO()
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = Workbook(self._file, options)
        self._book.set_properties({"created": CREATED, "author": "cascade-plan"})
        self._book.set_calc_mode("auto")
        self._forms: dict[tuple[str, bool], Any] = {}

    def form(self, kind: str, is_bold: bool = False) -> Any:
        """Return the format of a kind of cell."""
        if (kind, is_bold) not in self._forms:
            given = {"num_format": FORMS[kind], "bold": is_bold, "valign": "top"}
            self._forms[kind, is_bold] = self._book.add_format(given)
        return self._forms[kind, is_bold]

    def sheet(self, name: str) -> Sheet:
        """Return a new sheet, which rows are added to."""
        return Sheet(self, self._book.add_worksheet(name), name)

    def name(self, name: str, cell: str) -> None:
        """Give a cell a name that formulas use."""
        self._book.define_name(name, f"={cell}")

    def chart(self, kind: dict[str, str]) -> Any:
        """Return a new chart of the workbook's own."""
        return self._book.add_chart(kind)

    def bytes(self) -> bytes:
        """Return the workbook as a file."""
        self._book.close()
        return self._file.getvalue()


class Sheet:
    """A sheet whose rows are written one after the other."""

    def __init__(self, book: Book, sheet: Any, name: str) -> None:
        self._book, self.raw, self.name = book, sheet, name
        self._widths: dict[int, int] = {}
        self.row = 0
        """The row that is written next, 0 the first."""

    def add(self, cells: Sequence[Cell], kinds: Sequence[str] = (), is_bold: bool = False) -> int:
        """Write a row and return its number as formulas say it, 1 the first; kinds are text where none is given."""
        for column, cell in enumerate(cells):
            kind = kinds[column] if column < len(kinds) else "text"
            self._write(column, cell, self._book.form(kind, is_bold))
        self.row += 1
        return self.row

    def skip(self) -> None:
        """Leave a row empty."""
        self.row += 1

    def head(self, cells: Sequence[str]) -> None:
        """Write a heading that stays in view when the rows below it are moved."""
        self.add(cells, is_bold=True)
        self.raw.freeze_panes(self.row, 1)

    def _write(self, column: int, cell: Cell, form: Any) -> None:
        shown = ""
        if isinstance(cell, Formula):
            self.raw.write_formula(self.row, column, cell.text, form, cell.value)
            shown = f"{cell.value:,.2f}"
        elif isinstance(cell, date):
            self.raw.write_datetime(self.row, column, datetime(cell.year, cell.month, cell.day), form)  # noqa: DTZ001
            shown = "0000-00"
        elif isinstance(cell, str):
            shown = one_line(cell)
            self.raw.write_string(self.row, column, shown, form)
        elif cell is not None:
            self.raw.write_number(self.row, column, float(cell), form)
            shown = f"{float(cell):,.2f}"
        self._widths[column] = min(WIDEST, max(self._widths.get(column, 8), len(shown) + 2))
        self.raw.set_column(column, column, self._widths[column])


def column(index: int) -> str:
    """Return a column's letters.

    >>> column(0), column(25), column(26)
    ('A', 'Z', 'AA')
    """
    found = ""
    index += 1
    while index:
        index, left = divmod(index - 1, 26)
        found = chr(65 + left) + found
    return found


def total(letter: str, first: int, last: int, values: Sequence[float]) -> Formula:
    """Return the sum of a column's rows."""
    from math import fsum

    return Formula(f"=SUM({letter}{first}:{letter}{last})", fsum(values))
