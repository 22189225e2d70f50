"""A plan's fleet, terms, costs and verdict as every report of a plan words them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from cascade_plan.model.bill import FIRST_YEAR, MONTH_12, Amounts, Item, Unpriced
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.margin import CPU, CPU_MS, DATABASE, MOST
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.scenario import Currency
from cascade_plan.model.terms import commitment_of
from cascade_plan.reports import _words as words
from cascade_plan.units import trimmed

MONTHS_PER_YEAR: Final = 12

UNIT_COST: Final = "cost_usd_per_1000_users_month"
LEVELS: Final = {
    "floor": "the autoscaler at its minimum, in the quietest hour",
    "average": "the day's mean load",
    "peak": "the peak load all month",
    "ceiling": "the autoscaler at its maximum, at peak load",
}
USERS: Final = {
    "peak": "peak concurrent users",
    "average": "average concurrent users",
    "registered": "registered users",
}
LIMITS: Final = {"<": "below", "<=": "at most", ">": "above", ">=": "at least", "==": "exactly"}
TERMS: Final = {"on_demand": "on demand", "spot": "spot"}
PLANS: Final = {
    "reserved": "",
    "compute_sp": "compute savings plan, ",
    "ec2_instance_sp": "EC2 instance savings plan, ",
    "database_sp": "database savings plan, ",
}
COVERAGE: Final = "commitment_coverage_ratio"
UTILIZATION: Final = "commitment_utilization_ratio"
COVERAGE_HEADERS: Final = ("tier", "share", *LEVELS)
UPFRONT: Final = {"no": "nothing upfront", "partial": "part upfront", "all": "all upfront"}
SPREAD: Final = "upfront cash is spread over its term in the monthly cost"


def unrequested(group: NodeGroup) -> str:
    """Return the share of a group that nothing requests; empty where the rules do not know it (managed services)."""
    return words.percent(group.unrequested_share) if group.unrequested_share or group.is_nodes else ""


def busy(plan: Plan, group: NodeGroup) -> str:
    """Return how busy a group's tier is at its fullest when all users at peak act; empty where none come."""
    figure = plan.figures.get(f"{group.tier}.busy_ratio_peak")
    return "" if figure is None else words.percent(float(figure.value))


def at_least(plan: Plan) -> str:
    """Return what stands before every total: "at least " where the bill lacks a price, else nothing."""
    return "" if plan.bill.complete else "at least "


def total(plan: Plan, amount: Decimal) -> str:
    """Return a sum over the bill's lines in dollars, "at least" where a line has no price."""
    return at_least(plan) + words.usd(amount)


def group_cost(plan: Plan, group: NodeGroup) -> Decimal | None:
    """Return what a group's instances cost a month on average, or None where one of its lines has no price."""
    if any(_is_of(line, group) for line in plan.bill.unpriced):
        return None
    return sum((item.cost_usd.average for item in group_items(plan, group)), Decimal(0))


def group_items(plan: Plan, group: NodeGroup) -> list[Item]:
    """Return the bill's lines of a group's instance hours."""
    return [item for item in plan.bill.items if _is_of(item, group)]


def _is_of(line: Item | Unpriced, group: NodeGroup) -> bool:
    """Return whether a line is a group's instance hours; its disks are lines of the same group, by another unit."""
    return line.group == group.name and line.unit in group.units


def term(name: str) -> str:
    """Return a purchase term in words.

    >>> term("reserved_3y_all_upfront"), term("on_demand")
    ('3 years, all upfront', 'on demand')
    """
    commitment = commitment_of(name)
    if commitment is None:
        return TERMS.get(name, name.replace("_", " "))
    length = f"{commitment.years} year{'s' * (commitment.years != 1)}"
    return f"{PLANS[commitment.kind]}{length}, {UPFRONT[commitment.upfront]}"


def paid(group: NodeGroup) -> str:
    """Return how a group is paid: one term in words, or the share of each and what is left on demand."""
    if not group.terms:
        return TERMS["on_demand"]
    if len(group.terms) == 1 and group.terms[0].share == 1:
        return term(group.terms[0].term)
    shares = [f"{trimmed(f'{part.share * 100:.2f}')}% {term(part.term)}" for part in group.terms]
    return "; ".join((*shares, "rest on demand"))


def bought(item: Item) -> str:
    """Return what a commitment buys: a number of instances, or of a savings plan dollars an hour."""
    commitment = commitment_of(item.key.term)
    if commitment is None or commitment.is_whole:
        return words.count(item.bought_count)
    return f"{words.unit_price(item.committed_usd_per_hour)} an hour"


def coverage(plan: Plan) -> list[tuple[str, ...]]:
    """Return rows below COVERAGE_HEADERS: of each tier that commits to something, both shares at each level."""
    rows = []
    for tier in plan.fleet.tiers:
        for leaf in (COVERAGE, UTILIZATION):
            figures = [plan.figures.get(f"{tier}.{leaf}.{level}") for level in LEVELS]
            if any(figures):
                cells = ("" if figure is None else words.percent(float(figure.value)) for figure in figures)
                rows.append((tier, leaf.split("_")[1], *cells))
    return rows


def share_cell(share: float | Decimal | None, lacked: float | None) -> str:
    """Return a part of a bill in percent, and what of the bill its lines without a price would be; "" if not known."""
    if share is None:
        return ""
    lacks = f"lacks {words.percent(lacked)}" if lacked else ""
    return " ".join(filter(None, (words.percent(float(share)) if share or not lacks else "", lacks)))


