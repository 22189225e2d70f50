"""What a calibration found, beside what it found it from, and how well it predicts loads that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cascade_plan.model.calibration import Calibration
from cascade_plan.model.derivation import Finding


@dataclass(frozen=True, slots=True)
class Trial:
    """A figure of a load as it was measured, and as the calibrated scenario predicts it."""

    run: str
    user_count: int
    busy_share: float | None
    """How busy the service is predicted to be; None where its CPU time is not known."""
    figure: str
    value_predicted: float
    value_min: float
    """With the CPU time at the lower end of what it moves by chance and from run to run."""
    value_max: float
    value_measured: float
    is_held_out: bool
    """Whether the load took no part in the calibration."""

    @property
    def difference_ratio(self) -> float:
        """Predicted over measured, less 1."""
        return self.value_predicted / self.value_measured - 1


@dataclass(frozen=True, slots=True)
class Demanded:
    """The CPU time of a tier for a request, as one run shows it."""

    run: str
    tier: str
    cpu_ms: float
    cpu_ms_min: float | None
    """Lower end of its 95 % interval; None where there are too few windows for one."""
    cpu_ms_max: float | None
    busy_share: float | None
    """None of a tier whose capacity is not known."""


@dataclass(frozen=True, slots=True)
class Calibrating:
    """A calibration with all that a person should see of it."""

    calibration: Calibration
    before: Mapping[str, float]
    """The scenario's own values, by path, those that are calibrated."""
    demands: tuple[Demanded, ...]
    trials: tuple[Trial, ...]
    findings: tuple[Finding, ...]
