"""A calibration for programs."""

from __future__ import annotations

from dataclasses import asdict

from cascade_plan.model.calibrating import Calibrating
from cascade_plan.reports._document import written

FORMAT: str = "JSON: the calibration's file, the CPU times and the checks it rests on, findings"


def render(calibrating: Calibrating) -> str:
    """Return the calibration as JSON."""
    return written(
        {
            "schema_version": 1,
            **calibrating.calibration.model_dump(exclude_none=True),
            "before": dict(calibrating.before),
            "demands": [asdict(each) for each in calibrating.demands],
            "trials": [{**asdict(each), "difference_ratio": each.difference_ratio} for each in calibrating.trials],
            "findings": [asdict(each) for each in calibrating.findings],
        }
    )
