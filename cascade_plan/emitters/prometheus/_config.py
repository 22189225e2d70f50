"""prometheus.yml: what is scraped, with which labels, and which server does which part."""

from __future__ import annotations

from typing import Any, Final

from cascade_plan.emitters._charts import PROMETHEUS_PORT, SERVICE, servers
from cascade_plan.emitters._nodes import SYSTEM
from cascade_plan.emitters._topology import caches
from cascade_plan.emitters._watches.cluster import CONTAINERS, KEPT, KUBELET, NODE, STATE, jobs_of_cluster
from cascade_plan.emitters._watches.targets import addresses, exporter_of, exporters
from cascade_plan.emitters.prometheus import _alertmanager
from cascade_plan.errors import InfeasibleError
from cascade_plan.languages.promql import duration, exactly
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings
from cascade_plan.tiers.monitoring.settings import Settings
from cascade_plan.tiers.pool.settings import Settings as PoolSettings

POD = "__meta_kubernetes_pod"
POD_RULES = "pod_rules.yml"
FLEET_RULES = ("recording_rules.yml", "alerting_rules.yml")
PORTS: Final = "http|metrics|exporter-port"
"""What ports are called that tell metrics; the last is the chart prometheus-redis-exporter's own."""
CHART_NAMES: Final = {STATE: "kube-state-metrics", NODE: "prometheus-node-exporter"}
"""Job -> app.kubernetes.io/name of its pods, as their charts give it."""
KUBELET_PATHS: Final = {CONTAINERS: "/metrics/cadvisor", KUBELET: "/metrics"}
WORKSPACE: Final = "WORKSPACE_ID"
"""What stands for the workspace's identity, which AWS gives."""
SHARDS_MOST: Final = 200
"""Servers that one is to see through remote read, and files that somebody is to look after (assumption)."""
Rules = list[dict[str, Any]]


def monitoring(plan: Plan) -> Instance[Settings]:
    """Return the tier that all this is of."""
    (instance,) = plan.of(Settings)
    return instance


