"""A measured run against the scenario's limits and against what the plan predicted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from math import isfinite
from types import MappingProxyType
from typing import Final, NamedTuple

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.evidence.deployed import Deployed, System
from cascade_plan.evidence.estimates import Demand, Estimated
from cascade_plan.evidence.estimating import predicted
from cascade_plan.evidence.service_demands import mean_ms, of_services
from cascade_plan.evidence.steady import Run, run
from cascade_plan.evidence.texts import quoted
from cascade_plan.model.derivation import Finding
from cascade_plan.model.measurement import PERCENTILES, TOLERANCE, Applied, Comparison, Measurement, Verification
from cascade_plan.model.observation import CORES, Measure, Metrics
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.scenario import Load, Scenario
from cascade_plan.planning.chain import Prediction
from cascade_plan.planning.judging import OPERATORS
from cascade_plan.planning.predicting import predict
from cascade_plan.units import counted, times, trimmed

USERS_TOLERANCE: Final = 0.05
"""A run with more or fewer users than this is not the load that was predicted."""
RATE_TOLERANCE: Final = 0.1
"""A run that sends more than this below what its users must send was not driven as the load asks (assumption: room for
the chance of pauses and for clocks of a second; the emitted Locust test is 1 % off on loopback, docs/model.md)."""
DROPPED_TOLERANCE: Final = 0.001
"""Of the iterations that were due so many may be dropped. They are dropped when the system is slow, so that the p95 of
the rest is that of a share of 0.95 less this one at worst."""
CPU_TOLERANCE: Final = 0.1
"""A CPU time that differs by less from the scenario's explains nothing: from run to run it moves by 2 to 4 %."""
PLANNED: Final = Deployed()
NO_METRICS: Final = Metrics()


def chosen(
    loads: Mapping[str, Load], measured: Mapping[str, Measurement], wanted: str | None
) -> tuple[str, Measurement]:
    """Return the load that was run and its measurement: the wanted one, or the only one the results allow.

    Raises UsageError listing the loads when there is none of that name, or no telling which it was.
    """
    known = ", ".join(f"{name} ({load.users:,} users)" for name, load in loads.items()) or "none"
    if wanted is not None:
        if wanted not in loads:
            raise UsageError(f"--load {wanted}: the scenario's loads are {known}{did_you_mean(wanted, list(loads))}")
        if wanted in measured or "" in measured:
            return wanted, measured[wanted if wanted in measured else ""]
        raise UsageError(f"--load {wanted}: the results are of {_names(measured)}")
    if "" not in measured:
        if len(measured) == 1 and (name := next(iter(measured))) in loads:
            return name, measured[name]
        raise UsageError(f"give --load NAME: the results are of {_names(measured)}; the scenario's loads are {known}")
    run = measured[""]
    fitting = [name for name, load in loads.items() if load.users == run.user_count]
    if len(fitting) == 1:
        return fitting[0], run
    users = "an unknown number of users" if run.user_count is None else f"{run.user_count:,} users"
    raise UsageError(f"give --load NAME: the run had {users}; the scenario's loads are {known}")


def _names(measured: Mapping[str, Measurement]) -> str:
    """Return the loads that results are of, for a message: they come from a file, and may hold anything."""
    return ", ".join(name if name.isascii() and name.isprintable() else quoted(name) for name in measured)


def verify(
    plan: Plan,
    load: str,
    measurement: Measurement,
    deployed: Deployed = PLANNED,
    busy: Mapping[str, float] = MappingProxyType({}),
    metrics: Metrics = NO_METRICS,
) -> Verification:
    """Return a measured run's verdicts, its comparison with predictions of what ran, and what follows from both.

    The run must show that the load was applied: users, duration, rate and, of iterations, those that were dropped.
    `busy` is how busy services were, by name; the metrics tell it better. Raises UsageError where no steady window is
    left of them.
    """
    system = System(plan.scenario, plan.fleet, deployed)
    applied = tuple(_applied(plan, load, measurement))
    is_short = any(each.verdict.status == "fail" for each in applied)
    verdicts = tuple(_verdicts(plan.scenario, load, measurement))
    comparisons = tuple(_comparisons(plan, system, load, measurement))
    told = observed(system, load, measurement, busy, metrics)
    found = of_services(system, [told]) if told.metrics.series else Estimated()
    findings = (
        *_about_results(load, measurement),
        *_about_rounding(verdicts),
        *_about_run(plan.scenario, load, measurement),
        *_about_generator(plan.scenario, load, measurement),
        *(() if is_short else _about_prediction(system, told, comparisons, found.demands)),
        *_about_cpu(system, told, found),
        *(
            Finding("warning", "failures", f"{failure.count:,} x {failure.what}", measurement.source)
            for failure in measurement.failures
        ),
    )
    return Verification(plan.scenario.name, load, measurement, applied, verdicts, comparisons, findings)


