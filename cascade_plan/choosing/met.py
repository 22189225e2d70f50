"""Values of the scenario with which the plan would have met a bill: what ran, and what the month's use tells.

First what ran and is a choice: shapes and counts. Then numbers of the system's behaviour, each found so that the plan
for the actual users has the amount that was billed. A number that no bill tells alone is not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from cascade_plan.choosing.replanning import changed, step
from cascade_plan.errors import CascadePlanError
from cascade_plan.files.assignments import steps_of
from cascade_plan.model.actuals import Actuals, Suggestion, Variance
from cascade_plan.model.calibration import CALIBRATION_VERSION, Calibrated, Calibration
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan

METERS: Final[Mapping[str, tuple[str, str]]] = {
    "nat_traffic": ("network", "nat_gib_per_node_month"),
    "zone_traffic": ("network", "bytes_per_query"),
    "database_storage": ("database", "data_gib"),
    "database_backup": ("database", "backup_gib"),
    "object_storage": ("objects", "stored_gib"),
    "object_writes": ("objects", "requests_per_write"),
    "object_reads": ("objects", "read_count_per_write"),
    "log_traffic": ("telemetry", "log_bytes_per_request"),
    "log_storage": ("telemetry", "stored_ratio"),
}
"""What is bought -> the kind and its field that decide how much of it."""
RESPONSES: Final = "internet_traffic"
"""Bought by the bytes of every action's answer: these are scaled together."""
LEAST_USD: Final = Decimal(1)
"""Of a usage variance: what is less is not worth a value (assumption)."""
CLOSE: Final = 1e-6
"""An amount is met to this share."""
NEARLY_WHOLE: Final = Decimal("0.02")
"""Of an instance: a mean count this near a whole number is one that ran all month."""
TRIES: Final = 60
MOST_TIMES: Final = 1e9
"""Its old value: a value further off is another system's."""


@dataclass(frozen=True, slots=True)
class _World:
    """The plan that is to meet the bill: the scenario with what was changed of it so far, at the prices of a book."""

    scenario: Scenario
    book: Book
    origins: Mapping[str, str]

    def made(self, changes: Mapping[str, object]) -> Plan | None:
        """Return the plan with some values changed; None where there is none."""
        scenario = changed(self.scenario, changes) if changes else self.scenario
        try:
            return None if scenario is None else plan(
                scenario, self.book, self.origins, predicted=False, with_margins=False
            )  # fmt: skip
        except CascadePlanError:
            return None

    def amount(self, variance: Variance, changes: Mapping[str, object]) -> float | None:
        """Return how much of what a variance is of the plan has; None where there is no plan."""
        made = self.made(changes)
        return None if made is None else float(quantity(made, variance))

    def with_changes(self, changes: Mapping[str, object]) -> _World:
        """Return the world with values changed for good."""
        scenario = changed(self.scenario, changes)
        return self if scenario is None else replace(self, scenario=scenario)

    def value(self, path: str) -> float | int | None:
        """Return the value at a path, None where it is left out or is no number."""
        part: object = self.scenario
        for each in steps_of(path):
            part = step(part, str(each))
        return part if isinstance(part, int | float) and not isinstance(part, bool) else None


def quantity(made: Plan, variance: Variance) -> Decimal:
    """Return how much of what a variance is of a plan has, at the level that its budget judges."""
    level = made.scenario.budget.level
    found = (item for item in made.bill.items if (item.key.service, item.key.item) in variance.items)
    return sum(
        (
            getattr(item.quantity_used, level)
            for item in found
            if not variance.variant or item.key.variant == variance.variant
        ),
        Decimal(0),
    )


