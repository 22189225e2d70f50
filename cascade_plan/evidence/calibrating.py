"""calibrate: observed runs become values of the scenario, a file that it includes, and a check of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from cascade_plan import __version__
from cascade_plan.errors import UsageError
from cascade_plan.evidence.deployed import System
from cascade_plan.evidence.estimates import Demand, Estimated
from cascade_plan.evidence.estimating import estimated
from cascade_plan.evidence.holding_out import LIMITS, trials, trusted_to
from cascade_plan.evidence.steady import Run
from cascade_plan.model.calibrating import Calibrating, Demanded, Trial
from cascade_plan.model.calibration import CALIBRATION_VERSION, Calibration, Checked, Observed
from cascade_plan.model.derivation import Finding
from cascade_plan.model.scenario import value_at, with_values

APART: Final = 0.03
"""Rates of the load test and of the monitoring that differ by more: somebody else asks the system too."""


def calibrate(system: System, runs: Sequence[Run]) -> Calibrating:
    """Return what runs tell of a system's scenario, checked by predicting each run from the others.

    Raises UsageError where they tell nothing.
    """
    runs = [
        replace(each, metrics=each.metrics.with_cores(system.database_cores(each.user_count or 1, each.load)))
        for each in runs
    ]
    found = estimated(system, runs)
    if not found.values:
        raise UsageError(f"the runs tell no value of the scenario: {_why(found)}")
    shown = trials(system, runs, found)
    held_out = [each for each in shown if each.is_held_out]
    calibration = Calibration(
        calibration_version=CALIBRATION_VERSION,
        scenario=system.scenario.name,
        written_by=f"cascade-plan {__version__}",
        measured_on=system.scenario.behaviour.measured_on,
        runs=[_observed(each, found) for each in runs],
        values=dict(found.values),
        left=dict(found.left),
        checks=[_checked(each) for each in held_out],
        trusted_to_busy_share=_digits(trusted_to(held_out)),
    )
    before = {path: float(value_at(system.scenario, path)) for path in found.values}
    demands = tuple(map(_demanded, found.demands))
    findings = (*_about_runs(runs), *found.findings, *_about_trust(held_out, len(runs)))
    return Calibrating(calibration, before, demands, shown, findings)


def with_measured(system: System, before: Calibration | None) -> System:
    """Return the system with what `measure` found and a file held before, which is known then."""
    found = {} if before is None else {path: each for path, each in before.values.items() if each.is_of_a_server}
    if not found:
        return system
    scenario = with_values(system.scenario, {path: each.value for path, each in found.items()})
    held = scenario.calibration if isinstance(scenario.calibration, dict) else {}
    return replace(system, scenario=scenario.model_copy(update={"calibration": {**held, **found}}))


def merged(calibration: Calibration, before: Calibration | None) -> Calibration:
    """Return a calibration with what a file held before and the runs do not tell, such as what `measure` found."""
    if before is None:
        return calibration
    kept = {path: each for path, each in before.values.items() if path not in calibration.values}
    left = {path: why for path, why in calibration.left.items() if path not in kept}
    return calibration.model_copy(update={"values": {**calibration.values, **kept}, "left": left})


def _why(found: Estimated) -> str:
    return "; ".join(dict.fromkeys(f"{path}: {why}" for path, why in found.left.items())) or "they hold nothing"


def _observed(run: Run, found: Estimated) -> Observed:
    busy = next((each.busy_share for each in found.demands if each.run == run.name and each.busy_share), None)
    sources = dict.fromkeys(run.metrics.sources.values())
    if run.measurement is not None:
        sources = {run.measurement.source: None, **sources}
    return Observed(
        load=run.name,
        users=run.user_count,
        requests_per_s=_digits(run.requests_per_s),
        busy_share=_digits(busy),
        window_count=len(run.metrics.starts_s),
        sources=[*sources],
    )


def _demanded(demand: Demand) -> Demanded:
    value, low, high = demand.ms
    is_told = low > float("-inf")
    return Demanded(
        demand.run, demand.tier, value, low if is_told else None, high if is_told else None, demand.busy_share
    )


def _checked(trial: Trial) -> Checked:
    return Checked(
        load=trial.run,
        figure=trial.figure,
        predicted=_digits(trial.value_predicted) or 0.0,
        measured=_digits(trial.value_measured) or 0.0,
        error_ratio=round(trial.difference_ratio, 4),
    )


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


# ------------------------------------------------------------------------------------------------------------ findings


def _about_runs(runs: Sequence[Run]) -> tuple[Finding, ...]:
    found = []
    for run in runs:
        found += [Finding("info", "run", f"{run.name}: {remark}", run.name) for remark in run.remarks]
        counted = run.measurement.includes if run.measurement is not None else ()
        if counted:
            message = f"{run.name}: its percentiles count {' and '.join(counted)}, and its mean does too"
            found.append(Finding("warning", "included", message, run.name))
        rates = [rate for rate in run.rates("") if rate == rate]
        asked = run.measurement.requests_per_s if run.measurement is not None else None
        if rates and asked and abs((seen := sum(rates) / len(rates)) / asked - 1) > APART:
            message = f"{run.name}: the monitoring counts {seen:,.4g} requests/s and the load test made {asked:,.4g}"
            found.append(Finding("warning", "rates-apart", message, run.name))
    return tuple(found)


def _about_trust(held_out: Sequence[Trial], count: int) -> tuple[Finding, ...]:
    """Return to which load predictions can be trusted, in words."""
    if not held_out:
        words = "one run alone cannot be left out" if count == 1 else "no load test tells users and percentiles of two"
        return (Finding("warning", "not-checked", f"nothing was checked: {words}; measure a second load", ""),)
    limits = " and ".join(f"{figure} within {limit:.0%}" for figure, limit in LIMITS.items())
    share = trusted_to(held_out)
    if share is None:
        message = f"not even the lowest load was predicted from the others with {limits}: trust no prediction"
        return (Finding("warning", "not-trusted", message, ""),)
    message = (
        f"loads that were left out were predicted with {limits} up to {share:.0%} busy: trust predictions to there"
    )
    return (Finding("info", "trusted", message, ""),)
