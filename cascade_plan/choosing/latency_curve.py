"""A plan -> how long its requests take with fewer users and with more, and from where on too long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.model.latency_curve import LatencyCurve, LatencyLimit, LatencyPoint
from cascade_plan.model.plan import Plan
from cascade_plan.planning.latencies import at_users

FACTORS: Final = tuple(step / 20 for step in range(1, 41))
"""Of the users at peak: from a twentieth to twice as many."""
MORE: Final = tuple(2 * 1.1**step for step in range(1, 16))
"""Further on, where the limit is kept with twice as many."""
FAR: Final = 1.15
"""Above the first point that breaks the limit, so many times its users are still looked at."""


def latency_curve(plan: Plan) -> LatencyCurve:
    """Return a plan's latency over users who all act, its fleet as it is; without points where nothing answers them.

    The curve ends a little above the users from where on the limit is broken.
    """
    scenario = plan.scenario
    limits = sorted(
        (
            LatencyLimit(name, load.users, load.latency_ms_p95, load.latency_ms_p99)
            for name, load in scenario.driven.items()
        ),
        key=lambda limit: (limit.users, limit.load),
    )
    slo = limits[-1].latency_ms_p95 if limits else scenario.strictest[0]
    points: dict[int, LatencyPoint] = {}
    broken: int | None = None
    kept = 0
    for factor in (*FACTORS, *MORE):
        users = max(1, round(scenario.users.peak * factor))
        if broken is not None and users > broken * FAR and factor > 1:
            break
        if (point := _point(plan, users)) is None:
            break
        points[users] = point
        if broken is None and point.latency_ms_p95 >= slo:
            points |= {found.users: found for found in _between(plan, kept, users, slo)}
            broken = min(found.users for found in points.values() if found.latency_ms_p95 >= slo)
            kept = max((found.users for found in points.values() if found.users < broken), default=0)
        kept = kept if broken is not None else users
    rising = tuple(points[users] for users in sorted(points))
    return LatencyCurve(
        scenario.name, scenario.users.peak, rising, tuple(limits), slo, None if broken is None else kept
    )


def _point(plan: Plan, users: int) -> LatencyPoint | None:
    found = at_users(plan.scenario, plan.fleet, users)
    if found is None:
        return None
    return LatencyPoint(users, found.requests_per_s, found.latency_ms_p95, found.latency_ms_p99)


def _between(plan: Plan, kept: int, broken: int, slo_ms: float) -> Iterator[LatencyPoint]:
    """Yield what is looked at on the way to the least number of users that breaks a limit, to a thousandth of it.

    Fewer users than `kept` keep it, `broken` ones do not.
    """
    while broken - kept > max(1, broken // 1000):
        middle = (kept + broken) // 2
        point = _point(plan, middle)
        if point is None:
            return
        yield point
        if point.latency_ms_p95 >= slo_ms:
            broken = middle
        else:
            kept = middle
