"""Closed systems: exact fractions, exact mean value analysis, simulated users, bounds and laws."""

from __future__ import annotations

import doctest
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.formulas import closed_network
from cascade_plan.formulas.closed_network import (
    Demand,
    FiniteSourceResponse,
    approximate_network,
    asymptotic_bounds,
    finite_source,
    product_form_network,
    usl_peak,
    usl_throughput,
)
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station, mmc_response_s_percentile
from cascade_plan.proving.queue import mean_interval, simulate_closed

users_counts = st.integers(1, 400)
servers_counts = st.integers(1, 20)
times = st.floats(0.001, 3)
demands = st.lists(st.builds(Demand, st.integers(1, 16), st.floats(0.001, 1)), min_size=1, max_size=4)


def test_the_worked_examples() -> None:
    assert doctest.testmod(closed_network).failed == 0


# ---------------------------------------------------------------------------------------------------------- one station


def exact_finite_source(users: int, think: Fraction, servers: int, service: Fraction) -> tuple[Fraction, Fraction]:
    """Return the throughput and the mean response from the balance equations in fractions of whole numbers."""
    weights = [Fraction(1)]
    for n in range(users):
        weights.append(weights[-1] * (users - n) / think * service / min(n + 1, servers))
    busy = sum(weight * min(n, servers) for n, weight in enumerate(weights)) / sum(weights)
    per_s = busy / service
    return per_s, users / per_s - think


@pytest.mark.parametrize(("users", "servers"), [(1, 1), (10, 1), (60, 3), (200, 4), (300, 7)])
def test_a_finite_source_has_twelve_digits(users: int, servers: int) -> None:
    found = finite_source(users, 2.0, servers, 0.03125)
    per_s, response = exact_finite_source(users, Fraction(2), servers, Fraction(1, 32))
    assert found.requests_per_s == pytest.approx(float(per_s), rel=1e-12)
    assert found.response_s_mean == pytest.approx(float(response), rel=1e-12)
    assert found.utilisation == pytest.approx(float(per_s / 32 / servers), rel=1e-12)
    assert found.state.sum() == pytest.approx(1, rel=1e-12)


def test_a_million_users_are_stable() -> None:
    # Far from saturation a million users are Poisson arrivals of nearly N / (Z + S): an open queue.
    found = finite_source(1_000_000, 2.0, 4800, 0.009)
    assert found.requests_per_s == pytest.approx(1_000_000 / 2.009, rel=1e-4)
    law = FiniteSourceResponse(1_000_000, 2.0, 4800, 0.009)
    assert law.percentile(0.95) == pytest.approx(mmc_response_s_percentile(4800, 497_700, 0.009, 0.95), rel=0.01)
    # Past it every server is busy: X = c / S, R = N S / c - Z.
    busy = finite_source(1_000_000, 2.0, 1000, 0.009)
    assert busy.requests_per_s == pytest.approx(1000 / 0.009, rel=1e-9)
    assert busy.response_s_mean == pytest.approx(1_000_000 * 0.009 / 1000 - 2, rel=1e-9)


def erlang_tail(phases: int, rate_per_s: float, time_s: float) -> float:
    """Return the share of sums of so many exponential times that exceed the time: few enough Poisson events."""
    expected = rate_per_s * time_s
    return sum(math.exp(k * math.log(expected) - expected - math.lgamma(k + 1)) for k in range(phases))


@pytest.mark.parametrize(("users", "servers"), [(2, 1), (30, 1), (60, 3), (200, 4)])
@pytest.mark.parametrize("time_s", [0.005, 0.04, 0.2])
def test_the_response_is_that_of_the_arrival_theorem(users: int, servers: int, time_s: float) -> None:
    # Written out: j departures of all servers, and then one's own service by 4000 midpoints over the last.
    seen = finite_source(users - 1, 2.0, servers, 0.03)
    rate, midpoints = 1 / 0.03, (np.arange(4000) + 0.5) * time_s / 4000
    own = np.exp(-rate * midpoints) * rate * time_s / 4000
    total = 0.0
    for n, share in enumerate(seen.state.tolist(), seen.first):
        if n < servers:
            total += share * math.exp(-rate * time_s)
        elif share > 1e-15:
            phases = n - servers + 1
            tails = np.zeros_like(midpoints)
            term = np.exp(-servers * rate * (time_s - midpoints))
            for k in range(phases):
                tails += term
                term = term * servers * rate * (time_s - midpoints) / (k + 1)
            total += share * (float(own @ tails) + math.exp(-rate * time_s))
    assert FiniteSourceResponse(users, 2.0, servers, 0.03).tail(time_s) == pytest.approx(total, rel=1e-4)


