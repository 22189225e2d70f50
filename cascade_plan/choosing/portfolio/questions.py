"""What each system of a portfolio may be asked, and its answer as a plan with some figures beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.margins import FIGURES
from cascade_plan.planning.pipeline import plan

DRAWS: Final = 1000
"""Worlds of each system's risk: a share of them is known to within 3 in a hundred (95 %)."""
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A scenario to plan, at these prices, with where its values were given."""

    scenario: Scenario
    book: Book
    origins: Mapping[str, str]
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan, and what else was asked for."""

    plan: Plan
    figures: Mapping[str, str] = field(default_factory=dict)
    is_over: bool = False
    """Whether not even the cheapest fleet keeps the budget."""
    has_failed: bool = False
    """Whether a gate on what else was asked failed."""


def size(asked: Asked) -> Answer:
    """Return the plan that `size` makes, of its figures those that a limit may be on."""
    gates = asked.scenario.gates
    return Answer(
        plan(
            asked.scenario,
            asked.book,
            asked.origins,
            asked.as_of,
            with_margins=not gates.keys().isdisjoint(FIGURES),
            by_action=any(name.startswith("action_") for name in gates),
        )
    )


def slo(asked: Asked) -> Answer:
    """Return the plan of the least fleet that keeps the limits of every load."""
    return size(Asked(_by_slo(asked.scenario), asked.book, asked.origins, asked.as_of))


def _by_slo(scenario: Scenario) -> Scenario:
    return scenario.model_copy(update={"method": "slo"})


def optimize(asked: Asked) -> Answer:
    """Return the plan of the cheapest fleet that keeps every promise, and what it saves."""
    from cascade_plan.choosing.optimum import optimum

    found = optimum(asked.scenario, asked.book, asked.origins, asked.as_of)
    level = asked.scenario.budget.level
    before = plan(asked.scenario, asked.book, asked.origins, asked.as_of, predicted=False, with_margins=False)
    now: Decimal = getattr(found.plan.bill.effective_usd, level)
    planned: Decimal = getattr(before.bill.effective_usd, level)
    figures = {"as_given_usd_per_month": f"{planned:.2f}", "saving_usd_per_month": f"{planned - now:.2f}"}
    return Answer(found.plan, figures, found.is_over_budget)


def risk(asked: Asked) -> Answer:
    """Return the plan, by the method slo unless the scenario says another, and how sure it is."""
    from cascade_plan.choosing.risk import risk_of

    scenario = asked.scenario if "method" in asked.origins else _by_slo(asked.scenario)
    made = plan(scenario, asked.book, asked.origins, asked.as_of, with_margins=False, by_action=False)
    found = risk_of(made, asked.book, asked.origins, DRAWS, SEED)
    low, middle, high = found.cost_usd_per_month
    figures = {
        "kept_ratio": f"{found.kept_ratio:.3f}",
        "over_budget_ratio": "" if found.over_budget_ratio is None else f"{found.over_budget_ratio:.3f}",
        "cost_usd_per_month_p10": f"{low:.2f}",
        "cost_usd_per_month_p50": f"{middle:.2f}",
        "cost_usd_per_month_p90": f"{high:.2f}",
    }
    return Answer(made, figures)


def forecast(asked: Asked) -> Answer:
    """Return the plan that `size` makes, and what the months of its forecast cost and break."""
    from cascade_plan.choosing.forecast import forecast as forecasted

    found = forecasted(asked.scenario, asked.book, asked.origins)
    last = found.months[-1]
    figures = {
        "forecast_months": str(len(found.months)),
        "forecast_usd": f"{found.effective_usd:.2f}",
        "forecast_last_month_usd": f"{last.effective_usd:.2f}",
        "forecast_last_users_peak": str(last.users_peak),
        "forecast_first_broken": next((f"{each.start:%Y-%m} {each.figure}" for each in found.broken), ""),
    }
    return Answer(size(asked).plan, figures, has_failed=found.failed)


QUESTIONS: Final[Mapping[str, tuple[Callable[[Asked], Answer], tuple[str, ...]]]] = {
    "size": (size, ()),
    "slo": (slo, ()),
    "optimize": (optimize, ("as_given_usd_per_month", "saving_usd_per_month")),
    "forecast": (
        forecast,
        (
            "forecast_months",
            "forecast_usd",
            "forecast_last_month_usd",
            "forecast_last_users_peak",
            "forecast_first_broken",
        ),
    ),
    "risk": (
        risk,
        (
            "kept_ratio",
            "over_budget_ratio",
            "cost_usd_per_month_p10",
            "cost_usd_per_month_p50",
            "cost_usd_per_month_p90",
        ),
    ),
}
"""Name -> how it is answered, and the figures it adds to a row."""
