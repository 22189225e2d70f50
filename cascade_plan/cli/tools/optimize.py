"""Find the cheapest fleet that keeps every promise, with its proof."""

from __future__ import annotations

import json
from typing import Final

from cascade_plan.cli.tooling import Answer, Ask
from cascade_plan.cli.tools import _asked
from cascade_plan.reports.optima import json as report
from cascade_plan.reports.optima import table

DESCRIPTION: Final = (
    "Find the cheapest fleet that keeps every latency limit and gate with a zone and a node lost, and prove that "
    "nothing cheaper does: shapes, counts, engines and purchase are open. Takes seconds. What may be chosen is set by "
    'overrides, such as {"optimize.keep": ["tiers.database.shape"], "optimize.commitment_years_max": 1}.'
)
SCHEMA: Final = "optimum"


class Input(_asked.Input):
    """A scenario, and what to change in it."""


def answer(asked: Input, tell: Ask) -> Answer:
    """Return what `optimize` says, and the same as a document. Raises InfeasibleError, with what binds."""
    from cascade_plan.choosing.optimum import optimum

    found, choice = _asked.given(asked, tell)
    made = optimum(found.scenario, found.book, found.origins, choice.as_of)
    return Answer(table.render(made), json.loads(report.render(made)))
