"""Amazon Web Services: the lines of the bill for a fleet."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cascade_plan.formulas.commitments import bought, break_even, exact_share
from cascade_plan.model.bill import Amounts, Item, Unpriced
from cascade_plan.model.fleet import Band, Fleet, NodeGroup, Usage
from cascade_plan.model.price import Book, PriceKey
from cascade_plan.model.terms import TermShare, commitment_of
from cascade_plan.units import HOURS_PER_MONTH, QUANTUM, quantity

NONE = Decimal(0)
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
    """Yield instance hours by term: together they are the group's hours at every level, on demand what others leave."""
    hours = left = _exact(group.count.times(HOURS_PER_MONTH))
    on_demand = PriceKey(group.shape.service, group.shape.name, group.variant)
    label = f"{group.name} ({_described(group)})"
    for part in group.terms:
        count = bought(part, group.count.floor)
        taken = _hours(part, count, hours).least(left)
        left = left.minus(taken)
        if taken.ceiling:
            key = on_demand._replace(term=part.term)
            yield _line(f"{label}, {part.term}", group.tier, taken, "hour", key, book, count)
    if left.ceiling:
        yield _line(label + _rest(group.terms), group.tier, left, "hour", on_demand, book)


def _hours(part: TermShare, count: Decimal, hours: Amounts) -> Amounts:
    """Return the hours a term pays for: a commitment those of what it bought, spot its share of what runs."""
    if commitment_of(part.term) is None:
        return hours.times(exact_share(part)).each(lambda level: level.quantize(QUANTUM))
    always = (count * HOURS_PER_MONTH).quantize(QUANTUM)
    return Amounts(always, always, always, always)


def _rest(terms: tuple[TermShare, ...]) -> str:
    """Return what is added to the name of the line for what other terms leave."""
    if not terms:
        return ""
    whole = len(terms) == 1 and terms[0].share == 1
    return ", above the reservation" if whole and terms[0].term.startswith("reserved") else ", on demand"


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


def _line(
    name: str, tier: str, amount: Amounts, unit: str, key: PriceKey, book: Book, count: Decimal = NONE
) -> Item | Unpriced:
    """Return a line of the bill; `count` is the number of instances that its commitment is bought for."""
    price, on_demand, listed_usd = book.find(*key), book.find(*key._replace(term="on_demand")), book.listed(key)
    if price is None or on_demand is None or listed_usd is None:
        return Unpriced(name, tier, amount, unit, key if price is None else key._replace(term="on_demand"))
    if price.unit != unit:
        raise AssertionError(f"{price.key} is priced per {price.unit}, the fleet counts {unit}")
    commitment = commitment_of(key.term)
    return Item(
        name=name,
        tier=tier,
        quantity=amount,
        unit=unit,
        price_usd=price.usd,
        list_price_usd=listed_usd,
        cost_usd=amount.times(price.usd),
        list_cost_usd=amount.times(listed_usd),
        key=price.key,
        as_of=price.as_of,
        source=price.source,
        note=price.note,
        origin=price.origin,
        sku=price.sku,
        upfront_usd=price.first_day_usd,
        bought_count=count,
        break_even=break_even(commitment, price, on_demand.usd) if commitment else None,
    )


def _exact(amount: Band) -> Amounts:
    return Amounts(*(quantity(level) for level in amount))
