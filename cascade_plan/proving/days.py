"""Scenario -> Replay: a day of traffic through the plan's autoscaler, beside others and fixed fleets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.formulas.hpa import Autoscaler
from cascade_plan.formulas.hpa_behavior import Behavior, Rules
from cascade_plan.formulas.hpa_behavior import Policy as Pace
from cascade_plan.formulas.profile import trace_points
from cascade_plan.model.brief import Brief
from cascade_plan.model.catalogue import Catalogue
from cascade_plan.model.fleet import Fleet, NodeGroup
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.replay import Outcome, Replay
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning import sizing
from cascade_plan.planning.chain import Chain, chain, predict
from cascade_plan.planning.latencies import cores_per_pod, deployed_on, nodes_for
from cascade_plan.planning.traffic import load_of
from cascade_plan.proving.autoscaler import Cluster, Grid, tabulate
from cascade_plan.proving.replay import (
    LATENCY_GRID,
    TICKS_PER_DAY,
    Latency,
    Policy,
    Result,
    Traffic,
    hourly_traffic,
    minute_traffic,
    replay,
)
from cascade_plan.units import HOURS_PER_MONTH, quantity

BUSY: Final = 0.6
"""Busy share of a pod that CPU- and request-based scaling aim for: room for what comes while nodes start (assumed)."""
DISPERSION: Final = 4.5
"""Variance over mean of the requests of a minute, within an hour of the NASA-HTTP log of July 1995."""
MEMORY_IDLE: Final = 0.5
MEMORY_BUSY: Final = 0.65
"""Share of its request that a pod's memory takes when idle and when busy (assumption): it does not follow the load."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a simulation."""

    day_count: int = 1
    run_count: int = 1
    seed: int = 1
    trace: str | None = None
    """Text of a trace: CSV of timestamp or minute and count."""
    trace_name: str = ""


def simulate(
    scenario: Scenario,
    catalogue: Catalogue,
    book: Book,
    plan: Plan,
    order: Order,
    progress: Callable[[str], None] = lambda policy: None,
) -> Replay:
    """Return what the plan's HPA, a CPU-based, a request-based one and fixed fleets do with the traffic.

    Every connected user acts, as in the named loads. `progress` is told each policy before it runs. Raises UsageError
    for a trace that cannot be read.
    """
    stage = _Stage.of(scenario, catalogue, book, plan)
    traffic = _traffic(stage, order)
    results = []
    for policy in stage.policies():
        progress(policy.name)
        results.append((policy, stage.run(policy, traffic, order)))
    outcomes = tuple(stage.outcome(policy, result) for policy, result in results)
    best, reason = recommended(outcomes)
    return Replay(
        scenario=scenario.name,
        traffic=traffic.words,
        day_count=traffic.requests_per_s.size / TICKS_PER_DAY,
        run_count=order.run_count,
        seed=order.seed,
        outcomes=outcomes,
        recommended=best,
        reason=reason,
        timelines=tuple((policy.name, result.timeline) for policy, result in results),
    )


