"""Many systems as one, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.portfolio import Portfolio
from cascade_plan.reports._fitting import folded, hanging
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.portfolios import _words as words

FORMAT: str = "plain text for a terminal: the whole, totals by region and tag, the worst, what is bought together"


def render(portfolio: Portfolio, width: int = WIDTH) -> str:
    """Return what systems come to together as plain text of `width` columns."""
    return "\n".join(_lines(portfolio, width)) + "\n"


def _lines(portfolio: Portfolio, width: int) -> Iterator[str]:
    yield from folded(words.headline(portfolio), width, "  ")
    for text in words.sentences(portfolio):
        yield from folded(text, width, "  ")
    for by in words.tags(portfolio):
        rows = words.total_rows(portfolio, by, words.LISTED)
        yield from ("", *_table((by, *words.TOTALS), rows, words.TOTALS_RIGHT, width, words.TOTALS_DROPPED))
    if portfolio.worst:
        yield from ("", "the worst")
        yield from _table(words.WORST, words.worst_rows(portfolio), words.WORST_RIGHT, width, (4,))
    if portfolio.shared:
        yield from ("", "commitments for what runs on demand, USD a month")
        yield from _table(words.SHARED, words.shared_rows(portfolio, False), words.SHARED_RIGHT, width, (5, 6))
        yield from folded(words.shared_line(portfolio), width, "  ")
    if portfolio.failures:
        yield ""
        for line in words.failure_lines(portfolio):
            yield from hanging(line, width, "  ")
    if portfolio.verdicts:
        yield ""
        for line in words.gates(portfolio):
            yield from folded(line, width, "  ")


def _table(
    headers: tuple[str, ...], rows: list[list[str]], right: tuple[int, ...], width: int, drop: tuple[int, ...]
) -> list[str]:
    return aligned(headers, rows, right, width, drop, ruled=False).split("\n")
