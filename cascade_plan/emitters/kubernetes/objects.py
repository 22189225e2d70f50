"""Kubernetes objects of a workload: figures in, plain dicts out, fields in the order people write them.

Nothing here decides a figure; sizes and bounds come from the plan. Needs Kubernetes 1.30 (the sleep before stopping).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, inf
from types import MappingProxyType
from typing import Any, Final, Literal

from cascade_plan.emitters._nodes import TAINT_EFFECT
from cascade_plan.emitters.kubernetes.names import (
    format_cpu,
    format_memory_mib,
    format_quantity,
    is_dns_1035_label,
    is_dns_label,
    label_value_problems,
    path_segment_problems,
)
from cascade_plan.formulas.rollouts import SURGE_PERCENT

KubernetesObject = dict[str, Any]
ZoneSpread = Literal["ScheduleAnyway", "DoNotSchedule"]

PORT_NAME: Final = "http"
RESOURCES: Final = ("cpu", "memory")
"""What metrics-server measures of every pod."""
PROBE_PERIOD_S: Final = 5
STARTUP_PERIOD_S: Final = 2
READY_S: Final = 30
"""How long a node of connections must be ready before the next is replaced (assumption)."""
SCRATCH: Final = "scratch"
SCRATCH_MIB: Final = 64
SCRATCH_PATH: Final = "/tmp"


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of a workload. Every object of it is called `name` and lives in `namespace`.

    Raises: ValueError when a name is not one that all of its objects can carry.
    """

    name: str
    """An RFC 1035 label, because the Service needs one."""
    namespace: str
    part_of: str
    """The application this workload is a part of: app.kubernetes.io/part-of."""
    component: str = "api"

    def __post_init__(self) -> None:
        if not is_dns_1035_label(self.name):
            raise ValueError(
                f"workload name {self.name!r}: want at most 63 of a-z, 0-9 and '-', starting with a letter"
            )
        if not is_dns_label(self.namespace):
            raise ValueError(f"namespace {self.namespace!r}: want at most 63 of a-z, 0-9 and '-'")
        for field, value in (("part_of", self.part_of), ("component", self.component)):
            for problem in label_value_problems(value):
                raise ValueError(f"{field} {value!r}: {problem}")


@dataclass(frozen=True, slots=True)
class Resources:
    """What one pod reserves.

    The memory limit is the request: memory cannot be taken back from a process, so a pod that lives above its
    request is killed the day its neighbours use theirs. There is no CPU limit unless one is given: CPU is shared by
    weight when it is scarce, while a limit stops a pod for the rest of each 100 ms period even on an idle node,
    which shows first in the tail of the latency the HPA scales on.
    """

    cpu_cores_request: float
    memory_mib_request: int
    cpu_cores_limit: float | None = None
    memory_mib_limit: int | None = None
    """Above the request only where a pod has its node to itself."""

    def __post_init__(self) -> None:
        if not self.cpu_cores_request > 0 or self.memory_mib_request < 1:
            raise ValueError(f"requests must be above 0: {self.cpu_cores_request} cores, {self.memory_mib_request} MiB")
        if self.cpu_cores_limit is not None and not self.cpu_cores_limit >= self.cpu_cores_request:
            raise ValueError(f"CPU limit {self.cpu_cores_limit} is below the request {self.cpu_cores_request}")
        if self.memory_mib_limit is not None and self.memory_mib_limit < self.memory_mib_request:
            raise ValueError(f"memory limit {self.memory_mib_limit} is below the request {self.memory_mib_request}")


@dataclass(frozen=True, slots=True)
class Mount:
    """Files that a container reads: of ConfigMaps and Secrets, in one directory."""

    name: str
    path: str
    sources: tuple[KubernetesObject, ...]
    """Each as a projected volume has it."""


