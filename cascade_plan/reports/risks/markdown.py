"""How sure a fleet is, for a page or a comment."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.risk import Risk
from cascade_plan.reports._marked import paragraph, table
from cascade_plan.reports.risks import _words as words

FORMAT: str = "Markdown: every limit, ceiling and unsure number"


def render(risk: Risk) -> str:
    """Return how sure a fleet is as GitHub-flavoured Markdown."""
    return "\n".join(_lines(risk)).rstrip("\n") + "\n"


def _lines(risk: Risk) -> Iterator[str]:
    for text in (words.headline(risk), words.verdict(risk), words.cost(risk)):
        yield from (paragraph(text), "")
    yield from table(words.PROMISES, words.promise_rows(risk), {1, 2, 3, 4})
    if text := words.ceilings(risk):
        yield from (paragraph(text), "")
    yield from table(words.DRIVERS, words.driver_rows(risk), {2, 3, 4})
    yield from (paragraph(words.worth(risk)), "")
    if text := words.slow(risk):
        yield paragraph(text)
