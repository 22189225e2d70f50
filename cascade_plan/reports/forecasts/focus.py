"""A forecast in FOCUS: every month's charges, to stand beside the bills that come."""

from __future__ import annotations

from cascade_plan.model.billed import VERSIONS
from cascade_plan.model.calendar import Month
from cascade_plan.model.forecast import Forecast
from cascade_plan.reports._focus import Basis, table

FORMAT: str = "FOCUS: every month's charges as rows that stand beside a cloud's own bills, with what is paid"


def render(found: Forecast, focus_version: str = VERSIONS[0]) -> str:
    """Return every month's charges as CSV: EffectiveCost sums to what they cost, BilledCost to what is paid."""
    months = (
        (Basis.of(month.plan, Month.of(month.start)), month.plan.bill.items, month.held) for month in found.months
    )
    return table(focus_version, months)