def test_the_tail_of_one_server_is_a_sum_of_services() -> None:
    seen = finite_source(29, 2.0, 1, 0.1)
    expected = sum(share * erlang_tail(n + 1, 10.0, 0.7) for n, share in enumerate(seen.state.tolist(), seen.first))
    assert FiniteSourceResponse(30, 2.0, 1, 0.1).tail(0.7) == pytest.approx(expected, rel=1e-10)


def test_a_single_user_never_waits() -> None:
    law = FiniteSourceResponse(1, 2.0, 3, 0.05)
    assert law.percentile(0.95) == pytest.approx(0.05 * math.log(20), rel=1e-9)
    assert law.tail(0.0) == 1.0


@pytest.mark.parametrize(
    ("users", "servers", "service_s"), [(1000, 4, 0.01), (30_000, 40, 0.01), (57_000_000, 1000, 0.009)]
)
def test_all_but_a_few_of_many_users_wait_as_long_as_the_central_limit_says(
    users: int, servers: int, service_s: float
) -> None:
    # Every server is busy, so those who think are a Poisson number of mean Z c / S, and the others have gone before.
    thinking = 2.0 * servers / service_s
    ahead = users - thinking
    mean_s = ahead * service_s / servers
    spread_s = math.hypot(math.sqrt(thinking + ahead) * service_s / servers, service_s)
    law = FiniteSourceResponse(users, 2.0, servers, service_s)
    for share, score in ((0.5, 0.0), (0.95, 1.644854), (0.99, 2.326348)):
        assert law.percentile(share) == pytest.approx(mean_s + score * spread_s, abs=0.05 * spread_s)


def test_a_thousand_million_users_take_no_more_room_than_their_root() -> None:
    # Half of them think: the number of the others spreads by the root of a quarter of them.
    found = finite_source(10**9, 2.0, 10**9, 2.0)
    assert found.state.size < 20 * math.sqrt(10**9 / 4)
    n = found.first + np.arange(found.state.size)
    assert float(found.state @ n) == pytest.approx(5e8, rel=1e-12)
    assert float(found.state @ (n - 5e8) ** 2) == pytest.approx(10**9 / 4, rel=1e-9)
    law = FiniteSourceResponse(10**9, 2.0, 10**9, 2.0)
    assert law.percentile(0.95) == pytest.approx(2 * math.log(20), rel=1e-7)


def test_a_long_wait_summed_at_spread_points_is_that_of_all_points(monkeypatch: pytest.MonkeyPatch) -> None:
    law = FiniteSourceResponse(3_000_000, 2.0, 30, 0.009)
    spread = [law.percentile(share) for share in (0.5, 0.95, 0.99)]
    monkeypatch.setattr(closed_network, "_POINTS_MOST", 10**9)
    assert [law.percentile(share) for share in (0.5, 0.95, 0.99)] == pytest.approx(spread, rel=1e-5)


@given(users_counts, times, servers_counts, times)
@settings(max_examples=50)
def test_the_mean_of_the_response_is_littles_law(users: int, think_s: float, servers: int, service_s: float) -> None:
    # R = N / X - Z from the throughput, and the area under the tail of the response: two ways to one figure.
    found = finite_source(users, think_s, servers, service_s)
    law = FiniteSourceResponse(users, think_s, servers, service_s)
    end_s = law.percentile(1 - 1e-9)
    grid = (np.arange(400) + 0.5) * end_s / 400
    area = sum(law.tail(time_s) for time_s in grid.tolist()) * end_s / 400
    assert area == pytest.approx(found.response_s_mean, rel=5e-3)
    assert found.response_s_mean == pytest.approx(users / found.requests_per_s - think_s, rel=1e-6)


@given(users_counts, times, servers_counts, times, st.sampled_from([0.5, 0.95, 0.99]))
@settings(max_examples=60)
def test_more_servers_and_fewer_users_answer_sooner(
    users: int, think_s: float, servers: int, service_s: float, share: float
) -> None:
    answer_s = FiniteSourceResponse(users, think_s, servers, service_s).percentile(share)
    slack = 1 + 1e-9
    assert FiniteSourceResponse(users, think_s, servers + 1, service_s).percentile(share) <= answer_s * slack
    assert FiniteSourceResponse(users + 1, think_s, servers, service_s).percentile(share) >= answer_s / slack


@given(users_counts, times, servers_counts, times)
@settings(max_examples=60)
def test_twice_the_users_on_twice_the_servers_is_never_slower(
    users: int, think_s: float, servers: int, service_s: float
) -> None:
    # Of the p95: the median of a crowded system does get worse, as its spread gets smaller.
    answer_s = FiniteSourceResponse(users, think_s, servers, service_s).percentile(0.95)
    twice_s = FiniteSourceResponse(2 * users, think_s, 2 * servers, service_s).percentile(0.95)
    assert twice_s <= answer_s * (1 + 1e-9)


