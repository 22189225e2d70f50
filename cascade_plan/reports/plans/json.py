"""The whole plan for programs."""

from __future__ import annotations

from typing import Any

from cascade_plan.model.plan import Plan, to_json
from cascade_plan.reports.plans import _page

FORMAT: str = "JSON: the whole plan, with every figure's derivation"


def render(plan: Plan) -> str:
    """Return the plan as JSON that `from_json` reads back."""
    return to_json(plan)


def page(plan: Plan) -> dict[str, Any]:
    """Return what a page shows of a plan, as JSON has it: words beside numbers."""
    return _page.page(plan)