def configurations(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return file name -> configuration: one server, or a server for each shard and one that sees them all.

    A pod's series are all on one shard (the hash is of its address), so the rules on pods run there. The others read
    every shard's recorded series through remote read, on a server that scrapes nothing but itself.
    Raises InfeasibleError for more shards than anybody runs.
    """
    tier = monitoring(plan)
    shards = tier.sized.count("shard_count")
    if shards > SHARDS_MOST:
        raise InfeasibleError(
            f"{tier.sized.count('series_count'):,} series take {shards:,} Prometheus servers, and files for at most "
            f"{SHARDS_MOST} are written: have fewer series (tiers.{tier.name}.label_by_tenant, query_types) or larger "
            "servers (series_per_node)"
        )
    if tier.settings.managed:
        return {"prometheus.yml": _collector(plan)}
    if shards == 1:
        return {"prometheus.yml": _server(plan, _labels(plan), [POD_RULES, *FLEET_RULES], _jobs(plan, []))}
    parts = {
        f"prometheus-{shard}.yml": _server(
            plan, {**_labels(plan), "shard": str(shard)}, [POD_RULES], _jobs(plan, _hashed(shards, shard))
        )
        for shard in range(shards)
    }
    whole = _server(plan, _labels(plan), list(FLEET_RULES), [_itself(plan)])
    reads = [
        {"url": f"http://{SERVICE}-{shard}:{PROMETHEUS_PORT}/api/v1/read", "read_recent": True}
        for shard in range(shards)
    ]
    return {**parts, "prometheus-global.yml": {**whole, "remote_read": reads}}


def replicated(plan: Plan) -> bool:
    """Return whether several servers scrape the same, so that one may be lost."""
    tier = monitoring(plan)
    return not tier.settings.managed and servers(plan, tier).count > tier.sized.count("shard_count")


def _labels(plan: Plan) -> dict[str, str]:
    labels = {"application": plan.application, "region": plan.scenario.region}
    if not replicated(plan):
        return labels
    # Expanded from the environment, so that two servers have one file; a dollar elsewhere is doubled to stay one.
    return {**{name: text.replace("$", "$$") for name, text in labels.items()}, "prometheus_replica": "${HOSTNAME}"}


def _server(plan: Plan, labels: dict[str, str], rules: list[str], jobs: list[dict[str, Any]]) -> dict[str, Any]:
    interval = duration(monitoring(plan).settings.scrape_interval_s)
    told = f"{_alertmanager.SERVICE}:{_alertmanager.PORT}"
    alerting: dict[str, Any] = {"alertmanagers": [{"static_configs": [{"targets": [told]}]}]}
    if replicated(plan):
        # Alertmanager takes two alerts for one only when their labels are the same.
        alerting["alert_relabel_configs"] = [{"action": "labeldrop", "regex": "prometheus_replica"}]
    return {
        "global": {"scrape_interval": interval, "evaluation_interval": interval, "external_labels": labels},
        "rule_files": rules,
        "alerting": alerting,
        "scrape_configs": jobs,
    }


def _collector(plan: Plan) -> dict[str, Any]:
    """Return what a Prometheus in agent mode is told: it scrapes and sends, and the workspace evaluates the rules.

    Source: https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-onboard-ingest-metrics.html
    """
    server = _server(plan, _labels(plan), [], _jobs(plan, []))
    region = plan.scenario.region
    url = f"https://aps-workspaces.{region}.amazonaws.com/workspaces/{WORKSPACE}/api/v1/remote_write"
    sent = {"remote_write": [{"url": url, "sigv4": {"region": region}}]}
    return {name: server[name] for name in ("global", "scrape_configs")} | sent


def _jobs(plan: Plan, part: Rules) -> list[dict[str, Any]]:
    """Return a job for each workload and each exporter, for the cluster where there is one, and for Prometheus."""
    of_cluster = (_of_cluster(plan, job, part) for job in jobs_of_cluster(plan))
    return [*jobs_of_pods(plan, part), *of_cluster, _itself(plan)]


def jobs_of_pods(plan: Plan, part: Rules | None = None) -> list[dict[str, Any]]:
    """Return a job for each workload and each exporter, of which a server scrapes a part or all."""
    jobs = [_of_workload(plan, workload, part or []) for workload in plan.fleet.workloads]
    return [*jobs, *(_of_exporter(plan, exporter, part or []) for exporter in exporters(plan))]


def _of_workload(plan: Plan, workload: Workload, part: Rules) -> dict[str, Any]:
    if workload.serves == "connections":
        # Its pods are called after their nodes.
        return _job(plan, workload.name, _component(plan, workload.kind), part)
    job = _job(plan, workload.name, [_keep("label_app_kubernetes_io_name", workload.name)], part)
    if not monitoring(plan).settings.label_by_tenant:
        job["metric_relabel_configs"] = _without_tenants()
    return job


def _of_exporter(plan: Plan, exporter: str, part: Rules) -> dict[str, Any]:
    """Return the job of an exporter: a pod of its own, or in each pod of the pool that it tells of.

    That of a Redis Cluster tells which nodes there are and is asked for each of them: a server knows only itself.
    """
    job = f"{plan.application}-{exporter}"
    clusters = {exporter_of(plan, cache.instance.name) for cache in caches(plan) if cache.nodes and cache.is_cluster}
    if exporter in clusters and plan.of(ClusterSettings):
        return {"job_name": job, **_of_redis_nodes(plan, f"{exporter}-exporter.{plan.application}.svc:9121", part)}
    pools = {exporter_of(plan, pool.name) for pool in plan.of(PoolSettings)}
    return _job(plan, job, _component(plan, exporter if exporter in pools else f"{exporter}-exporter"), part)


def _of_redis_nodes(plan: Plan, address: str, part: Rules) -> dict[str, Any]:
    """Source: https://github.com/oliver006/redis_exporter, README, "all nodes of a redis cluster"; since 1.70."""
    return {
        "http_sd_configs": [{"url": f"http://{address}/discover-cluster-nodes", "refresh_interval": "1m"}],
        "metrics_path": "/scrape",
        "relabel_configs": [
            *part,
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"target_label": "namespace", "replacement": plan.application.replace("$", "$$")},
            {"source_labels": ["__address__"], "regex": "(?:rediss?://)?(.+)", "target_label": "pod"},
            {"target_label": "__address__", "replacement": address.replace("$", "$$")},
        ],
    }


def _component(plan: Plan, name: str) -> Rules:
    return [
        _keep("label_app_kubernetes_io_part_of", plan.application),
        _keep("label_app_kubernetes_io_component", name),
    ]


