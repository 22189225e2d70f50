"""The HPA's parts and one pass of it, in tables: what a metric asks for, how fast it is followed, what is kept."""

from __future__ import annotations

import doctest
from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas import hpa, hpa_behavior, hpa_replicas
from cascade_plan.formulas.hpa import Autoscaler, Condition, Controller, State, reconcile
from cascade_plan.formulas.hpa_behavior import (
    Behavior,
    Events,
    Limited,
    Policy,
    Recommendation,
    Rules,
    ScaleEvent,
)
from cascade_plan.formulas.hpa_replicas import (
    COUNT_MAX,
    AverageValue,
    Container,
    ExternalMetric,
    Metric,
    MetricError,
    ObjectMetric,
    Pod,
    PodsMetric,
    PodUsage,
    Proposal,
    ResourceMetric,
    Sample,
    Timing,
    Tolerance,
    UnknownMetric,
    Utilization,
    Value,
    Workload,
    group_pods,
    propose,
)

NOW_S = 10_000.0
REQUEST_MILLI = 100


@pytest.mark.parametrize("module", [hpa, hpa_behavior, hpa_replicas])
def test_doctests(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert results.attempted
    assert not results.failed


def running(count: int, first: int = 0) -> tuple[Pod, ...]:
    """Pods that have run for long, with one container each."""
    return tuple(Pod(f"web-{first + rank}", containers=(Container("app", REQUEST_MILLI),)) for rank in range(count))


def starting(count: int, first: int = 90) -> tuple[Pod, ...]:
    """Pods that have run for ten seconds and are not ready."""
    return tuple(replace(pod, ready="False", started_s=NOW_S - 10) for pod in running(count, first))


def pending(count: int, first: int = 95) -> tuple[Pod, ...]:
    """Pods without a node."""
    return tuple(replace(pod, phase="Pending", ready=None, started_s=None) for pod in running(count, first))


def workload(pods: tuple[Pod, ...], count: int | None = None) -> Workload:
    """The pods under a scale of as many replicas, unless another count is given."""
    replicas = len(pods) if count is None else count
    return Workload(NOW_S, replicas, replicas, pods)


def usage(pod: Pod, milli: int | None) -> PodUsage:
    """A pod's use, all of it in its container."""
    return PodUsage(pod.name, (("app", milli),), NOW_S)


def cpu(target: int, pods: tuple[Pod, ...], *levels: int) -> ResourceMetric:
    """CPU utilization of the first pods, at these percentages."""
    pairs = zip(pods, levels, strict=False)
    return ResourceMetric("cpu", Utilization(target), tuple(usage(pod, level) for pod, level in pairs))


def rate(target: int, pods: tuple[Pod, ...], *values: int) -> PodsMetric:
    """A custom metric of the first pods."""
    pairs = zip(pods, values, strict=False)
    return PodsMetric("rate", AverageValue(target), tuple(Sample(pod.name, value, NOW_S) for pod, value in pairs))


def asked(metric: Metric, pods: tuple[Pod, ...], count: int | None = None) -> Proposal:
    """What a metric asks for with the controller's defaults."""
    return propose(metric, workload(pods, count), Tolerance(), Timing())


# -------------------------------------------------------------------------------------------------------- group_pods

SAMPLED = {"web-0": Sample("web-0", 1, NOW_S - 1, 30.0)}


@pytest.mark.parametrize(
    ("group", "pod"),
    [
        ("ready", Pod("web-0")),
        ("ready", Pod("web-0", phase="Succeeded")),
        ("missing", Pod("web-1")),
        ("ignored", Pod("web-0", is_deleted=True)),
        ("ignored", Pod("web-1", phase="Failed")),
        ("ignored", Pod("web-0", phase="Pending", is_deleted=True)),
        ("unready", Pod("web-0", phase="Pending")),
        ("unready", Pod("web-0", ready=None)),
        ("unready", Pod("web-0", started_s=None)),
        # In the first 300 s: Ready, and a whole window since.
        ("unready", Pod("web-0", ready="False", started_s=NOW_S - 299, ready_changed_s=NOW_S - 200)),
        ("unready", Pod("web-0", started_s=NOW_S - 299, ready_changed_s=NOW_S - 30)),
        ("ready", Pod("web-0", started_s=NOW_S - 299, ready_changed_s=NOW_S - 31)),
        ("ready", Pod("web-0", ready="Unknown", started_s=NOW_S - 299, ready_changed_s=NOW_S - 31)),
        # Later: unready only if it never was ready.
        ("ready", Pod("web-0", started_s=NOW_S - 300, ready_changed_s=NOW_S)),
        ("unready", Pod("web-0", ready="False", started_s=NOW_S - 300, ready_changed_s=NOW_S - 271)),
        ("ready", Pod("web-0", ready="False", started_s=NOW_S - 300, ready_changed_s=NOW_S - 270)),
    ],
)
def test_pods_are_grouped_by_what_their_cpu_is_worth(group: str, pod: Pod) -> None:
    groups = group_pods([pod], SAMPLED, "cpu", NOW_S, Timing())
    found = {name: getattr(groups, name) for name in ("unready", "missing", "ignored")}
    expected = {name: frozenset({pod.name} if name == group else ()) for name in found}
    assert found == expected
    assert groups.ready_count == (group == "ready")


@pytest.mark.parametrize("resource", ["memory", ""])
def test_readiness_matters_to_cpu_alone(resource: str) -> None:
    pod = Pod("web-0", ready="False", started_s=NOW_S - 1)
    assert group_pods([pod], SAMPLED, resource, NOW_S, Timing()).ready_count == 1


# ---------------------------------------------------------------------------------------------------------- resources

TEN = running(10)


@pytest.mark.parametrize(
    ("levels", "target", "count", "shown"),
    [
        ([50] * 10, 50, 10, 50),
        ([60] * 10, 50, 12, 60),
        ([25] * 10, 50, 5, 25),
        ([0] * 10, 50, 0, 0),
        ([100] * 10, 10, 100, 100),
        # The tolerance is closed on both sides, also where 1.1 - 1 is more than 0.1 in floats.
        ([90] * 10, 100, 10, 90),
        ([89] * 10, 100, 9, 89),
        ([110] * 10, 100, 10, 110),
        ([111] * 10, 100, 12, 111),
        # 55.9 % is 55 %, which is within; 44.9 % is 44 %, which is not.
        ([56] * 9 + [55], 50, 10, 55),
        ([45] * 9 + [44], 50, 9, 44),
    ],
)
def test_utilization_is_cut_to_whole_percent(levels: list[int], target: int, count: int, shown: int) -> None:
    mean = sum(levels) // len(levels)
    assert asked(cpu(target, TEN, *levels), TEN) == Proposal(count, shown, mean)


def test_ready_pods_are_multiplied_not_the_replicas_asked_for() -> None:
    assert asked(cpu(50, TEN, *[75] * 10), TEN, count=20).replica_count == 15


@pytest.mark.parametrize(
    ("pods", "metric", "count"),
    [
        # Growing: those without a sample use nothing.
        (running(3), cpu(50, running(3), 100, 100), 4),
        (running(3), cpu(50, running(3), 75, 75), 3),
        (running(3), cpu(50, running(3), 60, 60), 3),
        # Shrinking: they use all they request, or the target where that is more.
        (running(4), cpu(100, running(4), 10, 10, 10), 2),
        (running(2), cpu(100, running(2), 85), 2),
        (running(4), cpu(200, running(4), 10, 10, 10), 2),
        # What is filled in must not turn the direction.
        (running(2), cpu(50, running(2), 40), 2),
        (running(6), cpu(50, running(6), 60, 60, 60), 6),
        # At 100 % of target nothing is filled in.
        (running(2), cpu(50, running(2), 50), 2),
        # Starting pods: nothing when growing, left out when shrinking.
        (running(2) + starting(2), cpu(50, running(2) + starting(2), 100, 100, 90, 90), 4),
        (running(2) + starting(2), cpu(25, running(2) + starting(2), 100, 100, 90, 90), 8),
        (running(2) + starting(2), cpu(100, running(2) + starting(2), 50, 50, 90, 90), 1),
        (running(2) + starting(2), cpu(100, running(2) + starting(2), 95, 95, 0, 0), 4),
        (running(2) + pending(2), cpu(25, running(2), 100, 100), 8),
        (running(2) + pending(2), cpu(50, running(2), 100, 100), 4),
        (running(2) + pending(2), cpu(50, running(2), 80, 80), 4),
        (running(2) + pending(2), cpu(100, running(2), 50, 50), 1),
        # Ignored pods do not count at all.
        ((*running(2), replace(TEN[2], phase="Failed")), cpu(50, TEN, 100, 100, 0), 4),
        ((*running(2), replace(TEN[2], is_deleted=True)), cpu(50, TEN, 100, 100), 4),
    ],
)
def test_doubtful_pods_hold_the_count_back(pods: tuple[Pod, ...], metric: Metric, count: int) -> None:
    assert asked(metric, pods).replica_count == count


def test_more_pods_than_replicas_do_not_turn_the_direction() -> None:
    """During an update six pods exist for three replicas; counting them all would grow what is to shrink."""
    pods = running(6)
    assert asked(cpu(100, pods, 60, 60, 60, 60, 60), pods, count=3).replica_count == 3
    few = (*running(2), *pending(1))
    assert asked(cpu(50, few, 100, 100), few, count=9).replica_count == 9


@pytest.mark.parametrize(
    ("pods", "metric", "said"),
    [
        (running(1), ResourceMetric("cpu", Utilization(50), ()), "no metrics returned from resource metrics API"),
        ((), cpu(50, running(1), 50), "no pods returned by selector"),
        (starting(1), cpu(50, starting(1), 50), "pods might be unready"),
        (running(1), cpu(50, running(1, first=5), 50), "no metrics returned matched known pods"),
        ((Pod("web-0", containers=(Container("app"),)),), cpu(50, running(1), 50), "missing request for cpu in cont"),
        (running(1), UnknownMetric("CheddarCheese"), 'unknown metric source type "CheddarCheese"'),
        (running(1), PodsMetric("rate", AverageValue(1), ()), "unable to get metric rate"),
        (running(1), ObjectMetric("hits", Value(1), None), "unable to get metric hits"),
        (running(1), ExternalMetric("jobs", Value(1), ()), "unable to get external metric jobs"),
        ((), ExternalMetric("jobs", Value(1), (5,)), "no pods returned by selector"),
    ],
)
def test_a_metric_without_an_answer_says_why(pods: tuple[Pod, ...], metric: Metric, said: str) -> None:
    with pytest.raises(MetricError, match=said):
        asked(metric, pods, count=1)


@pytest.mark.parametrize(
    "metric",
    [
        cpu(0, running(1), 5),
        rate(0, running(1), 5),
        ObjectMetric("hits", Value(0), 5),
        ExternalMetric("jobs", AverageValue(-1), (5,)),
    ],
)
def test_a_target_must_be_above_0(metric: Metric) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        asked(metric, running(1))


TWO_CONTAINERS = tuple(
    Pod(f"web-{rank}", containers=(Container("app", 200), Container("proxy", 50))) for rank in range(2)
)


def two(app: int | None, proxy: int | None, container: str = "") -> ResourceMetric:
    """CPU at half the request, of pods with two containers."""
    usages = tuple(PodUsage(pod.name, (("app", app), ("proxy", proxy)), NOW_S) for pod in TWO_CONTAINERS)
    return ResourceMetric("cpu", Utilization(50), usages, container)


def test_containers_are_summed_or_named() -> None:
    assert asked(two(200, 0), TWO_CONTAINERS) == Proposal(4, 80, 200)
    assert asked(two(200, 0, "app"), TWO_CONTAINERS) == Proposal(4, 100, 200)
    assert asked(two(200, 0, "proxy"), TWO_CONTAINERS) == Proposal(0, 0, 0)
    assert asked(two(200, None, "app"), TWO_CONTAINERS) == Proposal(4, 100, 200)


def test_a_pod_with_an_unmeasured_container_has_no_sample() -> None:
    with pytest.raises(MetricError, match="did not receive metrics"):
        asked(two(200, None), TWO_CONTAINERS)
    with pytest.raises(MetricError, match="container gone not present in metrics for pod web-0"):
        asked(two(200, 0, "gone"), TWO_CONTAINERS)


def test_a_resource_can_aim_at_an_amount() -> None:
    pods = running(2) + starting(1)
    usages = tuple(usage(pod, 300) for pod in pods)
    memory = ResourceMetric("memory", AverageValue(200), usages)
    assert asked(memory, pods) == Proposal(5, average_milli=300)
    assert asked(replace(memory, resource="cpu"), pods) == Proposal(3, average_milli=300), "a starting pod counts as 0"


# ---------------------------------------------------------------------------------------------------- other metrics


@pytest.mark.parametrize(
    ("values", "target", "count", "mean"),
    [
        ([200, 200, 200], 200, 3, 200),
        ([300, 300, 301], 200, 5, 300),
        ([100, 100, 101], 200, 2, 100),
        ([400, 400], 200, 4, 400),
        ([100, 100], 200, 2, 100),
        ([150, 150], 200, 3, 150),
        ([-5, -5, -6], 200, 0, -5),
    ],
)
def test_an_average_of_pods(values: list[int], target: int, count: int, mean: int) -> None:
    """The third pod has no sample in the cases of two: on target when shrinking, 0 when growing."""
    pods = running(3)
    assert asked(rate(target, pods, *values), pods) == Proposal(count, average_milli=mean)


@pytest.mark.parametrize(
    ("total", "target", "count", "exist", "expected"),
    [
        (30_000, Value(15_000), 3, 3, Proposal(6, value_milli=30_000)),
        (16_000, Value(15_000), 3, 3, Proposal(3, value_milli=16_000)),
        (5_000, Value(15_000), 3, 3, Proposal(1, value_milli=5_000)),
        (1, Value(15_000), 0, 0, Proposal(1, value_milli=1)),
        (16_000, Value(15_000), 0, 0, Proposal(2, value_milli=16_000)),
        (0, Value(15_000), 0, 0, Proposal(0, value_milli=0)),
        (30_000, AverageValue(5_000), 3, 3, Proposal(6, average_milli=10_000)),
        (16_000, AverageValue(5_000), 3, 3, Proposal(3, average_milli=5_334)),
        (16_500, AverageValue(5_000), 3, 3, Proposal(3, average_milli=5_500)),
        (16_501, AverageValue(5_000), 3, 3, Proposal(4, average_milli=5_501)),
        (30_000, AverageValue(5_000), 3, 6, Proposal(6, average_milli=5_000)),
        (1, AverageValue(5_000), 0, 0, Proposal(1, average_milli=0)),
        (0, AverageValue(5_000), 0, 0, Proposal(0, average_milli=0)),
        (10**15, Value(1), 3, 3, Proposal(COUNT_MAX, value_milli=10**15)),
    ],
)
def test_one_amount_for_all(
    total: int, target: Value | AverageValue, count: int, exist: int, expected: Proposal
) -> None:
    load = Workload(NOW_S, count, exist, running(3))
    parts = (total // 2, total - total // 2)
    for metric in (ObjectMetric("hits", target, total), ExternalMetric("jobs", target, parts)):
        assert propose(metric, load, Tolerance(), Timing()) == expected


def test_an_amount_is_multiplied_by_pods_that_run_and_are_ready() -> None:
    pods = (*running(2), *starting(1), *pending(1), replace(Pod("done"), phase="Succeeded"))
    assert asked(ObjectMetric("hits", Value(1), 3), pods).replica_count == 6


@pytest.mark.parametrize(
    ("ratio", "down", "up", "kept"),
    [(0.9, 0.1, 0, True), (0.89, 0.1, 9, False), (1.2, 9, 0.2, True), (1.21, 9, 0.2, False), (1.0, 0, 0, True)],
)
def test_each_direction_has_a_tolerance(ratio: float, down: float, up: float, kept: bool) -> None:
    assert Tolerance(down, up).allows(ratio) is kept


# ------------------------------------------------------------------------------------------------------------ defaults

FULL = Rules((Policy("Pods", 1, 2),), "Min", 25, 0.05)


@pytest.mark.parametrize(
    ("given_rules", "up", "down"),
    [
        (
            None,
            Rules((Policy("Pods", 4, 15), Policy("Percent", 100, 15)), "Max", 0),
            Rules((Policy("Percent", 100, 15),), "Max", None),
        ),
        (FULL, FULL, FULL),
        (
            Rules(select="Disabled", tolerance=0.0),
            Rules((Policy("Pods", 4, 15), Policy("Percent", 100, 15)), "Disabled", 0, 0.0),
            Rules((Policy("Percent", 100, 15),), "Disabled", None, 0.0),
        ),
        (
            Rules(FULL.policies, window_s=0),
            Rules(FULL.policies, "Max", 0),
            Rules(FULL.policies, "Max", 0),
        ),
    ],
)
def test_gaps_in_the_rules_are_filled(given_rules: Rules | None, up: Rules, down: Rules) -> None:
    assert hpa_behavior.default_scale_up(given_rules) == up
    assert hpa_behavior.default_scale_down(given_rules) == down
    window_s = 77 if down.window_s is None else down.window_s
    assert hpa_behavior.complete(Behavior(given_rules, given_rules), 77) == (up, replace(down, window_s=window_s))


# ------------------------------------------------------------------------------------------------------- stabilization


def log(*entries: tuple[int, float]) -> tuple[Recommendation, ...]:
    """Recommendations by count and age."""
    return tuple(Recommendation(count, NOW_S - age_s) for count, age_s in entries)


@pytest.mark.parametrize(
    ("entries", "desired", "held", "kept"),
    [
        ([], 5, 5, [5]),
        ([(4, 120), (9, 60)], 3, 9, [4, 9, 3]),
        ([(9, 300)], 3, 9, [9, 3]),
        ([(9, 300.1)], 3, 3, [3]),
        ([(4, 60), (9, 400), (8, 500), (7, 10)], 3, 7, [4, 9, 3, 7]),
        ([(2, 60)], 8, 8, [2, 8]),
    ],
)
def test_without_behavior_the_highest_recommendation_counts(
    entries: list[tuple[int, float]], desired: int, held: int, kept: list[int]
) -> None:
    count, after = hpa_behavior.stabilize_downscale(desired, log(*entries), 300, NOW_S)
    assert (count, [entry.replica_count for entry in after]) == (held, kept)
    assert Recommendation(desired, NOW_S) in after


@pytest.mark.parametrize(
    ("entries", "current", "desired", "held", "kept"),
    [
        ([], 10, 5, 5, [5]),
        ([], 10, 15, 15, [15]),
        ([(12, 30)], 10, 15, 12, [12, 15]),
        ([(12, 60)], 10, 15, 15, [12, 15]),
        ([(8, 30)], 10, 15, 10, [8, 15]),
        ([(8, 299)], 10, 5, 8, [8, 5]),
        ([(8, 300)], 10, 5, 5, [8, 5]),
        ([(8, 301)], 10, 5, 5, [5]),
        ([(11, 200)], 10, 5, 10, [11, 5]),
        ([(20, 400), (7, 1), (30, 500)], 10, 15, 10, [20, 7, 15]),
    ],
)
def test_with_behavior_the_count_moves_as_far_as_both_windows_allow(
    entries: list[tuple[int, float]], current: int, desired: int, held: int, kept: list[int]
) -> None:
    count, after = hpa_behavior.stabilize(current, desired, log(*entries), 60, 300, NOW_S)
    assert (count, [entry.replica_count for entry in after]) == (held, kept)


# -------------------------------------------------------------------------------------------------------------- events


def events(*entries: tuple[int, float]) -> tuple[ScaleEvent, ...]:
    """Events by change and age."""
    return tuple(ScaleEvent(change, NOW_S - age_s) for change, age_s in entries)


def test_an_event_as_old_as_the_period_does_not_count() -> None:
    assert hpa_behavior.replicas_changed(60, events((1, 0), (2, 59.9), (4, 60), (8, 61)), NOW_S) == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [(5, False)]),
        ([(7, 60)], [(7, False), (5, False)]),
        ([(7, 61)], [(5, False)]),
        ([(7, 61), (6, 59)], [(5, False), (6, False)]),
        ([(7, 61), (9, 70), (6, 59)], [(7, True), (5, False), (6, False)]),
    ],
)
def test_a_new_event_takes_the_place_of_the_last_outdated_one(
    before: list[tuple[int, float]], after: list[tuple[int, bool]]
) -> None:
    rules = Rules((Policy("Pods", 1, 60), Policy("Percent", 1, 15)))
    found = hpa_behavior.store_event(5, events(*before), rules, NOW_S)
    assert [(event.change_count, event.is_outdated) for event in found] == after


