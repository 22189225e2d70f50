"""A forecast as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.forecast import Forecast
from cascade_plan.reports._marked import paragraph, table
from cascade_plan.reports.forecasts import _words as words


def lines(found: Forecast) -> Iterator[str]:
    """Yield the lines of a forecast in Markdown: years, what breaks, months."""
    yield from (paragraph(words.headline(found)), "")
    headers, rows = words.year_columns(found)
    yield from table(headers, rows, range(1, len(headers)))
    yield from (paragraph(words.views(found)), "")
    yield from (paragraph(f"A month costs {words.from_to(found)}. Of all months: {words.where(found)}."), "")
    if budget := words.budget(found):
        yield from (paragraph(f"Budget of {budget}."), "")
    for note in found.notes:
        yield from (paragraph(note), "")
    if orders := words.purchases(found):
        yield from table(words.PURCHASES, orders, (2, 3, 4))
        yield from (paragraph(" ".join(words.after_purchases(found))), "")
    if broken := list(words.broken(found)):
        yield from table(("from", "what is not kept"), broken)
    yield from table(words.MONTHS, words.month_rows(found), range(1, 7))
