"""What is bought is the cheapest there is: by looking at every schedule, and by a bound that no schedule undercuts."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.reservations import (
    Bought,
    Level,
    Term,
    bound,
    cheapest,
    cost_of,
    look_back,
    most_units,
    ski_rental,
    units_active,
)

CASES = range(int(os.environ.get("CASCADE_PLAN_CASES", "60")))
Levels = list[list[Level]]


def drawn(seed: int) -> tuple[Levels, list[Term]]:
    """Return a horizon so small that every schedule of it can be looked at; a term costs something else each month."""
    chance = random.Random(seed)
    while True:
        horizon, kinds = chance.randint(1, 5), chance.randint(0, 3)
        terms = [
            Term(
                chance.randint(1, horizon + 1),
                tuple(chance.randint(1, 60) for _ in range(horizon)),
                None if chance.random() < 0.7 else tuple(chance.randint(0, 2) for _ in range(horizon)),
            )
            for _ in range(kinds)
        ]
        levels = [
            [Level(chance.randint(1, 2), chance.randint(0, 25)) for _ in range(chance.randint(0, 2))]
            for _ in range(horizon)
        ]
        if (most_units(levels) + 1) ** (horizon * kinds) <= 5000:
            return levels, terms


def every_schedule(levels: Levels, terms: list[Term]) -> Iterator[list[Bought]]:
    """Yield all that can be bought: of no term more in a month than ever run, or than may be."""
    units = most_units(levels)
    slots = [(month, at) for at in range(len(terms)) for month in range(len(levels))]

    def more(slot: int, bought: list[Bought]) -> Iterator[list[Bought]]:
        if slot == len(slots):
            yield bought
            return
        month, at = slots[slot]
        most = terms[at].most
        for count in range(min(units, units if most is None else most[month]) + 1):
            yield from more(slot + 1, [*bought, Bought(month, at, count)] if count else bought)

    return more(0, [])


def by_hand(levels: Levels, terms: list[Term], bought: list[Bought]) -> int:
    """Return what a schedule costs: each unit of each month, one after the other."""
    cost = sum(terms[at].costs[month] * units for month, at, units in bought)
    for now, ladder in enumerate(levels):
        covered = sum(units for month, at, units in bought if month <= now < month + terms[at].months)
        each = sorted(cost for units, cost in ladder for _ in range(units))
        cost += sum(each[: max(0, len(each) - covered)])
    return cost


@pytest.mark.parametrize("seed", CASES)
def test_no_schedule_is_cheaper_and_the_bound_is_the_cost(seed: int) -> None:
    levels, terms = drawn(seed)
    found = cheapest(levels, terms)
    assert found.cost == min(by_hand(levels, terms, each) for each in every_schedule(levels, terms))
    assert found.cost == by_hand(levels, terms, list(found.bought)) == bound(levels, terms, found.potentials)


@st.composite
def horizons(draw: st.DrawFn) -> tuple[Levels, list[Term]]:
    """Return up to five years with up to four terms, in whole numbers as large as picodollars are."""
    horizon = draw(st.integers(1, 60))
    cost = st.integers(0, 10**15)
    level = st.builds(Level, st.integers(1, 500), cost)
    levels = draw(st.lists(st.lists(level, max_size=4), min_size=horizon, max_size=horizon))
    costs = st.lists(st.integers(1, 10**16), min_size=horizon, max_size=horizon).map(tuple)
    most = st.none() | st.lists(st.integers(0, 600), min_size=horizon, max_size=horizon).map(tuple)
    terms = draw(st.lists(st.builds(Term, st.integers(1, 40), costs, most), max_size=4))
    return levels, terms


@given(horizons())
def test_a_long_horizon_is_proved_to_the_last_digit(case: tuple[Levels, list[Term]]) -> None:
    levels, terms = case
    found = cheapest(levels, terms)
    assert found.cost == cost_of(levels, terms, found.bought) == bound(levels, terms, found.potentials)
    for month, at, units in found.bought:
        most = terms[at].most
        assert most is None or units <= most[month]


@given(horizons(), st.data())
def test_no_potentials_prove_more_than_any_schedule_costs(case: tuple[Levels, list[Term]], data: st.DataObject) -> None:
    levels, terms = case
    any_number = st.integers(-(10**16), 10**16)
    potentials = data.draw(st.lists(any_number, min_size=len(levels) + 1, max_size=len(levels) + 1))
    assert bound(levels, terms, potentials) <= cheapest(levels, terms).cost


@given(horizons())
def test_more_terms_never_cost_more(case: tuple[Levels, list[Term]]) -> None:
    levels, terms = case
    costs = [cheapest(levels, terms[:count]).cost for count in range(len(terms) + 1)]
    assert costs == sorted(costs, reverse=True)


def test_a_reservation_serves_one_level_after_another() -> None:
    # One unit runs in months 1 and 2, another one in 3: a term of three months pays for both.
    levels = [[Level(1, 10)], [Level(1, 10)], [Level(1, 9)]]
    assert cheapest(levels, [Term(3, (20, 20, 20))]).bought == (Bought(0, 0, 1),)


def test_terms_may_overlap_where_a_later_start_costs_more() -> None:
    # Both ends of the horizon are dear. The second term begins before the first ends, as it costs 50 a month later.
    levels = [[Level(1, 30)], [], [Level(1, 1)], [Level(1, 30)], [Level(1, 30)]]
    found = cheapest(levels, [Term(3, (10, 10, 10, 50, 50))])
    assert found.cost == 20
    assert [each.month for each in found.bought] == [0, 2]


def test_nothing_runs_and_nothing_is_sold() -> None:
    assert cheapest([], []) == ((), 0, (0,))
    assert cheapest([[], []], [Term(1, (1, 1))]).bought == ()
    assert cheapest([[Level(3, 7)]], []).cost == 21


def test_looking_back_buys_what_ran_the_month_before() -> None:
    levels = [[Level(1, 10)], [Level(3, 10)], [Level(3, 10), Level(1, 4)], [Level(4, 10)]]
    terms, rates = [Term(2, (12,) * 4), Term(3, (15,) * 4)], [6, 5]
    assert look_back(levels, terms, 1, rates) == (Bought(0, 1, 1), Bought(2, 1, 2), Bought(3, 1, 1))
    assert look_back(levels, terms, 2, rates) == (Bought(0, 1, 1), Bought(2, 1, 2))
    assert look_back(levels, [], 1, []) == ()


def test_ski_rental_buys_when_as_much_was_paid_on_demand() -> None:
    levels = [[Level(1, 10)] for _ in range(6)]
    assert ski_rental(levels, [Term(3, (25,) * 6)], [25]) == (Bought(3, 0, 1),)
    assert ski_rental(levels[:3], [Term(3, (25,) * 3)], [25]) == ()
    assert ski_rental(levels, [], []) == ()


def test_what_is_bought_is_active_for_its_term() -> None:
    assert units_active(4, [Term(2, (1,) * 4)], [Bought(0, 0, 2), Bought(3, 0, 1)]) == [2, 2, 0, 1]
