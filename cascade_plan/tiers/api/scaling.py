"""What a service's autoscaler reads of its pods, its targets, and where these keep it from moving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, floor, inf
from typing import Final

from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Target, Workload
from cascade_plan.model.scenario import Metric
from cascade_plan.tiers.api import sharing
from cascade_plan.tiers.api.settings import Settings

SERVED: Final = ("latency", "requests")
"""Metrics that no cluster has by itself: Prometheus records them and its adapter serves them."""
FALLBACK: Final[Metric] = "cpu"
"""What is read where nothing serves what the scenario asks for: every cluster has it."""
TOLERANCE: Final = 0.1
"""Ratios of a metric to its target this close to 1 change nothing (kube-controller-manager
--horizontal-pod-autoscaler-tolerance, as formulas/hpa has it)."""
UNITS: Final[Mapping[str, str]] = {
    "latency": "s",
    "memory": "% of the request",
    "cpu": "% of the request",
    "requests": "requests/s a pod",
}


def read_by(ask: Ask[Settings]) -> tuple[Metric, ...]:
    """Return the metrics of the scenario that something serves; CPU where nothing serves any of them."""
    watched = bool(ask.scenario.of("monitoring"))
    found = tuple(metric for metric in ask.scenario.autoscaling.metrics if watched or metric not in SERVED)
    return found or (FALLBACK,)


def targets(ask: Ask[Settings], cores_per_pod: float, requested_cores: float, speed: float) -> Mapping[str, Target]:
    """Return metric -> the autoscaler's target.

    Those that the scenario does not give are a share of what a pod does that never rests.
    """
    rules, most = ask.scenario.autoscaling, busiest(ask, cores_per_pod, requested_cores, speed)
    cpu, requests = rules.target_cpu_percent, rules.target_requests_per_s
    found = {
        "latency": rules.target_latency_s_p95,
        "memory": rules.target_memory_percent,
        "cpu": max(1, round(rules.target_busy_ratio * most["cpu"])) if cpu is None else cpu,
        "requests": max(0.001, round(rules.target_busy_ratio * most["requests"], 3)) if requests is None else requests,
    }
    return {metric: Target(metric, value, UNITS[metric]) for metric, value in found.items()}


def busiest(ask: Ask[Settings], cores_per_pod: float, requested_cores: float, speed: float) -> Mapping[str, float]:
    """Return metric -> what a pod shows that never rests, in the unit of its target; no latency, which has no end."""
    share = ask.traffic.service_share.get(ask.name, 0.0)
    cpu_s = sharing.demand(ask.scenario, ask.name) / 1000
    return {
        "memory": ask.scenario.autoscaling.memory_busy_ratio * 100,
        "cpu": cores_per_pod / requested_cores * 100,
        "requests": share * cores_per_pod * speed / cpu_s if cpu_s else 0.0,
    }


def findings(ask: Ask[Settings], workload: Workload, speed: float) -> tuple[Finding, ...]:
    """Return what of the targets keeps the service's autoscaler from moving; nothing where nothing scales its pods."""
    if not ask.scenario.of("cluster") or workload.replica_count_min == workload.replica_count_max:
        return ()
    return (*_unserved(ask), *_held_by_memory(ask, workload), *_never_out(ask, workload, speed))


def _unserved(ask: Ask[Settings]) -> Iterator[Finding]:
    asked, read = ask.scenario.autoscaling.metrics, read_by(ask)
    missing = [metric for metric in asked if metric not in read]
    if missing:
        message = (
            f"{ask.name}: nothing serves its autoscaler {' and '.join(missing)}, as monitoring is off: it goes by "
            f"{' and '.join(read)}"
        )
        yield Finding("warning", "hpa-metric-not-served", message, "autoscaling.metrics")


def _held_by_memory(ask: Ask[Settings], workload: Workload) -> Iterator[Finding]:
    """Yield that memory which stays keeps pods running: for ever, or more of them than the minimum.

    The controller counts whole per cent, and leaves a ratio within the tolerance alone. Below it, it asks for
    ceil(ratio x pods), which is as many as there are once they are few: of n pods none goes while n (1 - ratio) < 1.
    Source: kubernetes#78761, #95762; formulas/hpa_replicas.
    """
    if "memory" not in workload.scaled_by:
        return
    rules = ask.scenario.autoscaling
    resting, target = floor(rules.memory_resting_ratio * 100 + 1e-9), rules.target_memory_percent
    ratio = resting / target
    takes = f"{ask.name}: after a peak a pod's memory stays at {resting}% of its request"
    enough = floor(resting / (1 - TOLERANCE) + 1e-9) + 1
    higher = f", or set its target to {enough}% at least" if enough <= 100 else ""
    level, code, remedy = "warning", "hpa-never-scales-in", f"take memory out of autoscaling.metrics{higher}"
    kept = ceil(1 / (1 - ratio) - 1e-9) - 1 if ratio < 1 else 0
    if ratio > 1 + TOLERANCE:
        what = f"above its target of {target}%: such an HPA adds pods up to its maximum and keeps them"
    elif ratio >= 1 - TOLERANCE - 1e-9:
        what = (
            f"not below {(1 - TOLERANCE) * target:g}% ({1 - TOLERANCE:g} x the target of {target}%), where the HPA "
            "would remove one: such an HPA never scales in"
        )
    elif kept > workload.replica_count_min:
        level, code = "info", "hpa-memory-keeps-pods"
        what = f"against a target of {target}%: such an HPA never goes below {kept} pods by itself"
    else:
        return
    yield Finding(level, code, f"{takes}, {what}; {remedy}", "autoscaling.target_memory_percent")


def _never_out(ask: Ask[Settings], workload: Workload, speed: float) -> Iterator[Finding]:
    """Yield that a pod which never rests is within the tolerance of every target: nothing ever asks for another."""
    most, targets = busiest(ask, workload.cores_per_pod, workload.cpu_cores, speed), workload.targets
    able = [name for name in workload.scaled_by if most.get(name, inf) > targets[name].value * (1 + TOLERANCE)]
    if able or not most["requests"]:
        return
    shown = " and ".join(
        f"{name} {most[name]:.4g} {UNITS[name]} (target {targets[name].value:g})" for name in workload.scaled_by
    )
    message = f"{ask.name}: a pod that never rests shows {shown}: such an HPA never adds one"
    yield Finding("warning", "hpa-never-scales-out", message, "autoscaling.metrics")
