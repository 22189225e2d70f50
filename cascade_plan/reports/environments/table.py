"""Several environments on a terminal: their total first, then each one's own screen."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_plan.model.plan import Plan
from cascade_plan.reports.environments._totals import HEADERS, NUMBERS, TITLE, rows

FORMAT: str = "plain text for a terminal: the total of all environments, then each"


def render(plans: Sequence[Plan], rendered: Sequence[str]) -> str:
    """Return the total and the plans' own tables."""
    from tabulate import tabulate

    align = ["right" if index in NUMBERS else "left" for index in range(len(HEADERS))]
    total = tabulate(rows(plans), HEADERS, tablefmt="simple", colalign=align, disable_numparse=True)
    return f"{TITLE}\n{total}\n\n" + "\n".join(rendered)
