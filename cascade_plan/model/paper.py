"""What a plan is over some years for the people who pay for it: what to approve, what to decide, how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from cascade_plan.model.difference import Differences
from cascade_plan.model.forecast import Forecast
from cascade_plan.model.purchases import Schedule

COMMIT: Final = "commit"
CHANGE: Final = "change"
KEEP_LESS: Final = "keep less"
Three = tuple[Decimal, Decimal, Decimal]
"""What one of ten worlds is below, half of them, and nine of ten."""


@dataclass(frozen=True, slots=True)
class PaperMonth:
    """A calendar month, without and with the commitments that are bought."""

    start: date
    users_peak: int
    tier_usd: Mapping[str, Decimal]
    """Tier -> its cost with nothing bought."""
    without_usd: Decimal
    """What it costs with nothing bought but what the scenario itself commits to."""
    effective_usd: Decimal
    """With the commitments, what is paid upfront spread over their terms."""
    cash_usd: Decimal
    """What is paid in it."""
    budget_usd: Decimal | None
    """What it may cost for its users; None without a budget."""
    low_usd: Decimal | None
    """What one of ten worlds costs less than, with nothing bought; None where it is not known."""
    high_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class PaperYear:
    """A fiscal year, or all months together."""

    year: int | None
    """The calendar year in which it ends; None of all months."""
    month_count: int
    users_peak: int
    """In its last month."""
    without_usd: Decimal
    effective_usd: Decimal
    cash_usd: Decimal
    budget_usd: Decimal | None
    """What its months may cost together."""
    cost_usd_per_1000_users: Decimal
    """With the commitments, in the mean of its months, by the users that the budget names."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Something to decide: what it saves, what it takes, and by when."""

    kind: str
    """commit, change or keep less."""
    subject: str
    """The tier that it is of; "" of several."""
    saves_usd: Decimal
    """Over all months, beside doing nothing of it."""
    cash_usd: Decimal
    """What is paid at once for it."""
    by: date
    """The first day on which each further day costs."""
    overrides: Mapping[str, Any] | None = None
    """What of the scenario it sets; None where it is no value of it."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A plan over some years."""

    identifier: str
    """Of scenario, prices and program: the same for the same ones."""
    version: str
    """Of the program."""
    forecast: Forecast
    schedule: Schedule
    """What to buy in which month: the first one's are decisions, the others an outlook."""
    saving: Differences | None
    """From the plan as it is to the cheapest one that keeps every promise; None where there is none."""
    months: tuple[PaperMonth, ...]
    years: tuple[PaperYear, ...]
    total: PaperYear
    decisions: tuple[Decision, ...]
    """The largest saving first."""
    month_usd: Three | None
    """What the first month costs as the scenario's numbers may turn out; None where nothing is unsure."""
    kept_ratio: float | None
    """In what share of those worlds the system answers as fast as it must."""
    draw_count: int
