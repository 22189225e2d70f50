"""One scenario at each point of a grid: what a month costs there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SWEEP_SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a grid."""

    number: int
    """Its place in every column, from 0."""
    cost_usd_per_month: float
    """As its budget judges it."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A scenario's costs over a grid, by its rules."""

    schema_version: int
    scenario: str
    prices: tuple[str, ...]
    """Names of the books that the costs are of."""
    level: str
    """The point of the band that its budget judges."""
    axes: tuple[str, ...]
    """What varies, by dotted path."""
    columns: Mapping[str, Any]
    """Name of a column -> its value at every point: axes, what follows them, counts, costs, over the budget or not.

    Of a point without a plan what is computed is not a number.
    """
    point_count: int
    failed_count: int
    """Points without a plan."""
    over_budget_count: int
    checked_count: int
    """Points that were planned by themselves too, to the same cent."""
    alone_count: int
    """Points that were planned by themselves alone, as arrays do not know how."""
    cheapest: Point | None
    """At which a month costs least; None where none has a plan."""
    dearest: Point | None
    failures: tuple[tuple[str, str], ...]
    """(Where, why) of the first points without a plan."""

    @property
    def judged(self) -> str:
        """The column of what the budget judges."""
        return f"cost_usd_per_month.{self.level}"
