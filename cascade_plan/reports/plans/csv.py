"""The bill for spreadsheets: one table, amounts unrounded."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.bill import Amounts, Item, Unpriced
from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.plan import Plan
from cascade_plan.reports._spreadsheet import written
from cascade_plan.reports.provenance import where_from

FORMAT: str = "CSV: a row for each line of the bill, unrounded; lines without a price have no price and no cost"
COLUMNS: Final = (
    "tier", "name", *(f"quantity_{level}" for level in LEVELS), "unit", "price_usd", "list_price_usd",
    *(f"cost_usd_per_month_{level}" for level in LEVELS), *(f"list_cost_usd_per_month_{level}" for level in LEVELS),
    "key", "as_of", "source", "origin", "note", "sku", "bought_count", "covered_count",
    *(f"quantity_used_{level}" for level in LEVELS), "upfront_usd", "upfront_total_usd",
)  # fmt: skip


def render(plan: Plan) -> str:
    """Return the bill as CSV with a header."""
    cloud = plan.scenario.cloud
    priced = (_priced(item, cloud) for item in plan.bill.items)
    return written(COLUMNS, (*priced, *map(_unpriced, plan.bill.unpriced)))


def _priced(item: Item, cloud: str) -> list[object]:
    return [
        *_named(item),
        item.price_usd,
        item.list_price_usd,
        *_levels(item.cost_usd),
        *_levels(item.list_cost_usd),
        *(str(item.key), item.as_of, where_from(item, cloud), item.origin, item.note, item.sku),
        item.bought_count,
        item.covered_count,
        *_levels(item.quantity_used),
        *("" if usd is None else usd for usd in (item.upfront_usd, item.upfront_total_usd)),
    ]


def _unpriced(line: Unpriced) -> list[object]:
    empty = [""] * (2 + 2 * len(LEVELS))
    return [
        *_named(line),
        *empty,
        str(line.key),
        "",
        "",
        "",
        "no price in the book",
        "",
        "",
        line.covered_count,
        *[""] * (len(LEVELS) + 2),
    ]


def _named(line: Item | Unpriced) -> list[object]:
    return [line.tier, line.name, *_levels(line.quantity), line.unit]


def _levels(money: Amounts) -> list[object]:
    return [getattr(money, level) for level in LEVELS]
