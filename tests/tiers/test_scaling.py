"""What an autoscaler aims for, and what keeps it from moving: against the controller's own algorithm."""

from __future__ import annotations

from typing import Any

import pytest
from factories import make_plan
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cascade_plan.formulas.hpa import Autoscaler, Controller, State, reconcile
from cascade_plan.formulas.hpa_behavior import Behavior, Rules
from cascade_plan.formulas.hpa_replicas import Container, Pod, PodUsage, ResourceMetric, Utilization
from cascade_plan.formulas.hpa_replicas import Workload as Replicas
from cascade_plan.model.plan import Plan

REQUEST = 768_000


def settled(resting_percent: int, target_percent: int, start: int, least: int, most: int) -> int:
    """Return where the controller's algorithm comes to rest for pods whose memory stays where it is."""
    count, state = start, State()
    for tick in range(200):
        pods = tuple(
            Pod(f"p{i}", -9e5, ready_changed_s=-9e5, containers=(Container("c", REQUEST),)) for i in range(count)
        )
        now_s = 15.0 * tick
        used = REQUEST * resting_percent // 100
        usage = tuple(PodUsage(pod.name, (("c", used),), now_s) for pod in pods)
        metric = ResourceMetric("memory", Utilization(target_percent), usage)
        spec = Autoscaler(most, least, Behavior(Rules(), Rules(window_s=0)))
        found = reconcile(spec, Replicas(now_s, count, count, pods), [metric], state, Controller())
        count, state = found.replica_count, found.state
    return count


def by_memory(resting: float, target: int, low: int, high: int, **changes: Any) -> Plan:
    rules: dict[str, Any] = {
        "metrics": ["latency", "memory"],
        "memory_idle_ratio": resting,
        "memory_busy_ratio": resting,
        "target_memory_percent": target,
    }
    return make_plan(autoscaling=rules | changes, tiers__api__replicas={"min": low, "max": high})


def codes(made: Plan) -> set[str]:
    return {finding.code for finding in made.findings if finding.code.startswith("hpa-")} - {"hpa-exceeds-nodes"}


@given(resting=st.integers(1, 100), target=st.integers(1, 100), low=st.integers(1, 12), more=st.integers(1, 20))
def test_findings_say_where_the_controller_comes_to_rest(resting: int, target: int, low: int, more: int) -> None:
    made = by_memory(resting / 100, target, low, low + more)
    at_rest = settled(resting, target, low + more, low, low + more)
    found = [finding for finding in made.findings if finding.code in ("hpa-never-scales-in", "hpa-memory-keeps-pods")]
    if at_rest == low:
        assert not found
    elif found[0].code == "hpa-never-scales-in":
        assert at_rest == low + more
    else:
        assert at_rest == low + more or f"never goes below {at_rest} pods" in found[0].message


@pytest.mark.parametrize(("resting", "is_told"), [(0.62, False), (0.63, True), (0.64, True), (0.9, True)])
def test_memory_that_stays_above_nine_tenths_of_its_target_is_a_finding(resting: float, is_told: bool) -> None:
    assert codes(by_memory(resting, 70, 14, 35)) == ({"hpa-never-scales-in"} if is_told else set())
    # A metric that the autoscaler does not read keeps nothing.
    assert codes(by_memory(resting, 70, 14, 35, metrics=["cpu"])) == set()


def test_memory_that_is_returned_counts_by_what_an_idle_pod_takes() -> None:
    returned = {"memory_idle_ratio": 0.5, "memory_busy_ratio": 0.69}
    assert codes(by_memory(0, 70, 14, 35, **returned)) == {"hpa-never-scales-in"}
    assert codes(by_memory(0, 70, 14, 35, **returned, memory_is_returned=True)) == set()


def test_the_finding_says_what_would_do() -> None:
    (finding,) = [each for each in by_memory(0.65, 70, 14, 35).findings if each.code == "hpa-never-scales-in"]
    assert "stays at 65% of its request, not below 63% (0.9 x the target of 70%)" in finding.message
    assert "set its target to 73% at least" in finding.message
    assert codes(by_memory(0.65, 73, 14, 35)) == set()


def test_targets_are_a_share_of_what_a_pod_does_that_never_rests() -> None:
    (workload, _) = make_plan().fleet.workloads
    targets = {name: target.value for name, target in workload.targets.items()}
    cpu_s = 0.001 * sum(share * action.cpu_ms for share, action in make_plan().scenario.behaviour.mix)
    assert targets["requests"] == pytest.approx(0.6 * workload.cores_per_pod / cpu_s, abs=0.001)
    assert targets["cpu"] == round(0.6 * workload.cores_per_pod / workload.cpu_cores * 100)
    assert (targets["latency"], targets["memory"]) == (0.2, 70)
    given_ = {"autoscaling__target_cpu_percent": 45, "autoscaling__target_requests_per_s": 12.5}
    pinned = make_plan(**given_).fleet.workloads[0].targets
    assert (pinned["cpu"].value, pinned["requests"].value) == (45, 12.5)


def test_a_target_that_no_pod_reaches_is_a_finding() -> None:
    assert codes(make_plan(autoscaling__target_cpu_percent=500)) == {"hpa-never-scales-out"}
    by_both = {"autoscaling__target_cpu_percent": 500, "autoscaling__metrics": ["cpu", "latency"]}
    assert codes(make_plan(**by_both)) == set()


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"metrics": []}, "at least 1"),
        ({"metrics": ["cpu", "cpu"]}, "names cpu twice"),
        ({"metrics": ["queue"]}, "latency"),
        ({"memory_idle_ratio": 0.7}, "must not be below memory_idle_ratio"),
        ({"target_busy_ratio": 0.0}, "greater than or equal to 0.01"),
    ],
)
def test_an_autoscaling_that_cannot_be_is_refused(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_plan(autoscaling=given_)
