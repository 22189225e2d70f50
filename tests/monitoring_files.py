"""Plans whose monitoring the tests emit, and its files as programs without a cluster can read them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from servers import program

from cascade_plan.emitters.prometheus import artefacts as monitoring
from cascade_plan.inputs.scenarios import Assignment, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

Document = dict[str, Any]


def planned(name: str = "cascade", *changes: Assignment) -> Plan:
    """Return the plan of a bundled scenario, with values set."""
    found = read(name, changes)
    return plan(found.scenario, found.catalogue, found.book, found.origins)


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


def emitted(made: Plan, directory: Path) -> dict[str, Path]:
    """Return path -> file of everything emitted, written into a directory."""
    paths = {}
    for artefact in monitoring.render(made):
        paths[artefact.path] = directory / artefact.path
        paths[artefact.path].write_text(artefact.text, encoding="utf-8")
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
        for discovery in job.pop("kubernetes_sd_configs", []):
            assert discovery["role"] == "pod"
            assert set(discovery) <= {"role", "namespaces"}
            assert all(names and isinstance(names, list) for names in discovery.get("namespaces", {}).values())
            job["static_configs"] = (targets or {}).get(job["job_name"], [])
    return document
