"""Fleet -> Bill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cascade_plan import registry
from cascade_plan.model.bill import NOTHING, Amounts, Bill, Item, Unpriced
from cascade_plan.model.fleet import Band, Fleet, Sized, Usage
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
    known: dict[tuple[Band, ...], Amounts] = {}
    for amounts in zip(*(usage.amount_monthly for usage in growing), strict=True):
        if amounts not in known:
            grown = [_of_amount(usage, amount) for usage, amount in zip(growing, amounts, strict=True)]
            known[amounts] = others.plus(_cost(grown, fleet, book))
        yield known[amounts]


def _of_amount(usage: Usage, amount: Band) -> Usage:
    return Usage(usage.tier, usage.name, usage.offer, amount, usage.unit, usage.price_usd, usage.source, usage.group)


def _cost(usages: list[Usage], fleet: Fleet, book: Book) -> Amounts:
    """Return what some usages of a fleet cost together, as far as they have a price."""
    alone = Fleet({"": Sized("", "", usages=tuple(usages))}, fleet.hours_per_month)
    return _sum(line for line in _lines(alone, book) if isinstance(line, Item))


def _lines(fleet: Fleet, book: Book) -> Iterator[Item | Unpriced]:
    yield from registry.load("clouds", book.cloud, "cloud").lines(fleet, book)


def _sum(items: Iterable[Item]) -> Amounts:
    total = NOTHING
    for item in items:
        total = total.plus(item.cost_usd)
    return total
