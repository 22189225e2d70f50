"""Fleet -> Bill."""

from __future__ import annotations

from cascade_plan import registry
from cascade_plan.model.bill import NOTHING, Bill, Item, Unpriced
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.price import Book


def bill_of(fleet: Fleet, book: Book) -> Bill:
    """Return the month's bill: what has a price as items, what has none as unpriced, never as zero."""
    lines = list(registry.load("clouds", book.cloud, "cloud").lines(fleet, book))
    items = tuple(line for line in lines if isinstance(line, Item))
    effective = listed = NOTHING
    for item in items:
        effective, listed = effective.plus(item.cost_usd), listed.plus(item.list_cost_usd)
    upfront_usd = sum((item.upfront_total_usd or NOTHING.floor for item in items), NOTHING.floor)
    unpriced = tuple(line for line in lines if isinstance(line, Unpriced))
    return Bill(items, unpriced, fleet.not_priced, effective, listed, upfront_usd)
