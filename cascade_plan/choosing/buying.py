"""What is bought for all pools together: each alone is exact, and what joins them is given a price.

Two things join pools. A most that may be paid upfront in a month, and savings plans that pay for several families. With
a price on each month's upfront (a Lagrange multiplier), and with such plans rented by the month at their flat rate,
the pools fall apart again and their optimum is a bound that no schedule undercuts.
Source: Ahuja, Magnanti, Orlin, Network Flows (1993), chapter 16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cascade_plan.choosing.pools import Stock, Way, pico
from cascade_plan.formulas.reservations import Answer, Bought, Term, bound, cheapest, cost_of
from cascade_plan.model.terms import CENT

Terms = tuple[Term, ...]
ONE: Final = 1 << 20
"""A price of one dollar on a dollar upfront."""
ROUNDS: Final = 40
"""How often the prices of upfront are mended."""
STALE: Final = 4
"""Rounds without a better bound after which steps are halved."""


@dataclass(frozen=True, slots=True)
class Deal:
    """What is bought for each pool, in picodollars."""

    bought: tuple[tuple[Bought, ...], ...]
    cost: int
    """With what stays on demand."""
    bound: int
    """What no deal within the limits costs less than."""


@dataclass(frozen=True, slots=True)
class Market:
    """Pools and the terms that may be bought for each, with what they are charged."""

    stocks: tuple[Stock, ...]
    terms: tuple[Terms, ...]
    upfront_most: int | None = None
    """The most that may be paid upfront in a month, in picodollars."""

    def deal(self) -> Deal:
        """Return the cheapest purchases that are found, and what bounds all of them."""
        kept = sum(sum(stock.kept) for stock in self.stocks)
        answers = [cheapest(stock.levels, terms) for stock, terms in zip(self.stocks, self.terms, strict=True)]
        least = sum(self._bounds(self.terms, answers))
        if self._is_shared:
            least = min(least, self._rented())
        bought = tuple(answer.bought for answer in answers)
        if self.upfront_most is not None and max(self._upfronts(bought), default=0) > self.upfront_most:
            bought, least = self._capped(least)
        return Deal(bought, kept + self._cost(bought), kept + least)

    def _cost(self, bought: Sequence[Sequence[Bought]]) -> int:
        return sum(
            cost_of(stock.levels, terms, each)
            for stock, terms, each in zip(self.stocks, self.terms, bought, strict=True)
        )

    def _bounds(self, terms: Sequence[Terms], answers: Sequence[Answer]) -> Iterator[int]:
        for stock, own, answer in zip(self.stocks, terms, answers, strict=True):
            yield bound(stock.levels, own, answer.potentials)

    # ------------------------------------------------------------------------------- plans that pay for several pools

    @property
    def _is_shared(self) -> bool:
        names = [way.name for stock in self.stocks for way in stock.ways if not way.commitment.is_of_family]
        return len(names) > len({*names})

    def _rented(self) -> int:
        """Return what all would cost if plans of several families were rented by the month: never more than they cost.

        The rent of a month is the least of what any purchase would spread on it, so that no term's rents exceed it. It
        is less by a cent of each instance's upfront, to which that is rounded: rents are alike for all families then.
        """
        total = 0
        for stock, terms in zip(self.stocks, self.terms, strict=True):
            rents = [
                Term(1, tuple(self._rent(stock, term, way, month) for month in range(stock.horizon)))
                for way, term in zip(stock.ways, terms, strict=True)
                if not way.commitment.is_of_family
            ]
            both = (*terms, *rents)
            total += bound(stock.levels, both, cheapest(stock.levels, both).potentials)
        return total

    @staticmethod
    def _rent(stock: Stock, term: Term, way: Way, month: int) -> int:
        hours = stock.calendar.of(month)
        rounded = way.count_per_unit * pico(CENT) if way.upfront_pico else 0
        return max(
            0,
            min(
                (term.costs[first] - rounded)
                * hours
                // stock.calendar.between(first, min(first + term.months, stock.horizon))
                for first in range(max(0, month - term.months + 1), month + 1)
            ),
        )

    # ------------------------------------------------------------------------------------ a most that is paid upfront

    def _upfronts(self, bought: Sequence[Sequence[Bought]]) -> list[int]:
        """Return what is paid upfront in each month."""
        paid = [0] * (self.stocks[0].horizon if self.stocks else 0)
        for stock, each in zip(self.stocks, bought, strict=True):
            for month, way, count in each:
                paid[month] += count * stock.ways[way].upfront_pico
        return paid

    def _capped(self, least: int) -> tuple[tuple[tuple[Bought, ...], ...], int]:
        """Return purchases within the most upfront and a bound, by prices on each month's upfront that are mended."""
        most = self.upfront_most or 0
        bought = min((self._filled(by_dollar) for by_dollar in (True, False)), key=self._cost)
        if self._is_shared:
            # Plans of several families are not rented below: with such, prices on the upfront prove nothing.
            return bought, least
        cost, prices, step, stale = self._cost(bought), [0] * self.stocks[0].horizon, 2.0, 0
        for _ in range(ROUNDS):
            priced = self._priced(prices)
            answers = [cheapest(stock.levels, terms) for stock, terms in zip(self.stocks, priced, strict=True)]
            found = sum(self._bounds(priced, answers)) + (-sum(prices) * most) // ONE
            stale = 0 if found > least else stale + 1
            least, step = max(least, found), step / 2 if stale == STALE else step
            stale %= STALE
            over = [paid - most for paid in self._upfronts([answer.bought for answer in answers])]
            slope = [each if each > 0 or price else 0 for each, price in zip(over, prices, strict=True)]
            if cost <= least or not any(slope):
                break
            length = step * ONE * float(cost - least) / sum(float(each) ** 2 for each in slope)
            prices = [max(0, int(price + length * each)) for price, each in zip(prices, slope, strict=True)]
        return bought, least

    def _priced(self, prices: Sequence[int]) -> tuple[Terms, ...]:
        """Return the terms with a price on what they cost upfront, in each month its own.

        No more is bought of one in a month than the most upfront is enough for.
        """
        return tuple(
            tuple(
                Term(
                    term.months,
                    tuple(
                        cost + way.upfront_pico * price // ONE for cost, price in zip(term.costs, prices, strict=True)
                    ),
                    self._most(way, stock.horizon),
                )
                for way, term in zip(stock.ways, terms, strict=True)
            )
            for stock, terms in zip(self.stocks, self.terms, strict=True)
        )

    def _most(self, way: Way, horizon: int) -> tuple[int, ...] | None:
        most = self.upfront_most
        return ((most or 0) // way.upfront_pico,) * horizon if way.upfront_pico else None

    def _filled(self, by_dollar: bool) -> tuple[tuple[Bought, ...], ...]:
        """Return purchases within the most upfront: one unit after the other, what saves most as things stand.

        What another unit of a term saves is read off the potentials of its pool; `by_dollar` of its upfront.
        """
        filling = _Filling(self, by_dollar)
        while (best := filling.best()) is not None:
            filling.add(*best)
        return tuple(answer.bought for answer in filling.answers)


class _Filling:
    """Pools that buy what is paid upfront one unit at a time, and what is not as is best."""

    def __init__(self, market: Market, by_dollar: bool) -> None:
        self.market, self.by_dollar = market, by_dollar
        horizon = market.stocks[0].horizon
        self.left = [market.upfront_most or 0] * horizon
        self.held = [
            [
                term._replace(most=(0,) * horizon) if way.upfront_pico else term
                for way, term in zip(stock.ways, terms, strict=True)
            ]
            for stock, terms in zip(market.stocks, market.terms, strict=True)
        ]
        self.answers = [cheapest(stock.levels, held) for stock, held in zip(market.stocks, self.held, strict=True)]
        self.bests = [self._best(at) for at in range(len(self.held))]

    def best(self) -> tuple[int, int, int] | None:
        """Return the pool, the term and the month of the unit that saves most; None where none saves anything."""
        at = max(range(len(self.bests)), key=lambda at: self.bests[at][0])
        worth, way, month = self.bests[at]
        return (at, way, month) if worth > 0 else None

    def add(self, at: int, way: int, month: int) -> None:
        """Buy one unit more."""
        term = self.held[at][way]
        assert term.most is not None
        more = (*term.most[:month], term.most[month] + 1, *term.most[month + 1 :])
        self.held[at][way] = term._replace(most=more)
        self.left[month] -= self.market.stocks[at].ways[way].upfront_pico
        self.answers[at] = cheapest(self.market.stocks[at].levels, self.held[at])
        self.bests = [self._best(each) for each in range(len(self.held))]

    def _best(self, at: int) -> tuple[float, int, int]:
        """Return what the best unit of a pool saves, its term and its month."""
        stock, potentials, best = self.market.stocks[at], self.answers[at].potentials, (0.0, 0, 0)
        for index, way in enumerate(stock.ways):
            if not way.upfront_pico:
                continue
            for month, cost in enumerate(self.market.terms[at][index].costs):
                if way.upfront_pico <= self.left[month]:
                    saved = potentials[min(month + way.months, stock.horizon)] - potentials[month] - cost
                    worth = saved / way.upfront_pico if self.by_dollar else float(saved)
                    best = max(best, (worth, index, month))
        return best
