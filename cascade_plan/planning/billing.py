"""Fleet -> Bill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cascade_plan import registry
from cascade_plan.model.bill import NOTHING, Amounts, Bill, Item, Unpriced
from cascade_plan.model.fleet import Fleet, Usage
from cascade_plan.model.price import Book


def bill_of(fleet: Fleet, book: Book, not_priced: tuple[str, ...] = ()) -> Bill:
    """Return the month's bill: what has a price as items, what has none as unpriced, never as zero.

    `not_priced` is what no tier of the fleet covers, in words.
    """
    lines = list(_lines(fleet, book))
    items = tuple(line for line in lines if isinstance(line, Item))
    effective, listed = _sum(items), NOTHING
    for item in items:
        listed = listed.plus(item.list_cost_usd)
    upfront_usd = sum((item.upfront_total_usd or NOTHING.floor for item in items), NOTHING.floor)
    unpriced = tuple(line for line in lines if isinstance(line, Unpriced))
    left_out = (*not_priced, *fleet.not_priced)
    return Bill(items, unpriced, left_out, effective, listed, upfront_usd, tuple(_year(fleet, book, effective)))


def _year(fleet: Fleet, book: Book, now: Amounts) -> Iterator[Amounts]:
    """Yield what each month of the first year costs: this month, with what accumulates as it is by then."""
    growing = [usage for usage in fleet.usages if usage.amount_monthly]
    if not growing:
        return
    others = now.minus(_cost(growing, fleet, book))
    for month in range(len(growing[0].amount_monthly)):
        yield others.plus(_cost([replace(usage, amount=usage.amount_monthly[month]) for usage in growing], fleet, book))


def _cost(usages: list[Usage], fleet: Fleet, book: Book) -> Amounts:
    """Return what some usages of a fleet cost together, as far as they have a price."""
    tiers = {
        name: replace(sized, groups=(), usages=tuple(usage for usage in usages if usage.tier == name))
        for name, sized in fleet.tiers.items()
    }
    return _sum(line for line in _lines(replace(fleet, tiers=tiers), book) if isinstance(line, Item))


def _lines(fleet: Fleet, book: Book) -> Iterator[Item | Unpriced]:
    yield from registry.load("clouds", book.cloud, "cloud").lines(fleet, book)


def _sum(items: Iterable[Item]) -> Amounts:
    total = NOTHING
    for item in items:
        total = total.plus(item.cost_usd)
    return total
