"""Fleet -> lines of a bill: the arithmetic that every cloud shares. A cloud adds its keys and its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache, partial
from typing import Final

from cascade_plan.errors import PriceError
from cascade_plan.model.bill import Amounts, Item, Unpriced
from cascade_plan.model.catalogue import DiskRate
from cascade_plan.model.commitments import Lot, Size, break_even, exact_share, lot
from cascade_plan.model.fleet import Band, Fleet, NodeGroup, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.price import UNITS, Book, Price, PriceKey
from cascade_plan.model.terms import TermShare, commitment_of
from cascade_plan.prices.products import PriceList
from cascade_plan.units import QUANTUM, quantity

NONE: Final = Decimal(0)
ON_DEMAND: Final = "on_demand"
DISK: Final = Offer("disk")
MIB: Final = 2**20
GIVEN: Final = "scenario"
"""Origin and service of a price that the scenario itself gives, and its source where it says of none."""


@dataclass(frozen=True, slots=True)
class Seller:
    """A cloud as its bill sees it."""

    prices: PriceList
    not_charged: frozenset[str]
    """What of offers that cost nothing there; they have no line."""
    disk: str
    """What it calls the disk of a node."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """What of metered use -> its line's name, where the cloud has one of its own for it."""
    described: Callable[[Offer], str] = lambda offer: offer.name
    """What stands in brackets after a group's name."""
    disk_rate: DiskRate | None = None
    """What the disk of a node includes; None where it sets no limit."""
    sizes: Callable[[Offer], Iterable[Size]] = lambda offer: (Size(offer, Fraction(1)),)
    """What may be reserved to pay for an instance, itself first; where sizes are not exchanged, that alone."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What a line is of."""

    name: str
    tier: str
    unit: str
    group: str = ""

    term: str = ON_DEMAND
    lot: Lot | None = None
    """What is bought for it, where it is committed."""

    @property
    def bought_count(self) -> Decimal:
        return NONE if self.lot is None else self.lot.count

    @property
    def covered_count(self) -> Decimal:
        return NONE if self.lot is None else self.lot.covered_count

    def unpriced(
        self, amount: Amounts, key: PriceKey, listed_usd: Decimal | None = None, used: Amounts | None = None
    ) -> Unpriced:
        cost = None if listed_usd is None else (amount if used is None else used).times(listed_usd)
        return Unpriced(self.name, self.tier, self.group, amount, self.unit, key, self.term, self.covered_count, cost)


def lines(fleet: Fleet, book: Book, seller: Seller) -> Iterator[Item | Unpriced]:
    """Yield a line for everything the fleet uses: priced from the book, or Unpriced where the book has no row.

    Raises UsageError for an offer that the cloud does not sell.
    """
    for group in fleet.groups:
        if group.portions:
            yield from _portion_lines(group, fleet.hours_per_month, book, seller)
        else:
            yield from _instance_lines(group, fleet.hours_per_month, book, seller)
        if group.disk_gib and DISK.what not in seller.not_charged:
            volumes = _exact(group.count.times(group.disk_gib))
            line = _Line(f"{group.name} volumes ({seller.disk})", group.tier, "gib_month", group.name)
            yield _priced(line, volumes, seller.prices.key(DISK), book)
            yield from _disk_lines(group, book, seller)
    for usage in fleet.usages:
        if usage.price_usd is not None or usage.offer.what not in seller.not_charged:
            yield from _usage_lines(usage, book, seller)


def _disk_lines(group: NodeGroup, book: Book, seller: Seller) -> Iterator[Item | Unpriced]:
    """Yield what the disks of nodes do beyond what they include."""
    if group.disk_rate is None or seller.disk_rate is None:
        return
    for name, what, unit, more in (
        ("operations", "disk_operations", "iops_month", group.disk_rate[0] - seller.disk_rate[0]),
        ("throughput", "disk_throughput", "mibps_month", (group.disk_rate[1] - seller.disk_rate[1]) / MIB),
    ):
        if more > 0:
            line = _Line(f"{group.name} disk {name}", group.tier, unit, group.name)
            yield _priced(line, _exact(group.count.times(more)), seller.prices.key(Offer(what)), book)


