"""What is emitted for an application is its own: its metrics bear its name, and no word is another application's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from monitoring_files import imported, planned
from prometheus_client import CollectorRegistry

from cascade_plan.emitters import directory as emitting
from cascade_plan.emitters._topology import room_word
from cascade_plan.inputs.scenarios import priced, read
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan

MARKET = """\
schema_version: 1
name: shop
application: night-market
users: {peak: 4000, average: 1500}
autoscaling: {metrics: [latency, requests]}
behaviour:
  actions:
    browse: {request: "GET /goods", weight: 5, reads: {database: 2}, cache: cache}
    order: {request: "POST /orders", weight: 1, at: orders, writes: {database: 3}, publishes: true, jobs: {mailer: 1}}
    attach: {request: "POST /orders/{id}/files", weight: 1, at: orders, object_bytes: 50000}
tiers:
  api: {}
  orders: {kind: api}
  database: {}
  pool: {}
  cache: {}
  websocket: {}
  queue: {}
  mailer: {kind: worker, read_count: 1}
  monitoring: {}
  cluster: {}
  gateway: {}
  network: {}
loads:
  evening: {users: 4000, spawn_rate_per_s: 50, duration_s: 300, latency_ms_p95: 300}
gates:
  latency_ms_p95.evening: ["< 300"]
  cache.hit_ratio: ["> 0.8"]
  mailer.age_s_p99: ["< 60"]
"""
FOREIGN = ("saas-300", "chat-40k", "api-batch", "night-market")
EXPORTERS = re.compile(
    r"(pg_|redis_|pgbouncer_|kube_|container_|kubelet_volume_stats_|node_|prometheus_tsdb_|scrape_samples_)[a-z_]+"
    r"|process_cpu_seconds_total|up"
)
"""What is said by exporters, kube-state-metrics, cAdvisor, the client library and Prometheus itself."""
WORDS = ("cascade", "workroom", "test_file", r"(the|a|this|its|your) plan\b", "plan's", "performance plan")
"""What no file says to whom it is another's: the case study's words, and a plan that nobody there has read."""
HISTOGRAM = ("_bucket", "_count", "_sum")


@cache
def foreign(name: str) -> Plan:
    """Return the plan of a scenario that is another application's than the performance plan's."""
    if name in FOREIGN[:-1]:
        given = read(name)
        return plan(given.scenario, given.book, given.origins, predicted=False)
    scenario = Scenario.model_validate(yaml.safe_load(MARKET))
    return plan(scenario, priced(scenario.cloud, scenario.region, None, cached=False), predicted=False)


@cache
def files(name: str) -> dict[str, str]:
    """Return path -> text of everything that is emitted."""
    return {artefact.path: artefact.text for artefact in emitting.everything(foreign(name)).files}


def metrics_of(expression: str) -> set[str]:
    """Return the metrics that a PromQL expression reads: what is no function, label, keyword or text."""
    bare = re.sub(r'"(\\.|[^"\\])*"', "", expression)
    bare = re.sub(r"\b(by|on|ignoring|group_left|group_right|without)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    words = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*[(\w:])", bare)
    return {word for word in words if word not in ("and", "or", "unless")}


def test_the_metrics_of_an_expression_are_found() -> None:
    read_ = 'sum by (pod) (rate(a_count{x="up", y=~"b{2}"}[5m])) / on (pod) group_left () (c:d:e > 0) or up'
    assert metrics_of(read_) == {"a_count", "c:d:e", "up"}


def rules_of(made: dict[str, str]) -> Iterator[dict[str, Any]]:
    for path, text in made.items():
        if path.endswith("_rules.yml"):
            yield from (rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"])


def expressions(found: Any) -> Iterator[str]:
    """Yield every expression of a dashboard."""
    if isinstance(found, dict):
        yield from (value for key, value in found.items() if key == "expr")
    for each in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from expressions(each)


def exposed(text: str, directory: Path) -> set[str]:
    """Return the samples that the application's metrics may have."""
    path = directory / "emitted_metrics.py"
    path.write_text(text, encoding="utf-8")
    registry = CollectorRegistry()
    imported(path).PerformanceMonitor(registry)
    return {
        f"{metric.name}{suffix}"
        for metric in registry.collect()
        for suffix in {"histogram": HISTOGRAM, "counter": ("_total",), "gauge": ("",)}[metric.type]
    }


