"""The ways of scaling side by side on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.model.replay import Replay
from cascade_plan.reports._fitting import fitted
from cascade_plan.reports._words import one_line
from cascade_plan.reports.days._outcomes import HEADERS, NOTHING, NUMBERS, facts, recommendation, row

FORMAT: str = "plain text for a terminal: the ways of scaling side by side"
WIDTH: Final = 110
NAME_WIDTH: Final = 14
"""Columns a policy's name has in the table; the list below it has the name in full."""


def render(replay: Replay) -> str:
    """Return the simulation as plain text of at most 110 columns."""
    return "\n".join(_lines(replay)) + "\n"


def _lines(replay: Replay) -> Iterator[str]:
    from textwrap import wrap

    from tabulate import tabulate

    for fact in facts(replay):
        yield from wrap(fact, WIDTH)
    yield ""
    if not replay.outcomes:
        yield NOTHING
        return
    headers = [_folded(header) for header in HEADERS]
    align = ["right" if index in NUMBERS else "left" for index in range(len(HEADERS))]
    rows = [[fitted(name, NAME_WIDTH), *cells] for name, *cells in map(row, replay.outcomes)]
    table = tabulate(rows, headers, tablefmt="simple", colalign=align, disable_numparse=True)
    yield from (line.rstrip() for line in table.split("\n"))
    yield ""
    for outcome in replay.outcomes:
        yield from wrap(f"{one_line(outcome.policy)}: {one_line(outcome.description)}", WIDTH, subsequent_indent="  ")
    yield ""
    yield from wrap(recommendation(replay), WIDTH)


def _folded(header: str) -> str:
    """Return a header with a line for each of its words, so that columns are no wider than their numbers."""
    return header.replace(", ", "\n").replace(" ", "\n")
