"""What emit-monitoring makes: the metrics as a module that works, objects Kubernetes takes, a dashboard of goals."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import kubernetes_validate
import pytest
import yaml
from factories import bundled_with, make_scenario
from hypothesis import given
from hypothesis import strategies as st
from monitoring_files import (
    Document,
    by_operator,
    cascade,
    imported,
    jobs,
    planned,
    several,
    sharded,
    texts,
    without_tenants,
)
from prometheus_client import CollectorRegistry
from prometheus_client.utils import floatToGoString

from cascade_plan import registry
from cascade_plan.emitters._secrets import secrets
from cascade_plan.emitters._watches.collected import groups, unmeasured
from cascade_plan.emitters._watches.latency_goals import latency_goals, objectives
from cascade_plan.errors import InfeasibleError
from cascade_plan.formulas.latency_buckets import BESIDE_BOUNDS, PLAN_BOUNDS_S, bound_text, bounds_s, request_bounds_s
from cascade_plan.inputs.scenarios import read
from cascade_plan.languages.promql import annotation, exactly, literal, number, ratio, select
from cascade_plan.model.plan import Plan
from cascade_plan.model.watch import Alarm, Chart, Line, Recorded, Watch
from cascade_plan.planning.pipeline import plan
from cascade_plan.tiers.monitoring.settings import Settings
from cascade_plan.tiers.worker.settings import Settings as WorkerSettings

KUBERNETES = "1.34"
prometheus = registry.load("emitters", "prometheus", "artefacts")
grafana = registry.load("emitters", "grafana", "artefacts")


# ------------------------------------------------------------------------------------------------------------- metrics


def module_of(made: Plan, directory: Path) -> ModuleType:
    path = directory / "emitted_metrics.py"
    path.write_text(texts(made)["metrics.py"], encoding="utf-8")
    return imported(path)


def samples(registry: CollectorRegistry, name: str) -> Iterator[tuple[dict[str, str], float]]:
    for metric in registry.collect():
        yield from ((sample.labels, sample.value) for sample in metric.samples if sample.name == name)


QUERIES = "cascade_query_duration_seconds_count"


def settings_of(made: Plan) -> Settings:
    (monitoring,) = made.of(Settings)
    return monitoring.settings


def test_a_tracked_function_stays_itself_and_is_timed_whatever_becomes_of_it(tmp_path: Path) -> None:
    module, registry = module_of(without_tenants(), tmp_path), CollectorRegistry()
    monitor = module.PerformanceMonitor(registry)

    @monitor.track_query("list_workrooms_read")
    def plain(a: int, *, b: int = 2) -> int:
        """Add."""
        return a + b

    @monitor.track_query("list_workrooms_read")
    async def later(a: int) -> int:
        await asyncio.sleep(0.06)
        return a

    @monitor.track_query("list_workrooms_read")
    async def broken() -> None:
        raise ValueError("no")

    assert (plain.__name__, plain.__doc__, list(inspect.signature(plain).parameters)) == ("plain", "Add.", ["a", "b"])
    assert inspect.iscoroutinefunction(later)
    assert (plain(1), asyncio.run(later(7))) == (3, 7)
    with pytest.raises(ValueError, match="no"):
        asyncio.run(broken())
    assert ({"query_type": "list_workrooms_read"}, 3.0) in list(samples(registry, QUERIES))
    # The coroutine is timed to its end, not to its creation.
    total = registry.get_sample_value("cascade_query_duration_seconds_sum", {"query_type": "list_workrooms_read"})
    assert total is not None
    assert total >= 0.06


def test_labels_are_bounded(tmp_path: Path) -> None:
    made = planned("cascade", ("--set", "users.tenants", "3"))
    module, registry = module_of(made, tmp_path), CollectorRegistry()
    monitor = module.PerformanceMonitor(registry)
    for number_ in range(50):
        module.tenant.set(f"t{number_}")
        with monitor.query(f"SELECT {number_}"), monitor.websocket():
            pass
    found = [labels for labels, _ in samples(registry, QUERIES)]
    assert {labels["tenant_id"] for labels in found} == {"t0", "t1", "t2", "other"}
    assert {labels["query_type"] for labels in found} == {"other"}
    assert len(module.QUERY_TYPES) <= settings_of(made).query_types
    assert all(value == 0 for _, value in samples(registry, "cascade_websocket_connections"))


def test_more_actions_than_query_types_share_the_last(tmp_path: Path) -> None:
    module = module_of(planned("cascade", ("--set", "tiers.monitoring.query_types", "2")), tmp_path)
    assert module.QUERY_TYPES == ("list_workrooms_read", "other")


def test_without_the_label_no_metric_knows_tenants_and_every_series_is_there_from_the_start(tmp_path: Path) -> None:
    module, registry = module_of(without_tenants(), tmp_path), CollectorRegistry()
    monitor = module.PerformanceMonitor(registry)
    with monitor.websocket():
        assert registry.get_sample_value("cascade_websocket_connections") == 1
    monitor.cache_lookup(hit=True)
    assert registry.get_sample_value("cascade_cache_requests_total", {"result": "hit"}) == 1
    assert registry.get_sample_value("cascade_cache_requests_total", {"result": "miss"}) == 0
    assert not any("tenant_id" in sample.labels for metric in registry.collect() for sample in metric.samples)
    assert {labels["query_type"] for labels, _ in samples(registry, QUERIES)} == set(module.QUERY_TYPES)
    names = [sample.name for metric in registry.collect() for sample in metric.samples]
    assert not any(name.endswith("_created") for name in names)


@pytest.mark.parametrize("made", [cascade, without_tenants], ids=["with tenants", "without"])
def test_a_child_of_the_histogram_is_as_many_series_as_reckoned(made: Any, tmp_path: Path) -> None:
    module, registry = module_of(made(), tmp_path), CollectorRegistry()
    with module.PerformanceMonitor(registry).query("other"):
        pass
    found = [
        sample
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name.startswith("cascade_query_duration_seconds") and sample.labels["query_type"] == "other"
    ]
    tier, users = settings_of(made()), made().scenario.users
    children = made().figure("api.replica_count.max") * tier.query_types
    children *= users.tenants if tier.label_by_tenant else 1
    assert len(found) == made().figure("monitoring.query_series_count") / children == 14


OFF = tuple(
    tuple(off.split())
    for off in (
        "websocket cache",
        "database pool",
        "database pool websocket cache",
        "api gateway",
        "cluster",
        "api gateway database pool cache",
    )
)
"""Tiers that are off together."""


def without(*tiers: str, tenants: bool = True) -> Plan:
    """Return the plan of cascade with tiers off."""
    by_tenant = ("--set", "tiers.monitoring.label_by_tenant", str(tenants).lower())
    return planned("cascade", *(("--set", f"tiers.{tier}", "off") for tier in tiers), by_tenant)


MODULES = {
    "with tenants": cascade,
    "without tenants": without_tenants,
    "jobs": jobs,
    "several": several,
    "small": lambda: planned("saas-300"),
    **{f"no {' '.join(off)}": partial(without, *off) for off in OFF},
    **{f"no {' '.join(off)}, no tenants": partial(without, *off, tenants=False) for off in OFF[1:3]},
}


@pytest.mark.parametrize("made", MODULES.values(), ids=MODULES)
def test_the_module_is_typed_and_tidy(made: Callable[[], Plan], tmp_path: Path) -> None:
    path = tmp_path / "metrics.py"
    path.write_text(texts(made())["metrics.py"], encoding="utf-8")
    for command in (
        ["mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}/cache"],
        ["ruff", "check", "--no-cache", "--line-length=120"],
        ["ruff", "format", "--check", "--no-cache", "--line-length=120"],
    ):
        done = subprocess.run([sys.executable, "-m", *command, str(path)], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


COUNTED = {
    "query_duration": "query_duration_seconds",
    "request_duration": "request_duration_seconds",
    "action_requests": "action_requests",
    "cache_requests": "cache_requests",
    "connection_pool_usage": "connection_pool_usage",
    "websocket_connections": "websocket_connections",
    "jobs_asked": "jobs_asked",
    "jobs": "jobs",
    "job_duration": "job_duration_seconds",
    "job_age": "job_age_seconds",
}


@pytest.mark.parametrize(
    ("made", "missing"),
    [
        (cascade, {"jobs_asked", "jobs", "job_duration", "job_age"}),
        (several, set()),
        (jobs, {"cache_requests", "websocket_connections"}),
        (partial(without, "websocket", "cache"), {"cache_requests", "websocket_connections", *list(COUNTED)[6:]}),
        (partial(without, "database", "pool"), {"query_duration", "connection_pool_usage", *list(COUNTED)[6:]}),
        (partial(without, "api", "gateway"), {"request_duration", "action_requests", *list(COUNTED)[6:]}),
    ],
    ids=["cascade", "several", "jobs", "no websocket, no cache", "no database", "no service"],
)
def test_the_module_counts_what_there_is(made: Callable[[], Plan], missing: set[str], tmp_path: Path) -> None:
    registry = CollectorRegistry()
    monitor = module_of(made(), tmp_path).PerformanceMonitor(registry)
    own = made().application.replace("-", "_")
    assert {metric.name for metric in registry.collect()} == {
        f"{own}_{name}" for attribute, name in COUNTED.items() if attribute not in missing
    }
    assert {attribute for attribute in COUNTED if hasattr(monitor, attribute)} == COUNTED.keys() - missing


def test_jobs_are_counted_with_their_work_and_their_age(tmp_path: Path) -> None:
    module, registry = module_of(jobs(), tmp_path), CollectorRegistry()
    monitor = module.PerformanceMonitor(registry)
    assert registry.get_sample_value("api_batch_jobs_total", {"outcome": "error"}) == 0
    monitor.job_asked("queue")
    monitor.job_asked("nobody's")
    monitor.job(0.4, 20.0, ok=True)
    assert registry.get_sample_value("api_batch_jobs_total", {"outcome": "ok"}) == 1
    assert registry.get_sample_value("api_batch_jobs_asked_total", {"queue": "queue"}) == 1
    assert registry.get_sample_value("api_batch_jobs_asked_total", {"queue": "other"}) == 1
    # The limit to the age is a bound: whether it was met is not interpolated.
    assert registry.get_sample_value("api_batch_job_age_seconds_bucket", {"le": "10.0"}) == 0
    assert registry.get_sample_value("api_batch_job_age_seconds_bucket", {"le": "30.0"}) == 1
    (worker,) = jobs().of(WorkerSettings)
    assert worker.settings.age_s_p99 == 30
    assert registry.get_sample_value("api_batch_job_duration_seconds_sum") == 0.4


def test_any_limit_to_the_age_of_jobs_is_a_bound(tmp_path: Path) -> None:
    odd = planned("api-batch", ("--set", "tiers.worker.age_s_p99", "37.5"), ("--set", "gates", "{}"))
    module = module_of(odd, tmp_path)
    assert 37.5 in module.AGES_S
    assert 37.5 not in module_of(jobs(), tmp_path).AGES_S


def test_requests_are_counted_by_action_and_in_fine_buckets(tmp_path: Path) -> None:
    module, registry = module_of(cascade(), tmp_path), CollectorRegistry()
    monitor = module.PerformanceMonitor(registry)
    for seconds, asked in ((0.0008, {"action": "list_workrooms"}), (0.002, {"action": "no such"}), (0.004, {})):
        monitor.request(seconds, ok=True, **asked)
    counted = {labels["action"]: n for labels, n in samples(registry, "cascade_action_requests_total")}
    assert counted == {"list_workrooms": 1, "create_message": 0, "upload_resource": 0, "other": 2}
    for bound, count in (("0.001", 1), ("0.0025", 2), ("0.005", 3)):
        labels = {"outcome": "ok", "le": bound}
        assert registry.get_sample_value("cascade_request_duration_seconds_bucket", labels) == count
    limits = cascade().scenario.latency_limits_ms
    assert request_bounds_s(limits)[3:] == bounds_s(limits) == module.BUCKETS_S


def test_a_pools_usage_is_set_while_its_connections_are_held(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    monitor = module_of(cascade(), tmp_path).PerformanceMonitor(registry)

    def used() -> float | None:
        return registry.get_sample_value("cascade_connection_pool_usage", {"pool_name": "main"})

    with monitor.connection("main", 4), monitor.connection("main", 4):
        assert used() == 0.5
    assert used() == 0


WORKER = """
import sys, time
import emitted_metrics
from prometheus_client import generate_latest
if sys.argv[1] == "scrape":
    sys.stdout.write(generate_latest(emitted_metrics.scraped()).decode())
    sys.exit()
