"""Plan -> verdicts and findings: the gates, the prices' age, and what the plan contradicts in itself."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from cascade_plan.model.actuals import FIGURES as BILLED
from cascade_plan.model.bill import FIRST_YEAR, MONTH_12, Bill
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import LEVELS, NodeGroup
from cascade_plan.model.forecast import is_figure
from cascade_plan.model.plan import Verdict
from cascade_plan.model.price import age_days, caveat
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.titles import called
from cascade_plan.planning import commitments
from cascade_plan.planning.latencies import OF_LOADS
from cascade_plan.units import settled

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
HALF = 0.5
"""From this share of a group that nothing requests it is worth a word (assumption)."""
NEAR = Decimal("0.1")
"""A passed gate this close to its limit (as a share of it) is reported."""
UPFRONT = "cost_usd_upfront"
GIVEN = "given in the scenario, not planned: measure it on the running system"


def cost_figures(scenario: Scenario, bill: Bill) -> tuple[Derivation, ...]:
    """Return the figures of cost: the band, and the cost per 1000 users by each denominator the scenario knows."""
    at_least = "" if bill.complete else f"at least: {bill.lacks(scenario.budget.level)}"
    band = [
        Derivation(
            f"cost_usd_per_month.{level}",
            getattr(bill.effective_usd, level),
            "USD/month",
            "sum of quantity x price over the bill's lines",
            note=at_least,
        )
        for level in LEVELS
    ]
    level, users = scenario.budget.level, scenario.users
    cost: Decimal = getattr(bill.effective_usd, level)
    counts = {"peak": users.peak, "average": users.average, "registered": users.registered}
    unit_costs = {name: settled(cost * 1000 / count) for name, count in counts.items() if count}
    chosen = scenario.budget.users
    return (
        *band,
        *_year(bill, level, at_least),
        *(
            Derivation(
                f"cost_usd_per_1000_{name}_users_month",
                unit_cost,
                "USD/month",
                f"cost_usd_per_month.{level} / (users.{name} / 1000)",
                (Input(f"users.{name}", counts[name] or 0, "scenario"),),
                note=at_least,
            )
            for name, unit_cost in unit_costs.items()
        ),
        Derivation(
            "cost_usd_per_1000_users_month",
            unit_costs[chosen],
            "USD/month",
            f"cost_usd_per_month.{level} / (users.{chosen} / 1000)",
            (
                Input(f"cost_usd_per_month.{level}", cost, "computed"),
                Input(f"users.{chosen}", counts[chosen] or 0, "scenario"),
            ),
            note=at_least,
        ),
        _upfront(bill),
    )


def _year(bill: Bill, level: str, at_least: str) -> Iterator[Derivation]:
    """Yield what the first year costs where months differ: the mean of its months, and the last of them."""
    months: list[Decimal] = [getattr(month, level) for month in bill.first_year_usd]
    if len(set(months)) > 1:
        added = f"cost_usd_per_month.{level}, with what accumulates as it is"
        mean = settled(sum(months, Decimal(0)) / len(months))
        yield Derivation(FIRST_YEAR, mean, "USD/month", f"{added} in each month of the first year", note=at_least)
        yield Derivation(MONTH_12, months[-1], "USD/month", f"{added} in month 12", note=at_least)


def _upfront(bill: Bill) -> Derivation:
    unknown = bill.upfront_unknown
    return Derivation(
        UPFRONT,
        bill.upfront_usd,
        "USD",
        "sum of instances bought x upfront of one; paid once, spread over its term in the monthly cost",
        note=f"at least: {_not_known(unknown)}" if unknown else "",
    )


def _not_known(lines: tuple[str, ...]) -> str:
    return f"no upfront is known for {', '.join(lines)}"


def verdicts(
    scenario: Scenario, figures: Mapping[str, Derivation], bill: Bill, goals: Mapping[str, str]
) -> tuple[Verdict, ...]:
    """Return a verdict for every gate of the scenario, its budget, its loads' latencies and its tiers' goals."""
    gates: dict[str, dict[tuple[str, Decimal], None]] = {}
    for name, gate in _limits(scenario, goals):
        symbol, _, text = gate.partition(" ")
        gates.setdefault(name, {})[symbol, Decimal(text)] = None
    return tuple(
        _verdict(scenario, name, symbol, limit, figures, bill)
        for name in sorted(gates)
        for symbol, limit in gates[name]
    )


def _limits(scenario: Scenario, goals: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (figure, limit) of everything that asks for one: none hides another. A bill's figures no plan has."""
    of_plans = {name: limits for name, limits in scenario.gates.items() if name not in BILLED}
    yield from ((name, limit) for name, limits in of_plans.items() for limit in limits)
    yield from goals.items()
    for name, load in scenario.loads.items():
        yield f"latency_ms_p95.{name}", f"< {_plain(load.latency_ms_p95)}"
        if load.latency_ms_p99 is not None:
            yield f"latency_ms_p99.{name}", f"< {_plain(load.latency_ms_p99)}"
    yield from ((name, f"< {_plain(limit)}") for name, limit in scenario.budget.limits.items())


def _plain(limit: float) -> str:
    return f"{Decimal(str(limit)):f}"


