"""Size, price and judge a scenario."""

from __future__ import annotations

import json
from typing import Final

from cascade_plan.cli.tooling import Answer, Ask
from cascade_plan.cli.tools import _asked
from cascade_plan.reports.plans import answer as report
from cascade_plan.reports.plans import table

DESCRIPTION: Final = (
    "Size a platform from its users, price it, and judge it: what every tier runs on and costs a month, whether budget "
    "and latency limits are kept, warnings, and every figure. Nothing is written or deployed."
)
SCHEMA: Final = "answer"


class Input(_asked.Input):
    """A scenario, and what to change in it."""


def answer(asked: Input, tell: Ask) -> Answer:
    """Return the first screen of `size`, and the answer as a document."""
    made = _asked.planned(*_asked.given(asked, tell))
    return Answer(table.render(made), json.loads(report.render(made)))
