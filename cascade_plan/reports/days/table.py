"""The ways of scaling side by side on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cascade_plan.model.replay import Replay, Simulation
from cascade_plan.reports._columns import aligned
from cascade_plan.reports._fitting import fitted
from cascade_plan.reports._words import one_line
from cascade_plan.reports.days._outcomes import NOTHING, NUMBERS, facts, headers, heading, recommendation, row, total

FORMAT: str = "plain text for a terminal: the ways of scaling side by side"
WIDTH: Final = 110
NAME_WIDTH: Final = 14
"""Columns a policy's name has in the table; the list below it has the name in full."""


def render(simulation: Simulation) -> str:
    """Return the simulation as plain text of at most 110 columns."""
    return "\n".join(_lines(simulation)) + "\n"


def _lines(simulation: Simulation) -> Iterator[str]:
    from textwrap import wrap

    for fact in facts(simulation):
        yield from wrap(fact, WIDTH)
    for replay in simulation.replays:
        yield ""
        if title := heading(simulation, replay):
            yield from (*wrap(title, WIDTH), "")
        yield from _service_lines(replay, headers(simulation))
    if sum_of_all := total(simulation):
        yield from ("", *wrap(sum_of_all, WIDTH))


def _service_lines(replay: Replay, titles: Sequence[str]) -> Iterator[str]:
    from textwrap import wrap

    if not replay.outcomes:
        yield NOTHING
        return
    rows = [[fitted(name, NAME_WIDTH), *cells] for name, *cells in map(row, replay.outcomes)]
    table = aligned([_folded(title) for title in titles], rows, NUMBERS)
    yield from (line.rstrip() for line in table.split("\n"))
    yield ""
    for outcome in replay.outcomes:
        yield from wrap(f"{one_line(outcome.policy)}: {one_line(outcome.description)}", WIDTH, subsequent_indent="  ")
    yield ""
    yield from wrap(recommendation(replay), WIDTH)


def _folded(header: str) -> str:
    """Return a header with a line for each of its words, so that columns are no wider than their numbers."""
    return header.replace(", ", "\n").replace(" ", "\n")
