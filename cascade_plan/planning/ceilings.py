"""Fleet -> which of its ceilings a rate of requests breaks, or comes near: the same for plans, searches and days."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.place import Scale
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.traffic import Traffic, busiest_requests_per_s


def findings(scenario: Scenario, fleet: Fleet, traffic: Traffic) -> Iterator[Finding]:
    """Yield each kind of ceiling that the busiest of the day's peak and the named loads breaks or is near.

    Of several of one kind, such as a primary's and its replicas', the one that is asked most for what it does is said.
    """
    worst: dict[tuple[str, str], tuple[float, Finding]] = {}
    for ceiling in fleet.ceilings:
        per_s = busiest_requests_per_s(scenario, traffic)
        per_s = traffic.requests_per_s.average if ceiling.rate == "average" else per_s
        asked = ceiling.asked(per_s, {})
        is_broken, share = asked > ceiling.limit, asked / ceiling.limit
        above = _above(ceiling.requests_per_s_most({}), scenario, traffic) if is_broken else {}
        found = ceiling.finding(per_s, above)
        kind = ceiling.figure, ceiling.code
        if found is not None and share > worst.get(kind, (0.0, found))[0]:
            worst[kind] = share, found
    yield from (found for _, found in worst.values())


def _above(requests_per_s: float, scenario: Scenario, traffic: Traffic) -> dict[str, float]:
    """Return which load is above a rate, and for how many seconds on end: named loads, and the hours of the day."""
    think_s, users = scenario.behaviour.think_time_s.mean, traffic.hourly_users
    found = {
        f"load {name}": load.duration_s
        for name, load in scenario.driven.items()
        if load.users / think_s > requests_per_s
    }
    per_user = traffic.requests_per_s.peak / traffic.users.peak
    longest = run = 0
    for each in (*users, *users):
        run = run + 1 if each * per_user > requests_per_s else 0
        longest = max(longest, min(run, len(users)))
    return found | ({"the day's peak": 3600.0 * longest} if longest else {})


def broken(fleet: Fleet, requests_per_s: float, average_per_s: float, scale: Scale) -> str:
    """Return the first ceiling that these counts break at a rate, in words, or "" where they break none.

    What counts over a day, such as CPU credits, is held against `average_per_s`.
    """
    for ceiling in fleet.ceilings:
        per_s = average_per_s if ceiling.rate == "average" else requests_per_s
        if words := ceiling.broken(per_s, scale):
            return words
    return ""


def requests_per_s_most(fleet: Fleet, scale: Scale) -> float:
    """Return the highest rate of requests at which these counts break no ceiling; infinite where none binds."""
    held = (ceiling for ceiling in fleet.ceilings if ceiling.rate == "peak")
    return min((ceiling.requests_per_s_most(scale) for ceiling in held), default=math.inf)
