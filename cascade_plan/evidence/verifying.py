"""A measured run against the scenario's limits and against what the plan predicted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.formulas.roots import root
from cascade_plan.model.derivation import Finding
from cascade_plan.model.measurement import TOLERANCE, Comparison, Measurement, Verification
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.scenario import Load, Scenario
from cascade_plan.planning.chain import Prediction, predict
from cascade_plan.planning.judging import OPERATORS
from cascade_plan.planning.latencies import chain_for

USERS_TOLERANCE: Final = 0.05
"""A run with more or fewer users than this is not the load that was predicted."""
CLOCK_S: Final = 2.0
"""The history has a row a second: the first and the last second with all users may both be missing from it."""
FACTORS: Final = (1 / 64, 64.0)
"""Between which factors on the CPU times one is sought that explains a measurement."""


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
        raise UsageError(f"--load {wanted}: the results are of {', '.join(measured)}")
    if "" not in measured:
        if len(measured) == 1 and (name := next(iter(measured))) in loads:
            return name, measured[name]
        raise UsageError(
            f"give --load NAME: the results are of {', '.join(measured)}; the scenario's loads are {known}"
        )
    run = measured[""]
    fitting = [name for name, load in loads.items() if load.users == run.user_count]
    if len(fitting) == 1:
        return fitting[0], run
    users = "an unknown number of users" if run.user_count is None else f"{run.user_count:,} users"
    raise UsageError(f"give --load NAME: the run had {users}; the scenario's loads are {known}")


def verify(plan: Plan, load: str, measurement: Measurement) -> Verification:
    """Return a measured run's verdicts, its comparison with the plan's predictions, and what follows from both."""
    verdicts = tuple(_verdicts(plan.scenario, load, measurement))
    comparisons = tuple(_comparisons(plan, load, measurement))
    findings = (
        *_about_rounding(verdicts),
        *_about_run(plan.scenario, load, measurement),
        *_about_generator(plan.scenario, load, measurement),
        *_about_prediction(plan, load, measurement, comparisons),
        *(
            Finding("warning", "failures", f"{failure.count:,} x {failure.what}", measurement.source)
            for failure in measurement.failures
        ),
    )
    return Verification(plan.scenario.name, load, measurement, verdicts, comparisons, findings)


# ---------------------------------------------------------------------------------------------------------- the limits


def _limits(scenario: Scenario, load: str) -> Iterator[tuple[str, str, Decimal]]:
    """Yield (figure, operator, limit) for what the load asks, and for the scenario's gates on its latency and rate."""
    asked = scenario.driven[load]
    limits = [
        (f"latency_ms_p95.{load}", "<", asked.latency_ms_p95),
        (f"latency_ms_p99.{load}", "<", asked.latency_ms_p99),
        (f"failure_ratio.{load}", "<=", asked.failure_ratio_max),
        (f"user_count.{load}", ">=", asked.users),
        (f"duration_s.{load}", ">=", asked.duration_s),
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
        low, value, high = _measured(measurement, figure.partition(".")[0])
        if value is None or low is None or high is None:
            # Users and duration are not the system's: a summary that does not tell them proves no less of it.
            if not figure.startswith(("user_count", "duration_s")):
                yield Verdict(figure, operator, limit, None, "unjudged", f"{measurement.tool}'s results do not tell it")
            continue
        kept = {OPERATORS[operator](Decimal(str(end)), limit) for end in (low, high)}
        if len(kept) == 1 or figure.startswith("duration_s"):
            yield Verdict(figure, operator, limit, value, "pass" if True in kept else "fail")
        else:
            reason = f"{measurement.tool} rounded it: it lies between {low:g} and {high:g}"
            yield Verdict(figure, operator, limit, value, "unjudged", reason)


def _measured(measurement: Measurement, figure: str) -> tuple[float | None, float | None, float | None]:
    """Return the least, the reported and the most a measured figure can be; None where the results do not tell it."""
    if figure.startswith("latency_ms_"):
        found = measurement.percentiles.get(figure.rpartition("_")[2])
        return (None, None, None) if found is None else (found.latency_ms_min, found.latency_ms, found.latency_ms_max)
    if figure == "duration_s":
        held_s = measurement.held_s
        return held_s, held_s, None if held_s is None else held_s + CLOCK_S
    value = {
        "failure_ratio": measurement.failure_ratio,
        "user_count": measurement.user_count,
        "requests_per_s": measurement.requests_per_s,
    }[figure]
    return value, value, value


# ----------------------------------------------------------------------------------------------------- the predictions


def _is_comparable(load: Load, measurement: Measurement) -> bool:
    """Return whether a run had the users that the predictions are of, so far as it tells."""
    return measurement.user_count is None or abs(measurement.user_count / load.users - 1) <= USERS_TOLERANCE


def _comparisons(plan: Plan, load: str, measurement: Measurement) -> Iterator[Comparison]:
    if not _is_comparable(plan.scenario.driven[load], measurement):
        return
    for name in ("latency_ms_p50", "latency_ms_p95", "latency_ms_p99", "requests_per_s"):
        low, value, high = _measured(measurement, name)
        derivation = plan.figures.get(f"{name}.{load}")
        if derivation is None or value is None or low is None or high is None:
            continue
        predicted = float(derivation.value)
        yield Comparison(
            f"{name}.{load}",
            derivation.unit,
            predicted,
            value,
            value / predicted - 1,
            not _near(predicted, low, high),
        )


def _about_prediction(
    plan: Plan, load: str, measurement: Measurement, comparisons: tuple[Comparison, ...]
) -> Iterator[Finding]:
    """Yield what it means that predictions are off, with CPU times that explain all of it if there are such."""
    off = [comparison for comparison in comparisons if comparison.beyond_tolerance]
    if not off:
        return
    words = ", ".join(f"{one.figure} {one.value_measured / one.value_predicted:.2g} x" for one in off)
    message = f"measured over predicted beyond {TOLERANCE:.0%}: {words}; "
    explained = cpu_factor(plan, load, measurement)
    if explained is None:
        rest = (
            "no one factor on behaviour.actions.*.cpu_ms explains latency and throughput together: measure the other "
            "times (tiers.*), the network to the load generator, and whether the fleet was the plan's"
        )
    else:
        factor, service, busy = explained
        times = ", ".join(
            f"{name} {action.cpu_ms * factor:.2g}" for name, action in plan.scenario.behaviour.actions.items()
        )
        rest = (
            f"CPU times {factor:.2g} x the scenario's would explain p50, p95 and throughput to within {TOLERANCE:.0%} "
            f"on the plan's fleet. The pods of {service} were then {busy:.0%} busy: if so, set "
            f"behaviour.actions.*.cpu_ms to about {times}; if not, the delay is elsewhere"
        )
    yield Finding("warning", "prediction", message + rest, f"latency_ms_p95.{load}")


class Explained(NamedTuple):
    """A factor on every action's CPU time that explains a measurement, and the service that is fullest with it."""

    factor: float
    service: str
    busy_share: float


def cpu_factor(plan: Plan, load: str, measurement: Measurement) -> Explained | None:
    """Return the factor on every action's CPU time that explains a measurement, and how busy a service then is.

    None where none does. Some service must answer the load. The factor is the one with which the p95 is predicted as
    measured; it is believed only if it predicts p50 and throughput too, which it was not fitted to. Throughput alone
    tells nothing of CPU times: below saturation it is users over think time whatever they are. Where a service would be
    full, a delay of the same length elsewhere gives the same p50, p95 and throughput: only the CPU's own figures tell
    the two apart, hence the busy share, that of the fullest service.
    """
    p95, p50, rate = measurement.percentiles.get("p95"), measurement.percentiles.get("p50"), measurement.requests_per_s
    if p95 is None or p50 is None or rate is None:
        return None
    asked = plan.scenario.driven[load]

    def predicted(factor: float) -> Prediction:
        return predict(chain_for(_slower(plan.scenario, factor), plan.fleet, asked), asked.users)

    low, high = FACTORS
    found = root(lambda factor: predicted(factor).latency_ms_p95 - p95.latency_ms, low, high, 1e-3)
    explained = predicted(found)
    fits = (
        found not in FACTORS
        and _near(explained.latency_ms_p95, p95.latency_ms_min, p95.latency_ms_max)
        and _near(explained.latency_ms_p50, p50.latency_ms_min, p50.latency_ms_max)
        and _near(explained.requests_per_s, rate, rate)
    )
    if not fits:
        return None
    service = max(_services(plan, asked), key=lambda name: explained.utilisation_ratio[name])
    return Explained(found, service, explained.utilisation_ratio[service])


def _services(plan: Plan, load: Load) -> tuple[str, ...]:
    """Return the places where requests take CPU time of a service."""
    tiers = {workload.tier for workload in plan.fleet.workloads if workload.serves == "requests"}
    return tuple(place.name for place in chain_for(plan.scenario, plan.fleet, load).places if place.tier in tiers)


def _near(predicted: float, low: float, high: float) -> bool:
    """Return whether a prediction is within the tolerance of what was measured, which lies between two values."""
    nearest = min(max(predicted, low), high)
    return abs(nearest / predicted - 1) <= TOLERANCE


def _slower(scenario: Scenario, factor: float) -> Scenario:
    actions = {
        name: action.model_copy(update={"cpu_ms": action.cpu_ms * factor})
        for name, action in scenario.behaviour.actions.items()
    }
    return scenario.model_copy(update={"behaviour": scenario.behaviour.model_copy(update={"actions": actions})})


# ------------------------------------------------------------------------------------------------------------- the run


def _about_rounding(verdicts: Iterable[Verdict]) -> Iterator[Finding]:
    for verdict in verdicts:
        if verdict.status == "unjudged" and verdict.value is not None:
            yield Finding(
                "warning",
                "rounding",
                f"{verdict.figure}: {verdict.reason}, on both sides of {verdict.limit:f}; the emitted locustfile keeps "
                "three digits instead of two",
                verdict.figure,
            )


def _about_run(scenario: Scenario, load: str, measurement: Measurement) -> Iterator[Finding]:
    if measurement.ramp_included:
        yield Finding(
            "info",
            "ramp",
            "the percentiles include requests made while users were still arriving: the emitted load tests leave them "
            "out, and so does locust --reset-stats",
            f"latency_ms_p95.{load}",
        )
    if not _is_comparable(scenario.driven[load], measurement):
        users = f"{scenario.driven[load].users:,} users, and the run had {measurement.user_count:,}"
        yield Finding("warning", "users", f"predictions are of {users}: not compared", f"loads.{load}.users")
    unknown = [
        name for name, value in (("users", measurement.user_count), ("duration", measurement.held_s)) if value is None
    ]
    if unknown:
        message = f"the results do not tell {' and '.join(unknown)}: not judged"
        yield Finding("warning", "unjudged", message, measurement.source)


def _about_generator(scenario: Scenario, load: str, measurement: Measurement) -> Iterator[Finding]:
    """Yield that users sent less than thinking and waiting users must: an operational law, no model.

    Source: the interactive response time law, Denning and Buzen, Computing Surveys 10 (1978).
    """
    if measurement.requests_per_s is None or not measurement.user_count:
        return
    think_s, waits_s = scenario.behaviour.think_time_s.mean, measurement.latency_ms_mean / 1000
    due, sent = measurement.user_count / (think_s + waits_s), measurement.requests_per_s
    if abs(sent / due - 1) <= TOLERANCE:
        return
    reason = (
        "the load generator did not keep up, or its users think longer than the scenario's"
        if sent < due
        else "its users think less than the scenario's behaviour.think_time_s"
    )
    yield Finding(
        "warning",
        "generator",
        f"{measurement.user_count:,} users who think {think_s:g} s and wait {waits_s:.3g} s send {due:,.4g} "
        f"requests/s, but {sent:,.4g} were measured: {reason}",
        f"requests_per_s.{load}",
    )
