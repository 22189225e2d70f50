"""Limits on the whole of a portfolio, judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.plan import Verdict
from cascade_plan.model.portfolio import Total
from cascade_plan.planning.judging import OPERATORS
from cascade_plan.units import settled

COSTS: Final = (*(f"cost_usd_per_month.{level}" for level in (*LEVELS, "total")), "cost_usd_per_1000_users_month")
COUNTS: Final = (
    "system_count",
    "failed_count",
    "incomplete_count",
    "over_budget_count",
    "missed_count",
    "users_peak",
    "users_average",
)
FIGURES: Final = (*COSTS, *COUNTS)
"""What limits on the whole may be on."""
_LIMIT: Final = re.compile(r"\s*([a-z0-9_.]+)\s*(<=|>=|==|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*")


class Limit(NamedTuple):
    """A limit on a figure of the whole."""

    figure: str
    operator: str
    limit: Decimal


def limit_of(text: str) -> Limit:
    """Return the limit that a text such as "cost_usd_per_month.total < 100000" sets. Raises UsageError for none."""
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise UsageError(f"--gate {text!r}: write FIGURE < NUMBER, such as 'cost_usd_per_month.total < 100000'")
    figure, operator, number = found.groups()
    if figure not in FIGURES:
        near = did_you_mean(figure, list(FIGURES))
        raise UsageError(f"--gate {text!r}: no figure {figure!r} of a portfolio{near}; there are {', '.join(FIGURES)}")
    return Limit(figure, operator, Decimal(number))


def figures(total: Total) -> Mapping[str, int | Decimal]:
    """Return the figures of a portfolio by name; cost_usd_per_month.total is at the level of each system's budget."""
    found: dict[str, int | Decimal] = {name: getattr(total, name) for name in COUNTS}
    found |= {f"cost_usd_per_month.{level}": getattr(total.cost_usd_per_month, level) for level in LEVELS}
    found["cost_usd_per_month.total"] = total.judged_usd_per_month
    if total.users_peak:
        found["cost_usd_per_1000_users_month"] = settled(total.judged_usd_per_month * 1000 / total.users_peak)
    return found


def judged(limits: Sequence[Limit], total: Total) -> Iterator[Verdict]:
    """Yield how each limit ends. Where systems lack, or prices, only what more of them cannot mend is certain."""
    known = figures(total)
    for figure, operator, limit in limits:
        if (value := known.get(figure)) is None:
            yield Verdict(figure, operator, limit, None, "unjudged", "no system was planned")
            continue
        passed = OPERATORS[operator](Decimal(value), limit)
        if reason := _lacks(figure, total):
            # More systems only add: an upper limit that is broken already stays broken, a lower one that is met is met.
            certain = figure != "cost_usd_per_1000_users_month" and passed == (operator in (">", ">="))
            status = ("pass" if passed else "fail") if certain and operator != "==" else "unjudged"
            yield Verdict(figure, operator, limit, value, status, reason)
        else:
            yield Verdict(figure, operator, limit, value, "pass" if passed else "fail")


def _lacks(figure: str, total: Total) -> str:
    """Return why a figure is at least what it says, "" where it is exact."""
    if figure in ("system_count", "failed_count"):
        return ""
    if total.failed_count:
        return f"{total.failed_count:,} of {total.system_count:,} systems could not be planned"
    if total.incomplete_count and figure in COSTS:
        return f"{total.incomplete_count:,} of {total.system_count:,} systems lack a price"
    return ""
