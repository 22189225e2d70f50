"""The gates that are the whole plan's: latencies up to the load they are for, and the cost by the nodes that run."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.emitters._watches.latency_goals import LatencyGoal, latency_goals
from cascade_plan.emitters._watches.requests import rate_of_all
from cascade_plan.languages.promql import NEGATED, number, select
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.series import REQUEST, own, percentile
from cascade_plan.model.watch import Alarm, Chart, Line, Watch

COST = "cost_usd_per_1000_users_month"


def latencies(plan: Plan) -> Iterator[Watch]:
    """Yield a watch for each gate on a load's latency, in the verdicts' order."""
    scenario, name = plan.scenario, plan.application
    signs = dict.fromkeys(watch.sign for watch in plan.watches if watch.sign)
    rose = f": {', '.join(signs)}" if signs else ""
    for goal in latency_goals(plan):
        chart = Chart(
            f"{goal.figure} {goal.operator} {goal.limit_label}",
            "s",
            (Line(select(percentile(own(scenario, REQUEST), goal.percent), namespace=name), f"p{goal.percent}"),),
            goal.operator,
            goal.limit_s,
            f"Response time, up to {goal.users:,} acting users: {goal.requests_per_s:,.0f} requests a second.",
            is_number=True,
        )
        yield Watch("latency", goal.figure, alarms=(_missed(scenario, goal, rose),), charts=(chart,))


def costs(plan: Plan) -> Iterator[Watch]:
    """Yield a watch for each gate on the cost, by a proxy: no metric of the cluster knows a price.

    More nodes than the plan's ceiling cost more than cost_usd_per_month.ceiling; fewer say nothing of the rest of the
    bill, which the cloud's own budgets and the invoice do.
    """
    # Kubernetes counts what a pod without a node of ours runs on as a node of its own.
    run_on = {workload.group for workload in plan.fleet.workloads}
    ceiling = round(sum(group.count.ceiling for group in plan.groups if group.is_nodes or group.name in run_on))
    for verdict in plan.verdicts:
        if verdict.figure == COST:
            gate = f"{verdict.figure} {verdict.operator} {number(verdict.limit)}"
            chart = Chart(
                f"Nodes that run, of {ceiling} planned at most",
                "short",
                (Line("count(kube_node_info)", "nodes"),),
                "<",
                ceiling + 1,
                f"Red from {ceiling + 1}: {gate} was judged with no more. No metric knows what they cost.",
                is_number=True,
            )
            yield Watch("cost", COST, alarms=(_over_ceiling(verdict, ceiling),), charts=(chart,))


def _labels(figure: str, operator: str, limit: str) -> dict[str, str]:
    return {"figure": figure, "limit": f"{operator} {limit}"}


def _missed(scenario: Scenario, goal: LatencyGoal, rose: str) -> Alarm:
    name = scenario.application_name
    measured = select(percentile(own(scenario, REQUEST), goal.percent), namespace=name)
    missed = f"{measured} {NEGATED[goal.operator]} {number(goal.limit_s)}"
    most = number(round(goal.requests_per_s, 6))
    return Alarm(
        "LatencyGoalMissed",
        f"{missed} and on (namespace) {select(rate_of_all(scenario), namespace=name)} <= {most}",
        600,
        "ticket",
        f"p{goal.percent} is not {goal.operator} {goal.limit_label} ms",
        f"p{goal.percent} of the response times is {{value}}, while there are no more requests than {goal.users:,} "
        f"acting users make ({most} a second): {goal.figure} must be {goal.operator} {goal.limit_label} ms.",
        f"Look at the dashboard for what rose with it{rose}. Compare with "
        f"`cascade-plan explain {goal.figure}`: a station busier than planned is the one to enlarge.",
        unit="humanizeDuration",
        labels=_labels(goal.figure, goal.operator, goal.limit_label),
    )


def _over_ceiling(verdict: Verdict, most: int) -> Alarm:
    return Alarm(
        "NodesOverCostCeiling",
        f"count(kube_node_info) > {most}",
        3600,
        "ticket",
        "more nodes than the planned ceiling pays for",
        f"{{value}} nodes run, the planned ceiling is {most}: {verdict.figure} {verdict.operator} "
        f"{number(verdict.limit)} was judged with no more. The cost itself is not measured here.",
        "Look for node groups that were not planned, a node group whose maximum was raised, and nodes that cannot be "
        "drained. If the load is real, plan again: cascade-plan size --peak <users>.",
        labels=_labels(verdict.figure, verdict.operator, number(verdict.limit)),
    )
