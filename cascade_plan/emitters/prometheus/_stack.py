"""Prometheus, Alertmanager, the adapter and the exporters as workloads: values of their Helm charts, and the steps.

Charts are what the field deploys these with: their RBAC, probes and upgrades are their makers' work, not ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil, floor
from typing import Any, Final

from cascade_plan.emitters import _charts as charts
from cascade_plan.emitters._charts import Chart, install, placement, resources, small
from cascade_plan.emitters._databases import Database, databases
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._nodes import STAYS, SYSTEM, off_spot, serving_class
from cascade_plan.emitters._secrets import METRICS, cache_secret, database_secret
from cascade_plan.emitters._topology import CACHE_PORT, Cache, caches
from cascade_plan.emitters._watches.cluster import KEPT, NODE, STATE, jobs_of_cluster
from cascade_plan.emitters._watches.targets import exporter_of
from cascade_plan.emitters.prometheus import _alertmanager, _config
from cascade_plan.emitters.prometheus._adapter import served
from cascade_plan.languages import shell, uri
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact, Given, Step
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings

CLASS: Final = "gp3"
"""The StorageClass of what pods keep. EKS itself has none that is the default."""
KEPT_SHARE: Final = 0.85
"""Share of the volume at which Prometheus drops its oldest samples, before the disk is full (assumption)."""
CLUSTER_OBJECTS: Final = ("nodes", "pods", "horizontalpodautoscalers")
"""What kube-state-metrics looks at."""


def stack(plan: Plan) -> Iterator[Artefact]:
    """Yield the values of each chart, with the steps that install them, and the class of their volumes."""
    if not by_operator(plan):
        yield _class(plan)
        for path, built in _config.configurations(plan).items():
            yield _server(plan, path, built)
    if served(plan):
        yield _of_adapter(plan)
    yield from _exporters(plan)


def by_operator(plan: Plan) -> bool:
    """Return whether an operator of the cluster runs Prometheus."""
    return bool(plan.of(ClusterSettings)) and _config.monitoring(plan).settings.operator


def config_map_name(path: str) -> str:
    """Return what the ConfigMap of a server's configuration is called, as the chart looks for it."""
    return f"{release(path)}-config"


def release(path: str) -> str:
    """Return what a server's release and its Service are called: prometheus-0 for prometheus-0.yml."""
    return path.removesuffix(".yml")


def _values(plan: Plan, chart: Chart, name: str, values: dict[str, Any], words: str, *steps: Step) -> Artefact:
    head = heading(plan, [f"values of the chart {chart.name} {chart.version}, {chart.repository}"])
    return Artefact(f"{name}-values.yaml", head + dump([values]), words, steps=steps)


def _release(plan: Plan, chart: Chart, name: str, words: str, *told: str) -> Step:
    return install(plan, chart, name, f"monitoring/{name}-values.yaml", words, told)


def _class(plan: Plan) -> Artefact:
    document = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "labels": {"app.kubernetes.io/managed-by": "cascade-plan"}},
        "provisioner": "ebs.csi.aws.com",
        "parameters": {"type": CLASS, "encrypted": "true"},
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    head = heading(plan, ["volumes that pods keep, made in the zone of the node that they come to"])
    return Artefact(
        "storage-class.yaml", head + dump([document]), "The class of volumes.", kustomized=True, clouds=("aws",)
    )


def _server(plan: Plan, path: str, built: dict[str, Any]) -> Artefact:
    """Return the values of a server; the one that evaluates the alerts brings Alertmanager and the others."""
    name = release(path)
    is_whole = _config.FLEET_RULES[-1] in built["rule_files"]
    values = {"server": _of_server(plan, path), **_reloader(), **_beside(plan, is_whole)}
    steps = (_secret(plan),) if is_whole else ()
    words = "Start Prometheus and Alertmanager" if is_whole else f"Start the server {name}"
    made = _values(
        plan,
        charts.PROMETHEUS,
        name,
        values,
        "Prometheus as a workload, with what it needs." if is_whole else "A server of some of the pods.",
        *steps,
        _release(plan, charts.PROMETHEUS, name, words),
    )
    return replace(made, gives=GIVEN if is_whole else (), deploys=_volumes(plan) if is_whole else ())


