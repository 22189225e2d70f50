"""What a scenario may say of the load balancer."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import MillisecondsOrZero, Variability


class Settings(tier.Settings):
    """The load balancer in front of everything that users reach."""

    KIND: ClassVar[str] = "gateway"

    balancer: Literal["alb", "nlb"] = default(
        "alb", "assumption", "terminates TLS, speaks WebSocket and health-checks pods"
    )
    """alb reads requests (an application load balancer), nlb passes connections on (a network load balancer)."""
    shared: bool = default(True, "assumption", "one balancer costs less, and tells both kinds of traffic apart")
    """Whether one balancer is before services and open connections alike; else those have one of their own."""
    access_log_days: Annotated[int, Field(ge=1, le=3653)] | None = Field(default=None, examples=[30])
    """Days that a log of every request is kept in a bucket, which is not billed here; left out, none is written."""
    response_ms: MillisecondsOrZero = default(
        2.0, "assumption", "TLS, the balancer and a trip to a pod that may be in another zone: 1 to 3 ms"
    )
    """Time that it adds to an answer, TLS included."""
    response_scv: Variability = default(0.5, "assumption", "zones differ, and some answers take twice as long")
    """Squared coefficient of variation of that time."""
