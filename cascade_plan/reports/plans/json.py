"""The whole plan for programs."""

from __future__ import annotations

from cascade_plan.model.plan import Plan, to_json

FORMAT: str = "JSON: the whole plan, with every figure's derivation"


def render(plan: Plan) -> str:
    """Return the plan as JSON that `from_json` reads back."""
    return to_json(plan)
