"""Rows of times and numbers: CSV of any separator, Grafana's and CloudWatch's files, `uniq -c`."""

from __future__ import annotations

from cascade_plan.traces.rows import rows_of
from cascade_plan.traces.series import Record
from cascade_plan.traces.tabular import tabulated

READS: str = "rows of times and counts (CSV with commas, semicolons or tabs, also Grafana's; `uniq -c`)"


def claims(text: str) -> bool:
    """Return whether a text may be rows: whatever is not marked as something else."""
    return text.lstrip()[:1] not in ("{", "[", "<")


def read(text: str) -> Record:
    """Return the series of the rows. Raises ValueError in words, with the line, for what cannot be read."""
    return tabulated(rows_of(text))
