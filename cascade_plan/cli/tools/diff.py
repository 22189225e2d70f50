"""Say what a change costs, and why."""

from __future__ import annotations

import json
from typing import Any, Final, Self

from pydantic import Field, model_validator

from cascade_plan.choosing.differences import compare
from cascade_plan.cli.tooling import Answer, Ask
from cascade_plan.cli.tools import _asked
from cascade_plan.files.disk import MAX_BYTES
from cascade_plan.reports.differences import json as report
from cascade_plan.reports.differences import table

DESCRIPTION: Final = (
    "Say what a change costs and why: the change of a month's cost with its causes, what is given up for a saving, and "
    "which figures, gates and warnings change. Compares a scenario with another one, or with itself and values set."
)
SCHEMA: Final = "difference"


class Input(_asked.Input):
    """A scenario before, and what is otherwise after: another scenario, or values to set."""

    after_scenario: str | None = Field(default=None, max_length=1000, description="Name or path of the one after.")
    after_scenario_yaml: str | None = Field(default=None, max_length=MAX_BYTES, description="Its text, instead.")
    after_overrides: dict[str, Any] = Field(
        default_factory=dict, max_length=200, description="Values to set after, by dotted path."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.after_scenario is None and self.after_scenario_yaml is None and not self.after_overrides:
            raise ValueError("nothing to compare with: give after_overrides, after_scenario or after_scenario_yaml")
        return self


def answer(asked: Input, tell: Ask) -> Answer:
    """Return what `diff` says of both plans, and the same as a document."""
    before, choice = _asked.given(asked, tell)
    after = _asked.given_else(asked, asked.after_scenario, asked.after_scenario_yaml, asked.after_overrides, tell)
    found = compare(_asked.planned(before, choice), _asked.planned(after, choice))
    return Answer(table.render(found, full=True), json.loads(report.render(found)))