monitor, ended = emitted_metrics.PerformanceMonitor(), time.process_time() + 0.2
while time.process_time() < ended:
    pass
monitor.request(0.0008, ok=True)
for _ in range(int(sys.argv[1])):
    monitor.request(0.0008, ok=True, action="list_workrooms")
with monitor.websocket(), monitor.connection("main", int(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_any_of_several_processes_answers_for_all_of_its_pod(tmp_path: Path) -> None:
    """Two real processes count, a third is asked; what counters say outlives a process, what it held open does not."""
    module_of(without_tenants(), tmp_path)
    (tmp_path / "shared").mkdir()
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "shared")}

    def started(argument: str) -> subprocess.Popen[str]:
        command, pipe = [sys.executable, "-c", WORKER, argument], subprocess.PIPE
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stdin=pipe, stdout=pipe, text=True)

    def scraped() -> dict[str, float]:
        with started("scrape") as asked:
            text, _ = asked.communicate()
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    with started("2") as one, started("5") as two:
        for each in (one, two):
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        found = scraped()
        assert found['cascade_action_requests_total{action="list_workrooms"}'] == 7
        assert found['cascade_request_duration_seconds_bucket{le="0.001",outcome="ok"}'] == 9
        assert found["cascade_websocket_connections"] == 2
        # The fullest of the two has one of its two connections in use.
        assert found['cascade_connection_pool_usage{pool_name="main"}'] == 0.5
        assert 0.4 <= found["process_cpu_seconds_total"] < 10
        one.communicate()
        end = f"import emitted_metrics; emitted_metrics.process_ended({one.pid})"
        subprocess.run([sys.executable, "-c", end], cwd=tmp_path, env=environment, check=True)
        found = scraped()
        assert found['cascade_action_requests_total{action="list_workrooms"}'] == 7
        assert found["cascade_websocket_connections"] == 1
        assert found['cascade_connection_pool_usage{pool_name="main"}'] == 0.2
        two.communicate()


