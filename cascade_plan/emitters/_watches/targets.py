"""What Prometheus must find to see anything at all: pods of every workload."""

from __future__ import annotations

from cascade_plan.languages.promql import select
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan
from cascade_plan.model.watch import Alarm, Watch
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings


def targets(plan: Plan) -> Watch:
    """Return an alarm for each workload of which nothing is found: no alarm on it could fire."""
    return Watch("targets", alarms=tuple(_missing(plan, workload) for workload in plan.fleet.workloads))


def addresses(job: str) -> str:
    """Return the file in which a job's addresses stand where no cluster knows them."""
    return f"targets/{job}.yml"


def _missing(plan: Plan, workload: Workload) -> Alarm:
    name = workload.name.removeprefix(f"{plan.application}-")
    what, how = "pod", "the pods' labels with prometheus.yml, and ask whether Prometheus may list pods (RBAC)"
    if not plan.of(ClusterSettings):
        what, how = "address", f"{addresses(workload.name)} with what runs"
    return Alarm(
        "TargetsMissing",
        f"absent({select('up', namespace=plan.application, job=workload.name)})",
        300,
        "page",
        f"no {name} {what} is found",
        f"Prometheus finds no {what} of {workload.name}: alerts on it cannot fire.",
        f"Compare {how}.",
        labels={"component": name},
    )
