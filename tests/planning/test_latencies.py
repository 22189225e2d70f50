"""What the latencies of loads are not said of."""

from __future__ import annotations

from typing import Final

from factories import make_plan
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.model.plan import Plan, Verdict

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