def test_look_ups_of_several_caches_are_told_apart(tmp_path: Path) -> None:
    module, registry = module_of(several(), tmp_path), CollectorRegistry()
    monitor = module.PerformanceMonitor(registry)
    monitor.cache_lookup("sessions", hit=True)
    monitor.cache_lookup("no such", hit=True)
    found = {(labels["cache"], labels["result"]): n for labels, n in samples(registry, "cascade_cache_requests_total")}
    assert found == {
        ("cache", "hit"): 0,
        ("cache", "miss"): 0,
        ("sessions", "hit"): 1,
        ("sessions", "miss"): 0,
        ("other", "hit"): 1,
    }


@pytest.mark.parametrize(
    ("given_", "prefix"), [((), "corner_shop"), (("tiers.monitoring.metric_prefix=till",), "till")]
)
def test_metrics_are_called_after_the_application_or_as_the_scenario_says(given_: tuple[str, ...], prefix: str) -> None:
    """And nothing at all is called after the case study: only this program's own name has its word."""
    sets = (("--set", *each.partition("=")[::2]) for each in ("application=corner-shop", *given_))
    found = read("cascade", tuple(sets))
    scenario = found.scenario.model_copy(update={"name": "corner-shop"})
    files = texts(plan(scenario, found.book, found.origins))
    said = "\n".join(files.values()).replace("cascade-plan", "")
    assert "cascade" not in said.lower()
    metrics = {*re.findall(r"\b(\w+)_(?:query|request)_duration_seconds", said)}
    assert metrics == {prefix}


# ------------------------------------------------------------------------------------------------------------- buckets


def test_every_limit_of_a_scenario_is_a_bucket() -> None:
    scenario = make_scenario(
        **{"gates": {"latency_ms_p99.normal": ["< 450", "< 470"]}, "autoscaling.target_latency_s_p95": 0.0357}
    )
    assert scenario.latency_limits_ms == (35.7, 200.0, 450.0, 470.0)
    assert bounds_s(scenario.latency_limits_ms) == tuple(sorted({*PLAN_BOUNDS_S, 0.0357, 0.2, 0.45, 0.47}))


