"""What changed, row by row: money by size, figures, gates and findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from cascade_plan.model.difference import Difference, Differences
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.titles import called
from cascade_plan.reports._causes import arrow, said
from cascade_plan.reports._words import MARKS, count, limit_text, one_line, usd
from cascade_plan.reports.differences._summary import cell, figures, share, shows, signed

MOST: Final = 8
"""Rows of a part that are shown unless all are asked for."""
ENDS: Final = {"pass": "met", "fail": "missed", "unjudged": "not judged"}
FIRST: Final = ("cost_usd_per_1000_users_month", "_count", "latency_", "")
"""What of figures comes first: cost a user, counts, latencies, the rest; by name within each."""


class Part(NamedTuple):
    """A table of what changed."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...]
    drop: tuple[int, ...]
    """Columns that a narrow page does without, the first of them first."""
    left_out: int = 0
    """Rows that are not shown."""


def money(differences: Differences, full: bool) -> Part:
    """Return what each cause adds to the month's cost, the largest first, and the totals."""
    shown = [cause for cause in differences.causes if shows(cause.change_usd) or cause.unpriced]
    kept = shown if full or len(shown) <= MOST else shown[: MOST - 1]
    rows = [
        (cause.tier, said(cause), _amount(cause.cost_usd_before), _amount(cause.cost_usd_after),
         signed(cause.change_usd))
        for cause in kept
    ]  # fmt: skip
    rest = differences.change_usd - sum((cause.change_usd for cause in kept), Decimal(0))
    if shows(rest):
        rows.append(("", f"{len(differences.causes) - len(kept)} smaller changes", "", "", signed(rest)))
    totals = (_total(differences.before, differences.cost_usd_before),
              _total(differences.after, differences.cost_usd_after))  # fmt: skip
    if rows:
        rows.append(("", "total", *totals, signed(differences.change_usd)))
    headers = ("tier", "what changed", "before", "after", "change")
    title = f"Money a month, at the {differences.level} level"
    return Part(title, headers, tuple(rows), (2, 3, 4), (0, 2), len(shown) - len(kept))


def _amount(cost: Decimal | None) -> str:
    return "" if cost is None else usd(cost)


def _total(plan: Plan, cost: Decimal) -> str:
    return usd(cost) if plan.bill.complete else f"at least {usd(cost)}"


def changed_figures(differences: Differences, full: bool) -> Part:
    """Return the figures that changed to the digits shown, but those that the money says already."""
    budget = differences.after.scenario.budget
    said_already = {f"cost_usd_per_month.{differences.level}", f"cost_usd_per_1000_{budget.users}_users_month"}
    found = sorted((each for each in figures(differences) if each.name not in said_already), key=_rank)
    kept = found if full or len(found) <= MOST + 1 else found[:MOST]
    rows = tuple(
        (each.name, cell(each.value_before), cell(each.value_after), *_change(each), each.unit) for each in kept
    )
    headers = ("figure", "before", "after", "change", "", "unit")
    return Part("Figures", headers, rows, (1, 2, 3, 4), (5, 4, 3, 1), len(found) - len(kept))


def _rank(figure: Difference) -> tuple[int, str]:
    return next(place for place, part in enumerate(FIRST) if part in figure.name), figure.name


def _change(figure: Difference) -> tuple[str, str]:
    before, after = figure.value_before, figure.value_after
    if before is None or after is None or isinstance(before, str) or isinstance(after, str):
        return "", ""
    old, new = Decimal(str(before)), Decimal(str(after))
    is_money = isinstance(before, Decimal) and isinstance(after, Decimal)
    change = signed(new - old) if is_money else f"{'+' if new > old else ''}{count(new - old)}"
    return change, share(new - old, old)


def gates(differences: Differences) -> Iterator[str]:
    """Yield each gate that ends otherwise than before."""
    for gate in differences.gates:
        last = gate.verdict_after or gate.verdict_before
        if last is None:
            continue
        mark = MARKS[last.status] if gate.verdict_after else "-"
        ends = arrow(_end(gate.verdict_before), _end(gate.verdict_after))
        yield f"{mark} {one_line(gate.figure)} {limit_text(last)}: {ends}"


def _end(verdict: Verdict | None) -> str:
    return "no gate" if verdict is None else ENDS[verdict.status]


def findings(differences: Differences) -> Iterator[str]:
    """Yield each finding that is new, then each that is gone."""
    for word, found in (("new", differences.findings_new), ("gone", differences.findings_gone)):
        yield from (f"{word}: {one_line(each.message)} ({one_line(each.where)})" for each in found)


def finding_counts(differences: Differences) -> str:
    """Return how many findings are new and how many gone; empty where none is."""
    counts: Sequence[tuple[int, str]] = (
        (len(differences.findings_new), "new"), (len(differences.findings_gone), "gone"),
    )  # fmt: skip
    return ", ".join(f"{number} {word}" for number, word in counts if number)


def given_up(differences: Differences) -> Iterator[str]:
    """Yield, of each change that saves, the most first, what is given up for it."""
    for cause in sorted(differences.causes, key=lambda cause: cause.change_usd):
        if cause.gives_up:
            yield f"{called(cause.tier)} {signed(cause.change_usd)}: {'; '.join(cause.gives_up)}"
