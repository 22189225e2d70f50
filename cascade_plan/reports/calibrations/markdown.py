"""A calibration for a page: runs, CPU times, values, what is not told, and each run predicted from the others."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.calibrating import Calibrating
from cascade_plan.reports._marked import escaped, table
from cascade_plan.reports.calibrations._parts import Part, headline, parts

FORMAT: str = "Markdown: runs, CPU times, values, each run predicted from the others, findings"


def render(calibrating: Calibrating) -> str:
    """Return the calibration as GitHub-flavoured Markdown."""
    lines = [f"# {escaped(headline(calibrating))}", ""]
    for part in parts(calibrating):
        lines += (f"## {escaped(part.title)}", "", *_body(part))
    return "\n".join(lines).rstrip("\n") + "\n"


def _body(part: Part) -> Iterator[str]:
    if part.headers:
        yield from table(part.headers, part.rows, part.right)
    else:
        yield from (*(f"- {escaped(line)}" for line in part.lines), "")
