"""The EKS cluster, its add-ons, and the roles of its nodes, where Terraform makes the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from cascade_plan.emitters._controllers import cluster_name
from cascade_plan.emitters._nodes import made_with_it, node_groups, without_nodes
from cascade_plan.emitters.terraform import _roles
from cascade_plan.emitters.terraform._file import File, variable
from cascade_plan.languages import shell
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.artefact import Step
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.cluster.settings import Settings

NAME: Final = Expression("aws_eks_cluster.cluster.name")
NODE_POLICIES: Final = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy")
"""https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html"""
FIRST: Final = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
"""Add-ons that run on every node, and that a node needs before it is ready."""
LAST: Final = ("coredns", "metrics-server")
"""Those whose pods need a node, or a Fargate profile."""
DISKS: Final = "aws-ebs-csi-driver"
DISKS_ACCOUNT: Final = "ebs-csi-controller-sa"
ISSUER: Final = "aws_eks_cluster.cluster.identity[0].oidc[0].issuer"


def files(plan: Plan) -> Iterator[File]:
    """Yield cluster.tf, where Terraform makes a cluster."""
    if plan.scenario.emit.nodes != "terraform" or not plan.fleet.of("cluster"):
        return
    asked, region = _settings(plan), plan.scenario.region
    command = f"aws eks update-kubeconfig --name {shell.literal(cluster_name(plan))} --region {shell.literal(region)}"
    yield File(
        "cluster.tf",
        "The EKS cluster, its add-ons, and the roles of its nodes.",
        tuple(_blocks(plan)),
        () if asked.public_access_cidrs else (_WHO,),
        deploys=made_with_it(plan),
        steps=(Step("access", "Let kubectl reach the cluster", command),),
    )


_WHO: Final = variable(
    "public_access_cidrs", "Who reaches the cluster's API server from outside, such as 203.0.113.7/32.", "list(string)"
)


def _settings(plan: Plan) -> Settings:
    (found,) = plan.of(Settings)
    return found.settings


def _blocks(plan: Plan) -> Iterator[Block]:
    yield from _role(plan, "cluster", "eks.amazonaws.com", ("AmazonEKSClusterPolicy",))
    if _settings(plan).log_types:
        yield _logs(plan)
    yield _cluster(plan)
    yield from _addons(plan)
    if node_groups(plan):
        yield from _role(plan, "nodes", "ec2.amazonaws.com", NODE_POLICIES)
    if without_nodes(plan):
        service, policies = "eks-fargate-pods.amazonaws.com", ("AmazonEKSFargatePodExecutionRolePolicy",)
        yield from _role(plan, "fargate", service, policies)
        yield _provider()


def _role(plan: Plan, label: str, service: str, policies: tuple[str, ...], *more: str) -> Iterator[Block]:
    """Yield a role that a service of AWS takes, with policies that AWS keeps."""
    taken = _roles.service(service, *more)
    yield _roles.taken_by(plan, label, taken)
    for policy in policies:
        attachment = label if len(policies) == 1 else f"{label}_{policy}"
        attributes: dict[str, Value] = {
            "role": Expression(f"aws_iam_role.{label}.name"),
            "policy_arn": f"arn:aws:iam::aws:policy/{policy}",
        }
        yield Block("resource", ("aws_iam_role_policy_attachment", attachment), attributes)


def _logs(plan: Plan) -> Block:
    """Return where the control plane's logs go: made here, so that they are not kept for ever."""
    attributes: dict[str, Value] = {
        "name": f"/aws/eks/{cluster_name(plan)}/cluster",
        "retention_in_days": _settings(plan).log_retention_days,
    }
    return Block("resource", ("aws_cloudwatch_log_group", "cluster"), attributes)


def _cluster(plan: Plan) -> Block:
    asked = _settings(plan)
    logs = ["aws_cloudwatch_log_group.cluster"] if asked.log_types else []
    needs = ["aws_iam_role_policy_attachment.cluster", *logs]
    attributes: dict[str, Value] = {
        "name": cluster_name(plan),
        "version": asked.version,
        "role_arn": Expression("aws_iam_role.cluster.arn"),
        "bootstrap_self_managed_addons": False,
        **({"enabled_cluster_log_types": list(asked.log_types)} if asked.log_types else {}),
        "depends_on": [Expression(each) for each in needs],
    }
    reached = asked.public_access_cidrs
    network: dict[str, Value] = {
        "subnet_ids": Expression("concat(local.private_subnet_ids, local.public_subnet_ids)"),
        "endpoint_private_access": True,
        "endpoint_public_access": True,
        "public_access_cidrs": list(reached) if reached else Expression("var.public_access_cidrs"),
    }
    access: dict[str, Value] = {"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": True}
    return Block(
        "resource",
        ("aws_eks_cluster", "cluster"),
        attributes,
        (
            Block("access_config", (), access),
            Block(
                "upgrade_policy",
                (),
                {"support_type": "STANDARD"},
                comment="Else EKS keeps a version that is out of standard support, at six times the price.",
            ),
            Block("vpc_config", (), network),
        ),
        comment="EKS encrypts what the cluster stores, secrets among it, by a key of its own.",
    )


def _addons(plan: Plan) -> Iterator[Block]:
    """Yield the add-ons: those of nodes before there is one, the others once their pods have somewhere to run."""
    groups, alone = node_groups(plan), without_nodes(plan)
    for name in FIRST:
        if groups or name != "eks-pod-identity-agent":
            yield _addon(name, _network_values(plan) if name == "vpc-cni" else {})
    needs = [f"aws_eks_node_group.{nodes.label}" for nodes in groups] or [
        "aws_eks_fargate_profile.cluster" for _ in alone[:1]
    ]
    after: dict[str, Value] = {"depends_on": [Expression(each) for each in needs]} if needs else {}
    for name in LAST:
        yield _addon(name, after)
    if groups:
        policies = ("service-role/AmazonEBSCSIDriverPolicy",)
        yield from _role(plan, "disks", "pods.eks.amazonaws.com", policies, "sts:TagSession")
        account: dict[str, Value] = {
            "role_arn": Expression("aws_iam_role.disks.arn"),
            "service_account": DISKS_ACCOUNT,
        }
        yield _addon(DISKS, after, Block("pod_identity_association", (), account))


def _addon(name: str, attributes: dict[str, Value], *blocks: Block) -> Block:
    label = name.replace("-", "_")
    return Block("resource", ("aws_eks_addon", label), {"cluster_name": NAME, "addon_name": name, **attributes}, blocks)


def _network_values(plan: Plan) -> dict[str, Value]:
    """Return what the network's add-on does: it enforces policies, and hands out prefixes where a scenario says so."""
    env = {"env": {"ENABLE_PREFIX_DELEGATION": "true"}} if _settings(plan).prefix_delegation else {}
    return {"configuration_values": json.dumps({"enableNetworkPolicy": "true", **env})}


def _provider() -> Block:
    """Return who vouches for the tokens of pods that have no node, and so no agent to give them a role."""
    attributes: dict[str, Value] = {"url": Expression(ISSUER), "client_id_list": ["sts.amazonaws.com"]}
    return Block("resource", ("aws_iam_openid_connect_provider", "cluster"), attributes)
