"""Savings plans that pay for several families: money an hour, bought for what their reservations leave.

The reservations are those that are cheapest where such a plan is rented by the month. What they leave of all families
is one pool then, in which the plan's money is the unit: an instance is as many of it as its rate has, and what of a
family is no longer needed pays for another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from math import ceil
from typing import Final

from cascade_plan.choosing.pools import Stock, Way, first, pico, split, without
from cascade_plan.formulas.reservations import Bought, Level, Term, cheapest, units_active
from cascade_plan.model.offer import Offer
from cascade_plan.model.price import Price, PriceKey

WHAT: Final = "savings_plan"
UNIT_USD: Final = Decimal("0.0001")
"""An hour, of a plan: the rates of most instances have four decimals, which a finer unit would not make exacter."""
Terms = tuple[Term, ...]
Part = tuple[Stock, Terms, tuple[Bought, ...]]
"""A pool, its terms, and what is bought for it."""


def rent(stock: Stock, term: Term, way: Way, month: int) -> int:
    """Return what a unit of a plan costs a month at most without any purchase being dearer than its months' rents.

    It is less by a cent of each instance's upfront, to which that is rounded: rents are alike for all families then.
    """
    hours = stock.calendar.of(month)
    rounded = way.count_per_unit * pico(Decimal("0.01")) if way.upfront_pico else 0
    firsts = range(max(0, month - term.months + 1), month + 1)
    rents = (
        (term.costs[at] - rounded) * hours // stock.calendar.between(at, min(at + term.months, stock.horizon))
        for at in firsts
    )
    return max(0, min(rents))


def rented(stock: Stock, terms: Terms, names: Sequence[str]) -> list[Term]:
    """Return what a pool may rent by the month: the plans of these names that pay for it."""
    return [
        Term(1, tuple(rent(stock, term, way, month) for month in range(stock.horizon)))
        for way, term in zip(stock.ways, terms, strict=True)
        if way.name in names
    ]


def parts(stocks: Sequence[Stock], terms: Sequence[Terms], name: str, is_whole: bool) -> list[Part]:
    """Return what is bought with a plan for several families: for each of them, and last the plan for all."""
    found: list[Part] = []
    left: list[list[Level]] = [[] for _ in range(stocks[0].horizon)]
    tiers: dict[str, None] = {}
    plan: Way | None = None
    for stock, own in zip(stocks, terms, strict=True):
        family = tuple(
            term if way.commitment.is_of_family else term._replace(most=(0,) * stock.horizon)
            for way, term in zip(stock.ways, own, strict=True)
        )
        bought = cheapest(stock.levels, (*family, *rented(stock, own, [name]))).bought
        bought = tuple(each for each in bought if each.term < len(family))
        way = next((way for way in stock.ways if way.name == name), None)
        if way is not None:
            plan = plan or way
            tiers |= dict.fromkeys(stock.tiers)
            active = units_active(stock.horizon, own, bought)
            for month, covered in enumerate(active):
                left[month] += _in_money(without(stock.levels[month], covered), way)
            served = [first(ladder, covered) for ladder, covered in zip(stock.levels, active, strict=True)]
            stock = replace(stock, levels=served)
        found.append((stock, own, bought))
    assert plan is not None
    joint = _joint(stocks[0], plan, tuple(tiers), left)
    own = joint.charged if is_whole else joint.held
    return [*found, (joint, own, cheapest(joint.levels, own).bought)]


def _in_money(ladder: Sequence[Level], way: Way) -> Iterator[Level]:
    """Yield levels in units of a plan's money: as much of it as pays for each."""
    width = ceil(way.price.usd * way.count_per_unit / UNIT_USD)
    for level in ladder:
        yield from split(level.units, level.cost, width, 1)


def _joint(like: Stock, plan: Way, tiers: tuple[str, ...], levels: list[list[Level]]) -> Stock:
    """Return the pool of all that a plan may pay for."""
    offer = Offer(WHAT, f"${UNIT_USD} an hour")
    key = PriceKey(WHAT, offer.name, "", plan.name)
    price = Price(key, "hour", UNIT_USD, plan.price.as_of, plan.price.source, note=plan.price.note)
    share = plan.commitment.upfront_share
    way = Way(
        plan.name,
        plan.commitment,
        offer,
        1,
        price,
        pico(UNIT_USD * (1 - share)),
        pico(UNIT_USD * share * plan.commitment.hours),
    )
    return Stock(offer, offer, tiers, like.calendar, levels, (0,) * like.horizon, (way,))
