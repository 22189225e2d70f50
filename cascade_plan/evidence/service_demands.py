"""The CPU time of a service's requests: by the utilisation law, and by action where the mix tells them apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf, isfinite
from typing import Final, NamedTuple

from cascade_plan.evidence.deployed import System
from cascade_plan.evidence.estimates import Demand, Estimated, Law, series, value
from cascade_plan.evidence.steady import Run, routes_of
from cascade_plan.formulas.demands import CONDITION_MOST, Estimate, Trend, by_kind, ratio, trend
from cascade_plan.model.derivation import Finding
from cascade_plan.model.observation import CORES, THROTTLED_SHARE, Measure
from cascade_plan.model.scenario import Scenario
from cascade_plan.units import counted

CPU_MS: Final = "behaviour.actions.{}.cpu_ms"
MOST_BUSY: Final = 0.9
"""Above it requests end in another window than they used CPU, and rates and CPU time no longer belong together."""
SATURATED: Final = 0.99
"""From here a load saturates its service. Measured: 2.86 ms a request at 97 % busy, and 2.98 at 100 %."""
LEAST_BUSY: Final = 0.1
"""Below it background work is a large part of the CPU time."""
TELLS_KINDS_TO: Final = 0.6
"""Up to this busy share windows tell actions apart: measured, at 95 % the least squares are nonsense."""
WIDEST: Final = 0.25
"""The half-width, over the value, of an action's interval beyond which the scenario's ratio is as good a guess."""
DIFFERENT: Final = 0.1
"""Two figures that should be one and differ by more are worth a warning."""
THROTTLED: Final = 0.05
"""A share of throttled periods from which the limit, and not the need, decides the CPU time that is seen."""


def of_services(system: System, runs: Sequence[Run]) -> Estimated:
    """Return the CPU times of all services' actions, and how they change with how busy a service is."""
    found = Estimated()
    for name in system.scenario.of("api"):
        found = found.beside(_service(system, runs, name))
    return found


def _service(system: System, runs: Sequence[Run], service: str) -> Estimated:
    """Return the CPU time of a service's actions: of each where the mix tells them apart, else in their ratios."""
    scenario = system.scenario
    actions = {name: a.cpu_ms for name, a in scenario.behaviour.actions.items() if scenario.service(a) == service}
    if not actions:
        return Estimated()
    seen = [_Seen(run, demand) for run in runs if (demand := _demand(system, run, service)) is not None]
    if not seen:
        why = f"no series of cores:{service} beside the rate of its requests"
        return Estimated(left=dict.fromkeys(map(CPU_MS.format, actions), why))
    split, words = _split(system, seen, service, [*actions])
    parts = split or {name: Estimate(ms, ms, ms) for name, ms in actions.items()}
    times = [each.demand.ms.value / _mixed(scenario, each.run, service, parts) for each in seen]
    at = [each.busy_share for each in seen]
    taken = max((at[i], i) for i in range(len(at)) if at[i] <= MOST_BUSY or at[i] == min(at))[1]
    told = seen[taken].demand
    law = f"utilisation law, {counted(len(seen), 'load')}: {told.ms.value:.3g} ms a request{_said_busy(told)}"
    factor = told.ms.scaled(times[taken] / told.ms.value)
    values = {CPU_MS.format(name): value(_product(parts[name], factor), f"{law}; {words}") for name in actions}
    left = {f"tiers.{service}.service_scv": "only the CPU times of single requests tell their spread"}
    if getattr(scenario.tiers[service], "await_cpu_ms", 0.0):
        left[f"tiers.{service}.await_cpu_ms"] = "only a profile of the loop tells how its CPU time lies between awaits"
    findings = (
        *_about_demands(seen, times, service),
        *_about_mix(scenario, _measured_mix(scenario, service, [each.run for each in seen])),
        *_about_limits(runs, service),
    )
    laws = {service: Law(_trend(at, times), times[taken])}
    return Estimated(values, left, laws, tuple(each.demand for each in seen), findings)


