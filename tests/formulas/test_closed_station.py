"""The closed station, exactly: against the chain of its states, and its laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.backlogs import Backlog
from cascade_plan.formulas.closed_network import FiniteSourceResponse, finite_source
from cascade_plan.formulas.closed_station import closed_station, open_queue
from cascade_plan.formulas.erfcx import erfcx, real_erfcx
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station
from cascade_plan.formulas.transforms import Path, Response, Service, wait_at, waiting

LOADS = [0.001, 0.3, 0.8, 0.95, 0.98, 1.0, 1.05, 1.3, 3.0]


@pytest.mark.parametrize("servers", [1, 2, 5, 14, 50, 400])
@pytest.mark.parametrize("service_s", [0.0001, 0.001, 0.01, 3.0])
def test_throughput_and_mean_response_are_those_of_the_states(servers: int, service_s: float) -> None:
    for load in LOADS:
        users = max(1, round(load * servers * (2 + service_s) / service_s))
        per_s, queue = closed_station(users, 2.0, servers, service_s)
        exact = finite_source(users, 2.0, servers, service_s)
        assert per_s == pytest.approx(exact.requests_per_s, rel=1e-9)
        response_s = service_s + queue.chance * (queue.mean + 1) * service_s / servers
        assert response_s == pytest.approx(exact.response_s_mean, rel=1e-9)


@pytest.mark.parametrize("servers", [1, 2, 5, 14, 50])
@pytest.mark.parametrize("service_s", [0.001, 0.002, 0.005, 0.01])
def test_percentiles_are_the_exact_ones_and_never_fall(servers: int, service_s: float) -> None:
    last = 0.0
    for load in (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.3):
        users = max(2, round(load * servers * (2 + service_s) / service_s))
        station = Station(servers, ServiceTime(service_s))
        per_s, queue = closed_station(users, 2.0, servers, service_s)
        wait = waiting(station, queue, station.utilisation(per_s))
        response = Response((Path(1.0, ((wait, 1.0), (Service(station.service), 1.0))),))
        exact = FiniteSourceResponse(users, 2.0, servers, service_s)
        p50, p95, p99 = response.percentiles_s((0.5, 0.95, 0.99))
        assert p50 == pytest.approx(exact.percentile(0.5), rel=0.01)
        assert p95 == pytest.approx(exact.percentile(0.95), rel=0.01)
        assert p99 == pytest.approx(exact.percentile(0.99), rel=0.02)
        assert p95 >= last
        last = p95


@given(st.integers(1, 10**9), st.integers(1, 2000), st.floats(1e-4, 10), st.floats(0.2, 3))
def test_more_users_get_more_and_wait_longer(users: int, servers: int, service_s: float, spread: float) -> None:
    fewer, short = closed_station(users, 2.0, servers, service_s, spread)
    more, long = closed_station(users + max(1, users // 10), 2.0, servers, service_s, spread)
    assert 0 < fewer <= more * (1 + 1e-9)
    assert more <= servers / service_s * (1 + 1e-9)
    assert 0 <= short.chance <= long.chance + 1e-9
    assert short.chance <= 1
    assert short.mean <= long.mean * (1 + 1e-6) + 1e-6
    assert 0 <= short.scv <= 1


@given(st.integers(1, 200), st.floats(0.01, 0.9))
def test_with_endless_users_it_is_the_open_station(servers: int, busy: float) -> None:
    users = 10_000_000
    per_s, queue = closed_station(users, users * 0.01 / servers / busy, servers, 0.01)
    station = Station(servers, ServiceTime(0.01))
    endless = wait_at(station, per_s)
    assert waiting(station, queue, station.utilisation(per_s)).mean_s == pytest.approx(
        endless.mean_s, rel=1e-3, abs=1e-12
    )
    rho = station.utilisation(per_s)
    assert queue.mean == pytest.approx(open_queue(0.5, rho).mean, rel=1e-3)


@pytest.mark.parametrize("arguments", [(0, 1.0, 1, 1.0), (1, 0.0, 1, 1.0), (1, 1.0, 0, 1.0), (1, 1.0, 1, math.inf)])
def test_what_is_no_station_is_refused(arguments: tuple[int, float, int, float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        closed_station(*arguments)


@given(st.floats(-5, 60))
def test_erfcx_of_a_real_number(x: float) -> None:
    assert erfcx(complex(x)).real == pytest.approx(real_erfcx(x), rel=1e-6)


@pytest.mark.parametrize(
    ("z", "value"),
    [
        # exp(z^2) erfc(z) by 50-digit arithmetic (mpmath 1.3).
        (1 + 1j, 0.304744205256913 - 0.208218938202832j),
        (0.1 + 3j, 0.00794268099876999 - 0.200742343098677j),
        (5 - 2j, 0.0964981126066414 + 0.0373516531563687j),
        (-1 + 2j, -0.205325580646588 - 0.146855485030167j),
    ],
)
def test_erfcx_of_a_complex_number(z: complex, value: complex) -> None:
    assert abs(erfcx(z) - value) <= 1e-9 * abs(value)


@given(st.floats(0.041, 0.998), st.floats(1e-4, 1e3))
def test_a_backlog_has_its_mean_and_variance(scv: float, mean: float) -> None:
    backlog = Backlog(mean, scv)
    # The transform at s is 1 - s m + s^2 m2 / 2 - s^3 m3 / 6 ...: two steps give both to the third order.
    h = 1e-3 / mean
    at = {k: backlog.transform(complex(k * h)).real for k in (1, 2)}
    first = (4 * (1 - at[1]) - (1 - at[2])) / (2 * h)
    assert first == pytest.approx(mean, rel=1e-4)
    second = 2 * (at[2] - 2 * at[1] + 1) / (2 * h**2)
    assert second == pytest.approx(mean**2 * (1 + scv), rel=0.02)


def test_what_is_no_backlog_is_refused() -> None:
    for mean, scv in ((0.0, 0.5), (1.0, 1.1)):
        with pytest.raises(ValueError, match="SCV in"):
            Backlog(mean, scv)
