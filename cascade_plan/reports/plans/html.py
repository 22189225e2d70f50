"""The report as a page of one file: finance's page first, with charts, and the appendix below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cascade_plan.model.paper import Paper
from cascade_plan.model.plan import Plan
from cascade_plan.reports import _translated as translated
from cascade_plan.reports._marks import Spec
from cascade_plan.reports.pages import page
from cascade_plan.reports.plans import _finance as finance
from cascade_plan.reports.plans._appendix import appendix

FORMAT: str = "HTML: one file with charts and sortable tables that loads nothing and prints well"


def render(
    plan: Plan, paper: Paper | None = None, charts: Mapping[str, Spec] | None = None, scripts: Sequence[str] = ()
) -> str:
    """Return the page; `charts` are those of its first part by name, and `scripts` draw them.

    Without a `paper` it is the appendix alone.
    """
    drawn = dict(charts or {})

    def shown(name: str) -> Iterator[str]:
        return translated.chart_line(name) if name in drawn else iter(())

    first = [] if paper is None else list(finance.page(plan, paper, shown))
    more = appendix(plan, paper)
    body = f'<main>{translated.html(first)}<section class="appendix">{translated.html(more)}</section></main>'
    return page(f"{plan.scenario.name}: what it costs and what to decide", body, drawn, scripts)
