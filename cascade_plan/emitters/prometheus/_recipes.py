"""calibration.promql: everything that calibrate asks of Prometheus, as one query whose answer says what it is."""

from __future__ import annotations

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.prometheus._config import monitoring
from cascade_plan.languages.promql import duration
from cascade_plan.model.observation import LABEL, SERIES
from cascade_plan.model.plan import Plan
from cascade_plan.model.series import scrapes_s
from cascade_plan.model.watch import Observed


def recipes(plan: Plan) -> str:
    """Return the query, a part for each measure with what it is above it; "" where nothing is observed."""
    observed = [each for watch in plan.watches for each in watch.observed]
    if not observed:
        return ""
    window = duration(scrapes_s(monitoring(plan).settings.scrape_interval_s))
    told = [
        f"one query: each of its series says by the label {LABEL} what it measures; what is not there is left out",
        f"rates are over {window}: ask for it with a step of as much",
    ]
    return heading(plan, told) + "\nor\n".join(map(_part, observed)) + "\n"


def _part(observed: Observed) -> str:
    what = SERIES[observed.measure.what].partition(":")[0]
    subject = f" by {observed.by}" if observed.by else f" of {observed.measure.subject}"
    return f"# {observed.measure.what}{subject}: {what}\n{observed.query}"
