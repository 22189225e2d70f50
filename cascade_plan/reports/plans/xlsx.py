"""The report as a workbook: finance's page with live formulas, months, commitments, line items, assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import ceil, fsum
from typing import Final, NamedTuple

from cascade_plan.model.bill import Item
from cascade_plan.model.paper import Paper, PaperMonth, PaperYear
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import UNITS
from cascade_plan.model.titles import title
from cascade_plan.reports._workbook import Book, Cell, Formula, Sheet, column, total
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.plans import _finance as finance

FORMAT: str = "XLSX: a workbook with live formulas: summary, months, commitments, line items, assumptions"
MONTHS: Final = "Months"
ITEMS: Final = "Line items"
GROUNDS: Final = "Assumptions"


class Place(NamedTuple):
    """Where the months stand on their sheet."""

    first: int
    """The row of the first month."""
    without: str
    """Column of what nothing bought costs; the others follow it."""


OF_MONTH: Final = ("Nothing bought", "Commitments save", "With commitments", "Cumulative", "Paid (cash)", "Budget",
                   "Above budget", "For 1000 users")  # fmt: skip
"""Columns of a month after those of its tiers."""


def render(plan: Plan, paper: Paper | None = None) -> bytes:
    """Return the workbook. Without a `paper` it has the line items and assumptions alone.

    Raises UsageError where the extra `xlsx` is missing.
    """
    book = Book()
    summary = None if paper is None else book.sheet("Summary")
    months = None if paper is None else book.sheet(MONTHS)
    orders = None if paper is None else book.sheet("Commitments")
    items = book.sheet(ITEMS)
    _grounds(book.sheet(GROUNDS), plan, book)
    cost = _items(items, plan)
    if paper is not None and summary is not None and months is not None and orders is not None:
        place = _months(months, paper)
        _orders(orders, paper)
        _summary(summary, plan, paper, place, cost)
    return book.bytes()


def _letter(place: Place, name: str) -> str:
    """Return the letters of one of the columns after the tiers."""
    index = 0
    for each in place.without:
        index = index * 26 + ord(each) - 64
    return column(index - 1 + OF_MONTH.index(name))


# ------------------------------------------------------------------------------------------------------------ summary


def _summary(sheet: Sheet, plan: Plan, paper: Paper, place: Place, cost: Formula) -> None:
    year, _ = finance.asked(paper)
    sheet.add([f"{plan.scenario.name}: what it costs and what to decide"], is_bold=True)
    sheet.add(["Plan", paper.identifier])
    sheet.add(["Program", f"cascade-plan {paper.version}"])
    sheet.add(["Owner", finance.owner(plan)])
    sheet.add(["Prices", f"{plan.scenario.cloud} {plan.scenario.region}, {plan.book}, US dollars before taxes"])
    sheet.skip()
    ask = sheet.row
    # Written below: it refers to a row that is not there yet.
    sheet.row += 1
    most = plan.answer.budget_usd_per_month
    sheet.add(["Today, a month", cost], ["text", "usd"])
    if most is not None:
        row = sheet.add(["Budget, a month", most], ["text", "usd"])
        over = Formula(f"=B{row - 1}-B{row}", cost.value - float(most))
        sheet.add(["Above the budget (below it where negative)", over], ["text", "usd"])
    sheet.skip()
    rows = _years(sheet, paper, place)
    sheet.skip()
    _decisions(sheet, paper)
    after = sheet.row
    sheet.row = ask
    row = rows[paper.years.index(year)]
    wanted = Formula(f"=CEILING(D{row}*(1+buffer_percent/100),100)", _ceiling(paper, year))
    sheet.add([f"Approve for {finance.year_name(paper, year)}", wanted], ["text", "usd"], is_bold=True)
    sheet.row = after


def _ceiling(paper: Paper, year: PaperYear) -> float:
    buffer = paper.forecast.scenario.forecast.buffer_percent
    return ceil(float(year.effective_usd) * (1 + buffer / 100) / 100) * 100.0


def _years(sheet: Sheet, paper: Paper, place: Place) -> list[int]:
    """Write a row for each fiscal year and one for all, and return the rows' numbers."""
    names = ("Nothing bought", "With commitments", "Paid (cash)", "Budget", "Above budget")
    sheet.add(["Fiscal year", "Users at its end", *names, "A month for 1000 users"], is_bold=True)
    kinds = ["text", "whole", *["usd"] * 6]
    found, at = [], place.first
    for year in (*paper.years, paper.total):
        first = place.first if year.year is None else at
        last = first + year.month_count - 1
        own = paper.months[first - place.first : last - place.first + 1]
        cells = [_of_year(place, name, first, last, own, paper) for name in names]
        per = _per(place, first, last, own, paper)
        found.append(sheet.add([finance.year_name(paper, year), year.users_peak, *cells, per], kinds))
        at = at if year.year is None else last + 1
    return found


def _of_year(
    place: Place, name: str, first: int, last: int, months: Sequence[PaperMonth], paper: Paper
) -> Formula | None:
    values = [_value(name, month, paper) for month in months]
    if any(value is None for value in values):
        return None
    letter = _letter(place, name)
    return Formula(f"=SUM({MONTHS}!{letter}{first}:{letter}{last})", fsum(value or 0.0 for value in values))


