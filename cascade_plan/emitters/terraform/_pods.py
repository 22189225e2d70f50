"""The pods of an EKS cluster that run on no node: a Fargate profile for each service."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.emitters._controllers import controllers
from cascade_plan.emitters._nodes import NAME_LABEL, SYSTEM, node_groups, without_nodes
from cascade_plan.emitters.terraform._file import File
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Plan


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the profiles, where pods run without nodes."""
    pods = without_nodes(plan)
    if not pods or plan.scenario.emit.nodes != "terraform":
        return
    blocks = [_profile(run.tier, {"namespace": plan.application, "labels": {NAME_LABEL: run.name}}) for run in pods]
    if not node_groups(plan):
        spaces = dict.fromkeys((SYSTEM, *(each.namespace for each in controllers(plan))))
        own: list[dict[str, Value]] = [{"namespace": space} for space in spaces]
        blocks.append(_profile("cluster", *own))
    yield File(
        "pods.tf",
        "The Fargate profiles of pods that run on no node.",
        tuple(blocks),
        deploys=tuple(run.group for run in pods),
    )


def _profile(label: str, *selectors: dict[str, Value]) -> Block:
    return Block(
        "resource",
        ("aws_eks_fargate_profile", label),
        {
            "cluster_name": Expression("aws_eks_cluster.cluster.name"),
            "fargate_profile_name": label.replace("_", "-"),
            "pod_execution_role_arn": Expression("aws_iam_role.fargate.arn"),
            "subnet_ids": Expression("local.private_subnet_ids"),
        },
        tuple(Block("selector", (), selector) for selector in selectors),
    )
