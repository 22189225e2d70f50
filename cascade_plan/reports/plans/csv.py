"""The bill for spreadsheets: one table, amounts unrounded."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO
from typing import Final

from cascade_plan.model.bill import Amounts, Item, Unpriced
from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.plan import Plan
from cascade_plan.reports.plans._words import one_line

FORMAT: str = "CSV: a row for each line of the bill, unrounded; lines without a price have no price and no cost"
FORMULA: Final = ("=", "+", "-", "@")
COLUMNS: Final = (
    "tier", "name", *(f"quantity_{level}" for level in LEVELS), "unit", "price_usd", "list_price_usd",
    *(f"cost_usd_per_month_{level}" for level in LEVELS), *(f"list_cost_usd_per_month_{level}" for level in LEVELS),
    "key", "as_of", "source", "origin", "note", "sku", "bought_count", "upfront_usd", "upfront_total_usd",
)  # fmt: skip


def render(plan: Plan) -> str:
    """Return the bill as CSV with a header."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_priced(item) for item in plan.bill.items)
    writer.writerows(_unpriced(line) for line in plan.bill.unpriced)
    return out.getvalue()


def _priced(item: Item) -> list[str]:
    return [
        *_named(item),
        _number(item.price_usd),
        _number(item.list_price_usd),
        *_levels(item.cost_usd),
        *_levels(item.list_cost_usd),
        *(_text(text) for text in (str(item.key), item.as_of, item.source, item.origin, item.note, item.sku)),
        _number(item.bought_count),
        *("" if usd is None else _number(usd) for usd in (item.upfront_usd, item.upfront_total_usd)),
    ]


def _unpriced(line: Unpriced) -> list[str]:
    empty = [""] * (2 + 2 * len(LEVELS))
    return [*_named(line), *empty, _text(str(line.key)), "", "", "", "no price in the book", "", "", "", ""]


def _named(line: Item | Unpriced) -> list[str]:
    return [_text(line.tier), _text(line.name), *_levels(line.quantity), _text(line.unit)]


def _levels(money: Amounts) -> list[str]:
    return [_number(getattr(money, level)) for level in LEVELS]


def _number(amount: Decimal) -> str:
    return f"{amount:f}"


def _text(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe before what begins like one."""
    line = one_line(text)
    return f"'{line}" if line.startswith(FORMULA) else line
