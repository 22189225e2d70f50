"""The cheapest fleet that keeps everything is what a search finds, and what asks more never costs less."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from fleets_by_force import CENT, KINDS, Force, brief_of, broken, drawn, few_shapes
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan import registry
from cascade_plan.choosing.search import POPPED_MOST, Fit, Found, Search
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan

QUICK = (1, 2, 5, 9, 12, 24, 139, 140, 150)
"""Cases of which every fleet that could be cheaper is looked at in seconds; others take minutes."""
CASES = [*range(int(os.environ["CASCADE_PLAN_CASES"]))] if "CASCADE_PLAN_CASES" in os.environ else [*QUICK]
"""Of those that chance draws; 200 take hours."""
LOOKED_AT_MOST = 300
"""Large fleets that are looked at where the search says that none keeps everything."""
seeds = st.sampled_from(CASES)


def found(scenario: Scenario) -> Found:
    return Search(brief_of(scenario)).run()


def best_of(scenario: Scenario) -> Fit | None:
    return found(scenario).best


def usd(scenario: Scenario) -> Decimal:
    """Return what the cheapest fleet costs; infinite where none keeps everything."""
    best = best_of(scenario)
    return Decimal("Infinity") if best is None else best.cost_usd


def changed(scenario: Scenario, **parts: Any) -> Scenario:
    """Return a scenario with parts of it changed, as its file would say it."""
    return Scenario.model_validate({**scenario.model_dump(exclude_unset=True), **parts})


def freed(scenario: Scenario, **free: Any) -> Scenario:
    """Return a scenario whose search may choose, or must keep, something else besides."""
    return changed(scenario, optimize={**scenario.optimize.model_dump(exclude_unset=True), **free})


def test_ways_are_made_up_for_each_kind_that_has_options() -> None:
    kinds = [kind for kind in registry.names("tiers") if registry.has("tiers", kind, "options")]
    assert {kind for kind in kinds if hasattr(registry.load("tiers", kind, "options"), "options")} == {*KINDS}


@pytest.mark.parametrize("seed", CASES)
def test_nothing_cheaper_keeps_everything(seed: int) -> None:
    with few_shapes(seed):
        scenario = drawn(seed)
        brief, result = brief_of(scenario), found(scenario)
        if result.best is None:
            force = Force(brief, Decimal("Infinity"), looked_at_most=LOOKED_AT_MOST).run()
            assert force.best is None, (force.best_usd, result.reason)
            return
        force = Force(brief, result.best.cost_usd + CENT / 2).run()
        assert force.best_usd is not None, (result.best.cost_usd, force.reasons)
        assert abs(force.best_usd - result.best.cost_usd) < CENT / 2
        made = plan(result.best.scenario, brief.book, with_margins=False)
        assert made.bill.effective_usd.average == result.best.cost_usd
        assert broken(made) == ""
        assert result.bound_usd == result.best.cost_usd


@pytest.mark.parametrize(
    "name", ["api-batch", "cascade", "chat-40k", "growth-100k", "saas-300", "serverless-500", "startup-1k"]
)
def test_it_is_no_dearer_than_the_fleet_of_the_method_slo(name: str) -> None:
    scenario = read(name).scenario.model_copy(update={"method": "slo"})
    brief = brief_of(scenario)
    made = plan(scenario, brief.book, with_margins=False)
    assert not broken(made) or name == "cascade"
    assert usd(scenario) <= made.bill.effective_usd.average


def test_what_connects_is_that_of_the_fleet_and_not_of_an_endless_one() -> None:
    scenario = read("saas-300").scenario.model_copy(update={"method": "slo"})
    best = best_of(scenario)
    assert best is not None
    # 60 connections of 3 nodes, not those of as many nodes as a tier alone is held beside: a db.r6g.2xlarge is $1,324.
    assert best.candidates["database"].option.words in ("db.t4g.medium", "db.t4g.small", "db.t4g.micro")


def test_a_gate_on_what_connects_is_asked_of_the_fleet_and_not_of_a_tier_beside_endless_ones() -> None:
    plain = read("saas-300").scenario.model_copy(update={"method": "slo"})
    figure = "database.client_connection_count_max"
    gated = plain.model_copy(update={"gates": {**plain.gates, figure: ["< 80"]}})
    best = best_of(gated)
    assert best is not None
    assert best.cost_usd >= usd(plain)
    assert plan(best.scenario, brief_of(gated).book).figures[figure].value < 80


def test_a_database_alone_is_held_to_no_connections_that_few_nodes_of_others_open() -> None:
    with few_shapes(122):
        best = best_of(drawn(122))
    # What every fleet that could be cheaper says, looked at one by one in a minute.
    assert best is not None
    assert abs(best.cost_usd - Decimal("1265.8530650900")) < CENT / 2


@pytest.mark.parametrize(("seed", "most"), [(7, 40), (143, 90), (170, 98), (170, 160)])
def test_a_gate_on_what_follows_strikes_nothing_that_keeps_it(
    seed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with few_shapes(seed):
        plain = drawn(seed)
        gated = changed(plain, gates={**plain.gates, "pool.connection_count": [f"< {most}"]})
        least = usd(gated)
        monkeypatch.setattr(Search, "_broken_behind", lambda *_: "")
        monkeypatch.setattr("cascade_plan.choosing.search._aside", lambda *_: frozenset())
        assert usd(gated) == least


def test_few_fleets_are_looked_at_where_each_breaks_a_gate_on_what_follows() -> None:
    given_ = read("cascade", [("--set", "tiers.cache", "off"), ("--set", "optimize.families", "[t4g]")])
    result = found(given_.scenario.model_copy(update={"method": "slo"}))
    # As many as without WebSocket pods, which have nothing to do with it: a search that tries each of them beside every
    # database gives up.
    assert result.best is not None
    assert result.popped < 400


@pytest.mark.parametrize("seed", [11, 135])
def test_a_search_ends_where_each_database_that_is_allowed_is_too_small_for_those_who_connect(seed: int) -> None:
    with few_shapes(seed):
        scenario = drawn(seed)
        result = found(scenario)
        assert result.best is None
        assert "connections, buffers, vacuums and sorts" in result.reason
        assert result.popped < POPPED_MOST
        force = Force(brief_of(scenario), Decimal("Infinity"), looked_at_most=LOOKED_AT_MOST).run()
        assert force.best is None, force.best_usd


def harder(scenario: Scenario) -> Iterator[tuple[str, Scenario]]:
    """Yield what asks more of a fleet."""
    users, load = scenario.users, scenario.loads["peak"]
    for times in (2, 3):
        # Whole times as many: rounding would change how the average stands to the peak.
        yield f"{times} times the users", scenario.with_users(users.peak * times, users.average * times)
    loads = {"peak": load.model_dump(exclude_unset=True) | {"latency_ms_p95": load.latency_ms_p95 * 0.95}}
    yield "a stricter p95", changed(scenario, loads=loads)
    loads = {"peak": load.model_dump(exclude_unset=True) | {"latency_ms_p99": load.latency_ms_p95 * 1.2}}
    if load.latency_ms_p99 is None:
        yield "a p99", changed(scenario, loads=loads)
    yield "no sharing of nodes", freed(scenario, pools="apart")
    yield "no bursts", freed(scenario, burstable=[])
    yield "one architecture", freed(scenario, architecture="arm64")
    for name in ("api", "database"):
        if name in scenario.tiers:
            yield f"{name} kept as it is", freed(scenario, keep=[f"tiers.{name}"])


def easier(scenario: Scenario) -> Iterator[tuple[str, Scenario]]:
    """Yield what leaves more to choose, or asks less."""
    free = scenario.optimize
    given = scenario.availability.model_dump(exclude_unset=True)
    for lost in ("lost_zone_count", "lost_node_count"):
        yield f"{lost} 0", changed(scenario, availability={**given, lost: 0})
    yield "no standby", changed(scenario, availability={**given, "multi_az": False})
    yield "years", freed(scenario, commitment_years_max=3)
    yield "spot", freed(scenario, spot={"share_max": 1, "without_it": "average"})
    if free.upfront_usd_max is not None:
        yield "more on the first day", freed(scenario, upfront_usd_max=free.upfront_usd_max * 2 + 100)
    yield "pools", freed(scenario, pools="any")


@settings(max_examples=8)
@given(seeds, st.data())
def test_what_asks_more_never_costs_less_and_what_leaves_more_never_more(seed: int, data: st.DataObject) -> None:
    with few_shapes(seed):
        scenario = drawn(seed)
        now = usd(scenario)
        name, other = data.draw(st.sampled_from([*harder(scenario)]))
        assert usd(other) >= now - CENT, name
        name, other = data.draw(st.sampled_from([*easier(scenario)]))
        assert usd(other) <= now + CENT, name


@settings(max_examples=8)
@given(seeds, st.randoms(use_true_random=False))
def test_what_is_found_does_not_hang_on_the_order_of_tiers(seed: int, chance: Any) -> None:
    with few_shapes(seed):
        scenario = drawn(seed)
        names = list(scenario.tiers)
        chance.shuffle(names)
        # Pods stand on the nodes of the service that is named first.
        names.sort(key=lambda name: name in scenario.of("api"))
        tiers = scenario.model_dump(exclude_unset=True)["tiers"]
        services = iter(scenario.of("api"))
        order = [next(services) if name in scenario.of("api") else name for name in names]
        one, other = best_of(scenario), best_of(changed(scenario, tiers={name: tiers[name] for name in order}))
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.cost_usd == other.cost_usd
            assert {name: own.model_dump() for name, own in one.scenario.tiers.items()} == {
                name: own.model_dump() for name, own in other.scenario.tiers.items()
            }


@settings(max_examples=8)
@given(seeds)
def test_one_less_of_a_count_breaks_something_or_costs_the_same(seed: int) -> None:
    with few_shapes(seed):
        scenario = drawn(seed)
        brief, best = brief_of(scenario), best_of(scenario)
        if best is None:
            return
        for name, candidate in best.candidates.items():
            own: Any = best.scenario.tiers[name]
            for less in one_less(own):
                tiers = {**best.scenario.tiers, name: less}
                pinned = best.scenario.model_copy(update={"tiers": tiers})
                made = plan(pinned, brief.book, with_margins=False)
                cheaper = made.bill.effective_usd.average < best.cost_usd - CENT
                assert not cheaper or broken(made), (name, candidate.option.words, less)


def one_less(own: Any) -> Iterator[Any]:
    """Yield the settings of a tier with one less of each of its counts."""
    if own.KIND == "api" and own.nodes is not None:
        low, base = own.nodes.min, own.nodes.base
        if low > 1:
            yield own.model_copy(update={"nodes": own.nodes.model_copy(update={"min": low - 1})})
        if base > low:
            yield own.model_copy(update={"nodes": own.nodes.model_copy(update={"base": base - 1})})
    if own.KIND == "websocket" and own.nodes is not None and own.nodes > 1:
        yield own.model_copy(update={"nodes": own.nodes - 1})
    if own.KIND == "database" and own.replicas:
        yield own.model_copy(update={"replicas": own.replicas - 1})
