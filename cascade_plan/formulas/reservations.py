"""When to buy which commitment: the cheapest schedule over a horizon, and the bound that proves it.

What runs in a month are levels: units that cost so much each in that month where they are paid on demand. A term bought
in a month pays for one unit from then on. N units, the most that ever run, travel through the months 0 to T: a unit
rides a term from month s to month s + length, or takes the cheapest level of the month that no other unit has taken,
and what it rides may lapse unused. The flow of N units that costs least is the cheapest schedule; the rows of its
matrix are consecutive ones, so the answer is whole units. Costs are integers: answer and bound are exact.
Sources: Ahuja, Magnanti, Orlin, Network Flows (1993), 9.7 (successive shortest paths) and 16.2 (duals as bounds).
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

FAR: Final = 1 << 200
"""More than any path costs."""


class Level(NamedTuple):
    """Units that cost alike on demand in a month."""

    units: int
    cost: int
    """Of one unit on demand for this month; 0 at least."""


class Term(NamedTuple):
    """A commitment that is sold by the unit."""

    months: int
    costs: tuple[int, ...]
    """What one unit costs that is bought in each month of the horizon."""
    most: tuple[int, ...] | None = None
    """The units that may be bought in each month; any where None."""


class Bought(NamedTuple):
    """So many units of a term, bought in a month."""

    month: int
    term: int
    units: int


class Answer(NamedTuple):
    """The cheapest schedule."""

    bought: tuple[Bought, ...]
    cost: int
    potentials: tuple[int, ...]
    """Of each month's beginning and of the end: what `bound` proves the cost with."""


Levels = Sequence[Sequence[Level]]


def cheapest(levels: Levels, terms: Sequence[Term]) -> Answer:
    """Return the purchases by which what runs costs least, of each month's levels.

    Two units run all of three months at 10 on demand; a term of three months costs 21, one bought in the last 7.
    >>> found = cheapest([[Level(1, 10)], [Level(2, 10)], [Level(2, 10)]], [Term(3, (21, 14, 7))])
    >>> found.bought, found.cost
    ((Bought(month=0, term=0, units=1), Bought(month=1, term=0, units=1)), 35)
    >>> bound([[Level(1, 10)], [Level(2, 10)], [Level(2, 10)]], [Term(3, (21, 14, 7))], found.potentials)
    35
    """
    flow = _Flow(levels, terms)
    flow.send()
    bought = tuple(Bought(*key, count) for key, count in sorted(flow.taken.items()) if count)
    return Answer(bought, cost_of(levels, terms, bought), tuple(flow.potentials))


def bound(levels: Levels, terms: Sequence[Term], potentials: Sequence[int]) -> int:
    """Return what no schedule costs less than, whatever the potentials are; the best ones make it the least cost.

    Of y, the rise of the potentials over each month, which is never below 0: the most units that run times the sum of
    y, less what y exceeds the cost of each level by and the sum of y over a term the term's cost, each times the
    units that there can be of it.
    """
    horizon, units = len(levels), most_units(levels)
    rising = [potentials[0]]
    for potential in potentials[1:]:
        rising.append(max(rising[-1], potential))
    found = units * (rising[horizon] - rising[0])
    for month, ladder in enumerate(levels):
        rise = rising[month + 1] - rising[month]
        found -= sum(count * max(0, rise - cost) for count, cost in ladder)
        found -= (units - sum(count for count, _ in ladder)) * rise
    for term in terms:
        for month, cost in enumerate(term.costs):
            over = rising[min(month + term.months, horizon)] - rising[month] - cost
            if over > 0:
                found -= over * (units if term.most is None else min(units, term.most[month]))
    return found


def cost_of(levels: Levels, terms: Sequence[Term], bought: Sequence[Bought]) -> int:
    """Return what a schedule costs, whatever made it: its terms, and on demand what they do not cover.

    In each month the units that cost most on demand are covered.
    """
    active = units_active(len(levels), terms, bought)
    cost = sum(count * terms[term].costs[month] for month, term, count in bought)
    return cost + sum(left_cost(ladder, covered) for ladder, covered in zip(levels, active, strict=True))


def units_active(horizon: int, terms: Sequence[Term], bought: Sequence[Bought]) -> list[int]:
    """Return the units that what is bought pays for in each month."""
    active = [0] * horizon
    for month, term, count in bought:
        for later in range(month, min(month + terms[term].months, horizon)):
            active[later] += count
    return active


