"""The plan's answer for programs: what it costs and whether that is within limits, without how it was found."""

from __future__ import annotations

from cascade_plan.model.plan import Plan, answered
from cascade_plan.reports._document import written
from cascade_plan.reports.plans._tiers import tiers

FORMAT: str = "JSON: the answer alone: cost by tier, gates, findings and figures, money as text; json has all of it"


def render(plan: Plan) -> str:
    """Return the answer as JSON."""
    users = plan.scenario.users
    return written(
        {
            "schema_version": 1,
            "scenario": plan.scenario.name,
            "region": plan.scenario.region,
            "users_peak": users.peak,
            "users_average": users.average,
            "prices": plan.book,
            **answered(plan),
            "tiers": [
                {
                    "tier": each.name,
                    "fleet": each.fleet,
                    "nodes": each.nodes,
                    "cost_usd_per_month": each.cost_usd,
                    "is_complete": each.is_complete,
                }
                for each in tiers(plan)
            ],
            "verdicts": [
                {
                    "figure": each.figure,
                    "operator": each.operator,
                    "limit": each.limit,
                    "value": each.value,
                    "status": each.status,
                    "reason": each.reason,
                }
                for each in plan.verdicts
            ],
            "findings": [
                {"severity": each.severity, "message": each.message, "where": each.where} for each in plan.findings
            ],
            "unpriced": [line.name for line in plan.bill.unpriced],
            "not_priced": plan.bill.not_priced,
            "figures": {name: {"value": each.value, "unit": each.unit} for name, each in plan.figures.items()},
        }
    )