@dataclass(frozen=True, slots=True)
class Pod:
    """What runs in each pod, how its health is asked for, and how it starts and ends. Times in seconds."""

    image: str
    """Must set a numeric USER other than 0, unless `user_id` is given: the pod refuses to run as root."""
    port: int
    resources: Resources
    ready_path: str | None
    """Answers 2xx while the pod can take requests. Fails the pod out of the Service. None only opens a connection."""
    live_path: str | None
    """Answers 2xx while the process is sound; must not ask the database, or its outage restarts every pod. Or None."""
    zone_count: int = 3
    zone_spread: ZoneSpread = "ScheduleAnyway"
    startup_s: int = 60
    drain_s: int = 10
    """Wait before SIGTERM, until load balancers have stopped sending: endpoints are removed at the same moment."""
    shutdown_s: int = 30
    """Time after SIGTERM for requests under way."""
    zone_skew: int = 1
    """Pods that a zone may have more than another: as many as a node holds, or full nodes would leave some pending."""
    port_name: str = PORT_NAME
    probe_port: int = 0
    """Where probes are answered; 0 for the port itself."""
    drain_path: str | None = None
    """Asked before SIGTERM, in place of the wait."""
    stop: tuple[str, ...] = ()
    """The command that ends the process well, after the wait, in place of SIGTERM."""
    env: tuple[KubernetesObject, ...] = ()
    command: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    beside: tuple[KubernetesObject, ...] = ()
    """Other containers."""
    user_id: int | None = None
    """Where the image says none, or says it by name."""
    sysctls: tuple[tuple[str, str], ...] = ()
    """Of those that Kubernetes calls safe, https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/"""
    priority: str = ""
    """The name of its PriorityClass."""

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port must be between 1 and 65535, not {self.port}")
        if not all(path is None or path.startswith("/") for path in (self.ready_path, self.live_path)):
            raise ValueError(f"probe paths must start with '/': {self.ready_path!r}, {self.live_path!r}")
        if self.zone_count < 1 or min(self.startup_s, self.drain_s, self.shutdown_s) < 1:
            raise ValueError("zone_count, startup_s, drain_s and shutdown_s must be at least 1")


@dataclass(frozen=True, slots=True)
class Placement:
    """The nodes that were bought for a workload."""

    label: str
    tier: str
    """The label's value."""
    is_tainted: bool = False
    """Whether they have a taint of that key and value."""


@dataclass(frozen=True, slots=True)
class Stay:
    """What keeps pods where they are on nodes that come and go."""

    annotations: Mapping[str, str]
    affinity: KubernetesObject
    """Which of the nodes they choose; empty for any."""


@dataclass(frozen=True, slots=True)
class Target:
    """A metric that an HPA reads, and the mean over the pods that it aims for."""

    metric: str
    """A resource of the pods (cpu, memory), or what the metrics API calls a metric of theirs."""
    amount: float
    """Percent of the request of a resource, else in the metric's own unit."""

    def __post_init__(self) -> None:
        if not self.metric or path_segment_problems(self.metric):
            raise ValueError(f"metric name {self.metric!r} cannot stand in a URL path")
        if not 0 < self.amount < inf or (self.metric in RESOURCES and self.amount != int(self.amount)):
            raise ValueError("targets must be above 0, those of resources whole per cent")


@dataclass(frozen=True, slots=True)
class Scaling:
    """An autoscaler's bounds, targets and speeds."""

    replica_count_min: int
    replica_count_max: int
    targets: tuple[Target, ...]
    """None for an autoscaler that reads no pods."""
    scale_up_window_s: int
    scale_up_percent: int
    scale_up_period_s: int
    scale_down_window_s: int
    scale_down_percent: int
    scale_down_period_s: int

    def __post_init__(self) -> None:
        if not 1 <= self.replica_count_min <= self.replica_count_max:
            raise ValueError(f"replicas: want 1 <= min <= max, not {self.replica_count_min}, {self.replica_count_max}")


def labels(identity: Identity) -> dict[str, str]:
    """Return the labels of an object that Kubernetes recommends.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
    """
    return {
        **selector(identity),
        "app.kubernetes.io/component": identity.component,
        "app.kubernetes.io/part-of": identity.part_of,
        "app.kubernetes.io/managed-by": "cascade-plan",
    }


def selector(identity: Identity) -> dict[str, str]:
    """Return the labels that find a workload's pods: the two that never change, since a selector is immutable."""
    return {"app.kubernetes.io/name": identity.name, "app.kubernetes.io/instance": identity.name}


