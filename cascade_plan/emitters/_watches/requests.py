"""The requests of the whole application: how many, how slow, how many failed, over which windows."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from cascade_plan.emitters._watches.latency_goals import LatencyGoal, latency_goals
from cascade_plan.languages.promql import literal, quantile, rate, ratio, select, total
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.series import REQUEST, SHORTEST_S, SOCKETS, own, percentile
from cascade_plan.model.watch import Alarm, Chart, Line, Recorded, Watch
from cascade_plan.tiers.gateway.settings import Settings as GatewaySettings

WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
"""The windows of the burn rates, https://sre.google/workbook/alerting-on-slos/"""
EXPECTED_PER_S: Final = 1
"""Requests a second of which none in five minutes is an outage (assumption)."""


def rate_of_all(scenario: Scenario) -> str:
    """Return the series of an application's requests a second."""
    return f"namespace:{own(scenario, 'requests')}:rate5m"


def slow_ratio(scenario: Scenario, window: str) -> str:
    """Return the series of the share of requests slower than a limit, or failed, over a window."""
    return f"namespace:{own(scenario, 'slow_requests')}:ratio_rate{window}"


def _error_ratio(scenario: Scenario) -> str:
    return f"namespace:{own(scenario, 'request_errors')}:ratio_rate5m"


def _rate_of_slow(scenario: Scenario) -> str:
    return f"namespace:{own(scenario, 'slow_requests')}:rate5m"


def percents(plan: Plan) -> tuple[int, ...]:
    """Return the percentiles that are recorded: 95, 99 and what the gates ask for."""
    return tuple(sorted({95, 99, *(goal.percent for goal in latency_goals(plan))}))


def requests(plan: Plan) -> Watch:
    """Return what is recorded and shown of the requests of all services together.

    One rule follows the other, as a window divides the sums of two series: each evaluation must have recorded both,
    or neither.
    """
    scenario = plan.scenario
    return Watch(
        "latency",
        recorded=(*_rates(scenario), *_percentiles(plan), *_slow(plan), *_windows(scenario)),
        alarms=tuple(_vanished(plan)),
        charts=tuple(_charts(scenario)),
    )


def _vanished(plan: Plan) -> Iterator[Alarm]:
    """Yield the alarms on requests that are not there, of which nobody can say how slow they are.

    Either there were some within the hour, or so many are connected that some of them would act.
    """
    scenario, name = plan.scenario, plan.application
    every = select(rate_of_all(scenario), namespace=name)
    none = f"unless on (namespace) {every} > 0"
    before = "the load balancer's targets and certificate and at " if plan.of(GatewaySettings) else ""
    look = (
        f"Ask for a page from outside. When it fails, look at {before}DNS; when it does not, look whether the services "
        "still count their requests."
    )
    yield Alarm(
        "RequestsVanished",
        f"max_over_time({every}[1h]) > {EXPECTED_PER_S} {none}",
        120,
        "page",
        "requests no longer arrive",
        "Within the hour there were {value} a second, and for minutes not one has been counted.",
        look,
    )
    if any(sized.streams for sized in plan.fleet.tiers.values()):
        acting = ceil(EXPECTED_PER_S * scenario.behaviour.think_time_s.mean / scenario.users.active_share)
        held = total(select(own(scenario, SOCKETS), namespace=name), "namespace")
        yield Alarm(
            "ConnectedWithoutRequests",
            f"{held} > {acting} {none}",
            300,
            "page",
            "many are connected, and none asks for anything",
            f"{{value}} connections are open, and for minutes not one request has been counted: {acting:,} users make "
            f"{EXPECTED_PER_S} a second.",
            look,
        )


def _rates(scenario: Scenario) -> Iterator[Recorded]:
    name, count, every = scenario.application_name, f"{own(scenario, REQUEST)}_count", rate_of_all(scenario)
    errors = total(rate(select(count, namespace=name, outcome="error"), SHORTEST_S), "namespace")
    yield Recorded(every, total(rate(select(count, namespace=name), SHORTEST_S), "namespace"))
    yield Recorded(_error_ratio(scenario), ratio(errors, select(every, namespace=name)))


def _percentiles(plan: Plan) -> Iterator[Recorded]:
    metric = own(plan.scenario, REQUEST)
    buckets = total(rate(select(f"{metric}_bucket", namespace=plan.application), SHORTEST_S), "namespace", "le")
    for percent in percents(plan):
        yield Recorded(percentile(metric, percent), quantile(percent / 100, buckets))


def _slow(plan: Plan) -> Iterator[Recorded]:
    limits = {goal.limit_label: goal for goal in latency_goals(plan)}
    for label, goal in limits.items():
        yield Recorded(_rate_of_slow(plan.scenario), _slow_requests(plan.scenario, goal), {"limit_ms": label})


def _slow_requests(scenario: Scenario, goal: LatencyGoal) -> str:
    name = scenario.application_name
    # A request that failed is not a fast one. Without any good request at all every one is slow: hence "or 0".
    good = select(f"{own(scenario, REQUEST)}_bucket", namespace=name, outcome="ok")
    within = total(rate(f"{good[:-1]},le=~{literal(goal.le_pattern)}}}", SHORTEST_S), "namespace")
    every = select(rate_of_all(scenario), namespace=name)
    return f"{every} - ({within} or 0 * {every})"


def _windows(scenario: Scenario) -> Iterator[Recorded]:
    """Yield the share of slow requests over each window, weighted by traffic.

    The rates are those of the shortest window, summed over the longer ones: two series are read for a fleet of any
    size, where a rate over three days of every pod's buckets would read all their samples at each evaluation.
    """
    for window in WINDOWS:
        slow, every = (
            select(each(scenario), namespace=scenario.application_name) for each in (_rate_of_slow, rate_of_all)
        )
        if window != "5m":
            slow, every = (f"sum_over_time({series}[{window}])" for series in (slow, every))
        yield Recorded(slow_ratio(scenario, window), f"{slow} / on (namespace) group_left () ({every} > 0)")


def _charts(scenario: Scenario) -> Iterator[Chart]:
    name, metric = scenario.application_name, own(scenario, REQUEST)
    times = tuple(Line(select(percentile(metric, percent), namespace=name), f"p{percent}") for percent in (95, 99))
    yield Chart("Response time", "s", times)
    yield Chart("Requests a second", "reqps", (Line(select(rate_of_all(scenario), namespace=name), "requests"),))
    slow = Line(select(slow_ratio(scenario, "5m"), namespace=name), "over {{limit_ms}} ms or failed")
    failed = Line(select(_error_ratio(scenario), namespace=name), "failed")
    yield Chart("Slow and failed requests", "percentunit", (slow, failed))
