"""What a forecast says in words, the same in every format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from cascade_plan.model.forecast import Broken, Event, FiscalYear, Forecast
from cascade_plan.model.purchases import Purchase
from cascade_plan.model.terms import commitment_of
from cascade_plan.model.titles import called
from cascade_plan.reports._names import missed
from cascade_plan.units import counted

MONTHS: Final = (
    "month", "users at peak", "list USD", "effective USD", "cash USD", "cumulative USD", "per 1000 users",
    "what changes",
)  # fmt: skip
PURCHASES: Final = ("buy now", "term", "upfront", "saves", "paid back in")
MILLION: Final = 1_000_000
MATTERS: Final = 0.015
"""A tier's share of the cost below which it is one of the rest."""
SMALL: Final = ("count", "small")
"""Kinds of events that no screen names unless every one is asked for."""
SHOWN: Final = {"step": 0, "grown": 1, "limit": 1, "line": 2, "storage": 3, "count": 4, "small": 5}
"""Kind of event -> its rank: what has a lower one is named first where there is little room."""


def usd(amount: Decimal) -> str:
    """Return whole dollars: a forecast is not known to the cent.

    >>> usd(Decimal("9950.39"))
    '9,950'
    """
    return f"{amount:,.0f}"


def short(amount: Decimal) -> str:
    """Return whole dollars, from a million on in thousands: columns of a screen are narrow.

    >>> short(Decimal("9950.39")), short(Decimal("2254000"))
    ('9,950', '2,254k')
    """
    return usd(amount) if abs(amount) < MILLION else f"{amount / 1000:,.0f}k"


def headline(found: Forecast) -> str:
    """Return whose forecast it is, from when on, and how users grow."""
    first = found.months[0]
    return (
        f"{found.scenario.name}  {len(found.months)} months from {first.start:%Y-%m}, {first.users_peak:,} peak users, "
        f"{growth(found)}  {found.scenario.region}"
    )


def growth(found: Forecast) -> str:
    """Return how users grow, in words."""
    law, last = found.scenario.growth, found.months[-1].users_peak
    words = f"{law.percent_per_month:+g} % a month" if law.percent_per_month else "no growth"
    more = [
        *(["a season"] if law.seasonality else []),
        *([f"{len(law.steps)} step{'s' if len(law.steps) > 1 else ''}"] if law.steps else []),
    ]
    if found.is_by_file:
        return f"{last:,} in the last month"
    return ", ".join((words, *more) if law.percent_per_month or not more else more)


YEARS: Final = (
    "USD", "users", "list", "effective", "cash", "bought", "cash", "per 1000", "P10-P90",
)  # fmt: skip
"""Columns of a table of years; what there is none of has no column."""


def year_rows(found: Forecast) -> Iterator[list[str]]:
    """Yield the cells of each fiscal year, and of all months, under YEARS."""
    for index, year in enumerate(found.fiscal_years):
        yield [
            year_name(found, year), f"{year.users_peak:,}", short(year.list_usd), short(year.effective_usd),
            short(year.cash_usd), *map(short, year.with_purchases), short(year.cost_usd_per_1000_users),
            "" if found.band is None else band(found.band.fiscal_years_usd[index]),
        ]  # fmt: skip
    counts = sum(getattr(month.plan.scenario.users, found.scenario.budget.users) for month in found.months)
    yield [
        f"{len(found.months)} months", f"{found.months[-1].users_peak:,}", short(found.list_usd),
        short(found.effective_usd), short(found.cash_usd), *map(short, found.with_purchases),
        usd(found.effective_usd * 1000 / counts), "" if found.band is None else band(found.band.total_usd),
    ]  # fmt: skip


def year_columns(found: Forecast) -> tuple[list[str], list[list[str]]]:
    """Return the headers and rows of the table of years: views that are the same stand once."""
    dropped: set[int] = set()
    if found.list_usd == found.effective_usd == found.cash_usd:
        dropped |= {3, 4}
    elif found.effective_usd == found.cash_usd:
        dropped.add(4)
    if found.schedule is None or not found.schedule.purchases:
        dropped |= {5, 6}
    if found.band is None:
        dropped.add(8)
    kept = [index for index in range(len(YEARS)) if index not in dropped]
    return [YEARS[index] for index in kept], [[row[index] for index in kept] for row in year_rows(found)]


def band(percentiles: tuple[Decimal, Decimal, Decimal]) -> str:
    """Return a band in whole dollars, P10 to P90."""
    return f"{short(percentiles[0])}-{short(percentiles[2])}"


def year_name(found: Forecast, year: FiscalYear) -> str:
    """Return what a fiscal year is called, with how many of its months are here where not all are."""
    first = found.scenario.forecast.fiscal_year_start
    name = f"{year.year}" if first == 1 else f"FY{year.year}"
    return name if year.is_whole else f"{name} ({year.month_count} mo)"


def views(found: Forecast) -> str:
    """Return how list, effective cost and cash differ, in words; "" where nothing is committed to or discounted."""
    has_purchases = found.schedule is not None and bool(found.schedule.purchases)
    if found.list_usd == found.effective_usd == found.cash_usd and not has_purchases:
        return "Nothing is committed to: list price, effective cost and cash are the same."
    words = (
        "List: what is used, at public prices. Effective: what is paid upfront is spread over its term. Cash: it is "
    )
    words += "paid when bought."
    if has_purchases:
        words += " Bought: with the purchases named below, and those that they lead to."
    if found.prepaid_usd or found.owed_usd:
        words += f" After the last month: {usd(found.prepaid_usd)} prepaid, {usd(found.owed_usd)} still owed."
    return words


