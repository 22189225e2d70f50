"""A forecast, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cascade_plan.model.forecast import Forecast, ForecastMonth
from cascade_plan.model.plan import nested
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
            "months": [_month(month) for month in found.months],
            "fiscal_years": [asdict(year) | {"is_whole": year.is_whole} for year in found.fiscal_years],
            "broken": [asdict(each) | {"start": f"{each.start:%Y-%m}"} for each in found.broken],
            "verdicts": [asdict(verdict) for verdict in found.verdicts],
            "tier_usd": found.tier_usd,
            "list_usd": found.list_usd,
            "effective_usd": found.effective_usd,
            "cash_usd": found.cash_usd,
            "prepaid_usd": found.prepaid_usd,
            "owed_usd": found.owed_usd,
            "is_complete": found.is_complete,
            "notes": found.notes,
            "band": None if found.band is None else asdict(found.band),
        }
    )


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
