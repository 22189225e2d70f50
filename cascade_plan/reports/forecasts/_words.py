"""What a forecast says in words, the same in every format."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cascade_plan.model.forecast import Broken, Event, FiscalYear, Forecast, ForecastMonth
from cascade_plan.model.titles import called

MONTHS: Final = (
    "month", "users at peak", "list USD", "effective USD", "cash USD", "cumulative USD", "per 1000 users",
    "what changes",
)  # fmt: skip
MATTERS: Final = 0.005
"""A tier's share of the cost below which it is one of the rest."""
SHOWN: Final = {"step": 0, "grown": 1, "limit": 1, "support": 2, "line": 3, "storage": 4, "count": 5}
"""Kind of event -> how soon it is left out of a screen; 0 never."""


def usd(amount: Decimal) -> str:
    """Return whole dollars: a forecast is not known to the cent.

    >>> usd(Decimal("9950.39"))
    '9,950'
    """
    return f"{amount:,.0f}"


def headline(found: Forecast) -> str:
    """Return whose forecast it is, from when on, and how users grow."""
    first = found.months[0]
    return (
        f"{found.scenario.name}  {len(found.months)} months from {first.start:%Y-%m}, {first.users_peak:,} users at "
        f"peak, {growth(found)}, by {found.method}  {found.scenario.cloud} {found.scenario.region}"
    )


def growth(found: Forecast) -> str:
    """Return how users grow, in words."""
    law, last = found.scenario.growth, found.months[-1].users_peak
    words = f"{law.percent_per_month:+g}% a month" if law.percent_per_month else "none more a month"
    more = [
        *(["a season"] if law.seasonality else []),
        *([f"{len(law.steps)} step{'s' if len(law.steps) > 1 else ''}"] if law.steps else []),
    ]
    if found.is_by_file:
        return f"{last:,} in the last month"
    return " and ".join((words, *more)) if law.percent_per_month or not more else f"{' and '.join(more)}"


def year_rows(found: Forecast) -> Iterator[list[str]]:
    """Yield (year, users at its end, list, effective, cash, per 1000 users) of each fiscal year, and of all."""
    for year in found.fiscal_years:
        yield [
            year_name(found, year), f"{year.users_peak:,}", usd(year.list_usd), usd(year.effective_usd),
            usd(year.cash_usd), usd(year.cost_usd_per_1000_users),
        ]  # fmt: skip
    counts = sum(getattr(month.plan.scenario.users, found.scenario.budget.users) for month in found.months)
    yield [
        f"{len(found.months)} months", f"{found.months[-1].users_peak:,}", usd(found.list_usd),
        usd(found.effective_usd), usd(found.cash_usd), usd(found.effective_usd * 1000 / counts),
    ]  # fmt: skip


def year_name(found: Forecast, year: FiscalYear) -> str:
    """Return what a fiscal year is called, with how many of its months are here where not all are."""
    first = found.scenario.forecast.fiscal_year_start
    name = f"{year.year}" if first == 1 else f"FY{year.year}"
    return name if year.is_whole else f"{name} ({year.month_count} months)"


def views(found: Forecast) -> str:
    """Return how list, effective cost and cash differ, in words; "" where nothing is committed to or discounted."""
    if found.list_usd == found.effective_usd == found.cash_usd:
        return "Nothing is committed to: list price, effective cost and cash are the same."
    words = "Effective: what is paid upfront is spread over its term. Cash: it is paid when bought."
    if found.prepaid_usd or found.owed_usd:
        words += f" After the last month: {usd(found.prepaid_usd)} prepaid, {usd(found.owed_usd)} still owed."
    return words


def where(found: Forecast) -> str:
    """Return which tiers the cost of all months is of."""
    total = found.effective_usd or Decimal(1)
    shares = [(called(tier), float(amount / total)) for tier, amount in found.tier_usd.items()]
    parts = [f"{name} {share:.0%}" for name, share in shares if share >= MATTERS]
    return "  ".join(parts)


def month_rows(found: Forecast) -> Iterator[list[str]]:
    """Yield the cells of every month."""
    cumulative = Decimal(0)
    for month in found.months:
        cumulative += month.effective_usd
        yield [
            f"{month.start:%Y-%m}", f"{month.users_peak:,}", usd(month.list_usd), usd(month.effective_usd),
            usd(month.cash_usd), usd(cumulative), usd(month.cost_usd_per_1000_users),
            "; ".join(event.words for event in month.events),
        ]  # fmt: skip


def from_to(found: Forecast) -> str:
    """Return what the first and the last month cost."""
    first, last = found.months[0], found.months[-1]
    return f"${usd(first.effective_usd)} in {first.start:%Y-%m}, ${usd(last.effective_usd)} in {last.start:%Y-%m}"


def events(found: Forecast, most: int | None = None) -> list[tuple[str, str]]:
    """Return (month, what changes in it) of every month that has an event; the weightiest events, if at most so many.

    Of the numbers of nodes a month says only what is not left out by then.
    """
    for least in range(max(SHOWN.values()), -1, -1):
        rows = list(_event_rows(found.months, least))
        if most is None or len(rows) <= most:
            return rows
    return rows[:most]


def _event_rows(months: tuple[ForecastMonth, ...], least: int) -> Iterator[tuple[str, str]]:
    for month in months:
        own = [event for event in month.events if SHOWN[event.kind] <= least]
        if own:
            yield f"{month.start:%Y-%m}", "; ".join(map(_short, own))


def _short(event: Event) -> str:
    return event.words


def left_out(found: Forecast, shown: int) -> int:
    """Return how many events a screen does not say."""
    return len(found.events) - shown


def broken(found: Forecast) -> Iterator[tuple[str, str]]:
    """Yield (month, which gate or budget is not kept from then on)."""
    for each in found.broken:
        yield f"{each.start:%Y-%m}", _broken(each)


def _broken(each: Broken) -> str:
    limit = f"{each.limit:,f}"
    if each.fiscal_year is not None:
        return f"the budget of {limit} for fiscal year {each.fiscal_year} is used up; it needs {each.value:,.0f}"
    value = f"{each.value:,.2f}" if isinstance(each.value, Decimal) else f"{each.value:,.4g}"
    return f"{each.figure} {each.operator} {limit} breaks: {value}"
