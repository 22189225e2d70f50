"""What a scenario may say of the hosts of nginx."""

from typing import ClassVar

from cascade_plan.model.defaults import default
from cascade_plan.model.part import Need, ShapeName
from cascade_plan.model.tier import Bought
from cascade_plan.units import Count


class Settings(Bought):
    """The hosts of nginx, which stands before the WebSocket nodes and keeps each client on its node."""

    KIND: ClassVar[str] = "proxy"
    BOUGHT: ClassVar[str] = "vm"
    OPTIONAL: ClassVar[str] = "the hosts of nginx, where they are machines of their own"

    shape: ShapeName | Need = default(
        {"vcpu": 2, "memory_gib": 4}, "assumption", "nginx passes bytes on; memory for the buffers of its connections"
    )
    """An instance type, or a need for which the cheapest is taken."""
    nodes: Count = default(2, "assumption", "one may be lost")
    """How many there are."""
