"""A plan over some years, made once for all tests that look at it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from cascade_plan.choosing.outlook import outlook
from cascade_plan.choosing.paper import paper
from cascade_plan.inputs.choice import chosen
from cascade_plan.model.paper import Paper
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

GROWING = ("growth.percent_per_month=8", "forecast.months=14", "forecast.start=2027-01", "tags={owner: Ada}")


@cache
def made(scenario: str = "cascade", sets: tuple[str, ...] = GROWING) -> tuple[Plan, Paper]:
    """Return the plan of a bundled scenario with its outlook, and the paper of it."""
    given = chosen({"scenario": scenario, "set_": list(sets)}, None, lambda note: None).read()
    planned = plan(given.scenario, given.book, given.origins)
    explored = replace(planned, outlook=outlook(given.scenario, given.book, given.origins))
    return explored, paper(explored, given.book, given.origins)
