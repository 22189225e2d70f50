"""Open queues: exact values to 12 digits, exact chains and simulated requests, and laws over any queue."""

from __future__ import annotations

import doctest
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.formulas import queueing
from cascade_plan.formulas.percentiles import Distribution, ServiceTime
from cascade_plan.formulas.queueing import (
    Station,
    arrival_scvs,
    departure_scv,
    erlang_b,
    erlang_c,
    erlang_c_array,
    least_servers,
    mmc_response_s_percentile,
    mmc_response_tail,
    mmc_wait_s_mean,
    mmc_wait_s_percentile,
    request_distribution,
    request_s_percentile,
    square_root_staffing,
    wait_distribution,
    wait_probability,
    wait_s_mean,
)
from cascade_plan.proving.queue import mean_interval, simulate_open

EXACT_C = (
    (1, 0.5, 0.5),
    (2, 1.5, 0.6428571428571429),
    (3, 2.25, 0.5677570093457944),
    (5, 4, 0.5541125541125541),
    (8, 6.4, 0.4576449254420162),
    (10, 8, 0.4091801507964435),
    (10, 9.5, 0.8255855781256986),
    (20, 17, 0.3850562298933248),
    (50, 5, 2.18630337586531e-32),
    (50, 45, 0.3638644672069884),
    (64, 60.8, 0.5880109319099815),
    (100, 90, 0.2169404809063664),
    (100, 99, 0.8827684626100845),
    (200, 180, 0.09447121817759082),
    (500, 480, 0.2665125199623641),
    (1000, 950, 0.06825341537714142),
    (1000, 999, 0.9612392604084191),
    (10_000, 9900, 0.2227769288641482),
    (100_000, 99_900, 0.6579935117953026),
    (1_000_000, 998_000, 0.02681014476608087),
    (1_000_000, 999_000, 0.2233033902913441),
)
"""The defining sum with 60 digits (mpmath), rounded to 16: servers, load, probability to wait."""

PUBLISHED_B = ((10, 4.461, 0.01), (20, 12.031, 0.01), (50, 37.901, 0.01), (100, 84.064, 0.01), (10, 6.2157, 0.05))
"""Traffic tables: the load, in erlangs, that loses the share on so many trunks (four or five digits are printed)."""

LAWS = (
    ServiceTime(0.02, 0.0),
    ServiceTime(0.02, 0.4),
    ServiceTime(0.02, 1.0),
    ServiceTime(0.02, 3.0, "gamma"),
    ServiceTime(0.02, 3.0, "lognormal"),
    ServiceTime(0.02, 3.0, "hyperexponential"),
)

servers_counts = st.integers(1, 300)
utilisations = st.floats(0.05, 0.98)
services = st.sampled_from(LAWS)
shares = st.floats(0.3, 0.995)


def test_the_worked_examples() -> None:
    assert doctest.testmod(queueing).failed == 0


# ---------------------------------------------------------------------------------------------------- Erlang's formulas


@pytest.mark.parametrize(("servers", "load", "exact"), EXACT_C)
def test_erlang_c_has_twelve_digits(servers: int, load: float, exact: float) -> None:
    assert erlang_c(servers, load) == pytest.approx(exact, rel=1e-12)


def test_erlang_c_of_arrays_has_twelve_digits() -> None:
    servers, loads, exact = zip(*EXACT_C, strict=True)
    assert erlang_c_array(servers, loads) == pytest.approx(exact, rel=1e-12)


def test_arrays_are_broadcast() -> None:
    table = erlang_c_array(np.arange(1, 40)[:, None], np.linspace(0, 45, 30))
    assert table.shape == (39, 30)
    alone = [[erlang_c(servers, load) for load in np.linspace(0, 45, 30).tolist()] for servers in range(1, 40)]
    assert table == pytest.approx(np.array(alone), rel=1e-13)
    assert erlang_c_array(3, 2.25).shape == ()
    assert erlang_c_array([], []).shape == (0,)


@pytest.mark.parametrize(("servers", "load", "lost"), PUBLISHED_B)
def test_erlang_b_agrees_with_the_published_tables(servers: int, load: float, lost: float) -> None:
    assert erlang_b(servers, load) == pytest.approx(lost, rel=1e-3)


def test_the_ends_of_erlangs_formulas() -> None:
    assert erlang_b(5, 0.0) == erlang_c(5, 0.0) == 0.0
    assert erlang_c(5, 5.0) == erlang_c(5, 7.0) == 1.0
    assert erlang_c(1_000_000, 10.0) == 0.0
    assert erlang_c_array([5, 5, 5, 1_000_000], [0.0, 5.0, 7.0, 10.0]).tolist() == [0.0, 1.0, 1.0, 0.0]
    assert erlang_b(1000, 1e6) == pytest.approx(0.999, rel=1e-5)


