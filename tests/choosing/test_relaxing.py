"""What each requirement costs, and what could be given up where a budget cannot be met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from itertools import combinations

import pytest
from factories import bundled_systems, make_book, make_scenario, small_world

from cascade_plan.choosing import optimum
from cascade_plan.choosing.relaxations import relaxations, stricter
from cascade_plan.choosing.relaxing import NONE, Names, Relaxing, changes_of, why_not
from cascade_plan.choosing.replanning import assignments, changed
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.relaxation import Relaxation
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.sizing import size

FEW = (
    "a zone may be lost",
    "primary databases have a standby",
    "NAT gateways are managed",
    "nothing is committed for 3 years",
)


def asked(scenario: Scenario) -> Relaxing:
    made = Relaxing(scenario, make_book(), {})
    made.relaxations = {name: made.relaxations[name] for name in FEW}
    return made


def searched(scenario: Scenario, given_up: list[Relaxation]) -> Decimal:
    """Return what a search of its own finds, which takes nothing over from another."""
    other = changed(scenario, changes_of(scenario, given_up))
    assert other is not None
    best = optimum.found(other, make_book(), {}).best
    assert best is not None
    return best.cost_usd


def as_flags(changes: Iterable[str]) -> list[Assignment]:
    return [Assignment("--set", path, value) for path, _, value in (change.partition("=") for change in changes)]


def subsets(least: int = 0) -> Iterator[Names]:
    for count in range(least, len(FEW) + 1):
        yield from map(frozenset, combinations(FEW, count))


@cache
def costs() -> Mapping[Names, Decimal]:
    """Return the cost without each set of a few requirements, each by a search of its own."""
    scenario = make_scenario()
    with small_world():
        made = asked(scenario)
        return {names: searched(scenario, made.named(names)) for names in subsets()}


def with_budget(usd: Decimal) -> Scenario:
    return make_scenario(budget={"usd_per_month": float(usd)})


def limits() -> list[Decimal]:
    """Return budgets between the least and the most, so that few and many requirements must be given up."""
    known = sorted({*costs().values()})
    return [(known[at] + known[at + 1]) / 2 for at in (0, len(known) // 3, 2 * len(known) // 3)]


def test_a_requirement_that_is_given_up_never_costs_more_and_each_search_finds_what_it_finds_alone() -> None:
    found = costs()
    for names in found:
        for name in names:
            assert found[names] <= found[names - {name}], names
    with small_world():
        made = asked(make_scenario())
        for names in subsets():
            assert made.answer(names).cost_usd == found[names], names


def test_the_irreducible_set_and_the_least_sets_are_what_every_combination_says() -> None:
    every = frozenset(FEW)
    for budget in limits():
        with small_world():
            made = asked(with_budget(budget))
            kept, (some, few_left), (found, left) = made.irreducible(), made.sets(searches=0), made.sets(searches=None)
        # What cannot be kept together is met without any one of it.
        assert kept
        assert costs()[every - kept] >= budget
        for name in kept:
            assert costs()[every - kept | {name}] < budget, name
        meeting = [names for names in subsets() if costs()[names] < budget]
        least = {names for names in meeting if len(names) <= 3 and not any(other < names for other in meeting)}
        assert {*found} == least
        assert [costs()[names] for names in found] == sorted(costs()[names] for names in found)
        # Without a search only those are found that the first steps have met; the others are counted.
        assert left == 0
        assert {*some} <= {*found}
        assert few_left or {*some} == {*found}


def test_a_budget_that_is_met_needs_nothing_given_up_and_one_that_nothing_meets_says_how_near_it_comes() -> None:
    with small_world():
        met = why_not(with_budget(costs()[NONE] + 1), make_book(), {})
        never = why_not(with_budget(Decimal(1)), make_book(), {})
    assert met.is_met
    assert (met.irreducible, met.sets, met.least_usd_per_month, met.looked_at_users) == ((), (), None, 0)
    assert not never.is_met
    assert (never.irreducible, never.sets) == ((), ())
    assert never.least_usd_per_month is not None
    assert 1 < never.least_usd_per_month <= costs()[frozenset(FEW)]
    # Without copies a cache breaks what availability asks for: to be allowed none saves nothing.
    assert next(each for each in never.marginal if "cache survives" in each.names[0]).saves_usd == 0
    assert never.cost_usd_per_month == costs()[NONE]
    saved = {each.names[0]: each.saves_usd for each in never.marginal}
    for name in FEW:
        assert saved[name] == costs()[NONE] - costs()[frozenset({name})]
    *relaxed, stricter = saved.values()
    assert relaxed == sorted(relaxed, reverse=True)  # type: ignore[type-var]
    assert stricter is not None
    assert stricter <= 0


def test_without_a_fleet_the_requirements_are_named_that_allow_none() -> None:
    loads = {"normal": {"users": 1000, "spawn_rate_per_s": 10.0, "duration_s": 600.0, "latency_ms_p95": 1.0}}
    with small_world():
        made = Relaxing(make_scenario(loads=loads, gates={}, budget={}), make_book(), {})
        made.relaxations = {name: made.relaxations[name] for name in ("a zone may be lost", "latency limits")}
        assert made.answer(NONE).cost_usd is None
        assert made.irreducible() == {"latency limits"}
        assert made.sets() == ((frozenset({"latency limits"}),), 0)


def test_the_crossing_is_where_two_searches_say() -> None:
    def per_1000(peak: int) -> Decimal:
        users = make_scenario().with_users(peak, round(peak * 0.3))
        best = optimum.found(users, make_book(), {}).best
        assert best is not None
        return best.cost_usd / peak * 1000

    with small_world():
        budget = per_1000(25_000)
        crossing, most = asked(make_scenario(budget={"usd_per_1000_users_month": float(budget)})).crossing()
        assert crossing is not None
        assert most == 40_000
        assert per_1000(crossing) < budget
        assert per_1000(int(crossing / 1.04)) >= budget


def test_what_is_printed_beside_a_set_gives_it() -> None:
    given = read("startup-1k")
    made = Relaxing(given.scenario, given.book, given.origins)
    names = frozenset({"NAT gateways are managed", "nothing is committed for a year"})
    changes = assignments(changes_of(given.scenario, made.named(names)), given.scenario)
    again = read("startup-1k", as_flags(changes))
    best = optimum.found(again.scenario, again.book, again.origins).best
    assert best is not None
    assert made.answer(names).cost_usd == best.cost_usd < made.answer(NONE).cost_usd  # type: ignore[operator]


@pytest.mark.parametrize("name", bundled_systems())
def test_every_requirement_is_said_in_few_words_and_can_be_set(name: str) -> None:
    given = read(name)
    fleet = size(optimum.brief_of(given.scenario, given.book, given.origins))
    listed = (*relaxations(given.scenario, fleet), *stricter(given.scenario))
    assert len({each.name for each in listed}) == len(listed)
    for each in listed:
        assert len(each.name) <= 60, each.name
        assert len(each.gives_up) <= 60, each.gives_up
        sets = [*assignments(changes_of(given.scenario, [each]), given.scenario)]
        assert sets, each.name
        read(name, as_flags(sets))