def _volumes(plan: Plan) -> tuple[str, ...]:
    """Return the volumes that are bought by themselves: those of servers without machines of their own."""
    return tuple(usage.name for usage in _config.monitoring(plan).sized.usages)


GIVEN: Final = tuple(
    Given(f"{receiver.upper()}_URL", words)
    for receiver, words in {
        _alertmanager.PAGER: "The webhook that pages: PagerDuty, Opsgenie or another.",
        _alertmanager.TICKETS: "The webhook that opens a ticket.",
        _alertmanager.SIGN_OF_LIFE: "The webhook of a service that pages when it is not called for ten minutes.",
    }.items()
)


def _secret(plan: Plan) -> Step:
    """Return the step that keeps the receivers' URLs: who has one can page, so that no file says it."""
    namespace, name = shell.literal(plan.application), shell.literal(_alertmanager.secret_name(plan))
    keys = " \\\n  ".join(
        f'--from-literal={receiver}="${{{receiver.upper()}_URL:?}}"' for receiver in _alertmanager.RECEIVERS
    )
    command = (
        f"kubectl -n {namespace} create secret generic {name} \\\n  {keys} \\\n  --dry-run=client -o yaml | "
        f"kubectl apply -f -"
    )
    return Step("monitoring", "Say who is told", command)


def _of_server(plan: Plan, path: str) -> dict[str, Any]:
    tier, name = _config.monitoring(plan), release(path)
    sized = charts.servers(plan, tier)
    copies, volume_gib = sized.count if _config.replicated(plan) else 1, sized.volume_gib
    found = {
        "fullnameOverride": name,
        "clusterRoleNameOverride": f"{plan.application}-{name}",
        "configMapOverrideName": config_map_name(path).removeprefix(f"{name}-"),
        "configPath": f"/etc/config/{path}",
        "retention": f"{tier.settings.retention_days}d",
        "retentionSize": f"{max(1, floor(volume_gib * KEPT_SHARE))}GB",
        "replicaCount": copies,
        "statefulSet": {"enabled": True},
        "persistentVolume": {"size": f"{volume_gib}Gi", "storageClass": CLASS},
        "resources": resources(tier.settings.cpu_cores, max(1, ceil(sized.memory_gib * 1024))),
        "containerSecurityContext": {**charts.RESTRICTED},
        "service": {"servicePort": charts.PROMETHEUS_PORT},
        **placement(plan, is_server=True),
    }
    if sized.is_shared:
        # Other pods of the nodes do not take its place, nor does an autoscaler the node under it.
        # Source: charts/prometheus/templates/sts.yaml at 014edc09, server.podAnnotations and server.priorityClassName.
        found |= {"podAnnotations": {**STAYS}, "priorityClassName": serving_class(plan)}
        if affinity := off_spot(plan, sized.tier):
            found["affinity"] = affinity
    if copies > 1:
        found["extraArgs"] = {"enable-feature": "expand-external-labels"}
        found |= {"podAntiAffinity": "soft", "podAntiAffinityTopologyKey": "topology.kubernetes.io/zone"}
    return found


def _reloader() -> dict[str, Any]:
    confined = {"resources": small("sidecar"), "containerSecurityContext": {**charts.RESTRICTED}}
    return {"configmapReload": {"prometheus": confined}}


