"""The limits to latencies that a plan's gates set, and up to which load each holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from cascade_plan.formulas.latency_buckets import bound_text, seconds
from cascade_plan.languages.promql import exactly, number
from cascade_plan.model.plan import Plan

LATENCY = re.compile(r"latency_ms_p(\d\d)\.(.+)")


@dataclass(frozen=True, slots=True)
class LatencyGoal:
    """A limit to a percentile of the response time, for as many users as its load has."""

    figure: str
    percent: int
    """The percentile: 95 for p95."""
    operator: str
    limit_ms: Decimal
    users: int
    requests_per_s: float
    """Most requests a second these users can make: each waits at least the mean think time between two."""

    @property
    def limit_s(self) -> float:
        """The limit in seconds."""
        return seconds(self.limit_ms)

    @property
    def limit_label(self) -> str:
        """The value of the label limit_ms."""
        return number(self.limit_ms)

    @property
    def le_pattern(self) -> str:
        """A pattern of the limit's bucket: Python's client writes le="1.0" where Go's writes le="1"."""
        text = bound_text(self.limit_s)
        return "|".join(exactly(form) for form in dict.fromkeys((text, text.removesuffix(".0"))))

    @property
    def budget(self) -> float:
        """Share of the requests that may be slower than the limit: 5 % for a p95."""
        return float(Decimal(100 - self.percent) / 100)


def latency_goals(plan: Plan) -> tuple[LatencyGoal, ...]:
    """Return the goal of every gate on a load's latency, in the verdicts' order."""
    return tuple(_goals(plan))


def _goals(plan: Plan) -> Iterator[LatencyGoal]:
    think_s = plan.scenario.behaviour.think_time_s.mean
    for verdict in plan.verdicts:
        found = LATENCY.fullmatch(verdict.figure)
        if found and (users := plan.scenario.acting(found[2])) and verdict.limit > 0:
            rate = users / think_s
            yield LatencyGoal(verdict.figure, int(found[1]), verdict.operator, verdict.limit, users, rate)


def objectives(plan: Plan) -> tuple[LatencyGoal, ...]:
    """Return the goals that hold at all times: the upper limits of the load with the most users, one of each limit.

    A smaller load's stricter limit is no promise for the peak; it is watched while there is no more load than its own.
    """
    upper = [goal for goal in latency_goals(plan) if goal.operator in ("<", "<=")]
    most = max((goal.users for goal in upper), default=0)
    found = {(goal.percent, goal.limit_ms): goal for goal in upper if goal.users == most}
    return tuple(found.values())
