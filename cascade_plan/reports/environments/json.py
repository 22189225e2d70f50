"""Several environments for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

from cascade_plan.model.plan import Plan
from cascade_plan.reports._document import written
from cascade_plan.reports.environments._totals import over, totals, worst

FORMAT: str = "JSON: every environment's plan by its name, and their total"


def render(plans: Sequence[Plan], rendered: Sequence[str]) -> str:
    """Return the plans' own documents under their names, and what all cost a month."""
    named = {plan.scenario.name: json.loads(text) for plan, text in zip(plans, rendered, strict=True)}
    return written(
        {
            "schema_version": 1,
            "status": worst(plans),
            "cost_usd_per_month": sum((plan.answer.cost_usd_per_month for plan in plans), Decimal(0)),
            "over_budget_usd": over(plans),
            "cost_usd_per_month_by_level": totals(plans),
            "environments": named,
        }
    )
