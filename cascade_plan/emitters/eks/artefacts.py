"""EKS by eksctl: a cluster with managed node groups, and beside them node pools where Karpenter buys nodes."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.emitters import _network as network
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._nodes import (
    Nodes,
    bought_by_karpenter,
    made_with_it,
    made_with_the_cluster,
    without_nodes,
)
from cascade_plan.emitters.eks import _karpenter
from cascade_plan.emitters.eks._cluster import CIDR_PLACE, cluster, settings
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact, Given, Step
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan

COMMAND = "cluster"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ()
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("cluster",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ("aws",)
"""The only clouds it writes for; empty for any."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return eksctl.yaml and, where Karpenter buys nodes, karpenter.yaml; nothing where Terraform makes the cluster."""
    if plan.scenario.emit.nodes == "terraform":
        return ()
    return (_eksctl(plan), *_pools(plan))


def _eksctl(plan: Plan) -> Artefact:
    groups, pods = made_with_the_cluster(plan), without_nodes(plan)
    sized = [
        *_counts(groups),
        *(f"{run.name}: {run.replica_count_min} to {run.replica_count_max} pods on Fargate" for run in pods),
    ]
    path = "cluster/eksctl.yaml"
    create = f"eksctl create cluster -f {path}"
    gives: tuple[Given, ...] = ()
    if settings(plan).public_access_cidrs is None:
        sized.append(f"{CIDR_PLACE} stands for who reaches the API server: the step in README.md puts it there")
        create = f'sed "s|{CIDR_PLACE}|${{{CIDR_PLACE}:?}}|" {path} | eksctl create cluster -f -'
        gives = (Given(CIDR_PLACE, "Who reaches the cluster's API server from outside: your address, 203.0.113.7/32."),)
    names = dict.fromkeys(nodes.group.name for nodes in groups)
    made_network = network.made_with_it(plan) if network.maker(plan) == "eksctl" else ()
    return Artefact(
        "eksctl.yaml",
        heading(plan, sized) + dump([cluster(plan)]),
        f"The EKS cluster{_with(groups, pods)}.",
        steps=(Step("cluster", "Make the cluster", create),),
        gives=gives,
        deploys=(*names, *(run.group for run in pods), *made_with_it(plan), *made_network),
    )


def _pools(plan: Plan) -> Iterator[Artefact]:
    bought = bought_by_karpenter(plan)
    if bought:
        yield Artefact(
            "karpenter.yaml",
            heading(plan, [*_counts(bought), "and one more while it replaces another"])
            + dump(_karpenter.documents(plan)),
            "Karpenter's pools: the nodes that it buys beside those of eksctl.yaml.",
            steps=(
                Step("controllers", "Tell Karpenter which nodes to buy", "kubectl apply -f cluster/karpenter.yaml"),
            ),
            deploys=tuple(dict.fromkeys(nodes.group.name for nodes in bought)),
        )


def _counts(groups: tuple[Nodes, ...]) -> list[str]:
    return [
        f"{nodes.group.name}: {nodes.count_min} to {nodes.count_max} of {nodes.group.shape.name}" for nodes in groups
    ]


def _with(groups: tuple[Nodes, ...], pods: tuple[Workload, ...]) -> str:
    parts = [*(["its node groups"] if groups else []), *(["the Fargate profiles of its pods"] if pods else [])]
    return f" and {' and '.join(parts)}" if len(parts) == 1 else f", {' and '.join(parts)}" if parts else ""
