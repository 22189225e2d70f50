"""Grafana: a dashboard of each success metric against its target, and of what explains it."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._charts import GRAFANA, PROMETHEUS_PORT, SERVICE, install, placement, small
from cascade_plan.emitters._config_map import config_map
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.grafana._dashboard import dashboard
from cascade_plan.languages import shell
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact, Step
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings
from cascade_plan.tiers.monitoring.settings import Settings

COMMAND = "monitoring"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("prometheus",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("monitoring",)
"""The kinds, or other parts of a plan, without which there is nothing to write."""
CLOUDS: tuple[str, ...] = ()
"""The clouds it is for; any, where none is named."""

DASHBOARD: Final = "grafana-dashboard.json"
SIDECAR_LABEL: Final = {"grafana_dashboard": "1"}
"""What Grafana's sidecar loads carries this label."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the dashboard, and where there is a cluster the ConfigMap that carries it and Grafana's values."""
    text = dashboard(plan)
    made = Artefact(DASHBOARD, text, "Each gate against its limit: Grafana, Dashboards, Import.")
    if not plan.of(ClusterSettings):
        return (made,)
    carried = config_map(plan, "grafana", {"dashboard.json": text}, SIDECAR_LABEL)
    head = heading(plan, [f"{DASHBOARD}, as Grafana's sidecar loads it"])
    purpose = "The dashboard as a ConfigMap for Grafana's sidecar."
    objects = Artefact("grafana-configmap.yaml", head + dump([carried]), purpose, kustomized=True)
    return (
        made,
        objects,
        *(
            ()
            if any(each.settings.managed or each.settings.operator for each in plan.of(Settings))
            else (_values(plan),)
        ),
    )


def _values(plan: Plan) -> Artefact:
    """Return the values of Grafana's chart; the dashboards come from ConfigMaps, so that it keeps nothing itself."""
    name = f"{plan.application}-grafana"
    ((label, value),) = SIDECAR_LABEL.items()
    shards = max(tier.sized.count("shard_count") for tier in plan.of(Settings))
    server = f"{SERVICE}-global" if shards > 1 else SERVICE
    source = {
        "name": "Prometheus",
        "type": "prometheus",
        "url": f"http://{server}.{plan.application}.svc:{PROMETHEUS_PORT}",
        "isDefault": True,
    }
    values = {
        "fullnameOverride": "grafana",
        "admin": {"existingSecret": name, "userKey": "username", "passwordKey": "password"},
        "rbac": {"namespaced": True},
        "sidecar": {
            "dashboards": {"enabled": True, "label": label, "labelValue": value},
            "resources": small("sidecar"),
        },
        "datasources": {"datasources.yaml": {"apiVersion": 1, "datasources": [source]}},
        "persistence": {"enabled": False},
        "testFramework": {"enabled": False},
        "resources": small("grafana"),
        **placement(plan),
    }
    namespace, called = shell.literal(plan.application), shell.literal(name)
    secret = (
        f"kubectl -n {namespace} get secret {called} ||\n  kubectl -n {namespace} create secret generic {called} \\\n"
        '  --from-literal=username=admin --from-literal=password="$(openssl rand -hex 20)"'
    )
    return Artefact(
        "grafana-values.yaml",
        heading(plan, [f"values of the chart {GRAFANA.name} {GRAFANA.version}, {GRAFANA.repository}"]) + dump([values]),
        "Grafana as a workload.",
        steps=(
            Step("monitoring", "Draw a password for Grafana", secret),
            install(plan, GRAFANA, "grafana", "monitoring/grafana-values.yaml", "Start Grafana"),
        ),
    )
