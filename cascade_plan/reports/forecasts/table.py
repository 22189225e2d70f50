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


def render(found: Forecast, width: int = WIDTH, every: bool = False) -> str:
    """Return a forecast as plain text of `width` columns, on one screen unless `every` event is asked for."""
    head, foot = list(_head(found, width)), list(_foot(found, width))
    if every:
        events = [line for row in words.events(found) for line in _event(row, width)]
        return "\n".join([*head, "", *events, *([""] if events else []), *foot]) + "\n"
    room = SCREEN - len(head) - len(foot) - 2
    events = list(_events(found, width, max(1, room)))
    return "\n".join([*head, *([""] if events else []), *events, *foot]) + "\n"


def _head(found: Forecast, width: int) -> Iterator[str]:
    yield from folded(words.headline(found), width, "  ")
    yield ""
    rows = list(words.year_rows(found))
    is_one = found.list_usd == found.effective_usd == found.cash_usd
    headers = ["", "users at end", "list", "effective", "cash", "per 1000"]
    if is_one:
        headers = ["", "users at end", "USD", "per 1000"]
        rows = [[*row[:2], row[3], row[5]] for row in rows]
    yield from aligned(headers, rows, set(range(1, len(headers))), width, ruled=False).split("\n")
    yield from folded(words.views(found), width, "  ")
    yield ""
    yield from hanging(f"month    {words.from_to(found)}", width, " " * 9)
    yield from hanging(f"where    {words.where(found)}", width, " " * 9)


def _events(found: Forecast, width: int, room: int) -> Iterator[str]:
    """Yield what changes, one line a month, in so many lines."""
    rows = words.events(found, room)
    for row in rows:
        yield fitted("  ".join(row), width)


def _event(row: tuple[str, str], width: int) -> list[str]:
    return hanging("  ".join(row), width, " " * 9)


def _foot(found: Forecast, width: int) -> Iterator[str]:
    for month, text in words.broken(found):
        yield from hanging(f"{month}  ✗ {text}", width, " " * 11)
    for note in found.notes:
        yield from hanging(f"! {note}", width, "  ")
