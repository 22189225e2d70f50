"""One fleet in many worlds: each of them is answered as a plan of it alone is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.choosing.beliefs import beliefs, draws
from cascade_plan.choosing.drawn.asked import one_world
from cascade_plan.choosing.drawn.fleet import Standing, world_of
from cascade_plan.choosing.drawn.not_covered import NotCovered
from cascade_plan.choosing.fleets import alternatives
from cascade_plan.choosing.pinning import pinned
from cascade_plan.choosing.worlds import SHARES, Outcome, Worlds, _Asking
from cascade_plan.inputs.scenarios import Given, read
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.chain import chain
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import predict, worst_response
from cascade_plan.planning.sizing import places

EXACT = 1e-3
"""How far a tail, a throughput or a cost of many worlds may be from that of one."""
WIDE = 'uncertainty={"behaviour.actions.*.cpu_ms": {"lognormal": 0.8}, "users.active_share": {"p10": 0.05, "p90": 0.6}}'


def given_with(name: str, changes: Sequence[str]) -> Given:
    return read(name, [(f"--set {each}", *each.split("=", 1)) for each in changes])  # type: ignore[misc]


@cache
def planned(name: str, *changes: str) -> tuple[Given, Plan]:
    found = given_with(name, changes)
    return found, plan(found.scenario, found.book, found.origins, predicted=False)


def asked(count: int, name: str, *changes: str, seed: int = 1) -> tuple[Worlds, Plan, _Asking]:
    found, made = planned(name, *changes)
    worlds = Worlds.of(found.scenario, found.book, found.origins, count, seed)
    return worlds, made, _Asking(worlds, Standing(pinned(found.scenario, made.fleet), made.fleet, found.book))


def world(asking: _Asking, at: int) -> Scenario:
    values = {path: float(each[at]) for path, each in asking.worlds.values.items()}
    return world_of(asking.standing.scenario, values)


def agrees(asking: _Asking, made: Plan, count: int) -> None:
    """Assert of the first worlds that throughput, tails at each limit and verdicts are those of the plan's own code."""
    from cascade_plan.choosing.drawn.response import missed, paths
    from cascade_plan.choosing.drawn.states import steady_states, worst_states
    from cascade_plan.formulas.arrays.tails import tail
    from cascade_plan.planning.predicting import off_at_most

    for level in asking._levels():
        chains = asking.asked.chains(level.scale)
        assert chains is not None
        for case in level.cases:
            users = asking._users(case)
            with np.errstate(all="ignore"):
                states = steady_states(chains, users)
                passed = [(worlds, paths(on, state)) for worlds, on, state in
                          worst_states(chains, users, off_at_most(asking.standing.scenario))]  # fmt: skip
                limits = {"p95": case.latency_ms_p95, "p99": case.latency_ms_p99}
                tails = {name: np.empty(asking.count) for name in limits}
                verdicts = {name: np.empty(asking.count, dtype=bool) for name in limits}
                for name, limit in limits.items():
                    for worlds, found in passed:
                        tails[name][worlds] = tail(found, (limit or 500) / 1000)
                        verdicts[name][worlds] = missed(found, (limit or 500) / 1000, SHARES[name])
            for at in range(count):
                scenario, fleet = world(asking, at), one_world(asking.asked.fleet, at)
                on = chain(scenario, places(scenario, fleet, level.scale))
                assert states.requests_per_s[at] == pytest.approx(predict(on, int(users[at])).requests_per_s, rel=EXACT)
                law = worst_response(on, int(users[at]))
                for name, limit in limits.items():
                    beyond = law.tail((limit or 500) / 1000)
                    assert tails[name][at] == pytest.approx(beyond, rel=EXACT, abs=1e-6)
                    if abs(beyond / SHARES[name] - 1) > EXACT:
                        assert verdicts[name][at] == (beyond >= SHARES[name])
    assert made.fleet is asking.standing.fleet


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("cascade", ("method=slo", WIDE)),
        ("cascade", (WIDE, 'tiers.api.discipline="fcfs"', "tiers.api.nodes={base: 9, min: 6, max: 12}")),
        ("cascade", ("method=slo", "tiers.pool=off", "tiers.database.n_plus_one=true", 'users.profile="flat"')),
        ("chat-40k", ("method=slo",)),
        ("saas-300", ("method=slo",)),
        ("cascade", ("method=slo", 'uncertainty={"tiers.cache.hit_ratio": {"samples": [0.5, 1.0, 0.0, 0.9]}}')),
        ("cascade", ("method=slo", 'tiers.api.discipline="sharing"')),
        ("cascade", ("method=slo", 'tiers.api.discipline="sharing"', WIDE, "tiers.api.service_scv=3")),
    ],
)  # fmt: skip
def test_each_world_is_answered_as_a_plan_of_it_is(name: str, changes: tuple[str, ...]) -> None:
    _, made, asking = asked(30, name, *changes)
    agrees(asking, made, 6)
    assert asking.said == []


