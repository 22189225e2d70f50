"""What Prometheus must find to see anything at all: pods of every workload, exporters, and its own way to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.emitters._watches.cluster import jobs_of_cluster
from cascade_plan.languages.promql import number, select
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan
from cascade_plan.model.watch import Alarm, Watch
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings

ANSWERING: Final = 0.5
"""Share of a workload's pods below which it is down for its users: a lost zone of three leaves two thirds of them."""
WATCHDOG: Final = "Watchdog"
"""The alarm that is always raised: who hears of it no longer knows that he hears of no other."""


def exporters(plan: Plan) -> tuple[str, ...]:
    """Return what exporters are called, such as postgres: those that series of the plan's tiers come from."""
    return tuple(dict.fromkeys(watch.exporter for watch in plan.watches if watch.exporter))


def exporter_of(plan: Plan, tier: str) -> str:
    """Return what the exporter of an instance is called, "" where it has none."""
    return next((watch.exporter for watch in plan.watches_of(tier) if watch.exporter), "")


def addresses(job: str) -> str:
    """Return the file in which a job's addresses stand where no cluster knows them."""
    return f"targets/{job}.yml"


def targets(plan: Plan) -> Watch:
    """Return the alarms on what is not found, or does not answer, so that no other alarm on it could fire."""
    return Watch("targets", alarms=(*_alarms(plan), _always()))


def _alarms(plan: Plan) -> Iterator[Alarm]:
    for workload in plan.fleet.workloads:
        yield _down(plan, workload)
        yield _missing(plan, workload)
    for exporter in exporters(plan):
        job = f"{plan.application}-{exporter}"
        yield _blind(plan, f"{exporter}-exporter", select("up", namespace=plan.application, job=job), addresses(job))
    for job in jobs_of_cluster(plan):
        yield _blind(plan, job, select("up", job=job), "")


def _down(plan: Plan, workload: Workload) -> Alarm:
    """Return the alarm that pages in an outage: where nothing answers, there is no request that could be slow."""
    name, up = _called(plan, workload), select("up", namespace=plan.application, job=workload.name)
    what, how = _found(plan)
    return Alarm(
        "WorkloadDown",
        f"sum by (namespace, job) ({up}) / count by (namespace, job) ({up}) < {number(ANSWERING)}",
        120,
        "page",
        f"most of {name} is down",
        f"{{value}} of the {what}es of {{job}} answer." if what == "address" else f"{{value}} of its {what}s answer.",
        f"Look at what the {what}s last said, and at what was changed last: undo it. {how}",
        unit="humanizePercentage",
        labels={"component": name},
    )


def _missing(plan: Plan, workload: Workload) -> Alarm:
    name = _called(plan, workload)
    what, _ = _found(plan)
    how = "the pods' labels with prometheus.yml, and ask whether Prometheus may list pods (RBAC)"
    if not plan.of(ClusterSettings):
        how = f"{addresses(workload.name)} with what runs"
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


def _blind(plan: Plan, component: str, up: str, where: str) -> Alarm:
    how = "Look whether it runs, and compare its pods' labels with prometheus.yml."
    if not plan.of(ClusterSettings):
        how = f"Look whether it runs, and compare {where} with its address."
    return Alarm(
        "TargetsMissing",
        f"absent({up} == 1)",
        300,
        "ticket",
        f"no {component} answers",
        f"Prometheus finds no {component} that answers: alerts on what it measures cannot fire.",
        how,
        labels={"component": component},
    )


def _always() -> Alarm:
    return Alarm(
        WATCHDOG,
        "vector(1)",
        0,
        "none",
        "alerts reach their receiver",
        "This alert is always firing. When it stops, Prometheus, Alertmanager or the way from them is broken.",
        "Let a service outside the system expect it every few minutes, and page when it does not come.",
    )


def _called(plan: Plan, workload: Workload) -> str:
    return workload.name.removeprefix(f"{plan.application}-")


def _found(plan: Plan) -> tuple[str, str]:
    """Return what a target is, and how to look at those that do not answer."""
    if plan.of(ClusterSettings):
        return "pod", f"kubectl -n {plan.application} get pods names the state of each."
    return "address", "Compare the addresses with what runs."
