"""Alerts on how fast the error budget of a latency objective is spent, each over two windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cascade_plan.emitters._heading import application
from cascade_plan.emitters.prometheus._latency_goals import LatencyGoal, objectives
from cascade_plan.emitters.prometheus._recordings import slow_ratio
from cascade_plan.emitters.prometheus._rules import Alert, Group, Severity
from cascade_plan.languages.promql import number, select
from cascade_plan.model.plan import Plan


@dataclass(frozen=True, slots=True)
class BurnRate:
    """A multiple of the rate that spends the budget in exactly 30 days, and the windows that must both show it."""

    factor: float
    long: str
    short: str
    severity: Severity


BURN_RATES: Final = (
    BurnRate(14.4, "1h", "5m", "page"),
    BurnRate(6, "6h", "30m", "page"),
    BurnRate(3, "1d", "2h", "ticket"),
    BurnRate(1, "3d", "6h", "ticket"),
)
"""14.4 times for an hour spends 2 % of a month's budget, 6 times for six hours 5 %, the slow ones 10 % each.
Source: The Site Reliability Workbook, chapter 5, table 5-8, https://sre.google/workbook/alerting-on-slos/"""


def groups(plan: Plan) -> tuple[Group, ...]:
    """Return four alerts for each objective, without those that cannot fire: their threshold is the whole traffic.

    That an alert fires says that both windows are over: the long one that it matters, the short one that it goes on.
    """
    name = application(plan)
    alerts = [
        _alert(name, goal, burn) for goal in objectives(plan) for burn in BURN_RATES if burn.factor * goal.budget < 1
    ]
    return (Group(f"{name}-burn-rates", alerts),)


def _alert(name: str, goal: LatencyGoal, burn: BurnRate) -> Alert:
    allowed = number(round(burn.factor * goal.budget, 9))
    long, short = (
        f"{select(slow_ratio(window), namespace=name, limit_ms=goal.limit_label)} > {allowed}"
        for window in (burn.long, burn.short)
    )
    share = number(100 - goal.percent)
    return Alert(
        alert="LatencyBudgetBurning",
        expr=f"{long} and on (namespace, limit_ms) {short}",
        for_s=0,
        severity=burn.severity,
        subject="latency",
        summary=f"{name}: p{goal.percent}'s error budget burns at {number(burn.factor)} times the allowed rate",
        description=(
            f"{{value}} of the requests of {burn.long} took over {goal.limit_label} ms or failed; {share} % may in "
            f"30 days ({goal.figure}). The last {burn.short} show the same."
        ),
        runbook=(
            "Compare the p95 of requests and of queries on the dashboard: when both rose, look at the database "
            "(connections, slow queries, replica lag); when only requests did, at the API's replicas and CPU. Then "
            "undo the last deployment, or raise the HPA's minimum."
        ),
        unit="humanizePercentage",
        # Two objectives may share a limit: without these, their alerts would be one.
        labels={"objective": f"p{goal.percent}", "burn_rate": number(burn.factor)},
    )
