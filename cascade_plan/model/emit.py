"""What a scenario says of the files that deploy it: who makes nodes, who runs the cache, and in which network.

Annotations are evaluated here, at definition: pydantic would evaluate postponed ones at every start.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cascade_plan.model.defaults import default
from cascade_plan.model.part import Part, Region
from cascade_plan.units import matching

VpcId = Annotated[str, matching(r"^vpc-[0-9a-f]{8,17}$", "the id of a VPC, vpc-0a1b2c3d4e5f60718", 40)]
SubnetId = Annotated[str, matching(r"^subnet-[0-9a-f]{8,17}$", "the id of a subnet, subnet-0a1b2c3d4e5f60718", 40)]
Subnets = Annotated[list[SubnetId], Field(min_length=1, max_length=6)]
Cidr = Annotated[
    str,
    matching(
        r"^(10(\.[0-9]{1,3}){3}|172\.(1[6-9]|2[0-9]|3[01])(\.[0-9]{1,3}){2}|192\.168(\.[0-9]{1,3}){2})/(1[6-9]|20)$",
        "a block of private IPv4 addresses (RFC 1918) of 16 to 20 bits, 10.0.0.0/16",
        40,
    ),
]


class GivenNetwork(Part):
    """A VPC that is there, by the ids of its parts."""

    vpc_id: VpcId = Field(examples=["vpc-0a1b2c3d4e5f60718"])
    """The VPC."""
    private_subnet_ids: Subnets = Field(examples=[["subnet-0a1b2c3d4e5f60718"]])
    """Its subnets for nodes, databases and caches, one in each zone."""
    public_subnet_ids: Subnets = Field(examples=[["subnet-0a1b2c3d4e5f60719"]])
    """Its subnets for load balancers, one in each zone."""


class Emit(Part):
    """Which files are written where there are several ways to deploy the same thing."""

    nodes: Literal["eksctl", "terraform", "karpenter"] = default(
        "eksctl", "assumption", "the shortest way to a cluster with node groups; the others are for who uses them"
    )
    """Who makes the cluster and its nodes. eksctl: both, with node groups. terraform: both, with node groups.
    karpenter: eksctl makes the cluster with the fewest nodes it always has, and Karpenter buys what scales above."""
    cache: Literal["elasticache", "self"] = default(
        "elasticache", "plan", "CASCADE performance plan: the Redis nodes of its cost calculator are ElastiCache's"
    )
    """Who runs the caches. elasticache: AWS. self: servers of the cluster's own, on nodes that are bought for them."""
    network: GivenNetwork | None = Field(default=None, examples=[None])
    """The VPC to deploy into, by its ids; left out, whoever makes the cluster makes one."""
    cidr: Cidr = default("10.0.0.0/16", "assumption", "65,536 addresses; take a block that none of your networks has")
    """The addresses of the VPC: of the one that is made, or of the one that `network` names. Pods and nginx believe and
    admit what comes from these."""
    zone_names: Annotated[list[Region], Field(min_length=1, max_length=6)] | None = Field(
        default=None, examples=[["us-east-1a", "us-east-1b", "us-east-1c"]]
    )
    """The availability zones to deploy into; left out, the region's first."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if self.zone_names is not None and len({*self.zone_names}) < len(self.zone_names):
            raise ValueError("zone_names must each be another zone")
        return self

    @model_validator(mode="after")
    def _addresses_are_said(self) -> Self:
        if self.network is not None and "cidr" not in self.model_fields_set:
            raise ValueError("network names a VPC that is there: give its addresses as cidr")
        return self