def _job(plan: Plan, job: str, found_by: Rules, part: Rules) -> dict[str, Any]:
    """Return a job that finds pods in the cluster, or reads addresses where there is none."""
    name = plan.application
    if plan.of(ClusterSettings):
        relabelled = [*found_by, *part, *_of_pods()]
        return {"job_name": job, "kubernetes_sd_configs": [_pods(plan.application)], "relabel_configs": relabelled}
    of_addresses = [
        {"target_label": "namespace", "replacement": name.replace("$", "$$")},
        {"source_labels": ["__address__"], "target_label": "pod"},
    ]
    files = [{"files": [addresses(job)]}]
    return {"job_name": job, "file_sd_configs": files, "relabel_configs": [*part, *of_addresses]}


def _pods(namespace: str) -> dict[str, Any]:
    return {"role": "pod", "namespaces": {"names": [namespace]}}


def _of_pods() -> Rules:
    """Return the rules that keep running pods' ports of metrics and give their series the labels the HPA asks by."""
    named = {"namespace": "__meta_kubernetes_namespace", "pod": f"{POD}_name", "node": f"{POD}_node_name"}
    return [
        {"source_labels": [f"{POD}_phase"], "regex": "Running", "action": "keep"},
        {"source_labels": [f"{POD}_container_port_name"], "regex": PORTS, "action": "keep"},
        *({"source_labels": [source], "target_label": label} for label, source in named.items()),
    ]


def _keep(label: str, value: str) -> dict[str, Any]:
    return {"source_labels": [f"{POD}_{label}"], "regex": exactly(value), "action": "keep"}


def _hashed(shards: int, shard: int) -> Rules:
    return [
        {"source_labels": ["__address__"], "modulus": shards, "target_label": "__tmp_shard", "action": "hashmod"},
        {"source_labels": ["__tmp_shard"], "regex": str(shard), "action": "keep"},
    ]


def _without_tenants() -> Rules:
    """Return the rule that drops series by tenant, for a plan without them.

    The series are dropped, not the label: without it the tenants' series would be one series with several values,
    of which Prometheus keeps one and rejects the others, and every figure would be one tenant's.
    """
    return [{"source_labels": ["tenant_id"], "regex": ".+", "action": "drop"}]


def _of_cluster(plan: Plan, job: str, part: Rules) -> dict[str, Any]:
    """Return a job that tells of the cluster, with what is kept of it."""
    kept = [{"source_labels": ["__name__"], "regex": "|".join(KEPT[job]), "action": "keep"}]
    if job in (CONTAINERS, KUBELET):
        # The kubelet tells of every namespace's pods.
        kept.append({"source_labels": ["namespace"], "regex": exactly(plan.application), "action": "keep"})
        return {"job_name": job, **_of_kubelets(part, KUBELET_PATHS[job]), "metric_relabel_configs": kept}
    found_by = [_keep("label_app_kubernetes_io_name", CHART_NAMES[job]), *part]
    ports = {"source_labels": [f"{POD}_container_port_name"], "regex": "http|metrics", "action": "keep"}
    node = {"source_labels": [f"{POD}_node_name"], "target_label": "node"}
    return {
        "job_name": job,
        # The series of the first carry the namespace, the pod and the node they are about.
        "honor_labels": job == STATE,
        # What sees into the node is not admitted to the application's namespace.
        "kubernetes_sd_configs": [_pods(SYSTEM if job == NODE else plan.application)],
        "relabel_configs": [*found_by, ports, *([node] if job == NODE else [])],
        "metric_relabel_configs": kept,
    }


def _of_kubelets(part: Rules, path: str) -> dict[str, Any]:
    """Return how each node's kubelet is asked: through the API server, which reaches those of Fargate too.

    Source: the jobs kubernetes-nodes and kubernetes-nodes-cadvisor of the chart prometheus-community/prometheus.
    """
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    return {
        "scheme": "https",
        "tls_config": {"ca_file": f"{account}/ca.crt"},
        "authorization": {"credentials_file": f"{account}/token"},
        "kubernetes_sd_configs": [{"role": "node"}],
        "relabel_configs": [
            *part,
            {"source_labels": ["__meta_kubernetes_node_name"], "target_label": "node"},
            {
                "source_labels": ["__meta_kubernetes_node_name"],
                "target_label": "__metrics_path__",
                "replacement": f"/api/v1/nodes/$1/proxy{path}",
            },
            {"target_label": "__address__", "replacement": "kubernetes.default.svc:443"},
        ],
    }


def _itself(plan: Plan) -> dict[str, Any]:
    labels = {"namespace": plan.application}
    return {"job_name": "prometheus", "static_configs": [{"targets": ["localhost:9090"], "labels": labels}]}