def recommended(outcomes: tuple[Outcome, ...]) -> tuple[str, str]:
    """Return the autoscaled policy that misses least, the cheapest of those as good, and why."""
    scaled = [outcome for outcome in outcomes if not outcome.policy.startswith("fixed")]
    least = min(outcome.missed_minutes_per_day_mean for outcome in scaled)
    good = [outcome for outcome in scaled if outcome.missed_minutes_per_day_mean <= least + 0.05]
    best = min(good, key=lambda outcome: (outcome.cost_usd_per_day, outcome.policy != "latency"))
    others = [outcome for outcome in scaled if outcome is not best]
    compared = "; ".join(
        f"{other.policy} misses {other.missed_minutes_per_day_mean:.1f} min a day at "
        f"${other.cost_usd_per_day:.2f} a day"
        for other in others
    )
    why = (
        " A latency is not proportional to load: far below saturation it asks for fewer pods than the load needs, "
        "and it rises only when the pods are already full."
        if best.policy != "latency"
        else " At this load the bounds decide, not the metric: the floor's pods are enough."
        if len(good) == len(scaled)
        else ""
    )
    return best.policy, (
        f"{best.policy} misses {best.missed_minutes_per_day_mean:.1f} min a day at ${best.cost_usd_per_day:.2f} a "
        f"day; {compared}.{why}"
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    scenario: Scenario
    plan: Plan
    api: NodeGroup
    fleet: Fleet
    cluster: Cluster
    pod_requests_per_s: float
    busy_share_of_request: float
    """CPU a busy pod uses over what it requests."""
    latency: Latency
    slo_ms: float

    @classmethod
    def of(cls, scenario: Scenario, catalogue: Catalogue, book: Book, plan: Plan) -> _Stage:
        brief = Brief(scenario, load_of(scenario), catalogue, book, {})
        fleet = sizing.size(brief)
        api = next(group for group in fleet.groups if group.tier == "api")
        per_node = int(plan.figure("api.pod_count_per_node"))
        on = chain(scenario, deployed_on(brief, fleet, int(api.count.floor)))
        rate = 1 / on.stations["api"].service.mean_s
        timing = scenario.timing
        cluster = Cluster(
            per_node, int(api.count.floor), int(api.count.ceiling), timing.pod_startup_s, timing.node_provisioning_s
        )
        limits = [load.latency_ms_p95 for load in scenario.loads.values()]
        slo_ms = min(limits, default=scenario.autoscaling.target_latency_s_p95 * 1000)
        busy = cores_per_pod(brief, api, per_node) / scenario.tiers.api.pod.cpu_cores
        latency = Latency.tabulated(lambda utilisation: _percentiles(on, utilisation))
        return cls(scenario, plan, api, fleet, cluster, rate, busy, latency, slo_ms)

    def policies(self) -> tuple[Policy, ...]:
        """Return the ways of scaling that are compared."""
        rules, count = self.scenario.autoscaling, self.api.count
        low, high = (int(self.plan.figure(f"api.replica_count.{bound}")) for bound in ("min", "max"))
        up = Rules((Pace("Percent", rules.scale_up_percent, rules.scale_up_period_s),), "Max", rules.scale_up_window_s)
        hpa = Autoscaler(high, low, Behavior(up, Rules(window_s=rules.scale_down_window_s)))
        grid = Grid()

        def p95_s(utilisation: float) -> float:
            step = min(int(utilisation * LATENCY_GRID.steps_per_unit), self.latency.p95.size - 1)
            return float(self.latency.p95[step]) / 1000

        memory = tabulate("memory", rules.target_memory_percent, _memory, grid)
        latency = tabulate("pods", rules.target_latency_s_p95, p95_s, grid)
        cpu = tabulate(
            "cpu", round(BUSY * self.busy_share_of_request * 100),
            lambda utilisation: min(1.0, utilisation) * self.busy_share_of_request, grid,
        )  # fmt: skip
        requests = tabulate(
            "pods", BUSY * self.pod_requests_per_s,
            lambda utilisation: min(1.0, utilisation) * self.pod_requests_per_s, grid,
        )  # fmt: skip
        least, base = int(count.floor), int(count.peak)
        return (
            Policy("latency", "the plan's HPA: p95 latency and memory", hpa, (latency, memory), least),
            Policy("cpu", f"CPU, {BUSY:.0%} of a busy pod", hpa, (cpu,), least),
            Policy("requests", f"requests/s a pod, {BUSY:.0%} of what it can answer", hpa, (requests,), least),
            Policy("fixed-peak", f"{base} nodes all day", hpa, (), base),
            Policy("fixed-average", f"{least} nodes all day", hpa, (), least),
        )

    def run(self, policy: Policy, traffic: Traffic, order: Order) -> Result:
        """Return what a policy does with the traffic."""
        measures = self.latency, self.slo_ms, self.pod_requests_per_s
        return replay(policy, traffic, *measures, self.cluster, order.run_count, order.seed)

    def outcome(self, policy: Policy, result: Result) -> Outcome:
        """Return a result with its price."""
        bill = self.plan.bill
        hours = quantity(self.api.count.average * HOURS_PER_MONTH)
        api_usd = sum((item.cost_usd.average for item in bill.items if item.tier == "api"), Decimal(0))
        an_hour = api_usd / hours
        mean = quantity(result.node_count_mean)
        return Outcome(
            policy=policy.name,
            description=policy.description,
            missed_minutes_per_day_mean=float(result.missed_minutes_per_day.mean()),
            missed_minutes_per_day_max=float(result.missed_minutes_per_day.max()),
            worst_latency_ms_p99=result.worst_latency_ms_p99,
            pod_count_min=result.pod_count_min,
            pod_count_max=result.pod_count_max,
            node_count_min=result.node_count_min,
            node_count_max=result.node_count_max,
            node_count_mean=result.node_count_mean,
            scaling_event_count_per_day=result.scaling_event_count_per_day,
            cost_usd_per_day=an_hour * mean * 24,
            cost_usd_per_month=bill.effective_usd.average - api_usd + an_hour * mean * HOURS_PER_MONTH,
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """A figure of a named load, as predicted and as simulated request by request."""

    load: str
    users: int
    figure: str
    predicted: float
    simulated: float
    half_width: float
    """Of the 95 % confidence interval."""


def measured(
    scenario: Scenario, catalogue: Catalogue, book: Book, request_count: int, seed: int
) -> tuple[Checked, ...]:
    """Return predictions beside a request-level simulation, for every named load on the fleet that answers it."""
    from cascade_plan.proving.requests import run

    brief = Brief(scenario, load_of(scenario), catalogue, book, {})
    fleet = sizing.size(brief)
    rows: list[Checked] = []
    for name, load in scenario.loads.items():
        on = chain(scenario, deployed_on(brief, fleet, nodes_for(brief, fleet, load)))
        predicted, got = predict(on, load.users), run(on, load.users, request_count, seed)
        rows.append(Checked(name, load.users, "requests/s", predicted.requests_per_s, got.requests_per_s, 0.0))
        for figure, value, interval in (
            ("mean ms", predicted.latency_ms_mean, got.latency_ms_mean),
            ("p95 ms", predicted.latency_ms_p95, got.latency_ms_p95),
            ("p99 ms", predicted.latency_ms_p99, got.latency_ms_p99),
        ):
            rows.append(Checked(name, load.users, figure, value, interval.value, interval.half_width))
    return tuple(rows)


def _memory(utilisation: float) -> float:
    return MEMORY_IDLE + (MEMORY_BUSY - MEMORY_IDLE) * min(1.0, utilisation)


def _percentiles(on: Chain, utilisation: float) -> tuple[float, float]:
    """Return (p95, p99) in ms when users send `utilisation` times what the API can answer."""
    api = on.stations["api"]
    think_s = on.scenario.behaviour.think_time_s.mean
    users = max(1, round(utilisation * api.servers / api.service.mean_s * think_s))
    prediction = predict(on, users)
    return prediction.latency_ms_p95, prediction.latency_ms_p99


def _traffic(stage: _Stage, order: Order) -> Traffic:
    users, behaviour = stage.scenario.users, stage.scenario.behaviour
    rate = 1 / behaviour.think_time_s.mean
    if order.trace is None:
        hours = [count * rate for count in load_of(stage.scenario).hourly_users]
        words = f"the scenario's day, {users.peak:,} users at peak and {users.average:,} on average, all acting"
        return hourly_traffic(hours, order.day_count, DISPERSION, words)
    try:
        counts, minutes = read_counts(order.trace)
        peak = users.peak * rate
        words = f"{order.trace_name}, scaled so that its 99.9th percentile is {peak:,.0f} requests/s"
        return minute_traffic(counts, minutes, peak, order.day_count or None, words)
    except ValueError as error:
        raise UsageError(f"{order.trace_name}: {error}") from None


def read_counts(text: str) -> tuple[list[float], float]:
    """Return (counts, minutes between them) of a trace's text.

    Raises ValueError naming the line that cannot be read, or for times that do not rise.
    """
    points = trace_points(text)
    if len(points) < 2:
        raise ValueError("a trace needs two lines at least")
    steps = sorted(later - earlier for (earlier, _), (later, _) in pairwise(points))
    step = steps[len(steps) // 2]
    if step <= 0:
        raise ValueError("times must rise")
    return [count for _, count in points], step
