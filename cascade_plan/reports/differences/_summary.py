"""The answer of a comparison: what it costs and why, the verdicts, what is not known, and what was changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from cascade_plan.model.difference import Cause, Difference, Differences, Value
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.reports._causes import arrow, said
from cascade_plan.reports._words import count, one_line, usd

NAMED_MOST: Final = 3
"""Causes in the headline at most."""
NAMED_SHARE: Final = Decimal("0.8")
"""Causes are named until they make up this share of all that changed."""
INPUTS_SHOWN: Final = 4
RECURRING: Final = "cost_usd_per_"
"""How the figures begin that a budget can limit: cash paid once is none of them."""
BUDGETS: Final = {"fail": "over budget", "unjudged": "budget not judged", "pass": "within budget"}


def signed(amount: Decimal) -> str:
    """Return a change of cost in dollars and cents, with its sign: +$376.50, -$90.23, $0.00."""
    text = usd(amount)
    return text if text.startswith("-") or not shows(amount) else f"+{text}"


def shows(amount: Decimal) -> bool:
    """Return whether an amount is more than nothing in dollars and cents."""
    return usd(amount) not in ("$0.00", "-$0.00")


def share(change: Decimal, before: Decimal) -> str:
    """Return a change in percent of what was before, with its sign; empty where it has none or shows as none.

    >>> share(Decimal(5), Decimal(200)), share(Decimal(1), Decimal(10_000)), share(Decimal(1), Decimal(0))
    ('+2.5 %', '', '')
    """
    text = f"{change / before * 100:+,.1f} %" if before else ""
    return "" if text in ("+0.0 %", "-0.0 %") else text


def figures(differences: Differences) -> list[Difference]:
    """Return the figures that differ in the digits that are shown."""
    return [figure for figure in differences.figures if cell(figure.value_before) != cell(figure.value_after)]


def cell(value: Value) -> str:
    """Return a value as it is shown: money in cents, a number with at most two decimals."""
    if isinstance(value, Decimal):
        return usd(value)
    if value is None:
        return "-"
    return one_line(value) if isinstance(value, str) else count(value)


def is_nothing(differences: Differences) -> bool:
    """Return whether neither bill nor figures, gates or findings differ, as far as is shown."""
    money = any(shows(cause.change_usd) or cause.unpriced for cause in differences.causes)
    others = (figures(differences), differences.gates, differences.findings_new, differences.findings_gone)
    return not money and not any(others)


def headline(differences: Differences) -> str:
    """Return the change of the month's cost with its largest causes, or that nothing changed."""
    if is_nothing(differences):
        return _nothing(differences)
    named = [f"{said(cause)} {signed(cause.change_usd)}" for cause in main_causes(differences)]
    why = f": {', '.join(named)}" if named else ""
    change, before = differences.change_usd, differences.cost_usd_before
    if not differences.is_exact:
        return f"{signed(change)} a month of what has a price, which is not exact{why}"
    if not shows(change) and not named:
        return f"The bill stays at {usd(differences.cost_usd_after)} a month."
    percent = share(change, before)
    return f"{signed(change)} a month{f' ({percent})' if percent else ''}{why}"


def _nothing(differences: Differences) -> str:
    if not differences.inputs:
        return "Nothing changed."
    names = [one_line(difference.name) for difference in differences.inputs]
    some = ", ".join(names[:INPUTS_SHOWN]) + (
        f" and {len(names) - INPUTS_SHOWN} more" if len(names) > INPUTS_SHOWN else ""
    )
    have = "has" if len(names) == 1 else "have"
    return f"Nothing changed: {some} {have} no effect on bill, figures and gates."


def main_causes(differences: Differences) -> list[Cause]:
    """Return the largest causes, as many as make up most of all that changed."""
    whole = sum((abs(cause.change_usd) for cause in differences.causes), Decimal(0))
    found, covered = [], Decimal(0)
    for cause in differences.causes[:NAMED_MOST]:
        if covered < NAMED_SHARE * whole and shows(cause.change_usd):
            found.append(cause)
            covered += abs(cause.change_usd)
    return found


def notes(differences: Differences) -> Iterator[str]:
    """Yield what a reader must know before comparing amounts."""
    lacking: dict[str, list[str]] = {}
    for side, name in differences.lacking:
        lacking.setdefault(side, []).append(one_line(name))
    for side, names in lacking.items():
        truth = f": the true change is {'higher' if side == 'after' else 'lower'}" if len(lacking) == 1 else ""
        yield f"not exact: the bill {side} has no price for {', '.join(dict.fromkeys(names))}{truth}"
    alike = [line.name for line in differences.after.bill.unpriced if differences.is_exact]
    if alike:
        yield f"neither bill has a price for {', '.join(map(one_line, alike))}, which both need alike"
    if differences.before.scenario.currency != differences.after.scenario.currency:
        yield "the plans show totals in different currencies or at different rates: all amounts here are US dollars"


def title(plan: Plan) -> str:
    """Return which plan it is."""
    users = plan.scenario.users
    name, region = one_line(plan.scenario.name), plan.scenario.region
    return f"{name}, {users.peak:,} users at peak, {users.average:,} on average, {region}"


def verdicts(differences: Differences) -> str:
    """Return how both plans end: by the budget, and how many gates are missed."""
    old, new = (verdict(plan) for plan in (differences.before, differences.after))
    return f"{old}, as before" if old == new else arrow(old, new)


def verdict(plan: Plan) -> str:
    """Return how a plan ends: by its budget, and how many gates are missed."""
    missed = sum(verdict.status == "fail" for verdict in plan.verdicts)
    gates = f"{missed} of {len(plan.verdicts)} gates missed" if plan.verdicts else "no gates"
    return f"{_budget(plan)}, {gates}"


def _budget(plan: Plan) -> str:
    costs = [
        verdict for verdict in plan.verdicts if verdict.figure.startswith(RECURRING) and verdict.operator in ("<", "<=")
    ]
    if not costs:
        return "no budget"
    worst = min(costs, key=lambda verdict: list(BUDGETS).index(verdict.status))
    return BUDGETS[worst.status] + _times(worst)


def _times(verdict: Verdict) -> str:
    """Return how many times its limit a missed budget's cost is, where that is more than once."""
    if verdict.status != "fail" or verdict.value is None or not verdict.limit:
        return ""
    times = f"{Decimal(str(verdict.value)) / verdict.limit:,.1f}"
    return "" if times == "1.0" else f" {times} x"


def inputs(changed: Sequence[Difference], full: bool = False) -> str:
    """Return what was changed of the inputs, the first of them where they are many."""
    shown = changed if full else changed[:INPUTS_SHOWN]
    texts = [f"{one_line(each.name)} {arrow(_given(each.value_before), _given(each.value_after))}" for each in shown]
    more = f", and {len(changed) - len(shown)} more" if len(changed) > len(shown) else ""
    return ", ".join(texts) + more


def _given(value: Value) -> str:
    return "none" if value is None else cell(value)
