"""What each requirement costs, and what could be given up where a budget cannot be met: each by a search of its own.

To give a requirement up is to be allowed to: the cheapest fleet without some requirements costs no more than one that
keeps part of them. So what costs too much without many costs too much without few of them, and need not be searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import chain, combinations
from typing import Any, Final, NamedTuple

from cascade_plan.choosing import optimum
from cascade_plan.choosing.relaxations import relaxations, stricter
from cascade_plan.choosing.replanning import assignments, changed
from cascade_plan.choosing.search import Found
from cascade_plan.errors import CascadePlanError
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.price import Book
from cascade_plan.model.relaxation import Relaxation, Relaxed, WhyNot
from cascade_plan.model.scenario import Scenario

SET_MOST: Final = 3
"""Requirements that are given up together."""
SEARCHES: Final = 12
"""Searches for sets of requirements, unless all are asked for."""
USERS_MOST: Final = 1_000_000
"""Users at peak up to which a budget per 1000 is looked at."""
STEP: Final = 4
POPPED_MOST: Final = 500
"""Fleets that are looked at for each number of users: where none of so many keeps everything, none is said to."""
CLOSE: Final = 0.02
"""How near the users are found from which on a budget is met."""
Names = frozenset[str]
NONE: Final[Names] = frozenset()


class Answer(NamedTuple):
    """The cheapest fleet without some requirements."""

    cost_usd: Decimal | None
    """None where there is none."""
    upfront_usd: Decimal | None
    unpriced: frozenset[str]


NO_FLEET: Final = Answer(None, None, NONE)


class Relaxing:
    """A scenario, its requirements, and what the cheapest fleet costs without some of them."""

    def __init__(
        self,
        scenario: Scenario,
        book: Book,
        origins: Mapping[str, str],
        as_of: date | None = None,
        found: Found | None = None,
    ) -> None:
        """Take a scenario, and the search of it where there was one."""
        self.scenario, self.book, self.origins, self.as_of = scenario, book, origins, as_of
        found = found or optimum.found(scenario, book, origins, as_of)
        listed = relaxations(scenario, Fleet(found.worlds[0].endless, scenario.hours_per_month))
        self.relaxations = {each.name: each for each in listed}
        self.budget_usd = scenario.budget.usd_per_month_most(scenario.users)
        self.search_count = 0
        self._alike: dict[Names, Found] = {NONE: found}
        """What a search found, by the requirements given up that move the counts of tiers."""
        self._answers: dict[Names, Answer] = {NONE: _answer(found)}
        self._singles: dict[str, Answer] = {}
        self._short: set[Names] = set()
        """Requirements without which the budget is not met either, of which no more is known."""

    @cached_property
    def usable(self) -> tuple[str, ...]:
        """The requirements that are none the dearer to give up: what replaces one may cost more, or break another."""
        present = self._answers[NONE]
        if present.cost_usd is None:
            return tuple(self.relaxations)
        return tuple(name for name in self.relaxations if _order(self._alone(name)) <= _order(present))

    @cached_property
    def all(self) -> Names:
        """All usable requirements; of those that set the same value only the last, which frees most."""
        return frozenset(
            name
            for place, name in enumerate(self.usable)
            if not any(self._clash(name, later) for later in self.usable[place + 1 :])
        )

    def _alone(self, name: str) -> Answer:
        """Return what a search finds without one requirement, be it dearer."""
        if name not in self._singles:
            self._singles[name] = self._searched([self.relaxations[name]])
        return self._singles[name]

    def _clash(self, one: str, other: str) -> bool:
        return bool(self.relaxations[one].overrides.keys() & self.relaxations[other].overrides.keys())

    def answer(self, names: Names) -> Answer:
        """Return the cheapest fleet without some requirements: by a search, or by one with fewer given up."""
        if names not in self._answers:
            fewer = (each for given_up, each in self._answers.items() if given_up < names)
            found = self._alone(*names) if len(names) == 1 else self._searched(self.named(names))
            self._answers[names] = min((found, *fewer), key=_order)
        return self._answers[names]

    def named(self, names: Names) -> list[Relaxation]:
        """Return what gives some requirements up, in the order in which they are listed."""
        return [each for name, each in self.relaxations.items() if name in names]

    def _searched(self, given_up: Sequence[Relaxation], below_usd: Decimal | None = None) -> Answer:
        scenario = changed(self.scenario, changes_of(self.scenario, given_up))
        if scenario is None:
            return NO_FLEET
        moved = frozenset(each.name for each in given_up if not each.counts_stay)
        self.search_count += 1
        try:
            search = optimum.search(scenario, self.book, self.origins, self.as_of, self._alike.get(moved))
            found = search.run(below_usd)
        except CascadePlanError:
            return NO_FLEET
        self._alike.setdefault(moved, found)
        answer = _answer(found)
        # Of a fleet that lacks a price which the present one has nobody knows what it saves.
        return answer if answer.unpriced <= self._answers[NONE].unpriced else NO_FLEET

    def relaxed(self, given_up: Sequence[Relaxation], answer: Answer) -> Relaxed:
        """Return what some requirements cost, by an answer without them."""
        present = self._answers[NONE].cost_usd
        saves = None if present is None or answer.cost_usd is None else present - answer.cost_usd
        changes = changes_of(self.scenario, given_up)
        return Relaxed(
            names=tuple(each.name for each in given_up),
            cost_usd_per_month=answer.cost_usd,
            upfront_usd=answer.upfront_usd,
            saves_usd=saves,
            gives_up=tuple(each.gives_up for each in given_up),
            overrides=tuple(assignments(changes, self.scenario)),
            kind=given_up[0].kind,
        )

    # ------------------------------------------------------------------------------------------------- each alone

    def marginal(self) -> Iterator[Relaxed]:
        """Yield each requirement given up alone, what saves most first, and then what stricter promises cost.

        What forbids the search a choice that it does not want, and a gate that does not bind, are left out.
        """
        found = [self.relaxed([each], self.answer(frozenset({name}))) for name, each in self.relaxations.items()]
        shown = [each for each in found if each.saves_usd != 0 or not self._is_idle(each.names[0])]
        yield from sorted(shown, key=lambda each: -(each.saves_usd or 0))
        for each in stricter(self.scenario):
            yield self.relaxed([each], self._searched([each]))

    def _is_idle(self, name: str) -> bool:
        """Return whether a requirement that costs nothing is not worth a word."""
        each = self.relaxations[name]
        return each.kind == "choice" or any(path.startswith("gates.") for path in each.overrides)

    # -------------------------------------------------------------------------------------------------- a budget

    def is_met(self, names: Names) -> bool:
        """Return whether the budget is met without some requirements: by what is known already, or by a search."""
        if self._is_known_short(names):
            return False
        if any(given_up <= names and self._pays(answer) for given_up, answer in self._answers.items()):
            return True
        answer = self._searched(self.named(names), self.budget_usd)
        if not self._pays(answer):
            self._short.add(names)
            return False
        self._answers[names] = answer
        return True

    def _pays(self, answer: Answer) -> bool:
        cost, budget = answer.cost_usd, self.budget_usd
        return cost is not None and (budget is None or cost < budget)

    def irreducible(self) -> Names:
        """Return requirements that cannot be kept together, each of which is enough to give up; none where all are not.

        By a deletion filter that starts with what saves least, and drops what it can by halves.
        """
        if self.is_met(NONE) or not self.is_met(self.all):
            return NONE
        ranked = sorted(self.all, key=lambda name: (self._saves(name), name))
        return frozenset(self._needed(ranked, ranked))

    def _needed(self, kept: Sequence[str], tried: Sequence[str]) -> Sequence[str]:
        """Return what is left of `kept` requirements when those of `tried` are dropped that are not needed."""
        without = [name for name in kept if name not in tried]
        if not tried or not self.is_met(self.all - {*without}):
            return without
        if len(tried) == 1:
            return kept
        half = len(tried) // 2
        return self._needed(self._needed(kept, tried[:half]), tried[half:])

    def _saves(self, name: str) -> Decimal:
        present, cost = self._answers[NONE].cost_usd, self.answer(frozenset({name})).cost_usd
        return Decimal(0) if present is None or cost is None else present - cost

    def sets(self, searches: int | None = SEARCHES) -> tuple[tuple[Names, ...], int]:
        """Return the smallest sets of requirements without which the budget is met, and how many were not looked at.

        Those that would meet it if savings added up are looked at first. None is part of another: a set that meets it
        is shrunk to what of it does. With `searches` None all sets of up to SET_MOST are looked at.
        """
        if self.is_met(NONE) or not self.is_met(self.all):
            return (), 0
        found: list[Names] = []
        left, until = 0, None if searches is None else self.search_count + searches
        for names in self._ranked():
            if any(each <= names for each in found) or self._is_known_short(names):
                continue
            if until is not None and self.search_count >= until:
                left += 1
            elif self.is_met(names):
                found.append(self._shrunk(names))
        return tuple(sorted(found, key=lambda names: (_order(self.answer(names)), sorted(names)))), left

    def _is_known_short(self, names: Names) -> bool:
        """Return whether the budget is not met without more of the requirements either."""
        short = (given_up for given_up, answer in self._answers.items() if not self._pays(answer))
        return any(names <= given_up for given_up in chain(self._short, short))

    def _ranked(self) -> list[Names]:
        """Return the sets to look at: those whose savings add up to enough, few before many, then the nearest."""
        present, budget = self._answers[NONE].cost_usd, self.budget_usd
        gap = None if present is None or budget is None else present - budget
        saves = {name: self._saves(name) for name in self.usable}

        def rank(names: tuple[str, ...]) -> tuple[bool, int, Decimal]:
            total = sum((saves[name] for name in names), Decimal(0))
            short = gap is not None and total <= gap
            return short, 0 if short else len(names), -total

        every = [
            names
            for count in range(1, SET_MOST + 1)
            for names in combinations(self.usable, count)
            if not any(self._clash(one, other) for one, other in combinations(names, 2))
        ]
        return [frozenset(names) for names in sorted(every, key=rank)]

    def _shrunk(self, names: Names) -> Names:
        """Return the least part of a set that still meets the budget, found by leaving out one after the other."""
        for name in sorted(names, key=lambda name: (self._saves(name), name)):
            if self.is_met(names - {name}):
                names -= {name}
        return names

    # ------------------------------------------------------------------------------------------------- more users

    def crossing(self) -> tuple[int | None, int]:
        """Return from how many users at peak on the budget per 1000 is met, and up to how many was looked.

        In the present ratio of peak to average. Looks at ever STEP times the peak, then by halving between the
        last that does not meet it and the next that does. (None, 0) where nothing is asked per 1000 users, or enough.
        """
        if self.scenario.budget.usd_per_1000_users_month is None or self.is_met(NONE):
            return None, 0
        short, peak = self.scenario.users.peak, self.scenario.users.peak
        while peak < USERS_MOST:
            peak = min(STEP * peak, USERS_MOST)
            if self._is_met_at(peak):
                break
            short = peak
        else:
            return None, peak
        most = peak
        while peak - short > max(1, CLOSE * short):
            middle = (short + peak) // 2
            short, peak = (short, middle) if self._is_met_at(middle) else (middle, peak)
        return peak, most

    def _is_met_at(self, peak: int) -> bool:
        """Return whether so many users at peak cost less than the budget, with all requirements kept."""
        users = self.scenario.users
        scenario = self.scenario.with_users(peak, max(1, round(users.average * peak / users.peak)))
        per_1000 = Decimal(str(self.scenario.budget.usd_per_1000_users_month))
        budget = per_1000 * getattr(scenario.users, scenario.budget.users) / 1000
        search = optimum.search(scenario, self.book, self.origins, self.as_of)
        # What every fleet costs at least is often enough, and takes no search.
        if all(world.least_charge >= budget for world in search.worlds):
            return False
        return search.run(budget, POPPED_MOST).best is not None


def why_not(
    scenario: Scenario,
    book: Book,
    origins: Mapping[str, str],
    as_of: date | None = None,
    *,
    found: Found | None = None,
    searches: int | None = SEARCHES,
) -> WhyNot:
    """Return what each requirement costs, and why a budget cannot be met and what could be given up for it.

    `found` is the search of the scenario where there was one; `searches` limits those for sets, None does not.
    """
    asked = Relaxing(scenario, book, origins, as_of, found)
    marginal = tuple(asked.marginal())
    irreducible = asked.irreducible()
    sets, left = asked.sets(searches)
    crossing, most = asked.crossing()
    return WhyNot(
        budget_usd_per_month=asked.budget_usd,
        cost_usd_per_month=asked.answer(NONE).cost_usd,
        marginal=marginal,
        irreducible=tuple(name for name in asked.relaxations if name in irreducible),
        least_usd_per_month=None if asked.is_met(NONE) else asked.answer(asked.all).cost_usd,
        sets=tuple(asked.relaxed(asked.named(names), asked.answer(names)) for names in sets),
        sets_left_count=left,
        crossing_users=crossing,
        looked_at_users=most,
    )


def changes_of(scenario: Scenario, given_up: Iterable[Relaxation]) -> dict[str, Any]:
    """Return the values by their dotted paths that give some requirements up; of the same value the last one's."""
    changes: dict[str, Any] = {}
    keep = list(scenario.optimize.keep)
    for each in given_up:
        changes |= each.overrides
        keep = [path for path in (*keep, *each.keeps) if path not in each.frees]
    if keep != scenario.optimize.keep:
        changes["optimize.keep"] = list(dict.fromkeys(keep))
    return changes


def _answer(found: Found) -> Answer:
    best = found.best
    return NO_FLEET if best is None else Answer(best.cost_usd, best.upfront_usd, frozenset(best.unpriced))


def _order(answer: Answer) -> tuple[bool, Decimal]:
    return answer.cost_usd is None, answer.cost_usd or Decimal(0)
