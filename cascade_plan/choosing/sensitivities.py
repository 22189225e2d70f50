"""The values that change the cost most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel

from cascade_plan.choosing.replanning import Attempt, as_complete, changed, step, unit_cost
from cascade_plan.model.calibration import CALIBRATED
from cascade_plan.model.outlook import Sensitivity
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario, default_at, fields

SENSITIVE: Final = ("users.active_share", "users.tenants", "behaviour.", "tiers.")
KEPT: Final = 8


def sensitivities(present: Plan, attempt: Attempt, origins: Mapping[str, str]) -> tuple[Sensitivity, ...]:
    """Return what halving and doubling each value does to the cost, the largest swing first."""
    found = [
        sensitivity
        for path, value in _numbers(present.scenario)
        if (sensitivity := _sensitivity(path, value, present, attempt, origins)) is not None
    ]
    found.sort(key=lambda row: (-row.swing_usd_per_1000_users_month, row.path))
    return tuple(found[:KEPT])


def _numbers(scenario: Scenario) -> Iterator[tuple[str, int | float]]:
    """Yield (path, value) of every number the cost could hang on, other than 0, which has no half and no double."""
    for path, value in fields(scenario):
        if path.startswith(SENSITIVE) and isinstance(value, int | float) and not isinstance(value, bool) and value:
            yield path, value


def _sensitivity(
    path: str, value: int | float, present: Plan, attempt: Attempt, origins: Mapping[str, str]
) -> Sensitivity | None:
    """Return what halving and doubling a value does to the cost, or None where it does nothing."""
    whole = isinstance(value, int)
    halved, doubled = (round(value / 2) if whole else value / 2), value * 2
    cost_halved, cost_doubled = (_cost_at(path, other, present, attempt) for other in (halved, doubled))
    costs = [cost for cost in (cost_halved, unit_cost(present), cost_doubled) if cost is not None]
    swing = max(costs) - min(costs)
    if not swing:
        return None
    kind, source = origin_of(path, present.scenario, origins)
    return Sensitivity(
        path=path,
        value=value,
        kind=kind,
        source=source,
        value_halved=None if cost_halved is None else halved,
        value_doubled=None if cost_doubled is None else doubled,
        cost_usd_per_1000_users_month_halved=cost_halved,
        cost_usd_per_1000_users_month_doubled=cost_doubled,
        swing_usd_per_1000_users_month=swing,
    )


def _cost_at(path: str, value: int | float, present: Plan, attempt: Attempt) -> Decimal | None:
    other = changed(present.scenario, {path: value})
    plan = None if other is None else attempt(other)
    return unit_cost(plan) if plan is not None and as_complete(plan, present) else None


def origin_of(path: str, scenario: Scenario, origins: Mapping[str, str]) -> tuple[str, str]:
    """Return the kind and the source of a value: calibrated, given in the scenario, or the default's."""
    if origins.get(path, "").startswith(f"{CALIBRATED}: "):
        return CALIBRATED, origins[path].removeprefix(f"{CALIBRATED}: ")
    if path in origins:
        return "scenario", origins[path]
    default = None if _given(path, scenario) else default_at(scenario, path)
    return ("scenario", "given in the scenario") if default is None else (default.kind, default.source)


def _given(path: str, scenario: Scenario) -> bool:
    part: Any = scenario
    for name in path.split("."):
        if isinstance(part, BaseModel) and name not in part.model_fields_set:
            return False
        part = step(part, name)
    return True
