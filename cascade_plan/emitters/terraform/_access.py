"""Who reaches what over the network: security groups, a rule for each port, and subnet groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Plan

WORKLOADS: Final = "local.workload_security_group_id"
"""The security group of nodes and pods, however they were made."""
ANYWHERE: Final = "0.0.0.0/0"


def group_id(label: str) -> str:
    """Return the id of a security group that is made here, as an expression."""
    return f"aws_security_group.{label}.id"


def security_group(plan: Plan, label: str, words: str) -> Block:
    """Return a security group; nothing passes it but what rules let through."""
    return Block(
        "resource",
        ("aws_security_group", label),
        {
            "name": aws_name(f"{plan.application}-{label.replace('_', '-')}", "security_group"),
            "description": words,
            "vpc_id": Expression("local.vpc_id"),
        },
    )


def rule(
    direction: Literal["ingress", "egress"],
    label: str,
    group: str,
    port: int,
    *,
    peer: str = "",
) -> Block:
    """Return the rule by which a port is open: of a group, to or from another one, or anywhere."""
    way, other = ("from" if direction == "ingress" else "to"), ("another group" if peer else "anywhere")
    there: dict[str, Value] = {"cidr_ipv4": ANYWHERE}
    if peer:
        there = {"referenced_security_group_id": Expression(peer)}
    return Block(
        "resource",
        (f"aws_vpc_security_group_{direction}_rule", label),
        {
            "security_group_id": Expression(group),
            "description": f"Port {port} {way} {other}",
            **there,
            "ip_protocol": "tcp",
            "from_port": port,
            "to_port": port,
        },
    )


def reached_by_workloads(plan: Plan, label: str, words: str, port: int) -> Iterator[Block]:
    """Yield the security group of what nodes and pods reach, and nothing else does."""
    yield security_group(plan, label, words)
    yield rule("ingress", label, group_id(label), port, peer=WORKLOADS)


def subnet_group(plan: Plan, kind: Literal["aws_db_subnet_group", "aws_elasticache_subnet_group"], label: str) -> Block:
    """Return the private subnets as a database or a cache takes them."""
    return Block(
        "resource",
        (kind, label),
        {
            "name": aws_name(f"{plan.application}-{label.replace('_', '-')}", "group"),
            "subnet_ids": Expression("local.private_subnet_ids"),
        },
    )
