"""Formulas for many worlds, each against its scalar sibling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.formulas.arrays import laws, numbers, stations, tails, working_set
from cascade_plan.formulas.backlogs import Backlog
from cascade_plan.formulas.closed_station import closed_station
from cascade_plan.formulas.draws import Draws
from cascade_plan.formulas.erfcx import erfcx
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station, erlang_c, inverse_blocking
from cascade_plan.formulas.transforms import Path, Response, Service, wait_at
from cascade_plan.formulas.working_set import HOT_SHARE, POINTS, hit_ratio

GENERATOR = np.random.default_rng(8)
S = [0.3 + 2j, 5 + 40j, 80 - 3j]


def test_special_functions_are_the_scalar_ones() -> None:
    z = GENERATOR.uniform(-3, 9, 50) + 1j * GENERATOR.uniform(-9, 9, 50)
    assert numbers.erfcx_complex(z) == pytest.approx([erfcx(complex(each)) for each in z], rel=1e-9)
    n, load = GENERATOR.uniform(1, 300, 40), GENERATOR.uniform(0.5, 290, 40)
    expected = [1 / inverse_blocking(*each) for each in zip(n.tolist(), load.tolist(), strict=True)]
    assert 1 / stations.inverse_blocking(n, load) == pytest.approx(expected, rel=1e-9, abs=1e-17)
    for servers in (1, 18, 300):
        load = GENERATOR.uniform(0.01, 1.1, 20) * servers
        found = stations.erlang_c(servers, load)
        assert found == pytest.approx([erlang_c(servers, each) for each in load.tolist()], rel=1e-9, abs=1e-15)


def test_a_cut_normal_law_is_the_scalar_one() -> None:
    scv, mean = GENERATOR.uniform(0.001, 1, 60), GENERATOR.uniform(0.1, 3, 60)
    s = np.outer(S, np.ones(60))
    found = laws.backlog_transform(s, mean, scv)
    for at in range(60):
        backlog = Backlog(float(mean[at]), float(scv[at]))
        assert found[:, at] == pytest.approx([backlog.transform(each) for each in S], rel=2e-5, abs=2e-6)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 30_000), st.floats(0.2, 1.4), st.sampled_from([1.0, 0.3, 0.7, 2.5])), min_size=1,
             max_size=8),
    st.integers(1, 60),
)  # fmt: skip
def test_a_closed_station_is_the_scalar_one(worlds: list[tuple[int, float, float]], servers: int) -> None:
    users = np.array([float(each) for each, _, _ in worlds])
    busy, spread = (np.array([each[at] for each in worlds]) for at in (1, 2))
    service = np.full(users.size, 0.01)
    think = np.maximum(users * service / (busy * servers), 1e-3)
    per_s, queue = stations.closed_station(users, think, np.full(users.size, float(servers)), service, spread)
    for at in range(users.size):
        x, own = closed_station(int(users[at]), float(think[at]), servers, 0.01, float(spread[at]))
        assert per_s[at] == pytest.approx(x, rel=1e-6)
        assert queue.chance[at] == pytest.approx(own.chance, rel=1e-5, abs=1e-9)
        if own.chance > 1e-6:
            assert queue.mean[at] == pytest.approx(own.mean, rel=1e-4, abs=1e-6)
            assert queue.variance[at] == pytest.approx(own.variance, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("servers", [1, 2, 8])
@pytest.mark.parametrize("scv", [0.0, 0.4, 1.0, 3.0])
def test_a_wait_is_the_scalar_one(servers: int, scv: float) -> None:
    service = ServiceTime(0.02, scv)
    law = laws.law_of(service, 3)
    rho = np.array([0.2, 0.7, 0.97])
    queue = stations.open_queue(stations.erlang_c(servers, rho * servers), rho)
    found = stations.waiting(servers, stations.Server.of(servers, law), queue, rho)
    transformed = found.transform(np.outer(S, np.ones(3)))
    for at, each in enumerate(rho.tolist()):
        wait = wait_at(Station(servers, service), each * servers / 0.02)
        assert found.mean_s[at] == pytest.approx(wait.mean_s, rel=1e-9)
        assert transformed[:, at] == pytest.approx([wait.transform(one) for one in S], rel=1e-6)


def test_a_tail_is_that_of_the_scalar_response_and_its_bounds_are_bounds() -> None:
    station, rate = Station(3, ServiceTime(0.02, 2.0)), 130.0
    wait, service = wait_at(station, rate), station.service
    law, rho = laws.law_of(service, 1), np.array([rate * 0.02 / 3])
    queue = stations.open_queue(stations.erlang_c(3, rho * 3), rho)
    own = stations.waiting(3, stations.Server.of(3, law), queue, rho)
    one, mean = np.ones(1), own.mean_s + law.mean_s
    second = own.second_s2 - own.mean_s**2 + law.variance_s2 + mean**2
    path = tails.Path(one, ((own, one), (law, one)), mean, second)
    response = Response((Path(1.0, ((wait, 1.0), (Service(service), 1.0))),))
    for limit_s in (0.02, 0.1, 0.3):
        tail = response.tail(limit_s)
        assert tails.tail([path], limit_s) == pytest.approx(tail, rel=1e-6)
        for share in (0.01, 0.05, 0.5, 0.9):
            kept, broken = tails.surely([path], limit_s, share)
            assert not (kept[0] and tail >= share)
            assert not (broken[0] and tail < share)
    assert tails.percentile_s([path], 0.05)[0] == pytest.approx(response.percentile_s(0.95), rel=2e-3)


def test_what_stays_in_memory_is_the_scalar_formula() -> None:
    part, hot = GENERATOR.uniform(0.01, 0.99, 12), GENERATOR.uniform(0.02, 0.7, 12)
    found = working_set.hit_ratios(Draws(part), Draws(hot), HOT_SHARE, POINTS).values
    assert found == pytest.approx([hit_ratio(*each) for each in zip(part, np.ones(12), hot, strict=True)], rel=3e-4)
