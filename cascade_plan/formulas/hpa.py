"""One pass of the HorizontalPodAutoscaler's control loop: replicas, metrics and history in, replicas and history out.

The parts are in hpa_replicas (what a metric asks for) and hpa_behavior (how fast the count may follow). Here they meet
as in the controller: the largest proposal wins, a metric that fails forbids scaling down, then windows, policies and
bounds apply. Pure: the caller keeps `State` between passes and knows the time.

Source: Kubernetes v1.28 pkg/controller/podautoscaler/horizontal.go (reconcileAutoscaler, computeReplicasForMetrics,
normalizeDesiredReplicas[WithBehaviors]); the tolerance of each direction from v1.33.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from cascade_plan.formulas import hpa_behavior
from cascade_plan.formulas.hpa_behavior import Behavior, Events, Limited, Recommendation
from cascade_plan.formulas.hpa_replicas import (
    ExternalMetric,
    Metric,
    MetricError,
    ObjectMetric,
    PodsMetric,
    Proposal,
    ResourceMetric,
    Timing,
    Tolerance,
    UnknownMetric,
    Workload,
    propose,
)

Action = Literal["none", "scale_up", "scale_down"]
Failure = Literal["none", "internal", "spec"]
"""The controller's own labels: `spec` when the object is at fault."""

GATED: Final = "ContainerResource metric type is not supported: disabled by the feature gate"


@dataclass(frozen=True, slots=True)
class Controller:
    """The flags of kube-controller-manager, at their defaults."""

    tolerance: float = 0.1
    downscale_window_s: int = 300
    timing: Timing = field(default_factory=Timing)
    has_container_resource: bool = True
    """The feature gate HPAContainerMetrics, on by default since 1.27."""


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """The object's bounds and behavior; without `behavior` the controller takes its older way."""

    replica_count_max: int
    replica_count_min: int = 1
    behavior: Behavior | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What the controller remembers of one autoscaler. No log yet (None) makes the first pass record what it finds."""

    log: tuple[Recommendation, ...] | None = None
    events: Events = field(default_factory=Events)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of the object's status that this pass has set."""

    type: Literal["AbleToScale", "ScalingActive", "ScalingLimited"]
    is_true: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one metric came to: its proposal, or why there is none."""

    metric: Metric
    proposal: Proposal | None
    action: Action
    failure: Failure = "none"
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The result of a pass. `replica_count` is what the target's scale is now."""

    replica_count: int
    action: Action
    conditions: tuple[Condition, ...]
    outcomes: tuple[Outcome, ...]
    message: str
    """The first metric's failure, also when the others sufficed; "" without one."""
    state: State


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the metrics want together; the count is None when they cannot say."""

    replica_count: int | None
    active: Condition | None
    outcomes: tuple[Outcome, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Tempered:
    """A count after windows, policies and bounds."""

    limited: Limited
    able: str
    is_limited: bool
    log: tuple[Recommendation, ...]


def reconcile(
    spec: Autoscaler, workload: Workload, metrics: Sequence[Metric], state: State, controller: Controller
) -> Reconciled:
    """Return the replicas, conditions and new state after one pass; `metrics` are the object's, in its order.

    A count outside the bounds is set to the bound without a look at the metrics; a count of 0 with a minimum above 0
    means that autoscaling is off. Raises: ValueError when a metric's target is not above 0.

    >>> from cascade_plan.formulas.hpa_replicas import Value
    >>> queue = ExternalMetric("jobs", Value(30_000), (66_000,))
    >>> from cascade_plan.formulas.hpa_replicas import Pod
    >>> three = Workload(0.0, 3, 3, tuple(Pod(f"web-{i}") for i in range(3)))
    >>> reconcile(Autoscaler(10), three, [queue], State(), Controller()).replica_count
    6
    """
    current, low = workload.spec_replica_count, spec.replica_count_min
    log = (Recommendation(current, workload.now_s),) if state.log is None else state.log
    state = State(log, state.events)
    able = Condition("AbleToScale", True, "SucceededGetScale")
    if current == 0 and low != 0:
        off = Condition("ScalingActive", False, "ScalingDisabled")
        return Reconciled(0, "none", (able, off), (), "", state)
    if not low <= current <= spec.replica_count_max:
        bound = spec.replica_count_max if current > spec.replica_count_max else low
        return _rescaled(spec, workload, bound, state, controller, _Wanted(None, None), ())
    wanted = _wanted(metrics, workload, tolerance_of(spec, controller), controller)
    if wanted.replica_count is None:
        inactive = (able, wanted.active) if wanted.active else (able,)
        return Reconciled(current, "none", inactive, wanted.outcomes, _first_failure(wanted), state)
    tempered = _tempered(spec, workload, wanted.replica_count, state, controller)
    limited = Condition("ScalingLimited", tempered.is_limited, tempered.limited.reason)
    state, count = State(tempered.log, state.events), tempered.limited.replica_count
    if count != current:
        return _rescaled(spec, workload, count, state, controller, wanted, (limited,))
    conditions = tuple(part for part in (Condition("AbleToScale", True, tempered.able), wanted.active, limited) if part)
    return Reconciled(current, "none", conditions, wanted.outcomes, _first_failure(wanted), state)


def _rescaled(
    spec: Autoscaler, workload: Workload, count: int, state: State, controller: Controller, wanted: _Wanted,
    limits: tuple[Condition, ...],
) -> Reconciled:  # fmt: skip
    """Return the result of setting a new count; only an object with `behavior` remembers the change."""
    current = workload.spec_replica_count
    behavior, window_s = spec.behavior, controller.downscale_window_s
    rules = None if behavior is None else hpa_behavior.complete(behavior, window_s)
    events = hpa_behavior.record_change(state.events, current, count, rules, workload.now_s)
    able = Condition("AbleToScale", True, "SucceededRescale")
    conditions = tuple(part for part in (able, wanted.active, *limits) if part)
    return Reconciled(
        count, _action(count, current), conditions, wanted.outcomes, _first_failure(wanted), State(state.log, events)
    )


def _action(count: int, current: int) -> Action:
    """Return which way a count leads."""
    if count == current:
        return "none"
    return "scale_up" if count > current else "scale_down"


def tolerance_of(spec: Autoscaler, controller: Controller) -> Tolerance:
    """Return the tolerance of each direction: the behavior's where it has one, else the controller's."""
    behavior = spec.behavior or Behavior()
    down, up = (
        controller.tolerance if rules is None or rules.tolerance is None else rules.tolerance
        for rules in (behavior.scale_down, behavior.scale_up)
    )
    return Tolerance(down, up)


# ------------------------------------------------------------------------------------------------------------- metrics


def _wanted(metrics: Sequence[Metric], workload: Workload, tolerance: Tolerance, controller: Controller) -> _Wanted:
    """Return the largest proposal. No count when all metrics failed, or when one failed and the rest would scale down:

    the metric that failed might be the one that needs the pods.
    """
    outcomes = tuple(_outcome(metric, workload, tolerance, controller) for metric in metrics)
    counts = [outcome.proposal.replica_count for outcome in outcomes if outcome.proposal]
    failed = [outcome for outcome in outcomes if not outcome.proposal]
    if not counts or (failed and max(counts) < workload.spec_replica_count):
        return _Wanted(None, _inactive(failed[0]) if failed else None, outcomes)
    # Samples below 0 can ask for fewer than no pods.
    return _Wanted(max(0, *counts), Condition("ScalingActive", True, "ValidMetricFound"), outcomes)


def _outcome(metric: Metric, workload: Workload, tolerance: Tolerance, controller: Controller) -> Outcome:
    """Return one metric's proposal, or its failure."""
    try:
        if isinstance(metric, ResourceMetric) and metric.container and not controller.has_container_resource:
            raise MetricError(GATED)
        proposal = propose(metric, workload, tolerance, controller.timing)
    except MetricError as error:
        failure: Failure = "spec" if isinstance(metric, UnknownMetric) else "internal"
        return Outcome(metric, None, "none", failure, str(error))
    return Outcome(metric, proposal, _action(proposal.replica_count, workload.spec_replica_count))


