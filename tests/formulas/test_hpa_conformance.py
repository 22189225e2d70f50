"""Kubernetes' own test cases of the HPA controller, read from JSON where that file is at hand.

The project's own tables, in test_hpa, cover the same ground without the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cascade_plan.emitters.kubernetes.names import parse_quantity
from cascade_plan.formulas import hpa_behavior as rate
from cascade_plan.formulas import hpa_replicas as replicas
from cascade_plan.formulas.hpa import Autoscaler, Controller, Outcome, Reconciled, State, reconcile

Case = dict[str, Any]

NAMED = os.environ.get("CASCADE_PLAN_CONFORMANCE")
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "conformance"
PLACE = Path(NAMED) if NAMED else BESIDE
FILE = PLACE / "hpa_cases.json" if PLACE.is_dir() else PLACE
COUNTS = {
    "replica_calc": 74,
    "group_pods": 14,
    "controller_reconcile": 73,
    "convert_desired_no_behavior": 5,
    "convert_with_behavior_rate": 42,
    "scale_up_limit": 1,
    "scale_down_limit": 1,
    "stabilize_downscale": 5,
    "stabilize_with_behavior": 11,
    "store_scale_event": 8,
    "default_scale_up_rules": 6,
    "default_scale_down_rules": 4,
}
NOW_S = 1_000_000.0
LONG_AGO_S = 0.0
"""Go's zero time: a finite one, so that a window added to it is later than it."""
NAMESPACE = "test-namespace"


def cases() -> list[Case]:
    """Return the behavioural cases, or none when the file is not at hand; a named file must be there."""
    if not NAMED and not FILE.exists():
        return []
    found: list[Case] = json.loads(FILE.read_text(encoding="utf-8"))["cases"]
    return [case for case in found if case["kind"] in COUNTS]


CASES = cases()
needs_file = pytest.mark.skipif(not CASES, reason="no conformance cases beside the checkout or named")


# -------------------------------------------------------------------------------------------------- from JSON to types


def at(age_s: float | str | None) -> float:
    """Return the time of an age; without one, long ago."""
    return LONG_AGO_S if age_s is None or age_s == "zero" else NOW_S - float(age_s)


def pods(given: list[Case]) -> tuple[replicas.Pod, ...]:
    """Return the pods of a replica or reconcile case; their names carry the namespace that errors mention."""
    return tuple(
        replicas.Pod(
            f"{NAMESPACE}/{pod['name']}",
            pod["phase"],
            pod["ready"],
            at(pod["startAgeSeconds"]),
            LONG_AGO_S if "requestsMilli" in pod["containers"][0] else at(pod["startAgeSeconds"]),
            pod["deleted"],
            tuple(
                replicas.Container(part["name"], part.get("requestsMilli", part.get("cpuRequestMilli")))
                for part in pod["containers"]
            ),
        )
        for pod in given
    )


def rules(given: Case | None) -> rate.Rules | None:
    """Return the rules of one direction."""
    if given is None:
        return None
    policies = tuple(rate.Policy(one["type"], one["value"], one["periodSeconds"]) for one in given.get("policies", ()))
    return rate.Rules(policies, given.get("selectPolicy"), given.get("stabilizationWindowSeconds"))


def events(given: list[Case]) -> tuple[rate.ScaleEvent, ...]:
    """Return one direction's events."""
    return tuple(rate.ScaleEvent(one["replicaChange"], at(one["ageSeconds"]), one["outdated"]) for one in given)


def log(given: list[Case]) -> tuple[rate.Recommendation, ...]:
    """Return a log of recommendations."""
    return tuple(rate.Recommendation(one["replicas"], at(one["ageSeconds"])) for one in given)


def timing(given: Case) -> replicas.Timing:
    """Return the flags that say when CPU counts."""
    return replicas.Timing(given["cpuInitializationPeriodSeconds"], given["delayOfInitialReadinessStatusSeconds"])


def amount(milli: Case, key: str) -> int | None:
    """Return a quantity's thousandths, or None without it."""
    return None if milli.get(key) is None else int(parse_quantity(milli[key]).value * 1000)