def _value(name: str, month: PaperMonth, paper: Paper) -> float | None:
    effective = fsum(_tiers(month)) - _saved(month)
    if name == "Nothing bought":
        return fsum(_tiers(month))
    if name == "With commitments":
        return effective
    if name == "Paid (cash)":
        return float(month.cash_usd)
    most = _most(month, paper)
    return most if most is None or name == "Budget" else effective - most


def _per(place: Place, first: int, last: int, months: Sequence[PaperMonth], paper: Paper) -> Formula:
    letter = _letter(place, "With commitments")
    text = f"=1000*SUM({MONTHS}!{letter}{first}:{letter}{last})/SUM({MONTHS}!C{first}:C{last})"
    effective = fsum(_value("With commitments", month, paper) or 0.0 for month in months)
    at = first - place.first
    return Formula(text, 1000 * effective / sum(_users(paper, at + index) for index in range(len(months))))


def _decisions(sheet: Sheet, paper: Paper) -> None:
    if not paper.decisions:
        return
    sheet.add(["Decide", f"Saves in {len(paper.months)} months", "Paid at once", "By", "Risk"], is_bold=True)
    for each in paper.decisions:
        cells: list[Cell] = [finance.what(each, paper), each.saves_usd, each.cash_usd, f"{each.by:%Y-%m-%d}"]
        sheet.add([*cells, finance.risk(each, paper)], ["text", "usd", "usd", "text", "text"])
    sheet.add(["Each saving is of that decision alone: together they save less than their sum."])


# ------------------------------------------------------------------------------------------------------------- months


def _months(sheet: Sheet, paper: Paper) -> Place:
    tiers = list(paper.forecast.tier_usd)
    sheet.head(["Month", "Users at peak", "Users of the budget", *map(title, tiers), *OF_MONTH])
    place = Place(sheet.row + 1, column(3 + len(tiers)))
    kinds = ["month", "whole", "whole", *["usd"] * (len(tiers) + len(OF_MONTH))]
    cumulative = 0.0
    for index, month in enumerate(paper.months):
        effective = fsum(_tiers(month)) - _saved(month)
        cumulative += effective
        costs: list[Cell] = [float(month.tier_usd.get(tier, Decimal(0))) for tier in tiers]
        users = _users(paper, index)
        cells = _of_month(place, sheet.row + 1, month, users, effective, cumulative, paper)
        sheet.add([month.start, month.users_peak, users, *costs, *cells], kinds)
    letters = [column(index) for index in range(3, 3 + len(tiers))]
    _sums(sheet, paper, place, letters, tiers)
    return place


def _of_month(
    place: Place, row: int, month: PaperMonth, users: int, effective: float, cumulative: float, paper: Paper
) -> list[Cell]:
    """Return the cells after those of the tiers."""
    at = {name: f"{_letter(place, name)}{row}" for name in OF_MONTH}
    before = f"{_letter(place, 'Cumulative')}{row - 1}+" if row > place.first else ""
    last_tier = column(2 + len(paper.forecast.tier_usd))
    most = _most(month, paper)
    return [
        Formula(f"=SUM(D{row}:{last_tier}{row})", fsum(_tiers(month))),
        _saved(month),
        Formula(f"={at['Nothing bought']}-{at['Commitments save']}", effective),
        Formula(f"={before}{at['With commitments']}", cumulative),
        float(month.cash_usd),
        None if most is None else Formula(_budget(paper, row), most),
        None if most is None else Formula(f"={at['With commitments']}-{at['Budget']}", effective - most),
        Formula(f"=1000*{at['With commitments']}/C{row}", 1000 * effective / users),
    ]


def _sums(sheet: Sheet, paper: Paper, place: Place, letters: Sequence[str], tiers: Sequence[str]) -> None:
    last = place.first + len(paper.months) - 1
    values = [[float(month.tier_usd.get(tier, Decimal(0))) for month in paper.months] for tier in tiers]
    cells: list[Cell] = ["Total", None, None]
    cells += [total(letter, place.first, last, own) for letter, own in zip(letters, values, strict=True)]
    for name in OF_MONTH[:7]:
        letter = _letter(place, name)
        if name == "Cumulative":
            cells.append(None)
        elif name == "Commitments save":
            cells.append(total(letter, place.first, last, [_saved(month) for month in paper.months]))
        else:
            own = [_value(name, month, paper) for month in paper.months]
            known = [value for value in own if value is not None]
            cells.append(total(letter, place.first, last, known) if len(known) == len(own) else None)
    sheet.add(cells, ["text", "whole", "whole", *["usd"] * (len(tiers) + 7)], is_bold=True)


def _tiers(month: PaperMonth) -> list[float]:
    return [float(usd) for usd in month.tier_usd.values()]


def _saved(month: PaperMonth) -> float:
    return float(month.without_usd - month.effective_usd)


def _users(paper: Paper, index: int) -> int:
    scenario = paper.forecast.months[index].plan.scenario
    users: int = getattr(scenario.users, scenario.budget.users)
    return users


