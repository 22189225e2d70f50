"""A calibration for a page: runs, CPU times, values, what is not told, and each run predicted from the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cascade_plan.model.calibrating import Calibrating
from cascade_plan.reports._marked import escaped, table
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

FORMAT: str = "Markdown: runs, CPU times, values, each run predicted from the others, findings"


def render(calibrating: Calibrating) -> str:
    """Return the calibration as GitHub-flavoured Markdown."""
    lines = [f"# {escaped(headline(calibrating))}", ""]
    lines += _table("runs", RUNS, map(run_row, calibrating.calibration.runs), (1, 2, 3, 4))
    lines += _table("demands", DEMANDS, map(demand_row, calibrating.demands), (2,))
    lines += _table("values", VALUES, value_rows(calibrating), (1, 2))
    lines += _list("methods", method_lines(calibrating))
    lines += _list("left", left_lines(calibrating))
    lines += _table("trials", TRIALS, trial_rows(calibrating), (1, 3, 4, 5))
    lines += _list("findings", finding_lines(calibrating))
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(
    title: str, headers: Sequence[str], rows: Iterable[tuple[str, ...]], right: tuple[int, ...]
) -> Iterator[str]:
    if listed := list(rows):
        yield from (f"## {escaped(TITLES[title])}", "")
        yield from table(headers, listed, right)


def _list(title: str, lines: Iterable[str]) -> Iterator[str]:
    if listed := list(lines):
        yield from (f"## {escaped(TITLES[title])}", "", *(f"- {escaped(line)}" for line in listed), "")
