"""What changed between two plans: in inputs, bill, figures and gates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from cascade_plan.choosing.causes import causes, differing
from cascade_plan.model.derivation import Finding
from cascade_plan.model.difference import Difference, Differences, Gate, Value
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.tier import OFF

NAMES: Final = ("schema_version", "name", "description")
"""What of a scenario decides nothing of its plan."""


def compare(before: Plan, after: Plan) -> Differences:
    """Return what of two plans differs, the causes of the change of cost among it."""
    level = _level(before, after)
    return Differences(
        before=before,
        after=after,
        level=level,
        causes=causes(before, after, level),
        inputs=tuple(_inputs(before, after)),
        figures=tuple(sorted(differing(_figures(before), _figures(after)), key=lambda figure: figure.name)),
        gates=tuple(_gates(before, after)),
        findings_new=tuple(_findings(after, before)),
        findings_gone=tuple(_findings(before, after)),
    )


def _level(before: Plan, after: Plan) -> str:
    levels = {str(plan.scenario.budget.level) for plan in (before, after)}
    return levels.pop() if len(levels) == 1 else "average"


def _figures(plan: Plan) -> dict[str, tuple[Value, str]]:
    return {name: (figure.value, figure.unit) for name, figure in plan.figures.items()}


def _inputs(before: Plan, after: Plan) -> Iterator[Difference]:
    """Yield every value of the scenarios that differs, and the books if these do."""
    old, new = (plan.scenario.model_dump(exclude={*NAMES}) for plan in (before, after))
    yield from _differing(old, new, "")
    if before.book != after.book:
        yield Difference("prices", "", before.book, after.book)


def _differing(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Difference]:
    absent = OFF if path == "tiers" else None
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name, absent), after.get(name, absent)
        where = f"{path}.{name}" if path else name
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differing(old, new, where)
        elif old != new:
            yield Difference(where, "", *(_value(each, path) for each in (old, new)))


def _value(given: Any, path: str) -> Value:
    if isinstance(given, Mapping) and path == "tiers":
        return "on"
    if isinstance(given, Mapping):
        return "{" + ", ".join(f"{key}: {_value(each, '')}" for key, each in given.items() if each is not None) + "}"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, list | tuple):
        return ", ".join(str(each) for each in given)
    return given if given is None or isinstance(given, int | float | str) else str(given)


def _gates(before: Plan, after: Plan) -> Iterator[Gate]:
    """Yield every gate that ends otherwise, or that only one of the plans has."""
    old, new = (_verdicts(plan) for plan in (before, after))
    for gate in dict.fromkeys((*old, *new)):
        first, second = old.get(gate), new.get(gate)
        if first is None or second is None or first.status != second.status:
            yield Gate(*gate, first, second)


def _findings(plan: Plan, other: Plan) -> Iterator[Finding]:
    """Yield the findings of a plan of which the other has none: their numbers follow the load, their places stay."""
    known = {(finding.code, finding.where) for finding in other.findings}
    yield from (finding for finding in plan.findings if (finding.code, finding.where) not in known)


def _verdicts(plan: Plan) -> dict[tuple[str, str, Decimal], Verdict]:
    return {(verdict.figure, verdict.operator, verdict.limit): verdict for verdict in plan.verdicts}
