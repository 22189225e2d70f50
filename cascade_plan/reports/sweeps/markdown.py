"""One scenario over a grid, for a page or a comment."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.sweep import Sweep
from cascade_plan.reports._marked import paragraph, table
from cascade_plan.reports.sweeps import _words as words

FORMAT: str = "Markdown: least and most, and a hundred points evenly over the grid"
SHOWN = 100


def render(sweep: Sweep) -> str:
    """Return what a grid comes to as GitHub-flavoured Markdown."""
    return "\n".join(_lines(sweep)).rstrip("\n") + "\n"


def _lines(sweep: Sweep) -> Iterator[str]:
    for text in (words.headline(sweep) + ".", *words.sentences(sweep)):
        yield from (paragraph(text), "")
    headers = words.headers(sweep)
    yield from table(
        headers, (words.row(sweep, point) for point in words.sampled(sweep, SHOWN)), range(len(headers) - 1)
    )
    for line in words.failure_lines(sweep):
        yield from (paragraph(line), "")