NUMBERS = st.fixed_dictionaries(
    {
        "behaviour.actions.list_workrooms.cpu_ms": st.floats(0.2, 8),
        "tiers.cache.hit_ratio": st.floats(0.05, 0.99),
        "tiers.api.service_scv": st.sampled_from([0.0, 0.25, 1.0, 3.0]),
        "tiers.database.service_scv": st.sampled_from([0.0, 0.4, 1.0, 4.0]),
        "tiers.database.read_ms": st.floats(0.05, 4),
        "tiers.database.commit_ms": st.just(0.0) | st.floats(1e-3, 9),
        "tiers.api.connections_per_pod": st.integers(1, 20),
    }
)


@settings(max_examples=4)
@given(NUMBERS, st.integers(2, 12), st.integers(0, 2), st.sampled_from(["event_loop", "sharing", "fcfs"]))
def test_any_scenario_is_answered_so(numbers: dict[str, float], nodes: int, replicas: int, discipline: str) -> None:
    given_ = read("cascade", [("--set", path, str(value)) for path, value in numbers.items()]  # type: ignore[misc]
                  + [("--set", "tiers.api.discipline", discipline), ("--set", "tiers.database.replicas", str(replicas)),
                     ("--set", "tiers.api.nodes", f"{{base: {nodes}, min: {nodes}, max: {nodes}}}"),
                     ("--set", "availability", "minimal")])  # fmt: skip
    made = plan(given_.scenario, given_.book, given_.origins, predicted=False)
    worlds = Worlds.of(given_.scenario, given_.book, given_.origins, 16)
    asking = _Asking(worlds, Standing(pinned(given_.scenario, made.fleet), made.fleet, given_.book))
    agrees(asking, made, 3)


def test_the_cost_of_a_world_is_that_of_its_own_plan() -> None:
    pins = (
        "tiers.api.nodes={base: 3, min: 2, max: 5}", "tiers.websocket.nodes=3", "tiers.cache.nodes=3",
        "tiers.database.replicas=1", "tiers.pool.connections=100",
        'uncertainty={"users.peak": {"p10": 7000, "p90": 13000}, "users.active_share": {"p10": 0.05, "p90": 0.9}}',
    )  # fmt: skip
    worlds, made, asking = asked(40, "cascade", *pins)
    outcome = worlds.outcome(made.fleet)
    level = made.scenario.budget.level
    for at in range(25):
        values = {path: float(each[at]) for path, each in worlds.values.items()}
        values |= {path: int(values[path]) for path in ("users.peak", "users.average")}  # type: ignore[dict-item]
        own = plan(world_of(made.scenario, values), worlds.book, predicted=False, with_margins=False)
        usd = float(getattr(own.bill.effective_usd, level))
        assert outcome.cost_usd[at] == pytest.approx(usd, rel=EXACT)
        assert outcome.cost_usd_per_1000_users_month[at] == pytest.approx(usd * 1000 / values["users.peak"], rel=EXACT)
    assert outcome.cost_usd.std() > 100
    assert asking.count == 40


