"""What differs between two plans, for programs."""

from __future__ import annotations

from cascade_plan.model.difference import Differences
from cascade_plan.reports._document import written

FORMAT: str = "JSON: what differs, before beside after, money as text"


def render(differences: Differences) -> str:
    """Return what differs as JSON."""
    return written(
        {
            "schema_version": 1,
            "before": differences.before,
            "after": differences.after,
            "note": differences.note,
            "changes": [
                {
                    "kind": difference.kind,
                    "name": difference.name,
                    "unit": difference.unit,
                    "before": difference.value_before,
                    "after": difference.value_after,
                }
                for difference in differences.found
            ],
        }
    )
