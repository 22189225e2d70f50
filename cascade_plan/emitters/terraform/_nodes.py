"""The nodes of an EKS cluster: managed node groups between the plan's floor and ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._nodes import LABEL, Nodes, is_tainted, node_groups
from cascade_plan.emitters.terraform._file import File
from cascade_plan.emitters.terraform._templates import subnet_ids, template
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Plan

AMI_TYPES: Final = {"arm64": "AL2023_ARM_64_STANDARD", "x86_64": "AL2023_x86_64_STANDARD"}
"""https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html"""


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the node groups, where Terraform makes a cluster that has some."""
    groups = node_groups(plan)
    if plan.scenario.emit.nodes == "terraform" and plan.fleet.of("cluster") and groups:
        yield File(
            "nodes.tf",
            "The EKS node groups, between floor and ceiling of the fleet.",
            tuple(block for nodes in groups for block in (template(plan, nodes, {}), _node_group(plan, nodes))),
            deploys=tuple(dict.fromkeys(nodes.group.name for nodes in groups)),
        )


def _node_group(plan: Plan, nodes: Nodes) -> Block:
    group = nodes.group
    started_by: dict[str, Value] = {
        "id": Expression(f"aws_launch_template.{nodes.label}.id"),
        "version": Expression(f"aws_launch_template.{nodes.label}.latest_version"),
    }
    return Block(
        "resource",
        ("aws_eks_node_group", nodes.label),
        {
            "cluster_name": Expression("aws_eks_cluster.cluster.name"),
            "node_group_name": aws_name(f"{plan.application}-{nodes.name}", "node_group"),
            "node_role_arn": Expression("aws_iam_role.nodes.arn"),
            "subnet_ids": subnet_ids(plan),
            "ami_type": AMI_TYPES[group.shape.architecture],
            "instance_types": [group.shape.name],
            "capacity_type": "SPOT" if nodes.spot else "ON_DEMAND",
            "labels": {LABEL: group.tier},
            "depends_on": [
                Expression(each)
                for each in ("aws_iam_role_policy_attachment.nodes_AmazonEKS_CNI_Policy", "aws_eks_addon.vpc_cni")
            ],
        },
        (
            Block("launch_template", (), started_by),
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
