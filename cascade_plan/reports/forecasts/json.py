"""A forecast, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cascade_plan.model.forecast import Forecast, ForecastMonth
from cascade_plan.model.plan import nested
from cascade_plan.model.purchases import Purchase, Schedule
from cascade_plan.reports._document import written

FORMAT: str = "JSON: every month, fiscal year, event, broken gate and figure"


def render(found: Forecast) -> str:
    """Return a forecast as JSON: money as decimal text, figures nested under their dotted names."""
    return written(
        {
            "schema_version": found.schema_version,
            "scenario": found.scenario.name,
            "cloud": found.scenario.cloud,
            "region": found.scenario.region,
            "book": found.book,
            "method": found.method,
            "level": found.level,
            "figures": nested(found.figures),
            "months": [
                _month(month) | {"with_purchases": bought._asdict()}
                for month, bought in zip(found.months, found.monthly_with_purchases, strict=True)
            ],
            "fiscal_years": [
                asdict(year) | {"is_whole": year.is_whole, "with_purchases": year.with_purchases._asdict()}
                for year in found.fiscal_years
            ],
            "broken": [asdict(each) | {"start": f"{each.start:%Y-%m}"} for each in found.broken],
            "verdicts": [asdict(verdict) for verdict in found.verdicts],
            "tier_usd": found.tier_usd,
            "list_usd": found.list_usd,
            "effective_usd": found.effective_usd,
            "cash_usd": found.cash_usd,
            "prepaid_usd": found.prepaid_usd,
            "owed_usd": found.owed_usd,
            "is_complete": found.is_complete,
            "with_purchases": found.with_purchases._asdict(),
            "buy_now": [_purchase(each) for each in found.schedule.orders] if found.schedule else [],
            "schedule": None if found.schedule is None else _schedule(found.schedule),
            "notes": found.notes,
            "band": None if found.band is None else asdict(found.band),
        }
    )


def _purchase(each: Purchase) -> dict[str, Any]:
    return {
        "month": each.month,
        "what": each.offer.name,
        "tiers": each.pool.tiers,
        "term": each.term,
        "count": each.count,
        "upfront_usd": each.upfront_usd,
        "usd_per_month": each.usd_per_month,
        "saves_usd": each.saves_usd,
        "paid_back_months": each.paid_back_months,
        "owed_usd_after": each.owed_usd_after,
    }


def _schedule(found: Schedule) -> dict[str, Any]:
    """Return what the purchases come to; those after the first month are an outlook, and stand in no document."""
    return {
        "on_demand_usd": found.on_demand_usd,
        "cost_usd": found.cost_usd,
        "bound_usd": found.bound_usd,
        "liability_usd": found.liability_usd,
        "owed_usd_after": found.owed_usd_after,
        "without_growth": {
            "on_demand_usd": found.stopped.on_demand_usd,
            "least_usd": found.stopped.least_usd,
            "orders_usd": found.stopped.orders_usd,
            "blindly_usd": found.stopped.blindly_usd,
        },
        "rules_usd": dict(found.rules_usd),
        "not_offered": found.not_offered,
    }


def _month(month: ForecastMonth) -> dict[str, Any]:
    users = month.plan.scenario.users
    return {
        "month": f"{month.start:%Y-%m}",
        "number": month.number,
        "hours": month.hours,
        "users_peak": users.peak,
        "users_average": users.average,
        "list_usd": month.list_usd,
        "effective_usd": month.effective_usd,
        "cash_usd": month.cash_usd,
        "prepaid_usd": month.prepaid_usd,
        "cost_usd_per_1000_users": month.cost_usd_per_1000_users,
        "tier_usd": dict(month.tier_usd),
        "events": [{"kind": each.kind, "tier": each.tier, "words": each.words} for each in month.events],
    }
