"""A calibration on a terminal: runs, CPU times, values, what is not told, and each run predicted from the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cascade_plan.model.calibrating import Calibrating
from cascade_plan.reports._fitting import folded
from cascade_plan.reports.calibrations._parts import (
    DEMANDS,
    RUNS,
    TITLES,
    TRIALS,
    VALUES,
    demand_row,
    finding_lines,
    headline,
    left_lines,
    method_lines,
    run_row,
    trial_rows,
    value_rows,
)
from cascade_plan.reports.columns import WIDTH, aligned

FORMAT: str = "plain text for a terminal: runs, CPU times, values, each run predicted from the others, findings"


def render(calibrating: Calibrating, width: int = WIDTH) -> str:
    """Return the calibration as plain text of `width` columns."""
    return "\n\n".join((headline_text(calibrating, width), *_parts(calibrating, width))) + "\n"


def headline_text(calibrating: Calibrating, width: int) -> str:
    """Return the headline, folded."""
    return "\n".join(folded(headline(calibrating), width, "  "))


def _parts(found: Calibrating, width: int) -> Iterator[str]:
    yield from _table("runs", RUNS, map(run_row, found.calibration.runs), (1, 2, 3, 4), width)
    yield from _table("demands", DEMANDS, map(demand_row, found.demands), (2,), width)
    yield from _table("values", VALUES, value_rows(found), (1, 2), width)
    yield from _lines("methods", method_lines(found), width)
    yield from _lines("left", left_lines(found), width)
    yield from _table("trials", TRIALS, trial_rows(found), (1, 3, 4, 5), width)
    yield from _lines("findings", finding_lines(found), width)


def _table(
    title: str, headers: Sequence[str], rows: Iterable[tuple[str, ...]], right: tuple[int, ...], width: int
) -> Iterator[str]:
    if listed := list(rows):
        yield "\n".join((*folded(TITLES[title], width, "  "), aligned(headers, listed, right, width)))


def _lines(title: str, lines: Iterable[str], width: int) -> Iterator[str]:
    if listed := list(lines):
        yield "\n".join(part for line in (TITLES[title], *listed) for part in folded(line, width, "  "))
