"""A bill as it was read, and what a month cost beside what was planned, split by cause. Money is Decimal, unrounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cascade_plan.model.plan import Verdict
from cascade_plan.units import trimmed

NOTHING: Final = Decimal(0)

KINDS: Final[Mapping[str, str]] = {
    "usage": "usage",
    "unused": "commitments that nothing used",
    "purchase": "purchases of commitments",
    "fee": "fees and other purchases",
    "tax": "tax",
    "credit": "credits",
    "refund": "refunds and corrections",
    "discount": "discounts",
    "adjustment": "adjustments",
}
"""What a line of a bill is -> what several of it are called. Only usage and what is unused is held against a plan."""

PARTS: Final[Mapping[str, str]] = {
    "calendar": "the month's own hours",
    "users": "other users than planned",
    "usage": "more or less used than such users need",
    "mix": "other shapes",
    "price": "other prices",
    "commitments": "reservations, savings plans, contracts",
    "unsplit": "not told apart: the bill has no amounts",
    "unplanned": "not in the plan",
    "unused": "commitments that nothing used",
}
"""A cause of a difference -> its words. They add up to the difference exactly."""

FIGURES: Final = (
    "variance_usd.total",
    "variance_percent.total",
    *(f"variance_usd.{part}" for part in PARTS),
    *(f"variance_percent.{part}" for part in PARTS),
    "actual_usd.total",
    "actual_usd_per_1000_users_month",
    "unplanned_usd",
    "untagged_share",
    "commitment_coverage",
    "commitment_utilization",
)
"""What gates may ask of a month's bill: `actuals` alone judges these. A variance above 0 is unfavourable."""


@dataclass(frozen=True, slots=True)
class Line:
    """Lines of a bill that differ in their amounts, hours and resources alone, summed."""

    kind: str
    """One of KINDS."""
    month: str
    """The month of the invoice, YYYY-MM."""
    service: str
    """The service's code; of Cost Explorer its name."""
    usage_type: str
    """As billed, with its region's prefix; empty where the bill does not tell."""
    operation: str
    region: str
    unit: str
    currency: str
    account: str
    sku: str
    description: str
    """Only where no usage type tells what it is."""
    is_committed: bool
    """Whether a reservation or a savings plan pays for it."""
    tags: Mapping[str, str]
    """Those that were asked for, without the `user:` before them."""
    quantity: Decimal | None
    """In `unit`; None where the bill has no amounts."""
    billed_usd: Decimal
    """Cash: what the invoice asks for it."""
    effective_usd: Decimal
    """Accrual: commitments spread over what they pay for."""
    listed_usd: Decimal
    """At the public price on demand; what was paid, where the bill does not say."""
    row_count: int
    until: str
    """When the last of it ended, YYYY-MM-DD HH:MM; empty where the bill does not say."""
    is_final: bool | None = None
    """Whether it has an invoice's number; None where the format has no such column."""


@dataclass(frozen=True, slots=True)
class Read:
    """A bill as it was read: lines, and what of the files the user should know."""

    format: str
    """What kind of bill it is, in words."""
    names: tuple[str, ...]
    """Its files."""
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()

    @property
    def row_count(self) -> int:
        """Rows of its files."""
        return sum(line.row_count for line in self.lines)


@dataclass(frozen=True, slots=True)
class Used:
    """How many units of something there are, what was paid for them, and what they cost at list prices."""

    unit_count: Decimal = NOTHING
    cost_usd: Decimal = NOTHING
    listed_usd: Decimal = NOTHING

    def plus(self, other: Used) -> Used:
        """Return the sum."""
        return Used(
            self.unit_count + other.unit_count, self.cost_usd + other.cost_usd, self.listed_usd + other.listed_usd
        )

    def times(self, factor: Decimal) -> Used:
        """Return all of it so many times."""
        return Used(self.unit_count * factor, self.cost_usd * factor, self.listed_usd * factor)


@dataclass(frozen=True, slots=True)
class Shape:
    """One of what is interchangeable in a line: what the plan wants for the actual users, and what there was."""

    name: str
    flexed_count: Decimal
    actual_count: Decimal


@dataclass(frozen=True, slots=True)
class Variance:
    """A line of the plan, or several that are interchangeable, beside the bill."""

    name: str
    tiers: tuple[str, ...]
    unit: str
    is_instances: bool
    plan: Used
    """As planned, for the planned users and the plan's month."""
    flexed: Used
    """The plan made again for the actual users and the month's hours."""
    actual: Used
    parts_usd: Mapping[str, Decimal]
    """Part of PARTS -> what it adds, in dollars."""
    shapes: tuple[Shape, ...] = ()
    what: str = ""
    """What is bought, in no cloud's words."""
    items: frozenset[tuple[str, str]] = frozenset()
    """Services and items of the plan's prices for it."""
    variant: str = ""
    """Which variant of those, where that tells it from another line."""

    @property
    def difference_usd(self) -> Decimal:
        """What it cost above the plan."""
        return self.actual.cost_usd - self.plan.cost_usd


