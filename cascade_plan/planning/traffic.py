"""Scenario -> Traffic."""

from __future__ import annotations

from cascade_plan.formulas.profile import hourly_users
from cascade_plan.model.fleet import Band
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.traffic import Traffic


def traffic_of(scenario: Scenario) -> Traffic:
    """Return the traffic the scenario's users make at each level of the band.

    An acting user sends one request each think time: requests/s = users x active share / mean think time. This is the
    closed system's upper bound, reached when answers take no time (Denning & Buzen 1978, X <= N/Z), so that what is
    metered by traffic is never under-stated.
    """
    users, behaviour = scenario.users, scenario.behaviour
    hourly = hourly_users(users.peak, users.average, users.hourly_weights)
    level = Band(min(hourly), users.average, users.peak, users.peak)
    mix = behaviour.mix
    requests = level.times(users.active_share / behaviour.think_time_s.mean)
    return Traffic(
        hourly_users=hourly,
        users=level,
        requests_per_s=requests,
        request_bytes_per_s=requests.times(
            behaviour.header_bytes + sum(share * action.request_bytes for share, action in mix)
        ),
        response_bytes_per_s=requests.times(
            behaviour.header_bytes + sum(share * action.response_bytes for share, action in mix)
        ),
        service_share=_service_shares(scenario),
        jobs_per_s={
            worker: requests.times(sum(share * action.jobs.get(worker, 0.0) for share, action in mix))
            for worker in scenario.of("worker")
        },
        database_growth_bytes_per_s={
            database: requests.times(
                sum(share * action.database_bytes for share, action in mix if scenario.stored_in(action) == database)
            )
            for database in scenario.of("database")
        },
        object_growth_bytes_per_s=requests.times(sum(share * action.object_bytes for share, action in mix)),
    )


def _service_shares(scenario: Scenario) -> dict[str, float]:
    """Return service -> its share of the requests; exactly 1 where one answers all."""
    services = tuple(scenario.of("api"))
    answered = {scenario.service(action) for action in scenario.behaviour.actions.values()}
    if len(answered) == 1:
        return {service: float(service in answered) for service in services}
    mix = scenario.behaviour.mix
    return {service: sum(share for share, action in mix if scenario.service(action) == service) for service in services}