def target(utilization: int | None, value: int | None, average: int | None) -> Any:
    """Return the one target that is given."""
    if utilization is not None:
        return replicas.Utilization(utilization)
    return replicas.Value(value) if value is not None else replicas.AverageValue(average or 0)


# -------------------------------------------------------------------------------------------------------- replica_calc


def calculated_metric(given: Case) -> replicas.Metric:
    """Return the metric of a replica case."""
    metric = given["metric"]
    aim = target(metric.get("targetUtilization"), metric.get("targetValueMilli"), metric.get("targetAverageValueMilli"))
    measured, window = at(given["metricTimestamp"]), given["metricWindowSeconds"]
    samples = [(f"{NAMESPACE}/{one['pod']}", one) for one in metric.get("samplesMilli", [])]
    match metric["type"]:
        case "Resource" | "ContainerResource":
            usages = (
                replicas.PodUsage(pod, tuple(one["containers"].items()), measured, window) for pod, one in samples
            )
            return replicas.ResourceMetric(metric["resource"], aim, tuple(usages), metric.get("container", ""))
        case "Pods":
            plain = (replicas.Sample(pod, one["value"], measured, window) for pod, one in samples)
            return replicas.PodsMetric(metric["name"], aim, tuple(plain))
        case "Object":
            return replicas.ObjectMetric(metric["name"], aim, metric["valueMilli"])
        case _:
            return replicas.ExternalMetric(metric["name"], aim, tuple(metric["seriesMilli"]))


def replica_calc(given: Case, expected: Case) -> None:
    """Check the replicas of one metric, or its error."""
    count = given["currentReplicas"]
    workload = replicas.Workload(NOW_S, count, count, pods(given["pods"]))
    tolerance = replicas.Tolerance(given["tolerance"]["scaleDown"], given["tolerance"]["scaleUp"])
    metric = calculated_metric(given)
    if "errorContains" in expected:
        with pytest.raises(replicas.MetricError) as caught:
            replicas.propose(metric, workload, tolerance, timing(given))
        assert expected["errorContains"] in str(caught.value)
        return
    proposal = replicas.propose(metric, workload, tolerance, timing(given))
    got: Case = {"replicas": proposal.replica_count}
    if "usageMilli" in expected:
        usage = proposal.average_milli if proposal.value_milli is None else proposal.value_milli
        got |= {"usageMilli": usage}
    else:
        # The cases give the mean of all pods' containers together, as the API's status does.
        got |= {"utilization": proposal.utilization_percent, "rawAverageMilli": proposal.average_milli}
    assert got == expected


def group_pods(given: Case, expected: Case) -> None:
    """Check the groups of pods."""
    found = [
        replicas.Pod(
            pod["name"],
            pod["phase"],
            pod["conditions"][0]["status"] if pod["conditions"] else None,
            None if pod["startAgeSeconds"] == "absent" else at(pod["startAgeSeconds"]),
            at(pod["conditions"][0]["lastTransitionAgeSeconds"]) if pod["conditions"] else LONG_AGO_S,
            pod["deleted"],
        )
        for pod in given["pods"]
    ]
    samples = {
        pod: replicas.Sample(pod, one["value"], at(one["ageSeconds"]), one["windowSeconds"])
        for pod, one in given["metrics"].items()
    }
    groups = replicas.group_pods(found, samples, given["resource"], NOW_S, timing(given))
    assert groups.ready_count == expected["readyPodCount"]
    for group in ("unready", "missing", "ignored"):
        assert sorted(getattr(groups, group)) == sorted(expected[group])


# ------------------------------------------------------------------------------------------------ controller_reconcile


