"""Percentiles by transform inversion against closed forms, convolution on a grid, and laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station, mmc_response_s_percentile, request_s_percentile
from cascade_plan.formulas.roots import root
from cascade_plan.formulas.transforms import Law, Path, Response, Service, added, gammas, mixed, wait_at
from cascade_plan.proving.queue import percentile_interval, simulate_open


def alone(*laws: Law) -> Response:
    return Response((Path(1.0, tuple((law, 1.0) for law in laws)),))


def through(station: Station, requests_per_s: float) -> tuple[Law, Law]:
    return wait_at(station, requests_per_s), Service(station.service)


def taking(mean_s: float, scv: float = 1.0) -> Service:
    return Service(ServiceTime(mean_s, scv))


@pytest.mark.parametrize(("servers", "busy"), [(1, 0.5), (1, 0.95), (4, 0.7), (6, 5 / 6), (21, 0.9), (64, 0.3)])
@pytest.mark.parametrize("share", [0.5, 0.95, 0.99, 0.999])
def test_one_station_is_the_closed_form(servers: int, busy: float, share: float) -> None:
    station = Station(servers, ServiceTime(0.01))
    rate = servers * busy / 0.01
    exact = mmc_response_s_percentile(servers, rate, 0.01, share)
    assert alone(*through(station, rate)).percentile_s(share) == pytest.approx(exact, rel=3e-4)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_sum_of_exponentials_is_hypoexponential(share: float) -> None:
    slow, fast = taking(0.03), taking(0.01)
    time_s = alone(slow, fast).percentile_s(share)
    tail = (0.03 * math.exp(-time_s / 0.03) - 0.01 * math.exp(-time_s / 0.01)) / 0.02
    assert tail == pytest.approx(1 - share, rel=1e-3)


@pytest.mark.parametrize("scv", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("busy", [0.3, 0.6, 0.85])
def test_tandem_agrees_with_convolution_on_a_grid(scv: float, busy: float) -> None:
    stations = [Station(8, ServiceTime(0.01, scv)), Station(4, ServiceTime(0.004, scv))]
    rate = 800 * busy
    response = alone(*(law for station in stations for law in through(station, rate)))
    for share in (0.95, 0.99):
        assert response.percentile_s(share) == pytest.approx(request_s_percentile(stations, rate, share), rel=0.05)


def test_constant_parts_shift_and_constant_services_count() -> None:
    moving = taking(0.01)
    shifted = alone(moving, taking(0.02, 0.0), taking(0.005, 0.0)).percentile_s(0.95)
    assert shifted == pytest.approx(0.025 + alone(moving).percentile_s(0.95), rel=1e-3)


def test_a_query_that_is_seldom_made() -> None:
    one, other = (taking(0.001), 1.0), (taking(0.1), 1.0)
    response = Response((Path(0.9, (one,), "hit"), Path(0.1, (one, other), "miss")))
    assert response.mean_s == pytest.approx(0.011)
    assert response.percentile_s(0.5) < 0.005
    assert response.percentile_s(0.99) > 0.1
    assert response.of("hit").percentile_s(0.99) == pytest.approx(0.001 * math.log(100), rel=1e-3)
    with pytest.raises(ValueError, match="no requests of kind"):
        response.of("upload")


def test_a_mixture_of_paths() -> None:
    response = Response(tuple(Path(0.5, ((taking(mean), 1.0),)) for mean in (0.01, 0.1)))
    time_s = 0.05
    assert response.tail(time_s) == pytest.approx((math.exp(-5) + math.exp(-0.5)) / 2, abs=1e-6)


def test_overload_has_no_delay() -> None:
    with pytest.raises(ValueError, match="overloaded"):
        wait_at(Station(1, ServiceTime(0.01)), 100)
    with pytest.raises(ValueError, match="share"):
        alone(taking(0.01)).percentile_s(1.0)


@settings(max_examples=50)
@given(st.integers(1, 64), st.floats(0.05, 0.97), st.floats(0.05, 4), st.floats(0.0001, 0.1))
def test_percentiles_are_ordered_and_above_the_offset(servers: int, busy: float, scv: float, offset_s: float) -> None:
    station = Station(servers, ServiceTime(0.01, scv))
    response = alone(*through(station, servers * busy / 0.01), taking(offset_s, 0.0))
    p50, p95, p99 = (response.percentile_s(share) for share in (0.5, 0.95, 0.99))
    assert offset_s <= p50 < p95 < p99


@settings(max_examples=50)
@given(st.integers(1, 30), st.floats(0.1, 0.95), st.floats(0.01, 0.95))
def test_more_load_is_slower_and_more_servers_are_faster(servers: int, busy: float, less: float) -> None:
    def p95(count: int, rate: float) -> float:
        return alone(*through(Station(count, ServiceTime(0.01)), rate)).percentile_s(0.95)

    rate = servers * busy / 0.01
    assert p95(servers, rate * less) <= p95(servers, rate) * 1.0005
    assert p95(servers + 1, rate) <= p95(servers, rate) * 1.0005
    assert p95(servers * 2, rate * 2) <= p95(servers, rate) * 1.0005


@given(st.floats(-50, 50), st.floats(0.1, 5))
def test_root_of_a_rising_function(where: float, steep: float) -> None:
    found = root(lambda x: math.expm1(steep * (x - where) / 50), -100, 100, 1e-12)
    assert found == pytest.approx(where, abs=1e-6)


def test_root_at_the_ends() -> None:
    assert root(lambda x: x + 1, 0, 1) == 0
    assert root(lambda x: x - 2, 0, 1) == 1


def test_mixture_moments() -> None:
    mean, scv = mixed([(1, 1.0, 0.0), (3, 2.0, 1.0)])
    assert mean == 1.75
    assert scv == pytest.approx((0.25 * 1 + 0.75 * 8) / 1.75**2 - 1)
    assert mixed([]) == (0.0, 1.0)


@pytest.mark.parametrize("scv", [1.5, 2.0, 4.0])
def test_a_lognormal_law_is_about_its_gammas(scv: float) -> None:
    parts = gammas(ServiceTime(0.01, scv))
    mean, found = mixed(parts)
    assert (mean, found) == pytest.approx((0.01, scv), rel=0.01)
    spread = math.sqrt(math.log1p(scv))
    for share, deviations in ((0.5, 0.0), (0.95, 1.6449), (0.99, 2.3263)):
        exact = 0.01 / math.sqrt(1 + scv) * math.exp(spread * deviations)
        assert alone(Service(ServiceTime(0.01, scv))).percentile_s(share) == pytest.approx(exact, rel=0.015)


@pytest.mark.parametrize("law", ["deterministic", "gamma", "lognormal", "hyperexponential"])
@pytest.mark.parametrize(("servers", "busy"), [(1, 0.8), (4, 0.7), (20, 0.9)])
def test_any_service_is_within_5_percent_of_simulated_requests(law: str, servers: int, busy: float) -> None:
    scv = {"deterministic": 0.0, "gamma": 0.5}.get(law, 4.0)
    station = Station(servers, ServiceTime(1.0, scv, law))  # type: ignore[arg-type]
    got = simulate_open([station], servers * busy, requests=1_500_000, seed=3)
    response = alone(*through(station, servers * busy))
    for share in (0.95, 0.99):
        interval = percentile_interval(got.response_s, share)
        assert abs(response.percentile_s(share) - interval.value) <= 0.05 * interval.value + interval.half_width


def test_a_sum_has_the_mean_and_variance_of_its_parts() -> None:
    assert added([]) is None
    total = added([(4, ServiceTime(0.7, 0.5)), (1, ServiceTime(3.0, 0.5))])
    assert total is not None
    assert total.mean_s == pytest.approx(5.8)
    assert total.scv * total.mean_s**2 == pytest.approx(4 * 0.5 * 0.49 + 0.5 * 9)
