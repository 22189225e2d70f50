"""How sure a fleet is, on one screen."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.risk import Risk
from cascade_plan.reports._fitting import folded
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.risks import _words as words

FORMAT: str = "plain text for a terminal: what is missed how often, the cost, what drives both, what to measure"
SCREEN = 24
"""Lines of a terminal."""


def render(risk: Risk, width: int = WIDTH) -> str:
    """Return how sure a fleet is as plain text of `width` columns, on one screen."""
    lines = list(_lines(risk, width, words.LISTED))
    drivers = words.LISTED
    while len(lines) > SCREEN and drivers > 1:
        drivers -= 1
        lines = list(_lines(risk, width, drivers))
    return "\n".join(lines) + "\n"


def _lines(risk: Risk, width: int, drivers: int) -> Iterator[str]:
    for text in (words.headline(risk), f"{words.verdict(risk)} {words.cost(risk)}"):
        yield from folded(text, width, "  ")
    if rows := list(words.promise_rows(risk, every=False)):
        yield ""
        yield from aligned(words.PROMISES, rows, {1, 2, 3, 4}, width, ruled=False).split("\n")
    for text in (words.never_missed(risk), words.ceilings(risk)):
        if text:
            yield from folded(text, width, "  ")
    yield ""
    rows = list(words.driver_rows(risk, every=False))[:drivers]
    yield from aligned(words.DRIVERS, rows, {2, 3, 4}, width, drop=(1,), ruled=False).split("\n")
    for text in (words.worth(risk), words.slow(risk)):
        if text:
            yield from folded(text, width, "  ")