def test_an_event_once_marked_stays_outdated() -> None:
    marked = (ScaleEvent(7, NOW_S, is_outdated=True),)
    assert hpa_behavior.store_event(5, marked, FULL, NOW_S) == (ScaleEvent(5, NOW_S),)


def test_each_direction_keeps_its_own_events() -> None:
    first = hpa_behavior.record_change(Events(), 3, 8, (FULL, FULL), NOW_S)
    assert first == Events(up=(ScaleEvent(5, NOW_S),))
    second = hpa_behavior.record_change(first, 8, 6, (FULL, FULL), NOW_S)
    assert second == Events(first.up, (ScaleEvent(2, NOW_S),))
    assert hpa_behavior.record_change(second, 6, 9, None, NOW_S) is second


# -------------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("current", "desired", "limited"),
    [
        (5, 7, Limited(7, "DesiredWithinRange")),
        (5, 2, Limited(3, "TooFewReplicas")),
        (5, 20, Limited(10, "ScaleUpLimit")),
        (7, 20, Limited(12, "TooManyReplicas")),
        (6, 20, Limited(12, "TooManyReplicas")),
        (3, 12, Limited(6, "ScaleUpLimit")),
        (1, 9, Limited(4, "ScaleUpLimit")),
    ],
)
def test_without_behavior_at_most_twice_as_many(current: int, desired: int, limited: Limited) -> None:
    assert hpa_behavior.limit(current, desired, 3, 12) == limited