def namespaced(api_version: str, kind: str, identity: Identity, spec: KubernetesObject) -> KubernetesObject:
    """Return a namespaced object of the workload."""
    metadata = {"name": identity.name, "namespace": identity.namespace, "labels": labels(identity)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def namespace(name: str, labels: Mapping[str, str] = MappingProxyType({})) -> KubernetesObject:
    """Return the Namespace of an application, which admits only pods of the "restricted" security standard."""
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    names = {"app.kubernetes.io/part-of": name, "app.kubernetes.io/managed-by": "cascade-plan"}
    metadata = {"name": name, "labels": {**names, **levels, **labels}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def priority_class(part_of: str, name: str, value: int) -> KubernetesObject:
    """Return a PriorityClass, which is of the whole cluster: pods of a higher value take the room of lower ones."""
    labels = {"app.kubernetes.io/part-of": part_of, "app.kubernetes.io/managed-by": "cascade-plan"}
    words = f"Pods of {part_of} that users wait for."
    metadata = {"name": name, "labels": labels}
    made = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": metadata}
    return {**made, "value": value, "globalDefault": False, "description": words}


def target_group_binding(identity: Identity, group: str) -> KubernetesObject:
    """Return what keeps the pods behind a Service in a target group, found by its name (controller 2.10 and later).

    Source: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/spec/
    """
    spec = {"serviceRef": {"name": identity.name, "port": PORT_NAME}, "targetGroupName": group, "targetType": "ip"}
    return namespaced("elbv2.k8s.aws/v1beta1", "TargetGroupBinding", identity, spec)


def external_service(namespace: str, name: str) -> KubernetesObject:
    """Return the Service that stands for a host outside the cluster; its address is a placeholder (RFC 2606)."""
    spec = {"type": "ExternalName", "externalName": f"{name}.example.com"}
    return namespaced("v1", "Service", Identity(name, namespace, namespace, component="database"), spec)


def service_account(identity: Identity) -> KubernetesObject:
    """Return the ServiceAccount of a workload's pods: who they are to the cloud. None of them asks the API server."""
    made = namespaced("v1", "ServiceAccount", identity, {})
    del made["spec"]
    return {**made, "automountServiceAccountToken": False}


def service(identity: Identity, ports: Mapping[str, int] = MappingProxyType({PORT_NAME: 80})) -> KubernetesObject:
    """Return the Service inside the cluster: each port to that of the pods, by its name."""
    listed = [{"name": name, "port": port, "targetPort": name, "protocol": "TCP"} for name, port in ports.items()]
    return namespaced("v1", "Service", identity, {"type": "ClusterIP", "selector": selector(identity), "ports": listed})


def hpa(identity: Identity, scaling: Scaling) -> KubernetesObject:
    """Return the HorizontalPodAutoscaler: its metrics and speeds, and nothing left to a default.

    The performance plan writes its latency target as averageValue "0.2". The API server stores quantities without
    fractions, so "0.2" comes back as "200m"; that is what is written here, and an applied manifest shows no difference.
    """
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": identity.name},
        "minReplicas": scaling.replica_count_min,
        "maxReplicas": scaling.replica_count_max,
        "metrics": [_metric(target) for target in scaling.targets],
        "behavior": _behavior(scaling),
    }
    return namespaced("autoscaling/v2", "HorizontalPodAutoscaler", identity, spec)


def _metric(target: Target) -> KubernetesObject:
    """Return a metric of the pods: a resource's share of the request, or a value of their own, in the mean."""
    if target.metric in RESOURCES:
        aimed = {"type": "Utilization", "averageUtilization": int(target.amount)}
        return {"type": "Resource", "resource": {"name": target.metric, "target": aimed}}
    value = {"type": "AverageValue", "averageValue": format_quantity(target.amount)}
    return {"type": "Pods", "pods": {"metric": {"name": target.metric}, "target": value}}


def scaled_object(identity: Identity, scaling: Scaling, trigger: KubernetesObject) -> KubernetesObject:
    """Return the ScaledObject by which KEDA (2.x) keeps so many pods as a trigger asks for, through an HPA of its own.

    Source: https://keda.sh/docs/latest/reference/scaledobject-spec/
    """
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": identity.name},
        "minReplicaCount": scaling.replica_count_min,
        "maxReplicaCount": scaling.replica_count_max,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(scaling)}},
        "triggers": [trigger],
    }
    return namespaced("keda.sh/v1alpha1", "ScaledObject", identity, spec)