def _instance_lines(group: NodeGroup, hours_per_month: int, book: Book, seller: Seller) -> Iterator[Item | Unpriced]:
    """Yield instance hours by term, commitments first: what the terms leave of the group's hours is on demand."""
    hours = left = _exact(group.count.times(hours_per_month))
    covered_count, first = NONE, partial(_hours_of, group, hours, hours_per_month)
    for part in sorted(group.terms, key=lambda part: commitment_of(part.term) is None):
        if commitment_of(part.term) is None:
            bought, paid = None, hours.times(exact_share(part)).each(lambda level: level.quantize(QUANTUM))
            taken = paid.least(left)
        else:
            sizes = _reservable(group.offer, part.term, book, seller)
            bought = lot(part, getattr(group.count, part.level), sizes)
            before, covered_count = covered_count, covered_count + bought.covered_count
            paid = _always(covered_count, hours_per_month).minus(_always(before, hours_per_month))
            taken = first(covered_count).minus(first(before)).least(left)
        left = left.minus(taken)
        if taken.ceiling:
            line = _term_line(group, part.term, bought, seller)
            offer, amount = group.offer, taken if bought is None else paid
            if bought is not None and bought.offer != group.offer:
                offer, amount = bought.offer, _always(bought.count, hours_per_month)
            yield _priced(line, amount, seller.prices.key(offer, part.term), book, _used(amount, taken, paid))
    if left.ceiling:
        line = _Line(f"{_label(group, seller)}{_rest(group.terms)}", group.tier, "hour", group.name)
        yield _priced(line, left, seller.prices.key(group.offer), book)


def _portion_lines(group: NodeGroup, hours_per_month: int, book: Book, seller: Seller) -> Iterator[Item | Unpriced]:
    """Yield the hours of what instances are priced by, all on demand."""
    for portion in group.portions:
        hours = _exact(group.count.scaled(portion.amount).times(hours_per_month))
        if hours.ceiling:
            name = f"{group.name} {portion.name} ({group.shape.name})"
            line = _Line(name, group.tier, portion.unit, group.name)
            yield _priced(line, hours, seller.prices.key(portion.offer), book)


def _hours_of(group: NodeGroup, hours: Amounts, hours_per_month: int, count: Decimal) -> Amounts:
    """Return what of a group's hours the first `count` instances run at each level.

    At the average those of every hour of the day: what runs in one hour is no use to a commitment in another.
    """
    first = hours.least(_always(count, hours_per_month))
    if not group.hourly_count:
        return first
    running = [min(Decimal(str(each)), count) for each in group.hourly_count]
    average = (sum(running, NONE) / len(running) * hours_per_month).quantize(QUANTUM)
    return Amounts(first.floor, min(average, first.average), first.peak, first.ceiling)


def _reservable(offer: Offer, term: str, book: Book, seller: Seller) -> list[Size]:
    """Return the sizes that pay for an instance and have a price by the term; the instance alone where none has.

    Sizes are exchanged by reservations only: a savings plan is no number of instances.
    """
    commitment = commitment_of(term)
    if commitment is None or not commitment.is_whole:
        return [Size(offer, Fraction(1))]
    sizes = [size for size in seller.sizes(offer) if seller.prices.sells(size.offer)]
    keys = [(seller.prices.key(size.offer, term), seller.prices.key(size.offer)) for size in sizes]
    priced = [size for size, both in zip(sizes, keys, strict=True) if all(book.find(*key) is not None for key in both)]
    return priced or [Size(offer, Fraction(1))]


def _term_line(group: NodeGroup, term: str, bought: Lot | None, seller: Seller) -> _Line:
    """Return what the line of a term is of; of a reservation of smaller instances it says what they pay for."""
    label = _label(group, seller)
    if bought is not None and bought.offer != group.offer:
        own, running = seller.described(bought.offer), seller.described(group.offer)
        cover = "covers" if bought.count == 1 else "cover"
        label = f"{group.name} ({bought.count:,f} x {own} {cover} {bought.covered_count:.6g} x {running})"
    return _Line(f"{label}, {term}", group.tier, "hour", group.name, term, bought)


def _used(amount: Amounts, taken: Amounts, paid: Amounts) -> Amounts:
    """Return what is used of an amount, as much of it as `taken` is of what is paid for in running instances."""
    if amount == taken:
        return amount
    return taken.each(lambda level: (level * amount.ceiling / paid.ceiling).quantize(QUANTUM))


def _label(group: NodeGroup, seller: Seller) -> str:
    return f"{group.name} ({seller.described(group.offer)})"


def _always(count: Decimal, hours_per_month: int) -> Amounts:
    """Return the hours a month that so many run who never stop."""
    hours = (count * hours_per_month).quantize(QUANTUM)
    return Amounts(hours, hours, hours, hours)


def _rest(terms: tuple[TermShare, ...]) -> str:
    """Return what is added to the name of the line for what other terms leave."""
    if not terms:
        return ""
    whole = len(terms) == 1 and terms[0].share == 1
    return ", above the reservation" if whole and terms[0].term.startswith("reserved") else ", on demand"


