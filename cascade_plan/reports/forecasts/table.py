"""A forecast on one screen: the years, where the money goes, what changes when, and what breaks."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.forecast import Forecast
from cascade_plan.reports._fitting import fitted, folded, hanging
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.forecasts import _words as words

FORMAT: str = "plain text for a terminal: fiscal years, what becomes too small when, what breaks"
SCREEN = 24
"""Lines of a terminal."""
ORDERS = 5
"""Purchases that a screen names at most."""
BROKEN = 2
"""Broken gates and budgets that a screen names."""


def render(found: Forecast, width: int = WIDTH, every: bool = False) -> str:
    """Return a forecast as plain text of `width` columns, on one screen unless `every` event is asked for."""
    head, foot = list(_head(found, width, every)), list(_foot(found, width, None))
    if every:
        events = [line for row in words.events(found) for line in hanging("  ".join(row), width, " " * 9)]
        return "\n".join([*head, *events, *foot]) + "\n"
    for orders in range(ORDERS, 0, -1):
        foot = list(_foot(found, width, orders))
        if len(head) + len(foot) < SCREEN:
            break
    room = max(1, SCREEN - len(head) - len(foot))
    rows = words.events(found, room)
    events = [fitted("  ".join(row), width) for row in rows]
    return "\n".join([*head, *events, *foot]) + "\n"


def _head(found: Forecast, width: int, every: bool) -> Iterator[str]:
    yield from folded(words.headline(found), width, "  ")
    yield ""
    headers, rows = words.year_columns(found)
    # What is bought says more than what the scenario's own commitments come to, where there is no room for both.
    drop = [headers.index("effective")] if {"effective", "bought"} <= {*headers} else []
    yield from aligned(headers, rows, set(range(1, len(headers))), width, drop, ruled=False).split("\n")
    if found.schedule is not None and found.schedule.purchases:
        yield fitted("bought: with the purchases below, spread over their terms; cash: as it is paid", width)
    more = "" if every or not found.events else "  (all that changes: --events)"
    yield from hanging(f"a month  {words.from_to(found)}{more}", width, " " * 9)
    if budget := words.budget(found):
        yield from hanging(f"budget   {budget}", width, " " * 9)
    yield from hanging(f"where    {words.where(found)}", width, " " * 9)


def _foot(found: Forecast, width: int, most: int | None) -> Iterator[str]:
    """Yield what breaks, what to buy, of at most so many purchases, and notes; everything where there is no most."""
    every = most is None
    broken = list(words.broken(found))
    for month, text in broken if every else broken[:BROKEN]:
        yield fitted(f"{month}  ✗ {text}", width) if not every else f"{month}  ✗ {text}"
    if len(broken) > BROKEN and not every:
        yield f"         ✗ {len(broken) - BROKEN} more gates break later: --events"
    if orders := words.purchases(found, most):
        yield ""
        yield from aligned(words.PURCHASES, orders, {2, 3, 4}, width, ruled=False).split("\n")
        for text in words.after_purchases(found):
            yield from folded(text, width, "  ")
    for note in found.notes:
        yield from folded(f"! {note}", width, "  ") if every else (fitted(f"! {note}", width),)
