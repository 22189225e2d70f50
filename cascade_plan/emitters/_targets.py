"""Where the load balancer sends what users ask: target groups, whose names join Terraform's files and Kubernetes's.

Terraform makes each group; a TargetGroupBinding of that name puts the pods of a Service into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._topology import NGINX_HEALTH, NGINX_PORT
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.gateway.settings import Settings as Gateway
from cascade_plan.tiers.websocket.settings import Settings as WebSocket

LEAVING_S: Final = 30
"""How long the balancer lets requests of a pod that leaves be answered: less than the 40 s after which Kubernetes ends
the pod (assumption: nothing that is answered takes longer)."""
SOCKETS_LEAVING_S: Final = 300
"""How long it leaves open connections to a proxy that leaves; then they are opened anew (AWS's default)."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target group."""

    workload: Workload
    """The service that answers, or the nodes that hold connections, before which nginx stands."""
    name: str
    """Which no other group of the account has in the region; a TargetGroupBinding's targetGroupName."""
    port: int
    """Of the pods."""
    health_path: str
    path: str = ""
    """Where connections are opened; empty of a service."""

    @property
    def is_proxy(self) -> bool:
        """Whether its pods are nginx's."""
        return self.workload.serves == "connections"

    @property
    def leaving_s(self) -> int:
        """How long the balancer waits for what is under way when a pod leaves."""
        return SOCKETS_LEAVING_S if self.is_proxy else LEAVING_S


def targets(plan: Plan) -> tuple[Target, ...]:
    """Return what stands behind the load balancer: services first, then nginx; nothing where there is no balancer."""
    if not plan.of(Gateway):
        return ()
    served = [each for kind in ("requests", "connections") for each in plan.fleet.workloads if each.serves == kind]
    return tuple(_target(plan, workload) for workload in served)


def _target(plan: Plan, workload: Workload) -> Target:
    if workload.serves == "connections":
        (path,) = (tier.settings.path for tier in plan.of(WebSocket) if tier.name == workload.tier)
        return Target(workload, aws_name(f"{workload.name}-nginx", "balancer"), NGINX_PORT, NGINX_HEALTH, path)
    return Target(workload, aws_name(workload.name, "balancer"), workload.port, workload.ready_path or "/")