def queue_trigger(queue: str, region: str, jobs_per_pod: int) -> KubernetesObject:
    """Return KEDA's trigger by the length of an SQS queue: a pod for so many jobs, waiting or under way.

    The queue's name stands for its URL, which holds the number of an account; KEDA itself (its operator's role) asks.
    Source: https://keda.sh/docs/latest/scalers/aws-sqs/
    """
    metadata = {
        "queueURL": queue,
        "queueLength": str(jobs_per_pod),
        "awsRegion": region,
        "identityOwner": "operator",
    }
    return {"type": "aws-sqs-queue", "metadata": metadata}


def _behavior(scaling: Scaling) -> KubernetesObject:
    """Return the speeds of both directions."""
    up = _rules(scaling.scale_up_window_s, scaling.scale_up_percent, scaling.scale_up_period_s)
    down = _rules(scaling.scale_down_window_s, scaling.scale_down_percent, scaling.scale_down_period_s)
    return {"scaleUp": up, "scaleDown": down}


def _rules(window_s: int, percent: int, period_s: int) -> KubernetesObject:
    """Return the scaling rules of one direction: at most `percent` of the pods per `period_s`."""
    return {
        "stabilizationWindowSeconds": window_s,
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": percent, "periodSeconds": period_s}],
    }


def pod_disruption_budget(
    identity: Identity, replica_count_min: int, max_unavailable: int | str = "10%"
) -> KubernetesObject:
    """Return the PodDisruptionBudget: how many pods a node drain may take at once, as a count or a percentage.

    Percentages round up (so "10%" of 2 pods is 1), which leaves an eviction possible at every replica count; a
    budget of none would block node upgrades for ever. Pods that are not ready never block a drain.
    Raises: ValueError when at `replica_count_min` pods none could be evicted, or all of several could.
    """
    evictable = disruptions_allowed(replica_count_min, max_unavailable)
    if evictable < 1:
        raise ValueError(f"max_unavailable {max_unavailable!r} lets no pod be evicted, so no node can be drained")
    if evictable >= replica_count_min > 1:
        raise ValueError(f"max_unavailable {max_unavailable!r} lets all {replica_count_min} pods be evicted at once")
    spec = {
        "maxUnavailable": max_unavailable,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": selector(identity)},
    }
    return namespaced("policy/v1", "PodDisruptionBudget", identity, spec)


