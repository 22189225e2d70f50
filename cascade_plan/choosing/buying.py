"""What is bought for all pools together: each alone is exact, and what joins them is given a price.

Two things join pools. A most that may be paid upfront in a month, and savings plans that pay for several families. With
a price on each month's upfront (a Lagrange multiplier), and with such plans rented by the month at their flat rate,
the pools fall apart again and their optimum is a bound that no schedule undercuts.
Source: Ahuja, Magnanti, Orlin, Network Flows (1993), chapter 16.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cascade_plan.choosing.pools import Stock, Way
from cascade_plan.choosing.several import Terms, parts, rented
from cascade_plan.formulas.reservations import Answer, Bought, Term, bound, cheapest, cost_of

ONE: Final = 1 << 20
"""A price of one dollar on a dollar upfront."""
ROUNDS: Final = 40
"""How often the prices of upfront are mended."""
STALE: Final = 4
"""Rounds without a better bound after which steps are halved."""


@dataclass(frozen=True, slots=True)
class Deal:
    """What is bought for each pool, in picodollars."""

    stocks: tuple[Stock, ...]
    """The pools; with a savings plan for several families what that pays for is one of its own, the last."""
    terms: tuple[Terms, ...]
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
    is_whole: bool = False
    """Whether terms are charged whole."""

    def deal(self, joins: bool = True) -> Deal:
        """Return the cheapest purchases that are found, and what bounds all of them.

        Unless it `joins` pools, a savings plan that pays for several families is bought for one pool each.
        """
        answers = [cheapest(stock.levels, terms) for stock, terms in zip(self.stocks, self.terms, strict=True)]
        least = sum(self._bounds(self.terms, answers))
        if self._shared:
            least = min(least, self._rented())
        bought = tuple(answer.bought for answer in answers)
        if not self._is_within(bought):
            bought, least = self._capped(least)
        own = Deal(self.stocks, self.terms, bought, self._kept + self._cost(bought), self._kept + least)
        best = min((own, *(self._joined() if joins else ())), key=lambda deal: deal.cost)
        return Deal(best.stocks, best.terms, best.bought, best.cost, own.bound)

    @property
    def _kept(self) -> int:
        return sum(sum(stock.kept) for stock in self.stocks)

    def _is_within(self, bought: Sequence[Sequence[Bought]]) -> bool:
        return self.upfront_most is None or max(self._upfronts(bought), default=0) <= self.upfront_most

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
    def _shared(self) -> list[str]:
        """The plans that may pay for several of the pools."""
        names = Counter(way.name for stock in self.stocks for way in stock.ways if not way.commitment.is_of_family)
        return [name for name, count in names.items() if count > 1]

    def _rented(self) -> int:
        """Return what all would cost if plans of several families were rented by the month: never more than they do."""
        total = 0
        for stock, terms in zip(self.stocks, self.terms, strict=True):
            both = (*terms, *rented(stock, terms, self._shared))
            total += bound(stock.levels, both, cheapest(stock.levels, both).potentials)
        return total

    def _joined(self) -> Iterator[Deal]:
        """Yield the deal with each plan that pays for several families, where no month pays too much upfront."""
        for name in self._shared:
            found = parts(self.stocks, self.terms, name, self.is_whole)
            stocks, terms, bought = zip(*found, strict=True)
            market = Market(stocks, terms, self.upfront_most, self.is_whole)
            if market._is_within(bought):
                yield Deal(stocks, terms, bought, market._kept + market._cost(bought), 0)

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
        if self._shared:
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
