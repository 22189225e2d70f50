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
from cascade_plan.formulas.reservations import Answer, Bought, Term, bound, cheapest, cost_of, most_units
from cascade_plan.model.terms import CENT

Terms = tuple[Term, ...]
ONE: Final = 1 << 20
"""A price of one dollar on a dollar upfront."""
ROUNDS: Final = 60
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
            bought, least = self._capped(answers, least)
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

    def _capped(self, answers: Sequence[Answer], least: int) -> tuple[tuple[tuple[Bought, ...], ...], int]:
        """Return purchases within the most upfront and a bound, by prices on each month's upfront that are mended."""
        most = self.upfront_most
        assert most is not None
        prices = [0] * self.stocks[0].horizon
        best_prices, dual, step, stale = prices, least, 2.0, 0
        best = self._allotted(prices)
        cost = self._cost(best)
        for _ in range(ROUNDS):
            if cost <= dual:
                break
            over = [paid - most for paid in self._upfronts([answer.bought for answer in answers])]
            slope = [each if each > 0 or price else 0 for each, price in zip(over, prices, strict=True)]
            if not any(slope):
                break
            length = step * ONE * float(cost - dual) / sum(float(each) ** 2 for each in slope)
            prices = [max(0, int(price + length * each)) for price, each in zip(prices, slope, strict=True)]
            priced = self._priced(prices)
            answers = [cheapest(stock.levels, terms) for stock, terms in zip(self.stocks, priced, strict=True)]
            found = sum(self._bounds(priced, answers)) + -(sum(prices) * most // ONE)
            if found > dual:
                dual, best_prices, stale = found, prices, 0
            else:
                stale += 1
                step = step / 2 if stale % STALE == 0 else step
        other = self._allotted(best_prices)
        # Plans of several families are not rented here: with such, these prices prove nothing.
        return (other if self._cost(other) < cost else best), least if self._is_shared else dual

    def _priced(self, prices: Sequence[int]) -> tuple[Terms, ...]:
        """Return the terms with a price on what they cost upfront, in each month its own."""
        return tuple(
            tuple(
                term._replace(
                    costs=tuple(
                        cost + way.upfront_pico * price // ONE for cost, price in zip(term.costs, prices, strict=True)
                    )
                )
                for way, term in zip(stock.ways, terms, strict=True)
            )
            for stock, terms in zip(self.stocks, self.terms, strict=True)
        )

    def _allotted(self, prices: Sequence[int]) -> tuple[tuple[Bought, ...], ...]:
        """Return purchases within the most upfront: month by month what saves most for its upfront is kept.

        What is left out may be bought later, or by a term that is paid otherwise.
        """
        held = [
            [term._replace(most=(most_units(stock.levels),) * stock.horizon) for term in terms]
            for stock, terms in zip(self.stocks, self._priced(prices), strict=True)
        ]
        answers = [cheapest(stock.levels, terms).bought for stock, terms in zip(self.stocks, held, strict=True)]
        for month in range(len(prices)):
            is_over = self._upfronts(answers)[month] > (self.upfront_most or 0)
            self._hold(month, held, answers)
            if is_over:
                answers = [cheapest(stock.levels, terms).bought for stock, terms in zip(self.stocks, held, strict=True)]
        return tuple(answers)

    def _hold(self, month: int, held: list[list[Term]], answers: Sequence[Sequence[Bought]]) -> None:
        """Hold a month to what is bought upfront in it, and that to the most of it, the best first."""
        left = self.upfront_most or 0
        counts: dict[tuple[int, int], int] = {}
        wanted = [(at, each) for at, bought in enumerate(answers) for each in bought if each.month == month]
        for at, each in sorted(wanted, key=lambda pair: -self._worth(*pair)):
            upfront = self.stocks[at].ways[each.term].upfront_pico
            counts[at, each.term] = taken = min(each.units, left // upfront) if upfront else each.units
            left -= taken * upfront
        for at, terms in enumerate(held):
            for way, term in enumerate(terms):
                if term.most is not None and self.stocks[at].ways[way].upfront_pico:
                    most = (*term.most[:month], counts.get((at, way), 0), *term.most[month + 1 :])
                    terms[way] = term._replace(most=most)

    def _worth(self, at: int, bought: Bought) -> float:
        """Return what a purchase saves of what its first unit costs at most on demand, for each dollar upfront."""
        stock, term = self.stocks[at], self.terms[at][bought.term]
        months = range(bought.month, min(bought.month + term.months, stock.horizon))
        saved = sum(max((level.cost for level in stock.levels[month]), default=0) for month in months)
        return (saved - term.costs[bought.month]) / max(1, stock.ways[bought.term].upfront_pico)
