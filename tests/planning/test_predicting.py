"""What a prediction is made of: trips, commits, discipline, what is held, limits of CPU; its interval, its margins."""

from __future__ import annotations

import math
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.formulas.closed_network import FiniteSourceResponse
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.chain import Chain, chain, slower
from cascade_plan.planning.margins import CPU, CPU_MS, DATABASE
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import (
    MONOTONE_BELOW,
    RISE_MOST,
    interval_of,
    keeps,
    meets,
    predict,
    response,
    shortfall,
    slower_end,
)
from cascade_plan.planning.sizing import places
from cascade_plan.planning.states import steady_state

BARE = (
    "tiers={api: {shape: c6g.xlarge, service_scv: 1, discipline: fcfs}}",
    "behaviour.actions={get: {weight: 1, request: GET /, cpu_ms: 10, read_count: 0}}",
    "gates={}",
)
"""A service and nothing else: M/M/c//N."""


@cache
def planned(*changes: str, predicted: bool = False) -> Plan:
    given = read("cascade", [(f"--set {each}", *each.split("=", 1)) for each in changes])  # type: ignore[misc]
    return plan(given.scenario, given.book, predicted=predicted)


def served(pods: int, *changes: str, **counts: int) -> Chain:
    made = planned(*changes)
    scale = {"api.node_count": 1_000_000, "api.replica_count": pods}
    scale |= {name.replace("__", "."): count for name, count in counts.items()}
    return chain(made.scenario, places(made.scenario, made.fleet, scale))


@pytest.mark.parametrize("pods", [1, 2, 5, 50])
@pytest.mark.parametrize("cpu_ms", [1, 10])
def test_a_service_alone_is_the_exact_closed_station_at_every_load(pods: int, cpu_ms: int) -> None:
    on = served(pods, *BARE, f"behaviour.actions.get.cpu_ms={cpu_ms}")
    assert on.stations["api"].servers == pods
    last = 0.0
    for load in (0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.3):
        users = max(2, round(load * pods * (2000 + cpu_ms) / cpu_ms))
        found = predict(on, users)
        exact = FiniteSourceResponse(users, 2.0, pods, cpu_ms / 1000)
        assert found.latency_ms_p50 == pytest.approx(exact.percentile(0.5) * 1000, rel=0.02)
        assert found.latency_ms_p95 == pytest.approx(exact.percentile(0.95) * 1000, rel=0.02)
        assert found.latency_ms_p99 == pytest.approx(exact.percentile(0.99) * 1000, rel=0.03)
        assert found.latency_ms_p95 >= last
        last = found.latency_ms_p95