def test_what_arrays_do_not_know_is_asked_world_by_world(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise NotCovered("something new")

    own, made, _ = asked(3, "cascade", "tiers.api.nodes={base: 9, min: 9, max: 9}", WIDE)
    at_once = own.outcome(made.fleet)
    monkeypatch.setattr("cascade_plan.choosing.worlds.worst_states", refused)
    singly = own.outcome(made.fleet)
    assert (at_once.one_by_one, singly.one_by_one) == ((), ("something new",))
    assert {str(each): found.tolist() for each, found in singly.missed.items()} == {
        str(each): found.tolist() for each, found in at_once.missed.items()
    }


def test_more_nodes_are_never_less_sure_and_the_first_worlds_are_the_same() -> None:
    worlds, made, _ = asked(200, "cascade", "method=slo", WIDE)
    found = {}
    for words, scenario, fleet in alternatives(made, worlds.book):
        base = next(lever for lever in fleet.levers if lever.name == "api.node_count")
        if "one more" not in words:
            found[base.base_count] = worlds.outcome(fleet, scenario)
    ratios = [found[count].kept_ratio for count in sorted(found)]
    assert ratios == sorted(ratios)
    assert ratios[0] < ratios[-1]
    own: Outcome = found[next(lever.base_count for lever in made.fleet.levers if lever.name == "api.node_count")]
    few = worlds.first(100).outcome(made.fleet)
    assert (few.kept == own.kept[:100]).all()
    assert few.cost_usd == pytest.approx(own.cost_usd[:100], rel=1e-9)


def test_the_same_seed_draws_the_same_and_what_else_is_unsure_changes_nothing() -> None:
    scenario = given_with("cascade", ()).scenario
    one = draws(beliefs(scenario, {}), scenario, 500, 7)
    again = draws(beliefs(scenario, {}), scenario, 900, 7)
    assert all((one[path] == again[path][:500]).all() for path in one)
    other = scenario.model_copy(update={"uncertainty": given_with("cascade", (WIDE,)).scenario.uncertainty})
    changed = draws(beliefs(other, {}), other, 500, 7)
    assert (changed["tiers.cache.hit_ratio"] == one["tiers.cache.hit_ratio"]).all()
    assert not (changed["users.active_share"] == one["users.active_share"]).all()
    assert not (draws(beliefs(scenario, {}), scenario, 500, 8)["users.active_share"] == one["users.active_share"]).all()


@pytest.mark.parametrize(
    ("law", "quantiles"),
    [
        ('{"lognormal": 0.5}', (0.1 / np.exp(0.5 * 1.28155), 0.1, 0.1 * np.exp(0.5 * 1.28155))),
        ('{"p10": 0.05, "p90": 0.4}', (0.05, np.sqrt(0.02), 0.4)),
        ('{"uniform": [1, 3]}', (1.2, 2.0, 2.8)),
        ('{"triangular": [0.5, 1, 1.5]}', (0.5 + np.sqrt(0.05), 1.0, 1.5 - np.sqrt(0.05))),
        ('{"samples": [1, 2, 3]}', (1.0, 2.0, 3.0)),
    ],
)
def test_draws_have_the_quantiles_of_their_law(law: str, quantiles: tuple[float, float, float]) -> None:
    scenario = given_with("cascade", (f'uncertainty={{"tiers.database.read_ms": {law}}}',)).scenario
    found = draws(beliefs(scenario, {}), scenario, 40_000, 1)["tiers.database.read_ms"]
    assert np.percentile(found, [10, 50, 90]) == pytest.approx(quantiles, rel=0.03)


def test_shares_stay_shares_and_what_is_certain_is_no_input() -> None:
    law = 'uncertainty={"tiers.cache.hit_ratio": {"lognormal": 2}, "users.active_share": "certain"}'
    scenario = given_with("cascade", (law,)).scenario
    found = draws(beliefs(scenario, {}), scenario, 20_000, 1)
    hit = found["tiers.cache.hit_ratio"]
    assert 0 < hit.min() < 0.2
    assert hit.max() < 1
    assert np.median(hit) == pytest.approx(0.9, abs=0.01)
    assert "users.active_share" not in found
    assert {"users.peak", "tiers.api.nodes"}.isdisjoint(found)


def test_users_on_average_follow_those_at_peak() -> None:
    scenario = given_with("cascade", ('uncertainty={"users.peak": {"p10": 8000, "p90": 14000}}',)).scenario
    found = draws(beliefs(scenario, {}), scenario, 1000, 1)
    assert found["users.average"] / found["users.peak"] == pytest.approx(0.3, rel=1e-3)
    assert (found["users.peak"] == np.rint(found["users.peak"])).all()


def test_a_calibrated_value_is_as_unsure_as_its_interval() -> None:
    scenario = given_with("cascade", ()).scenario
    from cascade_plan.model.calibration import Calibrated

    known = {
        "tiers.database.read_ms": Calibrated(value=0.1, low=0.08, high=0.125, method="measure"),
        "tiers.database.write_ms": Calibrated(value=0.3, method="measure"),
    }
    made = scenario.model_copy(update={"calibration": known})
    found = {belief.name: belief for belief in beliefs(made, {})}
    assert found["tiers.database.read_ms"].kind == "calibrated"
    values = draws(tuple(found.values()), made, 40_000, 1)
    assert np.percentile(values["tiers.database.read_ms"], [2.5, 97.5]) == pytest.approx([0.08, 0.125], rel=0.02)
    assert np.log(values["tiers.database.write_ms"]).std() == pytest.approx(0.03, rel=0.05)
    assert replace(found["tiers.database.read_ms"]) == found["tiers.database.read_ms"]
