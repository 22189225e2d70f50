"""Monitoring: Prometheus's scrapes and rules, the HPA's metric, Alertmanager, a dashboard, the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cascade_plan.emitters._heading import application, heading
from cascade_plan.emitters.prometheus import (
    _alertmanager,
    _burn_rate_alerts,
    _capacity_alerts,
    _config,
    _success_alerts,
)
from cascade_plan.emitters.prometheus._adapter import adapter_rules
from cascade_plan.emitters.prometheus._cardinality import cardinality
from cascade_plan.emitters.prometheus._dashboard import dashboard
from cascade_plan.emitters.prometheus._latency_goals import unmeasured
from cascade_plan.emitters.prometheus._metrics_source import metrics_source
from cascade_plan.emitters.prometheus._recordings import fleet_groups, pod_groups
from cascade_plan.emitters.prometheus._rules import rule_file
from cascade_plan.formulas.latency_buckets import bounds_s
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

COMMAND = "monitoring"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("kubernetes",)
"""The emitters whose files are applied before these."""


PURPOSES: Final = {
    "pod_rules.yml": "What is recorded of each pod, the HPA's p95 among it: `promtool check rules pod_rules.yml`",
    "recording_rules.yml": "The fleet's percentiles, ratios and SLIs: `promtool check rules recording_rules.yml`",
    "alerting_rules.yml": "Burn rates, success metrics, capacity, targets: `promtool check rules alerting_rules.yml`",
    "alertmanager.yml": "Who is told; replace the placeholder receivers: `amtool check-config alertmanager.yml`",
    "grafana-dashboard.json": "Each success metric against its target: Grafana, Dashboards, Import.",
    "metrics.py": "The metrics as the rules read them: import it in the application (`pip install prometheus-client`).",
    "cardinality.md": "How many series each metric may have, and who keeps the count.",
    "prometheus-adapter.yaml": (
        "Serves the HPA its latency: `kubectl apply -f`, then `helm install prometheus-adapter "
        "prometheus-community/prometheus-adapter --set rules.existing=<this ConfigMap>`"
    ),
    "configmaps.yaml": "The files above as ConfigMaps for Prometheus, Alertmanager and Grafana: `kubectl apply -f`",
}

KUSTOMIZED: Final = ("configmaps.yaml", "prometheus-adapter.yaml")
"""The files that are Kubernetes objects themselves."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the configuration of everything that watches the plan's fleet, and the ConfigMaps that carry it."""
    servers, others = _servers(plan), _files(plan)
    texts = {**servers, **others, **_objects(plan, {**servers, **others})}
    purposes = {path: f"What this server scrapes and evaluates: `promtool check config {path}`" for path in servers}
    return tuple(
        Artefact(path, text, {**purposes, **PURPOSES}[path], kustomized=path in KUSTOMIZED)
        for path, text in texts.items()
    )


def _servers(plan: Plan) -> dict[str, str]:
    tier = plan.scenario.tiers.monitoring
    flags = f"--storage.tsdb.retention.time={tier.retention_days}d"
    if _config.replicated(plan):
        flags += " --enable-feature=expand-external-labels"
    nodes = int(plan.figure("monitoring.node_count"))
    exporters = ", ".join(f"{exporter}-exporter" for exporter in _config.EXPORTERS)
    lines = [
        f"sized for {plan.figure('monitoring.series_count'):,} series on {nodes} node{'s' if nodes > 1 else ''} "
        f"with {float(plan.figure('monitoring.memory_gib_per_node')):.2f} GiB of memory for them",
        f"start with {flags}; its account may get, list and watch pods",
        "finds the API by emit-k8s's labels, the others by app.kubernetes.io/part-of (the application) and",
        f"app.kubernetes.io/component: websocket, {exporters}; their ports are named http or metrics",
    ]
    return {path: _yaml(plan, built, lines) for path, built in _config.configurations(plan).items()}


def _files(plan: Plan) -> dict[str, str]:
    pods, fleet = rule_file(pod_groups(plan)), rule_file(fleet_groups(plan))
    alerts = rule_file([*_burn_rate_alerts.groups(plan), *_success_alerts.groups(plan), *_capacity_alerts.groups(plan)])
    buckets = " ".join(f"{bound:g}" for bound in bounds_s(plan.scenario.latency_limits_ms))
    names = unmeasured(plan)
    return {
        "pod_rules.yml": _yaml(plan, pods, [f"the histograms' buckets, with every limit among them: {buckets} s"]),
        "recording_rules.yml": _yaml(plan, fleet, ["response times are of requests, as the limits are; queries apart"]),
        "alerting_rules.yml": _yaml(
            plan, alerts, [f"gated, but measured by nothing here: {', '.join(names) or 'none'}"]
        ),
        "alertmanager.yml": _yaml(plan, _alertmanager.configuration(), ["pages at once, tickets by day"]),
        "grafana-dashboard.json": dashboard(plan),
        "metrics.py": metrics_source(plan),
        "cardinality.md": cardinality(plan),
    }


def _yaml(plan: Plan, document: dict[str, Any], sized: Sequence[str]) -> str:
    return heading(plan, sized) + dump([document])


def _objects(plan: Plan, texts: dict[str, str]) -> dict[str, str]:
    """Return the Kubernetes objects: a ConfigMap for each program, in the namespace of what it watches."""
    rules = [path for path in texts if path.startswith("prometheus") or path.endswith("_rules.yml")]
    maps = [
        _config_map(plan, "prometheus", {path: texts[path] for path in rules}),
        _config_map(plan, "alertmanager", {"alertmanager.yml": texts["alertmanager.yml"]}),
        # Grafana's sidecar loads what carries this label.
        _config_map(plan, "grafana", {"dashboard.json": texts["grafana-dashboard.json"]}, {"grafana_dashboard": "1"}),
    ]
    adapter = _config_map(plan, "prometheus-adapter", {"config.yaml": dump([adapter_rules(plan)])})
    head = heading(plan, ["serves cascade_query_duration_seconds_p95 of each pod, as hpa.yaml asks for it"])
    return {
        "prometheus-adapter.yaml": head + dump([adapter]),
        "configmaps.yaml": heading(plan, ["the files of this directory, each as its program mounts it"]) + dump(maps),
    }


def _config_map(
    plan: Plan, component: str, data: dict[str, str], labels: dict[str, str] | None = None
) -> dict[str, Any]:
    name = application(plan)
    metadata = {
        "name": f"{name}-{component}",
        "namespace": name,
        "labels": {
            "app.kubernetes.io/name": component,
            "app.kubernetes.io/part-of": name,
            "app.kubernetes.io/managed-by": "cascade-plan",
            **(labels or {}),
        },
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