def up_to(*policies: Policy, select: hpa_behavior.Select = "Max") -> Rules:
    """Rules of these policies."""
    return Rules(policies, select, 0)


@pytest.mark.parametrize(
    ("rules", "changed", "up", "down"),
    [
        (up_to(Policy("Pods", 4, 60)), Events(), 14, 6),
        (up_to(Policy("Percent", 25, 60)), Events(), 13, 7),
        (up_to(Policy("Percent", 100, 60)), Events(), 20, 0),
        (up_to(Policy("Percent", 150, 60)), Events(), 25, -5),
        (up_to(Policy("Pods", 4, 60), Policy("Percent", 25, 60)), Events(), 14, 6),
        (up_to(Policy("Pods", 4, 60), Policy("Percent", 25, 60), select="Min"), Events(), 13, 7),
        (up_to(Policy("Pods", 4, 60), select="Disabled"), Events(), 10, 10),
        (up_to(Policy("Pods", 4, 60)), Events(up=events((3, 59))), 11, 3),
        (up_to(Policy("Pods", 4, 60)), Events(up=events((3, 60))), 14, 6),
        (up_to(Policy("Pods", 4, 60)), Events(down=events((3, 59))), 17, 9),
        (up_to(Policy("Pods", 4, 60)), Events(events((6, 1)), events((1, 1))), 9, 1),
        (up_to(Policy("Pods", 4, 60), Policy("Pods", 1, 120)), Events(up=events((3, 90))), 14, 6),
        (up_to(Policy("Percent", 30, 60)), Events(up=events((3, 1))), 10, 4),
    ],
)
def test_policies_count_from_where_their_period_began(rules: Rules, changed: Events, up: int, down: int) -> None:
    assert hpa_behavior.scale_up_limit(10, changed, rules, NOW_S) == up
    assert hpa_behavior.scale_down_limit(10, changed, rules, NOW_S) == down