def reconciled_metric(spec: Case, given: Case) -> replicas.Metric:
    """Return one metric of a reconcile case's object, with the levels that are reported to it."""
    kind, levels = spec["type"], given["reportedLevels"]
    source = spec.get(kind[0].lower() + kind[1:], {})
    name = source.get("name") or source.get("metric", {}).get("name", "")
    aimed = source.get("target", {})
    aim = target(aimed.get("averageUtilization"), amount(aimed, "value"), amount(aimed, "averageValue"))
    named = [(f"{NAMESPACE}/test-pod-{index}", level) for index, level in enumerate(levels)]
    match kind:
        case "Resource" | "ContainerResource":
            usages = (
                replicas.PodUsage(pod, (("container1", level // 2), ("container2", level // 2)), NOW_S)
                for pod, level in named
            )
            return replicas.ResourceMetric(name, aim, tuple(usages), source.get("container", ""))
        case "Pods":
            return replicas.PodsMetric(name, aim, tuple(replicas.Sample(pod, level, NOW_S) for pod, level in named))
        case "Object":
            return replicas.ObjectMetric(name, aim, levels[0])
        case "External":
            return replicas.ExternalMetric(name, aim, () if given.get("externalMetricsApiError") else tuple(levels))
        case _:
            return replicas.UnknownMetric(kind)


def behavior(spec: Case) -> rate.Behavior | None:
    """Return an object's behavior."""
    given = spec.get("behavior")
    return None if given is None else rate.Behavior(rules(given.get("scaleUp")), rules(given.get("scaleDown")))


def by_type(given: Case, outcomes: tuple[Outcome, ...], field: str) -> dict[str, str]:
    """Return a field of the outcomes under the types of their metrics."""
    types = [metric["type"] for metric in given["spec"]["metrics"]]
    return dict(zip(types, [getattr(outcome, field) for outcome in outcomes], strict=False))


def failure(result: Reconciled) -> str:
    """Return the controller's label of a pass that met an error; a bad metric among others is internal to it."""
    return "internal" if result.message else "none"


def controller_reconcile(given: Case, expected: Case) -> None:
    """Check one pass: count, conditions, utilization and labels."""
    spec, tolerance = given["spec"], given["tolerance"]
    assert tolerance["scaleDown"] == tolerance["scaleUp"]
    controller = Controller(
        tolerance["scaleUp"],
        given["downscaleStabilizationSeconds"],
        timing(given),
        given["containerResourceMetricsEnabled"],
    )
    scaler = Autoscaler(spec["maxReplicas"], spec.get("minReplicas", 1), behavior(spec))
    metrics = [reconciled_metric(metric, given) for metric in spec["metrics"]]
    workload = replicas.Workload(NOW_S, given["scaleSpecReplicas"], given["scaleStatusReplicas"], pods(given["pods"]))
    prior = given.get("priorRecommendations")
    result = reconcile(scaler, workload, metrics, State(None if prior is None else log(prior)), controller)
    shown = [{"type": one.type, "status": str(one.is_true), "reason": one.reason} for one in result.conditions]
    got: Case = {
        "desiredReplicas": result.replica_count,
        "conditions": shown,
        "reconciliationAction": result.action,
        "reconciliationError": failure(result),
        "metricActions": by_type(given, result.outcomes, "action"),
        "metricErrors": by_type(given, result.outcomes, "failure"),
    }
    if "currentCPUUtilization" in expected:
        [found] = [one.proposal for one in result.outcomes if one.proposal and one.proposal.utilization_percent]
        got["currentCPUUtilization"] = found.utilization_percent
    assert {key: got[key] for key in expected} == expected


# --------------------------------------------------------------------------------------------------- speed and history


def convert_desired_no_behavior(given: Case, expected: Case) -> None:
    """Check the bounds without behavior."""
    limited = rate.limit(given["currentReplicas"], given["desiredReplicas"], given["minReplicas"], given["maxReplicas"])
    assert {"replicas": limited.replica_count, "limitedReason": limited.reason} == expected


def both_events(given: Case) -> rate.Events:
    """Return the events of both directions."""
    return rate.Events(events(given["scaleUpEvents"]), events(given["scaleDownEvents"]))


def convert_with_behavior_rate(given: Case, expected: Case) -> None:
    """Check the bounds and policies."""
    limited = rate.limit_rate(
        given["currentReplicas"],
        given["desiredReplicas"],
        given["minReplicas"],
        given["maxReplicas"],
        rate.complete(rate.Behavior(rules(given["scaleUp"]), rules(given["scaleDown"])), 300),
        both_events(given),
        NOW_S,
    )
    assert {"replicas": limited.replica_count, "limitedReason": limited.reason} == expected


def scale_up_limit(given: Case, expected: Case) -> None:
    """Check where the policies of scaling up end."""
    completed = rate.default_scale_up(rules(given["scaleUp"]))
    assert rate.scale_up_limit(given["currentReplicas"], both_events(given), completed, NOW_S) == expected["limit"]


def scale_down_limit(given: Case, expected: Case) -> None:
    """Check where the policies of scaling down end."""
    completed = rate.default_scale_down(rules(given["scaleDown"]))
    assert rate.scale_down_limit(given["currentReplicas"], both_events(given), completed, NOW_S) == expected["limit"]


def stabilize_downscale(given: Case, expected: Case) -> None:
    """Check the window without behavior."""
    window_s = given["downscaleStabilizationSeconds"]
    count, after = rate.stabilize_downscale(given["desiredReplicas"], log(given["recommendations"]), window_s, NOW_S)
    assert {"replicas": count, "logLength": len(after)} == expected


def stabilize_with_behavior(given: Case, expected: Case) -> None:
    """Check both windows."""
    count, after = rate.stabilize(
        given["currentReplicas"],
        given["desiredReplicas"],
        log(given["recommendations"]),
        given["scaleUpStabilizationWindowSeconds"],
        given["scaleDownStabilizationWindowSeconds"],
        NOW_S,
    )
    assert count == expected["replicas"]
    if "recommendationLog" in expected:
        assert [entry.replica_count for entry in after] == expected["recommendationLog"]


def store_scale_event(given: Case, expected: Case) -> None:
    """Check what is remembered of a change, once as a scale-up and once as a scale-down."""
    before, change, wanted = events(given["events"]), given["replicaChange"], rules(given["rules"])
    period_s = given["periodSecondsForChange"]
    assert rate.replicas_changed(period_s, before, NOW_S) == expected["replicasChangePerPeriod"]
    kept = None if wanted is None else (wanted, wanted)
    up = rate.record_change(rate.Events(up=before), 10, 10 + change, kept, NOW_S).up
    down = rate.record_change(rate.Events(down=before), 10, 10 - change, kept, NOW_S).down
    for after in (up, down):
        shown = [{"replicaChange": event.change_count, "outdated": event.is_outdated} for event in after]
        assert shown == expected["events"]


def shown_rules(completed: rate.Rules) -> Case:
    """Return rules as the cases write them."""
    policies = [{"type": one.type, "value": one.value, "periodSeconds": one.period_s} for one in completed.policies]
    return {
        "policies": policies,
        "stabilizationWindowSeconds": completed.window_s,
        "selectPolicy": completed.select,
    }


def default_scale_up_rules(given: Case, expected: Case) -> None:
    """Check the API's defaults of scaling up."""
    assert shown_rules(rate.default_scale_up(rules(given["rules"]))) == expected


def default_scale_down_rules(given: Case, expected: Case) -> None:
    """Check the API's defaults of scaling down."""
    assert shown_rules(rate.default_scale_down(rules(given["rules"]))) == expected


CHECKS: dict[str, Callable[[Case, Case], None]] = {
    check.__name__: check
    for check in (
        replica_calc, group_pods, controller_reconcile, convert_desired_no_behavior, convert_with_behavior_rate,
        scale_up_limit, scale_down_limit, stabilize_downscale, stabilize_with_behavior, store_scale_event,
        default_scale_up_rules, default_scale_down_rules,
    )
}  # fmt: skip


@needs_file
def test_every_case_of_every_kind_is_run() -> None:
    assert {kind: sum(case["kind"] == kind for case in CASES) for kind in CHECKS} == COUNTS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_conforms(case: Case) -> None:
    CHECKS[case["kind"]](case["input"], case["expected"])
