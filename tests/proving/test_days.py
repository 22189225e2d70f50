"""Days through the autoscaler: what scaling buys, laws, traces, and the same bytes for the same seed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest
from factories import make_plan, make_scenario

from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.model.replay import Outcome, Replay, Simulation
from cascade_plan.model.trace import Trace
from cascade_plan.planning.pipeline import plan
from cascade_plan.proving.days import Order, recommended, simulate, slo_words
from cascade_plan.proving.stages import services

BUSY = (("--peak", "users.peak", "50000"), ("--avg", "users.average", "12000"))


def day(*requests: float, step_s: float = 60.0) -> Trace:
    """Return a trace of whole intervals, one after the other."""
    starts = tuple(index * step_s for index in range(len(requests)))
    ends = tuple(start + step_s for start in starts)
    return Trace("day.csv", step_s, starts, ends, starts, requests, "made up")


TRACE = day(*(6000.0 + (minute // 60) * 3000 for minute in range(1440)))


@cache
def planned() -> Plan:
    given = read("cascade", BUSY)
    return plan(given.scenario, given.book, given.origins, predicted=False)


@cache
def simulated(**order: object) -> Simulation:
    return simulate(planned(), Order(**order))  # type: ignore[arg-type]


def replayed(**order: object) -> Replay:
    (replay,) = simulated(**order).replays
    return replay


def outcomes(replay: Replay) -> dict[str, Outcome]:
    return {outcome.policy: outcome for outcome in replay.outcomes}


def test_a_peak_sized_fleet_misses_nothing_and_an_average_sized_one_much() -> None:
    found = outcomes(replayed())
    assert found["fixed-peak"].missed_minutes_per_day_mean == 0
    assert found["fixed-average"].missed_minutes_per_day_mean > 60
    assert found["fixed-peak"].cost_usd_per_day > found["cpu"].cost_usd_per_day > 0
    assert found["fixed-average"].node_count_mean == found["fixed-average"].node_count_min


def test_latency_as_a_metric_is_worse_than_one_proportional_to_load() -> None:
    replay = replayed()
    found = outcomes(replay)
    assert found["latency"].missed_minutes_per_day_mean > found["cpu"].missed_minutes_per_day_mean
    assert replay.recommended in ("cpu", "requests")
    assert "not proportional" in replay.reason


def said(policy: str, missed: float, usd: str, has_added_pods: bool = True) -> Outcome:
    return replace(
        replayed().outcomes[0], policy=policy, missed_minutes_per_day_mean=missed, cost_usd_per_day=Decimal(usd),
        has_added_pods=has_added_pods,
    )  # fmt: skip


def test_what_never_scaled_is_not_recommended_over_what_did() -> None:
    fixed = said("fixed-peak", 0.0, "33")
    # Nothing shows that a policy works which had nothing to do.
    assert recommended((said("latency", 0.0, "6", False), said("cpu", 0.0, "7"), fixed), "latency")[0] == "cpu"
    idle = (said("latency", 0.0, "6", False), said("cpu", 0.0, "6", False), fixed)
    assert [recommended(idle, own)[0] for own in ("latency", "cpu")] == ["latency", "cpu"]
    # What keeps its pods for ever is a fixed fleet that costs more.
    kept = said("latency+memory", 0.1, "34")
    assert recommended((kept, said("cpu", 0.3, "13"), fixed), "latency+memory")[0] == "cpu"
    assert recommended((kept, fixed), "latency+memory")[0] == "latency+memory"
    # Else the least missed is taken, whatever it costs, and of equals the scenario's own.
    assert recommended((said("cpu", 0.3, "13"), said("requests", 0.0, "14"), fixed), "cpu")[0] == "requests"
    equal = (said("cpu", 0.0, "13"), said("requests", 0.0, "13"), fixed)
    assert [recommended(equal, own)[0] for own in ("cpu", "requests")] == ["cpu", "requests"]


def test_same_seed_same_result_and_runs_are_counted() -> None:
    assert simulate(planned(), Order()) == simulated()
    assert replayed(seed=2) != replayed()
    several = outcomes(replayed(run_count=4))
    assert several["latency"].missed_minutes_per_day_max >= several["latency"].missed_minutes_per_day_mean


def test_timelines_are_whole_days_of_ticks() -> None:
    assert simulated(day_count=2).day_count == 2
    for _, timeline in replayed(day_count=2).timelines:
        assert len(timeline.requests_per_s) == len(timeline.latency_ms_p95) == 2 * 5760


def test_a_trace_is_scaled_to_the_scenarios_peak() -> None:
    simulation = simulated(trace=TRACE, is_scaled_to_peak=True)
    assert simulation.traffic == "day.csv, scaled so that its 99.9th percentile is 25,000 requests/s"
    assert (simulation.trace, simulation.day_count) == ("made up", 1)
    (replay,) = simulation.replays
    rates = dict(replay.timelines)["fixed-peak"].requests_per_s
    assert max(rates) == pytest.approx(25_000, rel=0.02)


def test_a_trace_is_replayed_as_it_is_and_said_to_be_another_peak() -> None:
    """Its busiest minutes have 75,000 requests: 1,250 a second, a twentieth of what 50,000 users send."""
    simulation = simulated(trace=TRACE)
    assert simulation.traffic == (
        "day.csv as it is, its 99.9th percentile 1,250 requests/s, 0.05 times the 25,000 of the scenario's 50,000 "
        "users (--scale-to-peak scales it to them)"
    )
    rates = dict(simulation.replays[0].timelines)["cpu"].requests_per_s
    assert sum(rates) * 15 == pytest.approx(sum(TRACE.requests), rel=1e-3)


@pytest.mark.parametrize(("times", "is_said"), [(9, True), (10, False), (20, False), (21, True)])
def test_the_peak_is_compared_from_half_of_the_scenarios_on(times: int, is_said: bool) -> None:
    """100 intervals of 15,000 requests are 1,000 a second; 25,000 are the scenario's peak."""
    trace = day(*([times * 1250.0 * 60] * 100))
    assert ("--scale-to-peak" in simulated(trace=trace).traffic) is is_said