@pytest.mark.parametrize(
    ("desired", "changed", "limited"),
    [
        (10, Events(), Limited(10, "DesiredWithinRange")),
        (13, Events(), Limited(13, "DesiredWithinRange")),
        (15, Events(), Limited(14, "ScaleUpLimit")),
        (15, Events(up=events((6, 1))), Limited(10, "ScaleUpLimit")),
        (40, Events(down=events((20, 1))), Limited(30, "TooManyReplicas")),
        (7, Events(), Limited(7, "DesiredWithinRange")),
        (5, Events(), Limited(6, "ScaleDownLimit")),
        (5, Events(down=events((6, 1))), Limited(10, "ScaleDownLimit")),
        (1, Events(up=events((6, 1))), Limited(2, "TooFewReplicas")),
    ],
)
def test_with_behavior_at_most_what_the_policies_reach(desired: int, changed: Events, limited: Limited) -> None:
    rules = up_to(Policy("Pods", 4, 60))
    assert hpa_behavior.limit_rate(10, desired, 2, 30, (rules, rules), changed, NOW_S) == limited


def test_where_a_bound_and_a_policy_meet_the_bound_is_named() -> None:
    rules = up_to(Policy("Pods", 4, 60))
    up = hpa_behavior.limit_rate(10, 15, 6, 14, (rules, rules), Events(), NOW_S)
    down = hpa_behavior.limit_rate(10, 5, 6, 14, (rules, rules), Events(), NOW_S)
    assert (up, down) == (Limited(14, "TooManyReplicas"), Limited(6, "TooFewReplicas"))