# ------------------------------------------------------------------------------------------------------------ the load


def _applied(plan: Plan, load: str, measurement: Measurement) -> Iterator[Applied]:
    """Yield each thing that shows whether the load was applied."""
    yield _users(plan.scenario, load, measurement)
    yield _duration(plan.scenario, load, measurement)
    yield _rate(plan, load, measurement)
    if measurement.dropped_count is not None:
        yield _dropped(load, measurement, measurement.dropped_count)


def _users(scenario: Scenario, load: str, measurement: Measurement) -> Applied:
    asked, users = scenario.driven[load].users, measurement.user_count
    figure, limit = f"user_count.{load}", Decimal(asked)
    if users is None:
        return _untold(figure, ">=", limit, "users", measurement)
    status = "pass" if users >= asked else "fail"
    return Applied(Verdict(figure, ">=", limit, users, status), f"{counted(users, 'user')} of {asked:,} asked")


def _duration(scenario: Scenario, load: str, measurement: Measurement) -> Applied:
    """Return whether all users were there for as long as asked, by the results' clock; not if the run was shorter."""
    asked_s, held_s = scenario.driven[load].duration_s, measurement.held_s
    clock_s = min(measurement.clock_s, asked_s / 2)  # of a second, the clock's two are no evidence
    figure, limit = f"duration_s.{load}", Decimal(str(asked_s))
    if held_s is not None:
        status = "pass" if held_s + clock_s >= asked_s else "fail"
        note = (
            f"{held_s:,.4g} s held, within {clock_s:g} s of {asked_s:g}"
            if status == "pass" and held_s < asked_s
            else ""
        )
        return Applied(
            Verdict(figure, ">=", limit, held_s, status, note), f"all users held for {held_s:,.4g} s of {asked_s:g}"
        )
    if measurement.run_s is not None and measurement.run_s + clock_s < asked_s:
        words = f"the whole run was {measurement.run_s:,.4g} s of {asked_s:g}"
        return Applied(Verdict(figure, ">=", limit, measurement.run_s, "fail", words), words)
    return _untold(figure, ">=", limit, "duration", measurement)


def _rate(plan: Plan, load: str, measurement: Measurement) -> Applied:
    """Return whether the requests came that the load's users, thinking and waiting as measured, must send."""
    figure, rate = f"requests_per_s.{load}", measurement.requests_per_s
    asked, why = requests_per_s_asked(plan.scenario, load, measurement)
    limit = Decimal(f"{asked * (1 - RATE_TOLERANCE):.4g}")
    if rate is None:
        return _untold(figure, ">=", limit, "requests/s", measurement)
    status = "pass" if Decimal(str(rate)) >= limit else "fail"
    note = f"{why}, less {RATE_TOLERANCE:.0%}"
    return Applied(Verdict(figure, ">=", limit, rate, status, note), f"{rate:,.4g} requests/s of {asked:,.4g} asked")


def requests_per_s_asked(
    scenario: Scenario, load: str, measurement: Measurement, users: int | None = None
) -> tuple[float, str]:
    """Return the requests/s that a load's users, or so many, must send who wait as was measured, and why, in words.

    Where the measured rate is that of the whole run, so is this one: while users arrive half of them are there. Users
    of whom no wait is told send as many as if they were answered at once.

    Source: the interactive response time law, X = N / (Z + R), Denning and Buzen, Computing Surveys 10 (1978).
    """
    asked = scenario.driven[load]
    there = asked.users if users is None else users
    think_s, waits_s = scenario.behaviour.think_time_s.mean, (measurement.latency_ms_mean or 0.0) / 1000
    rate = there / (think_s + waits_s)
    why = f"{counted(there, 'user')} who think {think_s:g} s and wait {waits_s:.3g} s send {rate:,.4g}"
    if measurement.rate_includes_ramp:
        ramp_s = asked.users / asked.spawn_rate_per_s
        rate *= (asked.duration_s + ramp_s / 2) / (asked.duration_s + ramp_s)
        why += f", with their ramp {rate:,.4g}"
    return rate, why


