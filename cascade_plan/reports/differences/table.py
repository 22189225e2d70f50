"""What differs between two plans, on one screen."""

from __future__ import annotations

from cascade_plan.model.difference import Differences
from cascade_plan.reports.differences._tabulated import tabulated

FORMAT: str = "plain text for a terminal: what differs, before beside after"


def render(differences: Differences) -> str:
    """Return what differs as plain text."""
    return tabulated(differences, "simple")
