"""prometheus.yml: what is scraped, with which labels, and which server does which part."""

from __future__ import annotations

from typing import Any

from cascade_plan.emitters._heading import application
from cascade_plan.languages.promql import duration, exactly
from cascade_plan.model.plan import Plan

POD = "__meta_kubernetes_pod"
POD_RULES = "pod_rules.yml"
FLEET_RULES = ("recording_rules.yml", "alerting_rules.yml")
EXPORTERS = ("pgbouncer", "postgres", "redis")
CLUSTER_SERIES = (
    "kube_node_info|kube_horizontalpodautoscaler_(status_current_replicas|spec_(min|max)_replicas|status_condition)"
)
"""What is kept of kube-state-metrics: a cluster's others may be more than the whole budget."""


def configurations(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return file name -> configuration: one server, or a server for each shard and one that sees them all.

    A pod's series are all on one shard (the hash is of its address), so the rules on pods run there. The others read
    every shard's recorded series through remote read, on a server that scrapes nothing but itself.
    """
    shards = int(plan.figure("monitoring.shard_count"))
    if shards == 1:
        return {"prometheus.yml": _server(plan, _labels(plan), [POD_RULES, *FLEET_RULES], _jobs(plan))}
    parts = {
        f"prometheus-{shard}.yml": _server(
            plan, {**_labels(plan), "shard": str(shard)}, [POD_RULES], _jobs(plan, (shards, shard))
        )
        for shard in range(shards)
    }
    whole = _server(plan, _labels(plan), list(FLEET_RULES), [_itself(plan)])
    reads = [
        {"url": f"http://{application(plan)}-prometheus-{shard}:9090/api/v1/read", "read_recent": True}
        for shard in range(shards)
    ]
    return {**parts, "prometheus-global.yml": {**whole, "remote_read": reads}}


def replicated(plan: Plan) -> bool:
    """Return whether several servers scrape the same, so that one may be lost."""
    return int(plan.figure("monitoring.node_count")) > int(plan.figure("monitoring.shard_count"))


def _labels(plan: Plan) -> dict[str, str]:
    labels = {"application": application(plan), "region": plan.scenario.region}
    if not replicated(plan):
        return labels
    # Expanded from the environment, so that two servers have one file; a dollar elsewhere is doubled to stay one.
    return {**{name: text.replace("$", "$$") for name, text in labels.items()}, "prometheus_replica": "${HOSTNAME}"}


def _server(plan: Plan, labels: dict[str, str], rules: list[str], jobs: list[dict[str, Any]]) -> dict[str, Any]:
    interval = duration(plan.scenario.tiers.monitoring.scrape_interval_s)
    alerting: dict[str, Any] = {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]}
    if replicated(plan):
        # Alertmanager takes two alerts for one only when their labels are the same.
        alerting["alert_relabel_configs"] = [{"action": "labeldrop", "regex": "prometheus_replica"}]
    return {
        "global": {"scrape_interval": interval, "evaluation_interval": interval, "external_labels": labels},
        "rule_files": rules,
        "alerting": alerting,
        "scrape_configs": jobs,
    }


def _jobs(plan: Plan, shard: tuple[int, int] | None = None) -> list[dict[str, Any]]:
    name = application(plan)
    part = _hashed(*shard) if shard else []
    api = _job(f"{name}-api", name, [_keep("label_app_kubernetes_io_name", f"{name}-api"), *part])
    if not plan.scenario.tiers.monitoring.label_by_tenant:
        api["metric_relabel_configs"] = _without_tenants()
    sockets = _job(f"{name}-websocket", name, [*_component(name, "websocket"), *part])
    exporters = [
        _job(f"{name}-{exporter}", name, [*_component(name, f"{exporter}-exporter"), *part]) for exporter in EXPORTERS
    ]
    return [api, sockets, *exporters, _cluster(part), _itself(plan)]


def _component(name: str, component: str) -> list[dict[str, Any]]:
    return [
        _keep("label_app_kubernetes_io_part_of", name),
        _keep("label_app_kubernetes_io_component", component),
    ]


def _job(job: str, namespace: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "job_name": job,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [namespace]}}],
        "relabel_configs": [*rules, *_of_pods()],
    }


def _of_pods() -> list[dict[str, Any]]:
    """Return the rules that keep running pods' ports of metrics and give their series the labels the HPA asks by."""
    named = {"namespace": "__meta_kubernetes_namespace", "pod": f"{POD}_name", "node": f"{POD}_node_name"}
    return [
        {"source_labels": [f"{POD}_phase"], "regex": "Running", "action": "keep"},
        {"source_labels": [f"{POD}_container_port_name"], "regex": "http|metrics", "action": "keep"},
        *({"source_labels": [source], "target_label": label} for label, source in named.items()),
    ]


def _keep(label: str, value: str) -> dict[str, Any]:
    return {"source_labels": [f"{POD}_{label}"], "regex": exactly(value), "action": "keep"}


def _hashed(shards: int, shard: int) -> list[dict[str, Any]]:
    return [
        {"source_labels": ["__address__"], "modulus": shards, "target_label": "__tmp_shard", "action": "hashmod"},
        {"source_labels": ["__tmp_shard"], "regex": str(shard), "action": "keep"},
    ]


def _without_tenants() -> list[dict[str, Any]]:
    """Return the rule that drops series by tenant, for a plan without them.

    The series are dropped, not the label: without it the tenants' series would be one series with several values,
    of which Prometheus keeps one and rejects the others, and every figure would be one tenant's.
    """
    return [{"source_labels": ["tenant_id"], "regex": ".+", "action": "drop"}]


def _cluster(part: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "job_name": "kube-state-metrics",
        # Its series carry the namespace and the pod they are about.
        "honor_labels": True,
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            _keep("label_app_kubernetes_io_name", "kube-state-metrics"),
            *part,
            {"source_labels": [f"{POD}_container_port_name"], "regex": "http|http-metrics", "action": "keep"},
        ],
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": CLUSTER_SERIES, "action": "keep"}],
    }


def _itself(plan: Plan) -> dict[str, Any]:
    labels = {"namespace": application(plan)}
    return {"job_name": "prometheus", "static_configs": [{"targets": ["localhost:9090"], "labels": labels}]}
