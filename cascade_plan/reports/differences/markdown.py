"""What differs between two plans, for a page."""

from __future__ import annotations

from cascade_plan.model.difference import Differences
from cascade_plan.reports.differences._tabulated import tabulated

FORMAT: str = "Markdown: what differs, before beside after"


def render(differences: Differences) -> str:
    """Return what differs as Markdown."""
    return tabulated(differences, "pipe")