@pytest.mark.parametrize("think", [ServiceTime(2.0), ServiceTime(2.0, 1 / 12), ServiceTime(2.0, 2.0, "gamma")])
def test_simulated_users_agree_whatever_the_law_of_thinking(think: ServiceTime) -> None:
    run = simulate_closed(120, think, [Station(3, ServiceTime(0.05))], requests=150_000, seed=5)
    found = finite_source(120, 2.0, 3, 0.05)
    mean = mean_interval(run.response_s[:, None])
    assert abs(found.response_s_mean - mean.value) < 2.5 * mean.half_width
    assert run.requests_per_s == pytest.approx(found.requests_per_s, rel=0.01)
    law = FiniteSourceResponse(120, 2.0, 3, 0.05)
    for share in (0.5, 0.95, 0.99):
        assert law.percentile(share) == pytest.approx(float(np.quantile(run.response_s, share)), rel=0.05)


@pytest.mark.parametrize(
    ("users", "think_s", "servers", "service_s"),
    [(0, 1.0, 1, 1.0), (1, 0.0, 1, 1.0), (1, 1.0, 0, 1.0), (1, 1.0, 1, 0.0), (1, math.inf, 1, 1.0)],
)
def test_what_is_no_finite_source_is_refused(users: int, think_s: float, servers: int, service_s: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        finite_source(users, think_s, servers, service_s)


def test_a_share_of_all_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="share"):
        FiniteSourceResponse(5, 1.0, 1, 1.0).percentile(1.0)


# ----------------------------------------------------------------------------------------------------- several stations


def exact_network(users: int, think_s: float, services_s: list[float]) -> tuple[float, list[float]]:
    """Return throughput and residence of single-server stations by exact mean value analysis (Reiser, Lavenberg)."""
    queued = [0.0] * len(services_s)
    per_s, stays = 0.0, services_s
    for n in range(1, users + 1):
        stays = [service_s * (1 + queue) for service_s, queue in zip(services_s, queued, strict=True)]
        per_s = n / (think_s + sum(stays))
        queued = [per_s * stay for stay in stays]
    return per_s, stays


@pytest.mark.parametrize("users", [1, 2, 5, 20, 30, 60, 200, 1500])
def test_single_servers_have_the_exact_mean_values(users: int) -> None:
    services_s = [0.05, 0.03, 0.002]
    stations = [Demand(1, service_s) for service_s in services_s]
    per_s, stays = exact_network(users, 1.0, services_s)
    exact = product_form_network(users, 1.0, stations)
    assert exact.requests_per_s == pytest.approx(per_s, rel=1e-10)
    assert exact.station_s_mean == pytest.approx(stays, rel=1e-8)
    near = approximate_network(users, 1.0, stations)
    assert near.requests_per_s == pytest.approx(per_s, rel=0.05)
    assert near.response_s_mean == pytest.approx(sum(stays), rel=0.15)
    assert sum(near.station_s_mean) == pytest.approx(near.response_s_mean, rel=1e-6)


@given(users_counts, times, servers_counts, times)
def test_one_station_of_a_network_is_a_finite_source(
    users: int, think_s: float, servers: int, service_s: float
) -> None:
    exact = finite_source(users, think_s, servers, service_s)
    network = product_form_network(users, think_s, [Demand(servers, service_s)])
    assert network.requests_per_s == pytest.approx(exact.requests_per_s, rel=1e-9)
    near = approximate_network(users, think_s, [Demand(servers, service_s)])
    assert near.requests_per_s == pytest.approx(exact.requests_per_s, rel=0.08)
    assert near.response_s_mean == pytest.approx(exact.response_s_mean, rel=0.25)


@pytest.mark.parametrize("users", [150, 230])
def test_users_through_two_stations_agree_with_simulated_ones(users: int) -> None:
    stations = [Station(4, ServiceTime(0.04)), Station(2, ServiceTime(0.015))]
    run = simulate_closed(users, ServiceTime(2.0), stations, requests=150_000, seed=6)
    exact = product_form_network(users, 2.0, [Demand(4, 0.04), Demand(2, 0.015)])
    mean = mean_interval(run.response_s[:, None])
    assert exact.requests_per_s == pytest.approx(run.requests_per_s, rel=0.01)
    assert abs(exact.response_s_mean - mean.value) < 2.5 * mean.half_width
    assert sum(exact.station_s_mean) == pytest.approx(exact.response_s_mean, rel=1e-9)


