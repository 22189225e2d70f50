"""Plan -> Simulation: days of traffic through each service's autoscaler, beside others and fixed fleets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.model.plan import Plan
from cascade_plan.model.replay import Outcome, Replay, Simulation
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.trace import Trace
from cascade_plan.planning.ceilings import broken, requests_per_s_most
from cascade_plan.proving.autoscaler import TICK_S
from cascade_plan.proving.replay import TICKS_PER_DAY, Traffic, hourly_traffic, peak_of, trace_traffic
from cascade_plan.proving.stages import Stage, named, services

DISPERSION: Final = 4.5
"""Variance over mean of the requests of a minute, within an hour of the NASA-HTTP log of July 1995."""
MOST_SCALED: Final = 1e9
"""The most a trace is multiplied by: from a request in thirty years to one a second."""
NEAR_PEAK: Final = 0.5
"""Share of the scenario's peak below which a trace's own is said to be another one."""
AS_GOOD_MINUTES: Final = 0.05
"""Missed minutes a day that are shown as none: policies that differ by less are as good as each other."""


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


def simulate(
    plan: Plan, order: Order, progress: Callable[[str, float], None] = lambda policy, share: None
) -> Simulation:
    """Return what each service's own HPA, those by other metrics and fixed fleets do with the traffic.

    Every connected user acts, as in the named loads; a service is sent its share of the requests. `progress` is told
    each policy before it runs, and the share of all that is done since it was told last. Raises UsageError where
    nothing is scaled, and for a trace without a peak that is to be scaled to one.
    """
    scaled = services(plan)
    traffic = _traffic(plan, order)
    stages = tuple(Stage.of(plan, service) for service in scaled)
    replays = tuple(
        _replayed(stage, traffic, order, lambda policy, share: progress(policy, share / len(stages)))
        for stage in stages
    )
    return Simulation(
        scenario=plan.scenario.name,
        traffic=traffic.words,
        trace=order.trace.words if order.trace else "",
        slo=slo_words(plan.scenario),
        day_count=traffic.requests_per_s.size / TICKS_PER_DAY,
        run_count=order.run_count,
        seed=order.seed,
        replays=replays,
        cost_usd_per_month=_fleet_usd(plan, stages, replays),
        limits=tuple(_limits(plan, traffic)),
    )


def _limits(plan: Plan, traffic: Traffic) -> Iterator[str]:
    """Yield what the traffic asks more of than it does, whatever pods and nodes there are, and for how long."""
    rates = traffic.requests_per_s
    scale = {lever.name: lever.most_count for lever in plan.fleet.levers if lever.is_scaled}
    if words := broken(plan.fleet, float(rates.max()), float(rates.mean()), scale):
        most = requests_per_s_most(plan.fleet, scale)
        minutes = float((rates > most).sum()) * TICK_S / 60 / (rates.size / TICKS_PER_DAY)
        words += f"; {minutes:,.0f} min a day are above that, missed beside those that pods miss" if minutes else ""
        yield f"at up to {_rate(float(rates.max()))} requests/s {words}"


def _fleet_usd(plan: Plan, stages: Sequence[Stage], replays: Sequence[Replay]) -> Decimal:
    """Return what the fleet costs a month when every service scales as recommended.

    Nodes that several services share are, at each moment, as many as the service that needs most of them asks for, in
    the first run of each.
    """
    planned_usd = plan.bill.effective_usd.average
    together: dict[str, list[tuple[Stage, Replay]]] = {}
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


def _replayed(stage: Stage, traffic: Traffic, order: Order, progress: Callable[[str, float], None]) -> Replay:
    """Return what each policy does with a service's traffic. The shares that `progress` is told add up to 1."""
    results, latency = [], stage.latency()
    policies = tuple(stage.policies(latency))
    cell_count = traffic.requests_per_s.size * order.run_count * len(policies)
    for policy in policies:
        progress(policy.name, 0.0)

        def told(cells: int, name: str = policy.name) -> None:
            progress(name, cells / cell_count)

        results.append((policy, stage.run(policy, traffic, latency, order.run_count, order.seed, told)))
    outcomes = tuple(stage.outcome(policy, result) for policy, result in results)
    own = named(stage.service.workload.scaled_by)
    best, reason = recommended(outcomes, own)
    return Replay(
        service=stage.service.name,
        request_share=stage.service.request_share,
        outcomes=outcomes,
        recommended=best,
        reason=reason,
        timelines=tuple((policy.name, result.timeline) for policy, result in results),
        own=own,
        beside=stage.beside,
    )


