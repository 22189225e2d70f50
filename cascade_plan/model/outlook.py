"""What would change a plan's cost: its users, its assumptions, and what could be given up."""

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
class Alternative:
    """A cheaper way to run the same load, and what it gives up."""

    title: str
    gives_up: str
    overrides: tuple[str, ...]
    """The change, as `--set` takes it: path=value."""
    parts: tuple[str, ...]
    """Titles of the alternatives this one joins; empty for a single one."""
    excludes: tuple[str, ...]
    """Titles of those that save more and set the same values: only one of them can be had."""
    upfront_usd: Decimal | None
    """What is paid on the first day beyond what the present plan pays then; None where it is not known."""
    cost_usd_per_1000_users_month: Decimal
    saving_usd_per_month: Decimal
    complete: bool
    price_dates: tuple[str, ...]
    """As-of dates of the prices that the present bill does not have."""
    price_notes: tuple[str, ...]
    """Caveats of those prices."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A plan's cost under other users, other assumptions and other choices."""

    curve: tuple[Point, ...]
    """By users, ascending; the scenario's own peak among them."""
    sensitivities: tuple[Sensitivity, ...]
    """The values that change the cost most, the largest swing first."""
    alternatives: tuple[Alternative, ...]
    """Those that save, the largest saving first; last the ones that go together, joined."""
