"""Whether each service's own autoscaler keeps its SLO on the scenario's own day: as `simulate` finds it, in a moment.

Only whether a tick is above the limit is asked, so that a few latencies are computed instead of a table of them; and
where the fewest pods that ever run would do all day, nothing is replayed at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cascade_plan.model.plan import Plan
from cascade_plan.proving.days import AS_GOOD_MINUTES, Order, own_day
from cascade_plan.proving.replay import CHUNK_TICKS, Latency, Traffic
from cascade_plan.proving.stages import ALONE, Stage, named, services


@dataclass(frozen=True, slots=True)
class Miss:
    """A service whose autoscaler misses its SLO on the scenario's own day."""

    service: str
    own: str
    """The policy that it is scaled by."""
    slo_ms: float
    missed_minutes: float
    better: str
    """The policy that misses least; "" where none misses less."""
    better_minutes: float

    def __str__(self) -> str:
        missed = (
            f"{self.service}: by {self.own} its HPA misses the p95 of {self.slo_ms:,g} ms for "
            f"{self.missed_minutes:.1f} minutes of the scenario's own day"
        )
        if not self.better:
            return f"{missed}, and no other metric does better: it takes more nodes at the floor, or faster starts"
        how = f"give --policy {self.better}, or autoscaling.metrics: [{self.better}] in the scenario"
        return f"{missed}; by {self.better} for {self.better_minutes:.1f}: {how}"


def misses(plan: Plan) -> tuple[Miss, ...]:
    """Return the services whose own autoscaler misses the SLO for as much as `simulate` shows; none where none scales.

    Minutes are those of `simulate` without a flag: one day, one run, seed 1.
    """
    found = (_miss(Stage.of(plan, service), own_day(plan)) for service in services(plan))
    return tuple(miss for miss in found if miss is not None)


def _miss(stage: Stage, traffic: Traffic) -> Miss | None:
    order, own = Order(), stage.service.workload.scaled_by

    @cache
    def p95_ms(utilisation: float) -> float:
        return stage.percentiles_ms(utilisation, 0.95)[0]

    busiest = _largest(traffic.part(stage.service.request_share), order) / stage.pod_requests_per_s
    if busiest < stage.pod_count_least and p95_ms(busiest / stage.pod_count_least) <= stage.slo_ms:
        return None
    # What pods show that are scaled by latency is all of the table.
    is_by_latency = "latency" in own
    latency = Latency.tabulated(lambda busy: [p95_ms(busy)]) if is_by_latency else Latency.around(stage.slo_ms, p95_ms)

    def missed(metrics: Sequence[str]) -> float:
        run = stage.run(stage.policy(metrics, latency), traffic, latency, order.run_count, order.seed)
        return float(run.missed_minutes_per_day.mean())

    mine = missed(own)
    if mine < AS_GOOD_MINUTES:
        return None
    better, least = "", mine
    for metrics in ALONE:
        if metrics != own and "latency" not in metrics and least >= AS_GOOD_MINUTES:
            minutes = missed(metrics)
            if minutes <= least - AS_GOOD_MINUTES:
                better, least = named(metrics), minutes
    return Miss(stage.service.name, named(own), stage.slo_ms, mine, better, least)


def _largest(traffic: Traffic, order: Order) -> float:
    """Return the most requests/s that any tick of the day is drawn."""
    ticks = traffic.requests_per_s.size
    return max(
        float(traffic.drawn(first, min(CHUNK_TICKS, ticks - first), order.run_count, order.seed).max())
        for first in range(0, ticks, CHUNK_TICKS)
    )