def disruptions_allowed(replica_count: int, max_unavailable: int | str) -> int:
    """Return how many of `replica_count` healthy pods may be evicted at once.

    Source: the disruption controller scales a percentage of the desired pods and rounds up
    (pkg/controller/disruption, intstr.GetScaledValueFromIntOrPercent with roundUp).
    Raises: ValueError for a text that is not a percentage.
    """
    if isinstance(max_unavailable, int):
        return max_unavailable
    percent = max_unavailable.removesuffix("%")
    if percent == max_unavailable or not (percent.isascii() and percent.isdigit()):
        raise ValueError(f"max_unavailable must be a count or a percentage, not {max_unavailable!r}")
    return -(-replica_count * int(percent) // 100)


def deployment(
    identity: Identity,
    pod: Pod,
    placement: Placement | None,
    unavailable_percent: int = 0,
    replica_count: int | None = None,
    is_shared_out: bool = False,
) -> KubernetesObject:
    """Return the Deployment on the nodes that were bought for it (None: on no node of ours).

    Without a `replica_count` the autoscaler owns it: a count in the manifest would reset the fleet to it on every
    apply, in the middle of a peak. Without one a new Deployment starts with 1 pod, which is raised to the minimum
    within seconds.
    A rollout adds before it removes, so that capacity stays what the load asked for; `unavailable_percent` of the pods
    make room where nodes that are full leave none, as formulas/rollouts has it. Where something `is_shared_out` among
    the pods, such as a pool's connections, there is never one more: one makes room first.
    """
    # The cluster autoscaler keeps a node for the sake of a pod's local volume, unless told that it holds nothing.
    expendable = {"cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes": SCRATCH}
    metadata = {"labels": labels(identity), "annotations": expendable}
    template = {"metadata": metadata, "spec": {**_pod_spec(identity, pod), **_placed(placement)}}
    rolling: KubernetesObject = {
        "maxUnavailable": f"{unavailable_percent}%" if unavailable_percent else 0,
        "maxSurge": f"{SURGE_PERCENT}%",
    }
    if is_shared_out:
        rolling = {"maxUnavailable": 1, "maxSurge": 0}
    spec = {
        **({} if replica_count is None else {"replicas": replica_count}),
        "selector": {"matchLabels": selector(identity)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "template": template,
    }
    return namespaced("apps/v1", "Deployment", identity, spec)


def headless_service(identity: Identity, pod: Pod) -> KubernetesObject:
    """Return the Service that gives each pod of a StatefulSet an address of its own, also while it is not ready.

    A proxy that is given the pods' names looks them up when it starts, and finds out by itself which of them answer.
    """
    port = {"name": PORT_NAME, "port": pod.port, "targetPort": PORT_NAME, "protocol": "TCP"}
    spec = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": selector(identity),
        "ports": [port],
    }
    return namespaced("v1", "Service", identity, spec)


def stateful_set(
    identity: Identity,
    pod: Pod,
    replica_count: int,
    placement: Placement | None,
    stays: Stay | None = None,
) -> KubernetesObject:
    """Return a StatefulSet of pods that keep their names: NAME-1 and so on.

    Each has a node of its own; or where it `stays` on nodes that come and go, they stand among others, apart from each
    other where there is room.
    A rollout takes one pod at a time, so that the connections of one node at a time are opened anew.
    Raises: ValueError when there is no pod.
    """
    if replica_count < 1:
        raise ValueError(f"replica_count must be at least 1, not {replica_count}")
    alone = {"labelSelector": {"matchLabels": selector(identity)}, "topologyKey": "kubernetes.io/hostname"}
    apart: KubernetesObject = {"requiredDuringSchedulingIgnoredDuringExecution": [alone]}
    if stays:
        apart = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": alone}]}
    affinity: KubernetesObject = {**(stays.affinity if stays else {}), "podAntiAffinity": apart}
    template = {
        **_pod_spec(identity, pod),
        "topologySpreadConstraints": _spread(identity, pod, "controller-revision-hash"),
        **_placed(placement),
        "affinity": affinity,
    }
    metadata = {"labels": labels(identity), **({"annotations": {**stays.annotations}} if stays else {})}
    spec = {
        "serviceName": identity.name,
        "replicas": replica_count,
        "ordinals": {"start": 1},
        "podManagementPolicy": "Parallel",
        # A node's clients come back over its drain; the next is not taken before they had time to settle.
        "minReadySeconds": READY_S,
        "updateStrategy": {"type": "RollingUpdate"},
        "selector": {"matchLabels": selector(identity)},
        "template": {"metadata": metadata, "spec": template},
    }
    return namespaced("apps/v1", "StatefulSet", identity, spec)


def _placed(placement: Placement | None) -> KubernetesObject:
    """Return what makes pods choose their nodes, and lets them onto those that are tainted against others."""
    if placement is None:
        return {}
    labels = {placement.label: placement.tier}
    if not placement.is_tainted:
        return {"nodeSelector": labels}
    tolerated = {"key": placement.label, "operator": "Equal", "value": placement.tier, "effect": TAINT_EFFECT}
    return {"nodeSelector": labels, "tolerations": [tolerated]}


def _pod_spec(identity: Identity, pod: Pod) -> KubernetesObject:
    """Return the pod: spread, drained, and confined to the "restricted" security standard."""
    security: KubernetesObject = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if pod.user_id is not None:
        security |= {"runAsUser": pod.user_id, "runAsGroup": pod.user_id}
    if pod.sysctls:
        security["sysctls"] = [{"name": name, "value": value} for name, value in pod.sysctls]
    return {
        **({"priorityClassName": pod.priority} if pod.priority else {}),
        "serviceAccountName": identity.name,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": pod.drain_s + pod.shutdown_s,
        "securityContext": security,
        "topologySpreadConstraints": _spread(identity, pod, "pod-template-hash"),
        "containers": [_container(identity, pod), *pod.beside],
        # A read-only root file system leaves most servers without the place they spool uploads to.
        "volumes": [
            {"name": SCRATCH, "emptyDir": {"sizeLimit": format_memory_mib(SCRATCH_MIB)}},
            *({"name": each.name, "projected": {"sources": [*each.sources]}} for each in pod.mounts),
        ],
    }


def _spread(identity: Identity, pod: Pod, revision_label: str) -> list[KubernetesObject]:
    """Return the spread over zones (with more than one) and over nodes, counted per revision during a rollout.

    There is no `minDomains`, and nodes that are tainted as unreachable do not count: with a zone lost, its pods are
    placed in the others. Over nodes the spread is only preferred, since there may be more pods than nodes.
    """
    zones = [("topology.kubernetes.io/zone", pod.zone_spread, pod.zone_skew)] if pod.zone_count > 1 else []
    return [
        {
            "maxSkew": skew,
            "topologyKey": key,
            "whenUnsatisfiable": policy,
            "nodeTaintsPolicy": "Honor",
            "labelSelector": {"matchLabels": selector(identity)},
            "matchLabelKeys": [revision_label],
        }
        for key, policy, skew in [*zones, ("kubernetes.io/hostname", "ScheduleAnyway", 1)]
    ]


def _container(identity: Identity, pod: Pod) -> KubernetesObject:
    """Return the container: ports, resources as sized, probes, and what comes before it is told to stop."""
    ports = {pod.port_name: pod.port, **({"probe": pod.probe_port} if pod.probe_port else {})}
    asked = "probe" if pod.probe_port else pod.port_name
    return {
        "name": identity.name,
        "image": pod.image,
        **({"command": [*pod.command]} if pod.command else {}),
        **({"env": [*pod.env]} if pod.env else {}),
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in ports.items()],
        "resources": resources(pod.resources),
        # Until the startup probe passes the others do not run, so a slow start is not taken for a dead process.
        "startupProbe": probe(asked, pod.live_path, STARTUP_PERIOD_S, ceil(pod.startup_s / STARTUP_PERIOD_S)),
        "readinessProbe": probe(asked, pod.ready_path, PROBE_PERIOD_S, 2),
        "livenessProbe": probe(asked, pod.live_path, 2 * PROBE_PERIOD_S, 3),
        "lifecycle": {"preStop": _before_stop(pod)},
        "securityContext": CONFINED,
        "volumeMounts": [
            {"name": SCRATCH, "mountPath": SCRATCH_PATH},
            *({"name": each.name, "mountPath": each.path, "readOnly": True} for each in pod.mounts),
        ],
    }