def _dropped(load: str, measurement: Measurement, dropped: int) -> Applied:
    made = measurement.iteration_count if measurement.iteration_count is not None else measurement.request_count
    due = made + dropped
    ratio = dropped / due if due else 0.0
    limit = Decimal(str(DROPPED_TOLERANCE))
    note = f"{dropped:,} of {due:,} iterations, of which {DROPPED_TOLERANCE:.1%} may be dropped" if dropped else ""
    verdict = Verdict(
        f"dropped_ratio.{load}", "<=", limit, ratio, "pass" if ratio <= DROPPED_TOLERANCE else "fail", note
    )
    return Applied(verdict, f"{dropped:,} of {due:,} iterations were dropped")


def _untold(figure: str, operator: str, limit: Decimal, what: str, measurement: Measurement) -> Applied:
    reason = f"not told by {measurement.results}"
    return Applied(Verdict(figure, operator, limit, None, "unjudged", reason), what)


# ---------------------------------------------------------------------------------------------------------- the limits


def _limits(scenario: Scenario, load: str) -> Iterator[tuple[str, str, Decimal]]:
    """Yield (figure, operator, limit) for what the load asks, and for the scenario's gates on its latency and rate."""
    asked = scenario.driven[load]
    limits = [
        (f"latency_ms_p95.{load}", "<", asked.latency_ms_p95),
        (f"latency_ms_p99.{load}", "<", asked.latency_ms_p99),
        (f"failure_ratio.{load}", "<=", asked.failure_ratio_max),
    ]
    own = [(figure, operator, Decimal(str(limit))) for figure, operator, limit in limits if limit is not None]
    gates = [
        (figure, *gate.split(" "))
        for figure, gates in sorted(scenario.gates.items())
        if figure.startswith(("latency_ms_", "requests_per_s.")) and figure.endswith(f".{load}")
        for gate in gates
    ]
    yield from dict.fromkeys([*own, *((figure, symbol, Decimal(limit)) for figure, symbol, limit in gates)])


def _verdicts(scenario: Scenario, load: str, measurement: Measurement) -> Iterator[Verdict]:
    for figure, operator, limit in _limits(scenario, load):
        found = _measured(measurement, figure.partition(".")[0])
        if found is None:
            yield Verdict(figure, operator, limit, None, "unjudged", f"not told by {measurement.results}")
            continue
        kept = {OPERATORS[operator](Decimal(str(end)), limit) for end in (found.least, found.most)}
        if len(kept) == 1:
            yield Verdict(figure, operator, limit, found.value, "pass" if True in kept else "fail")
        else:
            yield Verdict(figure, operator, limit, found.value, "unjudged", _between(measurement, figure, found))


class _Range(NamedTuple):
    """A measured figure as it is reported, and the least and the most it can be."""

    least: float
    value: float
    most: float


def _between(measurement: Measurement, figure: str, found: _Range) -> str:
    if figure.startswith("failure_ratio"):
        return f"requests that got no answer are left out of {measurement.results}"
    return f"it lies between {found.least:,.6g} and {found.most:,.6g}"


def _measured(measurement: Measurement, figure: str) -> _Range | None:
    """Return a measured figure; None where the results do not tell it."""
    if figure.startswith("latency_ms_"):
        one = measurement.percentiles.get(figure.rpartition("_")[2])
        return None if one is None else _Range(one.latency_ms_min, one.latency_ms, one.latency_ms_max)
    value = measurement.failure_ratio if figure == "failure_ratio" else measurement.requests_per_s
    if value is None:
        return None
    return _Range(value, value, 1.0 if figure == "failure_ratio" and not measurement.unanswered_told else value)


# ----------------------------------------------------------------------------------------------------- the predictions


