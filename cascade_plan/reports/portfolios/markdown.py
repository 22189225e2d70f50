"""Many systems as one, for a page or a comment."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.portfolio import Portfolio
from cascade_plan.reports._marked import paragraph, table
from cascade_plan.reports.portfolios import _words as words

FORMAT: str = "Markdown: the whole, every total, the worst, every commitment, what could not be planned"


def render(portfolio: Portfolio) -> str:
    """Return what systems come to together as GitHub-flavoured Markdown."""
    return "\n".join(_lines(portfolio)).rstrip("\n") + "\n"


def _lines(portfolio: Portfolio) -> Iterator[str]:
    yield from ("# Portfolio", "")
    for text in (words.headline(portfolio) + ".", *words.sentences(portfolio)):
        yield from (paragraph(text), "")
    for by in words.tags(portfolio):
        yield from table((by, *words.TOTALS), words.total_rows(portfolio, by), words.TOTALS_RIGHT)
    if portfolio.worst:
        yield from ("## The worst", "")
        yield from table(words.WORST, words.worst_rows(portfolio), words.WORST_RIGHT)
    if portfolio.shared:
        yield from ("## Commitments for what runs on demand, USD a month", "")
        yield from table(words.SHARED, words.shared_rows(portfolio), words.SHARED_RIGHT)
        yield from (paragraph(words.shared_line(portfolio)), "", paragraph(words.LAW), "")
    if portfolio.failures:
        yield from ("## Not planned", "")
        for line in words.failure_lines(portfolio):
            yield from (paragraph(line.strip()), "")
    if portfolio.verdicts:
        yield from ("## Limits on the whole", "")
        for line in words.gates(portfolio):
            yield from (paragraph(line), "")
