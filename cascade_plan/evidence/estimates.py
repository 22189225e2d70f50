"""What runs tell of a system, beside what they do not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import NamedTuple

from cascade_plan.evidence.steady import Run
from cascade_plan.formulas.demands import Estimate, Trend
from cascade_plan.model.calibration import Calibrated
from cascade_plan.model.derivation import Finding
from cascade_plan.model.observation import Measure
from cascade_plan.model.scenario import Scenario, with_values


class Law(NamedTuple):
    """The CPU time of a service's requests over how busy it is, relative to that of the same mix in some unit."""

    line: Trend
    taken: float
    """That of the values."""

    def factor(self, busy_share: float) -> float:
        """Return by what the values are to be multiplied where the service is so busy."""
        return self.line.at(busy_share) / self.taken


class Demand(NamedTuple):
    """The CPU time of a tier for a request, as one run shows it."""

    run: str
    tier: str
    busy_share: float | None
    """None where the capacity is not known."""
    ms: Estimate


@dataclass(frozen=True, slots=True)
class Estimated:
    """What runs tell of a system."""

    values: Mapping[str, Calibrated] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    """Dotted path -> why it is not told."""
    laws: Mapping[str, Law] = field(default_factory=dict)
    """By service."""
    demands: tuple[Demand, ...] = ()
    findings: tuple[Finding, ...] = ()

    def applied(self, scenario: Scenario) -> Scenario:
        """Return the scenario with the values in place."""
        return with_values(scenario, {path: each.value for path, each in self.values.items()})

    def beside(self, other: Estimated) -> Estimated:
        """Return both."""
        return Estimated(
            {**self.values, **other.values},
            {**self.left, **other.left},
            {**self.laws, **other.laws},
            (*self.demands, *other.demands),
            (*self.findings, *other.findings),
        )


def series(scenario: Scenario, run: Run, what: str, tier: str, kind: str) -> tuple[float, ...] | None:
    """Return a series of a tier: by its name, or without one where the scenario has one tier of the kind."""
    names = (tier, "") if len(scenario.of(kind)) == 1 else (tier,)
    return next((run.metrics.series[m] for n in names if (m := Measure(what, n)) in run.metrics.series), None)


def value(estimate: Estimate, method: str, most: float = inf) -> Calibrated:
    """Return an estimate as the file has it: four digits, and no interval where the data give none."""
    if not isfinite(estimate.low):
        return Calibrated(value=rounded(estimate.value), method=method)
    low, high = max(0.0, estimate.low), min(most, estimate.high)
    return Calibrated(value=rounded(estimate.value), low=rounded(low), high=rounded(high), method=method)


def rounded(value: float) -> float:
    """Return a value to five digits: nothing here is known better."""
    return float(f"{value:.5g}")
