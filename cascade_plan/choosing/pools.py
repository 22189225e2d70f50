"""What of a horizon's fleets one commitment could pay for: pools, their levels, and the ways to buy for them.

Money is whole picodollars here, so that what is proved of it is exact.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, gcd
from typing import Final, NamedTuple, cast

from cascade_plan import registry
from cascade_plan.formulas.reservations import Level, Levels, Term
from cascade_plan.model.bill import Bill
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.commitments import MONTHS_PER_YEAR, exact_share
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.offer import Offer
from cascade_plan.model.price import Book, Price
from cascade_plan.model.purchases import Limits, Month, Owned
from cascade_plan.model.terms import Commitment, commitment_of
from cascade_plan.units import quantity

PICO: Final = 12
HOURS_PER_DAY: Final = 24
LONGEST_MONTHS: Final = 36
"""Of a term: commitments are to one or three years."""


def pico(usd: Decimal) -> int:
    """Return an amount of money in whole picodollars."""
    return int(usd.scaleb(PICO).to_integral_value(ROUND_HALF_EVEN))


def usd(picodollars: int) -> Decimal:
    """Return an amount of money that is counted in picodollars."""
    return Decimal(picodollars).scaleb(-PICO)


def later(day: date, months: int) -> date:
    """Return the first day of the month so many months after a day's."""
    year, month = divmod(day.year * MONTHS_PER_YEAR + day.month - 1 + months, MONTHS_PER_YEAR)
    return date(year, month + 1, 1)


@dataclass(frozen=True)
class Calendar:
    """The months of the horizon and those after it, in which terms end."""

    start: date
    hours: tuple[int, ...]
    """Of the horizon's months."""

    @cached_property
    def _until(self) -> list[int]:
        """The hours before each month, of the horizon's and of as many after it as a term may last."""
        is_real = all(hours == _hours_of(later(self.start, at)) for at, hours in enumerate(self.hours))
        until = [0]
        for month in range(len(self.hours) + LONGEST_MONTHS):
            until.append(until[-1] + self._of(month, is_real))
        return until

    def _of(self, month: int, is_real: bool) -> int:
        if month < len(self.hours):
            return self.hours[month]
        return _hours_of(later(self.start, month)) if is_real else self.hours[-1]

    def of(self, month: int) -> int:
        """Return the hours of a month: after the horizon those of the calendar, or of the last month."""
        return self._until[month + 1] - self._until[month]

    def between(self, first: int, end: int) -> int:
        """Return the hours of the months from the first one to the one before the end."""
        return self._until[end] - self._until[first]


def _hours_of(month: date) -> int:
    return monthrange(month.year, month.month)[1] * HOURS_PER_DAY


@dataclass(frozen=True, slots=True)
class Way:
    """A term by which units of a pool can be bought."""

    name: str
    commitment: Commitment
    offer: Offer
    count_per_unit: int
    """How many of the offer pay for one unit."""
    price: Price
    recurring_pico: int
    """What one unit still costs an hour."""
    upfront_pico: int
    """What one unit costs on its first day."""

    @property
    def months(self) -> int:
        """How long it lasts."""
        return self.commitment.years * MONTHS_PER_YEAR

    def spread(self, calendar: Calendar, first: int, end: int) -> int:
        """Return what one unit costs from the month it is bought in to the month before the end.

        The upfront is spread over the hours of the term; over the whole of it the sum is what is paid.
        """
        whole = calendar.between(first, first + self.months)
        within = calendar.between(first, end)
        return self.recurring_pico * within + _rounded(self.upfront_pico * within, whole)

    def whole(self, calendar: Calendar, first: int) -> int:
        """Return what one unit costs over its whole term."""
        return self.recurring_pico * calendar.between(first, first + self.months) + self.upfront_pico


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