def _beside(plan: Plan, is_whole: bool) -> dict[str, Any]:
    """Return the values of the charts that the chart of Prometheus brings along."""
    jobs = jobs_of_cluster(plan) if is_whole else ()
    state = {
        "fullnameOverride": f"{plan.application}-kube-state-metrics",
        "collectors": [*CLUSTER_OBJECTS],
        "metricAllowlist": [*KEPT[STATE]],
        "resources": small("kube-state-metrics"),
        **placement(plan),
    }
    return {
        "alertmanager": {"enabled": True, **_of_alertmanager(plan)} if is_whole else {"enabled": False},
        "kube-state-metrics": {"enabled": True, **state} if STATE in jobs else {"enabled": False},
        # It sees the node's network, processes and disks: the application's namespace admits no such pod.
        # Source: https://github.com/prometheus-community/helm-charts, charts/prometheus-node-exporter/values.yaml at
        # 01931990: namespaceOverride, hostNetwork, hostPID, hostRootFsMount.
        "prometheus-node-exporter": {
            "enabled": True,
            "fullnameOverride": f"{plan.application}-node-exporter",
            "namespaceOverride": SYSTEM,
            "resources": resources(0.05, 30),
        }
        if NODE in jobs
        else {"enabled": False},
        "prometheus-pushgateway": {"enabled": False},
    }


def _of_alertmanager(plan: Plan) -> dict[str, Any]:
    """Return the values of Alertmanager: its file from the ConfigMap, the receivers' URLs from the Secret.

    Silences last as long as its pod. With `config.enabled` false the chart neither makes nor mounts a ConfigMap of its
    own, and Alertmanager still reads /etc/alertmanager/alertmanager.yml.
    Source: https://github.com/prometheus-community/helm-charts, pull/3579, and charts/alertmanager/values.yaml at
    00f58d73.
    """
    config = {"name": "routes", "mountPath": "/etc/alertmanager", "readOnly": True}
    return {
        "fullnameOverride": _alertmanager.SERVICE,
        "config": {"enabled": False},
        "persistence": {"enabled": False},
        "extraVolumes": [{"name": "routes", "configMap": {"name": f"{plan.application}-alertmanager"}}],
        "extraVolumeMounts": [config],
        "extraSecretMounts": [
            {
                "name": "receivers",
                "mountPath": _alertmanager.RECEIVERS_AT,
                "secretName": _alertmanager.secret_name(plan),
                "readOnly": True,
            }
        ],
        "securityContext": {**charts.RESTRICTED},
        "resources": small("alertmanager"),
        **placement(plan),
    }


def _of_adapter(plan: Plan) -> Artefact:
    name = "prometheus-adapter"
    told: tuple[str, ...] = ()
    gives: tuple[Given, ...] = ()
    if by_operator(plan):
        gives = (Given("PROMETHEUS_URL", "The address of the operator's Prometheus in the cluster, without its port."),)
        told = ('--set prometheus.url="${PROMETHEUS_URL:?}"',)
    step = _release(plan, charts.ADAPTER, name, "Serve the autoscalers their metrics", *told)
    return replace(_values(plan, charts.ADAPTER, name, _adapter(plan), "What the adapter asks.", step), gives=gives)


def _adapter(plan: Plan) -> dict[str, Any]:
    server = release(list(_config.configurations(plan))[-1])
    return {
        "fullnameOverride": f"{plan.application}-prometheus-adapter",
        "prometheus": {
            "url": f"http://{server}.{plan.application}.svc",
            "port": charts.PROMETHEUS_PORT,
        },
        # `existing` takes the place of the default rules, but only `default` or `custom` registers the API.
        # Source: https://github.com/prometheus-community/helm-charts, charts/prometheus-adapter/templates/ at a3b5c8ed:
        # custom-metrics-apiservice.yaml and, at 10e391ff, custom-metrics-cluster-role.yaml.
        "rules": {"default": True, "existing": f"{plan.application}-prometheus-adapter"},
        "resources": small("prometheus-adapter"),
        **placement(plan),
    }