def _inactive(outcome: Outcome) -> Condition | None:
    """Return the condition of a metric's failure; a feature that is off has none."""
    match outcome.metric:
        case ResourceMetric(container=container):
            reason = "FailedGetContainerResourceMetric" if container else "FailedGetResourceMetric"
        case PodsMetric():
            reason = "FailedGetPodsMetric"
        case ObjectMetric():
            reason = "FailedGetObjectMetric"
        case ExternalMetric():
            reason = "FailedGetExternalMetric"
        case UnknownMetric():
            reason = "InvalidMetricSourceType"
    return None if outcome.message == GATED else Condition("ScalingActive", False, reason)


def _first_failure(wanted: _Wanted) -> str:
    """Return the first failure's text, with how many of the metrics failed; "" when none did."""
    failed = [outcome.message for outcome in wanted.outcomes if not outcome.proposal]
    if not failed:
        return ""
    return f"invalid metrics ({len(failed)} invalid out of {len(wanted.outcomes)}), first error is: {failed[0]}"


# ----------------------------------------------------------------------------------------------------------- tempering


def _tempered(spec: Autoscaler, workload: Workload, desired: int, state: State, controller: Controller) -> _Tempered:
    """Return the desired count held back by windows, policies and bounds."""
    current, now_s, log = workload.spec_replica_count, workload.now_s, state.log or ()
    low, high = spec.replica_count_min, spec.replica_count_max
    if spec.behavior is None:
        held, log = hpa_behavior.stabilize_downscale(desired, log, controller.downscale_window_s, now_s)
        limited = hpa_behavior.limit(current, held, low, high)
        reason = "ScaleDownStabilized"
    else:
        up, down = hpa_behavior.complete(spec.behavior, controller.downscale_window_s)
        held, log = hpa_behavior.stabilize(current, desired, log, up.window_s or 0, down.window_s or 0, now_s)
        limited = hpa_behavior.limit_rate(current, held, low, high, (up, down), state.events, now_s)
        reason = "ScaleUpStabilized" if desired >= current else "ScaleDownStabilized"
    able = "ReadyForNewScale" if held == desired else reason
    return _Tempered(limited, able, limited.replica_count != held, log)