def _usage_lines(usage: Usage, book: Book, seller: Seller) -> Iterator[Item | Unpriced]:
    name = seller.titles.get(usage.offer.what, usage.name)
    amount, line = _exact(usage.amount), _Line(name, usage.tier, usage.unit, usage.group)
    if usage.price_usd is not None:
        yield _given(line, amount, usage.price_usd, usage.source)
        return
    key = seller.prices.key(usage.offer)
    product = seller.prices.find(usage.offer)
    if product is not None and product.is_tiered and book.find(*key) is None:
        yield from _tiered_lines(line, amount, key, book)
    else:
        yield _priced(line, amount, key, book)


def _given(line: _Line, amount: Amounts, usd: Decimal, source: str) -> Item:
    """Return a line at a price that the scenario gives: no other is known to compare it with."""
    key = PriceKey(GIVEN, line.name)
    return _item(line, amount, Price(key, line.unit, usd, "undated", source or GIVEN, origin=GIVEN), usd, usd, amount)


def _tiered_lines(line: _Line, amount: Amounts, key: PriceKey, book: Book) -> Iterator[Item | Unpriced]:
    """Yield a line for each price tier that the largest amount reaches: each tier's own amount at its own price.

    What no tier of the book covers is a line without a price. Raises PriceError when tiers overlap.
    """
    reached = NONE
    for price in sorted(book.variants(key.service, key.item), key=lambda price: _bounds(price.key.variant)[0]):
        start, end = _bounds(price.key.variant)
        if start < reached:
            raise PriceError(f"{book.name}: the tiers of {key} overlap at {start:f}")
        if start > reached and (missing := _part(amount, reached, start)).ceiling:
            yield _Line(
                f"{line.name} ({_range(reached, start, line.unit)})", line.tier, line.unit, line.group
            ).unpriced(missing, key)
        within = _part(amount, start, end)
        if within.ceiling or start == 0:
            name = f"{line.name} ({_range(start, end, line.unit)})" if start or end is not None else line.name
            part = _Line(name, line.tier, line.unit, line.group)
            yield _priced(part, within, price.key, book)
        if end is None:
            return
        reached = end
    rest = _part(amount, reached, None)
    if not reached:
        yield line.unpriced(amount, key)
    elif rest.ceiling:
        yield _Line(f"{line.name} ({_range(reached, None, line.unit)})", line.tier, line.unit, line.group).unpriced(
            rest, key
        )


@lru_cache(maxsize=256)
def _bounds(variant: str) -> tuple[Decimal, Decimal | None]:
    start, _, end = variant.partition("-")
    return Decimal(start), Decimal(end) if end else None


def _range(start: Decimal, end: Decimal | None, unit: str) -> str:
    amounts = f"above {start:,}" if end is None else f"{start:,}-{end:,}"
    return f"{amounts} {UNITS[unit]}"


def _part(amount: Amounts, start: Decimal, end: Decimal | None) -> Amounts:
    """Return what of an amount lies within a range, at each level."""
    return amount.each(lambda level: max(NONE, (level if end is None else min(level, end)) - start))


def _priced(line: _Line, amount: Amounts, key: PriceKey, book: Book, used: Amounts | None = None) -> Item | Unpriced:
    """Return a line of the bill; `used` is what runs of the amount, all of it if left out."""
    used = amount if used is None else used
    price, listed_usd = book.find(*key), book.listed(key)
    on_demand = price if key.term == ON_DEMAND else book.find(*key[:3])
    if price is None or on_demand is None or listed_usd is None:
        return line.unpriced(amount, key if price is None else key._replace(term=ON_DEMAND), listed_usd, used)
    if price.unit != line.unit:
        raise AssertionError(f"{price.key} is priced per {price.unit}, the fleet counts {line.unit}")
    return _item(line, amount, price, listed_usd, on_demand.usd, used)


def _item(
    line: _Line, amount: Amounts, price: Price, listed_usd: Decimal, on_demand_usd: Decimal, used: Amounts
) -> Item:
    commitment = commitment_of(price.key.term)
    return Item(
        name=line.name,
        tier=line.tier,
        group=line.group,
        quantity=amount,
        quantity_used=used,
        unit=line.unit,
        price_usd=price.usd,
        list_price_usd=listed_usd,
        cost_usd=amount.times(price.usd),
        list_cost_usd=used.times(listed_usd),
        key=price.key,
        as_of=price.as_of,
        source=price.source,
        note=price.note,
        origin=price.origin,
        sku=price.sku,
        on_demand_price_usd=on_demand_usd,
        upfront_usd=price.first_day_usd,
        bought_count=line.bought_count,
        covered_count=line.covered_count,
        break_even=break_even(commitment, price, on_demand_usd) if commitment else None,
        confirmed_by=price.confirmed_by,
    )


def _exact(amount: Band) -> Amounts:
    if amount.floor == amount.average == amount.peak == amount.ceiling:
        always = quantity(amount.floor)
        return Amounts(always, always, always, always)
    return Amounts(*(quantity(level) for level in amount))
