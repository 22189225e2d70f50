"""What differs between two plans, for programs."""

from __future__ import annotations

from typing import Any

from cascade_plan.model.difference import Difference, Differences
from cascade_plan.model.plan import Plan
from cascade_plan.reports._causes import said
from cascade_plan.reports._document import written
from cascade_plan.reports.differences import _summary as summary

FORMAT: str = "JSON: the change of cost and its causes, and what else differs; money as text"


def render(differences: Differences) -> str:
    """Return what differs as JSON: figures in the digits that are shown, money exactly."""
    change = differences.change_usd
    return written(
        {
            "schema_version": 1,
            "headline": summary.headline(differences),
            "notes": [*summary.notes(differences)],
            "level": differences.level,
            "cost_usd_per_month": {
                "before": differences.cost_usd_before,
                "after": differences.cost_usd_after,
                "change": change,
                "is_exact": differences.is_exact,
            },
            "causes": [
                {
                    "tier": cause.tier,
                    "subject": cause.subject,
                    "words": said(cause),
                    "cost_usd_before": cause.cost_usd_before,
                    "cost_usd_after": cause.cost_usd_after,
                    "change_usd": cause.change_usd,
                    "features": [_changed(feature) for feature in cause.features],
                    "unpriced": cause.unpriced,
                    "gives_up": cause.gives_up,
                }
                for cause in differences.causes
            ],
            "before": _plan(differences.before),
            "after": _plan(differences.after),
            "inputs": [_changed(difference) for difference in differences.inputs],
            "figures": [_changed(figure) for figure in summary.figures(differences)],
            "gates": [
                {
                    "figure": gate.figure,
                    "operator": gate.operator,
                    "limit": gate.limit,
                    "before": gate.verdict_before and gate.verdict_before.status,
                    "after": gate.verdict_after and gate.verdict_after.status,
                }
                for gate in differences.gates
            ],
            "findings_new": [finding.message for finding in differences.findings_new],
            "findings_gone": [finding.message for finding in differences.findings_gone],
        }
    )


def _plan(plan: Plan) -> dict[str, Any]:
    users = plan.scenario.users
    return {
        "scenario": plan.scenario.name,
        "region": plan.scenario.region,
        "users_peak": users.peak,
        "users_average": users.average,
        "prices": plan.book,
        "is_complete": plan.bill.complete,
        "failed": plan.failed,
    }


def _changed(difference: Difference) -> dict[str, Any]:
    return {
        "name": difference.name,
        "unit": difference.unit,
        "before": difference.value_before,
        "after": difference.value_after,
    }
