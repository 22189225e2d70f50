"""What differs between two plans, or between the two sides of several scenarios, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.difference import Differences
from cascade_plan.reports._marked import inert, table
from cascade_plan.reports.differences import _rows as rows
from cascade_plan.reports.differences import _summary as summary
from cascade_plan.reports.differences._comment import Comment, Room
from cascade_plan.reports.differences._comment import comment as comment

__all__ = ["FORMAT", "Comment", "Room", "comment", "render"]

FORMAT: str = "Markdown for a pull request: the change of cost and its causes, all else folded"


def render(differences: Differences) -> str:
    """Return what differs as GitHub-flavoured Markdown: the headline, and a fold with every row."""
    return "\n".join(_lines(differences)).rstrip("\n") + "\n"


def _lines(differences: Differences) -> Iterator[str]:
    yield from (f"**{inert(summary.headline(differences))}**", "")
    for note in summary.notes(differences):
        yield from (f"- {inert(note, begins=True)}", "")
    if summary.is_nothing(differences):
        return
    yield from (f"Verdict: {inert(summary.verdicts(differences))}", "")
    yield from ("<details><summary>What changed: inputs, money, figures, gates</summary>", "")
    yield from (f"- before: {inert(summary.title(differences.before))}",
                f"- after: {inert(summary.title(differences.after))}")  # fmt: skip
    if differences.inputs:
        yield f"- inputs: {inert(summary.inputs(differences.inputs, full=True))}"
    yield ""
    for part in (rows.money(differences, True), rows.changed_figures(differences, True)):
        if part.rows:
            cells = [[inert(cell) for cell in row] for row in part.rows]
            yield from (f"**{inert(part.title)}**", "", *table(part.headers, cells, part.right))
    listed = (
        ("Given up", rows.given_up(differences)),
        ("Gates", rows.gates(differences)),
        ("Findings", rows.findings(differences)),
    )
    for title, lines in listed:
        if items := [f"- {inert(line, begins=True)}" for line in lines]:
            yield from (f"**{title}**", "", *items, "")
    yield "</details>"
