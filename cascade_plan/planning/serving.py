"""What a fleet answers of the traffic it is sent: what it cannot answer is no traffic, and is not metered."""

from __future__ import annotations

from dataclasses import replace

from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Band, Fleet
from cascade_plan.model.place import Scale
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.traffic import Traffic
from cascade_plan.planning.ceilings import requests_per_s_most
from cascade_plan.planning.chain import chain
from cascade_plan.planning.latencies import steady
from cascade_plan.planning.sizing import places


def answered(scenario: Scenario, fleet: Fleet, traffic: Traffic) -> Band:
    """Return the share of the requests that the fleet can answer at each level; 1 where it can answer all.

    Users who think and wait in turn send at most users / think time, and get at most what the fullest place answers and
    no ceiling forbids: X <= min(N / Z, 1 / D). The average is over the hours of the day. Source: Denning and Buzen,
    Computing Surveys 10 (1978), asymptotic bounds.
    """
    think_s, active = scenario.behaviour.think_time_s.mean, scenario.users.active_share
    peak, hours = scenario.users.peak, traffic.hourly_users
    known: dict[tuple[int, ...], float] = {}

    def most(scale: Scale) -> float:
        key = tuple(scale.values())
        if key not in known:
            known[key] = min(
                chain(scenario, places(scenario, fleet, scale)).capacity_requests_per_s,
                requests_per_s_most(fleet, scale),
            )
        return known[key]

    def at(users: float) -> float:
        return min(users * active / think_s, most(steady(fleet, users, peak)))

    def share(per_s: float, asked: float) -> float:
        return min(1.0, per_s / asked) if asked else 1.0

    asked = traffic.requests_per_s
    # More of anything answers no less: what the floor's counts answer, every level does.
    if most({lever.name: lever.floor_count for lever in fleet.levers if lever.is_scaled}) >= asked.ceiling:
        return Band.constant(1.0)
    ceiling = most({lever.name: lever.most_count for lever in fleet.levers if lever.is_scaled})
    least, greatest = at(traffic.users.floor), at(peak)
    # The mean of the hours is the average to a millionth of a user: where all hours are answered alike, it may not be
    # told from the quietest or from the busiest by that.
    average = share(sum(at(users) for users in hours), sum(hours) * active / think_s)
    return Band(
        share(least, asked.floor),
        min(share(greatest, asked.average), max(share(least, asked.average), average)),
        share(greatest, asked.peak),
        share(ceiling, asked.ceiling),
    )


def of_answered(traffic: Traffic, share: Band) -> Traffic:
    """Return the traffic of the requests that are answered."""
    return replace(
        traffic,
        requests_per_s=traffic.requests_per_s.scaled(share),
        request_bytes_per_s=traffic.request_bytes_per_s.scaled(share),
        response_bytes_per_s=traffic.response_bytes_per_s.scaled(share),
        jobs_per_s={worker: jobs.scaled(share) for worker, jobs in traffic.jobs_per_s.items()},
        database_growth_bytes_per_s={
            database: growth.scaled(share) for database, growth in traffic.database_growth_bytes_per_s.items()
        },
        object_growth_bytes_per_s=traffic.object_growth_bytes_per_s.scaled(share),
    )


def finding(traffic: Traffic, share: Band) -> Finding:
    """Return that the fleet does not answer all it is asked, and that the bill is of what it answers."""
    asked = traffic.requests_per_s
    levels = (("at peak", share.peak, asked.peak), ("on average", share.average, asked.average),
              ("in the quietest hour", share.floor, asked.floor))  # fmt: skip
    when, part, per_s = next((level for level in levels if level[1] < 1), ("at its most", share.ceiling, asked.ceiling))
    return Finding(
        "warning",
        "not-answered",
        f"{when} the fleet can answer {per_s * part:,.4g} of the {per_s:,.4g} requests/s it is asked: traffic and "
        "capacity units are billed for what it answers, and a larger fleet would be billed for more",
        "cost_usd_per_month",
        is_broken=True,
    )