def recommended(outcomes: tuple[Outcome, ...], own: str) -> tuple[str, str]:
    """Return the autoscaled policy that misses least, of those as good the cheapest that is shown to work, and why.

    A policy that never added a pod is cheap because it never did; nothing shows that it would in time. It is taken only
    where none did. One that costs more than the peak's nodes all day and misses no less is no scaling: it adds pods
    and keeps them. Of equals the scenario's own is taken.
    """
    scaled = [outcome for outcome in outcomes if not outcome.policy.startswith("fixed")]
    useful = [outcome for outcome in scaled if not any(_is_better_fixed(other, outcome) for other in outcomes)]
    least = min(outcome.missed_minutes_per_day_mean for outcome in useful or scaled)
    good = [each for each in useful or scaled if each.missed_minutes_per_day_mean <= least + AS_GOOD_MINUTES]
    shown = [outcome for outcome in good if outcome.has_added_pods]
    best = min(shown or good, key=lambda outcome: (outcome.cost_usd_per_day, outcome.policy != own))
    compared = "; ".join(
        f"{other.policy} misses {other.missed_minutes_per_day_mean:.1f} min a day at "
        f"${other.cost_usd_per_day:.2f} a day"
        for other in scaled
        if other is not best
    )
    return best.policy, (
        f"{best.policy} misses {best.missed_minutes_per_day_mean:.1f} min a day at ${best.cost_usd_per_day:.2f} a "
        f"day; {compared}.{_why(best, good, scaled)}"
    )


def _is_better_fixed(fixed: Outcome, scaled: Outcome) -> bool:
    """Return whether the peak's nodes all day cost less than a way of scaling, and miss no more."""
    return (
        fixed.policy == "fixed-peak"
        and fixed.cost_usd_per_day < scaled.cost_usd_per_day
        and fixed.missed_minutes_per_day_mean <= scaled.missed_minutes_per_day_mean
    )


def _why(best: Outcome, good: Sequence[Outcome], scaled: Sequence[Outcome]) -> str:
    """Return what speaks for the best of the policies, as sentences after a space."""
    if not best.has_added_pods:
        return " At this load the bounds decide, not the metric: the floor's pods are enough."
    why = ""
    if idle := [outcome.policy for outcome in good if not outcome.has_added_pods]:
        why = f" Nothing here shows that {' or '.join(idle)} would add pods in time: no pod was added by it."
    late = [outcome for outcome in scaled if outcome not in good and "latency" in outcome.policy]
    if late or any("latency" in policy for policy in idle):
        why += (
            " A latency is not proportional to load: far below saturation it asks for fewer pods than the load needs, "
            "and it rises only when the pods are already full."
        )
    return why


def slo_words(scenario: Scenario) -> str:
    """Return the limit that every minute of the days is held against, and the one that a plan holds the peak against.

    A day has every number of users up to the peak, and is held against the strictest limit all along; a plan judges
    each load by its own.
    """
    limit = scenario.strictest[0]
    if not scenario.loads:
        return f"p95 below {limit:,g} ms, the autoscaler's target, as no load is given"
    names = [name for name, load in scenario.loads.items() if load.latency_ms_p95 == limit]
    said = f"p95 below {limit:,g} ms at all times, the limit of load {names[0]}"
    peak = [load.latency_ms_p95 for load in scenario.driven.values() if load.users >= scenario.users.peak]
    if not peak:
        return f"{said}; no load drives the peak, so size judges no latency there"
    return said if min(peak) <= limit else f"{said}; size judges the peak by its own load's {min(peak):,g} ms"


def own_day(plan: Plan, day_count: int = 1) -> Traffic:
    """Return the requests of the scenario's own day, every connected user acting."""
    users = plan.scenario.users
    rate = 1 / plan.scenario.behaviour.think_time_s.mean
    hours = [count * rate for count in plan.traffic.hourly_users]
    words = f"the scenario's day, {users.peak:,} users at peak and {users.average:,} on average, all acting"
    return hourly_traffic(hours, day_count, DISPERSION, words)


def _traffic(plan: Plan, order: Order) -> Traffic:
    users = plan.scenario.users
    rate = 1 / plan.scenario.behaviour.think_time_s.mean
    if order.trace is None:
        return own_day(plan, order.day_count or 1)
    wanted, has = users.peak * rate, peak_of(order.trace)
    if order.is_scaled_to_peak and wanted >= MOST_SCALED * has:
        raise UsageError(
            f"{order.trace.name}: nearly all of it is without requests, so it has no peak to scale: leave "
            "--scale-to-peak out"
        )
    if order.is_scaled_to_peak:
        words = f"{order.trace.name}, scaled so that its 99.9th percentile is {_rate(wanted)} requests/s"
        return trace_traffic(order.trace, wanted / has, order.day_count, words)
    words = f"{order.trace.name} as it is, its 99.9th percentile {_rate(has)} requests/s"
    if not NEAR_PEAK * wanted <= has <= wanted:
        words += (
            f", {has / wanted:.2g} times the {_rate(wanted)} of the scenario's {users.peak:,} users "
            "(--scale-to-peak scales it to them)"
        )
    return trace_traffic(order.trace, 1.0, order.day_count, words)


def _rate(requests_per_s: float) -> str:
    return f"{requests_per_s:,.0f}" if requests_per_s >= 100 else f"{requests_per_s:.3g}"