counts = st.integers(0, 60)
drawn = st.builds(
    Rules,
    st.lists(
        st.builds(Policy, st.sampled_from(("Pods", "Percent")), st.integers(1, 300), st.integers(1, 90)),
        min_size=1,
        max_size=3,
    ).map(tuple),
    st.sampled_from(("Max", "Min", "Disabled")),
    st.integers(0, 90),
)
logs = st.lists(st.tuples(counts, st.integers(0, 200)), max_size=5).map(lambda entries: log(*entries))


@given(counts, counts, logs, st.integers(0, 200), st.integers(0, 200))
def test_stabilization_never_passes_the_desired_count_nor_turns(
    current: int, desired: int, past: tuple[Recommendation, ...], up_s: int, down_s: int
) -> None:
    held, after = hpa_behavior.stabilize(current, desired, past, up_s, down_s, NOW_S)
    assert min(current, desired) <= held <= max(current, desired)
    assert len(past) <= len(after) <= len(past) + 1
    if not up_s and not down_s:
        assert held == desired


@given(st.integers(1, 60), counts, st.integers(1, 60), st.integers(0, 60), drawn, drawn, st.data())
def test_limits_never_pass_the_desired_count_nor_the_bounds(
    current: int, desired: int, low: int, room: int, up: Rules, down: Rules, data: st.DataObject
) -> None:
    changed = Events(*(events(*data.draw(st.lists(st.tuples(counts, counts), max_size=4))) for _ in range(2)))
    current, high = max(current, low), max(current, low) + room
    limited = hpa_behavior.limit_rate(current, desired, low, high, (up, down), changed, NOW_S)
    assert low <= limited.replica_count <= high or desired == current
    if low <= desired <= high:
        assert min(current, desired) <= limited.replica_count <= max(current, desired)
    assert (limited.reason == "DesiredWithinRange") == (limited.replica_count == desired)


