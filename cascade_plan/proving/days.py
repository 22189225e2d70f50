"""Plan -> Simulation: days of traffic through each service's autoscaler, beside others and fixed fleets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.formulas.hpa import Autoscaler
from cascade_plan.formulas.hpa_behavior import Behavior, Rules
from cascade_plan.formulas.hpa_behavior import Policy as Pace
from cascade_plan.model.fleet import Lever, NodeGroup, Workload
from cascade_plan.model.plan import Plan
from cascade_plan.model.replay import Outcome, Replay, Simulation
from cascade_plan.model.scenario import value_at
from cascade_plan.model.trace import Trace
from cascade_plan.planning.chain import Chain, chain, predict, ways
from cascade_plan.planning.sizing import places
from cascade_plan.proving.autoscaler import Cluster, Grid, tabulate
from cascade_plan.proving.replay import (
    LATENCY_GRID,
    TICKS_PER_DAY,
    Latency,
    Policy,
    Result,
    Traffic,
    hourly_traffic,
    peak_of,
    replay,
    trace_traffic,
)
from cascade_plan.units import HOURS_PER_MONTH, quantity

BUSY: Final = 0.6
"""Busy share of a pod that CPU- and request-based scaling aim for: room for what comes while nodes start (assumed)."""
DISPERSION: Final = 4.5
"""Variance over mean of the requests of a minute, within an hour of the NASA-HTTP log of July 1995."""
NEAR_PEAK: Final = 0.5
"""Share of the scenario's peak below which a trace's own is said to be another one."""
MEMORY_IDLE: Final = 0.5
MEMORY_BUSY: Final = 0.65
"""Share of its request that a pod's memory takes when idle and when busy (assumption): it does not follow the load."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a simulation."""

    day_count: int | None = None
    """None: one, or as many as the trace has."""
    run_count: int = 1
    seed: int = 1
    trace: Trace | None = None
    """In place of the scenario's day."""
    is_scaled_to_peak: bool = False
    """Whether the trace gives the shape only, and the scenario how much."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service that an autoscaler scales, and what it scales it by."""

    workload: Workload
    group: NodeGroup
    lever: Lever
    request_share: float

    @property
    def name(self) -> str:
        """The name of its tier."""
        return self.workload.tier


def services(plan: Plan) -> tuple[Service, ...]:
    """Return the services that requests come to and an autoscaler scales.

    Raises UsageError where there is none.
    """
    levers = {lever.name: lever for lever in plan.fleet.levers if lever.is_scaled}
    groups = {group.name: group for group in plan.groups if group.lever in levers}
    found = tuple(
        Service(workload, groups[workload.group], levers[groups[workload.group].lever], share)
        for workload in plan.fleet.workloads
        if workload.serves == "requests" and workload.group in groups
        if (share := plan.traffic.service_share.get(workload.tier, 0.0))
    )
    if not found:
        raise UsageError(
            f"{plan.scenario.name}: no days to simulate: nothing of it is scaled, as no service of it answers requests"
        )
    return found


def simulate(plan: Plan, order: Order, progress: Callable[[str], None] = lambda policy: None) -> Simulation:
    """Return what the HPA of each service, a CPU-based, a request-based one and fixed fleets do with the traffic.

    Every connected user acts, as in the named loads; a service is sent its share of the requests. `progress` is told
    each policy before it runs. Raises UsageError where nothing is scaled.
    """
    scaled = services(plan)
    traffic = _traffic(plan, order)
    stages = tuple(_Stage.of(plan, service) for service in scaled)
    replays = tuple(_replayed(stage, traffic, order, progress) for stage in stages)
    return Simulation(
        scenario=plan.scenario.name,
        traffic=traffic.words,
        trace=order.trace.words if order.trace else "",
        day_count=traffic.requests_per_s.size / TICKS_PER_DAY,
        run_count=order.run_count,
        seed=order.seed,
        replays=replays,
        cost_usd_per_month=_fleet_usd(plan, stages, replays),
    )