@dataclass(frozen=True)
class Stock:
    """A pool with all that is decided for it."""

    key: Offer
    """The smallest of its family."""
    unit: Offer
    tiers: tuple[str, ...]
    calendar: Calendar
    levels: Levels
    """What purchases may pay for, of each month: units and what one costs on demand."""
    kept: tuple[int, ...]
    """What stays on demand in each month, whatever is bought."""
    ways: tuple[Way, ...]

    @property
    def horizon(self) -> int:
        """How many months there are."""
        return len(self.levels)

    @cached_property
    def held(self) -> tuple[Term, ...]:
        """The ways as terms that are charged for their months within the horizon."""
        return tuple(
            Term(
                way.months,
                tuple(
                    way.spread(self.calendar, month, min(month + way.months, self.horizon))
                    for month in range(self.horizon)
                ),
            )
            for way in self.ways
        )

    @cached_property
    def charged(self) -> tuple[Term, ...]:
        """The ways as terms that are charged whole."""
        months = range(self.horizon)
        return tuple(Term(way.months, tuple(way.whole(self.calendar, month) for month in months)) for way in self.ways)

    @cached_property
    def on_demand(self) -> tuple[int, ...]:
        """What each month costs with nothing bought."""
        return tuple(
            kept + sum(level.units * level.cost for level in ladder)
            for kept, ladder in zip(self.kept, self.levels, strict=True)
        )

    @property
    def stopped(self) -> Stock:
        """The same where as much runs in every month as in the first."""
        first, kept, hours = self.levels[0], self.kept[0], self.calendar.hours
        scaled = [_rounded(kept * each, hours[0]) for each in hours]
        levels = [[Level(count, _rounded(cost * each, hours[0])) for count, cost in first] for each in hours]
        return replace(self, levels=levels, kept=tuple(scaled))


class _Exchange(NamedTuple):
    """What an instance's reservations pay for."""

    key: Offer
    """The smallest of its family: the pool it is in."""
    units: int
    """How many of that one it counts as."""
    sizes: tuple[tuple[Offer, int], ...]
    """What could be bought for it, and how many units that counts as."""


@dataclass
class _Forming:
    """A pool while the months are gone through: instances, what one costs on demand for the month, and its units."""

    runs: list[list[tuple[int, int, int]]]
    owned: list[int]
    """Units that are paid for already in each month."""
    tiers: dict[str, None] = field(default_factory=dict)
    members: dict[Offer, _Exchange] = field(default_factory=dict)


