"""What differs between two plans, as rows."""

from __future__ import annotations

from decimal import Decimal

from cascade_plan.model.difference import Difference, Differences, Value
from cascade_plan.reports._words import shown


def tabulated(differences: Differences, style: str) -> str:
    """Return both plans' names and a table of what differs, in one of tabulate's styles."""
    from tabulate import tabulate

    note = f"note:   {differences.note}\n" if differences.note else ""
    title = f"before: {differences.before}\nafter:  {differences.after}\n{note}"
    if not differences.found:
        return f"{title}\nNothing changed.\n"
    headers = ["what", "name", "before", "after", "change", "unit"]
    align = ("left", "left", "right", "right", "right", "left")
    rows = [_row(difference) for difference in differences.found]
    return f"{title}\n{tabulate(rows, headers, tablefmt=style, colalign=align, disable_numparse=True)}\n"


def _row(difference: Difference) -> list[str]:
    amounts = (_cell(difference.value_before), _cell(difference.value_after), _change(difference))
    return [difference.kind, difference.name, *amounts, difference.unit]


def _cell(value: Value) -> str:
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return "-" if value is None else shown(value)


def _change(difference: Difference) -> str:
    before, after = difference.value_before, difference.value_after
    if isinstance(before, str) or isinstance(after, str) or None in (before, after):
        return ""
    old, new = Decimal(str(before)), Decimal(str(after))
    percent = f" ({(new - old) / old * 100:+,.1f} %)" if old else ""
    return f"{new - old:+,.6g}{percent}" if abs(new - old) < 1000 else f"{new - old:+,.2f}{percent}"
