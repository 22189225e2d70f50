"""Helm charts: how each is installed, and of monitoring which there are, in which version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from cascade_plan.emitters._nodes import LABEL, TAINT_EFFECT, is_tainted
from cascade_plan.languages import shell
from cascade_plan.model.artefact import Step
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.monitoring.settings import PROGRAMS_MIB, Settings

COMMUNITY: Final = "https://prometheus-community.github.io/helm-charts"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of a repository."""

    name: str
    version: str
    repository: str = COMMUNITY


PROMETHEUS: Final = Chart("prometheus", "29.27.2")
ADAPTER: Final = Chart("prometheus-adapter", "5.3.0")
OF_POSTGRES: Final = Chart("prometheus-postgres-exporter", "8.2.0")
OF_REDIS: Final = Chart("prometheus-redis-exporter", "6.30.1")
GRAFANA: Final = Chart("grafana", "11.1.0", "https://grafana-community.github.io/helm-charts")
"""As charts/*/Chart.yaml of https://github.com/prometheus-community/helm-charts (PostgreSQL's exporter: its release of
14 July 2026) and https://github.com/grafana-community/helm-charts have them; the keys of the values that are emitted
are those of charts/*/values.yaml there."""

PROMETHEUS_PORT: Final = 9090
SERVICE: Final = "prometheus"
"""What Prometheus's Service is called, in the namespace of what it watches."""
SMALL: Final = {
    "alertmanager": (0.05, 64),
    "kube-state-metrics": (0.05, 128),
    "prometheus-adapter": (0.05, 128),
    "exporter": (0.02, 64),
    "grafana": (0.1, 256),
    "sidecar": (0.01, 64),
}
"""Cores and MiB that each asks for; memory is its limit too (assumption: twice what each takes of a small cluster)."""
RESTRICTED: Final = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What the application's namespace asks of each container, for charts that do not say it themselves.
Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/, Restricted."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Prometheus' servers: how many, what each takes, and whose nodes they stand on."""

    count: int
    memory_gib: float
    volume_gib: int
    tier: str
    is_shared: bool
    """Whether these are the nodes of a service, and not their own."""


def servers(plan: Plan, tier: Instance[Settings]) -> Servers:
    """Return the servers of a Prometheus that the cloud does not run."""
    host, sized = tier.settings.nodes_of, tier.sized
    what = "pod" if host else "node"
    return Servers(
        sized.count(f"{what}_count"),
        sized.value(f"memory_gib_per_{what}"),
        max(1, ceil(sized.value(f"disk_gib_per_{what}"))),
        host or tier.name,
        bool(host),
    )


def resources(cpu_cores: float, memory_mib: int) -> dict[str, Any]:
    """Return what a container asks for: memory is limited to it, CPU is not."""
    memory = f"{memory_mib}Mi"
    return {"requests": {"cpu": f"{round(cpu_cores * 1000)}m", "memory": memory}, "limits": {"memory": memory}}


def small(what: str) -> dict[str, Any]:
    """Return what a small program of monitoring asks for."""
    return resources(*SMALL[what])


def placement(plan: Plan, is_server: bool = False) -> dict[str, Any]:
    """Return how a program gets onto the nodes monitoring stands on; without those, or room there, it runs anywhere.

    Prometheus is what they were sized for; all others go there where it leaves enough for all of them together.
    """
    tier = next(iter(plan.of(Settings)), None)
    if tier is None or tier.settings.managed:
        return {}
    found_on = servers(plan, tier)
    group = next((group for group in plan.groups if group.tier == found_on.tier and group.is_nodes), None)
    if group is None:
        return {}
    asked_mib, left_share = found_on.memory_gib * 1024, group.unrequested_share
    # What is left is asked_mib x left_share / (1 - left_share); Prometheus may ask for nothing. On the nodes of a
    # service there is room kept for all.
    if not is_server and not found_on.is_shared and asked_mib * left_share < PROGRAMS_MIB * (1 - left_share):
        return {}
    found: dict[str, Any] = {"nodeSelector": {LABEL: group.tier}}
    if is_tainted(plan, group):
        found["tolerations"] = [{"key": LABEL, "operator": "Equal", "value": group.tier, "effect": TAINT_EFFECT}]
    return found


def install(plan: Plan, chart: Chart, release: str, values: str, words: str, told: Sequence[str] = ()) -> Step:
    """Return the step that installs a chart of monitoring with a file of values, or brings it up to date."""
    return Step("monitoring", words, upgrade(chart, release, plan.application, values, told))


def upgrade(chart: Chart, release: str, namespace: str, values: str, told: Sequence[str] = ()) -> str:
    """Return the command that installs a chart, or brings it up to date; `told` are further arguments."""
    parts = [
        f"helm upgrade --install {release} {chart.name} --repo {chart.repository}",
        f"--version {chart.version} --namespace {shell.literal(namespace)} --create-namespace",
        f"--values {values}",
        *told,
        "--wait",
    ]
    return " \\\n  ".join(parts)