@given(st.lists(st.floats(0, 1e12)))
def test_bounds_rise_and_keep_the_plans(limits: list[float]) -> None:
    found = bounds_s(limits)
    assert list(found) == sorted(set(found))
    assert {*PLAN_BOUNDS_S} <= {*found}
    assert all(bound > 0 for bound in found)
    assert BESIDE_BOUNDS == 3


@given(st.floats(1e-9, 1e9))
def test_a_bound_is_written_as_the_client_writes_it(bound_s: float) -> None:
    assert bound_text(bound_s) == floatToGoString(bound_s)


# -------------------------------------------------------------------------------------------------------------- promql


def test_quoting() -> None:
    assert literal('a"\\\n\u2028é') == '"a\\"\\\\\\u000a\\u2028é"'
    assert select("up", job='"}') == 'up{job="\\"}"}'
    assert annotation("{{ .Labels }}") == '{{ "{{" }} .Labels }}'
    assert exactly("a.b|c") == r"a\.b\|c"
    assert (number(1e-7), number(1e20), number(10)) == ("0.0000001", "100000000000000000000", "10")
    assert ratio("a", "b") == "(a or 0 * b) / (b > 0)"


# --------------------------------------------------------------------------------------------------------------- goals


def test_the_budget_that_burns_is_that_of_the_largest_load() -> None:
    assert {(goal.percent, goal.limit_label) for goal in objectives(cascade())} == {(95, "300"), (99, "500")}
    rates = {goal.figure: goal.requests_per_s for goal in latency_goals(cascade())}
    # 1,000, 10,000 and 5,000 users who think 2 s.
    assert rates == {
        "latency_ms_p95.normal": 500,
        "latency_ms_p95.peak": 5000,
        "latency_ms_p99.peak": 5000,
        "latency_ms_p95.burst": 2500,
    }


def test_budgets_burn_as_the_workbook_says() -> None:
    """Table 5-8 of the Site Reliability Workbook, against 5 % over 300 ms and 1 % over 500 ms."""
    found = [
        (rule["labels"]["severity"], re.findall(r'ratio_rate(\w+)\{[^}]*limit_ms="(\d+)"\} > ([0-9.]+)', rule["expr"]))
        for rule in rules(cascade())
        if rule["alert"] == "LatencyBudgetBurning"
    ]
    assert found == [
        ("page", [("1h", "300", "0.72"), ("5m", "300", "0.72")]),
        ("page", [("6h", "300", "0.3"), ("30m", "300", "0.3")]),
        ("ticket", [("1d", "300", "0.15"), ("2h", "300", "0.15")]),
        ("ticket", [("3d", "300", "0.05"), ("6h", "300", "0.05")]),
        ("page", [("1h", "500", "0.144"), ("5m", "500", "0.144")]),
        ("page", [("6h", "500", "0.06"), ("30m", "500", "0.06")]),
        ("ticket", [("1d", "500", "0.03"), ("2h", "500", "0.03")]),
        ("ticket", [("3d", "500", "0.01"), ("6h", "500", "0.01")]),
    ]


def test_every_success_metric_is_watched_or_said_not_to_be() -> None:
    made = planned("cascade", ("--set", "gates", '{"api.node_count.base": ["< 5"], "cache.hit_ratio": ["> 0.9"]}'))
    assert unmeasured(made, groups(made)) == ("api.node_count.base",)
    assert "measured by nothing here: api.node_count.base" in texts(made)["alerting_rules.yml"]
    for name in bundled_with("monitoring"):
        watched = rules(planned(name))
        figures = {rule["labels"]["figure"] for rule in watched if "figure" in rule["labels"]}
        assert figures == {verdict.figure for verdict in planned(name).verdicts}
    assert unmeasured(cascade(), groups(cascade())) == ()


def rules(made: Plan) -> list[Document]:
    return alerts_of(texts(made))


