"""Several environments on a terminal: their total first, then each one's own screen."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_plan.model.plan import Plan
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.environments._totals import DROPPED, HEADERS, NUMBERS, TITLE, rows

FORMAT: str = "plain text for a terminal: the total of all environments, then each"


def render(plans: Sequence[Plan], rendered: Sequence[str], width: int = WIDTH) -> str:
    """Return the total and the plans' own tables."""
    return f"{TITLE}\n{aligned(HEADERS, rows(plans), NUMBERS, width, DROPPED)}\n\n" + "\n".join(rendered)
