"""A forecast, for a page or a comment."""

from __future__ import annotations

from cascade_plan.model.forecast import Forecast
from cascade_plan.reports.forecasts._lines import lines

FORMAT: str = "Markdown: fiscal years, months, what changes when, what breaks"


def render(found: Forecast) -> str:
    """Return a forecast as GitHub-flavoured Markdown."""
    return "\n".join(lines(found)).rstrip("\n") + "\n"
