"""The request-level simulation against a heap, exact laws, its own counts, and other simulators' bookkeeping."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.formulas.percentiles import Distribution, ServiceTime
from cascade_plan.formulas.queueing import Station, erlang_c, mmc_response_tail, mmc_wait_s_mean
from cascade_plan.proving.queue import (
    OpenRun,
    arrival_law,
    draws,
    interval,
    mean_interval,
    percentile_interval,
    simulate_closed,
    simulate_open,
    warm_up_requests,
)

LAWS = (
    ServiceTime(0.5, 0.0),
    ServiceTime(0.5, 0.25),
    ServiceTime(0.5),
    ServiceTime(0.5, 2.0, "gamma"),
    ServiceTime(0.5, 2.0, "lognormal"),
    ServiceTime(0.5, 2.0, "hyperexponential"),
)

stations = st.builds(Station, st.integers(1, 9), st.sampled_from(LAWS))
rows = st.lists(stations, min_size=1, max_size=3)
seeds = st.integers(0, 2**32)


def rate_of(row: list[Station], rho: float) -> float:
    """Return the requests per second that load the busiest station to rho."""
    return rho * min(station.servers / station.service.mean_s for station in row)


def small_run(row: list[Station], rho: float, seed: int, gaps: float = 1.0) -> OpenRun:
    """Return a run of a few thousand requests in eight replications."""
    return simulate_open(row, rate_of(row, rho), requests=1500, seed=seed, replications=8, arrival_scv=gaps)


# ------------------------------------------------------------------------------------------------------------ open runs


@given(rows, st.floats(0.2, 0.9), seeds, st.sampled_from([0.0, 0.5, 1.0, 3.0]))
@settings(max_examples=40)
def test_every_request_that_came_has_left_or_is_there(row: list[Station], rho: float, seed: int, gaps: float) -> None:
    run = small_run(row, rho, seed, gaps)
    flow = run.flow()
    assert flow.arrivals == flow.departures + flow.in_system
    assert flow.arrivals == run.entered_s.size
    for visits, before in zip(run.visits[1:], run.visits, strict=False):
        assert np.array_equal(np.sort(before.departure_s, axis=0), visits.arrival_s)
    assert np.array_equal(np.sort(run.entered_s, axis=0), run.visits[0].arrival_s)
    assert float(run.response_s.min()) > 0


@given(rows, st.floats(0.2, 0.9), seeds)
@settings(max_examples=40)
def test_service_is_in_order_and_no_server_idles_while_one_waits(row: list[Station], rho: float, seed: int) -> None:
    run = small_run(row, rho, seed)
    for station, visits in zip(row, run.visits, strict=True):
        assert np.all(visits.start_s >= visits.arrival_s)
        assert np.all(np.diff(visits.start_s, axis=0) >= 0)
        for replication in (0, 7):
            arrival, start, end = (times[:, replication] for times in
                                   (visits.arrival_s, visits.start_s, visits.departure_s))  # fmt: skip
            for moment in arrival[10::37] + 1e-9:
                busy = int(np.sum((start <= moment) & (end > moment)))
                waiting = int(np.sum((arrival <= moment) & (start > moment)))
                assert busy <= station.servers
                assert not waiting or busy == station.servers


@pytest.mark.parametrize("servers", [1, 2, 5, 40])
def test_starts_are_those_of_a_heap_of_servers(servers: int) -> None:
    run = small_run([Station(servers, LAWS[4])], 0.85, seed=servers)
    visits = run.visits[0]
    service_s = visits.departure_s - visits.start_s
    for replication in range(8):
        free = [0.0] * servers
        for arrival, start, service in zip(
            visits.arrival_s[:, replication], visits.start_s[:, replication], service_s[:, replication], strict=True
        ):
            expected = max(arrival, free[0])
            assert start == pytest.approx(expected, rel=1e-12)
            heapq.heapreplace(free, expected + service)


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.7), (4, 0.8), (30, 0.9)])
def test_exponential_servers_have_the_exact_law(servers: int, rho: float) -> None:
    per_s = servers * rho / 0.5
    run = simulate_open([Station(servers, ServiceTime(0.5))], per_s, requests=600_000, seed=1)
    wait = mean_interval(run.wait_s())
    assert abs(wait.value - mmc_wait_s_mean(servers, per_s, 0.5)) < 2.5 * wait.half_width
    assert wait.half_width < 0.12 * wait.value
    delayed = interval(run.wait_s(), lambda values: float((values > 0).mean()))
    assert abs(delayed.value - erlang_c(servers, servers * rho)) < 2.5 * delayed.half_width
    p95 = percentile_interval(run.response_s, 0.95)
    assert mmc_response_tail(servers, per_s, 0.5, p95.value - 2.5 * p95.half_width) > 0.05
    assert mmc_response_tail(servers, per_s, 0.5, p95.value + 2.5 * p95.half_width) < 0.05


def test_a_row_of_single_exponential_servers_has_the_exact_law() -> None:
    # Reich 1957: the sojourns of one request at M/M/1 queues in a row are independent exponentials.
    row = [Station(1, ServiceTime(0.5)), Station(1, ServiceTime(0.4)), Station(1, ServiceTime(0.6))]
    run = simulate_open(row, 1.0, requests=600_000, seed=3)
    parts = [Distribution.from_gamma(service / (1 - service), 1.0, 0.01, 4000) for service in (0.5, 0.4, 0.6)]
    whole = parts[0].convolve(*parts[1:])
    for share in (0.5, 0.95, 0.99):
        found = percentile_interval(run.response_s, share)
        assert abs(found.value - whole.percentile(share)) < 2.5 * found.half_width + 0.005
    assert mean_interval(run.response_s).value == pytest.approx(1 + 0.4 / 0.6 + 1.5, rel=0.02)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_draws_have_the_laws_moments(law: ServiceTime) -> None:
    drawn = draws(law, (400_000,), np.random.default_rng(8))
    assert drawn.shape == (400_000,)
    assert float(drawn.mean()) == pytest.approx(law.mean_s, rel=0.01)
    assert float(drawn.var() / drawn.mean() ** 2) == pytest.approx(law.scv, rel=0.05)
    above = law.upper_moments(np.array([0.3, 0.7, 2.0]))[0]
    assert [float((drawn > x).mean()) for x in (0.3, 0.7, 2.0)] == pytest.approx(above.tolist(), abs=0.004)


@pytest.mark.parametrize("gaps", [0.0, 0.3, 1.0, 4.0])
def test_arrivals_have_their_rate_and_spread(gaps: float) -> None:
    run = simulate_open([Station(9, LAWS[0])], 5.0, requests=200_000, seed=2, arrival_scv=gaps)
    between = np.diff(run.visits[0].arrival_s, axis=0)
    assert float(between.mean()) == pytest.approx(0.2, rel=0.01)
    assert float(between.var() / between.mean() ** 2) == pytest.approx(gaps, rel=0.03, abs=1e-9)
    assert arrival_law(5.0, gaps).mean_s == 0.2


def test_same_seed_same_bytes() -> None:
    row = [Station(3, LAWS[4]), Station(2, LAWS[5])]

    def bytes_of(seed: int | list[int]) -> bytes:
        return simulate_open(row, 3.0, requests=5000, seed=seed).response_s.tobytes()

    assert bytes_of(7) == bytes_of(7)
    assert bytes_of([7, 1]) == bytes_of([7, 1])
    assert len({bytes_of(7), bytes_of(8), bytes_of([7, 1])}) == 3


def test_the_warm_up_is_left_out_and_grows_with_load() -> None:
    row = [Station(4, LAWS[2])]
    run = simulate_open(row, 6.4, requests=20_000, seed=1, replications=10)
    assert run.warm_up == warm_up_requests(row, 6.4)
    assert run.response_s.shape == run.wait_s().shape == (2000, 10)
    assert run.entered_s.shape == (2000 + run.warm_up, 10)
    assert warm_up_requests(row, 7.6) > 4 * warm_up_requests(row, 6.4)


def test_an_overloaded_row_is_refused() -> None:
    for row in ([], [Station(2, LAWS[2])], [Station(20, LAWS[2]), Station(2, LAWS[2])]):
        with pytest.raises(ValueError, match="carry the load"):
            simulate_open(row, 4.0, requests=100, seed=1)


# ---------------------------------------------------------------------------------------------------------- intervals


def test_intervals_hold_the_mean_as_often_as_they_say() -> None:
    random = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        found = mean_interval(random.standard_exponential((50, 40)))
        held += abs(found.value - 1) < found.half_width
    assert 0.91 < held / 400 < 0.985


def test_an_interval_needs_values() -> None:
    with pytest.raises(ValueError, match="20 batches"):
        mean_interval(np.ones((19, 1)))
    assert mean_interval(np.ones((20, 1))).half_width == 0.0


# ---------------------------------------------------------------------------------------------------- users who think


@given(st.integers(1, 60), rows, seeds)
@settings(max_examples=40)
def test_users_are_conserved(users: int, row: list[Station], seed: int) -> None:
    run = simulate_closed(users, ServiceTime(1.0), row, requests=400, seed=seed)
    assert run.flow.arrivals == run.flow.departures + run.flow.in_system
    assert run.flow.departures == 400
    assert run.thinking + run.flow.in_system == users
    assert run.response_s.shape == (320,)
    assert float(run.response_s.min()) > 0


def test_the_throughput_of_users_is_littles_law() -> None:
    run = simulate_closed(50, ServiceTime(2.0), [Station(3, LAWS[4])], requests=60_000, seed=4)
    assert run.requests_per_s * (2.0 + float(run.response_s.mean())) == pytest.approx(50, rel=0.01)
    assert run.requests_per_s == pytest.approx(6.0, rel=0.02)


def test_one_user_never_waits() -> None:
    row = [Station(1, ServiceTime(0.5, 0.0)), Station(2, ServiceTime(0.25, 0.0))]
    run = simulate_closed(1, ServiceTime(1.0, 0.0), row, requests=50, seed=1)
    assert run.response_s == pytest.approx(np.full(40, 0.75))
    assert run.requests_per_s == pytest.approx(1 / 1.75)


def test_users_with_one_seed_ask_the_same() -> None:
    runs = [simulate_closed(9, ServiceTime(1.0), [Station(2, LAWS[4])], requests=500, seed=s) for s in (1, 1, 2)]
    one, same, other = (run.response_s.tobytes() for run in runs)
    assert one == same != other


def test_twice_the_users_on_twice_the_servers_is_never_slower() -> None:
    runs = [
        simulate_closed(40 * scale, ServiceTime(1.0), [Station(4 * scale, ServiceTime(0.09))], requests=60_000, seed=3)
        for scale in (1, 2, 4)
    ]
    p95 = [float(np.quantile(run.response_s, 0.95)) for run in runs]
    assert p95 == sorted(p95, reverse=True)


@pytest.mark.parametrize(("users", "requests", "row", "share"), [(0, 10, [Station(1, LAWS[0])], 0.2),
                                                                 (1, 0, [Station(1, LAWS[0])], 0.2), (1, 10, [], 0.2),
                                                                 (1, 10, [Station(1, LAWS[0])], 1.0)])  # fmt: skip
def test_what_is_no_closed_run_is_refused(users: int, requests: int, row: list[Station], share: float) -> None:
    with pytest.raises(ValueError, match="are needed"):
        simulate_closed(users, ServiceTime(1.0), row, requests=requests, seed=1, warm_up_share=share)


# --------------------------------------------------------------------------------------------------- other simulators


def test_simpy_agrees_request_by_request() -> None:
    import simpy

    run = small_run([Station(3, LAWS[4]), Station(2, LAWS[1])], 0.9, seed=11)
    first, last = run.visits
    environment = simpy.Environment()
    resources = [simpy.Resource(environment, capacity=3), simpy.Resource(environment, capacity=2)]
    service_s = (first.departure_s - first.start_s)[:, 0]
    second_s = iter((last.departure_s - last.start_s)[:, 0].tolist())
    left: dict[float, float] = {}

    def request(came: float, first_s: float):  # type: ignore[no-untyped-def]
        yield environment.timeout(came)
        with resources[0].request() as turn:
            yield turn
            yield environment.timeout(first_s)
        with resources[1].request() as turn:
            yield turn
            yield environment.timeout(next(second_s))
        left[came] = environment.now

    for came, first_s in zip(first.arrival_s[:, 0].tolist(), service_s.tolist(), strict=True):
        environment.process(request(came, first_s))
    environment.run()
    ours = dict(zip(run.entered_s[:, 0].tolist(), last.departure_s[:, 0].tolist(), strict=True))
    assert set(left) == set(ours)
    assert all(math.isclose(left[came], ours[came], rel_tol=1e-9) for came in left)