def _trend(at: Sequence[float], times: Sequence[float]) -> Trend:
    """Return the line of the loads that do not saturate, where there are such: overload is work of another kind."""
    kept = [(share, time) for share, time in zip(at, times, strict=True) if share < SATURATED]
    return trend(*zip(*(kept or [*zip(at, times, strict=True)]), strict=True))


class _Seen(NamedTuple):
    run: Run
    demand: Demand

    @property
    def busy_share(self) -> float:
        return self.demand.busy_share or 0.0


def _said_busy(demand: Demand) -> str:
    return f" in {demand.run}" if demand.busy_share is None else f" at {demand.busy_share:.0%} busy ({demand.run})"


def _mixed(scenario: Scenario, run: Run, service: str, parts: Mapping[str, Estimate]) -> float:
    """Return the mean of the actions' CPU times in the mix of a run, or of the scenario where no routes tell it."""
    measured = _measured_mix(scenario, service, [run])
    weights = measured or {name: scenario.behaviour.actions[name].weight for name in parts}
    return sum(weights[name] * each.value for name, each in parts.items()) / sum(weights.values())


def mean_ms(scenario: Scenario, service: str) -> float:
    """Return the CPU time of a service's requests in the mean of the scenario's mix."""
    own = [(share, each.cpu_ms) for share, each in scenario.behaviour.mix if scenario.service(each) == service]
    return sum(share * ms for share, ms in own) / sum(share for share, _ in own)


def _demand(system: System, run: Run, service: str) -> Demand | None:
    """Return a service's CPU time a request in a run, as the scenario's are: of what that was measured on.

    None where no series tell it.
    """
    cores = series(system.scenario, run, CORES, service, "api")
    rates = _service_rates(system.scenario, run, service)
    if cores is None or rates is None:
        return None
    both = run.beside(cores, rates)
    if not both or not sum(both[1]):
        return None
    busy = None
    if run.user_count is not None:
        busy = sum(both[0]) / len(both[0]) / system.capacity_cores(service, run.user_count, run.load)
    return Demand(run.name, service, busy, ratio(*both).scaled(1000 * system.fleet.speed_of(service)))


def _service_rates(scenario: Scenario, run: Run, service: str) -> tuple[float, ...] | None:
    """Return the requests/s of a service in each window; the load test's rate where the monitoring tells none."""
    if rates := run.rates(service):
        return rates
    share = sum(share for share, action in scenario.behaviour.mix if scenario.service(action) == service)
    if rates := run.rates(""):
        return tuple(rate * share for rate in rates)
    if run.measurement is None or run.measurement.requests_per_s is None or run.measurement.rate_includes_ramp:
        return None
    return (run.measurement.requests_per_s * share,) * len(run.metrics.starts_s)


class _Kinds(NamedTuple):
    rates: list[list[float]]
    cores: list[float]


def _split(
    system: System, seen: Sequence[_Seen], service: str, actions: Sequence[str]
) -> tuple[dict[str, Estimate] | None, str]:
    """Return the CPU time of each action in ms, and how it was found; None where the mix does not tell them apart.

    Every window is brought to the mean rate of its run, so that a load that is twice as high tells nothing of the mix.
    """
    if len(actions) == 1:
        return None, "the only action of the service"
    kinds = _Kinds([], [])
    for each in seen:
        run = each.run
        routes = routes_of(system.scenario, service, run.metrics)
        cores = series(system.scenario, run, CORES, service, "api")
        if routes is None or cores is None or each.busy_share > TELLS_KINDS_TO:
            continue
        windows = [*zip(*run.beside(cores, *(routes[name] for name in actions)), strict=True)]
        scale = sum(sum(window[1:]) for window in windows) / max(1, len(windows)) or 1.0
        kinds.cores.extend(window[0] / scale for window in windows)
        kinds.rates.extend([rate / scale for rate in window[1:]] for window in windows)
    kept = "split by the scenario's ratios, "
    if not kinds.cores:
        return None, f"{kept}as no rates by route tell the actions apart up to {TELLS_KINDS_TO:.0%} busy"
    try:
        found, _, number = by_kind(kinds.rates, kinds.cores)
    except ValueError:
        return None, f"{kept}as {counted(len(kinds.cores), 'window')} are too few to tell the actions apart"
    said = "infinite" if number == inf else f"{number:.0f}"
    if number >= CONDITION_MOST or min(each.value for each in found) <= 0:
        return None, f"{kept}as the mix does not tell the actions apart (condition number {said})"
    if any(each.high - each.value > WIDEST * each.value for each in found):
        return None, f"{kept}as those of single actions are not told to {WIDEST:.0%} (condition number {said})"
    estimates = {name: each.scaled(1000) for name, each in zip(actions, found, strict=True)}
    return estimates, f"by action, least squares of {len(kinds.cores):,} windows (condition number {said})"