def _fleet_usd(plan: Plan, stages: Sequence[_Stage], replays: Sequence[Replay]) -> Decimal:
    """Return what the fleet costs a month when every service scales as recommended.

    Nodes that several services share are, at each moment, as many as the service that needs most of them asks for, in
    the first run of each.
    """
    planned_usd = plan.bill.effective_usd.average
    together: dict[str, list[tuple[_Stage, Replay]]] = {}
    for stage, own in zip(stages, replays, strict=True):
        together.setdefault(stage.service.group.name, []).append((stage, own))
    found = planned_usd
    for shared in together.values():
        (stage, alone), *others = shared
        usd = alone.best.cost_usd_per_month
        if others:
            counts = [dict(own.timelines)[own.recommended].node_count for _, own in shared]
            usd = stage.usd_per_month(sum(map(max, *counts)) / len(counts[0]))
        found += usd - planned_usd
    return found


def _replayed(stage: _Stage, traffic: Traffic, order: Order, progress: Callable[[str], None]) -> Replay:
    results = []
    for policy in stage.policies():
        progress(policy.name)
        results.append((policy, stage.run(policy, traffic, order)))
    outcomes = tuple(stage.outcome(policy, result) for policy, result in results)
    best, reason = recommended(outcomes)
    return Replay(
        service=stage.service.name,
        request_share=stage.service.request_share,
        outcomes=outcomes,
        recommended=best,
        reason=reason,
        timelines=tuple((policy.name, result.timeline) for policy, result in results),
        beside=stage.beside,
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
    plan: Plan
    service: Service
    cluster: Cluster
    pod_requests_per_s: float
    busy_share_of_request: float
    """CPU a busy pod uses over what it requests."""
    latency: Latency
    slo_ms: float

    @classmethod
    def of(cls, plan: Plan, service: Service) -> _Stage:
        scenario, workload, lever = plan.scenario, service.workload, service.lever
        on = _chain_of(plan, service)
        pods = next(place.name for place in on.places if place.tier == service.name and place.is_scaled)
        cluster = Cluster(
            workload.pod_count_per_node,
            lever.floor_count,
            lever.most_count,
            value_at(scenario, f"tiers.{service.name}.pod_startup_s"),
            value_at(scenario, f"tiers.{service.group.tier}.node_provisioning_s"),
        )
        return cls(
            plan,
            service,
            cluster,
            pod_requests_per_s=1 / on.stations[pods].service.mean_s,
            busy_share_of_request=workload.cores_per_pod / workload.cpu_cores,
            latency=Latency.tabulated(lambda utilisation: _percentiles(on, pods, utilisation)),
            slo_ms=scenario.strictest[0],
        )

    def policies(self) -> tuple[Policy, ...]:
        """Return the ways of scaling that are compared."""
        rules, lever = self.plan.scenario.autoscaling, self.service.lever
        low, high = self.service.workload.replica_count_min, self.service.workload.replica_count_max
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
        least, base = lever.floor_count, lever.base_count
        return (
            Policy("latency", "the plan's HPA: p95 latency and memory", hpa, (latency, memory), least),
            Policy("cpu", f"CPU, {BUSY:.0%} of a busy pod", hpa, (cpu,), least),
            Policy("requests", f"requests/s a pod, {BUSY:.0%} of what it can answer", hpa, (requests,), least),
            Policy("fixed-peak", f"{base} nodes all day", hpa, (), base),
            Policy("fixed-average", f"{least} nodes all day", hpa, (), least),
        )

    def run(self, policy: Policy, traffic: Traffic, order: Order) -> Result:
        """Return what a policy does with the service's part of the traffic."""
        own, measures = traffic.part(self.service.request_share), (self.latency, self.slo_ms, self.pod_requests_per_s)
        return replay(policy, own, *measures, self.cluster, order.run_count, order.seed)

    def outcome(self, policy: Policy, result: Result) -> Outcome:
        """Return a result with its price."""
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
            cost_usd_per_day=self._usd_per_hour * mean * 24,
            cost_usd_per_month=self.usd_per_month(result.node_count_mean),
        )

    @property
    def beside(self) -> tuple[str, ...]:
        """Other services on the same nodes."""
        workloads = self.plan.fleet.workloads
        return tuple(
            each.tier for each in workloads if each.group == self.service.group.name and each.tier != self.service.name
        )

    def usd_per_month(self, node_count_mean: float) -> Decimal:
        """Return what the whole fleet costs a month with so many of these nodes in the mean."""
        others_usd = self.plan.bill.effective_usd.average - self._nodes_usd
        return others_usd + self._usd_per_hour * quantity(node_count_mean) * HOURS_PER_MONTH

    @property
    def _nodes_usd(self) -> Decimal:
        """What the nodes cost in the plan, a month at the average."""
        items = self.plan.bill.items
        return sum((item.cost_usd.average for item in items if item.group == self.service.group.name), Decimal(0))

    @property
    def _usd_per_hour(self) -> Decimal:
        """What one of the nodes costs an hour, in the mean of how they are paid."""
        return self._nodes_usd / quantity(self.service.group.count.average * HOURS_PER_MONTH)


