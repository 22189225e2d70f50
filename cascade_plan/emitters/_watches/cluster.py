"""What of the cluster is watched: its nodes, and what pods are given there against what they take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.languages.promql import number, rate, select, total
from cascade_plan.model.plan import Plan
from cascade_plan.model.series import NEAR, SHORTEST_S
from cascade_plan.model.watch import Alarm, Chart, Line, Watch
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings
from cascade_plan.tiers.monitoring.settings import Settings

THROTTLED: Final = 0.25
"""Share of the scheduler's periods in which a container was held back that is worth a look; as the rule
CPUThrottlingHigh of https://github.com/kubernetes-monitoring/kubernetes-mixin has it."""
RESTARTS_MOST: Final = 3
"""Restarts within an hour that are no accident (assumption)."""
STATE: Final = "kube-state-metrics"
CONTAINERS: Final = "cadvisor"
KUBELET: Final = "kubelet"
NODE: Final = "node-exporter"
KEPT: Final = {
    STATE: (
        "kube_node_info",
        "kube_node_status_condition",
        "kube_pod_container_resource_requests",
        "kube_pod_container_status_last_terminated_reason",
        "kube_pod_container_status_restarts_total",
        "kube_horizontalpodautoscaler_spec_max_replicas",
        "kube_horizontalpodautoscaler_spec_min_replicas",
        "kube_horizontalpodautoscaler_status_condition",
        "kube_horizontalpodautoscaler_status_current_replicas",
    ),
    CONTAINERS: (
        "container_cpu_cfs_periods_total",
        "container_cpu_cfs_throttled_periods_total",
        "container_cpu_usage_seconds_total",
        "container_memory_working_set_bytes",
    ),
    KUBELET: ("kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"),
    NODE: ("node_filesystem_avail_bytes", "node_filesystem_size_bytes", "node_memory_MemAvailable_bytes"),
}
"""Job -> what is kept of its metrics: a cluster's others may be more than the whole budget."""


def jobs_of_cluster(plan: Plan) -> tuple[str, ...]:
    """Return the jobs that tell of the cluster; none where there is none, and none of nodes where it has none."""
    if not plan.of(ClusterSettings):
        return ()
    jobs = tuple(KEPT) if any(group.is_nodes for group in plan.groups) else (STATE, CONTAINERS)
    # An operator's own job of the kubelet tells of containers too.
    shared = any(tier.settings.operator for tier in plan.of(Settings))
    return tuple(dict.fromkeys(KUBELET if job == CONTAINERS else job for job in jobs)) if shared else jobs


def cluster(plan: Plan) -> Watch:
    """Return the alarms on pods that are short of CPU or memory, on disks that fill, and on nodes that are not well."""
    jobs = jobs_of_cluster(plan)
    alarms = (*(_of_pods(plan.application) if jobs else ()), *(_of_nodes(plan.application) if NODE in jobs else ()))
    return Watch("cluster", alarms=alarms, charts=tuple(_charts(plan.application)) if jobs else ())


def _of_pods(namespace: str) -> Iterator[Alarm]:
    restarts = select("kube_pod_container_status_restarts_total", namespace=namespace)
    killed = select("kube_pod_container_status_last_terminated_reason", namespace=namespace, reason="OOMKilled")
    look = f"kubectl -n {namespace} describe pod"
    yield Alarm(
        "PodCpuAboveRequest",
        f"{_cpu(namespace)} > 1",
        900,
        "ticket",
        "a pod takes more CPU than it was sized for",
        "{pod} takes {value} of the CPU it requests: its node was planned for less.",
        "When all pods of it do, the autoscaler is at its ceiling or does not look at CPU; when one does, look at what "
        "it works on. If the load is real, measure and plan again: cascade-plan calibrate.",
        unit="humanizePercentage",
    )
    yield Alarm(
        "ContainerThrottled",
        f"{_throttled(namespace)} > {number(THROTTLED)}",
        900,
        "ticket",
        "a container is held back by its CPU limit",
        "{container} of {pod} stood still in {value} of the scheduler's periods: responses wait for them.",
        "Raise the limit or leave it out; then look at what takes the CPU.",
        unit="humanizePercentage",
    )
    yield Alarm(
        "ContainerOutOfMemory",
        f"increase({restarts}[10m]) > 0 and on (namespace, pod, container) {killed} == 1",
        0,
        "ticket",
        "a container was killed for its memory",
        "{container} of {pod} took more memory than its limit and was started again.",
        f"{look} shows the limit. Look whether memory grows without end; if it does not, raise limit and request.",
    )
    yield Alarm(
        "PodRestartsOften",
        f"increase({restarts}[1h]) > {RESTARTS_MOST}",
        0,
        "ticket",
        "a container is started again and again",
        "{container} of {pod} was started {value} times within an hour.",
        f"kubectl -n {namespace} logs --previous shows its last words, {look} why it ended.",
    )


