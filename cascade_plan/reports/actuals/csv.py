"""A month's bill beside the plan as a table for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cascade_plan.model.actuals import PARTS, Actuals
from cascade_plan.reports import _spreadsheet

FORMAT: str = "CSV: a row a line of the plan, of what is not in it, and of the way to the invoice"
COLUMNS: Final = (
    "kind", "name", "tiers", "unit", "quantity_planned", "quantity_for_actual_users", "quantity_actual", "plan_usd",
    "actual_usd", "difference_usd", *(f"{part}_usd" for part in PARTS),
)  # fmt: skip


def render(actuals: Actuals) -> str:
    """Return the month as CSV: amounts unrounded; the rows of a kind add up, kinds do not."""
    return _spreadsheet.written(COLUMNS, _rows(actuals))


def _rows(found: Actuals) -> Iterator[tuple[object, ...]]:
    for each in found.variances:
        amounts = (each.plan.unit_count, each.flexed.unit_count, each.actual.unit_count)
        usd = (each.plan.cost_usd, each.actual.cost_usd, each.difference_usd)
        parts = tuple(each.parts_usd.get(part, Decimal(0)) for part in PARTS)
        yield ("plan", each.name, " ".join(each.tiers), each.unit, *amounts, *usd, *parts)
    for extra in found.unplanned:
        name = f"{extra.service} {extra.usage_type}".strip()
        quantity = "" if extra.quantity is None else extra.quantity
        usd = (Decimal(0), extra.effective_usd, extra.effective_usd)
        yield (
            "not in the plan",
            name,
            "",
            extra.unit,
            "",
            "",
            quantity,
            *usd,
            *_only("unplanned", extra.effective_usd),
        )
    if found.unused_usd:
        usd = (Decimal(0), found.unused_usd, found.unused_usd)
        yield ("commitments not used", "", "", "", "", "", "", *usd, *_only("unused", found.unused_usd))
    total = (found.plan_usd, found.actual_usd, found.difference_usd)
    yield ("total", "", "", "", "", "", "", *total, *(found.parts_usd[part] for part in PARTS))
    empty = ("",) * len(PARTS)
    for words, amount in found.invoice_usd:
        yield ("invoice", words, "", "", "", "", "", "", amount, "", *empty)
    yield ("invoice", "billed", "", "", "", "", "", "", found.billed_usd, "", *empty)


def _only(part: str, usd: Decimal) -> tuple[Decimal, ...]:
    return tuple(usd if each == part else Decimal(0) for each in PARTS)
