"""What the Prometheus Operator reads, such as that of kube-prometheus-stack: rules, and what is scraped, as objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cascade_plan.emitters._watches.collected import Groups
from cascade_plan.emitters.prometheus._config import POD, jobs_of_pods
from cascade_plan.emitters.prometheus._rules import alarms, fleet_rules, pod_rules
from cascade_plan.languages.promql import duration
from cascade_plan.model.plan import Plan

LABELS: Final = {
    f"{POD}_label_app_kubernetes_io_{name.replace('-', '_')}": f"app.kubernetes.io/{name}"
    for name in ("name", "part-of", "component")
}
"""What discovery calls a label of a pod -> the label."""
NAMES: Final = {
    "source_labels": "sourceLabels",
    "target_label": "targetLabel",
    "refresh_interval": "refreshInterval",
}
"""A field of prometheus.yml -> what the operator calls it, where that is another name."""


def objects(plan: Plan, watched: Groups, scrape_interval_s: float) -> Iterator[dict[str, Any]]:
    """Yield a PrometheusRule for each file of rules, and a PodMonitor (or a ScrapeConfig) for each job.

    Source: https://prometheus-operator.dev/docs/api-reference/api/
    """
    files = {"pods": pod_rules(plan), "fleet": fleet_rules(plan, watched), "alerts": alarms(plan, watched)}
    for name, document in files.items():
        yield _object(plan, "monitoring.coreos.com/v1", "PrometheusRule", f"{plan.application}-{name}", document)
    for job in jobs_of_pods(plan):
        yield _scraped(plan, job, duration(scrape_interval_s))


def _object(plan: Plan, version: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": plan.application, "app.kubernetes.io/managed-by": "cascade-plan"}
    metadata = {"name": name, "namespace": plan.application, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _scraped(plan: Plan, job: dict[str, Any], interval: str) -> dict[str, Any]:
    """Return what is scraped as one job, which its series are called after."""
    rules = [rule for rule in job["relabel_configs"] if not _chosen(rule)]
    named = [*map(_renamed, rules), {"targetLabel": "job", "replacement": job["job_name"].replace("$", "$$")}]
    dropped = [*map(_renamed, job.get("metric_relabel_configs", []))]
    same = {"relabelings": named, **({"metricRelabelings": dropped} if dropped else {})}
    if "http_sd_configs" in job:
        found = {"httpSDConfigs": [*map(_renamed, job["http_sd_configs"])], "metricsPath": job["metrics_path"]}
        spec = {**found, "scrapeInterval": interval, **same}
        return _object(plan, "monitoring.coreos.com/v1alpha1", "ScrapeConfig", job["job_name"], spec)
    wanted = dict(label for rule in job["relabel_configs"] if (label := _chosen(rule)))
    spec = {"selector": {"matchLabels": wanted}, "podMetricsEndpoints": [{"interval": interval, **same}]}
    return _object(plan, "monitoring.coreos.com/v1", "PodMonitor", job["job_name"], spec)


def _chosen(rule: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the label by which a rule chooses pods, with its value, whose pattern has a group and escapes to undo."""
    (source,) = rule.get("source_labels", ("",)) if len(rule.get("source_labels", ())) < 2 else ("",)
    if source not in LABELS:
        return None
    pattern = str(rule["regex"])
    if pattern.startswith("(?:"):
        pattern = pattern[len("(?:") : -1]
    return LABELS[source], pattern.replace("\\", "")


def _renamed(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {NAMES.get(name, name): value for name, value in fields.items()}
