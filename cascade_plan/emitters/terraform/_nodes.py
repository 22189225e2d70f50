"""The nodes of an EKS cluster: managed node groups between the plan's floor and ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._nodes import LABEL, Nodes, is_tainted, node_groups
from cascade_plan.emitters.terraform._file import File, variable
from cascade_plan.languages.hcl import Block, Expression
from cascade_plan.model.plan import Plan

AMI_TYPES: Final = {"arm64": "AL2023_ARM_64_STANDARD", "x86_64": "AL2023_x86_64_STANDARD"}
"""https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html"""


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the node groups, where there are a cluster and nodes of it."""
    groups = node_groups(plan)
    if plan.fleet.of("cluster") and groups:
        cluster = aws_name(plan.application, "cluster")
        yield File(
            "nodes.tf",
            "The EKS node groups, between floor and ceiling of the fleet.",
            tuple(_node_group(plan, nodes) for nodes in groups),
            (
                variable("cluster_name", "The EKS cluster.", default=cluster),
                variable("node_role_arn", "The IAM role of the nodes."),
            ),
            deploys=tuple(dict.fromkeys(nodes.group.name for nodes in groups)),
        )


def _node_group(plan: Plan, nodes: Nodes) -> Block:
    group = nodes.group
    return Block(
        "resource",
        ("aws_eks_node_group", nodes.label),
        {
            "cluster_name": Expression("var.cluster_name"),
            "node_group_name": aws_name(f"{plan.application}-{nodes.name}", "node_group"),
            "node_role_arn": Expression("var.node_role_arn"),
            "subnet_ids": Expression("local.private_subnet_ids"),
            "ami_type": AMI_TYPES[group.shape.architecture],
            "instance_types": [group.shape.name],
            "capacity_type": "SPOT" if nodes.spot else "ON_DEMAND",
            "disk_size": group.disk_gib,
            "labels": {LABEL: group.tier},
        },
        (
            Block(
                "scaling_config",
                (),
                {"min_size": nodes.count_min, "desired_size": nodes.count_base, "max_size": nodes.count_max},
            ),
            *_taints(plan, nodes),
            Block("update_config", (), {"max_unavailable": 1}),
            Block(
                "lifecycle",
                (),
                {"ignore_changes": [Expression("scaling_config[0].desired_size")]},
                comment="The autoscaler owns the count: a later apply must not shrink a scaled fleet.",
            ),
        ),
    )


def _taints(plan: Plan, nodes: Nodes) -> Iterator[Block]:
    """Yield what keeps the pods of other tiers off the nodes."""
    if is_tainted(plan, nodes.group):
        yield Block("taint", (), {"key": LABEL, "value": nodes.group.tier, "effect": "NO_SCHEDULE"})
