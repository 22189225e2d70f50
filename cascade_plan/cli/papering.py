"""What the report needs beside the plan: the plan over some years, and its charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cascade_plan import registry
from cascade_plan.cli.choice import read
from cascade_plan.cli.output import complain
from cascade_plan.errors import CascadePlanError, UsageError
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.model.paper import Paper
    from cascade_plan.model.plan import Plan

FORMATS: Final = ("markdown", "html", "xlsx")
"""Of the report: those that have finance's page."""
ALONE: Final = ("html", "xlsx")
"""Those that are of one environment."""


def papered(choice: Choice, plan: Plan, format_: str) -> dict[str, Any]:
    """Return what a report in this format is given beside the plan; nothing where it has no page for finance."""
    if format_ not in FORMATS:
        return {}
    paper = _paper(choice, plan)
    return {"paper": paper, "charts": _charts(plan, paper) if format_ == "html" else {}}


def _paper(choice: Choice, plan: Plan) -> Paper | None:
    """Return the plan over some years; None, said on stderr, where some month has no plan or the first is not known."""
    from cascade_plan.choosing.paper import paper

    given = read(choice)
    try:
        return paper(plan, given.book, given.origins, choice.as_of)
    except CascadePlanError as error:
        complain(f"the report has no first page: {error}", "warning")
        return None


def _charts(plan: Plan, paper: Paper | None) -> dict[str, Any]:
    """Return the charts of the first page by their names."""
    if paper is None:
        return {}

    def draw(name: str, *nouns: Any, **wishes: Any) -> Any:
        return registry.load("reports/charts", name).draw(*nouns, **wishes)

    found = {
        "cost-over-months": draw("cost-over-months", paper.forecast, [each.effective_usd for each in paper.months])
    }
    if paper.saving is not None:
        found["waterfall"] = draw("waterfall", paper.saving, is_by_tier=True)
    if plan.outlook is not None and len(plan.outlook.curve) > 1:
        found["cost-over-users"] = draw("cost-over-users", plan)
    return found


def check_alone(format_: str, count: int) -> None:
    """Raise UsageError for a format that is of one environment where a file has several."""
    if format_ in ALONE and count > 1:
        raise UsageError(f"--format {format_} is of one environment: give --env NAME")