def _is_comparable(load: Load, measurement: Measurement) -> bool:
    """Return whether a run had the users that the predictions are of, so far as it tells."""
    return measurement.user_count is None or abs(measurement.user_count / load.users - 1) <= USERS_TOLERANCE


def _comparisons(plan: Plan, system: System, load: str, measurement: Measurement) -> Iterator[Comparison]:
    """Yield predictions beside what was measured: the plan's, or those of the fleet that ran where it is said."""
    asked = plan.scenario.driven[load]
    if not _is_comparable(asked, measurement):
        return
    real: Prediction | None = None
    if not system.deployed.is_planned:
        real = predict(system.chain(plan.scenario, asked.users, load), asked.users)
    for name in ("latency_ms_p50", "latency_ms_p95", "latency_ms_p99", "requests_per_s"):
        found = _measured(measurement, name)
        derivation = plan.figures.get(f"{name}.{load}")
        if derivation is None or found is None or (name == "requests_per_s" and measurement.rate_includes_ramp):
            continue
        value = float(derivation.value if real is None else getattr(real, name))
        yield Comparison(
            f"{name}.{load}",
            derivation.unit,
            value,
            found.value,
            found.value / value - 1,
            not _near(value, found.least, found.most),
        )


def _about_prediction(
    system: System, run: Run, comparisons: tuple[Comparison, ...], demands: tuple[Demand, ...]
) -> Iterator[Finding]:
    """Yield that predictions are off, and whether it is the CPU time; nothing is fitted to a response time.

    Delay, spread, discipline and CPU time trade off in a response time; how busy the service was tells the CPU time
    alone, by the utilisation law.
    """
    off = [comparison for comparison in comparisons if comparison.beyond_tolerance]
    if not off:
        return
    words = ", ".join(f"{one.figure} {times(one.value_measured / one.value_predicted)}" for one in off)
    message = f"measured over predicted beyond {TOLERANCE:.0%}: {words}; "
    if not demands:
        busy = predict(system.chain(system.scenario, run.user_count or 1, run.load), run.user_count or 1)
        services = [name for name in system.scenario.of("api") if name in busy.utilisation_ratio]
        predicted_busy = ", ".join(f"{name} {busy.utilisation_ratio[name]:.0%}" for name in services)
        message += (
            f"how busy the pods were tells whether it is the CPU time (predicted: {predicted_busy or 'nothing'}): give "
            f"--busy {services[0] if services else 'api'}=SHARE, or --metrics FILE"
        )
    elif any(_is_apart(system.scenario, each) for each in demands):
        message += "the CPU times below are a reason for it"
    else:
        message += (
            "the CPU times are the scenario's, so that the delay is elsewhere: measure the other times (tiers.*), the "
            "network to the load generator, and whether the fleet was this one"
        )
    yield Finding("warning", "prediction", message, f"latency_ms_p95.{run.load}")


def _about_cpu(system: System, run: Run, found: Estimated) -> Iterator[Finding]:
    """Yield what a request took of each service's CPU, against the scenario's."""
    for demand in found.demands:
        own_ms = mean_ms(system.scenario, demand.tier)
        busy = "" if demand.busy_share is None else f"{demand.tier} was {demand.busy_share:.0%} busy: "
        took = f"a request took {demand.ms.value:.3g} ms of its CPU{_within(demand)}"
        told = f"{busy}{took}, and the scenario says {own_ms:.3g}"
        if not _is_apart(system.scenario, demand):
            yield Finding("info", "cpu-time", told, "behaviour.actions.*.cpu_ms")
            continue
        values = ", ".join(
            f"{path.split('.')[2]} {each.value:.3g}" for path, each in found.values.items() if path.endswith(".cpu_ms")
        )
        after = predicted(system, found, run.user_count or 1, run.load)
        message = (
            f"{told} ({times(demand.ms.value / own_ms)}): set behaviour.actions.*.cpu_ms to {values}, or calibrate; "
            f"p95 is then predicted at {after.latency_ms_p95:.3g} ms"
        )
        yield Finding("warning", "cpu-time", message, "behaviour.actions.*.cpu_ms")


