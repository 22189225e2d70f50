"""From runs to values of the scenario: what the data tell, with intervals, and what they do not tell.

What needs no queue comes first: counters, and CPU time by the utilisation law. Only the delay that is left is found
through the model, at the lowest load, where a queue explains least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Final

from cascade_plan.evidence.counting import from_counters
from cascade_plan.evidence.deployed import System, slowed
from cascade_plan.evidence.estimates import Estimated, rounded
from cascade_plan.evidence.service_demands import of_services
from cascade_plan.evidence.steady import Run
from cascade_plan.evidence.tier_demands import of_tiers_behind
from cascade_plan.formulas.demands import think_time_s
from cascade_plan.formulas.roots import root
from cascade_plan.model.calibration import Calibrated
from cascade_plan.model.derivation import Finding
from cascade_plan.model.scenario import Scenario, with_values
from cascade_plan.planning.chain import Prediction
from cascade_plan.planning.predicting import predict
from cascade_plan.units import counted

DIFFERENT: Final = 0.1
"""Pauses that differ by more are worth a warning."""
LONGEST_DELAY: Final = 1000.0
"""The most times the scenario's delays that are tried."""


def estimated(system: System, runs: Sequence[Run]) -> Estimated:
    """Return what the runs tell of a system's scenario; nothing that they do not tell."""
    found = _as_measured_on(system, from_counters(system.scenario, runs))
    found = found.beside(of_services(_calibrated(system, found), runs))
    found = found.beside(of_tiers_behind(found.applied(system.scenario), system.fleet, runs, found))
    found = found.beside(_think_time(system.scenario, runs))
    return found.beside(_delay(_calibrated(system, found), runs, found))


def _as_measured_on(system: System, found: Estimated) -> Estimated:
    """Return what counters of databases tell, with times on the shapes that ran as the scenario's are."""
    values = dict(found.values)
    for path, each in found.values.items():
        _, tier, leaf = path.split(".")
        if leaf in ("read_ms", "write_ms", "parse_ms") and (speed := system.fleet.speed_of(tier)) != 1:
            values[path] = each.model_copy(update={"value": rounded(each.value * speed)})
    return replace(found, values=values)


def _calibrated(system: System, found: Estimated) -> System:
    return replace(system, scenario=found.applied(system.scenario))


def predicted(system: System, found: Estimated, users: int, load: str = "", factor: float = 1.0) -> Prediction:
    """Return what the calibrated scenario answers so many users with on the fleet that ran.

    The CPU time is that of the busy share at which the service is then, by the trend of the runs, and `factor` times
    that: three steps, as the one follows from the other.
    """
    base = found.applied(system.scenario)
    busy = dict.fromkeys(found.laws, 0.5)
    prediction: Prediction | None = None
    for _ in range(3):
        factors = {name: factor * law.factor(busy[name]) for name, law in found.laws.items()}
        prediction = predict(system.chain(slowed(base, factors), users, load), users)
        busy = {name: prediction.utilisation_ratio[name] for name in found.laws}
    return prediction or predict(system.chain(base, users, load), users)


# ------------------------------------------------------------------------------------------------ thinking and waiting


def _think_time(scenario: Scenario, runs: Sequence[Run]) -> Estimated:
    """Return the users' pauses: Z = N / X - R, which holds for whatever answers them."""
    think = scenario.behaviour.think_time_s
    found = [
        think_time_s(each.user_count, each.measurement.requests_per_s, each.measurement.latency_ms_mean / 1000)
        for each in runs
        if each.user_count and each.measurement is not None and each.measurement.requests_per_s
        and each.measurement.latency_ms_mean is not None and not each.measurement.rate_includes_ramp
    ]  # fmt: skip
    where = "behaviour.think_time_s"
    if not found or min(found) <= 0:
        return Estimated(left={where: "no load test tells users, rate and mean response together"})
    mean = sum(found) / len(found)
    method = f"users over rate, less the mean response, of {counted(len(found), 'load')}: {mean:.3g} s"
    values = {
        f"{where}.{leaf}": Calibrated(value=rounded(value * mean / think.mean), method=method)
        for leaf, value in (("min", think.min), ("max", think.max))
    }
    findings: tuple[Finding, ...] = ()
    if abs(mean / think.mean - 1) > DIFFERENT:
        message = f"users paused {mean:.3g} s and not the scenario's {think.mean:g} s, or the load test did not keep up"
        findings = (Finding("warning", "think-time", message, where),)
    return Estimated(values, findings=findings)


