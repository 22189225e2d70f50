"""Rows of times and numbers, a column for each series: what Grafana, spreadsheets and other monitoring write."""

from __future__ import annotations

import re
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.metrics._cloudwatch import NAMED
from cascade_plan.evidence.naming import measure, settled
from cascade_plan.evidence.texts import Text, quoted
from cascade_plan.evidence.windows import Points, metrics, window_of
from cascade_plan.model.observation import SERIES, Measure, Metrics
from cascade_plan.traces.rows import rows_of
from cascade_plan.traces.series import Record
from cascade_plan.traces.tabular import tabulated

READS: str = "rows of times with a column called WHAT:TIER for each series (CSV)"
SHOWN: Final = 8
"""Columns that a message names."""
TIMED: Final = re.compile(r"_?(?:time|date|when|ts|epoch|unix).*|.*(?:time|date)", re.IGNORECASE)
"""What a first column of times is called."""


def claims(file: Text) -> bool:
    """Return whether a file's header begins with a time or names a measure, and no metric of CloudWatch."""
    if file.opening.lstrip().startswith(("{", "[", "<", "#")) or not file.header:
        return False
    is_named = any(name.partition(":")[0] in SERIES for name in file.header)
    return (is_named or TIMED.fullmatch(file.header[0]) is not None) and not any(map(NAMED.search, file.header))


def read(file: Text, said: Measure) -> Metrics:
    """Return the series of the columns: a time is the start of a window, which is as long as the time to the next.

    Raises UsageError with the line for what cannot be read, and for columns that nothing says the meaning of.
    """
    record = _record(file)
    if not record.clock.has_date:
        raise UsageError(f"{file.name}: its times have no date: write them as YYYY-MM-DD HH:MM:SS")
    found: dict[Measure, Points] = {}
    unknown = []
    for series in record.series:
        try:
            own = settled(measure(series.label), said, f"{file.name}: {quoted(series.label)}")
        except ValueError:
            if not said.what or len(record.series) > 1:
                unknown.append(series.label)
                continue
            own = said
        found[own] = [*zip(series.times_s, series.amounts, strict=True)]
    if unknown:
        labels = ", ".join(map(quoted, unknown[:SHOWN]))
        raise UsageError(
            f"{file.name}: nothing says what {labels} {'is' if len(unknown) == 1 else 'are'}: call each column "
            "WHAT:TIER, such as cores:api, or give a file of one column as WHAT:TIER=FILE"
        )
    remarks = [f"{file.name}: its times have no zone, and are taken as UTC"] if record.clock.is_local else []
    window_s = window_of((time for points in found.values() for time, _ in points), file.name)
    return metrics(found, window_s, file.name, remarks)


def _record(file: Text) -> Record:
    try:
        return tabulated(rows_of(file.text))
    except ValueError as error:
        raise UsageError(f"{file.name}: {error}") from None