def _budget(paper: Paper, row: int) -> str:
    """Return the formula of what a month may cost: the least of what the budget names."""
    budget = paper.forecast.scenario.budget
    parts = [] if budget.usd_per_1000_users_month is None else [f"budget_usd_per_1000_users*C{row}/1000"]
    parts += [] if budget.usd_per_month is None else ["budget_usd_per_month"]
    return f"=MIN({','.join(parts)})"


def _most(month: PaperMonth, paper: Paper) -> float | None:
    return None if month.budget_usd is None else float(month.budget_usd)


# -------------------------------------------------------------------------------------- commitments, items, assumptions


def _orders(sheet: Sheet, paper: Paper) -> None:
    headers = ("Buy now", "Term", "For", "Count", "Upfront of one", "Upfront", "Then a month", "Saves in these months",
               "Upfront saved after months", "Owed after these months")  # fmt: skip
    sheet.head(headers)
    kinds = ["text", "text", "text", "count", "usd", "usd", "usd", "usd", "whole", "usd"]
    first = sheet.row + 1
    for order in paper.schedule.orders:
        row = sheet.row + 1
        one = float(order.upfront_usd) / order.count
        cells: list[Cell] = [
            order.offer.name,
            facts.term(order.term),
            ", ".join(map(title, order.pool.tiers)),
            order.count,
            one,
            Formula(f"=D{row}*E{row}", order.count * one),
            order.usd_per_month,
            order.saves_usd,
            order.paid_back_months,
            order.owed_usd_after,
        ]
        sheet.add(cells, kinds)
    if orders := paper.schedule.orders:
        upfront = [order.count * (float(order.upfront_usd) / order.count) for order in orders]
        others = [[float(getattr(each, name)) for each in orders] for name in ("usd_per_month", "saves_usd")]
        sums = [total(letter, first, sheet.row, own) for letter, own in zip("FGH", [upfront, *others], strict=True)]
        sheet.add(["Total", None, None, None, None, *sums], kinds, is_bold=True)
    else:
        sheet.add(["Nothing is worth buying now."])


def _items(sheet: Sheet, plan: Plan) -> Formula:
    """Write the lines of the bill, and return their sum for another sheet."""
    level = plan.scenario.budget.level
    headers = ("Item", "Part", f"Quantity a month ({level})", "Unit", "Unit price", "Cost", "List price", "Price of",
               "Source", "SKU")  # fmt: skip
    sheet.head(headers)
    kinds = ["text", "text", "count", "text", "price", "usd", "price", "text", "text", "text"]
    first, costs = sheet.row + 1, []
    for item in plan.bill.items:
        costs.append(float(getattr(item.quantity, level)) * float(item.price_usd))
        sheet.add(_item(item, level, sheet.row + 1, costs[-1]), kinds)
    last = max(first, sheet.row)
    sheet.add(["Total", None, None, None, None, total("F", first, last, costs)], kinds, is_bold=True)
    for line in plan.bill.unpriced:
        sheet.add([line.name, title(line.tier), float(getattr(line.quantity, level)), line.unit, "no price"], kinds[:4])
    return Formula(f"='{ITEMS}'!F{last + 1}", fsum(costs))


def _item(item: Item, level: str, row: int, cost: float) -> list[Cell]:
    return [
        item.name,
        title(item.tier),
        float(getattr(item.quantity, level)),
        UNITS.get(item.unit, item.unit),
        item.price_usd,
        Formula(f"=C{row}*E{row}", cost),
        item.list_price_usd,
        item.as_of,
        item.source,
        item.sku,
    ]


def _grounds(sheet: Sheet, plan: Plan, book: Book) -> None:
    """Write the assumptions; what formulas use has a name."""
    scenario = plan.scenario
    sheet.head(("Assumption", "Value", "Name in formulas", "What it is"))
    named = (
        ("buffer_percent", scenario.forecast.buffer_percent, "percent above the forecast that is asked for"),
        ("budget_usd_per_1000_users", scenario.budget.usd_per_1000_users_month,
         f"what 1000 {facts.USERS[scenario.budget.users]} may cost a month"),
        ("budget_usd_per_month", scenario.budget.usd_per_month, "what everything may cost a month"),
        ("growth_percent_per_month", scenario.growth.percent_per_month, "more users every month"),
        ("users_peak", scenario.users.peak, "users at the busiest time today"),
        ("users_average", scenario.users.average, "users on average today"),
    )  # fmt: skip
    for name, value, words in named:
        if value is not None:
            row = sheet.add([name.replace("_", " "), value, name, words], ["text", "count"])
            book.name(name, f"{GROUNDS}!$B${row}")
    if plan.outlook is None:
        return
    sheet.skip()
    sheet.add(["Value", "Now", "Known from", "Source", "1000 users if half", "1000 users if twice"], is_bold=True)
    for each in plan.outlook.sensitivities:
        half, twice = each.cost_usd_per_1000_users_month_halved, each.cost_usd_per_1000_users_month_doubled
        kinds = ["text", "count", "text", "text", "usd", "usd"]
        sheet.add([each.path, each.value, each.kind, each.source, half, twice], kinds)
