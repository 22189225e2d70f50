"""A verified run for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cascade_plan.model.measurement import Verification
from cascade_plan.reports._document import written
from cascade_plan.reports.verifications._comparisons import reasons

FORMAT: str = "JSON: status, measurement, load, verdicts, the comparison with the plan"


def render(verification: Verification) -> str:
    """Return the run as JSON; `status` is verified, failed or not_shown."""
    document: dict[str, Any] = {
        "schema_version": 1,
        "status": verification.status,
        "verified": verification.verified,
        "reasons": reasons(verification),
        **asdict(verification),
    }
    document["measurement"]["failure_ratio"] = verification.measurement.failure_ratio
    document["applied"] = [{**each["verdict"], "words": each["words"]} for each in document["applied"]]
    for verdict in (*document["verdicts"], *document["applied"]):
        verdict["limit"] = float(verdict["limit"])
    return written(document)
