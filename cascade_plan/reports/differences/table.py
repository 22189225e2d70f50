"""What differs between two plans, on one screen."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.difference import Differences
from cascade_plan.reports._fitting import folded
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.differences import _rows as rows
from cascade_plan.reports.differences import _summary as summary

FORMAT: str = "plain text for a terminal: the change of cost and its causes, verdicts, money, figures and gates"


def render(differences: Differences, width: int = WIDTH, full: bool = False) -> str:
    """Return what differs as plain text of `width` columns; in parts that are long the largest rows, or all."""
    return "\n".join(_lines(differences, width, full)) + "\n"


def _lines(differences: Differences, width: int, full: bool) -> Iterator[str]:
    yield from folded(summary.headline(differences), width, "  ")
    for note in summary.notes(differences):
        yield from folded(note, width, "  ")
    if summary.is_nothing(differences):
        return
    for name, text in _heads(differences, full):
        yield from folded(f"{name:<8} {text}", width, " " * 9)
    for part in (rows.money(differences, full), rows.changed_figures(differences, full)):
        if part.rows:
            yield from ("", part.title)
            yield from aligned(part.headers, part.rows, part.right, width, part.drop).split("\n")
        if part.left_out:
            yield f"{part.left_out} more: --full"
    yield from _listed("Given up", rows.given_up(differences), width)
    yield from _listed("Gates", rows.gates(differences), width)
    if full:
        yield from _listed("Findings", rows.findings(differences), width)


def _listed(title: str, texts: Iterator[str], width: int) -> Iterator[str]:
    lines = [line for text in texts for line in folded(text, width, "  ")]
    if lines:
        yield from ("", title, *lines)


def _heads(differences: Differences, full: bool) -> Iterator[tuple[str, str]]:
    yield "verdict", summary.verdicts(differences)
    titles = [summary.title(plan) for plan in (differences.before, differences.after)]
    yield from zip(("before", "after"), titles, strict=True) if titles[0] != titles[1] else (("both", titles[0]),)
    if differences.inputs:
        yield "inputs", summary.inputs(differences.inputs, full)
    if not full and (counts := rows.finding_counts(differences)):
        yield "findings", f"{counts} (--full)"
