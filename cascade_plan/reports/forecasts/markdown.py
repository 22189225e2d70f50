"""A forecast, for a page or a comment."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.forecast import Forecast
from cascade_plan.reports._marked import paragraph, table
from cascade_plan.reports.forecasts import _words as words

FORMAT: str = "Markdown: fiscal years, months, what changes when, what breaks"


def render(found: Forecast) -> str:
    """Return a forecast as GitHub-flavoured Markdown."""
    return "\n".join(_lines(found)).rstrip("\n") + "\n"


def _lines(found: Forecast) -> Iterator[str]:
    yield from (paragraph(words.headline(found)), "")
    yield from table(("", "users at end", "list USD", "effective USD", "cash USD", "per 1000 users"),
                     words.year_rows(found), range(1, 6))  # fmt: skip
    yield from (paragraph(words.views(found)), "")
    yield from (paragraph(f"A month costs {words.from_to(found)}. Of all months: {words.where(found)}."), "")
    for note in found.notes:
        yield from (paragraph(note), "")
    if rows := list(words.broken(found)):
        yield from table(("from", "what is not kept"), rows)
    yield from table(words.MONTHS, words.month_rows(found), range(1, 7))
