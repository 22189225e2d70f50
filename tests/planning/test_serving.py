"""The bill's traffic is what the fleet answers, and says so where that is less than it is asked."""

from __future__ import annotations

import pytest
from factories import make_plan
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.model.plan import Plan
from cascade_plan.planning.serving import answered


def scoring(cpu_ms: float, **overrides: object) -> Plan:
    """Return 200 users who ask two seconds apart for a score, on two nodes."""
    tiers = {"cluster": {}, "api": {"nodes": {"base": 2, "min": 2, "max": 2}}, "gateway": {}, "network": {}}
    score = {"weight": 1.0, "request": "POST /s", "request_bytes": 4e6, "cpu_ms": cpu_ms, "read_count": 0}
    return make_plan(
        users={"peak": 200, "average": 200, "profile": "flat"},
        behaviour={"actions": {"score": score}},
        tiers=tiers,
        gates={},
        loads={},
        predicted=True,
        **overrides,
    )


def said(made: Plan) -> list[str]:
    return [finding.message for finding in made.findings if finding.code == "not-answered"]


def test_a_fleet_that_is_too_small_is_billed_for_what_it_answers() -> None:
    small, enough = scoring(900), scoring(1)
    (workload,) = small.fleet.workloads
    pods = 2 * workload.pod_count_per_node
    # Each pod answers one request in cpu_ms over its cores: nothing else of the request takes longer.
    rate = pods * workload.cores_per_pod / 0.9
    assert not said(enough)
    (message,) = said(small)
    assert message.startswith(f"at peak the fleet can answer {rate:,.4g} of the 100 requests/s it is asked")
    units = "gateway.capacity_unit_count.peak"
    assert small.figure(units) == pytest.approx(enough.figure(units) * rate / 100, rel=1e-6)
    assert small.bill.effective_usd.peak < enough.bill.effective_usd.peak
    assert small.traffic.requests_per_s.peak == 100


def test_what_is_predicted_is_never_more_than_what_is_billed() -> None:
    made = scoring(900)
    share = answered(made.scenario, made.fleet, made.traffic)
    assert made.figure("requests_per_s.users_peak") <= 100 * share.peak
    assert made.figure("requests_per_s.users_peak") == pytest.approx(100 * share.peak, rel=0.02)


@given(st.floats(0.1, 1e5), st.floats(1, 3))
def test_dearer_requests_are_answered_no_more_often(cpu_ms: float, factor: float) -> None:
    one, dearer = (answered(p.scenario, p.fleet, p.traffic) for p in (scoring(cpu_ms), scoring(cpu_ms * factor)))
    assert all(0 < after <= before <= 1 for after, before in zip(dearer, one, strict=True))


@given(st.integers(1, 999), st.floats(1e3, 1e5))
def test_a_busier_level_is_billed_for_no_less(average: int, cpu_ms: float) -> None:
    """Also where all hours are answered alike, and their mean is the average to a millionth of a user only."""
    score = {"weight": 1.0, "request": "POST /s", "cpu_ms": cpu_ms, "read_count": 0}
    made = make_plan(users={"peak": 1000, "average": average}, behaviour={"actions": {"score": score}}, predicted=False)
    share = answered(made.scenario, made.fleet, made.traffic)
    rates = [part * asked for part, asked in zip(share, made.traffic.requests_per_s, strict=True)]
    assert [round(rate, 9) for rate in rates] == sorted(round(rate, 9) for rate in rates)
