"""What k6 measured, from the samples that --out csv writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers._k6_samples import METRICS, Sample, iso_s, measured
from cascade_plan.evidence.texts import Beside, Row, Table, Text, quoted, table
from cascade_plan.model.measurement import Measurement

READS: str = "k6's --out csv"
FILES: tuple[str, ...] = ("*.csv",)
COMPANIONS: tuple[str, ...] = ()
COLUMNS: Final = ("metric_name", "timestamp", "metric_value")
UNITS: Final = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From which time stamp on it is nanoseconds, microseconds, milliseconds (K6_CSV_TIME_FORMAT): seconds of the year 5138
on would be taken for milliseconds."""
MOST_TIME: Final = 1e20


def claims(file: Text) -> bool:
    """Return whether a file's header is that of k6's samples."""
    return {*COLUMNS} <= {*file.header}


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what k6 measured, by load. Raises UsageError for samples of no request."""
    return measured(file, "k6's --out csv", _samples(table(file, COLUMNS, "what k6's --out csv writes")))


def _samples(read: Table) -> Iterator[Sample]:
    metric, tags = read.columns["metric_name"], read.columns.get("extra_tags")
    for row in read.rows():
        name = row.fields[metric]
        if name in METRICS:
            extra = "" if tags is None else row.fields[tags]
            found = dict(tag.partition("=")[::2] for tag in extra.split("&")) if "phase=" in extra else {}
            load = None if "phase" not in found else found.get("load") if found["phase"] == "hold" else ""
            status = read.text(row, "status")
            failed = read.text(row, "expected_response") == "false" or (status != "" and not _is_success(status))
            is_login = read.text(row, "name").lower() == "login"
            yield Sample(name, _at_s(read, row), read.number(row, "metric_value"), is_login, failed, load)


def _is_success(status: str) -> bool:
    """Return whether k6 takes a status for a success: 200 to 399, unless a script says otherwise."""
    return len(status) == 3 and status[0] in "23"


def _at_s(read: Table, row: Row) -> float:
    """Return a sample's time in seconds since 1970, whatever unit k6 was told to write."""
    text, where = row.fields[read.columns["timestamp"]], f"{read.file.name}:{row.line}"
    try:
        value = float(text)
    except ValueError:
        return iso_s(where, "timestamp", text)
    if not 0 <= value <= MOST_TIME:
        raise UsageError(f"{where}: timestamp must be a time since 1970, not {quoted(text)}")
    return value / next((unit for least, unit in UNITS if value >= least), 1.0)