@pytest.mark.parametrize(("servers", "load"), [(0, 1.0), (-1, 1.0), (1, -0.1), (1, math.inf), (1, math.nan)])
def test_what_is_no_queue_is_refused(servers: int, load: float) -> None:
    for formula in (erlang_b, erlang_c, erlang_c_array):
        with pytest.raises(ValueError, match="at least"):
            formula(servers, load)


@given(servers_counts, utilisations)
def test_more_servers_wait_less_and_more_load_waits_more(servers: int, rho: float) -> None:
    load = servers * rho
    assert erlang_c(servers + 1, load) <= erlang_c(servers, load) <= erlang_c(servers, load * 1.01)
    assert erlang_b(servers, load) <= erlang_c(servers, load)


@given(st.floats(0.5, 5000), st.floats(0.01, 0.9))
def test_square_root_staffing_starts_near_the_answer(load: float, waits: float) -> None:
    needed = least_servers(load, lambda servers: erlang_c(servers, load) <= waits)
    assert needed is not None
    assert abs(square_root_staffing(load, waits) - needed) <= 2


@given(st.floats(0, 400), st.floats(0.001, 0.9))
def test_the_least_servers_are_the_least(load: float, waits: float) -> None:
    found = least_servers(load, lambda servers: erlang_c(servers, load) <= waits)
    first = next(servers for servers in range(1, 2000) if erlang_c(servers, load) <= waits)
    assert found == max(first, math.floor(load) + 1)


def test_the_search_for_servers_ends() -> None:
    assert least_servers(10.0, lambda servers: False, servers_limit=1000) is None
    assert least_servers(10.0, lambda servers: servers == 1000, servers_limit=1000) == 1000
    assert least_servers(0.0, lambda servers: True) == 1
    with pytest.raises(ValueError, match="at least 0"):
        least_servers(-1.0, lambda servers: True)
    with pytest.raises(ValueError, match="share"):
        square_root_staffing(10.0, 1.0)


# ---------------------------------------------------------------------------------------------------------------- M/M/c


def test_one_exponential_server_is_known_in_closed_form() -> None:
    # M/M/1 at utilisation .8 and 10 ms: the response is exponential of mean 50 ms, the wait 40 ms on average.
    assert mmc_wait_s_mean(1, 80.0, 0.010) == pytest.approx(0.040, rel=1e-12)
    assert mmc_response_s_percentile(1, 80.0, 0.010, 0.95) == pytest.approx(0.050 * math.log(20), rel=1e-12)
    assert mmc_wait_s_percentile(1, 80.0, 0.010, 0.95) == pytest.approx(0.050 * math.log(0.8 / 0.05), rel=1e-12)
    assert mmc_wait_s_percentile(1, 80.0, 0.010, 0.15) == 0.0


@given(servers_counts, utilisations, st.floats(0.1, 5))
def test_the_response_tail_is_that_of_wait_and_service_added(servers: int, rho: float, times: float) -> None:
    # P(T > t) = P(S > t) + the integral over s <= t of the density of S times P(W > t - s), by 2000 midpoints.
    time_s = 0.01 * times
    waits, spare = erlang_c(servers, servers * rho), servers * (1 - rho) / 0.01
    s = (np.arange(2000) + 0.5) * time_s / 2000
    inner = np.sum(np.exp(-100 * s) * 100 * waits * np.exp(-spare * (time_s - s))) * time_s / 2000
    expected = math.exp(-100 * time_s) + float(inner)
    assert mmc_response_tail(servers, servers * rho * 100, 0.01, time_s) == pytest.approx(expected, rel=2e-2, abs=1e-9)


def test_one_idle_server_is_no_singularity() -> None:
    # c - a = 1 makes the decay of the wait equal the service rate: 500 requests/s of 10 ms on 6 servers.
    at = mmc_response_s_percentile(6, 500.0, 0.010, 0.95)
    near = [mmc_response_s_percentile(6, 500.0 * (1 + part), 0.010, 0.95) for part in (-1e-6, -1e-12, 1e-12, 1e-6)]
    assert near == pytest.approx([at] * 4, rel=1e-4)
    assert near == sorted(near)
    waits = erlang_c(6, 5.0)
    assert mmc_response_tail(6, 500.0, 0.010, 0.03) == pytest.approx(math.exp(-3) * (1 + waits * 3), rel=1e-12)