def test_a_trace_of_two_services_is_split_as_their_requests_are() -> None:
    simulation = simulate(of_two(), Order(trace=TRACE))
    sums = [sum(dict(replay.timelines)["cpu"].requests_per_s) * 15 for replay in simulation.replays]
    assert sums == pytest.approx([0.8 * sum(TRACE.requests), 0.2 * sum(TRACE.requests)], rel=5e-3)


def test_days_cut_and_repeat_a_trace() -> None:
    two = dict(replayed(trace=TRACE, day_count=2).timelines)["cpu"].requests_per_s
    assert len(two) == 2 * 5760
    assert sum(two[5760:]) == pytest.approx(sum(two[:5760]), rel=1e-3)


def test_every_policy_meets_the_same_traffic() -> None:
    lines = {tuple(timeline.requests_per_s) for _, timeline in replayed().timelines}
    rounded = {tuple(round(rate, 6) for rate in line) for line in lines}
    assert len(rounded) == 1


# ------------------------------------------------------------------------------------------------- several services

FIND = {"weight": 1.0, "request": "GET /found", "at": "search", "cpu_ms": 3.0}
SEARCH = {
    "kind": "api",
    "minimum_nodes": 2,
    "minimum_nodes_scaled_in": 1,
    "users_per_node": 2500,
    "headroom_ratio": 2.0,
}


def of_two(**changes: object) -> Plan:
    users = {"users.peak": 40_000, "users.average": 12_000}
    search = {**SEARCH, **changes}
    return make_plan(**users, **{"tiers.search": search, "behaviour.actions.find": FIND})  # type: ignore[arg-type]


@cache
def two() -> Simulation:
    return simulate(of_two(), Order())


def test_one_service_is_all_there_is() -> None:
    (service,) = services(planned())
    assert (service.name, service.request_share, service.lever.name) == ("api", 1.0, "api.node_count")
    assert simulated().cost_usd_per_month == replayed().best.cost_usd_per_month


def test_each_service_is_scaled_within_its_own_bounds_by_its_own_share() -> None:
    made, simulation = of_two(), two()
    assert [replay.service for replay in simulation.replays] == ["api", "search"]
    assert [replay.request_share for replay in simulation.replays] == [0.8, 0.2]
    totals = [0.0] * 5760
    for replay in simulation.replays:
        sized = made.fleet.tiers[replay.service]
        lever, (workload,) = sized.lever("node_count"), sized.workloads
        for outcome in replay.outcomes:
            assert lever.floor_count <= outcome.node_count_min <= outcome.node_count_max <= lever.most_count
            assert workload.replica_count_min <= outcome.pod_count_min <= outcome.pod_count_max
            assert outcome.pod_count_max <= workload.replica_count_max
        rates = dict(replay.timelines)["cpu"].requests_per_s
        totals = [total + rate for total, rate in zip(totals, rates, strict=True)]
    assert sum(totals) / 5760 == pytest.approx(12_000 / 2, rel=0.02)
    bounds = [(replay.best.node_count_min, replay.best.node_count_max) for replay in simulation.replays]
    assert bounds[0] != bounds[1]