def _within(demand: Demand) -> str:
    return "" if not isfinite(demand.ms.low) else f" ({demand.ms.low:.3g} to {demand.ms.high:.3g})"


def _is_apart(scenario: Scenario, demand: Demand) -> bool:
    """Return whether a service's CPU time a request is another than the scenario's."""
    return abs(demand.ms.value / mean_ms(scenario, demand.tier) - 1) > CPU_TOLERANCE


def observed(system: System, load: str, measurement: Measurement, busy: Mapping[str, float], metrics: Metrics) -> Run:
    """Return a run with its metrics, or with the cores in use that follow from how busy services are said to be."""
    told = run(load, system.scenario.driven, measurement, metrics, load)
    users = told.user_count or system.scenario.driven[load].users
    cores = {Measure(CORES, name): (share * system.capacity_cores(name, users, load),) for name, share in busy.items()}
    if cores:
        told = replace(told, metrics=Metrics((0.0,), 1.0, cores))
    return replace(told, user_count=users)


def _near(predicted: float, low: float, high: float) -> bool:
    """Return whether a prediction is within the tolerance of what was measured, which lies between two values."""
    nearest = min(max(predicted, low), high)
    return abs(nearest / predicted - 1) <= TOLERANCE


# ------------------------------------------------------------------------------------------------------------- the run


def _about_results(load: str, measurement: Measurement) -> Iterator[Finding]:
    """Yield what such results tell and what they do not, and what they count that a limit is not for."""
    told = {
        "users": measurement.user_count is not None,
        "duration": measurement.held_s is not None,
        "requests/s": measurement.requests_per_s is not None,
        "failures": measurement.failure_count is not None,
        **{name: name in measurement.percentiles for name in PERCENTILES},
    }
    found, lacks = (", ".join(name for name, is_told in told.items() if is_told is wanted) for wanted in (True, False))
    message = (
        f"told by {measurement.results}: {found or 'none of the figures'}{f'; not told: {lacks}' if lacks else ''}"
    )
    yield Finding("info", "results", "; ".join((message, *measurement.remarks)), measurement.source)
    if measurement.includes or measurement.may_include:
        counted = f"the percentiles count {_and(measurement.includes)}" if measurement.includes else ""
        perhaps = f"whether they count {_and(measurement.may_include)} is not told" if measurement.may_include else ""
        if not counted:
            perhaps = perhaps.replace("they", "the percentiles", 1)
        message = "; ".join(part for part in (counted, perhaps) if part)
        yield Finding("info", "included", f"{message}: the limits are for the rest", f"latency_ms_p95.{load}")


def _and(words: tuple[str, ...]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _about_rounding(verdicts: Iterable[Verdict]) -> Iterator[Finding]:
    for verdict in verdicts:
        if verdict.status == "unjudged" and verdict.value is not None and verdict.figure.startswith("latency_ms_"):
            yield Finding(
                "warning",
                "rounding",
                f"{verdict.figure}: {verdict.reason}, on both sides of {trimmed(f'{verdict.limit:f}')}; the emitted "
                "locustfile keeps three digits instead of Locust's two, and counts no logins",
                verdict.figure,
            )


def _about_run(scenario: Scenario, load: str, measurement: Measurement) -> Iterator[Finding]:
    if not _is_comparable(scenario.driven[load], measurement):
        users = f"{scenario.driven[load].users:,} users, and the run had {measurement.user_count:,}"
        yield Finding("warning", "users", f"predictions are of {users}: not compared", f"loads.{load}.users")


def _about_generator(scenario: Scenario, load: str, measurement: Measurement) -> Iterator[Finding]:
    """Yield that the users who were there sent more or less than such users must: no model, an operational law."""
    rate = measurement.requests_per_s
    if rate is None or not measurement.user_count:
        return
    due, why = requests_per_s_asked(scenario, load, measurement, measurement.user_count)
    if abs(rate / due - 1) <= RATE_TOLERANCE:
        return
    reason = (
        "the load generator did not keep up, or its users think longer than the scenario's"
        if rate < due
        else "its users think less than the scenario's behaviour.think_time_s"
    )
    yield Finding(
        "warning", "generator", f"{why} requests/s, but {rate:,.4g} were measured: {reason}", f"requests_per_s.{load}"
    )
