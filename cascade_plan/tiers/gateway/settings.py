"""What a scenario may say of the load balancer."""

from typing import ClassVar, Literal

from cascade_plan.model import tier
from cascade_plan.model.defaults import default


class Settings(tier.Settings):
    """The load balancer in front of everything that users reach."""

    KIND: ClassVar[str] = "gateway"

    balancer: Literal["alb", "nlb"] = default(
        "alb", "assumption", "terminates TLS, speaks WebSocket and health-checks pods"
    )
    """alb reads requests (an application load balancer), nlb passes connections on (a network load balancer)."""