@given(servers_counts, utilisations, shares)
def test_the_percentile_of_the_response_is_where_the_tail_is(servers: int, rho: float, share: float) -> None:
    found = mmc_response_s_percentile(servers, servers * rho * 50, 0.02, share)
    assert mmc_response_tail(servers, servers * rho * 50, 0.02, found) == pytest.approx(1 - share, rel=1e-9)


def test_what_is_overloaded_never_answers() -> None:
    station = Station(2, ServiceTime(0.01))
    assert mmc_wait_s_mean(2, 200.0, 0.01) == mmc_wait_s_percentile(2, 200.0, 0.01, 0.5) == math.inf
    assert mmc_response_s_percentile(2, 300.0, 0.01, 0.5) == math.inf
    assert mmc_response_tail(2, 300.0, 0.01, 99.0) == 1.0
    assert wait_s_mean(station, 200.0) == request_s_percentile([station], 200.0, 0.5) == math.inf
    assert wait_probability(station, 200.0) == 1.0
    with pytest.raises(ValueError, match="cannot carry"):
        request_distribution([station], 200.0)
    for percentile in (mmc_wait_s_percentile, mmc_response_s_percentile):
        with pytest.raises(ValueError, match="share"):
            percentile(2, 100.0, 0.01, 1.0)


def test_nobody_asks_nobody_waits() -> None:
    station = Station(2, ServiceTime(0.01, 0.0))
    assert wait_s_mean(station, 0.0) == wait_probability(station, 0.0) == 0.0
    assert request_s_percentile([station], 0.0, 0.95) == pytest.approx(0.01, rel=1e-2)
    with pytest.raises(ValueError, match="at least one server"):
        Station(0, ServiceTime(0.01))


# ------------------------------------------------------------------------------------------------------ M/G/c and G/G/c


def constant_service(servers: int, rho: float) -> tuple[float, float]:
    """Return the exact delay probability and mean wait of M/D/c with service 1.

    Crommelin 1932: a service later, those in service have gone and the arrivals of one service have come.
    """
    load = servers * rho
    size = servers + 400
    arrivals = np.exp(np.arange(size) * math.log(load) - load - np.array([math.lgamma(k + 1) for k in range(size)]))
    moves = np.zeros((size, size))
    for n in range(size):
        left = max(n - servers, 0)
        moves[n, left:] = arrivals[: size - left]
    moves[:, -1] += 1 - moves.sum(axis=1)
    system = np.vstack((moves.T - np.eye(size), np.ones(size)))
    state = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    queued = float(state @ np.maximum(np.arange(size) - servers, 0))
    return float(state[servers:].sum()), queued / load


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.8), (2, 0.5), (4, 0.7), (8, 0.9), (16, 0.8), (32, 0.9)])
def test_constant_service_is_near_crommelins_exact_chain(servers: int, rho: float) -> None:
    waits, mean = constant_service(servers, rho)
    station = Station(servers, ServiceTime(1.0, 0.0))
    assert wait_s_mean(station, servers * rho) == pytest.approx(mean, rel=0.015)
    assert wait_probability(station, servers * rho) == pytest.approx(waits, rel=0.015)


@pytest.mark.parametrize("service", [*LAWS[:4], ServiceTime(0.02, 0.8, "lognormal"), LAWS[5]], ids=str)
@pytest.mark.parametrize("rho", [0.3, 0.9])
def test_one_server_has_the_exact_moments(service: ServiceTime, rho: float) -> None:
    # Pollaczek-Khinchine, and Takacs for the second moment: E[W^2] = 2 E[W]^2 + lambda E[S^3] / (3 (1 - rho)).
    station, per_s = Station(1, service), rho / service.mean_s
    mean = rho / (1 - rho) * service.mean_s * (1 + service.scv) / 2
    second = 2 * mean**2 + per_s * service.third_moment_s3() / (3 * (1 - rho))
    assert wait_probability(station, per_s) == pytest.approx(rho, rel=1e-12)
    assert wait_s_mean(station, per_s) == pytest.approx(mean, rel=1e-12)
    law = wait_distribution(station, per_s, 60 * math.sqrt(second) / 2**16, 2**16)
    assert law.mean_s == pytest.approx(mean, rel=1e-3)
    assert law.scv + 1 == pytest.approx(second / mean**2, rel=5e-3)