def _memory(utilisation: float) -> float:
    return MEMORY_IDLE + (MEMORY_BUSY - MEMORY_IDLE) * min(1.0, utilisation)


def _chain_of(plan: Plan, service: Service) -> Chain:
    """Return the chain of a service's own requests: its nodes at the floor, every other count at its base.

    What they share with those of other services, such as a database, is sent these too, in proportion; the other
    services themselves are left out, as none of its requests visits them and an autoscaler adds to them in time. A user
    comes to one of several services once in so many thoughts: thinking lasts as much longer.
    """
    scenario, share = plan.scenario, service.request_share
    on = chain(scenario, places(scenario, plan.fleet, {service.lever.name: service.lever.floor_count}))
    mix = tuple((part / share, action) for part, action in on.mix if scenario.service(action) == service.name)
    visited = tuple(
        place
        for place in on.places
        if any(visit.is_awaited and visit.try_count for _, action in mix for visit in place.visits(action))
    )
    think = scenario.behaviour.think_time_s
    longer = think.model_copy(update={"min": think.min / share, "max": think.max / share})
    behaviour = scenario.behaviour.model_copy(update={"think_time_s": longer})
    return Chain(
        scenario.model_copy(update={"behaviour": behaviour}),
        mix,
        visited,
        {place.name: on.stations[place.name] for place in visited},
        {place.name: on.visits[place.name] / share for place in visited},
        ways(mix, visited),
    )


def _percentiles(on: Chain, pods: str, utilisation: float) -> tuple[float, float]:
    """Return (p95, p99) in ms when users send `utilisation` times what the pods can answer."""
    station = on.stations[pods]
    think_s = on.scenario.behaviour.think_time_s.mean
    users = max(1, round(utilisation * station.servers / station.service.mean_s * think_s))
    prediction = predict(on, users)
    return prediction.latency_ms_p95, prediction.latency_ms_p99


def _traffic(plan: Plan, order: Order) -> Traffic:
    users = plan.scenario.users
    rate = 1 / plan.scenario.behaviour.think_time_s.mean
    if order.trace is None:
        hours = [count * rate for count in plan.traffic.hourly_users]
        words = f"the scenario's day, {users.peak:,} users at peak and {users.average:,} on average, all acting"
        return hourly_traffic(hours, order.day_count or 1, DISPERSION, words)
    wanted, has = users.peak * rate, peak_of(order.trace)
    if order.is_scaled_to_peak:
        words = f"{order.trace.name}, scaled so that its 99.9th percentile is {_rate(wanted)} requests/s"
        return trace_traffic(order.trace, wanted / has if has else 1.0, order.day_count, words)
    words = f"{order.trace.name} as it is, its 99.9th percentile {_rate(has)} requests/s"
    if not NEAR_PEAK * wanted <= has <= wanted:
        words += (
            f", {has / wanted:.2g} times the {_rate(wanted)} of the scenario's {users.peak:,} users "
            "(--scale-to-peak scales it to them)"
        )
    return trace_traffic(order.trace, 1.0, order.day_count, words)


def _rate(requests_per_s: float) -> str:
    return f"{requests_per_s:,.0f}" if requests_per_s >= 100 else f"{requests_per_s:.3g}"
