"""Plans whose monitoring the tests emit, and its files as programs without a cluster can read them."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from servers import program

from cascade_plan import registry
from cascade_plan.inputs.scenarios import Assignment, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

Document = dict[str, Any]
SEVERAL_GATES = (
    '{cache.hit_ratio: ["> 0.9"], sessions.hit_ratio: ["> 0.5"], "worker.age_s_p99": ["< 30"], '
    '"reports_pool.connection_count_per_10000_users": ["< 100"], latency_ms_p95.normal: ["< 200"]}'
)


def imported(path: Path) -> ModuleType:
    """Return the emitted metrics module of a file."""
    spec = spec_from_file_location("emitted_metrics", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def planned(name: str = "cascade", *changes: Assignment) -> Plan:
    """Return the plan of a bundled scenario, with values set."""
    found = read(name, changes)
    return plan(found.scenario, found.book, found.origins)


@cache
def cascade() -> Plan:
    """Return the plan of the scenario cascade."""
    return planned()


@cache
def without_tenants() -> Plan:
    """Return that plan without the label tenant_id."""
    return planned("cascade", ("--set", "tiers.monitoring.label_by_tenant", "false"))


@cache
def sharded() -> Plan:
    """Return that plan with its series on three servers."""
    return planned("cascade", ("--set", "tiers.monitoring.series_per_node", "200000"))


@cache
def by_operator() -> Plan:
    """Return that plan for a cluster with a Prometheus Operator."""
    return planned("cascade", ("--set", "tiers.monitoring.operator", "true"))


@cache
def several() -> Plan:
    """Return that plan with two of each kind that there may be several of, and workers with a queue."""
    return planned(
        "cascade",
        ("--set", "tiers.search", "{kind: api, minimum_nodes: 2}"),
        ("--set", "tiers.reports", "{kind: database}"),
        ("--set", "tiers.reports_pool", "{kind: pool, database: reports}"),
        ("--set", "tiers.sessions", "{kind: cache}"),
        ("--set", "tiers.queue", "{}"),
        ("--set", "tiers.mails", "{kind: queue}"),
        ("--set", "tiers.worker", "{read_count: 1}"),
        ("--set", "tiers.mailer", "{kind: worker, queue: mails}"),
        ("--set", "behaviour.actions.list_workrooms.at", "search"),
        ("--set", "behaviour.actions.upload_resource.reads", "{database: 1, reports: 1}"),
        ("--set", "behaviour.actions.list_workrooms.cache", "sessions"),
        ("--set", "behaviour.actions.create_message.jobs", "{worker: 1, mailer: 1}"),
        ("--set", "gates", SEVERAL_GATES),
        ("--set", "tiers.monitoring.label_by_tenant", "false"),
    )


@cache
def jobs() -> Plan:
    """Return the plan of a scenario with workers and a queue."""
    return planned("api-batch")


def texts(made: Plan) -> dict[str, str]:
    """Return path -> text of everything that is emitted of a plan's monitoring."""
    emitters = (registry.load("emitters", name, "artefacts") for name in ("prometheus", "grafana"))
    return {artefact.path: artefact.text for emitter in emitters for artefact in emitter.render(made)}


def emitted(made: Plan, directory: Path) -> dict[str, Path]:
    """Return path -> file of everything emitted, written into a directory."""
    paths = {}
    for path, text in texts(made).items():
        paths[path] = directory / path
        paths[path].write_text(text, encoding="utf-8")
    return paths


def ran(*command: str | Path) -> str:
    """Return what a program prints. Raises AssertionError with its output when it fails."""
    done = subprocess.run([program(str(command[0])), *map(str, command[1:])], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def undiscovered(document: Document, targets: dict[str, list[Document]] | None = None) -> Document:
    """Return a configuration with each job's pods given instead of discovered, and relabelled all the same.

    Debian builds Prometheus without Kubernetes discovery: its promtool does not know the key. What stands there is
    checked by hand: it has two fields.
    """
    for job in document["scrape_configs"]:
        # The account of a pod, whose files are not here.
        job.pop("tls_config", None)
        job.pop("authorization", None)
        # What the exporter of a cluster would answer: there is none here.
        job.pop("http_sd_configs", None)
        for discovery in job.pop("kubernetes_sd_configs", []):
            assert discovery["role"] in ("pod", "node")
            assert set(discovery) <= {"role", "namespaces"}
            assert all(names and isinstance(names, list) for names in discovery.get("namespaces", {}).values())
            job["static_configs"] = (targets or {}).get(job["job_name"], [])
    return document
