"""The ways of scaling side by side for a page."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_plan.model.replay import Outcome, Replay, Simulation
from cascade_plan.reports._marked import Marked, escaped, table
from cascade_plan.reports.days._outcomes import NOTHING, NUMBERS, facts, headers, heading, recommendation, row, total

FORMAT: str = "Markdown: the ways of scaling side by side"


def render(simulation: Simulation) -> str:
    """Return the simulation as GitHub-flavoured Markdown, the recommended policy in bold."""
    lines = ["## Simulation", ""]
    for fact in facts(simulation):
        lines += [escaped(fact), ""]
    for replay in simulation.replays:
        if title := heading(simulation, replay):
            lines += [f"### {escaped(title)}", ""]
        lines += [*_lines(replay, headers(simulation)), ""]
    if sum_of_all := total(simulation):
        lines += [escaped(sum_of_all), ""]
    return "\n".join(lines)


def _lines(replay: Replay, titles: Sequence[str]) -> list[str]:
    if not replay.outcomes:
        return [NOTHING]
    rows = [[_named(outcome, replay), *row(outcome)[1:]] for outcome in replay.outcomes]
    described = [f"- {_named(outcome, replay)}: {escaped(outcome.description)}" for outcome in replay.outcomes]
    return [*table(titles, rows, NUMBERS), *described, "", escaped(recommendation(replay))]


def _named(outcome: Outcome, replay: Replay) -> str:
    name = escaped(outcome.policy)
    return Marked(f"**{name}**" if name and outcome.policy == replay.recommended else name)
