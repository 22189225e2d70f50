"""Several environments for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cascade_plan.model.plan import Plan
from cascade_plan.reports._document import written
from cascade_plan.reports.environments._totals import totals

FORMAT: str = "JSON: every environment's plan by its name, and their total"


def render(plans: Sequence[Plan], rendered: Sequence[str]) -> str:
    """Return the plans' own documents under their names, and what all cost a month."""
    named = {plan.scenario.name: json.loads(text) for plan, text in zip(plans, rendered, strict=True)}
    return written({"schema_version": 1, "environments": named, "cost_usd_per_month": totals(plans)})