def _verdict(
    scenario: Scenario, name: str, symbol: str, limit: Decimal, figures: Mapping[str, Derivation], bill: Bill
) -> Verdict:
    if (derivation := figures.get(name)) is None:
        return Verdict(name, symbol, limit, None, "unjudged", _no_figure(scenario, name))
    value = derivation.value
    if derivation.is_given:
        return Verdict(name, symbol, limit, value, "unjudged", GIVEN)
    if derivation.interval is not None:
        # What is only known between two ends must keep its limit at both.
        value = derivation.interval[symbol in ("<", "<=", "==")]
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    passed = OPERATORS[symbol](exact, limit)
    if reason := _incomplete(name, bill, scenario.budget.level):
        # The true cost is higher: only an upper limit that is already broken is certain.
        certain = symbol in ("<", "<=") and not passed
        return Verdict(name, symbol, limit, value, "fail" if certain else "unjudged", reason)
    return Verdict(name, symbol, limit, value, "pass" if passed else "fail", interval=derivation.interval)


def _incomplete(name: str, bill: Bill, level: str) -> str:
    """Return why a figure is "at least" what it says, or "" where it is exact."""
    if name == UPFRONT:
        return _not_known(bill.upfront_unknown) if bill.upfront_unknown else ""
    return f"the bill is incomplete: {bill.lacks(level)}" if name.startswith("cost_") and not bill.complete else ""


def _no_figure(scenario: Scenario, name: str) -> str:
    """Return why a plan has no figure of a name that is one."""
    if name.partition(".")[0] in OF_LOADS:
        return "no latency was predicted"
    tier = name.partition(".")[0]
    if is_figure(name):
        return "`cascade-plan forecast` judges it"
    if tier in scenario.tiers:
        return f"in this scenario {called(tier)} has no such figure"
    return f"this scenario has no {called(tier)} tier"


def findings(
    verdicts: tuple[Verdict, ...],
    bill: Bill,
    groups: tuple[NodeGroup, ...],
    as_of: date | None,
    max_price_age_days: int,
) -> tuple[Finding, ...]:
    """Return what the bill and the verdicts themselves give reason to say."""
    return (
        *_near_limits(verdicts),
        *_unjudged(verdicts),
        *_price_findings(bill),
        *commitments.findings(bill, groups),
        *_unrequested(groups, bill),
        *_price_age(bill, as_of, max_price_age_days),
        *_architecture(groups),
    )


def _near_limits(verdicts: tuple[Verdict, ...]) -> list[Finding]:
    return [
        Finding(
            "info",
            "near-limit",
            f"{verdict.figure} passes with less than {NEAR:.0%} to spare",
            verdict.figure,
        )
        for verdict in verdicts
        if verdict.status == "pass"
        and verdict.value is not None
        and verdict.limit
        and abs(Decimal(str(verdict.value)) - verdict.limit) < NEAR * verdict.limit
        and verdict.operator in ("<", "<=")
    ]


def _unjudged(verdicts: tuple[Verdict, ...]) -> list[Finding]:
    reasons: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.status == "unjudged":
            reasons.setdefault(verdict.reason, []).append(verdict.figure)
    return [
        Finding("warning", "unjudged", f"{', '.join(names)} not judged: {reason}", "gates")
        for reason, names in reasons.items()
    ]


def _price_findings(bill: Bill) -> list[Finding]:
    out = [
        Finding("warning", "price-missing", f"{line.name}: no price for {line.key}; the bill is at least", line.tier)
        for line in bill.unpriced
    ]
    weak = sorted({f"{item.name}: {said}" for item in bill.items if (said := caveat(item.note))})
    if weak:
        out.append(Finding("info", "price-weak", f"prices with a caveat: {'; '.join(weak)}", "prices"))
    return out


def _unrequested(groups: tuple[NodeGroup, ...], bill: Bill) -> list[Finding]:
    """Return the groups of nodes of which half and more is requested by nothing, and what that part costs."""
    found = []
    for group in groups:
        lines = [item for item in bill.items if item.group == group.name and item.unit == "hour"]
        usd = settled(
            sum((item.cost_usd.average for item in lines), Decimal(0)) * Decimal(str(group.unrequested_share))
        )
        if group.is_nodes and group.unrequested_share >= HALF and usd:
            share, cost = f"{group.unrequested_share:.0%}", f"${usd:,.0f} a month"
            message = f"nothing requests {share} of the {group.name} (CPU or memory): {cost}"
            found.append(Finding("info", "unrequested", message, f"tiers.{group.tier}", usd))
    return found


def _price_age(bill: Bill, as_of: date | None, limit_days: int) -> list[Finding]:
    dated = sorted(item.as_of for item in bill.items if item.as_of[0].isdigit())
    if as_of is None or not dated:
        return []
    age = age_days(dated[0], as_of) or 0
    message = f"on {as_of} the oldest price, of {dated[0]}, is {age:,} days old"
    severity = "info"
    if age > limit_days:
        severity, message = "warning", f"{message}, more than the {limit_days} allowed: update the prices"
    return [Finding(severity, "price-age", message, "prices")]


def _architecture(groups: tuple[NodeGroup, ...]) -> list[Finding]:
    arm = sorted({f"{group.name} ({group.shape.name})" for group in groups if group.shape.architecture == "arm64"})
    if not arm:
        return []
    return [
        Finding(
            "info",
            "arm64",
            f"the cheapest shapes are arm64: build images for it, or set architecture: x86_64 in the need: "
            f"{', '.join(arm)}",
            "tiers",
        )
    ]
