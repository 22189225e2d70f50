"""Predictions of the whole chain against a request-level simulation, and their laws."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.formulas.losses import after_loss
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.place import Scale
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.chain import Chain, Prediction, chain
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import meets, predict
from cascade_plan.planning.sizing import places
from cascade_plan.planning.states import steady_state
from cascade_plan.proving.queue import Interval
from cascade_plan.proving.requests import Simulated, run

ENOUGH = 1_000_000


@cache
def sized(*changes: str) -> tuple[Scenario, Fleet]:
    """Return the case study with values set, "tiers.api.service_scv=0", and what it is sized to."""
    given = read("cascade", [(f"--set {each}", *each.split("=", 1)) for each in changes])  # type: ignore[misc]
    return given.scenario, plan(given.scenario, given.book, predicted=False).fleet


def served(pods: int = 14, *changes: str, **counts: int) -> Chain:
    """Return the chain of the case study on so many pods; counts by lever, with __ for the dot."""
    scenario, fleet = sized(*changes)
    scale: Scale = {
        "api.node_count": ENOUGH, "api.replica_count": pods, "database.replica_count": 1, "pool.connection_count": 100,
        "cache.master_count": 3, **{name.replace("__", "."): count for name, count in counts.items()},
    }  # fmt: skip
    return chain(scenario, places(scenario, fleet, scale))


def test_the_chain_is_that_of_the_counts_it_is_asked_for() -> None:
    units = {place.name: place.unit_count for place in served(23, cache__master_count=5).places}
    assert units == {"api": 23, "cache": 5, "pool": 1, "pool processes": 2, "primary": 1, "replicas": 1}
    assert {place.name: place.server_count for place in served().places} == {
        "api": 14, "cache": 3, "pool": 100, "pool processes": 2, "primary": 4, "replicas": 4,
    }  # fmt: skip
    assert sized()[1].of("api")[0].workloads[0].cores_per_pod == pytest.approx(0.527, abs=1e-3)


def compared(pods: int, busy: float, *changes: str, **counts: int) -> tuple[Prediction, Simulated]:
    """Return what is predicted and simulated for users who would keep the fullest place so busy."""
    on = served(pods, "tiers.database.shape=db.r6g.16xlarge", *changes, **counts)
    users = round(busy * on.capacity_requests_per_s * (on.think_s + 0.015))
    return predict(on, users), run(on, users, 60_000, 1)


def is_near(value: float, interval: Interval, ratio: float) -> bool:
    return abs(value - interval.value) <= ratio * interval.value + interval.half_width


@pytest.mark.parametrize("discipline", ["event_loop", "sharing", "fcfs"])
@pytest.mark.parametrize(
    ("pods", "busy", "scv"),
    [(1, 0.3, 1), (1, 0.6, 0), (1, 0.6, 0.25), (1, 0.8, 0.25), (4, 0.3, 0), (4, 0.6, 1), (4, 0.8, 0), (4, 0.9, 0.25),
     (4, 0.9, 1), (14, 0.6, 0), (14, 0.8, 1), (14, 0.9, 0.25), (14, 0.9, 1)],
)  # fmt: skip
def test_prediction_is_what_requests_one_by_one_measure(discipline: str, pods: int, busy: float, scv: float) -> None:
    predicted, got = compared(pods, busy, f"tiers.api.discipline={discipline}", f"tiers.api.service_scv={scv}")
    assert predicted.requests_per_s == pytest.approx(got.requests_per_s, rel=0.01)
    assert is_near(predicted.latency_ms_mean, got.latency_ms_mean, 0.05)
    assert is_near(predicted.latency_ms_p50, got.latency_ms_p50, 0.05)
    assert is_near(predicted.latency_ms_p95, got.latency_ms_p95, 0.05)
    assert is_near(predicted.latency_ms_p99, got.latency_ms_p99, 0.05)
    for action, seen in got.by_action.items():
        assert is_near(predicted.latency_ms((0.95,), action)[0], seen.p95, 0.08), action
    for name, share in got.utilisation_ratio.items():
        if name not in predicted.held_count:
            assert predicted.utilisation_ratio[name] == pytest.approx(share, rel=0.03, abs=0.001), name


@pytest.mark.parametrize(
    ("discipline", "busy", "connections"),
    [
        *((discipline, busy, 3) for discipline in ("event_loop", "sharing", "fcfs") for busy in (0.95, 1.1)),
        ("event_loop", 0.8, 3),
        ("sharing", 1.1, 15),
        ("fcfs", 1.1, 15),
    ],
)
def test_above_saturation_each_action_is_as_slow_as_requests_one_by_one(
    discipline: str, busy: float, connections: int
) -> None:
    """Of one core: with 3 connections what needs none passes; with as many as it can have all wait for the core."""
    predicted, got = compared(1, busy, f"tiers.api.discipline={discipline}", pool__connection_count=connections)
    assert predicted.requests_per_s == pytest.approx(got.requests_per_s, rel=0.02)
    for action, seen in got.by_action.items():
        p50, p95 = predicted.latency_ms((0.5, 0.95), action)
        assert is_near(p50, seen.p50, 0.2), action
        assert is_near(p95, seen.p95, 0.2), action


def test_simulation_conserves_requests_and_repeats() -> None:
    on = served()
    one, again, other = run(on, 5_000, 20_000, 1), run(on, 5_000, 20_000, 1), run(on, 5_000, 20_000, 2)
    assert one == again
    assert one != other
    assert one.flow.arrivals == one.flow.departures + one.flow.in_system


def test_n_plus_one_and_missing_indexes_cost_what_they_cost() -> None:
    plain = predict(served(), 5_000)
    rows = predict(served(14, "tiers.database.n_plus_one=true"), 5_000)
    scans = predict(served(14, "tiers.database.scan_ratio=0.1"), 5_000)
    assert rows.latency_ms_mean > 2 * plain.latency_ms_mean
    # A tenth of the reads take 20 ms; those of the list, 10 of 15, take 1.8 and the others 0.1.
    read_ms = (10 * 1.8 + 5 * 0.1) / 15
    more = (0.9 * read_ms + 0.1 * 20) / read_ms
    assert scans.utilisation_ratio["replicas"] == pytest.approx(more * plain.utilisation_ratio["replicas"], rel=0.02)


@settings(max_examples=15)
@given(st.integers(1, 60_000), st.integers(1, 60_000), st.integers(1, 100))
def test_throughput_obeys_its_bounds_and_rises_with_users(one: int, other: int, pods: int) -> None:
    on = served(pods)
    few, many = sorted((one, other))
    slow, fast = steady_state(on, few).requests_per_s, steady_state(on, many).requests_per_s
    # Beyond saturation more users wait a little longer for their loop, by the formula, and hold what is held meanwhile.
    assert slow <= fast * (1 + 1e-2)
    assert fast <= many / 2.0
    assert fast <= on.capacity_requests_per_s


@settings(max_examples=30)
@given(st.integers(100, 40_000), st.integers(1, 60))
def test_more_pods_never_break_what_fewer_kept(users: int, pods: int) -> None:
    if not meets(served(pods), users, 300, 500):
        assert not meets(served(pods + 1), users, 300, 500)
        assert not meets(served(pods), max(1, users // 2), 300, 500)


@settings(max_examples=30)
@given(st.integers(100, 7_000), st.integers(8, 40))
def test_doubling_users_and_servers_never_worsens_p95(users: int, pods: int) -> None:
    single = predict(served(pods), users)
    twice = served(2 * pods, "tiers.database.shape=db.r5.2xlarge", pool__connection_count=200, cache__master_count=6)
    double = predict(twice, 2 * users)
    # PgBouncer keeps its processes, and its queue is longer.
    assert double.latency_ms_p95 <= single.latency_ms_p95 * 1.02


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(0, 5), st.integers(0, 3))
def test_what_is_left_after_a_loss(count: int, zones: int, zones_lost: int, nodes_lost: int) -> None:
    left = after_loss(count, zones, zones_lost, nodes_lost)
    assert 0 <= left <= count
    assert after_loss(count + 1, zones, zones_lost, nodes_lost) >= left


@settings(max_examples=60)
@given(st.floats(0, 1000), st.floats(0, 8.64e7), st.floats(0.001, 1000), st.sampled_from([1, 100, 10_000, 57_000_000]))
def test_percentiles_are_in_order(scv: float, commit_ms: float, cpu_ms: float, users: int) -> None:
    scenario, fleet = sized(
        f"tiers.api.service_scv={scv:f}",
        f"tiers.database.commit_ms={commit_ms:f}",
        f"behaviour.actions.list_workrooms.cpu_ms={cpu_ms:f}",
    )
    found = predict(chain(scenario, places(scenario, fleet, {})), users)
    assert 0 < found.latency_ms_p50 <= found.latency_ms_p95 <= found.latency_ms_p99


def test_who_is_off_has_no_place() -> None:
    assert {place.name for place in served(14, "tiers.cache=off", "tiers.pool=off").places} == {
        "api", "database connections", "primary", "replicas",
    }  # fmt: skip
    assert {place.name for place in served(14, "tiers.database=off", "tiers.pool=off").places} == {"api", "cache"}


def test_without_a_cache_every_read_reaches_the_database() -> None:
    with_cache, without = served(14), served(14, "tiers.cache=off")
    assert without.visits["replicas"] == pytest.approx(10 * with_cache.visits["replicas"])
    assert without.visits["primary"] == with_cache.visits["primary"]


def test_each_service_answers_its_own_actions_and_no_others() -> None:
    on = served(14, "tiers.search.kind=api", "behaviour.actions.list_workrooms.at=search", search__replica_count=9)
    assert (on.visits["search"], on.visits["api"]) == (pytest.approx(1 / 2), pytest.approx(1 / 2))
    units = {place.name: place.unit_count for place in on.places if place.is_scaled}
    assert units == {"api": 14, "search": 9}
    assert on.stations["search"].service.mean_s == pytest.approx(0.0008)


def test_each_database_answers_what_is_meant_for_it() -> None:
    on = served(14, "tiers.reports.kind=database", "behaviour.actions.list_workrooms.writes={reports: 3}")
    assert on.visits["reports primary"] == pytest.approx(3 * 3 / 6)
    assert on.visits["primary"] == pytest.approx(3 / 6)
