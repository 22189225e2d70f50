"""The same plan made again with other values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from cascade_plan.files.assignments import steps_of
from cascade_plan.languages.yaml import literal
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario

UNIT_COST: Final = "cost_usd_per_1000_users_month"

WORD: Final = re.compile(r"(?!(?:true|false|null|yes|no|on|off)$)[a-z][a-z0-9_.]*")
"""What YAML reads as itself without quotes."""
Changes: TypeAlias = Mapping[str, Any]
"""Values by their dotted paths."""
Attempt: TypeAlias = Callable[[Scenario], Plan | None]
"""A way to plan a scenario: None where it has no plan."""


def changed(scenario: Scenario, changes: Changes) -> Scenario | None:
    """Return the scenario with the values at dotted paths replaced, or None where its schema refuses them."""
    document = scenario.model_dump(exclude_unset=True)
    for path, value in changes.items():
        *branches, leaf = map(str, steps_of(path))
        place, part = document, scenario
        for branch in branches:
            part = step(part, branch)
            if branch not in place:
                # A part left out is written as it stands, so that the rest of it keeps its default.
                place[branch] = _as_given(part)
            place = place[branch]
        place[leaf] = value
    try:
        return Scenario.model_validate(document)
    except ValidationError:
        return None


def _as_given(part: Any) -> dict[str, Any]:
    """Return a part of the scenario, or all tiers where none is named, with the values that were given."""
    if isinstance(part, dict):
        return {name: each.model_dump(exclude_unset=True) for name, each in part.items()}
    given: dict[str, Any] = part.model_dump(exclude_unset=True)
    return given


def assignments(changes: Changes, scenario: Scenario) -> Iterator[str]:
    """Yield changes as `--set` takes them: of availability, which may be one word, the whole."""
    whole: dict[str, Any] = {}
    for path, value in changes.items():
        part, _, leaf = path.partition(".")
        if part == "availability":
            whole[leaf] = value
        else:
            yield f"{path}={_flow(value)}"
    if whole:
        own = scenario.availability
        yield f"availability={_flow({'level': own.level, **own.model_dump(exclude_unset=True), **whole})}"


def _flow(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, str):
        return value if WORD.fullmatch(value) else literal(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def step(part: Any, name: str) -> Any:
    """Return a field of a part of the scenario, or the value of a mapping's key."""
    return part[name] if isinstance(part, dict) else getattr(part, name)


def unit_cost(plan: Plan) -> Decimal:
    """Return the month's cost per 1000 users."""
    return Decimal(plan.figure(UNIT_COST))


def monthly_cost(plan: Plan) -> Decimal:
    """Return the month's cost at the point of the band that the budget judges."""
    cost: Decimal = getattr(plan.bill.effective_usd, plan.scenario.budget.level)
    return cost


def as_complete(plan: Plan, present: Plan) -> bool:
    """Return whether a plan's bill lacks no price that the present one has: only then can the two be compared."""
    return {line.key for line in plan.bill.unpriced} <= {line.key for line in present.bill.unpriced}
