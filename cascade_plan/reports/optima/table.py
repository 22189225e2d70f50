"""The cheapest fleet on a terminal: what it is, what is next, and why not one less."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cascade_plan.model.optimum import Optimum, Part
from cascade_plan.reports._fitting import fitted, folded
from cascade_plan.reports._words import count, one_line, usd
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.units import settled

FORMAT: str = "plain text for a terminal: the fleet by tier, the next best of each, why not one less, the verdict"
HEADERS = ("tier", "fleet", "USD/month", "next best", "dearer")


def render(optimum: Optimum, width: int = WIDTH, written: str = "") -> str:
    """Return the optimum as plain text."""
    lines = [
        *_folded([title(optimum), "", *headline(optimum)], width),
        "",
        aligned(HEADERS, list(_rows(optimum)), (2, 4), width, (3,), ruled=False),
        "",
        *_folded(_why_not_less(optimum), width),
        *_folded(_closing(optimum, written), width),
    ]
    return "\n".join(lines) + "\n"


def _folded(lines: list[str], width: int) -> list[str]:
    return [part for line in lines for part in folded(line, width, "  ")]


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
    return [
        f"{usd(optimum.cost_usd_per_month)} a month{over}{paid}, {usd(unit)} per 1000{whose} users: the cheapest of "
        f"{proof.combination_count:.1e} fleets that keeps every promise ({today}{slo}).",
        f"Proven: every cheaper fleet fails ({proof.prediction_count:,} predictions; what was not looked at costs "
        f"{usd(proof.bound_usd_per_month)} or more).",
    ]


def _rows(optimum: Optimum) -> Iterator[tuple[str, str, str, str, str]]:
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


def _why_not_less(optimum: Optimum) -> list[str]:
    lines = [line for part in optimum.parts for line in _rejected(part)]
    return ["one less fails", *lines] if lines else []


def _rejected(part: Part) -> Iterator[str]:
    for each in part.rejected[:1]:
        yield f"  {each.words}: {fitted(one_line(each.reason), 120)}"


def _closing(optimum: Optimum, written: str) -> list[str]:
    budget = optimum.budget_usd_per_month
    lines = list(_gaps(optimum))
    if budget is not None and optimum.is_over_budget:
        over = optimum.cost_usd_per_month - budget
        lines.append(f"✗ No fleet keeps the budget: {usd(over)} a month too much.")
    elif budget is not None:
        lines.append(f"✓ The budget is kept: {usd(budget - optimum.cost_usd_per_month)} a month are left.")
    after = f"cascade-plan check {written}" if written else "the same with -o best.yaml, then check best.yaml"
    return [*lines, f"  next: {after}"]


def _gaps(optimum: Optimum) -> Iterator[str]:
    gaps = optimum.gaps
    if gaps.term_count and gaps.cost_usd_per_month_min is not None:
        yield (
            f"{gaps.term_count:,} prices by allowed terms are not known: whatever they are, not below "
            f"{usd(gaps.cost_usd_per_month_min)} unless a discount is better than the best known of its term."
        )
