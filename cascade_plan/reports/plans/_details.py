"""What the first page's decisions are in detail: what to buy, and what the cheapest system changes and gives up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.difference import Differences
from cascade_plan.model.paper import Paper
from cascade_plan.model.titles import title
from cascade_plan.reports import _words as words
from cascade_plan.reports._causes import said
from cascade_plan.reports._marked import Marked, code, escaped, table
from cascade_plan.reports.plans import _facts as facts

ORDERS = ("Buy now", "Term", "For", "Count", "Upfront", "Then a month", "Saves", "Upfront saved after")


def details(paper: Paper) -> Iterator[str]:
    """Yield the lines of both, each where there is something."""
    yield from _orders(paper)
    if paper.saving is not None and paper.saving.causes:
        yield from _changes(paper.saving)
    for decision in paper.decisions:
        for path, value in (decision.overrides or {}).items():
            yield from (f"To keep less: {code(f'--set {path}={value}')}.", "")


def _orders(paper: Paper) -> Iterator[str]:
    if not paper.schedule.orders:
        return
    yield from ("## What to commit to now", "")
    rows = [
        (
            order.offer.name,
            facts.term(order.term),
            ", ".join(map(title, order.pool.tiers)),
            words.count(order.count),
            words.usd(order.upfront_usd),
            words.usd(order.usd_per_month),
            words.usd(order.saves_usd),
            _back(order.paid_back_months) if order.upfront_usd else "nothing upfront",
        )
        for order in paper.schedule.orders
    ]
    yield from table(ORDERS, rows, range(3, 7))
    gap = paper.schedule.gap_usd
    proof = f"costs {words.usd(gap)} less at most" if gap else "costs less"
    yield from (f"Over {len(paper.months)} months, beside on demand; it is proved that no other schedule {proof}.", "")


def _back(months: int | None) -> str:
    return "not within its term" if months is None else f"{months} months"


def _changes(saving: Differences) -> Iterator[str]:
    yield from ("## What the cheapest system changes", "")
    rows = [
        (said(cause), words.usd(-cause.change_usd), Marked("<br>".join(escaped(text) for text in cause.gives_up)))
        for cause in saving.causes
    ]
    yield from table(("Change", "Saves a month", "What is given up for it"), rows, (1,))
    yield from (escaped("cascade-plan optimize finds it, proves it and writes it as a scenario."), "")
