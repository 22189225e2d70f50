"""How many replicas one metric of a HorizontalPodAutoscaler asks for, as the controller computes it.

Amounts are integers in thousandths of their unit ("milli"), as the controller reads every quantity; times are seconds
on one clock of the caller's, in floats; counts are pods. Divisions of integers truncate toward zero, as in Go. What
would overflow 32 bits there is cut off at 2^31 - 1 here.

Source: Kubernetes v1.28 pkg/controller/podautoscaler/{replica_calculator,metrics/utilization,metrics/client}.go; the
tolerance of each direction from v1.33.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

COUNT_MAX: Final = 2**31 - 1
CPU: Final = "cpu"


class MetricError(Exception):
    """A metric has no answer: no samples, no matching pods, a request missing. The text is the controller's."""


# -------------------------------------------------------------------------------------------------------- what is seen


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod and its request of the resource that is scaled on."""

    name: str
    request_milli: int | None = None
    """None where the container requests none."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as the controller's cache has it."""

    name: str
    phase: Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"] = "Running"
    ready: Literal["True", "False", "Unknown"] | None = "True"
    """Status of the Ready condition; None without the condition."""
    started_s: float | None = 0.0
    """When the kubelet took the pod; None before."""
    ready_changed_s: float = 0.0
    """When the Ready condition last changed."""
    is_deleted: bool = False
    containers: tuple[Container, ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """What is scaled, at one moment: the replicas asked for, those that exist, and their pods."""

    now_s: float
    spec_replica_count: int
    status_replica_count: int
    pods: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One pod's value of a metric, measured over a window that ended at `measured_s`."""

    pod: str
    value_milli: int
    measured_s: float = 0.0
    window_s: float = 60.0


@dataclass(frozen=True, slots=True)
class PodUsage:
    """One pod's use of a resource by container, as the resource metrics API has it; None where it was not measured."""

    pod: str
    container_milli: tuple[tuple[str, int | None], ...]
    measured_s: float = 0.0
    window_s: float = 60.0


# --------------------------------------------------------------------------------------------------- what is scaled on


@dataclass(frozen=True, slots=True)
class Utilization:
    """Aim at a share of what the pods request."""

    percent: int


@dataclass(frozen=True, slots=True)
class AverageValue:
    """Aim at an amount for each pod."""

    milli: int


@dataclass(frozen=True, slots=True)
class Value:
    """Aim at an amount, whatever the number of pods."""

    milli: int


@dataclass(frozen=True, slots=True)
class ResourceMetric:
    """A resource of the pods, or of one container in each when `container` names one, and its present usage."""

    resource: str
    target: Utilization | AverageValue
    usages: tuple[PodUsage, ...]
    container: str = ""


@dataclass(frozen=True, slots=True)
class PodsMetric:
    """A custom metric of each pod and its present samples."""

    name: str
    target: AverageValue
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class ObjectMetric:
    """A custom metric of one object of the cluster; None when the metrics API has no answer."""

    name: str
    target: Value | AverageValue
    value_milli: int | None


@dataclass(frozen=True, slots=True)
class ExternalMetric:
    """A metric from outside the cluster, the sum of its series; no series when the metrics API has no answer."""

    name: str
    target: Value | AverageValue
    values_milli: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnknownMetric:
    """A metric of a source type that the controller does not know."""

    type: str


Metric = ResourceMetric | PodsMetric | ObjectMetric | ExternalMetric | UnknownMetric


# ----------------------------------------------------------------------------------------------------- what comes back


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a ratio of usage to target may stray from 1 before anything is done; 0.1 is a tenth."""

    scale_down: float = 0.1
    scale_up: float = 0.1

    def allows(self, ratio: float) -> bool:
        """Return whether a ratio is left alone: 1 - down <= ratio <= 1 + up, both ends within."""
        return 1.0 - self.scale_down <= ratio <= 1.0 + self.scale_up


@dataclass(frozen=True, slots=True)
class Timing:
    """The flags of kube-controller-manager that say when a pod's CPU counts, at their defaults."""

    cpu_initialization_s: float = 300.0
    initial_readiness_delay_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Groups:
    """Pods by what their metric is worth; `ready_count` are the pods that count in full."""

    ready_count: int
    unready: frozenset[str]
    missing: frozenset[str]
    ignored: frozenset[str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The replicas a metric asks for and what it showed; a figure that its target type does not have is None."""

    replica_count: int
    utilization_percent: int | None = None
    average_milli: int | None = None
    value_milli: int | None = None


# ------------------------------------------------------------------------------------------------------------ the pods


def group_pods(
    pods: Sequence[Pod], samples: Mapping[str, Sample], resource: str, now_s: float, timing: Timing
) -> Groups:
    """Return which pods count. Only CPU looks at readiness: a starting pod's CPU is the start's, not the load's.

    Deleted and failed pods are ignored, pending ones unready, those without a sample missing.
    """
    ready_count = 0
    unready, missing, ignored = set(), set(), set()
    for pod in pods:
        if pod.is_deleted or pod.phase == "Failed":
            ignored.add(pod.name)
        elif pod.phase == "Pending":
            unready.add(pod.name)
        elif pod.name not in samples:
            missing.add(pod.name)
        elif resource == CPU and _cpu_misleads(pod, samples[pod.name], now_s, timing):
            unready.add(pod.name)
        else:
            ready_count += 1
    return Groups(ready_count, frozenset(unready), frozenset(missing), frozenset(ignored))


def _cpu_misleads(pod: Pod, sample: Sample, now_s: float, timing: Timing) -> bool:
    """Return whether a pod's CPU sample may be that of its start.

    Within the initialization period: while not Ready, or until a whole window was measured after the last change.
    Later: only if it is not Ready and never was (it lost readiness at once after its start).
    """
    if pod.ready is None or pod.started_s is None:
        return True
    if pod.started_s + timing.cpu_initialization_s > now_s:
        return pod.ready == "False" or sample.measured_s < pod.ready_changed_s + sample.window_s
    return pod.ready == "False" and pod.started_s + timing.initial_readiness_delay_s > pod.ready_changed_s


def pod_samples(metric: ResourceMetric) -> tuple[Sample, ...]:
    """Return one sample a pod: the sum over its containers, or the named container's value.

    A pod with a container that was not measured has no sample. Raises: MetricError when the API returned nothing, or
    a pod that has not the named container.
    """
    prefix = f"unable to get metrics for resource {metric.resource}"
    if not metric.usages:
        raise MetricError(f"{prefix}: no metrics returned from resource metrics API")
    found = []
    for usage in metric.usages:
        values = [milli for name, milli in usage.container_milli if metric.container in ("", name)]
        if metric.container and not values:
            detail = f"container {metric.container} not present in metrics for pod {usage.pod}"
            raise MetricError(f"{prefix}: failed to get container metrics: {detail}")
        known = [milli for milli in values if milli is not None]
        if values and len(known) == len(values):
            found.append(Sample(usage.pod, sum(known), usage.measured_s, usage.window_s))
    return tuple(found)


def pod_requests(pods: Sequence[Pod], resource: str, container: str = "") -> dict[str, int]:
    """Return each pod's request in thousandths, of all containers or of the named one (0 for a pod without it).

    Raises: MetricError naming the first container that requests none: a share of nothing is no utilization.
    """
    requests = {}
    for pod in pods:
        total = 0
        for part in pod.containers:
            if container in ("", part.name):
                if part.request_milli is None:
                    raise MetricError(f"missing request for {resource} in container {part.name} of Pod {pod.name}")
                total += part.request_milli
        requests[pod.name] = total
    return requests


# ------------------------------------------------------------------------------------------------------ the arithmetic


def truncated(dividend: int, divisor: int) -> int:
    """Return the quotient of two integers without its fraction, as Go divides (Python rounds down)."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def whole(replicas: float) -> int:
    """Return a computed count rounded up to whole pods, at most 2^31 - 1."""
    return COUNT_MAX if replicas > COUNT_MAX else ceil(replicas)


def _ratio(usage: float, target: int) -> float:
    """Return usage over target. Raises: ValueError unless the target is above 0."""
    if target <= 0:
        raise ValueError(f"the target of a metric must be above 0, not {target}")
    return usage / target


def _utilization(values: Mapping[str, int], requests: Mapping[str, int]) -> tuple[int, int]:
    """Return the pods' usage as a whole percentage of their requests, cut off, and the mean usage in thousandths.

    Samples of pods that are not known have no request and do not count. Raises: MetricError when none is known.
    """
    known = [pod for pod in values if pod in requests]
    used, requested = sum(values[pod] for pod in known), sum(requests[pod] for pod in known)
    if requested == 0:
        raise MetricError("no metrics returned matched known pods")
    return truncated(used * 100, requested), truncated(used, len(known))


def _average(values: Mapping[str, int]) -> int:
    """Return the mean of the samples in thousandths, cut off."""
    return truncated(sum(values.values()), len(values))


@dataclass(frozen=True, slots=True)
class _Measured:
    """The samples that count, their groups, and how a set of samples compares with the target."""

    values: Mapping[str, int]
    groups: Groups
    ratio: Callable[[Mapping[str, int]], float]
    fallback: Callable[[str], int]
    """What a missing pod is taken to use when scaling down."""


def _asked(measured: _Measured, current: int, tolerance: Tolerance) -> int:
    """Return the replicas that the pods' samples ask for, with doubts settled against moving.

    Without doubtful pods: ceil(ratio x ready pods), or `current` within the tolerance. Missing pods count as using
    their fallback when scaling down and nothing when scaling up; unready pods count as using nothing when scaling up.
    With them the ratio is computed anew; where it now says nothing or the opposite, `current` stays.
    """
    groups, values = measured.groups, dict(measured.values)
    ratio = measured.ratio(values)
    up_with_unready = bool(groups.unready) and ratio > 1.0
    if not up_with_unready and not groups.missing:
        return current if tolerance.allows(ratio) else whole(ratio * groups.ready_count)
    if ratio < 1.0:
        values |= {pod: measured.fallback(pod) for pod in groups.missing}
    elif ratio > 1.0:
        values |= dict.fromkeys(groups.missing, 0)
    if up_with_unready:
        values |= dict.fromkeys(groups.unready, 0)
    anew = measured.ratio(values)
    if tolerance.allows(anew) or (ratio < 1.0 < anew) or (anew < 1.0 < ratio):
        return current
    count = whole(anew * len(values))
    against = (anew < 1.0 and count > current) or (anew > 1.0 and count < current)
    return current if against else count


def _counted(
    samples: Sequence[Sample], workload: Workload, resource: str, timing: Timing
) -> tuple[dict[str, int], Groups]:
    """Return the samples of pods that are neither ignored nor unready, and the groups. Raises: MetricError if none."""
    if not workload.pods:
        raise MetricError("no pods returned by selector while calculating replica count")
    by_pod = {sample.pod: sample for sample in samples}
    groups = group_pods(workload.pods, by_pod, resource, workload.now_s, timing)
    left_out = groups.ignored | groups.unready
    values = {pod: sample.value_milli for pod, sample in by_pod.items() if pod not in left_out}
    if not values:
        raise MetricError("did not receive metrics for targeted pods (pods might be unready)")
    return values, groups


# ----------------------------------------------------------------------------------------------------------- by metric


def _from_utilization(
    metric: ResourceMetric, percent: int, workload: Workload, tolerance: Tolerance, timing: Timing
) -> Proposal:
    """Return what a target utilization asks for; a missing pod is taken to use its request, or the target if higher."""
    values, groups = _counted(pod_samples(metric), workload, metric.resource, timing)
    requests = pod_requests(workload.pods, metric.resource, metric.container)
    utilization, average = _utilization(values, requests)
    measured = _Measured(
        values,
        groups,
        lambda some: _ratio(_utilization(some, requests)[0], percent),
        lambda pod: truncated(requests[pod] * max(100, percent), 100),
    )
    return Proposal(_asked(measured, workload.spec_replica_count, tolerance), utilization, average)


def _from_samples(
    samples: Sequence[Sample], target: AverageValue, resource: str, workload: Workload, tolerance: Tolerance,
    timing: Timing,
) -> Proposal:  # fmt: skip
    """Return what an average per pod asks for; a missing pod is taken to be at the target."""
    values, groups = _counted(samples, workload, resource, timing)
    measured = _Measured(values, groups, lambda some: _ratio(_average(some), target.milli), lambda pod: target.milli)
    return Proposal(_asked(measured, workload.spec_replica_count, tolerance), average_milli=_average(values))


def _from_total(total_milli: int, target: Value | AverageValue, workload: Workload, tolerance: Tolerance) -> Proposal:
    """Return what one amount for the whole workload asks for.

    Value: ceil(ratio x ready pods); from zero replicas ceil(ratio), without tolerance. AverageValue: ceil(total /
    target) unless the average over the replicas that exist is within tolerance; with none there is no average and 0 is
    shown (the controller shows whatever its processor makes of a division by zero).
    """
    if isinstance(target, AverageValue):
        exist = workload.status_replica_count
        wanted = whole(_ratio(total_milli, target.milli))
        steady = exist > 0 and tolerance.allows(total_milli / (target.milli * exist))
        average = ceil(total_milli / exist) if exist else 0
        return Proposal(exist if steady else wanted, average_milli=average)
    ratio, current = _ratio(total_milli, target.milli), workload.spec_replica_count
    if current == 0:
        return Proposal(whole(ratio), value_milli=total_milli)
    if tolerance.allows(ratio):
        return Proposal(current, value_milli=total_milli)
    if not workload.pods:
        raise MetricError(
            "unable to calculate ready pods: no pods returned by selector while calculating replica count"
        )
    ready_count = sum(pod.phase == "Running" and pod.ready == "True" for pod in workload.pods)
    return Proposal(whole(ratio * ready_count), value_milli=total_milli)


def propose(metric: Metric, workload: Workload, tolerance: Tolerance, timing: Timing) -> Proposal:
    """Return how many replicas one metric asks for.

    Source: getters of replica_calculator.go (GetResourceReplicas, GetRawResourceReplicas, GetMetricReplicas,
    Get{Object,External}[PerPod]MetricReplicas).
    Raises: MetricError when the metric has no answer; ValueError when its target is not above 0.

    >>> pods = tuple(Pod(f"web-{i}") for i in range(3))
    >>> rates = tuple(Sample(f"web-{i}", 20_000) for i in range(3))
    >>> propose(PodsMetric("rate", AverageValue(15_000), rates), Workload(0, 3, 3, pods), Tolerance(), Timing())
    Proposal(replica_count=4, utilization_percent=None, average_milli=20000, value_milli=None)
    """
    match metric:
        case ResourceMetric(target=target):
            if isinstance(target, Utilization):
                return _from_utilization(metric, target.percent, workload, tolerance, timing)
            return _from_samples(pod_samples(metric), target, metric.resource, workload, tolerance, timing)
        case PodsMetric():
            if not metric.samples:
                raise MetricError(f"unable to get metric {metric.name}: no metrics returned from custom metrics API")
            return _from_samples(metric.samples, metric.target, "", workload, tolerance, timing)
        case ObjectMetric():
            if metric.value_milli is None:
                raise MetricError(f"unable to get metric {metric.name}: no answer from custom metrics API")
            return _from_total(metric.value_milli, metric.target, workload, tolerance)
        case ExternalMetric():
            if not metric.values_milli:
                raise MetricError(f"unable to get external metric {metric.name}: no metrics returned from external API")
            return _from_total(sum(metric.values_milli), metric.target, workload, tolerance)
        case UnknownMetric():
            raise MetricError(f'unknown metric source type "{metric.type}"')