def upfront_total(plan: Plan) -> str:
    """Return what is paid upfront in all, "at least" where a line's upfront is not known."""
    return ("at least " if plan.bill.upfront_unknown else "") + words.usd(plan.bill.upfront_usd)


def is_committed(plan: Plan) -> bool:
    """Return whether anything is bought for years."""
    return any(part.term != "spot" for group in plan.groups for part in group.terms)


def foreign(currency: Currency, amount: Decimal) -> str:
    """Return an amount of US dollars in another currency, to its hundredths.

    >>> euro = Currency(code="EUR", units_per_usd=0.92, as_of="2026-11-01", source="ECB reference rate")
    >>> foreign(euro, Decimal("1000"))
    'EUR 920.00'
    """
    return f"{currency.code} {currency.amount(amount):z,.2f}"


def rate(currency: Currency) -> str:
    """Return a rate with its day and source: 1 USD = 0.92 EUR on 2026-11-01, ECB reference rate."""
    units = format(Decimal(str(currency.units_per_usd)), "f")
    return f"1 USD = {units} {currency.code} on {currency.as_of}, {words.one_line(currency.source)}"


def tier_costs(plan: Plan) -> dict[str, Amounts]:
    """Return the effective cost of each tier that has a priced line, in the bill's order."""
    costs: dict[str, Amounts] = {}
    for item in plan.bill.items:
        costs[item.tier] = costs[item.tier].plus(item.cost_usd) if item.tier in costs else item.cost_usd
    return costs


def gate_counts(plan: Plan) -> str:
    """Return how many gates pass, fail and are not judged, such as 5 met, 2 missed."""
    counts = {status: sum(verdict.status == status for verdict in plan.verdicts) for status in words.MARKS}
    ends = {"pass": "met", "fail": "missed", "unjudged": "not judged"}
    parts = [f"{counts[status]} {end}" for status, end in ends.items() if counts[status]]
    return ", ".join(parts)


def cost_verdict(plan: Plan) -> Verdict | None:
    """Return the verdict on the cost per 1000 users, of several the one that ends worst; None where none is asked."""
    order = ("fail", "unjudged", "pass")
    judged = [verdict for verdict in plan.verdicts if verdict.figure == UNIT_COST]
    return min(judged, key=lambda verdict: order.index(verdict.status), default=None)


def level_words(plan: Plan) -> str:
    """Return the point of the band that the budget judges, in words."""
    return LEVELS[plan.scenario.budget.level]


def money(value: int | float | Decimal) -> Decimal:
    """Return a figure of cost as the Decimal it is."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def first_findings(plan: Plan) -> list[Finding]:
    """Return the findings to read first: what is broken, what costs something, the dearest first, other warnings."""
    dearest = sorted(
        warnings_first(plan), key=lambda finding: (not finding.is_broken, -(finding.cost_usd_per_month or 0))
    )
    return [finding for finding in dearest if finding.cost_usd_per_month or finding.severity == "warning"]


def warnings_first(plan: Plan) -> list[Finding]:
    """Return the findings, warnings before the rest, otherwise in the plan's order."""
    return sorted(plan.findings, key=lambda finding: finding.severity != "warning")


def first_year(plan: Plan) -> Decimal:
    """Return what twelve months cost at the level that the budget judges: the first ones, where months differ."""
    level = plan.scenario.budget.level
    months: list[Decimal] = [getattr(month, level) for month in plan.bill.first_year_usd]
    cost: Decimal = getattr(plan.bill.effective_usd, level)
    return sum(months, Decimal(0)) if months else cost * MONTHS_PER_YEAR


def year_named(plan: Plan) -> str:
    """Return what those twelve months are called."""
    return "in year 1" if FIRST_YEAR in plan.figures else "a year"


def growth(plan: Plan) -> list[str]:
    """Return how the cost grows with what accumulates; no line where every month costs the same."""
    if FIRST_YEAR not in plan.figures:
        return []
    now, month = getattr(plan.bill.effective_usd, plan.scenario.budget.level), plan.scenario.month
    mean, last = (Decimal(str(plan.figures[name].value)) for name in (FIRST_YEAR, MONTH_12))
    return [f"grows  ${now:,.0f} in month {month}, ${mean:,.0f} in the mean of a year, ${last:,.0f} in month 12"]


def first_year_words(plan: Plan) -> str:
    """Return how the cost grows over the first year as a sentence; "" where every month costs the same."""
    if FIRST_YEAR not in plan.figures:
        return ""
    first = words.usd(getattr(plan.bill.first_year_usd[0], plan.scenario.budget.level))
    mean, last = (words.usd(Decimal(str(plan.figures[name].value))) for name in (FIRST_YEAR, MONTH_12))
    return (
        f"This is the bill of month {plan.scenario.month}. What accumulates makes the first month cost {first}, "
        f"the mean of the first year {mean} and month 12 {last}."
    )


def margin(plan: Plan) -> list[str]:
    """Return up to what CPU time a request, and database time, the loads keep their limits; no line without limits."""
    if (cpu := plan.figures.get(CPU)) is None:
        return []
    ratio, most = float(cpu.value), plan.figures[CPU_MS]
    database = plan.figures.get(DATABASE)
    beside = f", {_times(float(database.value))} the database time" if database is not None else ""
    if ratio >= MOST:
        return [f"limits hold  at {_times(ratio)} the CPU time of a request{beside}"]
    return [f"limits hold  up to {words.count(most.value)} ms of CPU a request ({_times(ratio)}){beside}"]


def _times(ratio: float) -> str:
    return f"over {MOST:g} x" if ratio >= MOST else f"{ratio:.3g} x"
