"""What every format says of the cheapest fleet, in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cascade_plan.model.optimum import Optimum
from cascade_plan.reports._relaxed import crossing
from cascade_plan.reports._words import count, one_line, usd
from cascade_plan.units import settled

HEADERS = ("tier", "fleet", "USD/month", "next best", "dearer")


def title(optimum: Optimum) -> str:
    """Return what was searched for."""
    scenario = optimum.plan.scenario
    users = f"{count(scenario.users.peak)} users at peak, {count(scenario.users.average)} on average"
    return f"{one_line(scenario.name)}  {users}  {scenario.cloud} {scenario.region}"


def headline(optimum: Optimum) -> list[str]:
    """Return what it costs, of how many fleets it is the cheapest, and that this is proved."""
    scenario, proof = optimum.plan.scenario, optimum.proof
    level = scenario.budget.level
    whose = "" if scenario.budget.users == "registered" else f" {scenario.budget.users}"
    users = {"peak": scenario.users.peak, "average": scenario.users.average, "registered": scenario.users.registered}
    unit = settled(optimum.cost_usd_per_month * 1000 / Decimal(users[scenario.budget.users] or 1))
    today = f"as it is {usd(getattr(optimum.today.bill.effective_usd, level))}"
    slo = "" if optimum.slo_usd_per_month is None else f", by --method slo {usd(optimum.slo_usd_per_month)}"
    paid = f", and {usd(optimum.upfront_usd)} on the first day" if optimum.upfront_usd else ""
    over = "" if optimum.horizon_months == 1 else f" in the mean of {optimum.horizon_months} months"
    of = f"the cheapest of {proof.combination_count:.1e} fleets that keeps every promise"
    then = "In month 1 every" if optimum.months else "Every"
    return [
        f"{usd(optimum.cost_usd_per_month)} a month{over}{paid}, {usd(unit)} per 1000{whose} users: "
        f"{'in each month ' if optimum.months else ''}{of} ({today}{slo}).",
        f"Proven: {then[:1].lower()}{then[1:]} cheaper fleet fails ({proof.prediction_count:,} predictions; what was "
        f"not looked at costs {usd(proof.bound_usd_per_month)} or more).",
    ]


def rows(optimum: Optimum) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield a row for each tier that had a choice, the dearest first, one for the others together, and the total."""
    chosen = [part for part in optimum.parts if part.words]
    for part in sorted(chosen, key=lambda part: -part.cost_usd_per_month):
        best = part.next_best
        yield (
            part.tier,
            part.words,
            f"{part.cost_usd_per_month:,.2f}",
            best.words if best else "",
            f"+{best.dearer_usd_per_month:,.2f}" if best else "",
        )
    fixed = [part for part in optimum.parts if not part.words and part.cost_usd_per_month]
    if fixed:
        fixed.sort(key=lambda part: -part.cost_usd_per_month)
        total = sum((part.cost_usd_per_month for part in fixed), Decimal(0))
        yield "the rest", ", ".join(part.tier for part in fixed), f"{total:,.2f}", "", ""
    yield "total", "", f"{sum((part.cost_usd_per_month for part in optimum.parts), Decimal(0)):,.2f}", "", ""


MONTHS = ("month", "users", "USD/month", "what changes")


def months(optimum: Optimum) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for the first month, for each whose fleet changes, and for the last."""
    for each in optimum.months:
        if each.changes or each.month in (1, len(optimum.months)):
            cost = f"{each.cost_usd_per_month:,.2f}"
            yield str(each.month), count(each.users_peak), cost, "; ".join(each.changes)


def verdict(optimum: Optimum) -> str:
    """Return whether the budget is kept, "" where there is none."""
    budget = optimum.budget_usd_per_month
    if budget is None:
        return ""
    if optimum.is_over_budget:
        return f"✗ No fleet keeps the budget: {usd(optimum.cost_usd_per_month - budget)} a month too much."
    return f"✓ The budget is kept: {usd(budget - optimum.cost_usd_per_month)} a month are left."


def decides(optimum: Optimum) -> Iterator[str]:
    """Yield the assumptions on which the answer hangs, each with what hangs on it."""
    for each in optimum.decides:
        first, *others = each.paths
        paths = ", ".join((first, *(path.rpartition(".")[2] if path.startswith(f"tiers.{each.tier}.") else path
                                    for path in others)))  # fmt: skip
        yield f"{each.words}: up to {usd(each.saving_usd_per_month)} less, if it were not for assumptions: {paths}"


LADDER = ("kept in", "USD/month", "more", "fleet")


def ladder(optimum: Optimum) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each fleet that is surer than the cheapest, and for that."""
    for rung in optimum.ladder:
        more = rung.cost_usd_per_month - optimum.ladder[0].cost_usd_per_month
        yield f"{rung.kept_share:.0%}", f"{rung.cost_usd_per_month:,.2f}", f"+{more:,.2f}" if more else "", rung.words


def sureness(optimum: Optimum) -> Iterator[str]:
    """Yield in how many of the drawn worlds all is kept."""
    if optimum.world_count:
        surer = "" if optimum.ladder else " (--confidence 0.9 for a surer one; `risk` says what decides it)"
        yield f"Kept in {optimum.kept_share:.0%} of {optimum.world_count:,} drawn worlds{surer}."


COSTS = ("what costs", "saves if given up")
"""Columns of the requirements."""


def requirements(optimum: Optimum) -> Iterator[tuple[str, str]]:
    """Yield each requirement with what it saves if it is given up alone, the most first; what costs nothing last."""
    if optimum.why_not is None:
        return
    for each in optimum.why_not.marginal:
        if each.saves_usd is not None:
            more = each.saves_usd < 0
            yield each.names[0], f"{'costs ' if more else ''}{abs(each.saves_usd):,.2f}{' more' if more else ''}"


WAYS = ("give up", "after", "first day")


def ways_out(optimum: Optimum) -> Iterator[tuple[str, str, str]]:
    """Yield the cheapest sets of requirements without which the budget is kept."""
    if optimum.why_not is None:
        return
    for each in optimum.why_not.sets:
        upfront = "" if not each.upfront_usd else f"{each.upfront_usd:,.0f}"
        yield " + ".join(each.names), f"{each.cost_usd_per_month or 0:,.2f}", upfront


def why_infeasible(optimum: Optimum) -> Iterator[str]:
    """Yield in words which requirements cannot be kept together, and from how many users on they could."""
    found = optimum.why_not
    if found is None or found.is_met:
        return
    if found.irreducible:
        many = "This cannot be kept" if len(found.irreducible) == 1 else "These cannot be kept together"
        yield f"{many}, even with all else given up: {'; '.join(found.irreducible)}. Any one given up is enough then."
    elif found.least_usd_per_month is not None:
        yield f"Even with all of these given up the cheapest fleet costs {usd(found.least_usd_per_month)}."
    if text := crossing(found):
        yield text


def gaps(optimum: Optimum) -> Iterator[str]:
    """Yield what prices that are not known could change."""
    known = optimum.gaps
    if known.term_count and known.cost_usd_per_month_min is not None:
        yield (
            f"{known.term_count:,} prices by allowed terms are not known: whatever they are, not below "
            f"{usd(known.cost_usd_per_month_min)} unless a discount is better than the best known of its term."
        )
