"""Amazon Web Services: the lines of the bill for a fleet."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cascade_plan.model.bill import Amounts, Item, Unpriced
from cascade_plan.model.fleet import Band, Fleet, NodeGroup, Usage
from cascade_plan.model.price import Book, Price, PriceKey
from cascade_plan.units import HOURS_PER_MONTH, quantity

DISK = PriceKey("ebs", "gp3-storage")


def lines(fleet: Fleet, book: Book) -> Iterator[Item | Unpriced]:
    """Yield a line for everything the fleet uses: priced from the book, or Unpriced where the book has no row."""
    for group in fleet.groups:
        yield from _instance_lines(group, book)
        if group.disk_gib:
            volumes = _exact(group.count.times(group.disk_gib))
            yield _line(f"{group.name} volumes (gp3)", group.tier, volumes, "gib_month", DISK, book)
    for usage in fleet.usages:
        yield from (_tiered_lines(usage, book) if usage.tiered else [_usage_line(usage, book)])


def _instance_lines(group: NodeGroup, book: Book) -> Iterator[Item | Unpriced]:
    """Yield instance hours by term. A reservation covers the count that runs all month; the rest is on demand."""
    hours = _exact(group.count.times(HOURS_PER_MONTH))
    on_demand = PriceKey(group.shape.service, group.shape.name, group.variant)
    label = f"{group.name} ({_described(group)})"
    if not group.term.startswith("reserved"):
        key = on_demand._replace(term=group.term)
        spot = "" if group.term == "on_demand" else f", {group.term}"
        yield _line(label + spot, group.tier, hours, "hour", key, book)
        return
    always = Amounts(hours.floor, hours.floor, hours.floor, hours.floor)
    above = Amounts(*(level - hours.floor for level in (hours.floor, hours.average, hours.peak, hours.ceiling)))
    key = on_demand._replace(term=group.term)
    yield _line(f"{label}, {group.term}", group.tier, always, "hour", key, book)
    if above.ceiling:
        yield _line(f"{label}, above the reservation", group.tier, above, "hour", on_demand, book)


def _described(group: NodeGroup) -> str:
    return f"{group.shape.name}, multi-AZ" if group.variant == "multi_az" else group.shape.name


def _usage_line(usage: Usage, book: Book) -> Item | Unpriced:
    key = PriceKey(usage.service, usage.item, usage.variant)
    return _line(usage.name, usage.tier, _exact(usage.amount), usage.unit, key, book)


def _tiered_lines(usage: Usage, book: Book) -> Iterator[Item | Unpriced]:
    """Yield a line for each price tier that the largest amount reaches: each tier's own amount at its own price."""
    amount = _exact(usage.amount)
    prices = book.variants(usage.service, usage.item)
    if not prices:
        key = PriceKey(usage.service, usage.item)
        yield Unpriced(usage.name, usage.tier, amount, usage.unit, key)
    for price in prices:
        start, end = _bounds(price.key.variant)
        within = Amounts(
            *(_within(level, start, end) for level in (amount.floor, amount.average, amount.peak, amount.ceiling))
        )
        if within.ceiling or start == 0:
            tier = f"{start:,}-{end:,}" if end is not None else f"above {start:,}"
            yield _line(f"{usage.name} ({tier} GiB)", usage.tier, within, usage.unit, price.key, book)


def _bounds(variant: str) -> tuple[Decimal, Decimal | None]:
    start, _, end = variant.partition("-")
    return Decimal(start), Decimal(end) if end else None


def _within(amount: Decimal, start: Decimal, end: Decimal | None) -> Decimal:
    top = amount if end is None else min(amount, end)
    return max(Decimal(0), top - start)


def _line(name: str, tier: str, amount: Amounts, unit: str, key: PriceKey, book: Book) -> Item | Unpriced:
    price, listed = book.find(*key), book.find(*key._replace(term="on_demand"))
    if price is None or listed is None:
        return Unpriced(name, tier, amount, unit, key if price is None else key._replace(term="on_demand"))
    return _priced(name, tier, amount, unit, price, listed.usd)


def _priced(name: str, tier: str, amount: Amounts, unit: str, price: Price, list_price_usd: Decimal) -> Item:
    if price.unit != unit:
        raise AssertionError(f"{price.key} is priced per {price.unit}, the fleet counts {unit}")
    return Item(
        name=name,
        tier=tier,
        quantity=amount,
        unit=unit,
        price_usd=price.usd,
        list_price_usd=list_price_usd,
        cost_usd=amount.times(price.usd),
        list_cost_usd=amount.times(list_price_usd),
        key=price.key,
        as_of=price.as_of,
        source=price.source,
        note=price.note,
        origin=price.origin,
    )


def _exact(amount: Band) -> Amounts:
    return Amounts(*(quantity(level) for level in amount))
