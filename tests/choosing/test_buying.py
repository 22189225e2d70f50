"""A most that is paid upfront: nothing is cheaper than the bound, and what is bought is near the least there is."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from cascade_plan.choosing.buying import Market
from cascade_plan.choosing.pools import Calendar, Stock, Way
from cascade_plan.formulas.reservations import Bought, Level, Term, cost_of
from cascade_plan.model.offer import Offer
from cascade_plan.model.price import Price, PriceKey
from cascade_plan.model.terms import Commitment

CASES = range(int(os.environ.get("CASCADE_PLAN_CASES", "40")))


def market(seed: int) -> Market:
    """Return two pools over three months, of up to two units and two terms, and a most that is paid upfront."""
    chance = random.Random(seed)
    stocks, terms = [], []
    for name in ("one", "other"):
        levels = [[Level(1, chance.randint(0, 20)) for _ in range(chance.randint(0, 2))] for _ in range(3)]
        upfronts = [chance.randint(0, 12) for _ in range(chance.randint(1, 2))]
        ways = tuple(way(name, upfront) for upfront in upfronts)
        calendar = Calendar(date(2027, 1, 1), (730, 730, 730))
        stocks.append(Stock(Offer(name), Offer(name), (), calendar, levels, (0, 0, 0), ways))
        costs = [[upfront + chance.randint(1, 25) for _ in range(3)] for upfront in upfronts]
        terms.append(tuple(Term(chance.randint(1, 3), tuple(each)) for each in costs))
    return Market(tuple(stocks), tuple(terms), chance.randint(0, 20))


def way(name: str, upfront: int) -> Way:
    """Return a way to buy with so much upfront."""
    price = Price(PriceKey("made", name), "hour", Decimal(1), "", "")
    return Way("reserved_1y_all_upfront", Commitment("reserved", 1, "all"), Offer(name), 1, price, 0, upfront)


def schedules(stock: Stock, terms: tuple[Term, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the cost and each month's upfront of everything that could be bought for a pool."""
    slots = [(month, at) for at in range(len(terms)) for month in range(3)]
    for number in range(3 ** len(slots)):
        bought = [Bought(*slot, number // 3**place % 3) for place, slot in enumerate(slots)]
        paid = [0, 0, 0]
        for month, at, units in bought:
            paid[month] += units * stock.ways[at].upfront_pico
        yield cost_of(stock.levels, terms, bought), tuple(paid)


def least(of: Market) -> int:
    """Return the least cost within the most upfront, by looking at all that could be bought."""
    cheapest_of = []
    for stock, terms in zip(of.stocks, of.terms, strict=True):
        found: dict[tuple[int, ...], int] = {}
        for cost, paid in schedules(stock, terms):
            if max(paid) <= (of.upfront_most or 0) and cost < found.get(paid, cost + 1):
                found[paid] = cost
        cheapest_of.append(found)
    return min(
        one + other
        for paid, one in cheapest_of[0].items()
        for besides, other in cheapest_of[1].items()
        if all(a + b <= (of.upfront_most or 0) for a, b in zip(paid, besides, strict=True))
    )


@pytest.mark.parametrize("seed", CASES)
def test_the_least_lies_between_bound_and_cost(seed: int) -> None:
    of = market(seed)
    deal = of.deal()
    assert deal.bound <= least(of) <= deal.cost
    assert sum(cost_of(*each) for each in zip([s.levels for s in of.stocks], of.terms, deal.bought, strict=True)) == (
        deal.cost
    )
    for month in range(3):
        paid = sum(
            units * stock.ways[at].upfront_pico
            for stock, bought in zip(of.stocks, deal.bought, strict=True)
            for when, at, units in bought
            if when == month
        )
        assert paid <= (of.upfront_most or 0)


def test_most_cases_are_bought_as_well_as_can_be() -> None:
    deals = [(of.deal().cost, least(of)) for of in map(market, range(40))]
    assert sum(cost == best for cost, best in deals) >= 34
    assert all(cost <= 1.25 * best for cost, best in deals)
