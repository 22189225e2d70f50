"""What of a queue is watched: the jobs that are asked for, and whether anybody does them."""

from __future__ import annotations

from typing import Final

from cascade_plan.languages.promql import exactly, literal, rate, select, total
from cascade_plan.model.ask import Site
from cascade_plan.model.series import JOBS, JOBS_ASKED, SHORTEST_S, Scope, headed, is_alone, is_watched, own, spoken
from cascade_plan.model.watch import Alarm, Chart, Line, Watch
from cascade_plan.tiers.queue.settings import Settings

UNDONE_S: Final = 900
"""Longer than workers take to start again (assumption)."""


def watches(site: Site[Settings]) -> tuple[Watch, ...]:
    """Return the jobs asked for and done, and that none is done."""
    if not is_watched(site):
        return ()
    scope = Scope(site.scenario, {} if is_alone(site) else {"queue": site.name})
    rate_of_asked = f"namespace:{scope.own(JOBS_ASKED)}:rate5m"
    asked, done = scope.select(rate_of_asked), _done(site)
    undone = Alarm(
        "JobsLeftUndone",
        f"{asked} > 0 unless on (namespace) {done} > 0",
        UNDONE_S,
        "page",
        f"jobs are left in {spoken(site, 'the queue')} and none is done",
        "{value} jobs a second are asked for, and no worker has done one for minutes.",
        "Look at the workers' pods and logs: whether they run, may read the queue, and what the first job of each "
        "start fails with. Jobs wait meanwhile; what is too old by then is better put aside than done late.",
        labels={} if is_alone(site) else {"queue": site.name},
    )
    return (
        Watch(
            site.name,
            recorded=(
                scope.recorded(
                    rate_of_asked, scope.total(rate(scope.select(f"{scope.own(JOBS_ASKED)}_total"), SHORTEST_S))
                ),
            ),
            alarms=(undone,),
            charts=(
                Chart(headed(site, "Jobs asked for and done"), "ops", (Line(asked, "asked for"), Line(done, "done"))),
            ),
        ),
    )


def _done(site: Site[Settings]) -> str:
    """Return the rate of the jobs that are done by those who take them from this queue."""
    done = select(f"{own(site.scenario, JOBS)}_total", namespace=site.application)
    if not is_alone(site):
        takers = [each.name for sized in site.of("worker") for each in sized.workloads if each.queue == site.name]
        jobs = "|".join(exactly(name) for name in takers)
        done = f"{done[:-1]},job=~{literal(jobs)}}}"
    return total(rate(done, SHORTEST_S), "namespace")
