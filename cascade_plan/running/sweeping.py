"""One scenario and a grid of values for it -> what a month costs at every point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import product
from math import prod
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.grids import Axis
from cascade_plan.inputs.scenarios import Given
from cascade_plan.languages.yaml import literal
from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.scenario import Scenario, value_at
from cascade_plan.model.sweep import SWEEP_SCHEMA_VERSION, Point, Sweep

WORDS_MOST: Final = 1000
"""Grids of numbers of one sweep, one for each combination of other values: each takes a second or so."""
SHOWN: Final = 5
"""Points without a plan that are named."""
Read = Callable[[Sequence[Assignment]], Given]
"""The scenario with some more assignments laid over it, checked."""


def swept(axes: Sequence[Axis], read: Read, as_of: date | None = None) -> Sweep:
    """Return what a scenario costs at every point of a grid, by its rules.

    Raises ScenarioError for values that it refuses, UsageError where it is not sized by rules.
    """
    import numpy as np

    base = read(())
    if base.scenario.method != "rules":
        raise UsageError("--grid sizes by rules: with the method slo give the points as a --table, one by one")
    numeric = [axis for axis in axes if axis.is_numeric and _is_number(base.scenario, axis.path)]
    words = [axis for axis in axes if axis not in numeric]
    if (count := prod(len(axis.values) for axis in words)) > WORDS_MOST:
        raise UsageError(
            f"--grid: {count:,} combinations of what are no numbers in the scenario, at most {WORDS_MOST:,}"
        )
    parts = [_part(numeric, words, chosen, read, as_of) for chosen in product(*(axis.values for axis in words))]
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(name for part in parts for name in part.columns):
        columns[name] = np.concatenate([part.columns.get(name, np.full(part.count, np.nan)) for part in parts])
    level = base.scenario.budget.level
    cost = columns[f"cost_usd_per_month.{level}"]
    planned = np.isfinite(cost)
    where = np.flatnonzero(~planned)[:SHOWN]
    why = dict(_failures(parts))
    return Sweep(
        SWEEP_SCHEMA_VERSION,
        base.scenario.name,
        tuple(dict.fromkeys(part.prices for part in parts)),
        level,
        tuple(axis.path for axis in axes),
        columns,
        len(cost),
        int((~planned).sum()),
        int(np.sum(columns["is_over_budget"] == 1)),
        sum(part.checked_count for part in parts),
        sum(part.alone_count for part in parts),
        _point(cost, int(np.nanargmin(cost))) if planned.any() else None,
        _point(cost, int(np.nanargmax(cost))) if planned.any() else None,
        tuple((place(axes, columns, int(point)), why.get(int(point), REFUSED)) for point in where),
    )


def _point(cost: Any, number: int) -> Point:
    return Point(number, round(float(cost[number]), 6))


REFUSED: Final = "users on average are above those at peak, or registered ones below"


def place(axes: Sequence[Axis], columns: dict[str, Any], point: int) -> str:
    """Return where a point is, in words."""
    return ", ".join(f"{axis.path}={columns[axis.path][point]}" for axis in axes)


class _Part:
    """The points of a grid that have the same words."""

    def __init__(self, prices: str, count: int, columns: dict[str, Any], found: Any) -> None:
        self.prices, self.count, self.columns = prices, count, columns
        self.checked_count, self.alone_count = found.checked_count, found.alone_count
        self.failures: dict[int, str] = {}


def _failures(parts: Sequence[_Part]) -> Iterator[tuple[int, str]]:
    begin = 0
    for part in parts:
        yield from ((begin + point, why) for point, why in part.failures.items())
        begin += part.count


def _part(
    numeric: Sequence[Axis], words: Sequence[Axis], chosen: Sequence[Any], read: Read, as_of: date | None
) -> _Part:
    import numpy as np

    from cascade_plan.choosing.portfolio.grid import Grid, followed

    told = [_assignment(axis, value) for axis, value in zip(words, chosen, strict=True)]
    given = read(told)
    scenario = given.scenario
    sides = np.meshgrid(*(np.array(axis.values, dtype=float) for axis in numeric), indexing="ij")
    count = int(np.prod([len(axis.values) for axis in numeric]))
    values = {axis.path: side.ravel() for axis, side in zip(numeric, sides, strict=True)}
    values = followed(values, scenario, count)
    allowed = _allowed(values, scenario, count)
    _check(numeric, told, read, values, allowed)
    inside = {path: each[allowed] for path, each in values.items()}
    found = Grid(scenario, given.book, inside, int(allowed.sum()), as_of).costs()
    fixed = zip(words, chosen, strict=True)
    columns: dict[str, Any] = {axis.path: np.full(count, value, dtype=object) for axis, value in fixed}
    columns |= values
    columns |= {name: _spread(each, allowed) for name, each in found.counts.items()}
    columns |= {f"cost_usd_per_month.{level}": _spread(found.usd[level], allowed) for level in LEVELS}
    columns["is_over_budget"] = _over(scenario, values, columns, count)
    part = _Part(given.book.name, count, columns, found)
    places = np.flatnonzero(allowed)
    part.failures = {int(places[point]): why for point, why in found.failures.items()}
    return part


def _spread(found: Any, allowed: Any) -> Any:
    """Return numbers of the points that are allowed as those of all, not a number for the others."""
    import numpy as np

    whole = np.full(allowed.size, np.nan)
    whole[allowed] = found
    return whole


def _allowed(values: dict[str, Any], scenario: Any, count: int) -> Any:
    """Return at which points there are no more users on average than at peak, and no fewer with an account."""
    import numpy as np

    users = scenario.users
    peak = values.get("users.peak", np.full(count, users.peak))
    allowed = values.get("users.average", np.full(count, users.average)) <= peak
    if "users.registered" in values or users.registered is not None:
        allowed &= values.get("users.registered", np.full(count, users.registered or 0)) >= peak
    return allowed


def _check(numeric: Sequence[Axis], told: list[Assignment], read: Read, values: dict[str, Any], allowed: Any) -> None:
    """Have the scenario's schema look at the corners of the grid: bounds are met inside where they are met there."""
    import numpy as np

    lengths = [len(axis.values) for axis in numeric]
    for corner in product(*({0, length - 1} for length in lengths)):
        point = int(np.ravel_multi_index(corner, lengths)) if lengths else 0
        if numeric and allowed[point]:
            at = [_assignment(axis, axis.values[index]) for axis, index in zip(numeric, corner, strict=True)]
            paths = {axis.path for axis in numeric}
            more = [(path, each[point]) for path, each in values.items() if path not in paths]
            read([*told, *at, *(Assignment("--grid", path, str(int(value))) for path, value in more)])


def _over(scenario: Any, values: dict[str, Any], columns: dict[str, Any], count: int) -> Any:
    """Return 1 where a month costs as much as its budget or more, 0 where less, not a number without either."""
    import numpy as np

    budget = scenario.budget
    cost = columns[f"cost_usd_per_month.{budget.level}"]
    most = np.full(count, np.inf)
    if budget.usd_per_month is not None:
        most = np.minimum(most, budget.usd_per_month)
    if budget.usd_per_1000_users_month is not None:
        users = values.get(f"users.{budget.users}", getattr(scenario.users, budget.users))
        most = np.minimum(most, budget.usd_per_1000_users_month * users / 1000)
    return np.where(np.isfinite(cost) & np.isfinite(most), (cost >= most) * 1.0, np.nan)


def _assignment(axis: Axis, value: Any) -> Assignment:
    return Assignment(axis.flag, axis.path, literal(value) if isinstance(value, str) else str(value))


def _is_number(scenario: Scenario, path: str) -> bool:
    """Return whether the scenario has a number at a path."""
    try:
        value = value_at(scenario, path)
    except (AttributeError, KeyError, TypeError):
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)
