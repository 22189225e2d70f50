"""The rows of a portfolio in a file, CSV or Parquet by its name: whole, or not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.files.disk import replacing
from cascade_plan.inputs.portfolios import parquet_module
from cascade_plan.model.portfolio import Row
from cascade_plan.reports.rows import cells, columns, csv_line

ENDINGS: Final = (".csv", ".parquet")
GROUP: Final = 10_000
"""Rows that are in memory at a time."""
WHOLE: Final = ("exit_code", "users_peak", "users_average")
MONEY: Final = ("cost_usd_per_month.", "budget_usd_", "over_budget_usd")


def checked(path: str) -> None:
    """Raise UsageError for a file of rows that is neither CSV nor Parquet by its name, or cannot be written here."""
    if not path.endswith(ENDINGS):
        raise UsageError(f"--rows {path}: the name must end in {' or '.join(ENDINGS)}")
    if path.endswith(".parquet"):
        parquet_module(f"--rows {path}")


def write(path: str, rows: Iterable[Row], tags: Sequence[str], answers: Sequence[str]) -> None:
    """Write all rows, in their order. Raises UsageError when the file cannot be written; the old one is untouched."""
    names = columns(tags, answers)
    with replacing(path) as beside:
        if path.endswith(".parquet"):
            _parquet(str(beside), names, (cells(row, tags, answers) for row in rows))
            return
        with beside.open("x", encoding="utf-8", newline="") as file:
            file.write(csv_line(names))
            file.writelines(csv_line(cells(row, tags, answers)) for row in rows)


def _parquet(path: str, names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    """Write rows as Parquet: counts whole, money as numbers of 64 bits, all else as text."""
    import pyarrow

    parquet = parquet_module(path)
    schema = pyarrow.schema([(name, _type(pyarrow, name)) for name in names])
    with parquet.ParquetWriter(path, schema) as writer:
        while group := list(islice(rows, GROUP)):
            values = ([_plain(cell) for cell in column] for column in zip(*group, strict=True))
            arrays = [pyarrow.array(column, field.type) for column, field in zip(values, schema, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _type(pyarrow: Any, name: str) -> Any:
    if name in WHOLE:
        return pyarrow.int64()
    if name == "is_complete":
        return pyarrow.bool_()
    return pyarrow.float64() if name.startswith(MONEY) else pyarrow.string()


def _plain(cell: Any) -> Any:
    return float(cell) if isinstance(cell, Decimal) else cell
