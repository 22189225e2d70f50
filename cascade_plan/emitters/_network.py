"""The network that everything stands in: who makes it, its zones, and its gateways to the internet."""

from __future__ import annotations

from typing import Final, Literal

from cascade_plan.errors import UsageError
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.network.settings import Settings

FIRST_ZONES: Final = {"ap-northeast-1": "acd", "ca-central-1": "abd", "us-west-1": "ac"}
"""The letters of the zones that new accounts have in regions where these are not a, b and c.
Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html: older zones are
closed to them."""
LETTERS: Final = "abcdef"
FEWEST_ZONES: Final = 2
"""A control plane and a group of database subnets each stand in two zones at least, whatever a plan pays for.
Source: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html"""
FOR_BALANCERS: Final = {"private": "kubernetes.io/role/internal-elb", "public": "kubernetes.io/role/elb"}
"""The tags by which load balancers find their subnets, and by which eksctl marks those that it makes;
https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html"""


def maker(plan: Plan) -> Literal["nobody", "eksctl", "terraform"]:
    """Return who makes the VPC: nobody where the scenario names one that is there."""
    emit = plan.scenario.emit
    if emit.network is not None:
        return "nobody"
    return "terraform" if emit.nodes == "terraform" or not plan.fleet.of("cluster") else "eksctl"


def zone_names(plan: Plan) -> tuple[str, ...]:
    """Return the availability zones to deploy into: the scenario's, else as many as it asks for of the region's first.

    Raises UsageError where it asks for more than the region is known to have.
    """
    scenario = plan.scenario
    if scenario.emit.zone_names is not None:
        return tuple(scenario.emit.zone_names)
    letters = FIRST_ZONES.get(scenario.region, LETTERS)
    count = max(FEWEST_ZONES, scenario.availability.asked.zones)
    if count > len(letters):
        known = f"{scenario.region} is known to have {len(letters)}"
        raise UsageError(f"availability.zones: {known}: name {count} in emit.zone_names")
    return tuple(f"{scenario.region}{letter}" for letter in letters[:count])


def gateway_count(plan: Plan) -> int:
    """Return how many NAT gateways the plan pays for."""
    return sum(network.count("nat_gateway_count") for network in plan.fleet.of("network"))


def is_private(plan: Plan) -> bool:
    """Return whether nodes stand in private subnets: without a way out of these they have addresses of their own."""
    by_instances = any(each.settings.nat == "instance" for each in plan.of(Settings))
    return maker(plan) == "nobody" or gateway_count(plan) > 0 or by_instances


def made_with_it(plan: Plan) -> tuple[str, ...]:
    """Return the names of the metered use that whoever makes the network brings: its NAT gateways."""
    made = ("nat_gateway", "nat_traffic") if gateway_count(plan) else ()
    return tuple(usage.name for usage in plan.fleet.usages if usage.offer.what in made)