def _before_stop(pod: Pod) -> KubernetesObject:
    """Return what the kubelet does before SIGTERM: it asks, runs a command, or sleeps itself.

    Images without a shell have no `sleep` to run.
    """
    if pod.drain_path:
        return {"httpGet": {"path": pod.drain_path, "port": pod.port_name}}
    return {"exec": {"command": [*pod.stop]}} if pod.stop else {"sleep": {"seconds": pod.drain_s}}


CONFINED: Final[KubernetesObject] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""What a container may not do."""


def probe(port: str, path: str | None, period_s: int, failure_count: int) -> KubernetesObject:
    """Return a probe, by HTTP or (without a path) by connecting, that fails after `failure_count` misses in a row."""
    asked = {"httpGet": {"path": path, "port": port}} if path else {"tcpSocket": {"port": port}}
    return {
        **asked,
        "periodSeconds": period_s,
        "timeoutSeconds": min(period_s, 2),
        "failureThreshold": failure_count,
    }


def resources(sized: Resources) -> KubernetesObject:
    """Return requests and limits as canonical quantities."""
    memory = format_memory_mib(sized.memory_mib_request)
    limits = {"memory": format_memory_mib(sized.memory_mib_limit or sized.memory_mib_request)}
    if sized.cpu_cores_limit is not None:
        limits = {"cpu": format_cpu(sized.cpu_cores_limit), **limits}
    return {"requests": {"cpu": format_cpu(sized.cpu_cores_request), "memory": memory}, "limits": limits}
