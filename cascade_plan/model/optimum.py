"""The cheapest fleet that keeps every promise: what it is, and the proof that nothing cheaper does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cascade_plan.model.plan import Plan
from cascade_plan.model.relaxation import WhyNot


@dataclass(frozen=True, slots=True)
class Rejected:
    """A fleet beside the cheapest one that would cost less, and the promise that it breaks."""

    tier: str
    words: str
    """What it has otherwise: 5 x t4g.small."""
    reason: str
    overrides: Mapping[str, Any]
    """What makes it of the cheapest fleet's scenario: dotted paths and values, as `--set` takes them."""
    saving_usd_per_month: Decimal
    """What it would save."""


@dataclass(frozen=True, slots=True)
class NextBest:
    """The next way to have one tier that keeps every promise with the rest of the fleet as it is."""

    words: str
    dearer_usd_per_month: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """One tier of the cheapest fleet."""

    tier: str
    words: str
    """What it is: db.t4g.medium Aurora, 1 replica. Empty where it had no choice."""
    cost_usd_per_month: Decimal
    next_best: NextBest | None
    """None where there is no other way."""
    rejected: tuple[Rejected, ...]
    """One less of it, and the dearest of the smaller ones."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at, and why nothing cheaper is left."""

    combination_count: float
    """Fleets that the options make up with their counts."""
    struck_count: Mapping[str, int]
    """By what ways to have a tier were struck before any fleet was made of them: capacity (too little CPU whatever the
    rest), memory (no pod fits), limit (a ceiling is broken), gate, promise (a load's limits with the rest endless)."""
    popped_count: int
    """Fleets that were looked at in the order of what they cost at least."""
    prediction_count: int
    bound_usd_per_month: Decimal
    """What every fleet that was not looked at costs at least."""
    failed: tuple[tuple[str, str], ...]
    """Cheaper fleets whose parts keep everything each by itself, and what they break together."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Prices that are not known, and what they could change."""

    shape_count: int
    """Ways to have a tier that have no price on demand: they are not among those that were compared."""
    term_count: int
    """Prices by a term that is allowed, of shapes that have one on demand."""
    cost_usd_per_month_min: Decimal | None
    """What the cheapest fleet would cost if each of these had the best discount that is known for its term; None where
    nothing is missing."""


@dataclass(frozen=True, slots=True)
class Decides:
    """Assumptions that strike a cheaper way to have a tier: nobody has measured what its limits rest on."""

    paths: tuple[str, ...]
    """Of the values, in the scenario."""
    tier: str
    words: str
    """The cheapest way that they strike."""
    saving_usd_per_month: Decimal
    """What that would save at most."""


@dataclass(frozen=True, slots=True)
class MonthFleet:
    """The cheapest fleet of one month, and what of it is not as in the month before."""

    month: int
    users_peak: int
    cost_usd_per_month: Decimal
    changes: tuple[str, ...]
    """Tier, what it was, what it is: api: 6 x t4g.small to 7 x t4g.small. Empty where the fleet stays."""


@dataclass(frozen=True, slots=True)
class Rung:
    """The cheapest fleet that is kept in a share of the drawn worlds."""

    asked_share: float
    """In how many it must be; 0 where it is kept as planned."""
    kept_share: float
    cost_usd_per_month: Decimal
    words: str
    """What it is."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The cheapest fleet that keeps every promise."""

    plan: Plan
    """Of the scenario that pins it."""
    today: Plan
    """Of the scenario as it is."""
    slo_usd_per_month: Decimal | None
    """What the fleet of `--method slo` costs, whose shapes are the scenario's; None where there is none."""
    cost_usd_per_month: Decimal
    """What was made least: in the mean of the horizon's months, at the level that the budget judges."""
    horizon_months: int
    upfront_usd: Decimal
    parts: tuple[Part, ...]
    proof: Proof
    gaps: Gaps
    decides: tuple[Decides, ...] = ()
    """The assumptions on which the answer hangs, the largest saving first."""
    kept_share: float = 0.0
    """In how many of the drawn worlds all is kept."""
    world_count: int = 0
    """How many were drawn; 0 where none were."""
    ladder: tuple[Rung, ...] = ()
    """What surer fleets cost, where it was asked how sure this one shall be."""
    why_not: WhyNot | None = None
    """What each requirement costs and what could be given up; None where nobody asked, and the budget is kept."""
    months: tuple[MonthFleet, ...] = ()
    """Where the fleet may change from month to month, the cheapest of each; what is above is then of the first one."""

    @property
    def budget_usd_per_month(self) -> Decimal | None:
        """What a month may cost; None where nothing says."""
        return self.plan.scenario.budget.usd_per_month_most(self.plan.scenario.users)

    @property
    def is_over_budget(self) -> bool:
        """Whether even this costs more than it may."""
        budget = self.budget_usd_per_month
        return budget is not None and self.cost_usd_per_month >= budget
