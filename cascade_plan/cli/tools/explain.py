"""Say why a figure is what it is, or what an input means."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from cascade_plan.cli.reasoning import unknown
from cascade_plan.cli.tooling import Answer, Ask
from cascade_plan.cli.tools import _asked
from cascade_plan.errors import UsageError
from cascade_plan.reports import explanation, inputs

DESCRIPTION: Final = (
    "Say why a figure of the plan is what it is: its formula, its inputs and where they were given, its source, the "
    "prices in it. Or what an input of the scenario means: its default with its source, its bounds, and what is made "
    "from it."
)
SCHEMA: Final = "explanation"


class Input(_asked.Input):
    """A scenario, and what of it to explain."""

    figure: str = Field(
        min_length=1,
        max_length=200,
        description="A figure's dotted name or its beginning (api.node_count, cost_usd_per_month.average), as plan "
        "lists them, or the path of an input (users.peak, tiers.api.users_per_node).",
    )


def answer(asked: Input, tell: Ask) -> Answer:
    """Return the text of `explain`, and the same as a document. Raises UsageError for what is neither of the two."""
    found, choice = _asked.given(asked, tell)
    made = _asked.planned(found, choice)
    figures = explanation.named(made, asked.figure)
    entries = () if figures else inputs.named(found.scenario, asked.figure)
    if not (figures or entries):
        raise UsageError(unknown(asked.figure, [*made.figures, *inputs.paths(found.scenario)]))
    used = list(made.figures.values())
    text = (
        explanation.explain(made, asked.figure, explanation.UNFOLDED)
        if figures
        else inputs.explain(found.scenario, found.origins, asked.figure, used, explanation.UNFOLDED)
    )
    document = {
        "schema_version": 1,
        "figures": [explanation.document(each, made) for each in figures],
        "inputs": [inputs.document(each, found.scenario, found.origins, used) for each in entries],
    }
    return Answer(text, document)