def asked_of_pods(made: dict[str, str]) -> set[str]:
    """Return the metrics of pods that autoscalers ask the adapter for."""
    objects = (
        each for path, text in made.items() if re.match(r"k8s/.*\.yaml$", path) for each in yaml.safe_load_all(text)
    )
    hpas = [each for each in objects if each["kind"] == "HorizontalPodAutoscaler"]
    metrics = [metric for hpa in hpas for metric in hpa["spec"]["metrics"]]
    return {metric["pods"]["metric"]["name"] for metric in metrics if metric["type"] == "Pods"}


@pytest.mark.parametrize("name", FOREIGN)
def test_every_metric_that_is_read_is_defined_and_the_applications_own(name: str, tmp_path: Path) -> None:
    made, own = files(name), foreign(name).application.replace("-", "_")
    rules = list(rules_of(made))
    recorded = {rule["record"] for rule in rules if "record" in rule}
    counted = exposed(made["monitoring/metrics.py"], tmp_path)
    (adapter,) = yaml.safe_load_all(made["monitoring/prometheus-adapter.yaml"])
    adapted = yaml.safe_load(adapter["data"]["config.yaml"])["rules"]

    panels = expressions(json.loads(made["monitoring/grafana-dashboard.json"]))
    read_ = {metric for rule in rules for metric in metrics_of(rule["expr"])}
    read_ |= {metric for expression in panels for metric in metrics_of(expression)}
    read_ |= metrics_of(re.sub(r"(?m)^#.*", "", made["monitoring/calibration.promql"]))
    read_ |= {rule["seriesQuery"].partition("{")[0] for rule in adapted}
    unknown = read_ - recorded - counted
    assert {metric for metric in unknown if not EXPORTERS.fullmatch(metric)} == set()
    served = {rule["name"]["as"] for rule in adapted}
    asked = asked_of_pods(made)
    assert asked <= served
    assert len(asked) == (2 if name == "night-market" else 0)

    assert counted
    assert {metric for metric in counted if not metric.startswith(f"{own}_")} == set()
    assert served
    assert {metric for metric in served if not metric.startswith(f"{own}_")} == set()
    # What is recorded is the application's own, or an exporter's that is summed.
    parts = {metric.split(":")[1] for metric in recorded}
    assert {part for part in parts if not re.match(rf"{own}_|pg_|redis_", part)} == set()


# --------------------------------------------------------------------------------------------------------------- words


def spoken(text: str) -> str:
    """Return a text in one line, without its comments' marks and without the tool's own name."""
    lines = (re.sub(r"^[\s#;/*|\"-]+", "", line) for line in text.splitlines())
    return " ".join(" ".join(lines).split()).replace("cascade-plan", "")


def said(text: str) -> list[str]:
    """Return what of WORDS a text says, each with what follows it."""
    return [match[0] for match in re.finditer(rf"(?i)(?<![a-z])({'|'.join(WORDS)}).{{0,30}}", spoken(text))]


def test_words_are_found_wherever_a_line_breaks() -> None:
    text = "# as the\n# plan says .............................\n; CASCADE_HOST\n# cascade-plan: planned\n"
    assert [each[:8] for each in said(text)] == ["the plan", "CASCADE_"]


@pytest.mark.parametrize("name", FOREIGN)
def test_no_file_speaks_of_another_application(name: str) -> None:
    assert {path: said(text) for path, text in files(name).items() if said(text)} == {}


def test_channels_are_called_after_what_the_applications_paths_name() -> None:
    channels = {
        name: yaml.safe_load(files(name)["cluster/websocket_cluster.yaml"]) for name in ("chat-40k", "night-market")
    }
    assert [room_word(foreign(name)) for name in ("chat-40k", "night-market")] == ["room", "room"]
    assert "room:{<room_id>}:updates" in json.dumps(channels["chat-40k"])
    assert room_word(planned()) == "workroom"
