"""A service on its nodes, under each way of scaling it: policies, what they do with traffic, and what that costs."""

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
from cascade_plan.model.replay import Outcome
from cascade_plan.model.scenario import value_at
from cascade_plan.planning.chain import Chain, chain, percentiles_ms
from cascade_plan.planning.predicting import response
from cascade_plan.planning.sizing import places
from cascade_plan.planning.states import steady_state
from cascade_plan.proving.autoscaler import Cluster, Grid, Signal, tabulate
from cascade_plan.proving.replay import Latency, Policy, Result, Traffic, replay
from cascade_plan.units import HOURS_PER_MONTH, quantity

ALONE: Final = (("latency",), ("cpu",), ("requests",))
"""Metrics that every service is simulated under, beside its own: each that rises with the load, alone."""


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


@dataclass(frozen=True, slots=True)
class Stage:
    """A service, its nodes, and the latency of its requests at the scaled-in size."""

    plan: Plan
    service: Service
    cluster: Cluster
    on: Chain
    """What its own requests pass, its nodes at the floor."""
    pods: str
    """The place of that chain which its pods are."""
    slo_ms: float
    """The strictest p95 that a load of the scenario must meet."""

    @classmethod
    def of(cls, plan: Plan, service: Service) -> Stage:
        """Return the stage of one of the `services` of a plan."""
        scenario, workload, lever = plan.scenario, service.workload, service.lever
        on = _chain_of(plan, service)
        pods = next(place.name for place in on.places if place.tier == service.name and place.is_scaled)
        cluster = Cluster(
            workload.pod_count_per_node,
            lever.floor_count,
            lever.most_count,
            value_at(scenario, f"tiers.{service.name}.pod_startup_s"),
            value_at(scenario, f"tiers.{service.group.tier}.node_provisioning_s"),
            reserved_count=workload.reserved_pod_count,
        )
        return cls(plan, service, cluster, on, pods, scenario.strictest[0])

    @property
    def pod_requests_per_s(self) -> float:
        """What a pod answers that never rests."""
        station = self.on.stations[self.pods]
        return station.servers / station.service.mean_s / self.on.place(self.pods).unit_count

    @property
    def pod_count_least(self) -> int:
        """Pods that run at any time: the minimum, as far as the nodes that always run hold it."""
        return min(self.service.workload.replica_count_min, self.pod_count_floor)

    @property
    def pod_count_floor(self) -> int:
        """Pods that the nodes hold which always run."""
        return self.cluster.held(self.cluster.node_count_min)

    def percentiles_ms(self, utilisation: float, *shares: float) -> Sequence[float]:
        """Return response percentiles in ms when users send `utilisation` times what the pods can answer."""
        station, think_s = self.on.stations[self.pods], self.on.think_s
        users = max(1, round(utilisation * station.servers / station.service.mean_s * think_s))
        return percentiles_ms(response(self.on, steady_state(self.on, users)), shares)

    def latency(self) -> Latency:
        """Return the p95 and p99 of its requests over the utilisation of the pods."""
        return Latency.tabulated(lambda utilisation: self.percentiles_ms(utilisation, 0.95, 0.99))

    def policies(self, latency: Latency) -> tuple[Policy, ...]:
        """Return the ways of scaling that are compared: its own, each metric that follows the load alone, fixed fleets.

        `latency` is what pods show that are scaled by it.
        """
        least, base = self.service.lever.floor_count, self.service.lever.base_count
        own = self.service.workload.scaled_by
        counted = "nodes" if self.service.group.is_nodes else "pods"
        compared = ALONE if own in ALONE else (own, *ALONE)
        return (
            *(self.policy(metrics, latency) for metrics in compared),
            Policy("fixed-peak", f"{base} {counted} all day", self._autoscaler(), (), base),
            Policy("fixed-average", f"{least} {counted} all day", self._autoscaler(), (), least),
        )

    def policy(self, metrics: Sequence[str], latency: Latency) -> Policy:
        """Return the HPA that reads these metrics."""
        grid, targets = Grid(), self.service.workload.targets
        signals = tuple(self._signal(metric, targets[metric].value, latency, grid) for metric in metrics)
        own = "the scenario's own: " if tuple(metrics) == self.service.workload.scaled_by else ""
        words = f"{own}{' and '.join(_words(metric, targets[metric].value) for metric in metrics)}"
        return Policy(named(metrics), words, self._autoscaler(), signals, self.service.lever.floor_count)

    def _autoscaler(self) -> Autoscaler:
        rules, workload = self.plan.scenario.autoscaling, self.service.workload
        up = Rules((Pace("Percent", rules.scale_up_percent, rules.scale_up_period_s),), "Max", rules.scale_up_window_s)
        slow = Pace("Percent", rules.scale_down_percent, rules.scale_down_period_s)
        behavior = Behavior(up, Rules((slow,), "Max", rules.scale_down_window_s))
        return Autoscaler(workload.replica_count_max, workload.replica_count_min, behavior)

    def _signal(self, metric: str, target: float, latency: Latency, grid: Grid) -> Signal:
        """Return what a pod shows of a metric at each utilisation, and the target of it."""
        rules, workload = self.plan.scenario.autoscaling, self.service.workload
        grows = rules.memory_busy_ratio - rules.memory_resting_ratio
        busy_share = workload.cores_per_pod / workload.cpu_cores
        if metric == "latency":
            return tabulate("pods", target, latency.p95_s, grid)
        if metric == "memory":
            return tabulate("memory", target, lambda busy: rules.memory_resting_ratio + grows * min(1.0, busy), grid)
        if metric == "cpu":
            return tabulate("cpu", target, lambda busy: min(1.0, busy) * busy_share, grid)
        return tabulate("pods", target, lambda busy: min(1.0, busy) * self.pod_requests_per_s, grid)

    def run(
        self,
        policy: Policy,
        traffic: Traffic,
        latency: Latency,
        run_count: int,
        seed: int,
        told: Callable[[int], None] = lambda cells: None,
    ) -> Result:
        """Return what a policy does with the service's part of the traffic; `told` hears of ticks that are done."""
        own, pace = traffic.part(self.service.request_share), self.pod_requests_per_s
        return replay(policy, own, latency, self.slo_ms, pace, self.cluster, run_count, seed, told)

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
            has_added_pods=bool(policy.signals) and result.pod_count_max > self.pod_count_floor,
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
            each.tier
            for each in workloads
            if (each.group, each.serves) == (self.service.group.name, "requests") and each.tier != self.service.name
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


def named(metrics: Sequence[str]) -> str:
    """Return what the policy is called that reads these metrics."""
    return "+".join(metrics)


def _words(metric: str, target: float) -> str:
    words = {
        "latency": f"p95 latency of {target * 1000:g} ms",
        "memory": f"memory, {target:g}% of the request",
        "cpu": f"CPU, {target:g}% of the request",
        "requests": f"requests, {target:,.4g}/s a pod",
    }
    return words[metric]


def _chain_of(plan: Plan, service: Service) -> Chain:
    """Return the chain of a service's own requests: its nodes at the floor, every other count at its base.

    What they share with those of other services, such as a database, is sent these too, in proportion; the other
    services themselves are left out, as none of its requests visits them and an autoscaler adds to them in time. A user
    comes to one of several services once in so many thoughts: thinking lasts as much longer.
    """
    counts = {service.lever.name: service.lever.floor_count}
    return chain(plan.scenario, places(plan.scenario, plan.fleet, counts), service.name)