def _delay(system: System, runs: Sequence[Run], found: Estimated) -> Estimated:
    """Return network and commits: what neither CPU nor queue explains of the mean response at the lowest load."""
    scenario = system.scenario
    base = _delays(scenario)
    told = [each for each in runs if _rate_of(each) and each.user_count and each.measurement is not None
            and each.measurement.latency_ms_mean is not None]  # fmt: skip
    if not base:
        return Estimated()
    if not told or not found.laws:
        why = "no CPU time is known, so that nothing tells delay and queue apart"
        return Estimated(left=dict.fromkeys(base, "no load test tells a mean response" if found.laws else why))
    lowest = min(told, key=lambda each: _rate_of(each) or inf)
    measured_ms = lowest.measurement.latency_ms_mean or 0.0  # type: ignore[union-attr]

    def response_ms(factor: float) -> float:
        now = replace(system, scenario=with_values(scenario, {path: ms * factor for path, ms in base.items()}))
        return predicted(now, Estimated(laws=found.laws), lowest.user_count or 1, lowest.load).latency_ms_mean

    least = response_ms(0.0)
    if least > measured_ms:
        message = (
            f"in {lowest.name} the mean response is {measured_ms:.3g} ms, and CPU and queue alone make "
            f"{least:.3g}: network and commits are taken as 0; is the fleet the one that ran?"
        )
        values = {
            path: Calibrated(value=0.0, method=f"nothing is left of the mean response of {lowest.name}")
            for path in base
        }
        return Estimated(values, findings=(Finding("warning", "faster-than-explained", message, "tiers"),))
    factor = root(lambda each: response_ms(each) - measured_ms, 0.0, LONGEST_DELAY, 1e-3)
    ratios = "" if len(base) == 1 else ", in the scenario's ratios"
    method = (
        f"what CPU and queue do not explain of the mean response of {lowest.name}, the lowest load: "
        f"{measured_ms - least:.3g} of {measured_ms:.3g} ms{ratios}"
    )
    return Estimated({path: Calibrated(value=rounded(ms * factor), method=method) for path, ms in base.items()})


def _rate_of(run: Run) -> float | None:
    return None if run.measurement is None else run.measurement.requests_per_s


DELAYS: Final = (
    ("gateway", ("response_ms",)),
    ("database", ("round_trip_ms", "commit_ms", "standby_commit_ms")),
    ("cache", ("round_trip_ms",)),
)
"""Kind -> what of it keeps a request waiting and no server busy."""


def _delays(scenario: Scenario) -> dict[str, float]:
    """Return the times that a request waits for no server, by path; equal trips where the scenario has none.

    What `measure` found on a server is known and stays.
    """
    held = scenario.calibration if isinstance(scenario.calibration, dict) else {}
    known = {path for path, each in held.items() if each.is_of_a_server}
    found = {
        path: float(getattr(settings, leaf))
        for kind, leaves in DELAYS
        for name, settings in scenario.of(kind).items()
        for leaf in leaves
        if leaf in type(settings).model_fields and (path := f"tiers.{name}.{leaf}") not in known
    }
    if any(found.values()):
        return {path: ms for path, ms in found.items() if ms}
    return {path: 1.0 for path in found if path.endswith("round_trip_ms")}
