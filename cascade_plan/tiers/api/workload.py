"""The pods of a service, wherever they run."""

from __future__ import annotations

from cascade_plan.model.ask import Ask
from cascade_plan.model.fleet import NodeGroup, Workload
from cascade_plan.tiers.api import scaling
from cascade_plan.tiers.api.settings import Pod, Settings


def of(
    ask: Ask[Settings],
    group: NodeGroup,
    pod: Pod,
    replica_bounds: tuple[int, int],
    pod_count_per_node: int,
    pod_count_max: int,
    cores_per_pod: float,
) -> Workload:
    """Return the pods of a service; `pod` is what each requests and may use there."""
    settings, (low, high) = ask.settings, replica_bounds
    return Workload(
        tier=ask.name,
        kind="api",
        name=ask.workload,
        image=settings.image,
        port=settings.port,
        cpu_cores=pod.cpu_cores,
        memory_mib=pod.memory_mib,
        memory_mib_max=pod.memory_mib,
        cpu_cores_max=pod.cpu_limit_cores,
        replica_count_min=low,
        replica_count_max=high,
        pod_count_per_node=pod_count_per_node,
        pod_count_max=pod_count_max,
        cores_per_pod=cores_per_pod,
        group=group.name,
        serves="requests",
        ready_path=settings.ready_path,
        live_path=settings.live_path,
        connection_count_per_pod=settings.connections_per_pod if ask.scenario.of("database") else 0,
        scaled_by=scaling.read_by(ask),
        targets=scaling.targets(ask, cores_per_pod, pod.cpu_cores, group.shape.speed),
    )
