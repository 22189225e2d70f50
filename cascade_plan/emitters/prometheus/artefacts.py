"""Monitoring: Prometheus's scrapes and rules, the autoscalers' metrics, Alertmanager, the application's metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cascade_plan.emitters._charts import servers
from cascade_plan.emitters._config_map import config_map
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._nodes import LABEL, is_tainted
from cascade_plan.emitters._watches.collected import groups, unmeasured
from cascade_plan.emitters._watches.targets import exporters
from cascade_plan.emitters.prometheus import _alertmanager, _config
from cascade_plan.emitters.prometheus._adapter import adapter_rules, served
from cascade_plan.emitters.prometheus._cardinality import cardinality
from cascade_plan.emitters.prometheus._metrics_source import metrics_source
from cascade_plan.emitters.prometheus._operator import objects
from cascade_plan.emitters.prometheus._recipes import recipes
from cascade_plan.emitters.prometheus._rules import alarms, fleet_rules, pod_rules
from cascade_plan.emitters.prometheus._stack import by_operator, config_map_name, stack
from cascade_plan.formulas.latency_buckets import FINE_BOUNDS_S, bounds_s
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings
from cascade_plan.tiers.database.settings import Settings as DatabaseSettings

COMMAND = "monitoring"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("kubernetes",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("monitoring",)
"""The kinds, or other parts of a plan, without which there is nothing to write."""
CLOUDS: tuple[str, ...] = ()
"""The clouds it is for; any, where none is named."""

PURPOSES: Final = {
    "pod_rules.yml": "What is recorded of each pod, its p95 among it: `promtool check rules pod_rules.yml`",
    "recording_rules.yml": "The fleet's percentiles, ratios and SLIs: `promtool check rules recording_rules.yml`",
    "alerting_rules.yml": "Burn rates, gates, capacity, targets: `promtool check rules alerting_rules.yml`",
    "alertmanager.yml": "Who is told of what, by URLs that a Secret has: `amtool check-config alertmanager.yml`",
    "metrics.py": "The metrics as the rules read them: import it in the application (`pip install prometheus-client`).",
    "cardinality.md": "How many series each metric may have, and who keeps the count.",
    "calibration.promql": (
        "What `cascade-plan calibrate` reads: `curl --data-urlencode query@calibration.promql -d start=... -d end=... "
        "-d step=60 http://localhost:9090/api/v1/query_range > metrics.json`"
    ),
    "prometheus-adapter.yaml": "What the adapter serves to the autoscalers.",
    "prometheus-operator.yaml": "Rules, and what is scraped, for the Prometheus Operator of the cluster.",
    "configmaps.yaml": "The files above as ConfigMaps for Prometheus and Alertmanager.",
}

RULES: Final = (_config.POD_RULES, *_config.FLEET_RULES)
KUSTOMIZED: Final = ("configmaps.yaml", "prometheus-operator.yaml", "prometheus-adapter.yaml")
"""The files that are Kubernetes objects themselves."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the configuration of everything that watches the plan's fleet, and the ConfigMaps that carry it."""
    if by_operator(plan):
        servers, others = {}, {path: text for path, text in _files(plan).items() if path != "alertmanager.yml"}
    else:
        servers, others = _servers(plan), _files(plan)
    applied = _objects(plan, servers, others) if plan.of(ClusterSettings) else {}
    texts = {**servers, **others, **applied}
    purposes = {path: f"What this server scrapes and evaluates: `promtool check config {path}`" for path in servers}
    if _config.monitoring(plan).settings.managed:
        purposes = dict.fromkeys(servers, COLLECTOR)
    told = tuple(dict.fromkeys(alarm.name for watch in plan.watches for alarm in watch.alarms))
    files = (
        Artefact(
            path,
            text,
            {**purposes, **PURPOSES}[path],
            kustomized=path in KUSTOMIZED,
            deploys=told if path == "alerting_rules.yml" else (),
        )
        for path, text in texts.items()
        if text
    )
    has_stack = plan.of(ClusterSettings) and not _config.monitoring(plan).settings.managed
    return (*files, *(stack(plan) if has_stack else ()))


COLLECTOR = (
    "What the collector scrapes, and where it sends it; put the workspace's id in the place of WORKSPACE_ID: "
    "`promtool check config --agent prometheus.yml`"
)


def _servers(plan: Plan) -> dict[str, str]:
    tier = _config.monitoring(plan)
    if tier.settings.managed:
        sized = f"sized for {tier.sized.count('series_count'):,} series, kept by the workspace {_config.WORKSPACE}"
        rules = "the workspace evaluates the rules: aws amp create-rule-groups-namespace for each file of them"
        lines = [sized, rules, *_found(plan, "--agent")]
        return {path: _yaml(plan, built, lines) for path, built in _config.configurations(plan).items()}
    flags = f"--storage.tsdb.retention.time={tier.settings.retention_days}d"
    if _config.replicated(plan):
        flags += " --enable-feature=expand-external-labels"
    found = servers(plan, tier)
    where = f"{'pod' if found.is_shared else 'node'}{'s' if found.count > 1 else ''}"
    sized = (
        f"sized for {tier.sized.count('series_count'):,} series on {found.count} {where} "
        f"with {found.memory_gib:.2f} GiB of memory for them"
    )
    lines = [sized, *_found(plan, flags)]
    return {path: _yaml(plan, built, lines) for path, built in _config.configurations(plan).items()}


