"""Predictions of the whole chain against a request-level simulation, and their laws."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.inputs.scenarios import read_scenario
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.chain import Deployed, after_loss, chain, meets, predict, throughput
from cascade_plan.proving.requests import run


@cache
def cascade(**timing: Any) -> Scenario:
    scenario = read_scenario("cascade")[0]
    return scenario.model_copy(update={"timing": scenario.timing.model_copy(update=timing)})


def fleet(pods: int = 14, **changes: int) -> Deployed:
    return Deployed(**{"pod_count": pods, "cores_per_pod": 0.527, "database_vcpu": 4, "replica_count": 1,
                       "connection_count": 100, "master_count": 3, **changes})  # fmt: skip


@pytest.mark.parametrize(
    ("users", "deployed", "timing"),
    [
        (1_000, fleet(), {}),
        (10_000, fleet(), {}),
        (13_000, fleet(), {}),
        (16_000, fleet(), {}),
        (20_000, fleet(), {}),
        (10_000, fleet(replica_count=0), {"api_scv": 0.0}),
        (10_000, fleet(database_vcpu=2), {"n_plus_one": True}),
        (9_000, fleet(), {"prepared_statements": False, "api_scv": 0.5}),
    ],
)
def test_prediction_is_what_requests_one_by_one_measure(users: int, deployed: Deployed, timing: dict[str, Any]) -> None:
    on = chain(cascade(**timing), deployed)
    predicted, got = predict(on, users), run(on, users, max(60_000, 12 * users), 7)
    assert predicted.requests_per_s == pytest.approx(got.requests_per_s, rel=0.02)
    assert predicted.latency_ms_mean == pytest.approx(got.latency_ms_mean.value, rel=0.05)
    for value, interval in (
        (predicted.latency_ms_p95, got.latency_ms_p95),
        (predicted.latency_ms_p99, got.latency_ms_p99),
    ):
        assert abs(value - interval.value) <= 0.06 * interval.value + interval.half_width


def test_simulation_conserves_requests_and_repeats() -> None:
    on = chain(cascade(), fleet())
    one, again, other = run(on, 5_000, 20_000, 1), run(on, 5_000, 20_000, 1), run(on, 5_000, 20_000, 2)
    assert one == again
    assert one != other
    assert one.flow.arrivals == one.flow.departures + one.flow.in_system


def test_n_plus_one_and_missing_indexes_cost_what_they_cost() -> None:
    plain = predict(chain(cascade(), fleet()), 5_000)
    rows = predict(chain(cascade(n_plus_one=True), fleet()), 5_000)
    scans = predict(chain(cascade(scan_ratio=0.1), fleet()), 5_000)
    assert rows.latency_ms_mean > 2 * plain.latency_ms_mean
    assert scans.utilisation_ratio["replicas"] > 5 * plain.utilisation_ratio["replicas"]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60_000), st.integers(1, 60_000), st.integers(1, 100))
def test_throughput_obeys_its_bounds_and_rises_with_users(one: int, other: int, pods: int) -> None:
    on = chain(cascade(), fleet(pods))
    few, many = sorted((one, other))
    slow, fast = throughput(on, few), throughput(on, many)
    assert slow <= fast * (1 + 1e-6)
    assert fast <= many / 2.0
    assert fast <= on.capacity_requests_per_s


@settings(max_examples=30, deadline=None)
@given(st.integers(100, 40_000), st.integers(1, 60))
def test_more_pods_never_break_what_fewer_kept(users: int, pods: int) -> None:
    if not meets(chain(cascade(), fleet(pods)), users, 300, 500):
        assert not meets(chain(cascade(), fleet(pods + 1)), users, 300, 500)
        assert not meets(chain(cascade(), fleet(pods)), max(1, users // 2), 300, 500)


@settings(max_examples=30, deadline=None)
@given(st.integers(100, 7_000), st.integers(8, 40))
def test_doubling_users_and_servers_never_worsens_p95(users: int, pods: int) -> None:
    single = predict(chain(cascade(), fleet(pods)), users)
    double = predict(
        chain(cascade(), fleet(2 * pods, database_vcpu=8, connection_count=200, master_count=6)), 2 * users
    )
    assert double.latency_ms_p95 <= single.latency_ms_p95 * 1.01


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(0, 5), st.integers(0, 3))
def test_what_is_left_after_a_loss(count: int, zones: int, zones_lost: int, nodes_lost: int) -> None:
    left = after_loss(count, zones, zones_lost, nodes_lost)
    assert 0 <= left <= count
    assert after_loss(count + 1, zones, zones_lost, nodes_lost) >= left