def purchases(found: Forecast, most: int | None = None) -> list[tuple[str, str, str, str, str]]:
    """Return (what, term, upfront, what it saves, when that is paid back) of each purchase to make now.

    Of more than so many those that save most, and the others in one row.
    """
    if found.schedule is None:
        return []
    orders = found.schedule.orders
    if most is not None and len(orders) > most:
        kept = sorted(orders, key=lambda each: -each.saves_usd)[: most - 1]
        rest = [each for each in orders if each not in kept]
        upfront = sum((each.upfront_usd for each in rest), Decimal(0))
        saves = sum((each.saves_usd for each in rest), Decimal(0))
        return [*_purchases(kept), (f"{len(rest)} more", "named by --events", usd(upfront), usd(saves), "")]
    return _purchases(orders)


def _purchases(orders: Iterable[Purchase]) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            f"{each.count} {each.offer.name}", term(each.term), usd(each.upfront_usd), usd(each.saves_usd),
            "-" if not each.paid_back_months else counted(each.paid_back_months, "month"),
        )
        for each in orders
    ]  # fmt: skip


def term(name: str) -> str:
    """Return a term of purchase in words.

    >>> term("reserved_3y_all_upfront"), term("compute_sp_1y_no_upfront")
    ('3 years, all upfront', '1 year, no upfront, compute savings plan')
    """
    commitment = commitment_of(name)
    if commitment is None:
        return name.replace("_", " ")
    kind = (
        ""
        if commitment.kind == "reserved"
        else f", {commitment.kind.replace('_sp', ' savings plan').replace('_', ' ')}"
    )
    return f"{counted(commitment.years, 'year')}, {commitment.upfront} upfront{kind}"


def after_purchases(found: Forecast) -> list[str]:
    """Return what is saved and left to be paid, and what the purchases come to where users grow no more."""
    if found.schedule is None or not found.schedule.orders:
        return []
    plan, stopped = found.schedule, found.schedule.stopped
    owed = f"; then {usd(plan.owed_usd_after)} is still owed" if plan.owed_usd_after else ""
    lines = [
        f"With those that follow {usd(plan.saves_usd)} of {usd(plan.on_demand_usd)} is saved in "
        f"{len(found.months)} months{owed}."
    ]
    if found.months[-1].users_peak > found.months[0].users_peak:
        lines.append(
            f"If users stop growing now: {usd(stopped.orders_usd)} with these, {usd(stopped.on_demand_usd)} on demand."
        )
    return lines


def where(found: Forecast) -> str:
    """Return which tiers the cost of all months is of."""
    total = found.effective_usd or Decimal(1)
    shares = [(called(tier), float(amount / total)) for tier, amount in found.tier_usd.items()]
    parts = [f"{name} {share:.0%}" for name, share in shares if share >= MATTERS]
    rest = 1 - sum(share for _, share in shares if share >= MATTERS)
    return "  ".join((*parts, *([f"rest {rest:.0%}"] if rest >= MATTERS else [])))


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
    """Return (month, what changes in it), of every month that has an event; of at most so many with the weightiest."""
    ranked = sorted(found.events, key=lambda event: (SHOWN[event.kind], event.number))
    if most is not None:
        ranked = [event for event in ranked if event.kind not in SMALL]
    months: dict[int, list[Event]] = {}
    for event in ranked:
        if event.number in months or most is None or len(months) < most:
            months.setdefault(event.number, []).append(event)
    return [
        (
            f"{months[number][0].start:%Y-%m}",
            "; ".join(_what(event) if most is not None else event.words for event in months[number]),
        )
        for number in sorted(months)
    ]


def _what(event: Event) -> str:
    """Return an event without its reason, which is longer than a line of a screen."""
    return event.words.partition(": ")[0] if event.kind == "grown" else event.words


def budget(found: Forecast) -> str:
    """Return by how much each whole fiscal year keeps its budget or does not, in words; "" without a budget."""
    limit = found.scenario.budget.usd_per_fiscal_year
    if limit is None:
        return ""
    parts = [f"{year_name(found, year)} {_beside(year.effective_usd, limit)}"
             for year in found.fiscal_years if year.is_whole]  # fmt: skip
    return f"${limit:,.0f} a year: {'; '.join(parts) or 'no year is whole'}"


def _beside(usd_: Decimal, limit: float) -> str:
    over = usd_ - Decimal(str(limit))
    return f"unfavourable by {usd(over)}" if over > 0 else f"favourable by {usd(-over)}"


def broken(found: Forecast) -> Iterator[tuple[str, str]]:
    """Yield (month, which gate or budget is not kept from then on)."""
    for each in found.broken:
        yield f"{each.start:%Y-%m}", _broken(found, each)


def _broken(found: Forecast, each: Broken) -> str:
    if each.number is None:
        return f"the budget of ${each.limit:,.0f} for fiscal year {each.fiscal_year} is used up"
    plan = found.months[each.number - 1].plan
    own = (each.figure, each.operator, each.limit)
    verdict = next(one for one in plan.verdicts if (one.figure, one.operator, one.limit) == own)
    return ": ".join(missed(plan, verdict))
