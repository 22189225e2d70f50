"""What would change a plan's cost: its users and its assumptions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Point:
    """The cost at other user counts, in the scenario's ratio of peak to average."""

    users_peak: int
    users_average: int
    cost_usd_per_1000_users_month: Decimal
    cost_usd_per_month: Decimal
    complete: bool
    """Whether every line had a price; if not, the costs are "at least"."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What halving and doubling one value of the scenario does to the cost."""

    path: str
    """The value's dotted path in the scenario."""
    value: int | float
    kind: str
    """assumption, plan, measured or cited (a default of that kind), calibrated, or scenario (given by the user)."""
    source: str
    """Where the value was given, or the default's source."""
    value_halved: int | float | None
    """None where the schema refuses the value, no shape fits it, or its bill lacks a price the present one has."""
    value_doubled: int | float | None
    cost_usd_per_1000_users_month_halved: Decimal | None
    cost_usd_per_1000_users_month_doubled: Decimal | None
    swing_usd_per_1000_users_month: Decimal
    """Largest less smallest of the costs at half, present and double."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A plan's cost under other users and other assumptions."""

    curve: tuple[Point, ...]
    """By users, ascending; the scenario's own peak among them."""
    sensitivities: tuple[Sensitivity, ...]
    """The values that change the cost most, the largest swing first."""
