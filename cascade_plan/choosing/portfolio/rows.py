"""An answer -> a row of the portfolio."""

from __future__ import annotations

from collections.abc import Mapping

from cascade_plan.choosing.portfolio.questions import Answer
from cascade_plan.choosing.portfolio.sharing import bought, on_demand
from cascade_plan.errors import CascadePlanError
from cascade_plan.model.plan import Plan
from cascade_plan.model.portfolio import Row
from cascade_plan.model.price import Book


def row(place: str, answer: Answer, book: Book) -> Row:
    """Return a planned system's row: what it costs and misses, and what of it a commitment could pay for."""
    plan = answer.plan
    scenario = plan.scenario
    counts = on_demand(plan)
    alone = bought(counts, lambda cloud, region: book)
    return Row(
        place,
        scenario.name,
        _exit_code(answer),
        region=scenario.region,
        tags=dict(scenario.tags),
        users_peak=scenario.users.peak,
        users_average=scenario.users.average,
        cost_usd_per_month=plan.bill.effective_usd,
        level=scenario.budget.level,
        is_complete=plan.bill.complete,
        budget_usd_per_month=scenario.budget.usd_per_month_most(scenario.users),
        missed=_figures(plan, "fail"),
        not_judged=_figures(plan, "unjudged"),
        answers=answer.figures,
        hourly_count=counts,
        alone_usd_per_hour={term: (cover.committed_usd, cover.usd) for term, cover in alone.items()},
    )


def _exit_code(answer: Answer) -> int:
    """Return what the command alone would end with: a price that lacks before a fleet or a limit that is missed."""
    if not answer.plan.bill.complete:
        return 3
    return 4 if answer.is_over else int(answer.plan.failed or answer.has_failed)


def _figures(plan: Plan, status: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(verdict.figure for verdict in plan.verdicts if verdict.status == status))


def failure(place: str, name: str, tags: Mapping[str, str], error: Exception) -> Row:
    """Return the row of a system that could not be planned: the error's message and exit code."""
    if isinstance(error, CascadePlanError):
        return Row(place, name, error.exit_code, str(error), tags=tags)
    return Row(place, name, CascadePlanError.exit_code, f"{type(error).__name__}: {error}", tags=tags)