# ------------------------------------------------------------------------------------------------------------ one pass

READY = Condition("AbleToScale", True, "ReadyForNewScale")
SCALED = Condition("AbleToScale", True, "SucceededRescale")
FOUND = Condition("AbleToScale", True, "SucceededGetScale")
ACTIVE = Condition("ScalingActive", True, "ValidMetricFound")
WITHIN = Condition("ScalingLimited", False, "DesiredWithinRange")
FRESH = State(log=())
FAILED = UnknownMetric("CheddarCheese")


def hits(total: int) -> ExternalMetric:
    """A metric that asks for one pod for each."""
    return ExternalMetric("hits", AverageValue(1000), (total * 1000,))


def run(spec: Autoscaler, count: int, *metrics: Metric, state: State = FRESH) -> hpa.Reconciled:
    """One pass over a workload of ready pods, with the controller's defaults."""
    return reconcile(spec, workload(running(count)), metrics, state, Controller())


@pytest.mark.parametrize(
    ("spec", "wanted", "count", "action", "conditions"),
    [
        (Autoscaler(20), 10, 10, "none", (READY, ACTIVE, WITHIN)),
        (Autoscaler(20), 15, 15, "scale_up", (SCALED, ACTIVE, WITHIN)),
        (Autoscaler(20), 5, 5, "scale_down", (SCALED, ACTIVE, WITHIN)),
        (Autoscaler(50), 40, 20, "scale_up", (SCALED, ACTIVE, Condition("ScalingLimited", True, "ScaleUpLimit"))),
        (Autoscaler(12), 40, 12, "scale_up", (SCALED, ACTIVE, Condition("ScalingLimited", True, "TooManyReplicas"))),
        (Autoscaler(20, 8), 5, 8, "scale_down", (SCALED, ACTIVE, Condition("ScalingLimited", True, "TooFewReplicas"))),
        (Autoscaler(20, 0), 0, 0, "scale_down", (SCALED, ACTIVE, WITHIN)),
        (Autoscaler(9), 15, 9, "scale_down", (SCALED,)),
        (Autoscaler(20, 11), 5, 11, "scale_up", (SCALED,)),
        (Autoscaler(50, behavior=Behavior()), 25, 20, "scale_up",
         (SCALED, ACTIVE, Condition("ScalingLimited", True, "ScaleUpLimit"))),
        (Autoscaler(50, behavior=Behavior(scale_down=up_to(Policy("Pods", 2, 60)))), 5, 8, "scale_down",
         (SCALED, ACTIVE, Condition("ScalingLimited", True, "ScaleDownLimit"))),
    ],
)  # fmt: skip
def test_a_pass_over_ten_pods(
    spec: Autoscaler, wanted: int, count: int, action: str, conditions: tuple[Condition, ...]
) -> None:
    result = run(spec, 10, hits(wanted))
    assert (result.replica_count, result.action, result.conditions) == (count, action, conditions)
    assert result.message == ""


