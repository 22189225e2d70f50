"""The VPC, its subnets and the ways out of it: made here, looked up in the cluster's, or given by their ids.

Whichever it is, the other files read the same locals.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters import _network as network
from cascade_plan.emitters._controllers import cluster_name
from cascade_plan.emitters.terraform._file import File, variable
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Plan

SUBNET_BITS: Final = 4
"""A sixteenth of the VPC's addresses for each subnet: 4,096 of 65,536, since each pod takes one."""
FIRST_PUBLIC: Final = 8
"""The public subnets take the upper half."""
IN_A_NETWORK: Final = ("cluster", "gateway", "objects", "pool")
"""What stands in a network, or makes something in it, beside the groups of nodes and servers."""
ANYWHERE: Final = "0.0.0.0/0"


def files(plan: Plan) -> Iterator[File]:
    """Yield network.tf, where there is something that stands in a network."""
    if not plan.groups and not any(plan.fleet.of(kind) for kind in IN_A_NETWORK):
        return
    maker = network.maker(plan)
    if maker == "terraform":
        made = network.made_with_it(plan)
        yield File("network.tf", "The VPC, its subnets and the ways out of it.", tuple(_made(plan)), deploys=made)
    elif maker == "eksctl":
        words = "The network that the cluster was made with, looked up by the cluster's name."
        yield File("network.tf", words, tuple(_looked_up(plan)))
    else:
        yield File("network.tf", "The VPC that is there, by its ids.", tuple(_given(plan)), tuple(_ids(plan)))


def _locals(known: dict[str, Value], **found: str) -> Block:
    """Return the names by which the other files know the network's parts."""
    expressions = {name: Expression(text) for name, text in found.items()}
    return Block("locals", (), {**known, **expressions}, comment="What the other files here read.")


def _workloads(plan: Plan) -> tuple[str, tuple[Block, ...]]:
    """Return the security group of nodes and pods, as an expression, and what makes it: EKS does, where it is used."""
    if not plan.fleet.of("cluster"):
        attributes: dict[str, Value] = {
            "name": aws_name(f"{plan.application}-workloads", "security_group"),
            "description": "What runs on the instances",
            "vpc_id": Expression("local.vpc_id"),
        }
        return "aws_security_group.workloads.id", (
            Block("resource", ("aws_security_group", "workloads"), attributes),
            Block(
                "resource",
                ("aws_vpc_security_group_egress_rule", "workloads"),
                {"security_group_id": Expression("aws_security_group.workloads.id"), "cidr_ipv4": ANYWHERE,
                 "ip_protocol": "-1"},
            ),
        )  # fmt: skip
    if plan.scenario.emit.nodes == "terraform":
        return "aws_eks_cluster.cluster.vpc_config[0].cluster_security_group_id", ()
    return "data.aws_eks_cluster.cluster.vpc_config[0].cluster_security_group_id", (_cluster(plan),)


def _cluster(plan: Plan) -> Block:
    return Block("data", ("aws_eks_cluster", "cluster"), {"name": cluster_name(plan)})


def _route_tables() -> Block:
    of_subnets: dict[str, Value] = {
        "name": "association.subnet-id",
        "values": Expression("local.private_subnet_ids"),
    }
    return Block("data", ("aws_route_tables", "private"), {}, (Block("filter", (), of_subnets),))


def _given(plan: Plan) -> Iterator[Block]:
    group, blocks = _workloads(plan)
    yield _locals(
        {},
        vpc_id="var.vpc_id",
        private_subnet_ids="var.private_subnet_ids",
        public_subnet_ids="var.public_subnet_ids",
        private_route_table_ids="data.aws_route_tables.private.ids",
        workload_security_group_id=group,
    )
    yield from blocks
    yield _route_tables()


def _ids(plan: Plan) -> Iterator[Block]:
    given = plan.scenario.emit.network
    if given is not None:
        yield variable("vpc_id", "The VPC of what is made here.", default=given.vpc_id)
        for name in ("private_subnet_ids", "public_subnet_ids"):
            words = f"Its {name.split('_')[0]} subnets, one in each zone."
            yield variable(name, words, "list(string)", default=getattr(given, name))


def _looked_up(plan: Plan) -> Iterator[Block]:
    group, blocks = _workloads(plan)
    yield _locals(
        {},
        vpc_id="data.aws_eks_cluster.cluster.vpc_config[0].vpc_id",
        private_subnet_ids="data.aws_subnets.private.ids",
        public_subnet_ids="data.aws_subnets.public.ids",
        private_route_table_ids="data.aws_route_tables.private.ids",
        workload_security_group_id=group,
    )
    yield from blocks
    for kind, tag in network.FOR_BALANCERS.items():
        in_vpc: dict[str, Value] = {"name": "vpc-id", "values": [Expression("local.vpc_id")]}
        yield Block("data", ("aws_subnets", kind), {"tags": {tag: "1"}}, (Block("filter", (), in_vpc),))
    yield _route_tables()


