"""The pods of an EKS cluster that run on no node: a Fargate profile for each service."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._nodes import NAME_LABEL, SYSTEM, node_groups, without_nodes
from cascade_plan.emitters.terraform._file import File, variable
from cascade_plan.languages.hcl import Block, Expression
from cascade_plan.model.plan import Plan


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the profiles, where pods run without nodes."""
    pods = without_nodes(plan)
    if not pods:
        return
    blocks = [_profile(run.tier, {"namespace": plan.application, "labels": {NAME_LABEL: run.name}}) for run in pods]
    if not node_groups(plan):
        blocks.append(_profile("cluster", {"namespace": SYSTEM}))
    yield File(
        "pods.tf",
        "The Fargate profiles of pods that run on no node.",
        tuple(blocks),
        (
            variable("cluster_name", "The EKS cluster.", default=aws_name(plan.application, "cluster")),
            variable("pod_execution_role_arn", "The IAM role by which Fargate starts pods."),
        ),
        deploys=tuple(run.group for run in pods),
    )


def _profile(label: str, selector: dict[str, object]) -> Block:
    return Block(
        "resource",
        ("aws_eks_fargate_profile", label),
        {
            "cluster_name": Expression("var.cluster_name"),
            "fargate_profile_name": label.replace("_", "-"),
            "pod_execution_role_arn": Expression("var.pod_execution_role_arn"),
            "subnet_ids": Expression("local.private_subnet_ids"),
        },
        (Block("selector", (), selector),),  # type: ignore[arg-type]
    )
