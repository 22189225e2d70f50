"""Many systems as one, for programs."""

from __future__ import annotations

from dataclasses import asdict

from cascade_plan.model.portfolio import Portfolio
from cascade_plan.reports._document import written

FORMAT: str = "JSON: the whole, totals, the worst, commitments, failures; its schema is printed by `schema portfolio`"


def render(portfolio: Portfolio) -> str:
    """Return what systems come to together as JSON, the same bytes for the same systems."""
    return written(asdict(portfolio))
