"""What Cost Explorer's page saves by "Download as CSV": services or usage types across, days or months down.

Grouped by usage type the layout is taken to be that by service: no such file was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from cascade_plan.errors import Problem, ScenarioError
from cascade_plan.evidence.bill_file import MOST_AMOUNT, NOT_THERE, BillFile
from cascade_plan.evidence.texts import quoted
from cascade_plan.model.actuals import Line

READS: str = "Cost Explorer's CSV"
FIRST: Final = ("Service", "Usage type")
TOTAL: Final = re.compile(r"Total costs?\s*\(", re.ASCII)
_COLUMN: Final = re.compile(r"(.*)\((\$|[A-Z]{3})\)", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
CURRENCY: Final = {"$": "USD"}


def claims(file: BillFile) -> bool:
    """Return whether a file's header is that of Cost Explorer's CSV."""
    return file.columns[:1] != () and file.columns[0] in FIRST and bool(TOTAL.match(file.columns[-1]))


def read(file: BillFile, tags: Sequence[str]) -> Iterator[Line]:
    """Yield a line for each service, or usage type, of each day or month; it has an amount of money and no more.

    Raises UsageError, with every problem and its line, for cells that are no amounts.
    """
    rows = file.rows()
    next(rows, None)
    problems: list[Problem] = []
    found: list[Line] = []
    for number, row in rows:
        if not row or not _DAY.fullmatch(row[0]):
            continue  # the row of totals
        if len(row) != len(file.columns):
            message = f"{len(row)} fields for {len(file.columns)} columns: the row is cut short"
            problems.append(Problem(file.name, number, 1, "", message))
            continue
        found += _lines(file, number, row, problems)
    if problems:
        raise ScenarioError(problems)
    return iter(found)


def _lines(file: BillFile, number: int, row: Sequence[str], problems: list[Problem]) -> Iterator[Line]:
    by_usage = file.columns[0] == FIRST[1]
    for header, cell in zip(file.columns[1:-1], row[1:-1], strict=True):
        if cell in NOT_THERE:
            continue
        try:
            amount = Decimal(cell)
        except ArithmeticError:
            amount = Decimal("NaN")
        if not amount.is_finite() or not -MOST_AMOUNT < amount < MOST_AMOUNT:
            problems.append(Problem(file.name, number, 1, quoted(header)[1:-1], f"{quoted(cell)} is no amount"))
            continue
        match = _COLUMN.fullmatch(header)
        name, currency = (match.group(1), match.group(2)) if match else (header, "")
        yield _of(name.strip(), CURRENCY.get(currency, currency), row[0], amount, by_usage)


def _of(name: str, currency: str, day: str, amount: Decimal, by_usage: bool) -> Line:
    return Line(
        kind="tax" if name == "Tax" else "usage",
        month=day[:7],
        service="" if by_usage else name,
        usage_type=name if by_usage else "",
        operation="",
        region="",
        unit="",
        currency=currency,
        account="",
        sku="",
        description="",
        is_committed=False,
        tags={},
        quantity=None,
        billed_usd=amount,
        effective_usd=amount,
        listed_usd=amount,
        row_count=1,
        until="",
    )
