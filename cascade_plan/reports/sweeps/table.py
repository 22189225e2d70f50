"""One scenario over a grid, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.sweep import Sweep
from cascade_plan.reports._fitting import folded
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.sweeps import _words as words

FORMAT: str = "plain text for a terminal: least and most, and some points evenly over the grid"
SHOWN = 16
"""Points on a screen."""


def render(sweep: Sweep, width: int = WIDTH) -> str:
    """Return what a grid comes to as plain text of `width` columns."""
    return "\n".join(_lines(sweep, width)) + "\n"


def _lines(sweep: Sweep, width: int) -> Iterator[str]:
    for text in (words.headline(sweep), *words.sentences(sweep)):
        yield from folded(text, width, "  ")
    yield ""
    headers, rows = words.headers(sweep), [words.row(sweep, point) for point in words.sampled(sweep, SHOWN)]
    right = set(range(len(headers) - 1))
    drop = range(len(sweep.axes), len(headers) - 2)
    yield from aligned(headers, rows, right, width, drop, ruled=False).split("\n")
    if sweep.failures:
        yield ""
        for line in words.failure_lines(sweep):
            yield from folded(line, width, "  ")