@settings(max_examples=15)
@given(st.integers(1, 40_000), st.integers(1, 40), st.sampled_from(["event_loop", "sharing", "fcfs"]))
def test_p95_never_falls_as_users_rise(users: int, pods: int, discipline: str) -> None:
    on = served(pods, f"tiers.api.discipline={discipline}")
    fewer, more = predict(on, users), predict(on, users + max(1, users // 20))
    assert more.latency_ms_p95 >= fewer.latency_ms_p95 * (1 - 2e-3)
    assert more.requests_per_s >= fewer.requests_per_s * (1 - 1e-3)


@settings(max_examples=25)
@given(
    st.floats(0.3, 1.02),
    st.integers(1, 40),
    st.sampled_from(["event_loop", "sharing", "fcfs"]),
    st.integers(0, 3),
    st.sampled_from(["nodes", "replicas", "fewer users"]),
)
def test_more_of_anything_is_no_worse(load: float, pods: int, discipline: str, replicas: int, more: str) -> None:
    changes = (f"tiers.api.discipline={discipline}", "tiers.database.read_ms=1")
    on = served(pods, *changes, database__replica_count=replicas)
    users = max(2, round(load * on.capacity_requests_per_s * 2))
    pods, replicas = pods + (more == "nodes"), replicas + (more == "replicas")
    other = served(pods, *changes, database__replica_count=replicas)
    slow, state = slower_end(other, users - (more == "fewer users"))
    if max(slow.utilisation_ratio(state.requests_per_s).values()) < MONOTONE_BELOW:
        before, after = (response(*end).percentiles_s((0.95, 0.99)) for end in (slower_end(on, users), (slow, state)))
        assert all(b <= a * (1 + RISE_MOST) for a, b in zip(before, after, strict=True))


@settings(max_examples=25)
@given(
    st.integers(1, 40_000),
    st.integers(1, 40),
    st.sampled_from(["event_loop", "sharing", "fcfs"]),
    st.floats(-1, 1),
    st.booleans(),
)
def test_a_search_and_a_gate_say_the_same(users: int, pods: int, discipline: str, off: float, is_p99: bool) -> None:
    on = served(pods, f"tiers.api.discipline={discipline}")
    found, ends = predict(on, users), interval_of(on, users)
    p95, p99 = (ends[1][1], ends[2][1]) if ends else (found.latency_ms_p95, found.latency_ms_p99)
    # From a millionth off to a tenth off.
    limit = (p99 if is_p99 else p95) * (1 + math.copysign(10 ** (-6 + 5 * abs(off)), off))
    asked = (p95 * 2, limit) if is_p99 else (limit, None)
    assert keeps(on, users, *asked) == (p95 < asked[0] and (asked[1] is None or p99 < asked[1]))
    assert keeps(on, users, *asked) == (not meets(on, users, *asked))


@settings(max_examples=15)
@given(st.integers(1, 60_000), st.integers(1, 40), st.sampled_from(["event_loop", "sharing", "fcfs"]))
def test_throughput_obeys_little_and_its_bounds(users: int, pods: int, discipline: str) -> None:
    on = served(pods, f"tiers.api.discipline={discipline}")
    found = predict(on, users)
    assert found.requests_per_s * (on.think_s + found.latency_ms_mean / 1000) == pytest.approx(users, rel=2e-3)
    assert found.requests_per_s <= min(users / on.think_s, on.capacity_requests_per_s) * (1 + 1e-9)
    assert all(0 <= busy <= 1 + 1e-9 for busy in found.utilisation_ratio.values())
    assert 0 < found.latency_ms_p50 <= found.latency_ms_p95 <= found.latency_ms_p99


GRAVITON2 = "tiers.database.shape=db.r6g.xlarge"
"""A database on which queries take what the scenario says."""


def test_a_lone_request_takes_the_sum_of_its_parts() -> None:
    found = predict(served(14, "tiers.database.data_gib=1", GRAVITON2), 1)
    # list: 2 commands of 0.7 + 0.006 ms, and each of 2 reads misses in 1 of 10 cases; the others read once and write.
    trips, bouncer = 4 * 0.7, 0.25
    read, written = 0.1 * (trips + bouncer + 0.1), trips + bouncer + 0.3 + 3.0
    listing = 0.8 + 2 * 0.706 + 2 * 0.1 * (trips + bouncer + 1.8)
    message, upload = (cpu_ms + 0.706 + read + written for cpu_ms in (1.0, 1.6))
    mean = 2.0 + 3 / 6 * listing + 2 / 6 * message + 1 / 6 * upload
    assert found.latency_ms_mean == pytest.approx(mean, rel=1e-3)


def test_each_part_of_a_request_costs_what_it_says() -> None:
    plain = predict(served(14, GRAVITON2), 100).latency_ms_mean

    def with_(*changes: str) -> float:
        return predict(served(14, GRAVITON2, *changes), 100).latency_ms_mean - plain

    queries = 3 / 6 * 2 * 0.1 + 3 / 6 * 1.1
    assert with_("tiers.database.round_trips_per_query=7") == pytest.approx(3 * 0.7 * queries, rel=0.03)
    assert with_("tiers.gateway.response_ms=5") == pytest.approx(3.0, rel=0.01)
    assert with_("tiers.database.standby_commit_ms=0") == pytest.approx(-1.5 / 2, rel=0.03)
    assert with_("availability=minimal") < -0.7
    assert with_("behaviour.actions.list_workrooms.read_ms=11.8") == pytest.approx(10 * 0.2 / 2, rel=0.05)
    assert with_("tiers.pool.transaction_ms=0.5") == pytest.approx(0.25 * queries, rel=0.1)


def test_a_pod_has_a_core_to_itself_while_few_are_busy() -> None:
    quiet, busy = predict(served(14), 100), predict(chain(*_on_three_nodes()), 16_000)
    assert quiet.latency_ms((0.5,), "list_workrooms")[0] < 6
    assert busy.utilisation_ratio["api"] > 0.7
    made = planned()
    (place,) = (place for place in places(made.scenario, made.fleet, {}) if place.name == "api")
    # Three nodes of 4 vCPU leave their 18 pods, the cluster's own apart, 11.07 cores.
    assert place.unit_count == 3 * 7 - 3
    assert place.server_count * place.speed_ratio == pytest.approx(11.07, abs=0.01)


def _on_three_nodes() -> tuple:  # type: ignore[type-arg]
    made = planned()
    return made.scenario, places(made.scenario, made.fleet, {})


def test_a_limit_of_cpu_stops_pods_before_they_are_full() -> None:
    free, limited = served(8), served(8, "tiers.api.pod.cpu_limit_cores=0.5")
    assert limited.capacity_requests_per_s == pytest.approx(free.capacity_requests_per_s / 2, rel=0.01)
    users = round(0.95 * limited.capacity_requests_per_s * 2)
    assert predict(limited, users).latency_ms_p99 > predict(free, users).latency_ms_p99 + 5
    assert predict(limited, users // 4).latency_ms_p95 == pytest.approx(
        predict(free, users // 4).latency_ms_p95, rel=0.02
    )


def test_above_saturation_what_needs_a_connection_starves_and_cache_hits_pass() -> None:
    on = served(1, "tiers.cache.hit_ratio=1", pool__connection_count=10)
    users = round(1.2 * on.capacity_requests_per_s * 2)
    found = predict(on, users)
    hits, writes = found.latency_ms((0.5,), "list_workrooms")[0], found.latency_ms((0.5,), "create_message")[0]
    assert writes > 8 * hits
    assert found.utilisation_ratio["pool"] == pytest.approx(1, abs=0.02)
    assert found.utilisation_ratio["api"] < 1


def test_what_holds_a_connection_longer_needs_more_of_them() -> None:
    usual, longer = (
        steady_state(served(14, *changes), 10_000).held_count["pool"]
        for changes in ((), ("tiers.database.round_trips_per_query=7",))
    )
    assert longer > 1.3 * usual


def test_near_saturation_a_percentile_is_an_interval_and_its_upper_end_is_judged() -> None:
    on = served(14)
    users = round(0.93 * on.capacity_requests_per_s * 2)
    found = predict(on, users)
    ends = interval_of(on, users)
    assert ends is not None
    for (low, high), value in zip(
        ends, (found.latency_ms_p50, found.latency_ms_p95, found.latency_ms_p99), strict=True
    ):
        assert low < value < high
    assert interval_of(on, round(0.5 * users)) is None
    middle = (ends[1][1] + found.latency_ms_p95) / 2
    assert "is not below" in meets(on, users, middle, None)
    assert not meets(on, users, ends[1][1] * 1.01, None)


def test_a_gate_is_judged_at_the_end_that_is_worse() -> None:
    # 20,500 users are 93 % of what the 11.07 cores of three nodes answer.
    made = planned(
        "loads.peak.share=2.05",
        "tiers.database.storage_gib=400",
        "tiers.api.nodes={base: 3, min: 3, max: 3}",
        predicted=True,
    )
    figure = made.figures["latency_ms_p95.peak"]
    assert figure.interval is not None
    (verdict,) = (each for each in made.verdicts if each.figure == "latency_ms_p95.peak")
    assert verdict.value == figure.interval[1]


@pytest.mark.parametrize("name", ["cascade", "chat-40k", "saas-300"])
def test_limits_hold_at_the_break_even_and_no_further(name: str) -> None:
    given = read(name, ())
    made = plan(given.scenario, given.book)
    for figure, kind in ((CPU, "api"), (DATABASE, "database")):
        ratio = float(made.figures[figure].value)
        chains = [
            (load, chain(made.scenario, places(made.scenario, made.fleet, scale))) for load, scale in _loads(made)
        ]
        tiers = made.scenario.of(kind)

        def over(factor: float, tiers=tiers, chains=chains) -> float:  # type: ignore[no-untyped-def]
            return max(
                shortfall(
                    slower(on, {p.name: factor for p in on.places if p.tier in tiers and p.name in on.stations}),
                    load.users, load.latency_ms_p95, load.latency_ms_p99,
                )
                for load, on in chains
            )  # fmt: skip

        assert over(ratio * 0.98) < 0
        if ratio < 99:
            assert over(ratio * 1.02) > 0


def _loads(made: Plan) -> list:  # type: ignore[type-arg]
    from cascade_plan.planning.latencies import scale_for

    return [(load, scale_for(made.scenario, made.fleet, load)) for load in made.scenario.driven.values()]


def test_the_break_even_is_a_mean_of_the_mix() -> None:
    made = planned(predicted=True)
    assert float(made.figures[CPU_MS].value) == pytest.approx(float(made.figures[CPU].value) * 1.0, rel=1e-6)
    assert "above it load peak breaks its limit" in made.figures[CPU].note


def test_latencies_are_said_by_action_and_over_all() -> None:
    made = planned(predicted=True)
    whole = float(made.figures["latency_ms_p95.peak"].value)
    parts = [
        float(made.figures[f"action_latency_ms_p95.peak.{action}"].value) for action in made.scenario.behaviour.actions
    ]
    assert min(parts) < whole < max(parts)


def test_plans_that_differ_in_names_alone_keep_their_own() -> None:
    made = {}
    for names in (("get", "put"), ("read", "write")):
        actions = ", ".join(f"{name}: {{weight: 1, request: GET /{name}}}" for name in names)
        made[names] = planned(f"behaviour.actions={{{actions}}}", "gates={}", predicted=True)
        for name in names:
            assert f"action_latency_ms_p95.peak.{name}" in made[names].figures
    one, other = (
        [each.figures[f"latency_ms_p95.{load}"].value for load in ("normal", "peak")] for each in made.values()
    )
    assert one == other