def test_a_service_is_as_slow_as_its_own_cpu_times_and_pods_make_it() -> None:
    """With twice as many pods on a node each answers half as much; the other service is not touched."""
    plain, slow = two(), simulate(of_two(pod={"cpu_cores": 0.25, "memory_mib": 768}), Order())
    (api, search), (same_api, slow_search) = plain.replays, slow.replays
    assert same_api.timelines == api.timelines
    timelines = (dict(each.timelines)["cpu"] for each in (search, slow_search))
    quick, crowded = (each.capacity_requests_per_s[0] / each.pod_count[0] for each in timelines)
    assert crowded < 0.7 * quick


def test_a_service_whose_pods_start_late_misses_more() -> None:
    late = simulate(of_two(pod_startup_s=1800.0, node_provisioning_s=3600.0), Order())
    missed = [outcomes(simulation.replays[1])["cpu"].missed_minutes_per_day_mean for simulation in (two(), late)]
    assert missed[0] < missed[1]
    assert late.replays[0].outcomes == two().replays[0].outcomes


def test_a_service_is_judged_by_its_own_requests() -> None:
    """One that is starved delays its own requests; those of the other meet none of its pods."""
    starved = simulate(of_two(nodes={"min": 1, "base": 1, "max": 1}), Order())
    search = outcomes(starved.replays[1])["fixed-peak"]
    assert search.missed_minutes_per_day_mean > 60
    assert outcomes(starved.replays[0])["fixed-peak"].missed_minutes_per_day_mean == 0


def test_the_fleets_cost_is_with_the_services_nodes_replaced() -> None:
    made, simulation = of_two(), two()
    planned_usd = made.bill.effective_usd.average
    for replay in simulation.replays:
        own_usd = sum(item.cost_usd.average for item in made.bill.items if item.tier == replay.service)
        for outcome in replay.outcomes:
            assert outcome.cost_usd_per_month - outcome.cost_usd_per_day * 730 / 24 == pytest.approx(
                planned_usd - own_usd
            )
    saved = [replay.best.cost_usd_per_month - planned_usd for replay in simulation.replays]
    assert simulation.cost_usd_per_month == planned_usd + sum(saved)


def test_progress_is_told_each_policy_of_each_service() -> None:
    told: list[tuple[str, float]] = []
    simulate(of_two(), Order(run_count=3), lambda policy, share: told.append((policy, share)))
    begun = [policy for policy, share in told if share == 0]
    assert begun == ["latency", "cpu", "requests", "fixed-peak", "fixed-average"] * 2
    assert sum(share for _, share in told) == pytest.approx(1)
    assert max(share for _, share in told) < 0.05


def test_a_service_nobody_asks_is_not_simulated() -> None:
    idle = make_plan(**{"tiers.search": {"kind": "api"}})
    assert [service.name for service in services(idle)] == ["api"]


def test_without_a_service_there_is_nothing_to_simulate() -> None:
    with pytest.raises(
        UsageError, match="test: no days to simulate: nothing of it is scaled, as no service of it answers"
    ):
        simulate(make_plan(**{"tiers.api": "off"}), Order())


def test_nothing_is_sized_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = planned()

    def size(*_: object) -> None:
        raise AssertionError("sized again")

    monkeypatch.setattr("cascade_plan.planning.sizing.size", size)
    assert simulate(made, Order()) == simulated()


@pytest.mark.parametrize(
    ("loads", "words"),
    [
        ({}, "p95 below 200 ms, the autoscaler's target, as no load is given"),
        ({"all": (1.0, 300.0)}, "p95 below 300 ms at all times, the limit of load all"),
        ({"half": (0.5, 300.0)}, "p95 below 300 ms at all times, the limit of load half; no load drives the peak, so "
                                 "size judges no latency there"),
        ({"few": (0.1, 200.0), "all": (1.0, 300.0)}, "p95 below 200 ms at all times, the limit of load few; size "
                                                     "judges the peak by its own load's 300 ms"),
        ({"few": (0.1, 400.0), "all": (1.0, 300.0)}, "p95 below 300 ms at all times, the limit of load all"),
    ],
)  # fmt: skip
def test_the_limit_of_the_days_is_said_and_where_a_plan_judges_by_another(
    loads: dict[str, tuple[float, float]], words: str
) -> None:
    given = {
        name: {"share": share, "ramp_s": 10.0, "duration_s": 300.0, "latency_ms_p95": limit}
        for name, (share, limit) in loads.items()
    }
    assert slo_words(make_scenario(loads=given, gates={})) == words