def left_cost(ladder: Sequence[Level], covered: int) -> int:
    """Return what a month costs on demand when so many units are covered: those that cost most."""
    cost = 0
    for level in sorted(ladder, key=lambda level: -level.cost):
        taken = min(covered, level.units)
        covered -= taken
        cost += (level.units - taken) * level.cost
    return cost


def most_units(levels: Levels) -> int:
    """Return the most units that run in any month."""
    return max((sum(level.units for level in ladder) for ladder in levels), default=0)


def look_back(levels: Levels, terms: Sequence[Term], every: int, rates: Sequence[int]) -> tuple[Bought, ...]:
    """Return what the clouds' own recommendation buys: it looks at the month before, every so many months.

    Every unit that ran in it, is not covered, and cost more on demand than the deepest discount does a month (the least
    of `rates`, what a unit of each term costs a month), is bought by that term. In the first month it looks at it.
    Source: https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-recommendations.html
    """
    if not terms:
        return ()
    best = min(range(len(terms)), key=lambda term: rates[term])
    active, bought = [0] * len(levels), []
    for month in range(0, len(levels), every):
        worth = sum(level.units for level in levels[max(0, month - 1)] if level.cost > rates[best])
        if (count := worth - active[month]) > 0:
            bought.append(Bought(month, best, count))
            for later in range(month, min(month + terms[best].months, len(levels))):
                active[later] += count
    return tuple(bought)


def ski_rental(levels: Levels, terms: Sequence[Term], wholes: Sequence[int]) -> tuple[Bought, ...]:
    """Return what the best rule buys that knows nothing of the months to come.

    A unit is bought by the term when what it cost on demand, in the months since the one in which no purchase covered
    it and within one term's length, has reached what the whole term costs (`wholes`). Of several terms the shortest,
    the cheapest of these. It costs at most 2 - a times the least by it, a being its cost over what it replaces.
    Source: Wang, Li, Liang, To Reserve or Not to Reserve (2013), arXiv 1305.5608, algorithm 1.
    """
    if not terms:
        return ()
    best = min(range(len(terms)), key=lambda term: (terms[term].months, wholes[term]))
    length, active, bought = terms[best].months, [0] * len(levels), []
    paid = [[0] * len(levels) for _ in range(most_units(levels))]
    for month, ladder in enumerate(levels):
        costs = [level.cost for level in sorted(ladder, key=lambda level: -level.cost) for _ in range(level.units)]
        for unit in range(active[month], len(costs)):
            paid[unit][month] = costs[unit]
        count = 0
        for unit in range(active[month], len(costs)):
            if sum(paid[unit][max(0, month - length + 1) : month + 1]) >= wholes[best]:
                count += 1
                paid[unit] = [0] * len(levels)
        if count and month + 1 < len(levels):
            bought.append(Bought(month + 1, best, count))
            for later in range(month + 1, min(month + 1 + length, len(levels))):
                active[later] += count
    return tuple(bought)