def alerts_of(files: dict[str, str]) -> list[Document]:
    groups = yaml.safe_load(files["alerting_rules.yml"])["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_alert_says_what_to_do() -> None:
    for rule in rules(cascade()):
        assert rule["labels"]["severity"] in (("none",) if rule["alert"] == "Watchdog" else ("page", "ticket"))
        assert rule["labels"]["subject"]
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        assert all(len(text) > 20 for text in rule["annotations"].values())


def test_thresholds_are_the_plans_figures() -> None:
    large = planned("cascade", ("--peak", "users.peak", "50000"), ("--avg", "users.average", "12000"))
    found = {rule["alert"]: rule["expr"] for rule in rules(large)}
    assert found["DatabaseConnectionsOverGoal"].endswith(">= 500")
    assert found["SeriesOverBudget"].endswith(f"> {large.figure('monitoring.series_count')}")
    nodes = large.figure("api.node_count.max") + large.figure("websocket.node_count")
    assert found["NodesOverCostCeiling"].endswith(f"> {nodes + large.figure('monitoring.node_count')}")
    assert "ReplicaLags" in found
    alone = planned("cascade", ("--set", "tiers.database.replicas", "0"))
    assert "ReplicaLags" not in {rule["alert"] for rule in rules(alone)}


def test_an_autoscaler_that_cannot_move_is_not_told_of() -> None:
    fixed = planned("cascade", ("--set", "tiers.api.replicas", "{min: 20, max: 20}"))
    assert "AutoscalerAtCeiling" not in {rule["alert"] for rule in rules(fixed)}
    assert "AutoscalerAtCeiling" in {rule["alert"] for rule in rules(cascade())}


# --------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("name", bundled_with("monitoring"))
def test_every_object_is_valid_and_carries_the_files(name: str) -> None:
    made = texts(planned(name))
    files = ("configmaps.yaml", "grafana-configmap.yaml", "prometheus-adapter.yaml")
    maps = [item for path in files for item in yaml.safe_load_all(made[path])]
    for item in maps:
        kubernetes_validate.validate(item, KUBERNETES, strict=True)
        assert len(json.dumps(item)) < 2**20
    assert len({item["metadata"]["name"] for item in maps}) == len(maps)
    carried = {key: text for item in maps for key, text in item["data"].items()}
    assert carried.pop("dashboard.json") == made["grafana-dashboard.json"]
    assert yaml.safe_load(carried.pop("config.yaml"))["rules"]
    assert carried == {key: text for key, text in made.items() if key.endswith(".yml")}


def test_two_servers_of_the_same_series_are_told_apart_and_their_alerts_are_not() -> None:
    made = yaml.safe_load(texts(planned("cascade", ("--set", "tiers.monitoring.nodes", "2")))["prometheus.yml"])
    assert made["global"]["external_labels"]["prometheus_replica"] == "${HOSTNAME}"
    assert made["alerting"]["alert_relabel_configs"] == [{"action": "labeldrop", "regex": "prometheus_replica"}]
    single = yaml.safe_load(texts(cascade())["prometheus.yml"])
    assert "alert_relabel_configs" not in single["alerting"]


def test_every_series_has_one_shard() -> None:
    shards = int(sharded().figure("monitoring.shard_count"))
    made = {path: yaml.safe_load(text) for path, text in texts(sharded()).items() if path.startswith("prometheus-")}
    assert shards > 1
    kept = []
    for shard in range(shards):
        (api, *_) = made[f"prometheus-{shard}.yml"]["scrape_configs"]
        (modulus,) = [rule for rule in api["relabel_configs"] if rule.get("action") == "hashmod"]
        assert modulus["modulus"] == shards
        kept += [rule["regex"] for rule in api["relabel_configs"] if rule["source_labels"] == ["__tmp_shard"]]
        assert made[f"prometheus-{shard}.yml"]["rule_files"] == ["pod_rules.yml"]
    assert kept == [str(shard) for shard in range(shards)]
    assert len(made["prometheus-global.yml"]["remote_read"]) == shards


def test_more_shards_than_anybody_runs_are_refused() -> None:
    made = planned("cascade", ("--set", "tiers.monitoring.series_per_node", "1"))
    with pytest.raises(InfeasibleError, match=r"Prometheus servers, and files for at most 200 are written"):
        texts(made)


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_cardinality_adds_up(make: Callable[[], Plan]) -> None:
    made = make()
    text = texts(made)["cardinality.md"]
    rows = [row.rsplit("|", 2)[1] for row in text.splitlines() if row.startswith("| ")][1:]
    *parts, total = (int(cell.replace(",", "")) for cell in rows)
    assert sum(parts) == total == made.figure("monitoring.series_count")
    assert all(parts)
    assert ("query types" in text) == bool(made.scenario.of("database") and made.scenario.of("api"))


# ------------------------------------------------------------------------------------------------- tiers off, several

WORDS = {
    "websocket": ("websocket", "socket"),
    "cache": ("redis", "valkey", "cache"),
    "database": (
        "database",
        "postgres",
        "pg_",
        "query p95",
        "query time",
        "queries",
        "query_",
        "replica lag",
        "read replica",
    ),
    "pool": ("pgbouncer", "pool"),
    "api": ("request_duration", "autoscaler's bounds", "cascade-api", "horizontalpodautoscaler=", "latencygoal"),
    "cluster": ("kube_", "kubernetes", "kubectl", "pods' labels", "rbac", "hpa"),
}
"""Tier -> what no file says where it is off."""


@pytest.mark.parametrize("off", [*OFF, ("websocket", "cache", "pool")], ids=" ".join)
@pytest.mark.parametrize("tenants", [True, False], ids=["with tenants", "without tenants"])
def test_a_tier_that_is_off_leaves_no_word(off: tuple[str, ...], tenants: bool) -> None:
    found = [
        (tier, word, path, line)
        for path, text in texts(without(*off, tenants=tenants)).items()
        for line in text.lower().splitlines()
        for tier in off
        for word in WORDS.get(tier, ())
        if word in line
    ]
    assert found == []


def test_what_is_on_has_its_words() -> None:
    made = "\n".join(texts(cascade()).values()).lower()
    assert [word for words in WORDS.values() for word in words if word not in made] == ["valkey"]


def test_a_gate_on_a_tier_that_is_off_is_left_to_the_plan() -> None:
    made = without("websocket", "cache")
    reasons = {verdict.figure: verdict.status for verdict in made.verdicts}
    assert reasons["websocket.connection_count_per_node"] == reasons["cache.hit_ratio"] == "unjudged"
    assert unmeasured(made, groups(made)) == ()


def test_without_monitoring_nothing_is_watched() -> None:
    assert planned("cascade", ("--set", "tiers.monitoring", "off")).watches == ()


def test_every_service_has_alerts_panels_and_a_scrape_job() -> None:
    made = planned(
        "cascade",
        ("--set", "tiers.search", "{kind: api}"),
        ("--set", "behaviour.actions.list_workrooms.at", "search"),
    )
    files = texts(made)
    jobs_ = [job["job_name"] for job in yaml.safe_load(files["prometheus.yml"])["scrape_configs"]]
    assert jobs_[:3] == ["cascade-api", "cascade-search", "cascade-websocket"]
    titles = [panel["title"] for panel in dashboard(made)["panels"]]
    for service, named in (("api", "API"), ("search", "Search")):
        mine = {rule["alert"] for rule in rules(made) if f'"cascade-{service}"' in rule["expr"]}
        assert mine == {"AutoscalerAtCeiling", "AutoscalerWithoutMetric", "TargetsMissing", "WorkloadDown"}
        assert f"{named} replicas between the autoscaler's bounds" in titles
        assert f"{named}: query p95 of each pod" in titles
        assert f"{named}: response time" in titles
    # One rule for the autoscalers of both: two rules of the adapter of one name would hide each other.
    (adapted,) = yaml.safe_load_all(files["prometheus-adapter.yaml"])
    names = [rule["name"]["as"] for rule in yaml.safe_load(adapted["data"]["config.yaml"])["rules"]]
    assert names == ["cascade_query_duration_seconds_p95", "cascade_requests_per_second"]
    # Alerts of one name are told apart, also by Alertmanager, which silences tickets by the subject of a page.
    subjects = [rule["labels"]["subject"] for rule in rules(made) if rule["alert"] == "AutoscalerAtCeiling"]
    assert subjects == ["autoscaler", "search-autoscaler"]


def test_every_instance_has_its_exporter() -> None:
    made = yaml.safe_load(texts(several())["prometheus.yml"])["scrape_configs"]
    kept = {
        job["job_name"]: job["relabel_configs"][1]["regex"] for job in made if len(job.get("relabel_configs", [])) > 6
    }
    assert kept == {
        "cascade-websocket": "websocket",
        "cascade-postgres": "postgres-exporter",
        "cascade-reports-postgres": "reports-postgres-exporter",
        # In the pods of the pool itself.
        "cascade-pgbouncer": "pgbouncer",
        "cascade-reports-pool-pgbouncer": "reports-pool-pgbouncer",
        # One server, no cluster: its exporter is asked.
        "cascade-sessions-redis": "sessions-redis-exporter",
    }
    asked = {job["job_name"]: job["http_sd_configs"][0]["url"] for job in made if "http_sd_configs" in job}
    assert asked == {
        "cascade-redis": "http://redis-exporter.cascade.svc:9121/discover-cluster-nodes",
    }


def test_pods_are_found_by_the_labels_they_are_given() -> None:
    made = planned("cascade", ("--set", "tiers.websocket", "off"), ("--set", "tiers.live", "{kind: websocket}"))
    given = registry.load("emitters", "kubernetes", "artefacts").objects(made)["live"]["spec"]["template"]["metadata"]
    (job,) = (
        job
        for job in yaml.safe_load(texts(made)["prometheus.yml"])["scrape_configs"]
        if job["job_name"] == "cascade-live"
    )
    wanted = {
        rule["source_labels"][0]: rule["regex"]
        for rule in job["relabel_configs"]
        if "_label_" in rule["source_labels"][0]
    }
    labels = {
        f"__meta_kubernetes_pod_label_{re.sub('[^a-z]', '_', name)}": value for name, value in given["labels"].items()
    }
    assert wanted.items() <= labels.items()
    assert len(wanted) == 2


def test_a_service_called_like_an_exporter_has_a_job_of_its_own() -> None:
    made = planned("cascade", ("--set", "tiers.redis", "{kind: api}"))
    names = [job["job_name"] for job in yaml.safe_load(texts(made)["prometheus.yml"])["scrape_configs"]]
    assert len(names) == len({*names})
    assert {"cascade-redis", "cascade-redis-exporter"} <= {*names}


def test_gates_of_every_instance_are_measured() -> None:
    gated = {
        rule["labels"]["figure"]: rule["labels"]["limit"] for rule in rules(several()) if "figure" in rule["labels"]
    }
    assert {figure: limit for figure, limit in gated.items() if not figure.startswith(("latency", "cost"))} == {
        "cache.hit_ratio": "> 0.9",
        "sessions.hit_ratio": "> 0.5",
        "worker.age_s_p99": "< 30",
        "mailer.age_s_p99": "< 60",
        "reports_pool.connection_count_per_10000_users": "< 100",
    }
    assert unmeasured(several(), groups(several())) == ()


def test_a_kind_that_nobody_knows_brings_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tier says of itself is all that the emitters need of it."""
    made = cascade()
    told = Watch(
        "archive",
        "archive.age_days",
        exporter="tape",
        sign="tape robots",
        recorded=(Recorded("pod:tape:sum", 'tape{namespace="cascade"}', is_of_pods=True, served_as="tape_load"),),
        alarms=(
            Alarm("TapeTorn", 'tape{namespace="cascade"} > 1', 60, "page", "a tape is torn", "{value}", "Glue it."),
        ),
        charts=(Chart("Age of tapes", "s", (Line("tape", "age"),), "<", 5, is_number=True),),
    )
    own = Plan.watches_of
    monkeypatch.setattr(Plan, "watches_of", lambda plan, tier: (told,) if tier == "archive" else own(plan, tier))
    archive = replace(made.fleet.tiers["pool"], name="archive", kind="archive")
    files = texts(replace(made, fleet=replace(made.fleet, tiers={**made.fleet.tiers, "archive": archive})))
    assert "pod:tape:sum" in files["pod_rules.yml"]
    assert "TapeTorn" in files["alerting_rules.yml"]
    assert "replica lag, pool, tape robots. Compare" in files["alerting_rules.yml"]
    assert "job_name: cascade-tape" in files["prometheus.yml"]
    assert "Age of tapes" in files["grafana-dashboard.json"]
    assert "as: tape_load" in files["prometheus-adapter.yaml"]


def test_the_alarms_that_a_file_deploys_are_those_of_the_tiers() -> None:
    (alerting,) = (each for each in prometheus.render(several()) if each.path == "alerting_rules.yml")
    named = {alarm.name for watch in several().watches for alarm in watch.alarms}
    assert {*alerting.deploys} == named
    assert {"WorkersAtCeiling", "JobsLeftUndone", "ReplicaLags"} <= named
    assert all(f"alert: {name}" in alerting.text for name in named)


def test_without_a_cluster_addresses_stand_in_files() -> None:
    files = texts(without("cluster"))
    assert not {"configmaps.yaml", "prometheus-adapter.yaml", "grafana-configmap.yaml"} & files.keys()
    *made, itself = yaml.safe_load(files["prometheus.yml"])["scrape_configs"]
    assert itself["job_name"] == "prometheus"
    assert [job["file_sd_configs"] for job in made] == [[{"files": [f"targets/{job['job_name']}.yml"]}] for job in made]
    assert unmeasured(without("cluster"), groups(without("cluster"))) == ("cost_usd_per_1000_users_month",)


# --------------------------------------------------------------------------------------------------------------- stack


def values_of(made: Plan) -> dict[str, Document]:
    """Return file -> values of every chart."""
    return {path: yaml.safe_load(text) for path, text in texts(made).items() if path.endswith("-values.yaml")}


def named(value: object, key: str) -> Iterator[Any]:
    """Yield what stands under a key anywhere in a document."""
    if isinstance(value, dict):
        yield from (found for name, found in value.items() if name == key)
        yield from (found for each in value.values() for found in named(each, key))
    elif isinstance(value, list):
        yield from (found for each in value for found in named(each, key))


SECRET_KEYS = ("secretKeyRef", "userSecret", "passwordSecret")


@pytest.mark.parametrize("make", [cascade, several, sharded, jobs], ids=["cascade", "several", "sharded", "jobs"])
def test_what_the_charts_refer_to_is_emitted_or_made_by_a_step(make: Callable[[], Plan]) -> None:
    made, values = make(), values_of(make())
    objects = [
        item for path, text in texts(made).items() if path.endswith(".yaml") for item in yaml.safe_load_all(text)
    ]
    emitted_ = {(item["kind"], item["metadata"]["name"]) for item in objects if "kind" in item}
    servers = {path.removesuffix("-values.yaml"): each["server"] for path, each in values.items() if "server" in each}
    used = {("ConfigMap", f"{release}-{each['configMapOverrideName']}") for release, each in servers.items()}
    used |= {("ConfigMap", volume["name"]) for volume in named([*values.values()], "configMap")}
    used |= {("ConfigMap", name) for name in named([*values.values()], "existing")}
    used |= {("StorageClass", name) for name in named([*values.values()], "storageClass")}
    assert used <= emitted_
    assert {kind for kind, _ in used} == {"ConfigMap", "StorageClass"}
    known = {(secret.kubernetes_name, key) for secret in secrets(made) for key in secret.keys}
    asked = {(ref["name"], ref["key"]) for each in SECRET_KEYS for ref in named([*values.values()], each)}
    assert asked <= known
    assert {key for _, key in asked} >= {"monitoring_username", "monitoring_password"}
    steps = [step for emitter in (prometheus, grafana) for file in emitter.render(made) for step in file.steps]
    commands = "\n".join(step.command for step in steps)
    for name in (*named([*values.values()], "secretName"), *named([*values.values()], "existingSecret")):
        assert re.search(rf"create secret generic '{name}'", commands)
    assert {step.stage for step in steps} == {"monitoring"}
    for path in values:
        assert f"--values monitoring/{path} " in commands
    given_ = {each.name for file in prometheus.render(made) for each in file.gives}
    assert given_ == {"PAGER_URL", "TICKETS_URL", "WATCHDOG_URL"} == {*re.findall(r"\{(\w+_URL):\?\}", commands)}
    assert subprocess.run(["sh", "-n"], input=commands, text=True).returncode == 0


def test_the_charts_run_where_the_namespace_admits_only_restricted_pods() -> None:
    values = values_of(cascade())
    server, redis = values["prometheus-values.yaml"], values["redis-exporter-values.yaml"]
    confined = (
        server["server"]["containerSecurityContext"],
        server["configmapReload"]["prometheus"]["containerSecurityContext"],
        server["alertmanager"]["securityContext"],
        redis["securityContext"],
    )
    for each in confined:
        assert each["runAsNonRoot"]
        assert each["allowPrivilegeEscalation"] is False
        assert each["capabilities"] == {"drop": ["ALL"]}
        assert each["seccompProfile"] == {"type": "RuntimeDefault"}
    # What sees into a node is let in nowhere else, and is looked for where it is.
    assert server["prometheus-node-exporter"]["namespaceOverride"] == "kube-system"
    jobs = {job["job_name"]: job for job in yaml.safe_load(texts(cascade())["prometheus.yml"])["scrape_configs"]}
    (found_by,) = jobs["node-exporter"]["kubernetes_sd_configs"]
    assert found_by["namespaces"] == {"names": ["kube-system"]}


def test_the_adapter_chart_registers_the_api_that_autoscalers_ask() -> None:
    rules = values_of(cascade())["prometheus-adapter-values.yaml"]["rules"]
    assert rules == {"default": True, "existing": "cascade-prometheus-adapter"}


def test_an_operator_is_told_the_same_by_its_own_objects() -> None:
    made, plain = texts(by_operator()), texts(cascade())
    assert not {"configmaps.yaml", "prometheus.yml", "prometheus-values.yaml", "grafana-values.yaml"} & made.keys()
    found = [*yaml.safe_load_all(made["prometheus-operator.yaml"])]
    rules = [group for item in found if item["kind"] == "PrometheusRule" for group in item["spec"]["groups"]]
    files = ("pod_rules.yml", "recording_rules.yml", "alerting_rules.yml")
    assert rules == [group for path in files for group in yaml.safe_load(made[path])["groups"]]
    told = {rule["alert"] for group in rules for rule in group["rules"] if "alert" in rule}
    assert told == {rule["alert"] for rule in alerts_of(plain)}
    wanted = {item["metadata"]["name"]: item["spec"] for item in found if item["kind"] != "PrometheusRule"}
    jobs_ = {job["job_name"]: job for job in yaml.safe_load(plain["prometheus.yml"])["scrape_configs"]}
    assert {*wanted} == {name for name in jobs_ if name.startswith("cascade-")}
    for name, spec in wanted.items():
        endpoint = spec["podMetricsEndpoints"][0] if "podMetricsEndpoints" in spec else spec
        assert endpoint["relabelings"][-1] == {"targetLabel": "job", "replacement": name}
        chosen = (
            [rule["regex"] for rule in jobs_[name]["relabel_configs"] if "_label_" in str(rule["source_labels"])]
            if ("selector" in spec)
            else []
        )
        assert [*spec.get("selector", {}).get("matchLabels", {}).values()] == chosen
        assert len(endpoint["relabelings"]) + len(chosen) == len(jobs_[name]["relabel_configs"]) + 1
    assert wanted["cascade-redis"]["httpSDConfigs"][0]["url"].endswith("/discover-cluster-nodes")
    assert any(step.command.count("PROMETHEUS_URL") for file in prometheus.render(by_operator()) for step in file.steps)


def mebibytes(text: str) -> int:
    assert text.endswith("Mi")
    return int(text[:-2])


@pytest.mark.parametrize("name", bundled_with("monitoring"))
def test_what_chooses_the_nodes_of_monitoring_fits_them(name: str) -> None:
    made, values = planned(name), values_of(planned(name))
    if settings_of(made).managed:
        assert not values
        return
    (group,) = (group for group in made.groups if group.tier == "monitoring")
    planned_mib = made.figure("monitoring.memory_gib_per_node") * 1024
    allocatable = float(planned_mib) / (1 - group.unrequested_share)
    replicas = int(made.figures.get("database.replica_count", made.figure("api.replica_count.max")).value)
    chosen = [each for document in values.values() for each in (document, *document.values()) if "nodeSelector" in each]
    asked = [mebibytes(each["resources"]["requests"]["memory"]) for each in chosen if "resources" in each]
    sidecars = 3 * 64
    assert sum(asked) + sidecars + 64 * min(replicas, 3) <= allocatable
    server = values["prometheus-values.yaml"]["server"]
    assert mebibytes(server["resources"]["limits"]["memory"]) >= planned_mib
    assert server["persistentVolume"]["size"] == f"{group.claimed_gib}Gi"
    assert group.root_gib + group.claimed_gib == group.disk_gib
    assert group.claimed_gib >= made.figure("monitoring.disk_gib_per_node")


# ----------------------------------------------------------------------------------------------------------- dashboard


def dashboard(made: Plan) -> Document:
    document = json.loads(texts(made)["grafana-dashboard.json"])
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("name", bundled_with("monitoring"))
def test_every_success_metric_has_a_panel_with_its_target(name: str) -> None:
    made = planned(name)
    stats = {panel["title"]: panel for panel in dashboard(made)["panels"] if panel["type"] == "stat"}
    for verdict in made.verdicts:
        gate = f"{verdict.figure} {verdict.operator} {number(verdict.limit)}"
        is_cost = verdict.figure == "cost_usd_per_1000_users_month"
        (panel,) = (
            panel for title, panel in stats.items() if title == gate or (is_cost and gate in panel["description"])
        )
        # What counts nodes is called so, and in nodes.
        assert panel["title"].startswith("Nodes that run, of ") == is_cost
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert {step["color"] for step in steps} == {"green", "red"}
        if verdict.figure.startswith("latency_ms_"):
            assert steps[1]["value"] == float(verdict.limit) / 1000
            assert [step["color"] for step in steps] == ["green", "red"]
    assert len(stats) == len(made.verdicts)


def test_the_targets_of_the_plan_are_on_the_dashboard() -> None:
    panels = dashboard(cascade())["panels"]
    found = {panel["title"]: panel for panel in panels if panel["type"] == "stat"}
    steps = {
        title: [(step["color"], step["value"]) for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for title, panel in found.items()
    }
    assert steps["latency_ms_p95.normal < 200"] == [("green", None), ("red", 0.2)]
    assert steps["cache.hit_ratio > 0.9"] == [("red", None), ("green", 0.9)]
    assert steps["pool.connection_count_per_10000_users < 100"] == [("green", None), ("red", 100)]
    assert steps["websocket.connection_count_per_node >= 50000"] == [("green", None), ("red", 50_000)]
    assert steps["Nodes that run, of 9 planned at most"] == [("green", None), ("red", 10)]
    (cost,) = (panel for panel in panels if panel["type"] == "text")
    per_1000 = cascade().figure("cost_usd_per_1000_users_month")
    assert f"**${per_1000:,.2f}** per 1000 peak users; budget $500.00 a month." in cost["options"]["content"]


def test_the_dashboard_has_ids_of_its_own_and_no_panel_covers_another() -> None:
    made = dashboard(cascade())
    assert made == dashboard(planned())
    assert made["uid"] != dashboard(planned("startup-1k"))["uid"]
    assert len(made["uid"]) <= 40
    assert [panel["id"] for panel in made["panels"]] == list(range(1, len(made["panels"]) + 1))
    cells = [
        (x, y)
        for at in (panel["gridPos"] for panel in made["panels"])
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    (variable,) = made["templating"]["list"]
    assert variable["type"] == "datasource"
    uids = {panel["datasource"]["uid"] for panel in made["panels"] if "targets" in panel}
    assert uids == {"${datasource}"}
