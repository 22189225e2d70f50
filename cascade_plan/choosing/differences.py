"""What changed between two plans, in fleet and bill."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.model.plan import Plan
from cascade_plan.reports.explanation import shown

Value = int | float | Decimal | str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A figure, shape or line of the bill that differs; None where one plan has none."""

    kind: str
    """figure, shape, item or verdict."""
    name: str
    unit: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Comparison:
    """The names of two plans and what differs between them, in order of kind and name."""

    before: str
    after: str
    changes: tuple[Change, ...]
    note: str = ""
    """What a reader must know before comparing amounts."""


def compare(before: Plan, after: Plan) -> Comparison:
    """Return every figure, shape, line of the bill (at the average level) and verdict that differs."""
    changes = (
        *_changes("figure", *(_figures(plan) for plan in (before, after))),
        *_changes("shape", *(_shapes(plan) for plan in (before, after))),
        *_changes("item", *(_items(plan) for plan in (before, after))),
        *_changes("verdict", *(_verdicts(plan) for plan in (before, after))),
    )
    return Comparison(_label(before), _label(after), changes, _currency_note(before, after))


def _currency_note(before: Plan, after: Plan) -> str:
    if before.scenario.currency == after.scenario.currency:
        return ""
    return "the plans show totals in different currencies or at different rates: all amounts here are US dollars"


def _label(plan: Plan) -> str:
    users = plan.scenario.users
    return f"{plan.scenario.name}, {users.peak:,} / {users.average:,} users, {plan.scenario.region}, prices {plan.book}"


def _figures(plan: Plan) -> dict[str, tuple[Value, str]]:
    return {name: (figure.value, figure.unit) for name, figure in plan.figures.items()}


def _shapes(plan: Plan) -> dict[str, tuple[Value, str]]:
    return {group.name: (group.shape.name, "") for group in plan.groups}


def _items(plan: Plan) -> dict[str, tuple[Value, str]]:
    return {item.name: (item.cost_usd.average, "USD/month") for item in plan.bill.items}


def _verdicts(plan: Plan) -> dict[str, tuple[Value, str]]:
    return {f"{verdict.figure} {verdict.operator} {verdict.limit}": (verdict.status, "") for verdict in plan.verdicts}


def _changes(
    kind: str, before: Mapping[str, tuple[Value, str]], after: Mapping[str, tuple[Value, str]]
) -> list[Change]:
    nothing: tuple[Value, str] = (None, "")
    changes = []
    for name in sorted({*before, *after}):
        (old, old_unit), (new, new_unit) = before.get(name, nothing), after.get(name, nothing)
        if old != new:
            changes.append(Change(kind, name, new_unit or old_unit, old, new))
    return changes


def rendered(comparison: Comparison, name: str) -> str:
    """Return the comparison as table, markdown or json. Raises UsageError for another format."""
    if name not in FORMATS:
        raise UsageError(f"no format {name!r} for diff: known are {', '.join(sorted(FORMATS))}")
    return FORMATS[name](comparison)


def _difference(change: Change) -> str:
    if isinstance(change.before, str) or isinstance(change.after, str) or None in (change.before, change.after):
        return ""
    old, new = Decimal(str(change.before)), Decimal(str(change.after))
    percent = f" ({(new - old) / old * 100:+,.1f} %)" if old else ""
    return f"{new - old:+,.6g}{percent}" if abs(new - old) < 1000 else f"{new - old:+,.2f}{percent}"


def _rows(comparison: Comparison) -> list[list[str]]:
    def cell(value: Value) -> str:
        if isinstance(value, Decimal):
            return f"{value:,.2f}"
        return "-" if value is None else shown(value)

    return [
        [change.kind, change.name, cell(change.before), cell(change.after), _difference(change), change.unit]
        for change in comparison.changes
    ]


def _tabulated(comparison: Comparison, style: str) -> str:
    from tabulate import tabulate

    note = f"note:   {comparison.note}\n" if comparison.note else ""
    title = f"before: {comparison.before}\nafter:  {comparison.after}\n{note}"
    if not comparison.changes:
        return f"{title}\nNothing changed.\n"
    headers = ["what", "name", "before", "after", "change", "unit"]
    align = ("left", "left", "right", "right", "right", "left")
    table = tabulate(_rows(comparison), headers, tablefmt=style, colalign=align, disable_numparse=True)
    return f"{title}\n{table}\n"


def _json(comparison: Comparison) -> str:
    def plain(value: Value) -> int | float | str | None:
        return str(value) if isinstance(value, Decimal) else value

    document = {
        "schema_version": 1,
        "before": comparison.before,
        "after": comparison.after,
        "note": comparison.note,
        "changes": [
            {
                "kind": change.kind,
                "name": change.name,
                "unit": change.unit,
                "before": plain(change.before),
                "after": plain(change.after),
            }
            for change in comparison.changes
        ],
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


FORMATS: Final[dict[str, Callable[[Comparison], str]]] = {
    "table": lambda comparison: _tabulated(comparison, "simple"),
    "markdown": lambda comparison: _tabulated(comparison, "pipe"),
    "json": _json,
}