def _of_nodes(namespace: str) -> Iterator[Alarm]:
    ready = select("kube_node_status_condition", condition="Ready", status="true")
    yield Alarm(
        "NodeNotReady",
        f"{ready} == 0",
        600,
        "ticket",
        "a node is not ready",
        "{node} has not been ready for ten minutes: its pods run elsewhere, where there is room.",
        "kubectl describe node names the reason. A node that does not come back is replaced: delete its instance.",
    )
    pressed = f'{select("kube_node_status_condition", status="true")[:-1]},condition=~"(Disk|Memory|PID)Pressure"}}'
    yield Alarm(
        "NodeUnderPressure",
        f"{pressed} == 1",
        300,
        "ticket",
        "a node is short of disk, memory or processes",
        "{node} evicts pods.",
        "kubectl describe node names what is short. Pods that take more than they request are the cause.",
    )
    disk = (select(f"node_filesystem_{what}_bytes", mountpoint="/") for what in ("avail", "size"))
    yield Alarm(
        "NodeDiskFillsUp",
        f"{' / '.join(disk)} < {_left()}",
        900,
        "ticket",
        "a node's disk is nearly full",
        "{node} has {value} of its root disk left.",
        "Look at images and logs on it; replace the node, or plan with a larger disk.",
        unit="humanizePercentage",
    )
    volume = (select(f"kubelet_volume_stats_{what}_bytes", namespace=namespace) for what in ("available", "capacity"))
    yield Alarm(
        "VolumeFillsUp",
        f"{' / '.join(volume)} < {_left()}",
        900,
        "ticket",
        "a volume is nearly full",
        "{persistentvolumeclaim} has {value} left.",
        "Let the claim ask for more (the class allows it to grow), or keep less.",
        unit="humanizePercentage",
    )


def _charts(namespace: str) -> Iterator[Chart]:
    shares = _cpu(namespace)
    lines = (Line(f"max by (namespace) ({shares})", "fullest pod"), Line(f"avg by (namespace) ({shares})", "mean"))
    yield Chart("CPU of the pods, of what they request", "percentunit", lines, "<=", 1)
    restarts = total(
        f"increase({select('kube_pod_container_status_restarts_total', namespace=namespace)}[1h])", "namespace"
    )
    yield Chart("Containers started again in an hour", "short", (Line(restarts, "restarts"),))


def _cpu(namespace: str) -> str:
    """Return the CPU that each pod takes, of what it requests; the sandbox's own series is of no container."""
    used = f'{select("container_cpu_usage_seconds_total", namespace=namespace)[:-1]},container!=""}}'
    asked = select("kube_pod_container_resource_requests", namespace=namespace, resource="cpu")
    return f"{total(rate(used, SHORTEST_S), 'namespace', 'pod')} / {total(asked, 'namespace', 'pod')}"


def _throttled(namespace: str) -> str:
    held, every = (
        total(
            rate(select(f"container_cpu_cfs_{what}periods_total", namespace=namespace), SHORTEST_S),
            *("namespace", "pod", "container"),
        )
        for what in ("throttled_", "")
    )
    return f"{held} / {every}"


def _left() -> str:
    return number(round(1 - NEAR, 9))
