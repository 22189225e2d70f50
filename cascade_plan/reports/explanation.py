"""Why a figure is what it is, as text."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.derivation import Derivation
from cascade_plan.model.plan import Plan
from cascade_plan.reports._words import shown

MONTHLY = "cost_usd_per_month."
UPFRONT = "cost_usd_upfront"


def explain(plan: Plan, name: str) -> str:
    """Return the derivation of a figure, or of every figure whose dotted name begins with `name`; "" without any."""
    wanted = [figure for figure in sorted(plan.figures) if figure == name or figure.startswith(f"{name.rstrip('.')}.")]
    wanted = wanted or [figure for figure in sorted(plan.figures) if name and figure.startswith(name)]
    return "\n".join("\n".join(_lines(plan, plan.figures[figure], 0, set())) + "\n" for figure in wanted)


def _lines(plan: Plan, figure: Derivation, depth: int, seen: set[str]) -> Iterator[str]:
    seen.add(figure.figure)
    indent = "  " * depth
    yield f"{indent}{figure.figure} = {shown(figure.value)} {figure.unit}"
    yield f"{indent}  formula  {figure.formula}"
    width = max((len(entry.name) for entry in figure.inputs), default=0)
    for entry in figure.inputs:
        yield f"{indent}  input    {entry.name:<{width}} = {shown(entry.value)}  ({entry.origin})"
    if figure.source:
        yield f"{indent}  source   {figure.source}"
    if figure.note:
        yield f"{indent}  note     {figure.note}"
    if figure.figure.startswith(MONTHLY):
        yield from _bill_lines(plan, figure.figure.removeprefix(MONTHLY), indent)
    if figure.figure == UPFRONT:
        yield from _upfront_lines(plan, indent)
    for entry in figure.inputs:
        if entry.origin == "computed" and entry.name in plan.figures and entry.name not in seen:
            yield from _lines(plan, plan.figures[entry.name], depth + 1, seen)


def _bill_lines(plan: Plan, level: str, indent: str) -> Iterator[str]:
    for item in plan.bill.items:
        amount, cost = getattr(item.quantity, level), getattr(item.cost_usd, level)
        yield f"{indent}  line     {item.name}: {amount:,f} {item.unit} x {item.price_usd} USD = {cost:,f} USD"
        sku = f", SKU {item.sku}" if item.sku else ""
        yield f"{indent}           {item.key}, as of {item.as_of}, {item.source}{sku}"
    for line in plan.bill.unpriced:
        yield f"{indent}  no price {line.name}: {getattr(line.quantity, level):,f} {line.unit} ({line.key})"


def _upfront_lines(plan: Plan, indent: str) -> Iterator[str]:
    for item in plan.bill.items:
        if item.bought_count:
            each = "an unknown upfront" if item.upfront_usd is None else f"{item.upfront_usd} USD"
            total = "" if item.upfront_total_usd is None else f" = {item.upfront_total_usd:,f} USD"
            yield f"{indent}  line     {item.name}: {item.bought_count.normalize():,f} x {each}{total}"