def _made(plan: Plan) -> Iterator[Block]:
    group, blocks = _workloads(plan)
    yield _locals(
        {"application": plan.application, "zones": list(network.zone_names(plan))},
        vpc_id="aws_vpc.network.id",
        private_subnet_ids="aws_subnet.private[*].id",
        public_subnet_ids="aws_subnet.public[*].id",
        private_route_table_ids="aws_route_table.private[*].id",
        workload_security_group_id=group,
    )
    names = {"enable_dns_support": True, "enable_dns_hostnames": True}
    yield _named(plan, "aws_vpc", "network", "", {"cidr_block": plan.scenario.emit.cidr, **names})
    yield _named(plan, "aws_internet_gateway", "network", "", {"vpc_id": Expression("aws_vpc.network.id")})
    for kind, offset in (("private", 0), ("public", FIRST_PUBLIC)):
        yield _subnets(plan, kind, offset)
    yield from _gateways(plan)
    yield from _routes(plan)
    yield from blocks


def _named(plan: Plan, kind: str, label: str, suffix: str, attributes: dict[str, Value]) -> Block:
    return Block("resource", (kind, label), {**attributes, "tags": {"Name": f"{plan.application}{suffix}"}})


def _subnets(plan: Plan, kind: str, offset: int) -> Block:
    number = f"count.index + {offset}" if offset else "count.index"
    name = Expression(f'"${{local.application}}-{kind}-${{local.zones[count.index]}}"')
    return Block(
        "resource",
        ("aws_subnet", kind),
        {
            "count": Expression("length(local.zones)"),
            "vpc_id": Expression("aws_vpc.network.id"),
            "availability_zone": Expression("local.zones[count.index]"),
            "cidr_block": Expression(f"cidrsubnet(aws_vpc.network.cidr_block, {SUBNET_BITS}, {number})"),
            **({"map_public_ip_on_launch": True} if kind == "public" and not network.gateway_count(plan) else {}),
            "tags": {"Name": name, **({network.FOR_BALANCERS[kind]: "1"} if plan.fleet.of("cluster") else {})},
        },
    )


def _gateways(plan: Plan) -> Iterator[Block]:
    """Yield as many NAT gateways as are paid for, each with its address."""
    count = network.gateway_count(plan)
    if not count:
        return
    yield Block("resource", ("aws_eip", "nat"), {"count": count, "domain": "vpc"})
    yield Block(
        "resource",
        ("aws_nat_gateway", "nat"),
        {
            "count": count,
            "allocation_id": Expression("aws_eip.nat[count.index].id"),
            "subnet_id": Expression("aws_subnet.public[count.index].id"),
            "depends_on": [Expression("aws_internet_gateway.network")],
        },
    )


def _routes(plan: Plan) -> Iterator[Block]:
    """Yield the tables: a public one, and one for each private subnet, whose zone may have a gateway of its own."""
    count = network.gateway_count(plan)
    yield _named(plan, "aws_route_table", "public", "-public", {"vpc_id": Expression("aws_vpc.network.id")})
    yield Block(
        "resource",
        ("aws_route", "public"),
        {
            "route_table_id": Expression("aws_route_table.public.id"),
            "destination_cidr_block": ANYWHERE,
            "gateway_id": Expression("aws_internet_gateway.network.id"),
        },
    )
    of_zones: dict[str, Value] = {"count": Expression("length(local.zones)")}
    yield Block(
        "resource",
        ("aws_route_table", "private"),
        {
            **of_zones,
            "vpc_id": Expression("aws_vpc.network.id"),
            "tags": {"Name": Expression('"${local.application}-private-${local.zones[count.index]}"')},
        },
    )
    if count:
        yield Block(
            "resource",
            ("aws_route", "private"),
            {
                **of_zones,
                "route_table_id": Expression("aws_route_table.private[count.index].id"),
                "destination_cidr_block": ANYWHERE,
                "nat_gateway_id": Expression(f"aws_nat_gateway.nat[count.index % {count}].id"),
            },
        )
    for kind, table in (
        ("private", "aws_route_table.private[count.index].id"),
        ("public", "aws_route_table.public.id"),
    ):
        yield Block(
            "resource",
            ("aws_route_table_association", kind),
            {
                **of_zones,
                "subnet_id": Expression(f"aws_subnet.{kind}[count.index].id"),
                "route_table_id": Expression(table),
            },
        )
