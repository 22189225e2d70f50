"""What a portfolio comes to in words, the same in every format."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cascade_plan.model.portfolio import REGION, Portfolio, Row, Shared, Total
from cascade_plan.reports._words import gate_line, one_line, usd

TOTALS: Final = ("systems", "users at peak", "USD a month", "share", "over budget", "miss a limit", "not planned")
TOTALS_RIGHT: Final = (1, 2, 3, 4, 5, 6, 7)
TOTALS_DROPPED: Final = (4, 6)
WORST: Final = ("system", "USD a month", "over budget by", "limits missed", "where")
WORST_RIGHT: Final = (1, 2)
SHARED: Final = ("term", "on demand", "each alone", "together", "by sharing", "USD/h alone", "USD/h together")
SHARED_RIGHT: Final = (1, 2, 3, 4, 5, 6)
LISTED: Final = 10
"""Totals of one tag on a screen."""
DOES: Final = {
    "size": "as given",
    "slo": "on the least fleets that keep their limits",
    "optimize": "on the cheapest fleets that keep their promises",
    "risk": "as given, and how sure",
    "forecast": "as given, and over their months",
}
LAW: Final = (
    "A savings plan is an amount of money for every hour, a reservation whole instances of one shape: the least cost "
    "is where a dollar more saves no more than a dollar over the hours of the average day, each hour of a day being "
    "the same one in all systems. What runs on demand is counted; what systems have bought for themselves stays. "
    "Together is never dearer than each alone, and cheaper where systems are busy at different hours."
)


def headline(portfolio: Portfolio) -> str:
    """Return how many systems there are, and what they cost."""
    total = portfolio.total
    planned = total.system_count - total.failed_count
    if not planned:
        return f"None of {systems(total.system_count)} could be planned"
    at_least = "at least " if _lacks(total) else ""
    return (
        f"{systems(planned)}, {DOES.get(portfolio.question, portfolio.question)}: {at_least}"
        f"{usd(total.judged_usd_per_month)} a month"
    )


def sentences(portfolio: Portfolio) -> Iterator[str]:
    """Yield what to know of the whole."""
    total = portfolio.total
    if total.users_peak:
        each = usd(total.judged_usd_per_month * 1000 / total.users_peak)
        floor, most = usd(total.cost_usd_per_month.floor), usd(total.cost_usd_per_month.ceiling)
        yield f"{total.users_peak:,} users at peak, {each} per 1,000 of them; {floor} at the floor, {most} at most."
    yield (
        f"{total.over_budget_count:,} over budget, {total.missed_count:,} miss a limit, "
        f"{total.incomplete_count:,} lack a price, {total.failed_count:,} could not be planned."
    )


def _lacks(total: Total) -> bool:
    return bool(total.failed_count or total.incomplete_count)


def systems(count: int) -> str:
    """Return a number of systems.

    >>> systems(1), systems(2000)
    ('1 system', '2,000 systems')
    """
    return f"{count:,} system{'' if count == 1 else 's'}"


def tags(portfolio: Portfolio) -> list[str]:
    """Return what systems are counted by: the region, then tags."""
    return list(dict.fromkeys(total.by for total in portfolio.totals))


def total_rows(portfolio: Portfolio, by: str, most: int | None = None) -> list[list[str]]:
    """Return a row for each total of a tag, those beyond the first `most` as one."""
    found = [total for total in portfolio.totals if total.by == by]
    whole = portfolio.total.judged_usd_per_month
    if most is None or len(found) <= most:
        return [_total_row(total, whole) for total in found]
    rest = found[most - 1 :]
    return [
        *(_total_row(total, whole) for total in found[: most - 1]),
        [
            f"{len(rest):,} others",
            *(f"{sum(getattr(total, name) for total in rest):,}" for name in ("system_count", "users_peak")),
            usd(cost := sum((total.judged_usd_per_month for total in rest), Decimal(0))),
            _share(cost, whole),
            *(
                f"{sum(getattr(total, name) for total in rest):,}"
                for name in ("over_budget_count", "missed_count", "failed_count")
            ),
        ],
    ]


def _total_row(total: Total, whole: Decimal) -> list[str]:
    return [
        one_line(total.name) or ("no region" if total.by == REGION else f"no {total.by}"),
        f"{total.system_count:,}",
        f"{total.users_peak:,}",
        usd(total.judged_usd_per_month),
        _share(total.judged_usd_per_month, whole),
        f"{total.over_budget_count:,}",
        f"{total.missed_count:,}",
        f"{total.failed_count:,}",
    ]


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole:.0%}" if whole else ""


def worst_rows(portfolio: Portfolio) -> list[list[str]]:
    """Return a row for each of the worst systems."""
    return [_worst_row(row) for row in portfolio.worst]


def _worst_row(row: Row) -> list[str]:
    over = row.over_usd
    by = usd(over) if over is not None and over >= 0 else ""
    limits = [name for name in row.missed if not name.startswith("cost_")]
    return [one_line(row.name), usd(row.judged_usd), by, ", ".join(limits), one_line(row.place)]


def shared_rows(portfolio: Portfolio, every: bool = True) -> list[list[str]]:
    """Return a row for each term of commitments, or for the best of each kind and length."""
    found = portfolio.shared if every else _best(portfolio.shared)
    return [
        [
            each.term,
            f"${each.on_demand_usd_per_month:,.0f}",
            f"${each.alone_usd_per_month:,.0f}",
            f"${each.together_usd_per_month:,.0f}",
            f"${max(0.0, each.saved_usd_per_month):,.0f}",
            f"{each.alone_committed_usd_per_hour:,.2f}",
            f"{each.together_committed_usd_per_hour:,.2f}",
        ]
        for each in found
    ]


def _best(shared: tuple[Shared, ...]) -> list[Shared]:
    best: dict[str, Shared] = {}
    for each in shared:
        kind = each.term.partition("y_")[0]
        if kind not in best or _saved(each) > _saved(best[kind]):
            best[kind] = each
    return list(best.values())


def shared_line(portfolio: Portfolio) -> str:
    """Return what the commitments that save most save together; "" where none pays."""
    best = max(
        portfolio.shared, key=lambda each: each.on_demand_usd_per_month - each.together_usd_per_month, default=None
    )
    if best is None:
        return ""
    saved = best.on_demand_usd_per_month - best.together_usd_per_month
    per = best.together_committed_usd_per_hour / best.system_count if best.system_count else 0.0
    alone = best.alone_committed_usd_per_hour / best.system_count if best.system_count else 0.0
    more = max(0.0, best.saved_usd_per_month)
    return (
        f"{best.term} saves most: ${saved:,.2f} a month of what runs on demand, ${more:,.2f} of that because all share "
        f"it. A system commits to ${per:,.4f} an hour in the mean, and alone to ${alone:,.4f}."
    )


def _saved(shared: Shared) -> float:
    return shared.on_demand_usd_per_month - shared.together_usd_per_month


def failure_lines(portfolio: Portfolio) -> Iterator[str]:
    """Yield why systems could not be planned: how many by each exit code, and the first of them."""
    for failure in portfolio.failures:
        yield f"{systems(failure.count)} ended with {failure.exit_code}:"
        for place, message in failure.first:
            first, *others = message.splitlines() or [""]
            said = first if first.startswith(place) else f"{place}: {first}"
            yield f"  {one_line(said)}" + (f" (and {len(others):,} more)" if others else "")
        if (more := failure.count - len(failure.first)) > 0:
            yield f"  and {systems(more)} more"


def gates(portfolio: Portfolio) -> list[str]:
    """Return a line for each limit on the whole."""
    return [gate_line(verdict) for verdict in portfolio.verdicts]
