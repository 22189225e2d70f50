"""What a scenario may say of the network."""

from typing import ClassVar

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import BytesOrZero, GibOrZero


class Settings(tier.Settings):
    """NAT gateways, public addresses, and the bytes between zones and to the internet."""

    KIND: ClassVar[str] = "network"

    nat: bool = default(
        True, "cited", "nodes in private subnets reach the internet through it, https://docs.aws.amazon.com/vpc/"
    )
    """Whether there are NAT gateways; without them nodes have addresses of their own, or reach no internet."""
    nat_gateway_per_zone: bool | None = default(
        None,
        "cited",
        "one a zone, so that a zone's loss cuts off only itself, https://docs.aws.amazon.com/vpc/",
        examples=[False],
    )
    """Whether each zone has a NAT gateway of its own; as `availability` asks for if left out."""
    nat_gib_per_node_month: GibOrZero = default(
        20.0, "assumption", "image pulls, package and third-party calls of one node"
    )
    """What one node sends through NAT a month."""
    database_bytes_per_request: BytesOrZero = default(
        4000.0, "assumption", "query text and rows between API, database and cache for one request"
    )
    """Bytes that one request moves between the tiers."""
