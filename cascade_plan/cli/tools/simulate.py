"""Replay days of traffic through the autoscaler."""

from __future__ import annotations

import json
from typing import Final, Literal

from pydantic import Field

from cascade_plan.cli.tooling import Answer, Ask
from cascade_plan.cli.tools import _asked
from cascade_plan.reports.days import json as report
from cascade_plan.reports.days import table

DESCRIPTION: Final = (
    "Replay days of the scenario's traffic through the Kubernetes HPA's algorithm, with each metric it may scale by: "
    "minutes in which the latency limit is missed, pods and nodes, what the days cost, and which metric is recommended."
)
SCHEMA: Final = "simulation"


class Input(_asked.Input):
    """A scenario, what to change in it, and how long it runs."""

    days: int = Field(default=1, ge=1, le=31, description="Days.")
    runs: int = Field(default=1, ge=1, le=20, description="Monte Carlo runs.")
    seed: int = Field(default=1, ge=0, le=2**32 - 1, description="The same seed gives the same answer.")
    profile: Literal["weekday", "flat"] | None = Field(
        default=None, description="The day's shape; else the scenario's."
    )


def answer(asked: Input, tell: Ask) -> Answer:
    """Return what `simulate` says, and the same as a document."""
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.proving import days
    from cascade_plan.proving.stages import services

    if asked.profile is not None:
        asked = asked.model_copy(update={"overrides": {**asked.overrides, "users.profile": asked.profile}})
    found, _ = _asked.given(asked, tell)
    made = plan(found.scenario, found.book, found.origins, predicted=False)
    services(made)  # refuses a plan that nothing of is scaled
    if not made.bill.complete:
        tell(f"costs are at least what they say: {made.bill.lacks(made.scenario.budget.level)}")
    simulation = days.simulate(made, days.Order(asked.days, asked.runs, asked.seed, None, False))
    return Answer(table.render(simulation), json.loads(report.render(simulation)))
