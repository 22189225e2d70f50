"""The ways of scaling side by side for a page."""

from __future__ import annotations

from cascade_plan.model.replay import Outcome, Replay
from cascade_plan.reports._marked import Marked, escaped, table
from cascade_plan.reports.days._outcomes import HEADERS, NOTHING, NUMBERS, facts, recommendation, row

FORMAT: str = "Markdown: the ways of scaling side by side"


def render(replay: Replay) -> str:
    """Return the simulation as GitHub-flavoured Markdown, the recommended policy in bold."""
    what, often = facts(replay)
    lines = ["## Simulation", "", escaped(what), "", escaped(often), ""]
    if not replay.outcomes:
        return "\n".join([*lines, NOTHING]) + "\n"
    rows = [[_named(outcome, replay), *row(outcome)[1:]] for outcome in replay.outcomes]
    lines += table(HEADERS, rows, NUMBERS)
    lines += [f"- {_named(outcome, replay)}: {escaped(outcome.description)}" for outcome in replay.outcomes]
    return "\n".join([*lines, "", escaped(recommendation(replay))]) + "\n"


def _named(outcome: Outcome, replay: Replay) -> str:
    name = escaped(outcome.policy)
    return Marked(f"**{name}**" if name and outcome.policy == replay.recommended else name)
