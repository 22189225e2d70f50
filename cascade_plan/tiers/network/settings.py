"""What a scenario may say of the network."""

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.model.part import Need, ShapeName
from cascade_plan.units import BytesOrZero, GibOrZero


class Settings(tier.Settings):
    """NAT gateways, public addresses, and the bytes between zones and to the internet."""

    KIND: ClassVar[str] = "network"

    nat: Literal["gateway", "instance", "off"] = default(
        "gateway", "cited", "nodes in private subnets reach the internet through it, https://docs.aws.amazon.com/vpc/"
    )
    """gateway: NAT gateways, paid by the hour and by what passes. instance: machines of ours that pass it on, paid by
    the hour alone, and one's own to mend. off: every node has a public IPv4 address of its own, paid by the hour."""
    nat_shape: ShapeName | Need = default(
        {"vcpu": 2, "memory_gib": 0.5, "burstable": True},
        "assumption",
        "it passes bytes on: its network is what counts",
    )
    """Of NAT instances, an instance type or a need for which the cheapest is taken."""
    nat_gateway_per_zone: bool | None = default(
        None,
        "cited",
        "one a zone, so that a zone's loss cuts off only itself, https://docs.aws.amazon.com/vpc/",
        examples=[False],
    )
    """Whether each zone has a NAT gateway, or instance, of its own; as `availability` asks for if left out."""
    nat_gib_per_node_month: GibOrZero = default(
        20.0, "assumption", "image pulls, package and third-party calls of one node"
    )
    """What one node sends through NAT a month, or one pod that has no node."""
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

    @field_validator("nat", mode="before")
    @classmethod
    def _is_off(cls, given: Any) -> Any:
        # YAML 1.1 reads the word off as false.
        return "off" if given is False else given
