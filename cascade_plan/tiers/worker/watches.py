"""What of workers is watched: the jobs they do, how old these get, and whether more pods could help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.languages.promql import NEGATED, number, quantile, rate, ratio
from cascade_plan.model.ask import Site
from cascade_plan.model.fleet import Workload
from cascade_plan.model.series import (
    JOB,
    JOB_AGE,
    JOBS,
    QUERY,
    SHORTEST_S,
    Scope,
    headed,
    is_alone,
    is_watched,
    percentile,
    querying_count,
    scope_of_pods,
    spoken,
    window_s,
)
from cascade_plan.model.watch import Alarm, Chart, Limit, Line, Watch, limits
from cascade_plan.tiers.worker.settings import Settings

CEILING_S: Final = 900
"""Longer than pods and nodes take to start, so that it is not the ramp that is told of."""


def watches(site: Site[Settings]) -> tuple[Watch, ...]:
    """Return the jobs done and their age, the pods, and for each gate on the age whether it holds."""
    if not is_watched(site):
        return ()
    (workload,) = site.sized.workloads
    return tuple(_watches(site, workload, scope_of_pods(site, workload, is_alone(site))))


def _watches(site: Site[Settings], workload: Workload, scope: Scope) -> Iterator[Watch]:
    yield _jobs(site, scope)
    if workload.replica_count_min < workload.replica_count_max:
        yield _pods(site, workload)
    if workload.connection_count_per_pod and querying_count(site) > 1:
        of_queries = scope_of_pods(site, workload, is_alone=False)
        yield Watch("latency", recorded=(of_queries.buckets_of_pods(scope.own(QUERY), window_s(site)),))
    elif workload.connection_count_per_pod:
        yield Watch("latency", recorded=(scope.buckets_of_pods(scope.own(QUERY), window_s(site)),))
    yield from _gates(site, scope)


def _jobs(site: Site[Settings], scope: Scope) -> Watch:
    all_, failed = (
        scope.total(rate(scope.select(f"{scope.own(JOBS)}_total", **labels), SHORTEST_S))
        for labels in ({}, {"outcome": "error"})
    )
    work, age = scope.own(JOB), scope.own(JOB_AGE)
    percentiles = [(work, 95), (age, 95), (age, 99)]
    done, errors = f"namespace:{scope.own(JOBS)}:rate5m", f"namespace:{scope.own('job_errors')}:ratio_rate5m"
    recorded = [
        scope.recorded(done, all_),
        scope.recorded(errors, ratio(failed, scope.select(done))),
        *(
            scope.recorded(
                percentile(metric, percent),
                quantile(percent / 100, scope.total(rate(scope.select(f"{metric}_bucket"), SHORTEST_S), "le")),
            )
            for metric, percent in percentiles
        ),
    ]
    lines = (
        Line(scope.select(percentile(age, 99)), "p99 of the age"),
        Line(scope.select(percentile(age, 95)), "p95 of the age"),
        Line(scope.select(percentile(work, 95)), "p95 of the work"),
    )
    return Watch(
        site.name,
        recorded=tuple(recorded),
        charts=(
            Chart(headed(site, "Age of jobs when they are done"), "s", lines, "<", site.settings.age_s_p99),
            Chart(headed(site, "Jobs a second"), "ops", (Line(scope.select(done), "done"),)),
            Chart(headed(site, "Failed jobs"), "percentunit", (Line(scope.select(errors), "failed"),)),
        ),
    )


def _pods(site: Site[Settings], workload: Workload) -> Watch:
    most = workload.replica_count_max
    pods = scope_of_pods(site, workload, is_alone=False)
    running = f"count by (namespace) ({pods.select('up')} == 1)"
    full = Alarm(
        "WorkersAtCeiling",
        f"{running} >= {most}",
        CEILING_S,
        "ticket",
        f"{spoken(site, 'the workers')} are as many as may run",
        f"{{value}} pods run, as many as may (the planned maximum is {most}): when jobs grow old no pod is added.",
        "If jobs are young enough, plan a higher ceiling. If not, find out whether pods are the remedy, or whether "
        "jobs wait for something that all of them share.",
        labels={} if is_alone(site) else {"job": workload.name},
    )
    heading = headed(site, "Pods that work, and their most")
    return Watch(
        site.name, alarms=(full,), charts=(Chart(heading, "short", (Line(running, "running"),), "<", float(most)),)
    )


def _gates(site: Site[Settings], scope: Scope) -> Iterator[Watch]:
    figure = f"{site.name}.age_s_p99"
    for limit in limits(site.scenario.gates, figure, f"< {site.settings.age_s_p99:g}"):
        number_of = Chart(
            f"{figure} {limit.operator} {number(limit.value)}",
            "s",
            (Line(scope.select(percentile(scope.own(JOB_AGE), 99)), "p99"),),
            limit.operator,
            float(limit.value),
            "From when a job was asked for to when it was done.",
            is_number=True,
        )
        yield Watch(site.name, figure, alarms=(_old(site, scope, figure, limit),), charts=(number_of,))


def _old(site: Site[Settings], scope: Scope, figure: str, limit: Limit) -> Alarm:
    asked = number(limit.value)
    return Alarm(
        "JobAgeMissed",
        f"{scope.select(percentile(scope.own(JOB_AGE), 99))} {NEGATED[limit.operator]} {asked}",
        600,
        "ticket",
        f"p99 of the age of jobs of {spoken(site, 'the workers')} is not {limit.operator} {asked} s",
        f"99 of 100 jobs are done within {{value}} of being asked for: {figure} must be {limit.operator} {asked} s.",
        "Compare jobs asked for with jobs done, and the time of the work with the planned one: more jobs need more "
        "pods, longer jobs a look at what they wait for. Pods that do not start hold the fleet at its size.",
        unit="humanizeDuration",
        labels={"figure": figure, "limit": f"{limit.operator} {asked}"},
    )
