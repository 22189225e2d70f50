"""The ways of scaling side by side on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cascade_plan.model.replay import Replay, Simulation
from cascade_plan.reports._fitting import fitted, folded
from cascade_plan.reports._words import one_line
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.days._outcomes import (
    HEADERS,
    NOTHING,
    NUMBERS,
    facts,
    headers,
    heading,
    recommendation,
    row,
    total,
)

FORMAT: str = "plain text for a terminal: the ways of scaling side by side"
NAME_WIDTH = 14
"""Columns a policy's name has in the table; the list below it has the name in full."""
DROPPED = tuple(map(HEADERS.index, ("nodes, mean", "scaling events/day", "pods", "worst p99, ms")))
"""What a narrow page does without, the first of them first."""


def render(simulation: Simulation, width: int = WIDTH) -> str:
    """Return the simulation as plain text of at most `width` columns."""
    return "\n".join(_lines(simulation, width)) + "\n"


def _lines(simulation: Simulation, width: int) -> Iterator[str]:
    for fact in facts(simulation):
        yield from folded(fact, width)
    for replay in simulation.replays:
        yield ""
        if title := heading(simulation, replay):
            yield from (*folded(title, width), "")
        yield from _service_lines(replay, headers(simulation), width)
    if sum_of_all := total(simulation):
        yield from ("", *folded(sum_of_all, width))


def _service_lines(replay: Replay, titles: Sequence[str], width: int) -> Iterator[str]:
    if not replay.outcomes:
        yield NOTHING
        return
    rows = [[fitted(name, NAME_WIDTH), *cells] for name, *cells in map(row, replay.outcomes)]
    yield from (aligned(titles, rows, NUMBERS, width, DROPPED), "")
    for outcome in replay.outcomes:
        yield from folded(f"{one_line(outcome.policy)}: {one_line(outcome.description)}", width, indent="  ")
    yield ""
    yield from folded(recommendation(replay), width)
