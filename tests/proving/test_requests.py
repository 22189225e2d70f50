"""Requests one by one: exact where there is an exact answer, and each holds, waits for and passes what it should."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest
from factories import make_plan, make_scenario
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.errors import UsageError
from cascade_plan.formulas.closed_network import FiniteSourceResponse, finite_source
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.place import Discipline, Place, Quota, Visit
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Action
from cascade_plan.planning.chain import Chain, chain
from cascade_plan.planning.latencies import chain_for
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import predict
from cascade_plan.proving.queue import Interval, mean_interval, percentile_interval
from cascade_plan.proving.requests import checked, run

THINK_S = 2.0
DISCIPLINES: tuple[Discipline, ...] = ("event_loop", "sharing", "fcfs")
SMALL_POOL = (("tiers.pool.connections", "10"), ("tiers.database.service_scv", "6"))


@cache
def planned(*changes: tuple[str, str]) -> Plan:
    given = read("cascade", [("test", path, value) for path, value in changes])
    return plan(given.scenario, given.book, given.origins, predicted=False)


def at_peak(*changes: tuple[str, str]) -> Chain:
    made = planned(*changes)
    return chain_for(made.scenario, made.fleet, made.scenario.driven["peak"])


def constant(time_s: float) -> ServiceTime:
    return ServiceTime(time_s, 0.0)


def place(name: str, units: int, servers: int, shared: bool, *visits: Visit) -> Place:
    return Place(name, name, units, servers, shared, lambda action: visits)


def api(servers: int, cpu: ServiceTime, discipline: Discipline = "fcfs", **more: Any) -> Place:
    """Return a service that answers every request."""
    visits = (Visit(1, 1.0, cpu),)
    more = {"unit_count": servers, "server_count": servers, **more}
    return Place("api", "api", visits=lambda action: visits, is_scaled=True, discipline=discipline, **more)


def database(servers: int, *visits: Visit) -> Place:
    return Place("served", "database", 1, servers, visits=lambda action: visits)


def pool(connections: int) -> Place:
    return Place("pool", "pool", 1, connections, stands_before="database")


def of_places(*places: Place) -> Chain:
    return chain(make_scenario(), places)


def within(value: float, interval: Interval, ratio: float = 0.0) -> bool:
    return abs(value - interval.value) <= ratio * value + interval.half_width


# ------------------------------------------------------------------------------------------------ against exact answers


@pytest.mark.parametrize(("users", "servers"), [(400, 1), (800, 2), (2400, 4), (150, 1)])
def test_first_come_first_served_is_exactly_what_users_who_share_servers_see(users: int, servers: int) -> None:
    exact, law = finite_source(users, THINK_S, servers, 0.004), FiniteSourceResponse(users, THINK_S, servers, 0.004)
    got = run(of_places(api(servers, ServiceTime(0.004))), users, 100_000, 1)
    assert got.requests_per_s == pytest.approx(exact.requests_per_s, rel=0.01)
    assert within(1000 * exact.response_s_mean, got.latency_ms_mean, 0.02)
    for share, interval in ((0.5, got.latency_ms_p50), (0.95, got.latency_ms_p95), (0.99, got.latency_ms_p99)):
        assert within(law.percentile(share) * 1000, interval, 0.02)
    assert got.utilisation_ratio["api"] == pytest.approx(exact.requests_per_s * 0.004 / servers, rel=0.01)


@pytest.mark.parametrize("scv", [0.0, 0.25, 1.0, 4.0])
def test_with_sharing_the_mean_hangs_on_the_mean_alone(scv: float) -> None:
    """Product form: Baskett, Chandy, Muntz, Palacios 1975."""
    exact = finite_source(850, THINK_S, 2, 0.004)
    got = run(of_places(api(2, ServiceTime(0.004, scv), "sharing")), 850, 100_000, 1)
    assert within(1000 * exact.response_s_mean, got.latency_ms_mean, 0.02)
    assert got.requests_per_s == pytest.approx(exact.requests_per_s, rel=0.01)


@pytest.mark.parametrize("await_s", [0.0, 0.001])
def test_a_loop_that_nothing_is_awaited_at_is_a_queue(await_s: float) -> None:
    queue, loop = (
        run(of_places(api(2, ServiceTime(0.004, 0.5), discipline, await_s=await_s)), 900, 20_000, 1)
        for discipline in ("fcfs", "event_loop")
    )
    assert queue == loop


def looped(users: int, connections: int, cpu_ms: float, burst_ms: float, trips_ms: Sequence[float]) -> list[float]:
    """Return response times in ms of one loop with a pool, written down once more: lists, and a search for the next.

    Each request is a burst and a trip for each of the trips, a connection in its hand from before the first burst until
    after the last trip, and what is left of the CPU time.
    """
    random, pool, loop_free, answers = Random(5), connections, 0.0, []
    lined_up: list[int] = []
    step, began = [0] * users, [0.0] * users
    wakes = [random.uniform(0, 3000) for _ in range(users)]
    while len(answers) < 12_000:
        user = min(range(users), key=wakes.__getitem__)
        now = wakes[user]
        if step[user] == 0:
            began[user], step[user] = now, 1
            if not pool:
                lined_up.append(user)
                wakes[user] = math.inf
                continue
            pool -= 1
        if step[user] <= len(trips_ms):
            loop_free = max(loop_free, now) + burst_ms
            wakes[user] = loop_free + trips_ms[step[user] - 1]
        elif step[user] == len(trips_ms) + 1:
            pool += 1
            loop_free = max(loop_free, now) + cpu_ms - len(trips_ms) * burst_ms
            wakes[user] = loop_free
            if lined_up:
                pool -= 1
                wakes[lined_up.pop(0)] = now
        else:
            answers.append(now - began[user])
            step[user], wakes[user] = 0, now + random.uniform(1000, 3000)
            continue
        step[user] += 1
    return answers[2_000:]


@pytest.mark.parametrize(("users", "connections"), [(60, 100), (90, 100), (90, 2)])
def test_a_loop_with_a_pool_is_what_another_program_simulates(users: int, connections: int) -> None:
    trips = [1.0, 1.0, 1.0, 8.0]
    answers = np.array(looped(users, connections, 20.0, 2.0, trips))
    query = Visit(1, 1.0, constant(1e-9), 4, constant(0.001), constant(0.007))
    on = of_places(api(1, constant(0.020), "event_loop", await_s=0.002), pool(connections), database(1, query))
    got = run(on, users, 60_000, 1)
    for value, interval in (
        (mean_interval(answers), got.latency_ms_mean),
        (percentile_interval(answers, 0.5), got.latency_ms_p50),
        (percentile_interval(answers, 0.95), got.latency_ms_p95),
    ):
        assert abs(value.value - interval.value) <= value.half_width + interval.half_width


@pytest.mark.parametrize("discipline", DISCIPLINES)
def test_a_user_alone_never_waits(discipline: Discipline) -> None:
    """CPU 5 ms, gateway 2 ms; two queries: 2 trips of 1 ms, 0.25 ms of the process, 0.5 of the database, 3 commit."""
    gateway = place("gateway", 1, 0, True, Visit(1, 1.0, pause=constant(0.002)))
    query = Visit(2, 1.0, constant(0.0005), 2, constant(0.001), constant(0.003))
    passed = Place("process", "pool", 1, 1, stands_before="database", passing=constant(0.00025))
    on = of_places(gateway, api(1, constant(0.005), discipline, await_s=0.0007), pool(1), passed, database(1, query))
    got = run(on, 1, 200, 1)
    every_ms = 2 + 5 + 2 * (2 + 0.25 + 0.5 + 3)
    for interval in (got.latency_ms_mean, got.latency_ms_p50, got.latency_ms_p99):
        assert (interval.value, interval.half_width) == (pytest.approx(every_ms), pytest.approx(0, abs=1e-6))
    per_s = got.requests_per_s
    looped_s = 4 * 0.0007 if discipline == "event_loop" else 0.0
    assert got.utilisation_ratio == {
        "pool": pytest.approx(per_s * (2 * 0.00575 + looped_s), rel=0.01),
        "process": pytest.approx(per_s * 0.0005, rel=0.01),
        "served": pytest.approx(per_s * 0.001, rel=0.01),
        "api": pytest.approx(per_s * 0.005, rel=0.01),
    }


@pytest.mark.parametrize("discipline", DISCIPLINES)
def test_a_user_alone_is_stopped_by_a_limit(discipline: Discipline) -> None:
    """80 ms of CPU, half a core a period of 100 ms, come at any moment u of it: until 50 ms it takes 130 - u, from
    there to 70 ms the 80 (what is left of this period and the next quota are enough), then 130: 107.5 on average.

    As a queue the pod is half a core, at which 80 ms are 160.
    """
    on = of_places(api(1, constant(0.16), discipline, quota=Quota(0.5)))
    got = run(on, 1, 10_000, 1)
    assert within(107.5, got.latency_ms_mean)
    assert got.latency_ms_p99.value == pytest.approx(130.0)
    assert got.latency_ms_p50.value == pytest.approx(110.0, rel=0.03)


@pytest.mark.parametrize("discipline", DISCIPLINES)
def test_pods_under_a_limit_answer_as_much_as_it_lets_them(discipline: Discipline) -> None:
    """Four pods of 0.4 cores and 10 ms a request: 160 requests/s, whatever users ask.

    Their queue has two servers at 0.8 of a core's speed; each pod is a core that is stopped for 60 % of the time.
    """
    on = of_places(api(2, constant(0.0125), discipline, unit_count=4, quota=Quota(0.4)))
    got = run(on, 600, 10_000, 1)
    assert got.requests_per_s == pytest.approx(160, rel=0.01)
    assert got.utilisation_ratio["api"] == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("law", [ServiceTime(0.004, scv) for scv in (0.0, 0.1, 1.0, 4.0)])
def test_what_is_drawn_has_the_law_of_its_place(law: ServiceTime) -> None:
    """Mean and variance, by the mean wait of one server: Pollaczek and Khinchine."""
    got = run(of_places(api(64, law)), 500, 100_000, 1)
    assert within(4.0, got.latency_ms_mean, 0.01)
    assert got.latency_ms_p95.value == pytest.approx(1000 * quantile(law, 0.95), rel=0.02)


def quantile(law: ServiceTime, share: float) -> float:
    """Return a percentile by halving."""
    low, high = 0.0, 100 * law.mean_s
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if law.upper_moments(np.array([middle]))[0][0] > 1 - share else (low, middle)
    return high


# ----------------------------------------------------------------------------------------------------- what is held


def test_one_connection_lets_one_transaction_pass_at_a_time() -> None:
    """It is held for two trips, the service and the commit: 1 / (2 x 1 + 2 + 3 ms), whatever the servers."""
    query = Visit(1, 1.0, constant(0.002), 2, constant(0.001), constant(0.003))
    got = run(of_places(api(64, constant(0.001)), pool(1), database(16, query)), 2000, 40_000, 1)
    assert got.requests_per_s == pytest.approx(1 / 0.007, rel=0.001)
    assert got.utilisation_ratio["pool"] == pytest.approx(1.0)
    # Who thinks and is answered in turn: users / rate = thinking + response; all come in the order of their thoughts.
    assert got.latency_ms_mean.value == pytest.approx(1000 * (2000 * 0.007 - THINK_S), rel=0.01)
    assert got.latency_ms_p99.value < 1.2 * got.latency_ms_mean.value


@pytest.mark.parametrize(("servers", "held_s"), [(1, 0.008), (2, 0.005)])
def test_a_connection_is_kept_while_its_request_waits_for_the_loop(servers: int, held_s: float) -> None:
    """One transaction: burst, trip, service, burst, trip, of 1 ms each; then 3 ms of CPU without the connection.

    With one loop the next transaction's first burst waits for those 3 ms, with the connection in its hand: 8 ms a
    transaction. With two loops it does not wait: 5 ms.
    """
    on = of_places(
        api(servers, constant(0.005), "event_loop", await_s=0.001),
        pool(1),
        database(1, Visit(1, 1.0, constant(0.001), 2, constant(0.001))),
    )
    got = run(on, 2000, 20_000, 1)
    assert got.requests_per_s == pytest.approx(1 / held_s, rel=1e-3)
    assert got.utilisation_ratio["pool"] == pytest.approx(1.0)
    assert got.utilisation_ratio["api"] == pytest.approx(0.005 / held_s / servers, rel=1e-3)


def test_a_connection_is_kept_while_its_request_waits_for_the_database() -> None:
    """One server behind four connections: it is never idle while users wait, and no more than four stand before it."""
    served = database(1, Visit(1, 1.0, constant(0.005)))
    with_pool, without = (
        run(of_places(api(64, constant(0.001)), *others), 2000, 20_000, 1) for others in ((pool(4), served), (served,))
    )
    assert with_pool.requests_per_s == pytest.approx(200, rel=1e-3)
    assert without.requests_per_s == pytest.approx(200, rel=1e-3)
    assert with_pool.latency_ms_mean.value == pytest.approx(without.latency_ms_mean.value, rel=0.01)
    assert with_pool.utilisation_ratio == {
        "api": pytest.approx(0.2 / 64, rel=0.01), "served": pytest.approx(1.0), "pool": pytest.approx(1.0)
    }  # fmt: skip


def test_above_saturation_what_needs_no_connection_passes() -> None:
    """Writes take the one connection for 10 ms; reads need none, and nobody who waits for it is in their way."""
    write, cpu = Visit(1, 1.0, constant(0.010)), Visit(1, 1.0, constant(0.001))

    def visits(action: Action) -> tuple[Visit, ...]:
        return (write,) if action.request.startswith("POST") else ()

    served = Place("served", "database", 1, 16, visits=visits)
    on = of_places(api(1, cpu.service or constant(1.0), "event_loop"), pool(1), served)
    got = run(on, 1500, 30_000, 1)
    assert got.by_action["read"].p95.value < 5
    assert got.by_action["write"].p50.value > 1000
    # A quarter of the requests are writes, of which 100/s pass: X x 1/4 = 100.
    assert got.requests_per_s == pytest.approx(400, rel=0.03)


def test_a_large_pool_changes_nothing() -> None:
    on = at_peak()
    bare = chain(on.scenario, (*on.resting, *(place for place in on.places if place.name != "pool")))
    assert len(bare.places) == len(on.places) - 1
    with_pool, without = (run(each, 10_000, 100_000, 1) for each in (on, bare))
    for figure in ("latency_ms_mean", "latency_ms_p95", "latency_ms_p99"):
        one, other = getattr(with_pool, figure), getattr(without, figure)
        assert abs(one.value - other.value) <= one.half_width + other.half_width, figure


def test_jobs_that_are_left_behind_hold_connections_and_pass_processes() -> None:
    """A query of 1 ms, and a job of 4 ms that is left behind: both pass the process, 0.2 ms, with a connection."""
    query, job = Visit(1, 1.0, constant(0.001)), Visit(1, 1.0, constant(0.004), is_awaited=False)
    process = Place("process", "pool", 1, 1, stands_before="database", passing=constant(0.0002))
    got = run(of_places(api(64, constant(0.001)), pool(64), process, database(64, query, job)), 900, 30_000, 1)
    per_s = got.requests_per_s
    assert per_s == pytest.approx(900 / 2.0022, rel=0.01)
    assert got.utilisation_ratio["process"] == pytest.approx(per_s * 0.0004, rel=0.01)
    assert got.utilisation_ratio["served"] == pytest.approx(per_s * 0.005 / 64, rel=0.01)
    # Held for both services and the wait for the process, 18 % busy: some 0.02 ms each.
    assert got.utilisation_ratio["pool"] == pytest.approx(per_s * (0.0054 + 2 * 0.00002) / 64, rel=0.01)
    # Nobody waits for the job's 4 ms.
    assert got.latency_ms_mean.value == pytest.approx(2.22, abs=0.02)


def test_nobody_waits_for_what_a_request_leaves_behind_and_it_keeps_servers_busy() -> None:
    answer, job = Visit(1, 1.0, ServiceTime(0.001)), Visit(1, 1.0, ServiceTime(0.001), is_awaited=False)
    alone, busier = of_places(place("only", 1, 2, True, answer)), of_places(place("only", 1, 2, True, answer, job))
    without, with_jobs = (run(on, 1600, 100_000, 3).latency_ms_mean for on in (alone, busier))
    # Twice as busy, which is waited for, but no second service: 1 / (1 - rho^2) of two servers.
    assert with_jobs.value / without.value == pytest.approx((1 - 0.4**2) / (1 - 0.8**2), rel=0.1)


def test_units_with_queues_of_their_own_share_what_comes() -> None:
    """Four servers, each with a queue of its own, are slower than four behind one queue: as one with a quarter."""
    visit = Visit(2, 0.5, ServiceTime(0.002))
    own, one = (run(of_places(place("each", 4, 4, shared, visit)), 3200, 100_000, 1) for shared in (False, True))
    assert own.utilisation_ratio["each"] == pytest.approx(0.8, rel=0.02)
    assert own.latency_ms_mean.value == pytest.approx(2 / (1 - 0.8), rel=0.1)
    assert one.latency_ms_mean.value < 0.5 * own.latency_ms_mean.value


# ------------------------------------------------------------------------------------------------------------- laws


@pytest.mark.parametrize("discipline", DISCIPLINES)
def test_requests_are_conserved_and_repeat(discipline: Discipline) -> None:
    on = at_peak(("tiers.api.discipline", discipline), *SMALL_POOL)
    one, again, other = (run(on, 5000, 20_000, seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert one.flow.arrivals == one.flow.departures + one.flow.in_system
    assert 0 <= one.flow.in_system <= 5000


@settings(max_examples=40)
@given(
    st.sampled_from(DISCIPLINES),
    st.sampled_from([None, Quota(0.3), Quota(0.8)]),
    st.integers(1, 300),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(0, 4),
    st.floats(0, 1),
    st.integers(0, 2**32),
)
def test_no_place_is_fuller_than_full_and_work_is_what_was_asked(
    discipline: Discipline,
    quota: Quota | None,
    users: int,
    servers: int,
    connections: int,
    trips: int,
    scv: float,
    seed: int,
) -> None:
    cpu = ServiceTime(0.02, scv)
    query = Visit(2, 0.5, ServiceTime(0.01, scv), trips, ServiceTime(0.001), ServiceTime(0.002, 0.5))
    service = api(servers, cpu, discipline, await_s=0.003, quota=quota)
    got = run(of_places(service, pool(connections), database(2, query)), users, 1000, seed)
    assert got.flow.arrivals == got.flow.departures + got.flow.in_system
    assert got.flow.in_system <= users
    # What a period's quota allows is used early in it: over no whole number of periods a little more than the average.
    most = 1 + (1e-9 if quota is None else 0.01)
    assert all(-1e-9 <= share <= most for share in got.utilisation_ratio.values()), got.utilisation_ratio
    assert got.requests_per_s <= users / (THINK_S / 2)
    assert got.latency_ms_p50.value <= got.latency_ms_p95.value <= got.latency_ms_p99.value


@pytest.mark.parametrize("discipline", DISCIPLINES)
def test_places_are_as_busy_as_the_utilisation_law_says(discipline: Discipline) -> None:
    on = at_peak(("tiers.api.discipline", discipline))
    got = run(on, 9000, 60_000, 1)
    # 7,200 reads reach the replicas, as variable as exponential times: 1.7% is one standard deviation of their work.
    for name, share in on.utilisation_ratio(got.requests_per_s).items():
        assert got.utilisation_ratio[name] == pytest.approx(share, rel=0.05), name


def test_users_who_have_not_asked_twice_ask_as_often_as_they_will() -> None:
    """The run begins in the midst of their thoughts, so a few answers tell the throughput of very many users."""
    got = run(of_places(api(64, ServiceTime(0.001))), 40_000, 20_000, 1)
    assert got.requests_per_s == pytest.approx(40_000 / THINK_S, rel=0.03)


def test_above_saturation_those_who_cannot_be_thinking_wait_from_the_beginning() -> None:
    got = run(of_places(api(1, constant(0.001))), 20_000, 20_000, 1)
    assert got.requests_per_s == pytest.approx(1000)
    assert got.latency_ms_mean.value == pytest.approx(1000 * (20_000 * 0.001 - THINK_S), rel=0.02)


def test_an_action_that_is_hardly_asked_has_no_interval_of_its_own() -> None:
    got = run(of_places(api(1, constant(0.001))), 10, 100, 1)
    assert set(got.by_action) == {"read"}, "80 answers are kept, a quarter of them writes: fewer than 20 by this seed"


# ----------------------------------------------------------------------------------------------- beside the formulas


def test_they_agree_with_the_prediction() -> None:
    rows = checked(planned(), 60_000, 3)
    assert [row.figure for row in rows if row.load == "peak"] == [
        "requests/s", "mean ms", "p95 ms", "p99 ms",
        "p95 ms list_workrooms", "p95 ms create_message", "p95 ms upload_resource",
    ]  # fmt: skip
    for row in rows:
        assert abs(row.predicted - row.simulated) <= 0.05 * row.simulated + row.half_width, row
        assert not row.is_off


def test_they_agree_for_several_services() -> None:
    find = {"weight": 1.0, "request": "GET /found", "at": "search", "cpu_ms": 5.0, "read_count": 2}
    made = make_plan(**{"tiers.search": {"kind": "api"}, "behaviour.actions.find": find, "loads.normal.users": 6000})
    on = chain_for(made.scenario, made.fleet, made.scenario.driven["normal"])
    assert {"api", "search"} <= {row.name for row in on.places}
    predicted, got = predict(on, 6000), run(on, 6000, 60_000, 3)
    assert predicted.requests_per_s == pytest.approx(got.requests_per_s, rel=0.02)
    for value, interval in (
        (predicted.latency_ms_p95, got.latency_ms_p95),
        (predicted.latency_ms_p99, got.latency_ms_p99),
        (predicted.latency_ms((0.95,), "find")[0], got.by_action["find"].p95),
    ):
        assert within(value, interval, 0.05)
    own = chain(made.scenario, (*on.places, *on.resting), "search")
    assert run(own, 6000, 20_000, 1).requests_per_s == pytest.approx(6000 / own.think_s, rel=0.05)
    assert math.isclose(own.think_s, 10.0)


def test_where_requests_visit_nothing_there_are_none_to_simulate() -> None:
    nothing = make_plan(**{f"tiers.{tier}": "off" for tier in ("api", "database", "pool", "cache")})
    with pytest.raises(UsageError, match="test: no requests to simulate: they visit nothing that it has"):
        checked(nothing, 1000, 1)
