"""Values of the Helm charts that a cluster needs, and the commands that install them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cascade_plan.emitters import _controllers
from cascade_plan.emitters._charts import resources, upgrade
from cascade_plan.emitters._controllers import Controller, cluster_name
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._nodes import node_groups
from cascade_plan.languages import shell
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact, Step
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.cluster.settings import Settings

COMMAND = "cluster"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("terraform",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("cluster",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ("aws",)
"""The only clouds it writes for; empty for any."""

Values = dict[str, Any]
IDLE: Final = "10m"
"""How long a node must be unneeded before it goes: the autoscaler's own default, and what `simulate` reckons with."""

CONFINED: Final = (_controllers.SECRETS, _controllers.JOBS)
"""Charts that make Roles or their bindings in the application's namespace, which has to be there.
Source: https://github.com/external-secrets/external-secrets, deploy/charts/external-secrets/templates/rbac.yaml at
6959c193; https://github.com/kedacore/charts, keda/templates/manager/clusterrolebindings.yaml at d17eebd7."""
KEDA_MEMORY_MOST: Final = "1000Mi"
"""The chart's own limit: what it caches grows with the cluster's objects."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the values of each chart, with the step that installs it."""
    return tuple(_artefact(plan, each) for each in _controllers.controllers(plan))


def _artefact(plan: Plan, controller: Controller) -> Artefact:
    path, chart = f"controllers/{controller.name}.yaml", controller.chart
    head = heading(plan, [f"values of the chart {chart.name} {chart.version}, {chart.repository}"])
    install = upgrade(chart, controller.name, controller.namespace, f"{COMMAND}/{path}", _told(plan, controller))
    if controller.name in CONFINED:
        name = shell.literal(plan.application)
        # Applied, it would take the labels from one that is there.
        install = f"kubectl get namespace {name} || kubectl create namespace {name}\n{install}"
    return Artefact(
        path,
        head + dump([{**_VALUES[controller.name](plan, controller)}]),
        f"{controller.words}: the values of a Helm chart.",
        steps=(Step("controllers", controller.words, install),),
    )


def _told(plan: Plan, controller: Controller) -> list[str]:
    """Return what only the cluster that is there can tell: its network, and the role of pods that have no node."""
    told = []
    if controller.name == _controllers.BALANCER:
        where = f"--name {shell.literal(cluster_name(plan))} --region {shell.literal(plan.scenario.region)}"
        query = "--query cluster.resourcesVpcConfig.vpcId --output text"
        told.append(f'--set vpcId="$(aws eks describe-cluster {where} {query})"')
    if not node_groups(plan) and not _has_account(plan, controller):
        keys = "serviceAccount.operator" if controller.name == _controllers.JOBS else "serviceAccount"
        role = f"$(terraform -chdir=infra output -raw {controller.label}_role_arn)"
        told.append(f'--set "{keys}.annotations.eks\\.amazonaws\\.com/role-arn={role}"')
    return told


def _has_account(plan: Plan, controller: Controller) -> bool:
    """Return whether eksctl made the service account, with its role, where no agent of a node gives pods theirs."""
    return bool(controller.statements) and not node_groups(plan) and plan.scenario.emit.nodes != "terraform"


def _autoscaler(plan: Plan, controller: Controller) -> Values:
    """Source: https://github.com/kubernetes/autoscaler/blob/master/charts/cluster-autoscaler/values.yaml."""
    (cluster,) = plan.of(Settings)
    return {
        "fullnameOverride": controller.name,
        "cloudProvider": "aws",
        "awsRegion": plan.scenario.region,
        "autoDiscovery": {"clusterName": cluster_name(plan)},
        # An autoscaler simulates the scheduler of its own minor version.
        "image": {"tag": f"v{cluster.settings.version}.0"},
        "rbac": {"serviceAccount": {"name": controller.account}},
        "extraArgs": {
            "balance-similar-node-groups": True,
            "expander": "least-waste",
            "scale-down-unneeded-time": IDLE,
            "skip-nodes-with-system-pods": False,
        },
        "resources": resources(0.1, 300),
    }


def _balancer(plan: Plan, controller: Controller) -> Values:
    """Source: https://github.com/aws/eks-charts/blob/master/stable/aws-load-balancer-controller/values.yaml.

    It binds pods to target groups, and makes nothing: what else it does is off, as it may not do it.
    """
    return {
        "fullnameOverride": controller.name,
        "clusterName": cluster_name(plan),
        "region": plan.scenario.region,
        "replicaCount": 2,
        "serviceAccount": {"create": not _has_account(plan, controller), "name": controller.account},
        "createIngressClassResource": False,
        "enableServiceMutatorWebhook": False,
        "enableBackendSecurityGroup": False,
        "enableShield": False,
        "enableWaf": False,
        "enableWafv2": False,
        "resources": resources(0.1, 128),
    }


def _secrets(plan: Plan, controller: Controller) -> Values:
    """Source: https://github.com/external-secrets/external-secrets/blob/main/deploy/charts/external-secrets/values.yaml.

    It writes the Secrets of the application's namespace and no other's.
    """
    small = resources(0.01, 32)
    return {
        "fullnameOverride": controller.name,
        "installCRDs": True,
        "serviceAccount": {"name": controller.account},
        "scopedNamespace": plan.application,
        "scopedRBAC": True,
        "processClusterExternalSecret": False,
        "processClusterStore": False,
        "processClusterPushSecret": False,
        "resources": small,
        "webhook": {"resources": small},
        "certController": {"resources": small},
    }


def _jobs(plan: Plan, controller: Controller) -> Values:
    """Source: https://github.com/kedacore/charts/blob/main/keda/values.yaml."""
    asked = resources(0.1, 100) | {"limits": {"memory": KEDA_MEMORY_MOST}}
    of_each = dict.fromkeys(("operator", "metricServer", "webhooks"), asked)
    return {
        "watchNamespace": plan.application,
        "serviceAccount": {"operator": {"name": controller.account}},
        "resources": of_each,
    }


_VALUES: Final[Mapping[str, Callable[[Plan, Controller], Values]]] = {
    _controllers.AUTOSCALER: _autoscaler,
    _controllers.BALANCER: _balancer,
    _controllers.SECRETS: _secrets,
    _controllers.JOBS: _jobs,
}