class _Flow:
    """The network of one horizon and the units sent through it so far."""

    def __init__(self, levels: Levels, terms: Sequence[Term]) -> None:
        self.horizon, self.units = len(levels), most_units(levels)
        self.ladders: list[list[Level]] = []
        for ladder in levels:
            idle = self.units - sum(level.units for level in ladder)
            self.ladders.append(sorted([Level(idle, 0), *ladder], key=lambda level: level.cost))
        self.step = [0] * self.horizon
        """The level of each month that the next unit takes."""
        self.on_step = [0] * self.horizon
        """The units on that level already."""
        self.lapsed = [0] * (self.horizon + 1)
        """The units that go back from each month's beginning to the one before."""
        self.taken: dict[tuple[int, int], int] = {}
        self.by_head: list[list[tuple[int, int]]] = [[] for _ in range(self.horizon + 1)]
        """What is bought, by the month in which it ends."""
        self.offers = [list(_undominated(terms, month, self.horizon)) for month in range(self.horizon)]
        self.costs = [term.costs for term in terms]
        self.potentials = [0] * (self.horizon + 1)
        for month in range(self.horizon):
            self._settle(month)

    def send(self) -> None:
        """Send all units, each by the way that is cheapest then."""
        left = self.units
        while left:
            path = self._shortest()
            sent = min(left, *(room for _, _, room, _ in path))
            for kind, where, _, term in path:
                self._take(kind, where, term, sent)
            left -= sent

    def _settle(self, month: int) -> None:
        """Go past the levels of a month that are full, and back from those that are empty."""
        ladder = self.ladders[month]
        while self.step[month] < len(ladder) and self.on_step[month] == ladder[self.step[month]].units:
            self.step[month] += 1
            self.on_step[month] = 0

    def _back_step(self, month: int) -> tuple[int, int]:
        """Return the dearest level of a month that units are on, and how many; (-1, 0) where none are."""
        step, on_step = self.step[month], self.on_step[month]
        while not on_step and step:
            step -= 1
            on_step = self.ladders[month][step].units
        return (step, on_step) if on_step else (-1, 0)

    def _take(self, kind: str, where: int, term: int, sent: int) -> None:
        if kind == "level":
            self.on_step[where] += sent
            self._settle(where)
        elif kind == "off_level":
            step, on_step = self._back_step(where)
            self.step[where], self.on_step[where] = step, on_step - sent
        elif kind == "lapse":
            self.lapsed[where] += sent
        elif kind == "off_lapse":
            self.lapsed[where] -= sent
        else:
            self._buy(where, term, sent if kind == "term" else -sent)

    def _buy(self, month: int, term: int, count: int) -> None:
        key = (month, term)
        if key not in self.taken:
            head = next(head for head, _, which, _ in self.offers[month] if which == term)
            self.by_head[head].append(key)
        self.taken[key] = self.taken.get(key, 0) + count

    def _arcs(self, node: int) -> list[tuple[int, int, str, int, int, int]]:
        """Return head, cost, kind, where, room and term of what leads on from a month's beginning."""
        arcs = []
        if node < self.horizon:
            if (step := self.step[node]) < len(self.ladders[node]):
                count, cost = self.ladders[node][step]
                arcs.append((node + 1, cost, "level", node, count - self.on_step[node], 0))
            if self.lapsed[node + 1]:
                arcs.append((node + 1, 0, "off_lapse", node + 1, self.lapsed[node + 1], 0))
            for head, cost, term, most in self.offers[node]:
                if (room := most - self.taken.get((node, term), 0)) > 0:
                    arcs.append((head, cost, "term", node, room, term))
        if node:
            arcs.append((node - 1, 0, "lapse", node, self.units, 0))
            step, room = self._back_step(node - 1)
            if room:
                arcs.append((node - 1, -self.ladders[node - 1][step].cost, "off_level", node - 1, room, 0))
        for month, term in self.by_head[node]:
            if room := self.taken[month, term]:
                arcs.append((month, -self.costs[term][month], "off_term", month, room, term))
        return arcs

    def _shortest(self) -> list[tuple[str, int, int, int]]:
        """Return the cheapest way of one more unit, by Dijkstra's algorithm, and keep the potentials that prove it."""
        last, potentials = self.horizon, self.potentials
        distance = [FAR] * (last + 1)
        by: list[tuple[int, tuple[str, int, int, int]] | None] = [None] * (last + 1)
        distance[0] = 0
        queue, done = [(0, 0)], [False] * (last + 1)
        while queue:
            so_far, node = heappop(queue)
            if done[node]:
                continue
            done[node] = True
            if node == last:
                break
            for head, cost, kind, where, room, term in self._arcs(node):
                further = so_far + cost + potentials[node] - potentials[head]
                if further < distance[head]:
                    distance[head], by[head] = further, (node, (kind, where, room, term))
                    heappush(queue, (further, head))
        for node in range(last + 1):
            potentials[node] += min(distance[node], distance[last])
        path, node = [], last
        while node:
            step = by[node]
            assert step is not None
            node = step[0]
            path.append(step[1])
        return path


def _undominated(terms: Sequence[Term], month: int, horizon: int) -> list[tuple[int, int, int, int]]:
    """Return end, cost, index and most of the terms worth buying in a month.

    What is not limited and lasts as long or longer for no more money makes another needless, as it may lapse.
    """
    offers = []
    for index, term in enumerate(terms):
        most = FAR if term.most is None else term.most[month]
        offers.append((min(month + term.months, horizon), term.costs[month], index, most))
    offers.sort(key=lambda offer: (offer[1], -offer[0], offer[2]))
    kept: list[tuple[int, int, int, int]] = []
    for offer in offers:
        if offer[3] and not any(other[0] >= offer[0] and other[3] == FAR for other in kept):
            kept.append(offer)
    return kept
