"""Requests one by one: they agree with the formulas, hold what they hold, and meet each queue that is there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from factories import make_plan, make_scenario

from cascade_plan.errors import UsageError
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.place import Place, Visit
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Action
from cascade_plan.planning.chain import Chain, chain, predict
from cascade_plan.planning.latencies import chain_for
from cascade_plan.planning.pipeline import plan
from cascade_plan.proving.requests import checked, run

THINK_S = 2.0
SMALL_POOL = (
    ("tiers.pool.connections", "3"),
    ("tiers.database.write_ms", "0.8"),
    ("tiers.database.service_scv", "6"),
    ("tiers.database.shape", "db.r5.4xlarge"),
)


@cache
def planned(*changes: tuple[str, str]) -> Plan:
    given = read("cascade", [("test", path, value) for path, value in changes])
    return plan(given.scenario, given.book, given.origins, predicted=False)


def at_peak(*changes: tuple[str, str]) -> Chain:
    made = planned(*changes)
    return chain_for(made.scenario, made.fleet, made.scenario.driven["peak"])


def place(name: str, units: int, servers: int, shared: bool, *visits: Visit) -> Place:
    return Place(name, name, units, servers, shared, lambda action: visits)


def of_places(*places: Place) -> Chain:
    return chain(make_scenario(), places)


def held(service: ServiceTime, name: str) -> Visit:
    return Visit(1, 1.0, service, held_for=name)


def agrees(on: Chain, users: int, request_count: int, ratio: float = 0.06) -> None:
    predicted, got = predict(on, users), run(on, users, request_count, 3)
    assert predicted.requests_per_s == pytest.approx(got.requests_per_s, rel=0.03)
    for formula, interval in (
        (predicted.latency_ms_mean, got.latency_ms_mean),
        (predicted.latency_ms_p95, got.latency_ms_p95),
        (predicted.latency_ms_p99, got.latency_ms_p99),
    ):
        assert abs(formula - interval.value) <= ratio * interval.value + interval.half_width


# ----------------------------------------------------------------------------------------------- beside the formulas


def test_they_agree_with_the_prediction() -> None:
    for row in checked(planned(), 20_000, 3):
        assert abs(row.predicted - row.simulated) <= 0.06 * row.simulated + row.half_width, row


def test_they_agree_for_several_services() -> None:
    find = {"weight": 1.0, "request": "GET /found", "at": "search", "cpu_ms": 5.0, "read_count": 2}
    made = make_plan(**{"tiers.search": {"kind": "api"}, "behaviour.actions.find": find, "loads.normal.users": 6000})
    assert {"api", "search"} <= {row.name for row in at(made).places}
    agrees(at(made), 6000, 60_000)


def at(made: Plan) -> Chain:
    return chain_for(made.scenario, made.fleet, made.scenario.driven["normal"])


@pytest.mark.parametrize("scv", [0.0, 0.5, 1.0, 4.0])
def test_the_variance_of_a_service_is_the_laws(scv: float) -> None:
    agrees(of_places(place("only", 1, 8, True, Visit(1, 1.0, ServiceTime(0.004, scv)))), 3000, 100_000)


def test_units_with_queues_of_their_own_share_what_comes() -> None:
    """One of the four alone could not answer half of it."""
    on = of_places(place("each", 4, 1, False, Visit(2, 0.5, ServiceTime(0.002))))
    assert predict(on, 2500).utilisation_ratio["each"] == pytest.approx(0.625, rel=0.01)
    agrees(on, 2500, 100_000)


def test_nobody_waits_for_what_a_request_leaves_behind_and_it_keeps_servers_busy() -> None:
    answer, job = Visit(1, 1.0, ServiceTime(0.001)), Visit(1, 1.0, ServiceTime(0.001), 5.0, is_awaited=False)
    alone, busier = of_places(place("only", 1, 2, True, answer)), of_places(place("only", 1, 2, True, answer, job))
    agrees(busier, 1600, 100_000)
    without, with_jobs = (run(on, 1600, 100_000, 3).latency_ms_mean for on in (alone, busier))
    # Twice as busy, which is waited for, but no second service and no 5 s: 1 / (1 - rho^2) of two servers.
    assert with_jobs.value / without.value == pytest.approx((1 - 0.4**2) / (1 - 0.8**2), rel=0.1)


def test_requests_are_conserved_and_repeat() -> None:
    on = at_peak(*SMALL_POOL)
    one, again, other = (run(on, 5000, 20_000, seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert one.flow.arrivals == one.flow.departures + one.flow.in_system


def test_where_requests_visit_nothing_there_are_none_to_simulate() -> None:
    nothing = make_plan(**{f"tiers.{tier}": "off" for tier in ("api", "database", "pool", "cache")})
    with pytest.raises(UsageError, match="test: no requests to simulate: they visit nothing that it has"):
        checked(nothing, 1000, 1)


# ----------------------------------------------------------------------------------------------------- what is held


def test_a_small_pool_is_waited_for() -> None:
    """With 3 connections users wait for one: the formula and the simulation say so, in one order of magnitude.

    The formula has a connection held for the service and a round trip; in truth it is held while the query waits for
    the database and while a write commits (1 ms), and that is what the simulation does. So fewer requests pass, and
    users wait longer, by a factor of 3.3 here.
    """
    on = at_peak(*SMALL_POOL)
    predicted, got = predict(on, 10_000), run(on, 10_000, 100_000, 1)
    assert predicted.latency_ms_p95 > 1000
    assert 1 <= got.latency_ms_p95.value / predicted.latency_ms_p95 < 4
    assert 0.5 < got.requests_per_s / predicted.requests_per_s < 1


def test_without_commits_a_small_pool_is_what_the_formula_says() -> None:
    """The wait for 16 idle servers is none, and the formula's tail, that of an open system, is the longer one."""
    on = at_peak(*SMALL_POOL, ("tiers.database.commit_ms", "0"))
    predicted, got = predict(on, 10_000), run(on, 10_000, 100_000, 1)
    assert on.bottleneck == "pool"
    assert got.requests_per_s == pytest.approx(predicted.requests_per_s, rel=0.03)
    assert got.latency_ms_mean.value == pytest.approx(predicted.latency_ms_mean, rel=0.25)
    assert 0.5 < got.latency_ms_p95.value / predicted.latency_ms_p95 <= 1


