"""Why a figure is what it is, as text or JSON, and which figures there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from cascade_plan.model.bill import FIRST_YEAR, MONTH_12
from cascade_plan.model.derivation import Derivation
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import UNITS
from cascade_plan.model.titles import title
from cascade_plan.reports._fitting import fitted, hanging
from cascade_plan.reports._words import count, ends, shown, unit_price, usd
from cascade_plan.reports.provenance import where_from

MONTHLY: Final = "cost_usd_per_month."
UPFRONT: Final = "cost_usd_upfront"
MONEY_UNITS: Final[Mapping[str, str]] = {"USD": "", "USD/month": " a month"}
YEAR: Final = (FIRST_YEAR, MONTH_12)
UNFOLDED: Final = 2**16
"""A width that folds no line."""
TOPICS: Final = (
    ("cost_", "Cost"),
    ("latency_", "Latency"),
    ("action_latency_", "Latency by action"),
    ("break_even", "Break-even"),
    ("requests_per_s", "Load"),
)
"""How figures begin that belong to no tier, and under which heading they are listed."""
TAKEN: Final = "  "
"""What stands between two columns."""
LABEL: Final = " " * len("formula  ")


def named(plan: Plan, name: str) -> tuple[Derivation, ...]:
    """Return the figure of that name, else those below it, else those that begin with it; () without any."""
    figures = sorted(plan.figures)
    wanted = [figure for figure in figures if figure == name or figure.startswith(f"{name.rstrip('.')}.")]
    wanted = wanted or [figure for figure in figures if name and figure.startswith(name)]
    return tuple(plan.figures[figure] for figure in wanted)


def explain(plan: Plan, name: str, width: int = UNFOLDED) -> str:
    """Return the derivation of a figure, or of every figure whose dotted name begins with `name`; "" without any.

    Lines are folded at their spaces to the width. The lines of a bill are given once, for the first of its levels.
    """
    parts, billed = [], False
    for figure in named(plan, name):
        lines = list(_lines(plan, figure, 0, set(), billed))
        billed = billed or any(line.lstrip().startswith("line ") for line in lines)
        parts.append("\n".join(part for line in lines for part in _folded(line, width)) + "\n")
    return "\n".join(parts)


def overview(plan: Plan, width: int = UNFOLDED) -> str:
    """Return every figure with its value and unit, under its tier; a unit that does not fit is left out."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for name in sorted(plan.figures):
        value, unit = _amount(plan.figures[name])
        groups.setdefault(_topic(plan, name), []).append((name, value, unit.strip()))
    rows = [row for group in groups.values() for row in group]
    names, values = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    parts = []
    for heading in sorted(groups, key=lambda heading: (heading in dict(TOPICS).values(), heading)):
        lines = (
            f"  {name:<{names}}{TAKEN}{value:>{values}}{TAKEN}{unit}".rstrip() for name, value, unit in groups[heading]
        )
        parts.append("\n".join([heading, *(fitted(line, width) for line in lines)]) + "\n")
    return "\n".join(parts)


def document(figure: Derivation, plan: Plan) -> dict[str, Any]:
    """Return what explains a figure as a JSON object, money as text; a cost a month with the lines of its bill."""
    made: dict[str, Any] = {
        "figure": figure.figure,
        "value": _plain(figure.value),
        "unit": figure.unit,
        "formula": figure.formula,
        "inputs": [{"name": i.name, "value": _plain(i.value), "origin": i.origin} for i in figure.inputs],
        "source": figure.source,
        "note": figure.note,
        "interval": list(figure.interval) if figure.interval else None,
    }
    if figure.figure in YEAR:
        made["months"] = [str(cost) for cost in _months(plan)]
    elif figure.figure.startswith(MONTHLY):
        level = figure.figure.removeprefix(MONTHLY)
        made["lines"] = [
            {
                "name": item.name,
                "quantity": str(getattr(item.quantity, level)),
                "unit": item.unit,
                "price_usd": str(item.price_usd),
                "cost_usd": str(getattr(item.cost_usd, level)),
                "price": str(item.key),
                "as_of": item.as_of,
                "price_from": where_from(item, plan.scenario.cloud),
                "source": item.source,
                "sku": item.sku,
                "confirmed_by": item.confirmed_by,
            }
            for item in plan.bill.items
        ]
        made["not_priced"] = [line.name for line in plan.bill.unpriced]
    return made


