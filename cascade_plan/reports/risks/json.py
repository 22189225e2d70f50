"""How sure a fleet is, for programs."""

from __future__ import annotations

from dataclasses import asdict

from cascade_plan.model.risk import Risk
from cascade_plan.reports._document import written

FORMAT: str = "JSON: every limit, ceiling and unsure number; its schema is printed by `schema risk`"


def render(risk: Risk) -> str:
    """Return how sure a fleet is as JSON, the same bytes for the same seed."""
    return written(asdict(risk))