def _product(one: Estimate, other: Estimate) -> Estimate:
    """Return the product of two estimates, their relative half-widths added as independent ones are."""
    value = one.value * other.value
    halves = [(each.high - each.value) / each.value if each.value else 0.0 for each in (one, other)]
    half = value * sum(h * h for h in halves) ** 0.5
    return Estimate(value, value - half, value + half)


def _measured_mix(scenario: Scenario, service: str, runs: Sequence[Run]) -> dict[str, float] | None:
    """Return the mean rate of each action of a service over the runs; None where no routes tell."""
    totals: dict[str, float] = {}
    for each in runs:
        for name, values in (routes_of(scenario, service, each.metrics) or {}).items():
            known = [value for value in values if isfinite(value)]
            totals[name] = totals.get(name, 0.0) + sum(known) / max(1, len(known))
    return totals if sum(totals.values()) else None


def _about_demands(seen: Sequence[_Seen], times: Sequence[float], service: str) -> Iterator[Finding]:
    """Yield what is to be said of loads whose CPU time differs for the same mix, or at which it misleads."""
    where = CPU_MS.format("*")
    if max(times) > min(times) * (1 + DIFFERENT):
        ordered = sorted(seen, key=lambda each: each.busy_share)
        low, high = ordered[0].demand, ordered[-1].demand
        message = (
            f"{service} takes {low.ms.value:.3g} ms of CPU a request in {low.run} and {high.ms.value:.3g} ms in "
            f"{high.run}: the values are those of one load, and predictions of the others are off by as much"
        )
        yield Finding("warning", "demand-by-load", message, where)
    for each in (one.demand for one in seen if one.demand.busy_share is not None):
        busy = f"{service} is {each.busy_share:.0%} busy in {each.run}"
        if (each.busy_share or 0.0) < LEAST_BUSY:
            words = "background work may be a large part of that"
            yield Finding("warning", "hardly-busy", f"{busy}: {words}", where)
        elif (each.busy_share or 0.0) > MOST_BUSY:
            words = "near saturation 1 % in the CPU time is 10 % and more in a p95; it is taken for the trend alone"
            yield Finding("warning", "nearly-saturated", f"{busy}: {words}", where)


def _about_mix(scenario: Scenario, measured: Mapping[str, float] | None) -> Iterator[Finding]:
    if measured is None:
        return
    weights = {name: scenario.behaviour.actions[name].weight for name in measured}
    for name, rate in measured.items():
        asked, seen = weights[name] / sum(weights.values()), rate / sum(measured.values())
        if abs(seen - asked) > DIFFERENT * asked:
            message = f"{seen:.1%} of the requests were {name}, and {asked:.1%} by the scenario's weights"
            yield Finding("warning", "mix", message, f"behaviour.actions.{name}.weight")


def _about_limits(runs: Sequence[Run], service: str) -> Iterator[Finding]:
    for each in runs:
        values = [v for v in each.metrics.series.get(Measure(THROTTLED_SHARE, service), ()) if isfinite(v)]
        if values and (share := sum(values) / len(values)) > THROTTLED:
            message = (
                f"{service} was throttled in {share:.0%} of the periods of {each.name}: it has fewer cores than its "
                f"nodes; say how many with --cores {service}=NUMBER"
            )
            yield Finding("warning", "throttled", message, f"tiers.{service}.pod")