def _found(plan: Plan, flags: str) -> list[str]:
    """Return how the targets are found, as lines of a comment."""
    if not plan.of(ClusterSettings):
        return [f"start with {flags}", "finds the addresses of each job in a file of its own beside this one"]
    named = [each for each in plan.fleet.workloads if each.serves != "connections"]
    others = [each.kind for each in plan.fleet.workloads if each.serves == "connections"]
    others += [f"{exporter}-exporter" for exporter in exporters(plan)]
    who = "the API" if [each.tier for each in named] == ["api"] else ", ".join(each.name for each in named)
    by_component = [
        f"finds {who} by emit-k8s's labels, the others by app.kubernetes.io/part-of (the application) and",
        f"app.kubernetes.io/component: {', '.join(others)}; their ports are named http or metrics",
    ]
    alone = [f"finds {who} by emit-k8s's labels; their ports are named http or metrics"]
    return [
        f"start with {flags}; its account may get, list and watch pods",
        *(by_component if others else alone),
        *_nodes(plan),
    ]


def _nodes(plan: Plan) -> list[str]:
    """Return how its pods get onto the nodes that they are to stand on."""
    tier = _config.monitoring(plan)
    name = tier.settings.nodes_of or tier.name
    tainted = [group for group in plan.groups if group.tier == name and group.is_nodes and is_tainted(plan, group)]
    words = f"its pods choose their nodes by {LABEL}: {name}, and tolerate the taint of that key and value"
    return [words] if tainted else []


def _files(plan: Plan) -> dict[str, str]:
    buckets = " ".join(f"{bound:g}" for bound in bounds_s(plan.scenario.latency_limits_ms))
    fine = " ".join(f"{bound:g}" for bound in FINE_BOUNDS_S)
    apart = "; queries apart" if plan.of(DatabaseSettings) else ""
    watched = groups(plan)
    names = unmeasured(plan, watched)
    return {
        "pod_rules.yml": _yaml(
            plan,
            pod_rules(plan),
            [f"the histograms' buckets, with every limit among them: {buckets} s; of requests also {fine} s"],
        ),
        "recording_rules.yml": _yaml(
            plan, fleet_rules(plan, watched), [f"response times are of requests, as the limits are{apart}"]
        ),
        "alerting_rules.yml": _yaml(
            plan, alarms(plan, watched), [f"gated, but measured by nothing here: {', '.join(names) or 'none'}"]
        ),
        "alertmanager.yml": _yaml(plan, _alertmanager.configuration(), ["pages at once, tickets by day"]),
        "metrics.py": metrics_source(plan),
        "cardinality.md": cardinality(plan),
        "calibration.promql": recipes(plan),
    }


def _yaml(plan: Plan, document: dict[str, Any], sized: Sequence[str]) -> str:
    return heading(plan, sized) + dump([document])


def _objects(plan: Plan, servers: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    """Return the Kubernetes objects: a ConfigMap for each program, in the namespace of what it watches."""
    if by_operator(plan):
        made = {"prometheus-operator.yaml": heading(plan, SELECTED) + dump([*operator_objects(plan)])}
    else:
        maps = [_of_server(plan, path, text, others) for path, text in servers.items()]
        maps.append(config_map(plan, "alertmanager", {"alertmanager.yml": others["alertmanager.yml"]}))
        head = heading(plan, ["the files of this directory, each as its program mounts it"])
        made = {"configmaps.yaml": head + dump(maps)}
    metrics = ", ".join(dict.fromkeys(served(plan).values()))
    if not metrics:
        return made
    adapter = config_map(plan, "prometheus-adapter", {"config.yaml": dump([adapter_rules(plan)])})
    head = heading(plan, [f"serves {metrics} of each pod, as the autoscalers ask for it"])
    return {"prometheus-adapter.yaml": head + dump([adapter]), **made}


SELECTED: Final = (
    "kube-prometheus-stack reads these when its values say",
    "prometheus.prometheusSpec: {ruleSelectorNilUsesHelmValues: false, podMonitorSelectorNilUsesHelmValues: false,",
    "scrapeConfigSelectorNilUsesHelmValues: false}; its Alertmanager routes by the label severity: page, ticket, none",
)


def operator_objects(plan: Plan) -> Iterator[dict[str, Any]]:
    """Return the objects that an operator reads."""
    return objects(plan, groups(plan), _config.monitoring(plan).settings.scrape_interval_s)


def _of_server(plan: Plan, path: str, text: str, others: dict[str, str]) -> dict[str, Any]:
    """Return the ConfigMap of a server's configuration and of the rules that it names."""
    named = _config.configurations(plan)[path].get("rule_files", RULES)
    files = {path: text, **{rules: others[rules] for rules in named}}
    return config_map(plan, "prometheus", files, name=config_map_name(path))
