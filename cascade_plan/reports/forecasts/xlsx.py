"""A forecast as a workbook with live formulas: fiscal years over months, and what changes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import fsum
from typing import Final

from cascade_plan.model.forecast import Forecast, ForecastMonth
from cascade_plan.model.titles import title
from cascade_plan.reports._workbook import Book, Cell, Formula, Sheet, column, total
from cascade_plan.reports.forecasts import _words as words

FORMAT: str = "XLSX: a workbook with live formulas: fiscal years, months by tier, what changes"
MONTHS: Final = "Months"
AFTER: Final = (
    "Effective",
    "List",
    "Paid (cash)",
    "Cumulative",
    "For 1000 users",
    "One of ten less",
    "One of ten more",
)
"""Columns of a month after those of its tiers."""


def render(found: Forecast) -> bytes:
    """Return the workbook. Raises UsageError where the extra `xlsx` is missing."""
    book = Book()
    years, months, events = book.sheet("Years"), book.sheet(MONTHS), book.sheet("What changes")
    _months(months, found)
    _years(years, found)
    events.head(["Month", "What changes"])
    for month, said in words.events(found):
        events.add([month, said])
    for month, said in words.broken(found):
        events.add([month, f"not kept from then on: {said}"])
    for note in found.notes:
        events.add(["", note])
    return book.bytes()


def _letters(found: Forecast) -> dict[str, str]:
    return {name: column(3 + len(found.tier_usd) + index) for index, name in enumerate(AFTER)}


def _years(sheet: Sheet, found: Forecast) -> None:
    letters = _letters(found)
    sheet.add([words.headline(found)], is_bold=True)
    sheet.skip()
    sheet.add(["Fiscal year", "Users at its end", "Effective", "List", "Paid (cash)", "For 1000 users"], is_bold=True)
    first = 2
    for year in found.fiscal_years:
        own = found.months[first - 2 : first - 2 + year.month_count]
        _year(sheet, words.year_name(found, year), own, first, letters, found)
        first += year.month_count
    _year(sheet, f"{len(found.months)} months", found.months, 2, letters, found)


def _year(
    sheet: Sheet, name: str, months: Sequence[ForecastMonth], first: int, letters: dict[str, str], found: Forecast
) -> None:
    last = first + len(months) - 1
    values = {
        "Effective": [_effective(month, found) for month in months],
        "List": [float(month.list_usd) for month in months],
        "Paid (cash)": [float(month.cash_usd) for month in months],
    }
    sums = [
        Formula(f"=SUM({MONTHS}!{letters[each]}{first}:{letters[each]}{last})", fsum(own))
        for each, own in values.items()
    ]
    per = Formula(
        f"=1000*SUM({MONTHS}!{letters['Effective']}{first}:{letters['Effective']}{last})/SUM({MONTHS}!C{first}:C{last})",
        1000 * fsum(values["Effective"]) / sum(_users(month) for month in months),
    )
    sheet.add([name, months[-1].users_peak, *sums, per], ["text", "whole", "usd", "usd", "usd", "usd"])


def _months(sheet: Sheet, found: Forecast) -> None:
    tiers, letters = list(found.tier_usd), _letters(found)
    sheet.head(["Month", "Users at peak", "Users of the budget", *map(title, tiers), *AFTER])
    kinds = ["month", "whole", "whole", *["usd"] * (len(tiers) + len(AFTER))]
    cumulative = 0.0
    for index, month in enumerate(found.months):
        row = sheet.row + 1
        effective = _effective(month, found)
        cumulative += effective
        before = f"{letters['Cumulative']}{row - 1}+" if index else ""
        low, high = (None, None) if found.band is None else (found.band.monthly_usd[index][end] for end in (0, 2))
        cells: list[Cell] = [
            *(float(month.tier_usd.get(tier, Decimal(0))) for tier in tiers),
            Formula(f"=SUM(D{row}:{column(2 + len(tiers))}{row})", effective),
            month.list_usd,
            month.cash_usd,
            Formula(f"={before}{letters['Effective']}{row}", cumulative),
            Formula(f"=1000*{letters['Effective']}{row}/C{row}", 1000 * effective / _users(month)),
            low,
            high,
        ]
        sheet.add([month.start, month.users_peak, _users(month), *cells], kinds)
    last = sheet.row
    sums: list[Cell] = ["Total", None, None]
    for index, tier in enumerate(tiers):
        own = [float(month.tier_usd.get(tier, Decimal(0))) for month in found.months]
        sums.append(total(column(3 + index), 2, last, own))
    for name, values in (
        ("Effective", [_effective(month, found) for month in found.months]),
        ("List", [float(month.list_usd) for month in found.months]),
        ("Paid (cash)", [float(month.cash_usd) for month in found.months]),
    ):
        sums.append(total(letters[name], 2, last, values))
    sheet.add(sums, kinds, is_bold=True)


def _effective(month: ForecastMonth, found: Forecast) -> float:
    return fsum(float(month.tier_usd.get(tier, Decimal(0))) for tier in found.tier_usd)


def _users(month: ForecastMonth) -> int:
    scenario = month.plan.scenario
    users: int = getattr(scenario.users, scenario.budget.users)
    return users
