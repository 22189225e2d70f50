"""Alarms on how fast the error budget of a latency objective is spent, each over two windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cascade_plan.emitters._watches.latency_goals import LatencyGoal, objectives
from cascade_plan.emitters._watches.requests import slow_ratio
from cascade_plan.languages.promql import number, select
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.watch import Alarm, Watch
from cascade_plan.tiers.cluster.settings import Settings as ClusterSettings
from cascade_plan.tiers.database.settings import Settings as DatabaseSettings


@dataclass(frozen=True, slots=True)
class BurnRate:
    """A multiple of the rate that spends the budget in exactly 30 days, and the windows that must both show it."""

    factor: float
    long: str
    short: str
    severity: str


BURN_RATES: Final = (
    BurnRate(14.4, "1h", "5m", "page"),
    BurnRate(6, "6h", "30m", "page"),
    BurnRate(3, "1d", "2h", "ticket"),
    BurnRate(1, "3d", "6h", "ticket"),
)
"""14.4 times for an hour spends 2 % of a month's budget, 6 times for six hours 5 %, the slow ones 10 % each.
Source: The Site Reliability Workbook, chapter 5, table 5-8, https://sre.google/workbook/alerting-on-slos/"""


def burn_rates(plan: Plan) -> Watch:
    """Return four alarms for each objective, without those that cannot fire: their threshold is the whole traffic.

    That an alarm fires says that both windows are over: the long one that it matters, the short one that it goes on.
    """
    runbook = _runbook(plan)
    alarms = tuple(
        _alarm(plan.scenario, goal, burn, runbook)
        for goal in objectives(plan)
        for burn in BURN_RATES
        if burn.factor * goal.budget < 1
    )
    return Watch("latency", alarms=alarms)


def _alarm(scenario: Scenario, goal: LatencyGoal, burn: BurnRate, runbook: str) -> Alarm:
    allowed = number(round(burn.factor * goal.budget, 9))
    labels = {"namespace": scenario.application_name, "limit_ms": goal.limit_label}
    long, short = (
        f"{select(slow_ratio(scenario, window), **labels)} > {allowed}" for window in (burn.long, burn.short)
    )
    return Alarm(
        "LatencyBudgetBurning",
        f"{long} and on (namespace, limit_ms) {short}",
        0,
        burn.severity,
        f"p{goal.percent}'s error budget burns at {number(burn.factor)} times the allowed rate",
        f"{{value}} of the requests of {burn.long} took over {goal.limit_label} ms or failed; "
        f"{number(100 - goal.percent)}% may in 30 days ({goal.figure}). The last {burn.short} show the same.",
        runbook,
        unit="humanizePercentage",
        # Two objectives may share a limit: without these, their alarms would be one.
        labels={"objective": f"p{goal.percent}", "burn_rate": number(burn.factor)},
    )


def _runbook(plan: Plan) -> str:
    services = [each.tier for each in plan.fleet.workloads if each.serves == "requests"]
    whose = "the API's" if services == ["api"] else f"the replicas and CPU of {', '.join(services)}"
    pods = f"{whose} replicas and CPU" if services == ["api"] else whose
    more = "raise the HPA's minimum" if plan.of(ClusterSettings) else "add replicas"
    then = f"Then undo the last deployment, or {more}."
    databases = plan.of(DatabaseSettings)
    if not databases:
        return f"Look on the dashboard at {pods}. {then}"
    lag = ", replica lag" if any(each.sized.count("replica_count") for each in databases) else ""
    return (
        "Compare the p95 of requests and of queries on the dashboard: when both rose, look at the database "
        f"(connections, slow queries{lag}); when only requests did, at {pods}. {then}"
    )
