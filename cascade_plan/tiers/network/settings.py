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
    bytes_per_query: BytesOrZero = default(
        2000.0, "assumption", "the text of a query and its rows, or a key and its value"
    )
    """Bytes that one query of a database or one look-up in a cache moves, to and fro."""
    scrape_bytes_per_series: BytesOrZero = default(
        10.0, "measured", "6 bytes of a histogram of 17,000 series, compressed as Prometheus asks; others compress less"
    )
    """Bytes that one series takes each time Prometheus scrapes it."""
    object_endpoint: bool = default(
        True, "cited", "it costs nothing, https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html"
    )
    """Whether what pods move to and from an object store takes an endpoint of the network's own instead of the NAT
    gateways; emit-infra makes it."""
