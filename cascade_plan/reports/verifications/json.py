"""A verified run for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cascade_plan.model.measurement import Verification
from cascade_plan.reports._document import written

FORMAT: str = "JSON: the measurement, its verdicts, the comparison with the plan"


def render(verification: Verification) -> str:
    """Return the run as JSON."""
    document: dict[str, Any] = {"schema_version": 1, "verified": verification.verified, **asdict(verification)}
    document["measurement"]["failure_ratio"] = verification.measurement.failure_ratio
    for verdict in document["verdicts"]:
        verdict["limit"] = float(verdict["limit"])
    return written(document)