def test_one_constant_server_has_the_exact_law() -> None:
    # M/D/1, Erlang 1909: P(W <= x) = (1 - rho) sum over k <= x of exp(rho (x - k)) (-rho (x - k))^k / k!.
    station = Station(1, ServiceTime(1.0, 0.0))
    law = wait_distribution(station, 0.7, 0.002, 2**14)
    for x in (0.5, 1.5, 3.25, 6.0):
        terms = [math.exp(0.7 * (x - k)) * (-0.7 * (x - k)) ** k / math.factorial(k) for k in range(int(x) + 1)]
        assert law.percentile(0.3 * sum(terms)) == pytest.approx(x, abs=0.003)


@given(servers_counts, utilisations, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@settings(max_examples=40)
def test_exponential_service_on_a_grid_is_the_closed_form(servers: int, rho: float, share: float) -> None:
    station, per_s = Station(servers, ServiceTime(0.02)), servers * rho / 0.02
    assert wait_s_mean(station, per_s) == pytest.approx(mmc_wait_s_mean(servers, per_s, 0.02), rel=1e-12)
    exact = mmc_response_s_percentile(servers, per_s, 0.02, share)
    assert request_s_percentile([station], per_s, share) == pytest.approx(exact, rel=3e-3)


@pytest.mark.parametrize("gaps", [0.0, 0.25, 0.5, 2.0, 4.0])
@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_other_arrivals_at_exponential_servers_are_near_the_exact_root(gaps: float, rho: float) -> None:
    # GI/M/1: those who arrive find the server busy with probability x = E[exp(-mu (1 - x) A)], and wait on average
    # x / (mu (1 - x)).
    if gaps > 1:
        phases = ServiceTime(1 / rho, gaps, "hyperexponential").phases
    x = 0.1
    for _ in range(2000):
        if gaps == 0:
            x = math.exp(-(1 - x) / rho)
        elif gaps < 1:
            x = (1 + gaps * (1 - x) / rho) ** (-1 / gaps)
        else:
            x = sum(share / (1 + mean_s * (1 - x)) for share, mean_s in phases)
    station = Station(1, ServiceTime(1.0))
    assert wait_probability(station, rho, gaps) == pytest.approx(x, rel=0.07)
    assert wait_s_mean(station, rho, gaps) == pytest.approx(x / (1 - x), rel=0.09)


@given(utilisations, st.integers(1, 50))
def test_a_clock_meets_no_queue_before_constant_service(rho: float, servers: int) -> None:
    station = Station(servers, ServiceTime(1.0, 0.0))
    assert wait_s_mean(station, servers * rho, 0.0) == wait_probability(station, servers * rho, 0.0) == 0.0


@given(utilisations, st.integers(1, 50), st.floats(0, 0.01), st.floats(0, 0.01))
def test_hardly_any_spread_is_hardly_any_wait(rho: float, servers: int, scv: float, gaps: float) -> None:
    station, poisson_s = Station(servers, ServiceTime(1.0, scv)), mmc_wait_s_mean(servers, servers * rho, 1.0)
    assert 0 <= wait_s_mean(station, servers * rho, gaps) <= 0.02 * poisson_s
    assert 0 <= wait_probability(station, servers * rho, gaps) <= erlang_c(servers, servers * rho)


SIMULATED = (
    (2, 0.8, LAWS[1], 1.0),
    (4, 0.7, LAWS[3], 1.0),
    (8, 0.8, LAWS[4], 1.0),
    (8, 0.8, LAWS[5], 1.0),
    (16, 0.9, LAWS[2], 0.3),
    (6, 0.8, LAWS[1], 2.5),
)


@pytest.mark.parametrize(("servers", "rho", "service", "gaps"), SIMULATED)
def test_the_formulas_agree_with_simulated_requests(
    servers: int, rho: float, service: ServiceTime, gaps: float
) -> None:
    station, per_s = Station(servers, service), servers * rho / service.mean_s
    run = simulate_open([station], per_s, requests=800_000, seed=servers, arrival_scv=gaps)
    wait = mean_interval(run.wait_s())
    allowed = 0.03 if gaps == 1 else 0.08
    assert abs(wait_s_mean(station, per_s, gaps) - wait.value) < allowed * wait.value + 1.5 * wait.half_width
    law = request_distribution([station], per_s, arrival_scv=gaps)
    for share in (0.5, 0.95, 0.99):
        assert law.percentile(share) == pytest.approx(float(np.quantile(run.response_s, share)), rel=0.06)


def test_a_request_through_three_stations_agrees_with_simulated_requests() -> None:
    stations = [
        Station(6, ServiceTime(0.010)),
        Station(3, ServiceTime(0.004, 2.0)),
        Station(1, ServiceTime(0.001, 0.0)),
    ]
    run = simulate_open(stations, 500.0, requests=800_000, seed=4)
    law = request_distribution(stations, 500.0)
    assert law.mean_s == pytest.approx(float(run.response_s.mean()), rel=0.03)
    for share in (0.5, 0.95, 0.99):
        assert law.percentile(share) == pytest.approx(float(np.quantile(run.response_s, share)), rel=0.04)


@given(servers_counts, utilisations, services, st.sampled_from([1.0, 0.3, 2.0]))
def test_the_wait_falls_in_servers_and_rises_in_load(
    servers: int, rho: float, service: ServiceTime, gaps: float
) -> None:
    station, per_s = Station(servers, service), servers * rho / service.mean_s
    fewer, more, busier = station, Station(servers + 1, service), per_s * 1.01
    for figure in (wait_s_mean, wait_probability):
        assert figure(more, per_s, gaps) <= figure(fewer, per_s, gaps) * (1 + 1e-12)
        assert figure(fewer, per_s, gaps) <= figure(fewer, busier, gaps) * (1 + 1e-12)


@given(servers_counts, utilisations, services)
@settings(max_examples=60)
def test_percentiles_are_ordered_and_no_law_is_broken(servers: int, rho: float, service: ServiceTime) -> None:
    station, per_s = Station(servers, service), servers * rho / service.mean_s
    law = request_distribution([station], per_s)
    points = [law.percentile(share) for share in (0.1, 0.5, 0.9, 0.95, 0.99)]
    assert points == sorted(points)
    assert law.mean_s == pytest.approx(service.mean_s + wait_s_mean(station, per_s), rel=0.01)
    # Twice the users on twice the servers is never slower, nor is one server more; the grid may be off by a step.
    for servers_then, per_s_then in ((2 * servers, 2 * per_s), (servers + 1, per_s)):
        other = request_s_percentile([Station(servers_then, service)], per_s_then, 0.95)
        assert other <= points[3] * 1.002


@given(servers_counts, utilisations, services, st.floats(0, 4))
def test_departures_lie_between_arrivals_and_service(
    servers: int, rho: float, service: ServiceTime, gaps: float
) -> None:
    found = departure_scv(Station(servers, service), servers * rho / service.mean_s, gaps)
    assert found >= 0
    if servers == 1:
        assert min(gaps, max(0.2, service.scv)) - 1e-9 <= found <= max(gaps, service.scv, 0.2) + 1e-9


@given(utilisations, services, st.floats(0.1, 4))
def test_over_many_requests_departures_vary_as_arrivals_do(rho: float, service: ServiceTime, gaps: float) -> None:
    station, per_s = Station(3, service), 3 * rho / service.mean_s
    over = [departure_scv(station, per_s, gaps, requests) for requests in (0, 1, 10, 100, 1e4, 1e12)]
    away = [abs(scv - gaps) for scv in over]
    assert all(far + 1e-9 >= near for far, near in pairwise(away))
    assert over[0] == departure_scv(station, per_s, gaps)
    assert over[-1] == pytest.approx(gaps, rel=1e-3)


def test_a_busy_station_sees_through_a_quiet_one() -> None:
    quiet, busy = Station(1, ServiceTime(0.5, 0.0)), Station(1, ServiceTime(0.95))
    behind_quiet, behind_busy = arrival_scvs([quiet, busy], 1.0)[1], arrival_scvs([busy, quiet], 1.0, 0.5)[1]
    assert behind_quiet == pytest.approx(1.0, abs=0.05)
    assert behind_busy == pytest.approx(departure_scv(busy, 1.0, 0.5), abs=0.05)
    assert arrival_scvs([quiet], 1.0, 0.5) == [0.5]


def test_poisson_in_and_exponential_service_is_poisson_out() -> None:
    assert departure_scv(Station(7, ServiceTime(0.01)), 600.0) == 1.0


def test_a_sum_of_percentiles_is_not_the_percentile_of_a_sum() -> None:
    stations = [Station(8, ServiceTime(0.01)), Station(8, ServiceTime(0.01)), Station(8, ServiceTime(0.01))]
    alone = [request_s_percentile([station], 640.0, 0.95) for station in stations]
    whole = request_s_percentile(stations, 640.0, 0.95)
    assert 1.25 < sum(alone) / whole < 1.7
    assert all(one < whole for one in alone)


def test_no_station_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one station"):
        request_distribution([], 1.0)


def test_a_grid_is_the_same_for_one_system_every_time() -> None:
    station = Station(8, LAWS[4])
    laws: list[Distribution] = [request_distribution([station], 300.0) for _ in range(2)]
    assert laws[0].mass.tobytes() == laws[1].mass.tobytes()
    assert all(low <= high for low, high in pairwise(np.cumsum(laws[0].mass)))
