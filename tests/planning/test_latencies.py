"""What the latencies of loads are not said of, and that none is mistaken for another."""

from __future__ import annotations

from typing import Any, Final

from factories import make_plan
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.planning.latencies import chain_for
from cascade_plan.planning.predicting import predict

LOADS: Final = {"peak": {"users": 1000, "spawn_rate_per_s": 10, "duration_s": 600, "latency_ms_p95": 200}}


@given(st.integers(3000, 50_000))
def test_what_no_service_answers_has_no_latency_and_meets_no_limit(peak: int) -> None:
    plan = make_plan(**{"tiers.api": "off", "users.peak": peak, "loads": LOADS}, predicted=True)
    assert [(verdict.figure, verdict.status) for verdict in about_latency(plan)] == [
        ("latency_ms_p95.peak", "unjudged")
    ]
    assert not [name for name in plan.figures if name.startswith(("latency_ms_", "requests_per_s"))]
    assert [finding.where for finding in plan.findings if finding.code == "requests-unanswered"] == ["tiers"]


def test_with_a_service_they_are_judged() -> None:
    plan = make_plan(loads=LOADS, predicted=True)
    assert [verdict.status for verdict in about_latency(plan)] == ["pass"]
    assert "requests-unanswered" not in {finding.code for finding in plan.findings}


def about_latency(plan: Plan) -> list[Verdict]:
    return [verdict for verdict in plan.verdicts if verdict.figure == "latency_ms_p95.peak"]


@given(
    st.sampled_from(
        [
            {}, {"tiers__api__purchase": "spot"}, {"behaviour__actions__read__cpu_ms": 3.0}, {"users__peak": 20_000},
            {"behaviour__think_time_s": {"min": 2.0, "max": 4.0}}, {"tiers__cache__hit_ratio": 0.5},
            {"tiers__database__replicas": 2}, {"tiers__api__nodes": {"base": 9, "min": 4, "max": 9}},
            {"behaviour__actions__read__weight": 1.0}, {"tiers__database__commit_ms": 4.0},
            {"tiers__gateway__response_ms": 40.0}, {"behaviour__think_time_s": {"min": 2.0, "max": 2.0}},
            {"tiers__api__discipline": "sharing"}, {"tiers__api__await_cpu_ms": 0.3},
            {"tiers__cache__round_trip_scv": 4.0},
            {"tiers__api__pod__cpu_limit_cores": 0.9}, {"tiers__pool__transaction_ms": 0.1},
            {"tiers__database__round_trips_per_query": 7},
        ]
    )
)  # fmt: skip
def test_a_prediction_that_is_kept_is_the_one_that_is_made(changes: dict[str, Any]) -> None:
    """Whatever was predicted before: what is asked of the places decides, and nothing else is mistaken for it."""
    made = make_plan(predicted=True, **changes)
    for name, load in made.scenario.driven.items():
        fresh = predict(chain_for(made.scenario, made.fleet, load), load.users)
        for figure in ("requests_per_s", "latency_ms_p50", "latency_ms_p95", "latency_ms_p99"):
            assert made.figure(f"{figure}.{name}") == getattr(fresh, figure)


def test_a_time_the_balancer_adds_is_in_every_prediction() -> None:
    usual, slow = (make_plan(predicted=True, tiers__gateway__response_ms=ms) for ms in (2.0, 40.0))
    assert slow.figure("latency_ms_p50.users_peak") > usual.figure("latency_ms_p50.users_peak") + 20
