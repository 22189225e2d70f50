"""A forecast as a page of one file, with its chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cascade_plan.model.forecast import Forecast
from cascade_plan.reports import _translated as translated
from cascade_plan.reports._marked import escaped
from cascade_plan.reports._marks import Spec
from cascade_plan.reports.forecasts._lines import lines
from cascade_plan.reports.pages import page

FORMAT: str = "HTML: one file with a chart and sortable tables that loads nothing and prints well"


def render(found: Forecast, charts: Mapping[str, Spec] | None = None, scripts: Sequence[str] = ()) -> str:
    """Return the page; `charts` are shown by their names, and `scripts` draw them."""
    drawn = dict(charts or {})
    figures = [line for name in drawn for line in translated.chart_line(name)]
    text = [f"# {escaped(found.scenario.name)}: forecast", "", *figures, *lines(found)]
    return page(f"{found.scenario.name}: forecast", f"<main>{translated.html(text)}</main>", drawn, scripts)
