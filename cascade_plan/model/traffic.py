"""Traffic: what the users of a scenario do to the system, at each level of the band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cascade_plan.formulas.draws import largest
from cascade_plan.model.fleet import Band
from cascade_plan.model.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Traffic:
    """Users and the traffic they make. Rates are means over the month at each level of the band."""

    hourly_users: tuple[float, ...]
    """Users connected in each hour of the day; their mean is the scenario's average."""
    users: Band
    """The quietest hour, the mean, the peak, the peak."""
    requests_per_s: Band
    request_bytes_per_s: Band
    response_bytes_per_s: Band
    service_share: Mapping[str, float]
    """Service -> its share of the requests."""
    jobs_per_s: Mapping[str, Band]
    """Worker -> the jobs that requests leave to it."""
    database_growth_bytes_per_s: Mapping[str, Band]
    """Database -> what requests store in it."""
    object_growth_bytes_per_s: Band

    def requests_of(self, service: str) -> Band:
        """Return the requests a second that a service answers."""
        return self.requests_per_s.times(self.service_share.get(service, 0.0))


def busiest_requests_per_s(scenario: Scenario, traffic: Traffic) -> float:
    """Return the requests/s of the busier of the day's peak and the named loads, of which every user acts."""
    think_s = scenario.behaviour.think_time_s.mean
    found: float = largest(traffic.requests_per_s.peak, *(load.users / think_s for load in scenario.driven.values()))
    return found
