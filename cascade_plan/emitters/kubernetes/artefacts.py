"""Kubernetes: the HPA of the API, and on request its Deployment, Service, PodDisruptionBudget and Namespace."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, Final

from cascade_plan.emitters._heading import application, heading
from cascade_plan.emitters._nodes import LABEL
from cascade_plan.emitters._topology import WEBSOCKET
from cascade_plan.emitters.kubernetes import hpa_rules
from cascade_plan.emitters.kubernetes import objects as built
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

COMMAND = "k8s"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("eks", "pgbouncer")
"""The emitters whose files are applied before these."""


PARTS: Final = (
    "namespace",
    "deployment",
    "service",
    "hpa",
    "pdb",
    "websocket-service",
    "websocket",
    "websocket-pdb",
)
"""What can be emitted, in the order a cluster accepts it."""


PURPOSES: Final = {
    "namespace": "The namespace of everything else.",
    "deployment": "The API's pods: requests, probes, spread over zones. It has no replica count, the HPA owns it.",
    "service": "The API's address within the cluster.",
    "hpa": "The autoscaler of the API, between the bounds that the nodes hold.",
    "pdb": "How many API pods a drained node may take away at a time.",
    "websocket-service": "The WebSocket nodes' names, which nginx looks up: ws-node-1.ws-node and so on.",
    "websocket": "The WebSocket nodes, one pod on each node that was bought for them.",
    "websocket-pdb": "Drains take one WebSocket node at a time.",
}


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return a YAML file of every object."""
    head = header(plan)
    return tuple(
        Artefact(f"{part}.yaml", head + dump([document]), PURPOSES[part], kustomized=True)
        for part, document in objects(plan).items()
    )


def stream(plan: Plan, extra: Sequence[str] = ()) -> str:
    """Return one YAML stream of the HPA and the parts in `extra`.

    Raises UsageError naming the parts when one is unknown.
    """
    for part in extra:
        if part not in PARTS:
            raise UsageError(f"--with {part}: parts are {', '.join(PARTS)}{did_you_mean(part, list(PARTS))}")
    return header(plan) + dump([document for part, document in objects(plan).items() if part == "hpa" or part in extra])


def header(plan: Plan) -> str:
    """Return the comment that says from what the objects were sized."""
    least, most, held = (
        plan.figure(name) for name in ("api.node_count.min", "api.node_count.max", "api.pod_count_per_node")
    )
    shape = next(group.shape.name for group in plan.groups if group.tier == "api")
    return heading(plan, [f"sized for {least} to {most} nodes of {shape} with {held} pods each"])


def objects(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return part -> object for every part, in order of application."""
    identity, pod, scaling = _identity(plan), _pod(plan), _scaling(plan)
    hpa = built.hpa(identity, scaling)
    if problems := hpa_rules.validate(hpa):
        raise AssertionError(f"the HPA would be refused by the API server: {'; '.join(problems)}")
    return {
        "namespace": built.namespace(identity),
        "deployment": built.deployment(identity, pod),
        "service": built.service(identity, pod),
        "hpa": hpa,
        "pdb": built.pod_disruption_budget(identity, scaling.replica_count_min),
        **_websocket(plan),
    }


def _websocket(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the WebSocket nodes' objects: pods that have a node each, by the names that nginx is given."""
    name, tier = application(plan), plan.scenario.tiers.websocket
    identity = built.Identity(WEBSOCKET, namespace=name, part_of=name, component="websocket")
    shape = next(group.shape for group in plan.groups if group.tier == "websocket")
    count = int(plan.figure("websocket.node_count"))
    pod = built.Pod(
        image=tier.image,
        port=tier.port,
        resources=built.Resources(
            # Half the node: what else runs there is small, and CPU is shared when it is scarce.
            cpu_cores_request=shape.vcpu / 2,
            memory_mib_request=max(1, ceil(plan.figure("websocket.memory_mib_per_node"))),
            memory_mib_limit=max(ceil(shape.memory_gib * 1024), ceil(plan.figure("websocket.memory_mib_per_node")), 1),
        ),
        ready_path=None,
        live_path=None,
        zone_count=plan.scenario.availability.zones,
    )
    return {
        "websocket-service": built.headless_service(identity, pod),
        "websocket": built.stateful_set(identity, pod, count, {LABEL: "websocket"}),
        "websocket-pdb": built.pod_disruption_budget(identity, count, 1),
    }


def _identity(plan: Plan) -> built.Identity:
    name = application(plan)
    return built.Identity(name=f"{name}-api", namespace=name, part_of=name)


def _pod(plan: Plan) -> built.Pod:
    api = plan.scenario.tiers.api
    return built.Pod(
        image=api.image,
        port=api.port,
        resources=built.Resources(api.pod.cpu_cores, api.pod.memory_mib),
        ready_path=api.ready_path,
        live_path=api.live_path,
        zone_count=plan.scenario.availability.zones,
    )


def _scaling(plan: Plan) -> built.Scaling:
    rules = plan.scenario.autoscaling
    return built.Scaling(
        replica_count_min=int(plan.figure("api.replica_count.min")),
        replica_count_max=int(plan.figure("api.replica_count.max")),
        latency_s_target=rules.target_latency_s_p95,
        memory_percent_target=rules.target_memory_percent,
        scale_up_window_s=rules.scale_up_window_s,
        scale_up_percent=rules.scale_up_percent,
        scale_up_period_s=rules.scale_up_period_s,
        scale_down_window_s=rules.scale_down_window_s,
    )