def _topic(plan: Plan, name: str) -> str:
    topic = next((heading for start, heading in TOPICS if name.startswith(start)), "")
    return topic or title(name.partition(".")[0])


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _amount(figure: Derivation) -> tuple[str, str]:
    """Return a figure's value as a person reads it, money in dollars and cents, and its unit."""
    if isinstance(figure.value, Decimal) and figure.unit in MONEY_UNITS:
        return _money(figure.value), MONEY_UNITS[figure.unit]
    value = ends(figure) if isinstance(figure.value, float) else shown(figure.value)
    return value, f" {figure.unit}".rstrip()


def _money(amount: Decimal) -> str:
    """Return an amount in dollars and cents; one below a cent with the digits it has."""
    return unit_price(amount) if 0 < abs(amount) < Decimal("0.005") else usd(amount)


def _folded(line: str, width: int) -> list[str]:
    label, gap, _ = line.strip().partition("  ")
    return hanging(line, width, LABEL if gap and len(label) < len(LABEL) else "  ")


def _lines(plan: Plan, figure: Derivation, depth: int, seen: set[str], billed: bool) -> Iterator[str]:
    seen.add(figure.figure)
    indent = "  " * depth
    value, unit = _amount(figure)
    yield f"{indent}{figure.figure} = {value}{unit}"
    if isinstance(figure.value, Decimal) and Decimal(value.replace("$", "").replace(",", "")) != figure.value:
        yield f"{indent}  exact    {figure.value.normalize():f} {figure.unit}"
    yield f"{indent}  formula  {figure.formula}"
    width = max((len(entry.name) for entry in figure.inputs), default=0)
    for entry in figure.inputs:
        shown_value = _money(entry.value) if isinstance(entry.value, Decimal) else shown(entry.value)
        yield f"{indent}  input    {entry.name:<{width}} = {shown_value}  ({entry.origin})"
    if figure.source:
        yield f"{indent}  source   {figure.source}"
    if figure.note:
        yield f"{indent}  note     {figure.note}"
    yield from _sum_of(plan, figure.figure, indent, billed)
    for entry in figure.inputs:
        if entry.origin == "computed" and entry.name in plan.figures and entry.name not in seen:
            yield from _lines(plan, plan.figures[entry.name], depth + 1, seen, billed)


def _sum_of(plan: Plan, figure: str, indent: str, billed: bool) -> Iterator[str]:
    """Yield what a cost is the sum of: months, lines of the bill, or what is paid upfront; nothing for what is none."""
    if figure in YEAR:
        for month, cost in enumerate(_months(plan), start=1):
            yield f"{indent}  month    {month:>2} = {_money(cost)}"
    elif figure.startswith(MONTHLY):
        yield from _bill_lines(plan, figure, indent, billed)
    elif figure == UPFRONT:
        yield from _upfront_lines(plan, indent)


def _months(plan: Plan) -> list[Decimal]:
    """Return what each month of the first year costs at the level that the budget judges."""
    return [getattr(month, plan.scenario.budget.level) for month in plan.bill.first_year_usd]


def _bill_lines(plan: Plan, figure: str, indent: str, billed: bool) -> Iterator[str]:
    if billed:
        yield f"{indent}  lines    the same with other quantities: explain {figure} lists them"
        return
    level = figure.removeprefix(MONTHLY)
    for item in plan.bill.items:
        amount, cost = getattr(item.quantity, level), getattr(item.cost_usd, level)
        product = f"{_quantity(amount, item.unit)} x {unit_price(item.price_usd)} = {_money(cost)}"
        yield f"{indent}  line     {item.name}: {product}"
        yield f"{indent}           {item.key}, {where_from(item, plan.scenario.cloud)}"
    for line in plan.bill.unpriced:
        yield f"{indent}  no price {line.name}: {_quantity(getattr(line.quantity, level), line.unit)} ({line.key})"


def _quantity(amount: Decimal, unit: str) -> str:
    words = UNITS.get(unit, unit.replace("_", " "))
    return f"{count(amount)} {words}"


def _upfront_lines(plan: Plan, indent: str) -> Iterator[str]:
    for item in plan.bill.items:
        if item.bought_count:
            each = "an unknown upfront" if item.upfront_usd is None else usd(item.upfront_usd)
            total = "" if item.upfront_total_usd is None else f" = {usd(item.upfront_total_usd)}"
            yield f"{indent}  line     {item.name}: {item.bought_count.normalize():,f} x {each}{total}"
