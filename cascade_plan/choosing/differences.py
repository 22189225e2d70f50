"""What changed between two plans, in fleet or bill."""

from __future__ import annotations

from collections.abc import Mapping

from cascade_plan.model.difference import Difference, Differences, Value
from cascade_plan.model.plan import Plan


def compare(before: Plan, after: Plan) -> Differences:
    """Return every figure, shape, line of the bill (at the average level) and verdict that differs."""
    found = (
        *_differing("figure", *(_figures(plan) for plan in (before, after))),
        *_differing("shape", *(_shapes(plan) for plan in (before, after))),
        *_differing("item", *(_items(plan) for plan in (before, after))),
        *_differing("verdict", *(_verdicts(plan) for plan in (before, after))),
    )
    return Differences(_label(before), _label(after), found, _currency_note(before, after))


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


def _differing(
    kind: str, before: Mapping[str, tuple[Value, str]], after: Mapping[str, tuple[Value, str]]
) -> list[Difference]:
    nothing: tuple[Value, str] = (None, "")
    found = []
    for name in sorted({*before, *after}):
        (old, old_unit), (new, new_unit) = before.get(name, nothing), after.get(name, nothing)
        if old != new:
            found.append(Difference(kind, name, new_unit or old_unit, old, new))
    return found