def test_three_pods_may_become_six_or_with_behavior_seven() -> None:
    assert run(Autoscaler(20), 3, hits(20)).replica_count == 6
    assert run(Autoscaler(20, behavior=Behavior()), 3, hits(20)).replica_count == 7


def test_a_first_pass_does_not_shrink() -> None:
    for behavior, reason in ((None, "ScaleDownStabilized"), (Behavior(), "ScaleDownStabilized")):
        result = run(Autoscaler(20, behavior=behavior), 10, hits(5), state=State())
        assert result.replica_count == 10
        assert result.conditions[0] == Condition("AbleToScale", True, reason)
        assert [entry.replica_count for entry in result.state.log or ()] == [10, 5]


def test_a_window_holds_growth_back() -> None:
    spec = Autoscaler(20, behavior=Behavior(Rules(window_s=60)))
    result = run(spec, 10, hits(15), state=State(log((12, 30))))
    assert (result.replica_count, result.conditions[0].reason) == (12, "SucceededRescale")
    held = run(spec, 10, hits(15), state=State(log((9, 30))))
    assert (held.replica_count, held.conditions[0].reason) == (10, "ScaleUpStabilized")


def test_a_count_of_0_with_a_minimum_means_off() -> None:
    result = run(Autoscaler(20), 0, hits(5))
    assert (result.replica_count, result.action) == (0, "none")
    assert result.conditions == (FOUND, Condition("ScalingActive", False, "ScalingDisabled"))


