"""Percentiles by transform inversion against closed forms, convolution on a grid, and laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station, mmc_response_s_percentile, request_s_percentile
from cascade_plan.formulas.roots import root
from cascade_plan.formulas.transforms import Delay, Path, Response, delay_at, mixed


def alone(*delays: Delay, offset_s: float = 0.0) -> Response:
    return Response((Path(1.0, offset_s, tuple((delay, 1, 1.0) for delay in delays)),))


@pytest.mark.parametrize(("servers", "busy"), [(1, 0.5), (1, 0.95), (4, 0.7), (6, 5 / 6), (21, 0.9), (64, 0.3)])
@pytest.mark.parametrize("share", [0.5, 0.95, 0.99, 0.999])
def test_one_station_is_the_closed_form(servers: int, busy: float, share: float) -> None:
    station = Station(servers, ServiceTime(0.01))
    rate = servers * busy / 0.01
    exact = mmc_response_s_percentile(servers, rate, 0.01, share)
    assert alone(delay_at(station, rate)).percentile_s(share) == pytest.approx(exact, rel=2e-4)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_sum_of_exponentials_is_hypoexponential(share: float) -> None:
    slow, fast = Delay(0, 0, 0.03), Delay(0, 0, 0.01)
    time_s = alone(slow, fast).percentile_s(share)
    tail = (0.03 * math.exp(-time_s / 0.03) - 0.01 * math.exp(-time_s / 0.01)) / 0.02
    assert tail == pytest.approx(1 - share, rel=1e-3)


@pytest.mark.parametrize("scv", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("busy", [0.3, 0.6, 0.85])
def test_tandem_agrees_with_convolution_on_a_grid(scv: float, busy: float) -> None:
    stations = [Station(8, ServiceTime(0.01, scv)), Station(4, ServiceTime(0.004, scv))]
    rate = 800 * busy
    response = alone(*(delay_at(station, rate) for station in stations))
    for share in (0.95, 0.99):
        assert response.percentile_s(share) == pytest.approx(request_s_percentile(stations, rate, share), rel=0.05)


def test_constant_parts_shift_and_constant_services_count() -> None:
    moving = Delay(0, 0, 0.01)
    steady = Delay(0, 0, 0.02, 0.0)
    shifted = alone(moving, steady, offset_s=0.005).percentile_s(0.95)
    assert shifted == pytest.approx(0.025 + alone(moving).percentile_s(0.95), rel=1e-3)


def test_a_query_that_is_seldom_made() -> None:
    response = Response((Path(1.0, 0.0, ((Delay(0, 0, 0.001), 1, 1.0), (Delay(0, 0, 0.1), 1, 0.1))),))
    assert response.mean_s == pytest.approx(0.011)
    assert response.percentile_s(0.5) < 0.005
    assert response.percentile_s(0.99) > 0.1


def test_a_mixture_of_paths() -> None:
    response = Response(tuple(Path(0.5, 0.0, ((Delay(0, 0, mean), 1, 1.0),)) for mean in (0.01, 0.1)))
    time_s = 0.05
    assert response.tail(time_s) == pytest.approx((math.exp(-5) + math.exp(-0.5)) / 2, abs=1e-6)


def test_overload_has_no_delay() -> None:
    with pytest.raises(ValueError, match="overloaded"):
        delay_at(Station(1, ServiceTime(0.01)), 100)
    with pytest.raises(ValueError, match="share"):
        alone(Delay(0, 0, 0.01)).percentile_s(1.0)


@settings(max_examples=50)
@given(st.integers(1, 64), st.floats(0.05, 0.97), st.floats(0.05, 4), st.floats(0.0001, 0.1))
def test_percentiles_are_ordered_and_above_the_offset(servers: int, busy: float, scv: float, offset_s: float) -> None:
    station = Station(servers, ServiceTime(0.01, scv))
    response = alone(delay_at(station, servers * busy / 0.01), offset_s=offset_s)
    p50, p95, p99 = (response.percentile_s(share) for share in (0.5, 0.95, 0.99))
    assert offset_s <= p50 < p95 < p99


@settings(max_examples=50)
@given(st.integers(1, 30), st.floats(0.1, 0.95), st.floats(0.01, 0.95))
def test_more_load_is_slower_and_more_servers_are_faster(servers: int, busy: float, less: float) -> None:
    def p95(count: int, rate: float) -> float:
        return alone(delay_at(Station(count, ServiceTime(0.01)), rate)).percentile_s(0.95)

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
