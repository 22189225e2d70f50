"""The emitted rules in a running Prometheus, scraping pods with the emitted metrics, asked as HPA and Grafana do."""

from __future__ import annotations

import json
import random
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from math import isnan
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from metrics_read import read
from monitoring_files import Document, emitted, imported, planned, texts, undiscovered
from prometheus_client import CollectorRegistry, start_http_server
from servers import free_port, program, running, wait_until

from cascade_plan.cli import fetching
from cascade_plan.emitters.kubernetes.artefacts import objects
from cascade_plan.evidence.asking import answers
from cascade_plan.inputs.scenarios import Assignment
from cascade_plan.model.observation import PODS as PODS_UP
from cascade_plan.model.observation import REQUESTS_PER_S, RESPONSE_MS_MEAN, ROUTE_REQUESTS_PER_S, Measure
from cascade_plan.model.plan import Plan

pytestmark = pytest.mark.xdist_group("prometheus")


@dataclass(frozen=True)
class FakePod:
    """A pod that answers queries in times drawn evenly between two bounds, or answers none."""

    name: str
    fastest_s: float
    slowest_s: float

    @property
    def p95_s(self) -> float:
        return self.fastest_s + 0.95 * (self.slowest_s - self.fastest_s)


PODS = (
    FakePod("fast", 0.005, 0.045),
    FakePod("just-under", 0.15, 0.19),
    FakePod("just-over", 0.15, 0.22),
    FakePod("slow", 0.5, 4.5),
    FakePod("idle", 0, 0),
    FakePod("new", 0, 0),
)
BUSY = PODS[:4]


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    port: int

    def get(self, path: str, **parameters: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            document = json.load(answer)
        assert document["status"] == "success"
        return document["data"]

    def query(self, expr: str) -> list[Document]:
        found: list[Document] = self.get("query", query=expr)["result"]
        return found


def feed(monitor: Any, module: ModuleType, pod: FakePod, ended: threading.Event) -> None:
    """Observe 20 queries of two tenants each 50 ms until the end."""
    drawn = random.Random(pod.name)
    while not ended.wait(0.05):
        for _ in range(10 if pod.slowest_s else 0):
            for tenant in ("a", "b"):
                module.tenant.set(tenant)
                seconds = drawn.uniform(pod.fastest_s, pod.slowest_s)
                monitor.query_duration.labels(tenant, "list_workrooms_read").observe(seconds)
                monitor.request(seconds, ok=True)


@contextmanager
def exporter(module: ModuleType, pod: FakePod) -> Iterator[int]:
    """Serve a fake pod's metrics, made by the emitted module."""
    registry, port, ended = CollectorRegistry(), free_port(), threading.Event()
    monitor = module.PerformanceMonitor(registry)
    if pod.name == "idle":
        # It has answered before, so its histogram is there and does not move: the quantile of nothing is NaN.
        monitor.query_duration.labels("a", "list_workrooms_read").observe(1)
    server, serving = start_http_server(port, "127.0.0.1", registry)
    feeding = threading.Thread(target=feed, args=(monitor, module, pod, ended))
    feeding.start()
    try:
        yield port
    finally:
        ended.set()
        feeding.join()
        server.shutdown()
        server.server_close()
        serving.join()


def discovered(pod: str, port: int, **labels: str) -> Document:
    """Return a target as Kubernetes discovery gives it, for the emitted relabelling to work on."""
    meta = {
        "namespace": "cascade",
        "pod_name": pod,
        "pod_node_name": "node-1",
        "pod_phase": "Running",
        "pod_container_port_name": "http",
        "pod_label_app_kubernetes_io_name": "cascade-api",
        **labels,
    }
    found = {f"__meta_kubernetes_{name}": value for name, value in meta.items()}
    return {"targets": [f"127.0.0.1:{port}"], "labels": found}


def live_plan(*changes: Assignment) -> Plan:
    by_latency = ("--set", "autoscaling.metrics", "[latency]")
    return planned("cascade", ("--set", "tiers.monitoring.scrape_interval_s", "1"), by_latency, *changes)


def ready(port: int) -> bool:
    """Return whether Prometheus answers queries: it listens before it does."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def prometheus(config: Path, document: Document, directory: Path, port: int) -> Iterator[Prometheus]:
    """Run Prometheus on a configuration written to `config`, which must be beside its rule files."""
    config.write_text(yaml.safe_dump(document))
    command = [
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={directory / config.stem}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, lambda: ready(port), directory / f"{config.stem}.log"):
        yield Prometheus(port)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("prometheus")
    paths = emitted(live_plan(), directory)
    module = imported(paths["metrics.py"])
    with ExitStack() as stack:
        targets = [discovered(pod.name, stack.enter_context(exporter(module, pod))) for pod in PODS]
        # What the relabelling must pass over: a pod that is not ready to run, another port, another application.
        port = int(targets[0]["targets"][0].rpartition(":")[2])
        targets += [
            discovered("pending", port, pod_phase="Pending"),
            discovered("other-port", port, pod_container_port_name="debug"),
            discovered("other-name", port, pod_label_app_kubernetes_io_name="cascade-apiX"),
        ]
        document = undiscovered(yaml.safe_load(paths["prometheus.yml"].read_text()), {"cascade-api": targets})
        found = stack.enter_context(prometheus(paths["prometheus.yml"], document, directory, free_port()))
        wait_until(lambda: len([v for v in p95s(found).values() if v > 0]) == len(BUSY), "a p95 of each busy pod")
        yield found


def p95s(found: Prometheus) -> dict[str, float]:
    samples = found.query('pod:cascade_query_duration_seconds:p95{namespace="cascade"}')
    return {sample["metric"]["pod"]: float(sample["value"][1]) for sample in samples}


def adapter_rule(served_as: str) -> Document:
    carried = yaml.safe_load(texts(live_plan())["prometheus-adapter.yaml"])["data"]["config.yaml"]
    (rule,) = (each for each in yaml.safe_load(carried)["rules"] if each["name"]["as"] == served_as)
    assert isinstance(rule, dict)
    return rule


def test_the_adapter_gives_the_hpa_one_value_a_pod_near_its_true_p95(server: Prometheus) -> None:
    wanted = objects(live_plan())["hpa"]["spec"]["metrics"][0]["pods"]["metric"]["name"]
    rule = adapter_rule(wanted)
    (series,) = {each["__name__"] for each in server.get("series", **{"match[]": rule["seriesQuery"]})}
    assert (rule["name"]["matches"], rule["name"]["as"]) == (f"^{series}$", wanted)
    assert {label: each["resource"] for label, each in rule["resources"]["overrides"].items()} == {
        "namespace": "namespace",
        "pod": "pod",
    }
    # As the adapter renders it for a namespaced resource and the HPA's pods.
    names = "|".join(pod.name for pod in PODS)
    parts = {"Series": series, "LabelMatchers": f'namespace="cascade",pod=~"{names}"', "GroupBy": "pod"}
    query = rule["metricsQuery"]
    for name, text in parts.items():
        query = query.replace(f"<<.{name}>>", text)
    assert "<<" not in query
    samples = server.query(query)
    values = {sample["metric"]["pod"]: float(sample["value"][1]) for sample in samples}
    assert sorted(sample["metric"]["pod"] for sample in samples) == sorted(pod.name for pod in PODS)
    assert not any(isnan(value) for value in values.values())
    assert (values["idle"], values["new"]) == (0, 0)
    bounds = (0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0, 2.5, 5.0)
    for pod in BUSY:
        width = next(high - low for low, high in pairwise(bounds) if low < pod.p95_s <= high)
        assert abs(values[pod.name] - pod.p95_s) < width
    # Which side of the target a pod is on is exact, although the plan's own buckets have both between 0.1 and 0.25.
    assert values["just-under"] <= 0.2 < values["just-over"]


def test_only_running_pods_of_the_application_are_scraped(server: Prometheus) -> None:
    found = server.query('up{job="cascade-api"}')
    assert sorted(sample["metric"]["pod"] for sample in found) == sorted(pod.name for pod in PODS)
    assert {sample["metric"]["namespace"] for sample in found} == {"cascade"}


def test_the_dashboard_asks_what_prometheus_answers(server: Prometheus) -> None:
    panels = json.loads(texts(live_plan())["grafana-dashboard.json"])["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    assert len(asked) > 20
    for expr in asked:
        server.query(expr)


def test_a_histogram_is_as_many_series_as_the_budget_reckons(server: Prometheus) -> None:
    (sample,) = server.query(
        'count({__name__=~"cascade_query_duration_seconds.*",pod="fast",tenant_id="a",query_type="list_workrooms_read"})'
    )
    made = live_plan()
    per_child = made.figure("monitoring.query_series_count") / made.figure("api.replica_count.max") / 10 / 100
    assert int(sample["value"][1]) == per_child


def settled(server: Prometheus) -> float:
    """Return the server's time once all it is asked for a calibration has had a value for 5 s: two moments of 2 s."""
    query = texts(live_plan())["calibration.promql"]

    def now() -> float:
        return float(server.get("query", query="time()")["result"][1])

    def series(at: float) -> int:
        return len(server.get("query", query=query, time=str(at))["result"])

    wait_until(lambda: 0 < series(now()) == series(now() - 5), "the same series 5 s ago")
    return now()


def test_a_calibration_asks_it_and_reads_what_it_answers(server: Prometheus) -> None:
    """Each pod that is busy is asked 400 times a second by this process, whose CPU is that of the pod."""
    observed = [each for watch in live_plan().watches for each in watch.observed]
    url = f"http://127.0.0.1:{server.port}"
    end = settled(server)
    text = answers(observed, fetching.prometheus(url, ""), end - 8, end, 2)
    found = read({url: text})
    (rate,) = found.together(Measure(REQUESTS_PER_S, "api"))
    (times,) = found.together(Measure(RESPONSE_MS_MEAN, "api"))
    assert found.window_s == 2
    assert rate
    # Between none and all of what the four pods are fed, which begins while Prometheus does.
    assert 0 < rate[-1] <= 4 * 400 * 1.2
    mean_ms = 1000 * sum((pod.fastest_s + pod.slowest_s) / 2 for pod in BUSY) / len(BUSY)
    assert times[-1] == pytest.approx(mean_ms, rel=0.3)
    assert found.together(Measure(PODS_UP, "api"))[0][-1] == len(PODS)
    assert set(found.of(ROUTE_REQUESTS_PER_S)) == {"list_workrooms", "create_message", "upload_resource", "other"}
    (remark,) = found.remarks
    assert remark.startswith(f"{url}: Prometheus found no series of ")
    assert "connections of database" in remark


def test_the_saved_answer_to_the_one_query_is_read(server: Prometheus) -> None:
    """As curl saves it: the whole of calibration.promql in one request."""
    end = settled(server)
    query = texts(live_plan())["calibration.promql"]
    data = server.get("query_range", query=query, start=str(end - 8), end=str(end), step="2")
    found = read({"saved.json": json.dumps({"status": "success", "data": data})})
    assert {Measure(REQUESTS_PER_S, "api"), Measure(PODS_UP, "api")} <= set(found.series)
    assert "other" in found.of(ROUTE_REQUESTS_PER_S)


def test_every_group_was_evaluated_without_error(server: Prometheus) -> None:
    groups = server.get("rules")["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}


def test_without_the_tenant_label_its_series_are_dropped_not_merged(tmp_path: Path) -> None:
    with_label = imported(emitted(live_plan(), tmp_path)["metrics.py"])
    paths = emitted(live_plan(("--set", "tiers.monitoring.label_by_tenant", "false")), tmp_path)
    with exporter(with_label, PODS[0]) as port:
        document = yaml.safe_load(paths["prometheus.yml"].read_text())
        document = undiscovered(document, {"cascade-api": [discovered("old", port)]})
        with prometheus(paths["prometheus.yml"], document, tmp_path, free_port()) as found:
            dropped = "scrape_samples_scraped - scrape_samples_post_metric_relabeling > 0"
            wait_until(lambda: bool(found.query(dropped)), "dropped series")
            assert found.query("cascade_query_duration_seconds_count") == []
            assert found.query("cascade_request_duration_seconds_count")


def test_shards_divide_the_pods_and_one_server_sees_them_all(tmp_path: Path) -> None:
    made = live_plan(("--set", "tiers.monitoring.series_per_node", "300000"))
    paths = emitted(made, tmp_path)
    shards = [
        name for name in paths if name.startswith("prometheus-") and name.endswith(".yml") and "global" not in name
    ]
    assert sorted(shards) == ["prometheus-0.yml", "prometheus-1.yml"]
    module = imported(paths["metrics.py"])
    with ExitStack() as stack:
        targets = [discovered(pod.name, stack.enter_context(exporter(module, pod))) for pod in PODS]
        servers = []
        for name in shards:
            document = undiscovered(yaml.safe_load(paths[name].read_text()), {"cascade-api": targets})
            servers.append(stack.enter_context(prometheus(paths[name], document, tmp_path, free_port())))
        document = yaml.safe_load(paths["prometheus-global.yml"].read_text())
        for read_, shard in zip(document["remote_read"], servers, strict=True):
            read_["url"] = f"http://127.0.0.1:{shard.port}/api/v1/read"
        whole = stack.enter_context(prometheus(paths["prometheus-global.yml"], document, tmp_path, free_port()))
        wait_until(lambda: set(p95s(whole)) == {pod.name for pod in PODS}, "every pod's p95 on the global server")
        parts = [set(p95s(shard)) for shard in servers]
        assert parts[0] | parts[1] == {pod.name for pod in PODS}
        assert not parts[0] & parts[1]
        expr = "namespace:cascade_request_duration_seconds:p95"
        wait_until(lambda: bool(whole.query(expr)), "the fleet's p95 on the global server")