def _exporters(plan: Plan) -> Iterator[Artefact]:
    """Yield what asks databases and caches how they are; PgBouncer's exporters are in its own pods."""
    for database in databases(plan):
        yield _of_database(plan, database)
    for cache in caches(plan):
        if not cache.is_serverless:
            yield _of_cache(plan, cache)


def _found_by(plan: Plan, component: str) -> dict[str, str]:
    return {"app.kubernetes.io/part-of": plan.application, "app.kubernetes.io/component": component}


def _of_database(plan: Plan, database: Database) -> Artefact:
    name = f"{exporter_of(plan, database.instance.name)}-exporter"
    secret, label = database_secret(plan, database), database.instance.name
    keys = {"user": secret.username_key("monitoring"), "password": secret.password_key("monitoring")}
    values = {
        "fullnameOverride": name,
        "config": {
            "datasource": {
                "userSecret": {"name": secret.kubernetes_name, "key": keys["user"]},
                "passwordSecret": {"name": secret.kubernetes_name, "key": keys["password"]},
                "port": str(database.instance.settings.port),
                # It stands in a URL.
                "database": uri.component(database.name),
                "sslmode": "require",
            },
        },
        "podLabels": _found_by(plan, name),
        "resources": small("exporter"),
        **placement(plan),
    }
    told = f'--set config.datasource.host="$(terraform -chdir=infra output -raw {label}_address)"'
    steps = [_release(plan, charts.OF_POSTGRES, name, f"Watch {label}", told)]
    if database.instance.sized.count("replica_count"):
        steps.append(_of_replicas(plan, database, name))
    return _values(plan, charts.OF_POSTGRES, name, values, "What tells how a database is.", *steps)


def _of_replicas(plan: Plan, database: Database, name: str) -> Step:
    """Return the step that starts an exporter for each replica: how far one lags only it can tell."""
    label = database.instance.name
    is_aurora = database.instance.settings.engine == "aurora"
    hosts = (
        f"$(terraform -chdir=infra output -raw {label}_reader_address)"
        if is_aurora
        else f"$(terraform -chdir=infra output -json {label}_replica_addresses | tr -d '[]\"' | tr ',' ' ')"
    )
    told = ('--set fullnameOverride="$release"', '--set config.datasource.host="$host"')
    one = install(plan, charts.OF_POSTGRES, '"$release"', f"monitoring/{name}-values.yaml", "", told)
    lines = one.command.replace("\n", "\n  ")
    each = f"number=$((number + 1))\n  release={name}-replica-$number\n  {lines}"
    command = f"number=0\nfor host in {hosts}; do\n  {each}\ndone"
    return Step("monitoring", f"Watch the replicas of {label}", command)


def _of_cache(plan: Plan, cache: Cache) -> Artefact:
    name = f"{exporter_of(plan, cache.instance.name)}-exporter"
    secret, is_managed = cache_secret(plan, cache), plan.scenario.emit.cache != "self"
    values = {
        "fullnameOverride": name,
        "env": [
            {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret.kubernetes_name, "key": key}}}
            for variable, key in (
                ("REDIS_USER", secret.username_key(METRICS)),
                ("REDIS_PASSWORD", secret.password_key(METRICS)),
            )
        ],
        **({"extraArgs": {"is-cluster": "true"}} if cache.is_cluster else {}),
        "labels": _found_by(plan, name),
        "service": {"portName": "metrics"},
        "securityContext": {**charts.RESTRICTED},
        "resources": small("exporter"),
        **placement(plan),
    }
    address = f"rediss://$(terraform -chdir=infra output -raw {cache.instance.name}_address):{CACHE_PORT}"
    if not is_managed:
        address = cache.own_url
    step = _release(plan, charts.OF_REDIS, name, f"Watch {cache.instance.name}", f'--set redisAddress="{address}"')
    return _values(plan, charts.OF_REDIS, name, values, "What tells how the cache's nodes are.", step)
