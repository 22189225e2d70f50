"""Workers with a queue, costs by hand, several services: what they need, what it costs, how old a job gets."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import read, read_scenario
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import books
from cascade_plan.units import SECONDS_PER_MONTH


@cache
def batch() -> Scenario:
    return read_scenario("api-batch")[0]


def planned(scenario: Scenario) -> Plan:
    return plan(scenario, books.book(scenario.cloud, scenario.region, cached=False))


def changed(scenario: Scenario, **tiers: dict[str, Any] | str) -> Scenario:
    document = scenario.model_dump(exclude_unset=True)
    document["tiers"] = {**document["tiers"], **{name: _over(document, name, value) for name, value in tiers.items()}}
    return Scenario.model_validate(document)


def _over(document: dict[str, Any], name: str, value: dict[str, Any] | str) -> Any:
    return value if isinstance(value, str) else {**document["tiers"].get(name, {}), **value}


def erlang_tail(servers: int, offered: float, service_s: float, seconds: float) -> float:
    """Return P(wait + service > t) of M/M/c, from its textbook form (Gross and Harris, section 2.3)."""
    busy = offered / servers
    below = sum(offered**n / math.factorial(n) for n in range(servers))
    full = offered**servers / math.factorial(servers) / (1 - busy)
    waits = full / (below + full)
    rate, drain = 1 / service_s, servers * (1 - busy) / service_s
    # The wait is 0 with 1 - waits and exponential (drain) otherwise; the service is exponential (rate).
    both = (drain * math.exp(-rate * seconds) - rate * math.exp(-drain * seconds)) / (drain - rate)
    return (1 - waits) * math.exp(-rate * seconds) + waits * both


def test_the_age_of_a_job_is_that_of_the_textbook() -> None:
    made = planned(batch())
    worker = made.fleet.tiers["worker"]
    (workload,) = worker.workloads
    pods = worker.count("node_count.base") * workload.pod_count_per_node
    service_s = 0.4 / workload.cores_per_pod
    offered = worker.value("jobs_per_s_peak") * service_s
    assert erlang_tail(pods, offered, service_s, worker.value("age_s_p99")) == pytest.approx(0.01, rel=2e-3)


@settings(max_examples=40)
@given(st.floats(1, 2000), st.floats(0.5, 100), st.integers(1, 5000))
def test_workers_are_the_least_that_keep_jobs_young(cpu_ms: float, age_s: float, users: int) -> None:
    scenario = changed(batch().with_users(users, max(1, users // 3)), worker={"cpu_ms": cpu_ms, "age_s_p99": age_s})
    assume(age_s * 1000 > 10 * cpu_ms)
    made = planned(scenario)
    worker = made.fleet.tiers["worker"]
    (workload,) = worker.workloads
    assert worker.value("age_s_p99") < age_s
    assert worker.value("busy_ratio") <= 0.95
    counts = [worker.count(f"node_count.{level}") for level in ("min", "base", "max")]
    assert counts == sorted(counts)
    assert workload.replica_count_max == counts[2] * workload.pod_count_per_node
    more = planned(
        changed(scenario, worker={"cpu_ms": cpu_ms * 2, "age_s_p99": age_s}) if age_s > 20 * cpu_ms / 500 else scenario
    )
    assert more.fleet.tiers["worker"].count("node_count.base") >= counts[1]


def test_a_queue_is_paid_by_the_request() -> None:
    made = planned(batch())
    jobs = made.traffic.jobs_per_s["worker"].average
    worker = made.fleet.tiers["worker"]
    pods = worker.group("nodes").count.average * worker.workloads[0].pod_count_per_node
    million = (jobs * 3 + pods / 20) * SECONDS_PER_MONTH / 1e6
    assert made.figure("queue.million_requests_per_month") == pytest.approx(million)
    (line,) = [item for item in made.bill.items if item.tier == "queue"]
    assert line.quantity.average == pytest.approx(Decimal(str(million)), abs=Decimal("0.000001"))
    assert line.cost_usd.average == line.quantity.average * line.price_usd


def test_jobs_ask_the_database_and_no_request_waits_for_them() -> None:
    with_jobs = planned(batch())
    without = planned(changed(batch(), worker={"read_count": 0, "write_count": 0}))
    asked = with_jobs.figure("worker.jobs_per_s_peak") * 4
    queries = [made.fleet.tiers["database"].value("queries_per_s_peak") for made in (with_jobs, without)]
    assert queries[0] - queries[1] == pytest.approx(asked)
    # Busier, by little, and no step more on a request's way.
    assert without.figure("latency_ms_p50.peak") <= with_jobs.figure("latency_ms_p50.peak") * 1.0001
    assert with_jobs.figure("latency_ms_p50.peak") < 20


def test_the_age_is_a_gate_that_fails_when_it_is_missed() -> None:
    made = planned(batch())
    (verdict,) = [verdict for verdict in made.verdicts if verdict.figure == "worker.age_s_p99"]
    assert (verdict.status, str(verdict.limit)) == ("pass", "30")
    document = batch().model_dump(exclude_unset=True) | {"gates": {"worker.age_s_p99": ["< 0.1"]}}
    failed = planned(Scenario.model_validate(document))
    assert failed.failed


def test_workers_nobody_asks_and_queues_nobody_reads_are_said() -> None:
    codes = {finding.code for finding in planned(changed(batch(), queue="off")).findings}
    assert "worker-without-queue" in codes
    document = batch().model_dump(exclude_unset=True)
    del document["behaviour"]["actions"]["score_batch"]["jobs"]
    assert "worker-unused" in {finding.code for finding in planned(Scenario.model_validate(document)).findings}
    del document["tiers"]["worker"]
    assert "queue-unused" in {finding.code for finding in planned(Scenario.model_validate(document)).findings}


def test_costs_by_hand_are_on_the_bill_exactly() -> None:
    lines = {
        "support": {"usd_per_month": 100.10},
        "mail": {"usd_per_user_month": 0.013, "users": "peak", "source": "contract of 2026-01"},
        "tokens": {"units_per_month": 3_000_000, "usd_per_unit": 0.000002, "unit": "tokens"},
    }
    made = planned(changed(batch(), extra={"lines": lines}))
    costs = {item.name: item.cost_usd.average for item in made.bill.items if item.tier == "extra"}
    assert costs == {"support": Decimal("100.10"), "mail": Decimal("5.200"), "tokens": Decimal("6.000000")}
    assert made.bill.complete
    total = sum((item.cost_usd.average for item in made.bill.items), Decimal(0))
    assert total == made.bill.effective_usd.average


@pytest.mark.parametrize(
    "line",
    [{}, {"usd_per_month": 1, "usd_per_user_month": 1}, {"units_per_month": 5}, {"usd_per_unit": 1},
     {"usd_per_month": 1, "usd_per_unit": 1}, {"usd_per_month": -1}],
)  # fmt: skip
def test_a_line_is_given_in_one_way(line: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="extra"):
        changed(batch(), extra={"lines": {"odd": line}})


def test_a_line_by_registered_users_needs_their_number() -> None:
    scenario = changed(batch(), extra={"lines": {"mail": {"usd_per_user_month": 1, "users": "registered"}}})
    with pytest.raises(UsageError, match=r"users\.registered is not given"):
        planned(scenario)


# Several services


def two_services() -> Scenario:
    document = read_scenario("cascade")[0].model_dump(exclude_unset=True)
    document["tiers"] = {**document["tiers"], "search": {"kind": "api", "users_per_node": 2000}}
    document["behaviour"]["actions"]["find"] = {
        "weight": 3, "request": "GET /api/v1/search", "at": "search", "cpu_ms": 6, "read_count": 2,
    }  # fmt: skip
    return Scenario.model_validate(document)


@pytest.mark.parametrize("method", ["rules", "slo"])
def test_a_second_service_has_counts_nodes_and_pods_of_its_own(method: str) -> None:
    made = planned(two_services().model_copy(update={"method": method}))
    assert made.traffic.service_share == {"api": pytest.approx(2 / 3), "search": pytest.approx(1 / 3)}
    for service in ("api", "search"):
        figures = [made.figure(f"{service}.node_count.{level}") for level in ("min", "base", "max")]
        assert figures == sorted(figures)
        lever = made.fleet.tiers[service].lever("node_count")
        assert figures == [lever.floor_count, lever.base_count, lever.most_count]
    assert {"api nodes", "search nodes"} <= {group.name for group in made.groups}
    assert made.figure("pool.client_connection_count_max") > planned(
        two_services().model_copy(update={"method": "rules"})
    ).figure("pool.connection_count")


def test_each_service_is_the_least_the_other_allows() -> None:
    from cascade_plan.planning.chain import chain
    from cascade_plan.planning.predicting import meets
    from cascade_plan.planning.sizing import places

    scenario = two_services().model_copy(update={"method": "slo"})
    made = planned(scenario)
    assert not [verdict for verdict in made.verdicts if verdict.status == "fail" and verdict.figure[:7] == "latency"]
    tried = {rejection.figure for rejection in made.fleet.rejections}
    assert {"api.node_count.base", "search.node_count.base"} <= tried
    scale = {"search.node_count": 0}
    on = chain(scenario, places(scenario, made.fleet, scale))
    assert meets(on, 10_000, 300, 500), "without pods of its own the search cannot answer"


# What was wrong before


def test_connections_that_nobody_opens_are_a_finding() -> None:
    given = read("cascade", [("--set", "tiers.websocket.connections_per_user", "0")])
    made = plan(given.scenario, given.book, given.origins)
    assert "websocket-unused" in {finding.code for finding in made.findings}


def test_connection_state_names_the_connections_it_is_counted_from() -> None:
    given = read("cascade")
    made = plan(given.scenario, given.book, given.origins)
    inputs = {entry.name: entry.value for entry in made.figures["cache.connection_state_mib"].inputs}
    assert inputs == {"websocket.connection_count": 10_000}


def test_nodes_of_every_tier_reach_the_internet_through_nat() -> None:
    made = planned(batch())
    nodes = sum(group.count.average for group in made.groups if group.is_nodes)
    (line,) = [item for item in made.bill.items if item.name == "NAT traffic"]
    assert float(line.quantity.average) == pytest.approx(nodes * 20)
    assert "worker" in {group.tier for group in made.groups if group.is_nodes}
