"""What pods may do in AWS: each service and worker what its work asks for, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cascade_plan.emitters._controllers import JOBS, JOBS_ACCOUNT, SECRETS, Statement, controllers
from cascade_plan.emitters._nodes import node_groups, without_nodes
from cascade_plan.emitters._secrets import secrets
from cascade_plan.emitters.terraform import _buckets, _roles
from cascade_plan.emitters.terraform._file import File, output
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.artefact import Step
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.objects.settings import Settings as Objects
from cascade_plan.tiers.queue.settings import Settings as Queue
from cascade_plan.tiers.worker.settings import Settings as Worker

AGENT: Final = "pods.eks.amazonaws.com"
"""Who gives pods on nodes their role; https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html"""
READ_SECRETS: Final = ("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret")
UPLOAD: Final = ("s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload")
SEND: Final = ("sqs:SendMessage", "sqs:GetQueueUrl")
LOOK: Final = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl")
TAKE: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", *LOOK)


@dataclass(frozen=True, slots=True)
class _Account:
    """A ServiceAccount whose pods act as a role."""

    label: str
    namespace: str
    name: str
    statements: tuple[Value, ...]
    on_nodes: bool
    """Whether an agent of their node gives them the role; else a token does."""


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the roles, where there is a cluster and somebody in it asks AWS for something."""
    accounts = [each for each in _accounts(plan) if each.statements] if plan.fleet.of("cluster") else []
    if not accounts:
        return
    by_token = [each for each in accounts if not each.on_nodes]
    provider = () if not by_token or plan.scenario.emit.nodes == "terraform" else (_provider(),)
    yield File(
        "access.tf",
        "What pods may do in AWS: what their work asks for.",
        (*provider, *(block for each in accounts for block in _resources(plan, each))),
        outputs=tuple(_output(each) for each in by_token),
        steps=tuple(_annotated(each) for each in by_token if each.namespace == plan.application),
    )


def statements(plan: Plan, workload: Workload) -> tuple[Value, ...]:
    """Return what a workload may do: store what is uploaded to it, leave jobs, take jobs."""
    actions = [
        each for each in plan.scenario.behaviour.actions.values() if plan.scenario.service(each) == workload.tier
    ]
    found: list[Value] = []
    if any(each.object_bytes for each in actions):
        found += [_roles.may(UPLOAD, [_buckets.objects_of(store.name)]) for store in plan.of(Objects)]
    queues = _queues(plan)
    sent = dict.fromkeys(queues[worker] for each in actions for worker in each.jobs if worker in queues)
    found += [_roles.may(SEND, [_queue(queue)]) for queue in sent]
    if workload.queue:
        found.append(_roles.may(TAKE, [_queue(workload.queue)]))
    return tuple(found)


def all_secrets(plan: Plan) -> Value:
    """Return that all secrets of the application may be read."""
    region, own = plan.scenario.region, f"secret:{plan.application}/*"
    arn = f'"arn:${{data.aws_partition.current.partition}}:secretsmanager:{region}:${{{_buckets.ACCOUNT}}}:{own}"'
    return _roles.may(READ_SECRETS, [Expression(arn)])


def _accounts(plan: Plan) -> Iterator[_Account]:
    alone = without_nodes(plan)
    for workload in plan.fleet.workloads:
        may = statements(plan, workload)
        yield _Account(workload.tier, plan.application, workload.name, may, workload not in alone)
    has_nodes = bool(node_groups(plan))
    for each in controllers(plan) if plan.scenario.emit.nodes == "terraform" else ():
        yield _Account(each.label, each.namespace, each.account, tuple(map(_may, each.statements)), has_nodes)
    if secrets(plan) and plan.fleet.workloads:
        reads = (all_secrets(plan),)
        yield _Account("external_secrets", SECRETS, SECRETS, reads, has_nodes)
    followed = dict.fromkeys(workload.queue for workload in plan.fleet.workloads if workload.queue)
    if followed and plan.of(Queue):
        looks = _roles.may(LOOK, [_queue(queue) for queue in followed])
        yield _Account("keda", JOBS, JOBS_ACCOUNT, (looks,), has_nodes)


def _may(statement: Statement) -> Value:
    """Return what a controller may do, where another than Terraform does not say it."""
    condition = {"Condition": {"StringEquals": dict([statement.condition])}} if statement.condition else {}
    return {**_roles.may(statement.actions, ["*"]), **condition}


def _queues(plan: Plan) -> Mapping[str, str]:
    """Return worker -> its queue, of those that have one."""
    found = [queue.name for queue in plan.of(Queue)]
    return {worker.name: worker.settings.queue or found[0] for worker in plan.of(Worker) if found}


def _queue(name: str) -> Expression:
    return Expression(f"aws_sqs_queue.{name}.arn")


def _cluster(plan: Plan) -> str:
    return "aws_eks_cluster.cluster" if plan.scenario.emit.nodes == "terraform" else "data.aws_eks_cluster.cluster"


def _resources(plan: Plan, account: _Account) -> Iterator[Block]:
    if not account.on_nodes:
        yield from _roles.role(plan, account.label, _by_token(plan, account), account.statements)
        return
    yield from _roles.role(plan, account.label, _roles.service(AGENT, "sts:TagSession"), account.statements)
    yield Block(
        "resource",
        ("aws_eks_pod_identity_association", account.label),
        {
            "cluster_name": Expression(f"{_cluster(plan)}.name"),
            "namespace": account.namespace,
            "service_account": account.name,
            "role_arn": Expression(f"aws_iam_role.{account.label}.arn"),
        },
    )


def _provider() -> Block:
    url: dict[str, Value] = {"url": Expression("data.aws_eks_cluster.cluster.identity[0].oidc[0].issuer")}
    return Block("data", ("aws_iam_openid_connect_provider", "cluster"), url)


def _by_token(plan: Plan, account: _Account) -> Value:
    """Return that pods on Fargate, which have no agent, take a role by the token of their ServiceAccount.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
    """
    data = "" if plan.scenario.emit.nodes == "terraform" else "data."
    issuer = f'${{replace({_cluster(plan)}.identity[0].oidc[0].issuer, "https://", "")}}'
    who = f'"{issuer}:sub" = "system:serviceaccount:{account.namespace}:{account.name}"'
    asked = f'"{issuer}:aud" = "sts.amazonaws.com"'
    return {
        "Effect": "Allow",
        "Principal": {"Federated": Expression(f"{data}aws_iam_openid_connect_provider.cluster.arn")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": Expression(f"{{ StringEquals = {{ {who}, {asked} }} }}"),
    }


def _output(account: _Account) -> Block:
    words = f"The role of the ServiceAccount {account.name} in {account.namespace}: eks.amazonaws.com/role-arn."
    return output(f"{account.label}_role_arn", words, f"aws_iam_role.{account.label}.arn")


def _annotated(account: _Account) -> Step:
    """Return the step that tells pods their role before they start."""
    made = "--dry-run=client -o yaml | kubectl apply -f -"
    role = f'"$(terraform -chdir=infra output -raw {account.label}_role_arn)"'
    command = (
        f"kubectl create namespace {account.namespace} {made}\n"
        f"kubectl create serviceaccount {account.name} -n {account.namespace} {made}\n"
        f"kubectl annotate serviceaccount {account.name} -n {account.namespace} --overwrite "
        f"eks.amazonaws.com/role-arn={role}"
    )
    return Step("secrets", f"Tell the pods of {account.name}, which have no node, their role", command)