def test_a_large_pool_changes_nothing() -> None:
    on = at_peak()
    bare = chain(on.scenario, tuple(place for place in on.places if place.name != "pool"))
    assert len(bare.places) == len(on.places) - 1
    with_pool, without = (run(each, 10_000, 100_000, seed) for each, seed in ((on, 1), (bare, 2)))
    for figure in ("latency_ms_mean", "latency_ms_p95", "latency_ms_p99"):
        one, other = getattr(with_pool, figure), getattr(without, figure)
        assert abs(one.value - other.value) <= 2 * (one.half_width + other.half_width), figure


def test_one_connection_lets_one_request_pass_at_a_time() -> None:
    """It is held for the wait, which is none, the service and the time after: 1 / (2 + 3 ms), whatever the servers."""
    served = place("served", 1, 16, True, Visit(1, 1.0, ServiceTime(0.002), 0.003))
    on = of_places(served, place("held", 1, 1, True, held(ServiceTime(0.005), "served")))
    got = run(on, 2000, 40_000, 1)
    assert got.requests_per_s == pytest.approx(1 / 0.005, rel=0.02)
    assert got.latency_ms_mean.value == pytest.approx(1000 * (2000 * 0.005 - THINK_S), rel=0.05)


def test_a_held_server_is_kept_while_its_request_waits_elsewhere() -> None:
    """One server behind four connections: it is never idle while users wait, and no more than four stand before it."""
    service = ServiceTime(0.005, 0.0)
    served = place("served", 1, 1, True, Visit(1, 1.0, service))
    on = of_places(served, place("held", 1, 4, True, held(service, "served")))
    alone = of_places(served)
    with_pool, without = run(on, 2000, 40_000, 1), run(alone, 2000, 40_000, 1)
    assert with_pool.requests_per_s == pytest.approx(without.requests_per_s, rel=0.01)
    assert with_pool.latency_ms_mean.value == pytest.approx(without.latency_ms_mean.value, rel=0.02)


def test_who_comes_first_is_given_a_server_first() -> None:
    """In the order of coming, waits of the same service differ by the users' thoughts alone: hardly."""
    service = ServiceTime(0.005, 0.0)
    served = place("served", 1, 8, True, Visit(1, 1.0, service))
    got = run(of_places(served, place("held", 1, 1, True, held(service, "served"))), 2000, 40_000, 1)
    assert got.latency_ms_p99.value < 1.2 * got.latency_ms_mean.value


def test_a_place_that_is_held_has_a_visit_for_each_of_the_others() -> None:
    service = ServiceTime(0.001)
    served = place("served", 1, 8, True, Visit(1, 1.0, service), Visit(1, 1.0, service))
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        run(of_places(served, place("held", 1, 1, True, held(service, "served"))), 10, 100, 1)


# ------------------------------------------------------------------------------------------------- the pool's own law


def without_reads(action: Action) -> Action:
    return action.model_copy(update={"read_count": 0, "write_count": max(1, action.write_count)})


def without_writes(action: Action) -> Action:
    return action.model_copy(update={"read_count": max(1, action.read_count), "write_count": 0})


@pytest.mark.parametrize("only", [without_reads, without_writes])
@pytest.mark.parametrize("scv", ["1", "6"])
def test_the_pool_is_held_with_the_databases_own_variance(only: Callable[[Action], Action], scv: str) -> None:
    """For writes as for reads: a query's law is that of the place that answers it, a round trip longer."""
    made = planned(("tiers.database.service_scv", scv))
    actions = {name: only(action) for name, action in made.scenario.behaviour.actions.items()}
    behaviour = made.scenario.behaviour.model_copy(update={"actions": actions})
    on = chain_for(made.scenario.model_copy(update={"behaviour": behaviour}), made.fleet, made.scenario.driven["peak"])
    (answering,) = {"primary", "replicas"} & on.stations.keys()
    held_s, own_s = (on.stations[name].service for name in ("pool", answering))
    assert held_s.scv == pytest.approx(float(scv))
    assert own_s.scv == pytest.approx(float(scv))
    assert held_s.mean_s == pytest.approx(own_s.mean_s + 0.0005)


def test_variance_of_writes_is_waited_for_at_a_small_pool() -> None:
    calm, wild = (
        predict(at_peak(("tiers.pool.connections", "3"), ("tiers.database.service_scv", scv)), 10_000)
        for scv in ("0", "8")
    )
    assert wild.latency_ms_p99 > 1.2 * calm.latency_ms_p99


def test_users_who_have_not_asked_twice_ask_as_often_as_they_will() -> None:
    """The run begins in the midst of their thoughts, so a few answers tell the throughput of very many users."""
    quick = of_places(place("only", 1, 64, True, Visit(1, 1.0, ServiceTime(0.001))))
    got = run(quick, 40_000, 20_000, 1)
    assert got.requests_per_s == pytest.approx(40_000 / THINK_S, rel=0.03)