@dataclass(frozen=True, slots=True)
class Unplanned:
    """What the bill has in scope and no line of the plan is."""

    service: str
    usage_type: str
    region: str
    effective_usd: Decimal
    quantity: Decimal | None
    unit: str
    why: str
    """Why it is no line of the plan, in words."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value of the scenario with which the plan would have met the bill."""

    path: str
    value: float | int | str
    value_before: float | int | str
    figure: str
    """Which line of the plan it is for."""
    is_measured: bool
    """Whether a calibration may hold it: a number of the system's behaviour, and no choice."""
    moved_usd: Decimal
    """What of the usage variance, or of other shapes, it explains."""
    value_measured: float | int | str | None = None
    """The value without the choices beside it: that of a calibration."""
    counts: Mapping[str, int] | None = None
    """Where the scenario pins a count by its bounds: those."""

    @property
    def assignment(self) -> str:
        """The --set that gives it."""
        if self.counts is not None:
            return f"{self.path}={{{', '.join(f'{name}: {count}' for name, count in self.counts.items())}}}"
        value = trimmed(f"{Decimal(f'{self.value:.12g}'):f}") if isinstance(self.value, float) else str(self.value)
        return f"{self.path}={value}"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """From which difference on a line is named: both must be exceeded, by it or by one of its causes."""

    percent: Decimal = Decimal(5)
    usd: Decimal = Decimal(50)

    def is_exceeded(self, variance: Variance) -> bool:
        """Return whether a line differs by more than both, or would if no other cause made up for one."""
        above = max(map(abs, (variance.difference_usd, *variance.parts_usd.values())))
        return above > self.usd and above * 100 > self.percent * abs(variance.plan.cost_usd)


@dataclass(frozen=True, slots=True)
class Actuals:
    """A month of a bill held against the plan."""

    scenario: str
    month: str
    format: str
    names: tuple[str, ...]
    row_count: int
    scope: str
    """What of the bill is this application, in words."""
    hours: int
    """Hours of the month, or of what of it is over."""
    is_to_date: bool
    is_final: bool | None
    currency: str
    planned_users: tuple[int, int]
    """At peak and on average."""
    actual_users: tuple[int, int]
    is_told_users: bool
    """Whether somebody said how many users there were; else there were as many as planned, for all that is known."""
    users_counted: str
    """By which users the cost of 1000 is counted: peak, average or registered."""
    variances: tuple[Variance, ...]
    """The largest difference first."""
    unplanned: tuple[Unplanned, ...]
    """The dearest first."""
    plan_usd: Decimal
    actual_usd: Decimal
    """In scope, accrual, with the commitments that nothing used."""
    parts_usd: Mapping[str, Decimal]
    """Part of PARTS -> dollars; the sum is the difference."""
    unused_usd: Decimal
    unit_cost_usd: tuple[Decimal, Decimal]
    """Of 1000 users a month: planned, actual."""
    unit_limit_usd: Decimal | None
    """What 1000 users may cost a month; None where the scenario has no such budget."""
    covered_share: Decimal | None
    """Share of instance hours that commitments paid for; None without instance hours."""
    used_share: Decimal | None
    """Share of what commitments cost that something used; None without commitments."""
    untagged_share: Decimal | None
    """Of the invoice's usage; None where no tag was asked for."""
    invoice_usd: tuple[tuple[str, Decimal], ...]
    """Words -> dollars, in order, from what is in scope to what was billed: they add up to it exactly."""
    billed_usd: Decimal
    tolerance: Tolerance
    verdicts: tuple[Verdict, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def difference_usd(self) -> Decimal:
        """What the month cost above the plan."""
        return self.actual_usd - self.plan_usd

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent of the plan; None of a plan that costs nothing."""
        return self.difference_usd * 100 / self.plan_usd if self.plan_usd else None

    @property
    def status(self) -> str:
        """favourable, unfavourable or as_planned: by the difference alone, whatever the gates."""
        if not self.difference_usd:
            return "as_planned"
        return "unfavourable" if self.difference_usd > 0 else "favourable"

    @property
    def is_within_gates(self) -> bool:
        """Whether every gate was shown to be kept."""
        return all(verdict.status == "pass" for verdict in self.verdicts)