@given(st.integers(1, 2000), st.floats(0, 5), demands)
def test_a_network_keeps_its_bounds(users: int, think_s: float, stations: list[Demand]) -> None:
    bounds = asymptotic_bounds(users, think_s, stations)
    found = approximate_network(users, think_s, stations)
    assert found.requests_per_s <= bounds.requests_per_s_max * (1 + 1e-9)
    assert found.response_s_mean >= bounds.response_s_min * (1 - 1e-6) - 1e-9
    assert found.requests_per_s == pytest.approx(users / (think_s + sum(found.station_s_mean)), rel=1e-6)
    more = approximate_network(users + 1, think_s, stations)
    assert more.requests_per_s >= found.requests_per_s * (1 - 1e-9)


@given(users_counts, times, servers_counts, times)
def test_the_exact_station_keeps_the_bounds_too(users: int, think_s: float, servers: int, service_s: float) -> None:
    bounds = asymptotic_bounds(users, think_s, [Demand(servers, service_s)])
    found = finite_source(users, think_s, servers, service_s)
    assert found.requests_per_s <= bounds.requests_per_s_max * (1 + 1e-9)
    assert found.response_s_mean >= bounds.response_s_min * (1 - 1e-9)


def test_the_knee_is_where_the_bounds_cross() -> None:
    stations = [Demand(3, 0.05), Demand(1, 0.01)]
    bounds = asymptotic_bounds(100, 2.0, stations)
    assert bounds.users_knee == pytest.approx(2.06 * 60)
    assert asymptotic_bounds(123, 2.0, stations).requests_per_s_max == pytest.approx(123 / 2.06)
    assert asymptotic_bounds(130, 2.0, stations).requests_per_s_max == pytest.approx(60)
    assert asymptotic_bounds(600, 2.0, stations).response_s_min == pytest.approx(8.0)


@pytest.mark.parametrize(("users", "think_s", "stations"), [(0, 1.0, [Demand(1, 1.0)]), (1, -1.0, [Demand(1, 1.0)]),
                                                            (1, 1.0, []), (1, 1.0, [Demand(1, 0.0)])])  # fmt: skip
def test_what_is_no_network_is_refused(users: int, think_s: float, stations: list[Demand]) -> None:
    for figure in (asymptotic_bounds, approximate_network, product_form_network):
        with pytest.raises(ValueError, match="at least one user"):
            figure(users, think_s, stations)


def test_too_many_users_for_the_exact_network_are_refused() -> None:
    with pytest.raises(ValueError, match="20000"):
        product_form_network(20_001, 1.0, [Demand(1, 0.1)])


def test_what_is_no_station_is_refused() -> None:
    for servers, service_s in ((0, 1.0), (1, -1.0), (1, math.inf)):
        with pytest.raises(ValueError, match="station"):
            Demand(servers, service_s)


# ----------------------------------------------------------------------------------------------------------- contention


def test_the_published_fit_is_reproduced() -> None:
    # SPEC SDM91 on a Sun SPARCcenter 2000, the usl package's vignette: 0.02772985, 0.00010437 and a peak of 96.52.
    assert usl_peak(0.02772985, 0.00010437) == pytest.approx(96.52, abs=0.01)
    measured = {1: 64.9, 18: 995.9, 36: 1652.4, 72: 1853.2, 108: 1829.4, 144: 1775.0, 216: 1702.2}
    for workers, per_s in list(measured.items())[1:]:
        assert usl_throughput(workers, 89.995, 0.02772985, 0.00010437) == pytest.approx(per_s, rel=0.09)


@given(st.floats(0, 0.99), st.floats(1e-6, 0.1))
def test_nothing_beats_the_peak(contention: float, coherency: float) -> None:
    peak = usl_peak(contention, coherency)
    best = usl_throughput(peak, 1.0, contention, coherency)
    for workers in (max(1.0, peak / 1.1), peak * 1.1):
        assert usl_throughput(workers, 1.0, contention, coherency) <= best * (1 + 1e-12)


def test_the_ends_of_contention() -> None:
    assert usl_throughput(50, 3.0, 0.0, 0.0) == 150.0
    assert usl_throughput(1, 3.0, 0.4, 0.4) == 3.0
    assert usl_throughput(1e9, 3.0, 0.1, 0.0) == pytest.approx(30.0, rel=1e-6)
    assert usl_peak(0.2, 0.0) == math.inf
    assert usl_peak(1.0, 0.1) == usl_peak(0.9, 5.0) == 1.0
    with pytest.raises(ValueError, match="at least one worker"):
        usl_throughput(0.5, 1.0, 0.1, 0.1)
    with pytest.raises(ValueError, match="at least 0"):
        usl_peak(-0.1, 0.1)
