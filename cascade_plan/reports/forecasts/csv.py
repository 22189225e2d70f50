"""The months of a forecast, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cascade_plan.model.forecast import Forecast
from cascade_plan.reports._spreadsheet import written

FORMAT: str = "CSV: a row for every month, with each tier's cost in a column of its own"
COLUMNS = (
    "month", "hours", "users_peak", "users_average", "list_usd", "effective_usd", "cash_usd", "prepaid_usd",
    "cumulative_usd", "cost_usd_per_1000_users", "with_purchases_effective_usd", "with_purchases_cash_usd",
)  # fmt: skip


def render(found: Forecast) -> str:
    """Return every month as a row; amounts are unrounded."""
    tiers = list(found.tier_usd)
    bands = [] if found.band is None else ["p10_usd", "p50_usd", "p90_usd"]
    return written([*COLUMNS, *bands, *(f"{tier}_usd" for tier in tiers), "events"], _rows(found, tiers))


def _rows(found: Forecast, tiers: list[str]) -> Iterator[list[object]]:
    cumulative = Decimal(0)
    for month, bought in zip(found.months, found.monthly_with_purchases, strict=True):
        cumulative += month.effective_usd
        users = month.plan.scenario.users
        yield [
            f"{month.start:%Y-%m}",
            month.hours,
            users.peak,
            users.average,
            month.list_usd,
            month.effective_usd,
            month.cash_usd,
            month.prepaid_usd,
            cumulative,
            month.cost_usd_per_1000_users,
            *bought,
            *(() if found.band is None else found.band.monthly_usd[month.number - 1]),
            *(month.tier_usd.get(tier, Decimal(0)) for tier in tiers),
            "; ".join(event.words for event in month.events),
        ]