@dataclass
class Former:
    """What makes the pools of a horizon."""

    months: Sequence[Month]
    book: Book
    limits: Limits
    owned: Sequence[Owned] = ()
    beside: Sequence[Month] = ()
    """Other months whose instances are in the same pools, so that these have the same units."""
    left_out: dict[str, dict[str, None]] = field(default_factory=dict)
    """Why something is in no pool or lacks terms -> whose instances that are."""
    _exchanges: dict[Offer, _Exchange] = field(default_factory=dict)

    @cached_property
    def cloud(self) -> Cloud:
        """The cloud whose prices these are."""
        return cast(Cloud, registry.load("clouds", self.book.cloud, "cloud"))

    @cached_property
    def calendar(self) -> Calendar:
        """The hours of the months."""
        return Calendar(self.months[0].start, tuple(month.hours for month in self.months))

    def stocks(self) -> tuple[Stock, ...]:
        """Return the pools of the horizon, in the order in which the fleets name them."""
        forming: dict[Offer, _Forming] = {}
        for at, month in enumerate(self.months):
            for group in month.plan.groups:
                if (pool := self._pool(forming, group)) is not None:
                    self._add(pool, at, month, group)
        for month in self.beside:
            for group in month.plan.groups:
                self._pool(forming, group)
        for bought in self.owned:
            self._own(forming, bought)
        return tuple(self._stock(key, pool) for key, pool in forming.items())

    def exchange(self, offer: Offer) -> _Exchange:
        """Return what the reservations of an instance pay for."""
        if (found := self._exchanges.get(offer)) is None:
            sizes = list(self.cloud.sizes(offer))
            smallest = min(sizes, key=lambda size: size.ratio)
            counts = tuple(
                (size.offer, int(size.ratio / smallest.ratio))
                for size in sizes
                if (size.ratio / smallest.ratio).denominator == 1
            )
            found = self._exchanges[offer] = _Exchange(smallest.offer, counts[0][1], counts)
        return found

    def _pool(self, forming: dict[Offer, _Forming], group: NodeGroup) -> _Forming | None:
        """Return the pool that a group's instances are in; None, with why, where they are in none."""
        if group.portions:
            self._leave_out(group.name, "priced by their parts, for which no term is looked at")
            return None
        if self.book.find(*self.cloud.key(group.offer)) is None:
            self._leave_out(f"{group.name} ({group.offer.name})", "no price on demand")
            return None
        exchange = self.exchange(group.offer)
        pool = forming.setdefault(exchange.key, self._empty())
        pool.tiers[group.tier] = None
        pool.members[group.offer] = exchange
        return pool

    def _add(self, pool: _Forming, at: int, month: Month, group: NodeGroup) -> None:
        price = self.book.find(*self.cloud.key(group.offer))
        assert price is not None
        for count, share in running(group, month.plan.bill, month.plan.scenario.budget.level):
            hours = quantity(month.hours * share)
            pool.runs[at].append((count, pico(hours * price.usd), self.exchange(group.offer).units))

    def _empty(self) -> _Forming:
        return _Forming([[] for _ in self.months], [0] * len(self.months))

    def _leave_out(self, whose: str, why: str) -> None:
        self.left_out.setdefault(why, {})[whose] = None

    def said(self) -> tuple[str, ...]:
        """Return what is in no pool and which terms are not offered, a sentence each."""
        return tuple(f"{', '.join(whose)}: {why}" for why, whose in self.left_out.items())

    def _own(self, forming: dict[Offer, _Forming], bought: Owned) -> None:
        commitment, exchange = commitment_of(bought.term), self.exchange(bought.offer)
        pool = forming.get(exchange.key)
        if commitment is None or pool is None:
            return
        end = later(bought.start, commitment.years * MONTHS_PER_YEAR)
        for at, month in enumerate(self.months):
            if bought.start <= month.start < end:
                pool.owned[at] += bought.count * exchange.units

    def _stock(self, key: Offer, pool: _Forming) -> Stock:
        size = gcd(*(exchange.units for exchange in pool.members.values()), *pool.owned)
        unit = self._unit(pool, size)
        levels, kept = [], []
        for at, runs in enumerate(pool.runs):
            ladder = [level for run in runs for level in split(*run, size)]
            ladder = without(ladder, pool.owned[at] // size)
            covered, left = self._parted(ladder)
            levels.append(covered)
            kept.append(sum(count * cost for count, cost in left))
        ways = tuple(self._ways(pool, unit, size))
        return Stock(key, unit, tuple(pool.tiers), self.calendar, levels, tuple(kept), ways)

    def _parted(self, ladder: list[Level]) -> tuple[list[Level], list[Level]]:
        """Return the levels that purchases may pay for, and those that stay on demand."""
        if not self.limits.on_demand_share:
            return ladder, []
        units = sum(level.units for level in ladder)
        taken = floor(units * (1 - exact_ratio(self.limits.on_demand_share)))
        rest = without(ladder, taken)
        return first(ladder, taken), rest

    def _unit(self, pool: _Forming, size: int) -> Offer:
        """Return what counts as one unit: an instance of the fleets if one is as small."""
        same = [offer for exchange in pool.members.values() for offer, units in exchange.sizes if units == size]
        return next((offer for offer in same if offer in pool.members), same[-1] if same else next(iter(pool.members)))

    def _ways(self, pool: _Forming, unit: Offer, size: int) -> Iterator[Way]:
        sizes = {offer: units for exchange in pool.members.values() for offer, units in exchange.sizes}
        fit = [(offer, units) for offer, units in sizes.items() if units <= size and size % units == 0]
        fit.sort(key=lambda each: (-each[1], each[0] != unit, each[0] not in pool.members))
        sold: Sequence[str] = registry.load("clouds", self.book.cloud, "terms").terms(unit.what)
        lacking: dict[str, list[str]] = {}
        for term in sold:
            commitment = commitment_of(term)
            if commitment is None or commitment.years > self.limits.term_years_max:
                continue
            found = self._way(term, commitment, size, fit)
            if isinstance(found, Way):
                yield found
            elif found:
                lacking.setdefault(found, []).append(term)
        for reason, terms in lacking.items():
            self._leave_out(unit.name, f"{reason} {', '.join(_in_short(terms, sold))}")

    def _way(self, term: str, commitment: Commitment, size: int, fit: Iterable[tuple[Offer, int]]) -> Way | str:
        """Return how units are bought by a term, in the largest size that has a price, or why they are not."""
        reason = ""
        for offer, units in fit:
            if not self.cloud.sells(offer, term) or not self.cloud.sells(offer):
                continue
            price = self.book.find(*self.cloud.key(offer, term))
            if price is None:
                reason = reason or "no price by"
            elif (upfront := price.first_day_usd) is None:
                reason = "what is paid upfront is not known of"
            else:
                rest = Decimal(0) if commitment.upfront == "all" else price.usd - upfront / commitment.hours
                count = size // units
                return Way(
                    term, commitment, offer, count, price, pico(max(Decimal(0), rest)) * count, pico(upfront) * count
                )
        return reason


def _in_short(terms: Sequence[str], sold: Sequence[str]) -> Iterator[str]:
    """Yield some terms, those of a kind as one where all that are sold of it are among them."""
    by_kind: dict[str, list[str]] = {}
    for term in terms:
        commitment = commitment_of(term)
        by_kind.setdefault(commitment.kind if commitment else term, []).append(term)
    for kind, own in by_kind.items():
        whole = [term for term in sold if term.startswith(f"{kind}_")]
        yield from [f"{kind}_*"] if len(own) == len(whole) > 1 else own


def exact_ratio(share: float) -> Fraction:
    """Return a share as the fraction that its decimals are."""
    return Fraction(Decimal(str(share)))


def split(count: int, cost: int, units: int, size: int) -> Iterator[Level]:
    """Yield the units of so many instances: their costs sum to the instances', to the picodollar."""
    per = units // size
    each, more = divmod(cost, per)
    if more:
        yield Level(count * more, each + 1)
    yield Level(count * (per - more), each)


def without(ladder: Sequence[Level], covered: int) -> list[Level]:
    """Return what is left of a month's levels when so many units are paid for: those that cost most."""
    left = []
    for level in sorted(ladder, key=lambda level: -level.cost):
        taken = min(covered, level.units)
        covered -= taken
        if taken < level.units:
            left.append(Level(level.units - taken, level.cost))
    return left


def first(ladder: Sequence[Level], count: int) -> list[Level]:
    """Return the so many units of a month's levels that cost most."""
    found = []
    for level in sorted(ladder, key=lambda level: -level.cost):
        taken = min(count, level.units)
        count -= taken
        if taken:
            found.append(Level(taken, level.cost))
    return found


def running(group: NodeGroup, bill: Bill, level: str = "average") -> Iterator[tuple[int, float]]:
    """Yield how many instances run which share of the month on demand, those first that run all of it.

    At the average in each hour of the day what runs in it; at another level of the band that one's count all month. Off
    it is taken what the group's own commitments pay for, and the share that runs on spot.
    """
    paid = [line.covered_count for line in bill.items if line.group == group.name]
    paid += [line.covered_count for line in bill.unpriced if line.group == group.name]
    covered = float(sum(paid, Decimal(0)))
    spot = float(sum((exact_share(part) for part in group.terms if commitment_of(part.term) is None), Decimal(0)))

    def left(count: float) -> float:
        return max(0.0, count * (1 - spot) - covered)

    if group.hourly_count and level == "average":
        yield from _shares([left(count) for count in group.hourly_count])
        return
    average = left(getattr(group.count, level))
    always = left(group.count.floor) if level == "average" else average
    whole = min(floor(always + ROUNDING), floor(average + ROUNDING))
    if whole:
        yield whole, 1.0
    above = average - whole
    while above > ROUNDING:
        yield 1, min(1.0, above)
        above -= 1


ROUNDING: Final = 1e-9


def _shares(counts: Sequence[float]) -> Iterator[tuple[int, float]]:
    whole = floor(min(counts) + ROUNDING)
    if whole:
        yield whole, 1.0
    for place in range(whole, ceil(max(counts) - ROUNDING)):
        yield 1, sum(min(1.0, max(0.0, count - place)) for count in counts) / len(counts)
