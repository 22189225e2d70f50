"""The cheapest fleet for programs."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from cascade_plan.model.optimum import Optimum
from cascade_plan.reports._document import written
from cascade_plan.units import decimal_text

FORMAT: str = "JSON: the fleet, the scenario that pins it, its proof and what lies beside it; money as decimal text"


def render(optimum: Optimum) -> str:
    """Return the optimum as JSON."""
    scenario = optimum.plan.scenario
    budget = optimum.budget_usd_per_month
    return written(
        _plain(
            {
                "schema_version": 1,
                "scenario": scenario.name,
                "status": "over_budget"
                if optimum.is_over_budget
                else "no_budget"
                if budget is None
                else "within_budget",
                "cost_usd_per_month": optimum.cost_usd_per_month,
                "horizon_months": optimum.horizon_months,
                "budget_usd_per_month": budget,
                "upfront_usd": optimum.upfront_usd,
                "cost_usd_per_month_today": getattr(optimum.today.bill.effective_usd, scenario.budget.level),
                "cost_usd_per_month_by_method_slo": optimum.slo_usd_per_month,
                "proof": asdict(optimum.proof),
                "gaps": asdict(optimum.gaps),
                "kept_share": optimum.kept_share,
                "world_count": optimum.world_count,
                "ladder": [asdict(rung) for rung in optimum.ladder],
                "why_not": None if optimum.why_not is None else asdict(optimum.why_not),
                "decides": [asdict(each) for each in optimum.decides],
                "months": [asdict(month) for month in optimum.months],
                "parts": [asdict(part) for part in optimum.parts],
                "verdicts": [asdict(verdict) for verdict in optimum.plan.verdicts],
                "pinned": scenario.model_dump(mode="json", exclude_unset=True),
            }
        )
    )


def _plain(value: Any) -> Any:
    """Return a value with money as decimal text."""
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