def suggestions(found: Actuals, flexed: Plan, book: Book, origins: Mapping[str, str]) -> Actuals:
    """Return a month with the values that would have met it: what ran, then what was used.

    Nothing of a part of a month, and nothing of a line whose amount is not told.
    """
    if found.is_to_date:
        return found
    hours = Decimal(found.hours)
    world = _World(flexed.scenario, book, origins)
    told = [each for each in found.variances if "unsplit" not in each.parts_usd]
    choices: list[Suggestion] = []
    for each in (each for each in told if each.shapes):
        for choice in _choices(each, flexed, hours, world):
            choices.append(choice)
            world = world.with_changes({choice.path: _given(choice)})
    alone = _World(flexed.scenario, book, origins)
    meters: list[Suggestion] = []
    for each in sorted((each for each in told if not each.shapes), key=lambda each: each.what != RESPONSES):
        known = {one.path for one in meters}
        for meter in _metered(each, world, alone):
            if meter.path not in known:
                meters.append(meter)
                world = world.with_changes({meter.path: meter.value})
                alone = alone.with_changes({meter.path: meter.value_measured})
    return replace(found, suggestions=(*choices, *meters))


def calibration(found: Actuals, written_by: str) -> Calibration:
    """Return what a bill tells of the system's behaviour as a file that a scenario includes: no choices."""
    method = f"bill of {found.month}, {found.actual_users[0]:,} users at peak"
    values = {
        each.path: Calibrated(value=each.value_measured, method=f"{method}: {each.figure}")
        for each in found.suggestions
        if each.is_measured and isinstance(each.value_measured, int | float)
    }
    return Calibration(
        calibration_version=CALIBRATION_VERSION, scenario=found.scenario, written_by=written_by, values=values
    )


# ------------------------------------------------------------------------------------------------------------ what ran


def _given(choice: Suggestion) -> object:
    """Return a choice's value as the scenario takes it: bounds where a count is one of several."""
    return choice.counts if choice.counts is not None else choice.value


def _choices(variance: Variance, flexed: Plan, hours: Decimal, world: _World) -> Iterator[Suggestion]:
    """Yield the shapes and counts of tiers that a pool's instances tell."""
    level = flexed.scenario.budget.level
    planned: dict[str, tuple[str, Decimal]] = {}
    for item in flexed.bill.items:
        if (item.key.service, item.key.item) in variance.items and (
            not variance.variant or item.key.variant == variance.variant
        ):
            count = getattr(item.quantity_used, level) / hours
            planned[item.tier] = (item.key.item, count + planned.get(item.tier, ("", Decimal(0)))[1])
    ran = {each.name: each.actual_count for each in variance.shapes if each.actual_count}
    for tier, shape in _reshaped(planned, ran).items():
        old, count = planned[tier]
        planned[tier] = (shape, count)
        path = f"tiers.{tier}.shape"
        if world.made({path: shape}) is not None:
            yield Suggestion(path, shape, old, variance.name, False, variance.parts_usd.get("mix", Decimal(0)))
    for tier, (shape, count) in planned.items():
        if sum(other == shape for other, _ in planned.values()) == 1:
            yield from _counted(tier, count, ran.get(shape, Decimal(0)), variance, world)


def _reshaped(planned: Mapping[str, tuple[str, Decimal]], ran: Mapping[str, Decimal]) -> dict[str, str]:
    """Return tier -> the shape that ran in place of its own, where that can only have been its."""
    wanted = {shape for shape, _ in planned.values()}
    found = {}
    for name, count in ran.items():
        if name in wanted:
            continue
        fitting = [
            tier
            for tier, (shape, needed) in planned.items()
            if abs(needed - count) <= NEARLY_WHOLE
            and sum((each for other, each in planned.values() if other == shape), Decimal(0))
            - ran.get(shape, Decimal(0))
            >= count - NEARLY_WHOLE
        ]
        if len(fitting) == 1:
            found[fitting[0]] = name
    return found


