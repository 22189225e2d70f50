"""Grafana: a dashboard of each success metric against its target, and of what explains it."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._config_map import config_map
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.grafana._dashboard import dashboard
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings

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
    """Return the dashboard, and the ConfigMap that carries it into a cluster where there is one."""
    text = dashboard(plan)
    made = Artefact(DASHBOARD, text, "Each gate against its limit: Grafana, Dashboards, Import.")
    if not plan.of(ClusterSettings):
        return (made,)
    carried = config_map(plan, "grafana", {"dashboard.json": text}, SIDECAR_LABEL)
    head = heading(plan, [f"{DASHBOARD}, as Grafana's sidecar loads it"])
    purpose = "The dashboard as a ConfigMap for Grafana's sidecar: `kubectl apply -f`"
    return made, Artefact("grafana-configmap.yaml", head + dump([carried]), purpose, kustomized=True)