def test_from_0_without_a_minimum() -> None:
    assert run(Autoscaler(20, 0), 0, hits(3)).replica_count == 3
    assert run(Autoscaler(20, 0), 0, hits(0)).replica_count == 0


def test_only_behavior_remembers_changes() -> None:
    assert run(Autoscaler(20), 10, hits(15)).state.events == Events()
    grown = run(Autoscaler(20, behavior=Behavior()), 10, hits(15)).state.events
    assert grown == Events(up=(ScaleEvent(5, NOW_S),))
    bounded = run(Autoscaler(9, behavior=Behavior()), 10, hits(15))
    assert bounded.state.events == Events(down=(ScaleEvent(1, NOW_S),))
    assert bounded.state.log == (), "what a bound decides is no recommendation"


@pytest.mark.parametrize(
    ("metrics", "count", "failure"),
    [
        ((hits(12), hits(15), hits(11)), 15, ""),
        ((hits(5), hits(8)), 8, ""),
        ((hits(15), FAILED), 15, "1 invalid out of 2"),
        ((FAILED, hits(10)), 10, "1 invalid out of 2"),
        ((FAILED, hits(5)), 10, "1 invalid out of 2"),
        ((FAILED, hits(5), FAILED), 10, "2 invalid out of 3"),
        ((FAILED,), 10, "1 invalid out of 1"),
        ((), 10, ""),
    ],
)
def test_the_largest_proposal_wins_and_a_failure_forbids_shrinking(
    metrics: tuple[Metric, ...], count: int, failure: str
) -> None:
    result = run(Autoscaler(20), 10, *metrics)
    assert result.replica_count == count
    assert (failure in result.message) if failure else not result.message


def test_a_failure_beside_a_metric_that_is_content_is_no_obstacle() -> None:
    result = run(Autoscaler(20), 10, FAILED, hits(10))
    assert result.conditions == (READY, ACTIVE, WITHIN)
    assert result.state.log == log((10, 0))


@pytest.mark.parametrize(
    ("metric", "reason", "failure"),
    [
        (FAILED, "InvalidMetricSourceType", "spec"),
        (ResourceMetric("cpu", Utilization(50), ()), "FailedGetResourceMetric", "internal"),
        (ResourceMetric("cpu", Utilization(50), (), "app"), "FailedGetContainerResourceMetric", "internal"),
        (PodsMetric("rate", AverageValue(1), ()), "FailedGetPodsMetric", "internal"),
        (ObjectMetric("hits", Value(1), None), "FailedGetObjectMetric", "internal"),
        (ExternalMetric("jobs", Value(1), ()), "FailedGetExternalMetric", "internal"),
    ],
)
def test_the_first_failure_is_the_condition(metric: Metric, reason: str, failure: str) -> None:
    result = run(Autoscaler(20), 3, metric, FAILED)
    assert result.conditions == (FOUND, Condition("ScalingActive", False, reason))
    assert (result.outcomes[0].failure, result.outcomes[0].action) == (failure, "none")
    assert result.outcomes[0].message in result.message
    assert result.state.log == (), "nothing was recommended"


def test_container_metrics_can_be_switched_off() -> None:
    metric = two(200, 0, "app")
    load = workload(TWO_CONTAINERS)
    assert reconcile(Autoscaler(9), load, [metric], FRESH, Controller()).replica_count == 4
    off = reconcile(Autoscaler(9), load, [metric], FRESH, Controller(has_container_resource=False))
    assert (off.replica_count, off.conditions) == (2, (FOUND,))
    assert "disabled by the feature gate" in off.message


def test_outcomes_tell_each_metric_s_way() -> None:
    result = run(Autoscaler(20), 10, hits(5), hits(10), hits(12))
    assert [outcome.action for outcome in result.outcomes] == ["scale_down", "none", "scale_up"]


def test_tolerance_comes_from_the_direction_s_rules_or_the_controller() -> None:
    spec = Autoscaler(20, behavior=Behavior(Rules(tolerance=0.5), Rules(tolerance=0.0)))
    assert hpa.tolerance_of(spec, Controller(0.2)) == Tolerance(scale_down=0.0, scale_up=0.5)
    assert hpa.tolerance_of(Autoscaler(20, behavior=Behavior(Rules())), Controller(0.2)) == Tolerance(0.2, 0.2)
    assert hpa.tolerance_of(Autoscaler(20), Controller()) == Tolerance()
    assert run(spec, 10, hits(15)).replica_count == 10
    assert run(spec, 10, hits(9)).replica_count == 9


def test_less_than_nothing_is_nothing() -> None:
    result = run(Autoscaler(20, 2), 3, rate(10, running(3), -50, -50, -50))
    assert result.replica_count == 2
    assert result.state.log == log((0, 0))