def _counted(tier: str, planned: Decimal, ran: Decimal, variance: Variance, world: _World) -> Iterator[Suggestion]:
    """Yield the count of a tier that ran all month, by the field that pins it."""
    count = round(ran)
    if abs(ran - count) > NEARLY_WHOLE or abs(planned - ran) <= NEARLY_WHOLE:
        return
    moved = variance.parts_usd.get("usage", Decimal(0))
    bounds = {"base": count, "min": count, "max": count}
    for field, value in (("replicas", count), ("nodes", count), ("nodes", bounds)):
        path = f"tiers.{tier}.{field}"
        if variance.what == "database" and field != "replicas":
            return
        if changed(world.scenario, {path: value}) is None or (made := world.made({path: value})) is None:
            continue
        hours = made.scenario.hours_per_month
        of_tier = [item for item in made.bill.items if item.tier == tier and item.unit == "hour"]
        level = made.scenario.budget.level
        now = sum(
            (
                getattr(item.quantity_used, level)
                for item in of_tier
                if not variance.variant or item.key.variant == variance.variant
            ),
            Decimal(0),
        )
        if abs(now / hours - count) <= NEARLY_WHOLE:
            given = bounds if isinstance(value, dict) else None
            was = float(round(planned, 2))
            yield Suggestion(path, count, was, variance.name, False, moved, counts=given)
            return


# ------------------------------------------------------------------------------------------------------- what was used


def _metered(variance: Variance, world: _World, alone: _World) -> Iterator[Suggestion]:
    """Yield the values with which a plan has the amount that was billed."""
    moved = variance.parts_usd.get("usage", Decimal(0))
    if abs(moved) < LEAST_USD:
        return
    target = float(variance.actual.unit_count)
    for paths in _levers(variance, world.scenario):
        was = [world.value(path) for path in paths]
        factor = _solved(variance, paths, was, world, target)
        factor_alone = _solved(variance, paths, was, alone, target)
        if factor is None or factor_alone is None:
            return
        for path, old in zip(paths, was, strict=True):
            yield Suggestion(
                path,
                _value(old, factor),
                old if old is not None else "left out",
                variance.name,
                True,
                moved,
                value_measured=_value(old, factor_alone),
            )


def _levers(variance: Variance, scenario: Scenario) -> Iterator[tuple[str, ...]]:
    """Yield the paths of values that decide together how much of something there is."""
    if variance.what == RESPONSES:
        actions = scenario.behaviour.actions
        paths = [f"behaviour.actions.{name}.response_bytes" for name, each in actions.items() if each.response_bytes]
        if paths:
            yield tuple(paths)
    elif (meter := METERS.get(variance.what)) is not None:
        kind, field = meter
        named = [name for name in scenario.of(kind) if len(variance.tiers) != 1 or name in variance.tiers]
        if len(named) == 1:
            yield (f"tiers.{named[0]}.{field}",)


def _value(old: float | int | None, factor: float) -> float:
    """Return a value so many times its old one; itself where there was none."""
    return float(f"{(old or 1.0) * factor:.12g}")


def _solved(
    variance: Variance, paths: tuple[str, ...], was: list[float | int | None], world: _World, target: float
) -> float | None:
    """Return by what the values must be multiplied for a plan to have an amount; None where none does."""

    def excess(factor: float) -> float | None:
        changes = {path: _value(old, factor) for path, old in zip(paths, was, strict=True)}
        amount = world.amount(variance, changes)
        return None if amount is None else amount - target

    low, high = 0.0, 1.0
    below, above = excess(low), excess(high)
    while above is not None and above < 0 and high < MOST_TIMES:
        low, below, high = high, above, high * 4
        above = excess(high)
    if above is None or below is None or below > 0 or above < 0:
        return None
    return _narrowed(excess, (low, below), (high, above), CLOSE * max(target, CLOSE))


def _narrowed(
    excess: Callable[[float], float | None], low: tuple[float, float], high: tuple[float, float], close: float
) -> float | None:
    """Return where an amount that rises meets its target, which lies between two points; None where it jumps over it.

    By turns a secant, which meets a line at once, and a halving, which gets through steps.
    """
    for turn in range(TRIES):
        nearest = min(low, high, key=lambda point: abs(point[1]))
        if abs(nearest[1]) <= close:
            return nearest[0]
        share = 0.5 if turn % 2 else -low[1] / (high[1] - low[1])
        middle = low[0] + share * (high[0] - low[0])
        at = excess(middle)
        if at is None:
            return None
        low, high = ((middle, at), high) if at < 0 else (low, (middle, at))
    return None
