"""A calibration on a terminal: runs, CPU times, values, what is not told, and each run predicted from the others."""

from __future__ import annotations

from cascade_plan.model.calibrating import Calibrating
from cascade_plan.reports._fitting import folded
from cascade_plan.reports.calibrations._parts import Part, headline, parts
from cascade_plan.reports.columns import WIDTH, aligned

FORMAT: str = "plain text for a terminal: runs, CPU times, values, each run predicted from the others, findings"


def render(calibrating: Calibrating, width: int = WIDTH) -> str:
    """Return the calibration as plain text of `width` columns."""
    head = "\n".join(folded(headline(calibrating), width, "  "))
    return "\n\n".join((head, *(_text(part, width) for part in parts(calibrating)))) + "\n"


def _text(part: Part, width: int) -> str:
    title = folded(part.title, width, "  ")
    if part.headers:
        return "\n".join((*title, aligned(part.headers, part.rows, part.right, width)))
    return "\n".join((*title, *(row for line in part.lines for row in folded(line, width, "  "))))
