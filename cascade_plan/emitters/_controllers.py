"""What runs in a cluster beside the application so that its files work: Helm charts, and what each may do in AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._charts import Chart
from cascade_plan.emitters._nodes import SYSTEM, node_groups
from cascade_plan.model.plan import Plan

SECRET_KINDS: Final = ("database", "cache")
"""What of a plan has passwords that pods read."""
OWNER_TAG: Final = "aws:ResourceTag/k8s.io/cluster-autoscaler/"
"""EKS tags the scaling group of a managed node group with it and the cluster's name, and with `enabled`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a role may do."""

    actions: tuple[str, ...]
    condition: tuple[str, str] | None = None
    """(key, value) that what it is done to must have; None for anything."""


@dataclass(frozen=True, slots=True)
class Controller:
    """What a Helm chart runs: its release is called as the chart."""

    chart: Chart
    words: str
    """What it does, as a step."""
    namespace: str = SYSTEM
    statements: tuple[Statement, ...] = ()
    """What its pods may do in AWS; where there are none, Terraform says it by what else the plan has."""

    @property
    def name(self) -> str:
        """What its release is called."""
        return self.chart.name

    @property
    def label(self) -> str:
        """Its name where no dash may stand in it."""
        return self.name.replace("-", "_")

    @property
    def account(self) -> str:
        """What the ServiceAccount is called by which its pods have a role."""
        return JOBS_ACCOUNT if self.name == JOBS else self.name


AUTOSCALER: Final = "cluster-autoscaler"
BALANCER: Final = "aws-load-balancer-controller"
SECRETS: Final = "external-secrets"
JOBS: Final = "keda"
JOBS_ACCOUNT: Final = "keda-operator"


def controllers(plan: Plan) -> tuple[Controller, ...]:
    """Return what a plan's cluster needs; nothing where it has none.

    Versions: of the charts, as https://github.com/kubernetes/autoscaler/releases,
    https://github.com/aws/eks-charts, https://github.com/external-secrets/external-secrets/releases and
    https://github.com/kedacore/charts/releases have them in autumn 2026.
    """
    return tuple(_needed(plan)) if plan.fleet.of("cluster") else ()


def cluster_name(plan: Plan) -> str:
    """Return what the cluster is called."""
    return aws_name(plan.application, "cluster")


def _needed(plan: Plan) -> Iterator[Controller]:
    if plan.scenario.emit.nodes != "karpenter" and any(each.count_min < each.count_max for each in node_groups(plan)):
        yield Controller(
            Chart(AUTOSCALER, "9.59.0", "https://kubernetes.github.io/autoscaler"),
            "Let nodes follow the pods",
            statements=_autoscaling(cluster_name(plan)),
        )
    if plan.fleet.of("gateway") and plan.fleet.workloads:
        yield Controller(
            Chart(BALANCER, "3.5.0", "https://aws.github.io/eks-charts"),
            "Put pods behind the load balancer",
            statements=(Statement(TARGETS),),
        )
    if any(plan.fleet.of(kind) for kind in SECRET_KINDS) and plan.fleet.workloads:
        yield Controller(
            Chart(SECRETS, "2.10.0", "https://charts.external-secrets.io"),
            "Bring the passwords of Secrets Manager to the pods",
            namespace=SECRETS,
        )
    if any(workload.queue for workload in plan.fleet.workloads):
        yield Controller(
            Chart(JOBS, "2.20.2", "https://kedacore.github.io/charts"),
            "Let workers follow their queue",
            namespace=JOBS,
        )


TARGETS: Final = (
    "ec2:DescribeVpcs",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeInstances",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "elasticloadbalancing:RegisterTargets",
    "elasticloadbalancing:DeregisterTargets",
)
"""All that it needs which binds pods to target groups that are there, and makes no balancer and no rule of its own.
Source: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/, the subset of
permissions for TargetGroupBinding."""


def _autoscaling(cluster: str) -> tuple[Statement, ...]:
    """Return what looks at anything, and moves only the scaling groups of this cluster.

    Source: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
    """
    look = (
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DescribeTags",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:GetInstanceTypesFromInstanceRequirements",
        "eks:DescribeNodegroup",
    )
    move = ("autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup")
    return Statement(look), Statement(move, (f"{OWNER_TAG}{cluster}", "owned"))
