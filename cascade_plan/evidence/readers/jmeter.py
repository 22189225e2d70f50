"""What JMeter measured, from its JTL: a CSV file of samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers._jmeter import TRUTHS, Results, measured
from cascade_plan.evidence.texts import Beside, Row, Table, Text, quoted, table
from cascade_plan.model.measurement import Measurement

READS: str = "JMeter's JTL"
FILES: tuple[str, ...] = ("*.jtl",)
COMPANIONS: tuple[str, ...] = ()
COLUMNS: Final = ("timeStamp", "elapsed", "success")


def claims(file: Text) -> bool:
    """Return whether a file's header is one of a JTL."""
    return {"timeStamp", "elapsed"} <= {*file.header} or {"elapsed", "label", "success"} <= {*file.header}


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what JMeter measured, under "". Raises UsageError for what is no JTL, and for one without requests."""
    read = table(file, COLUMNS, "a JTL whose samples can be judged")
    found = Results()
    for row in read.rows():
        threads = read.count(row, "allThreads") if read.text(row, "allThreads") else -1
        found.add(
            read.text(row, "label"),
            read.text(row, "responseMessage"),
            _time_ms(read, row),
            read.number(row, "elapsed"),
            _is_success(read, row),
            threads,
        )
    return {"": measured(file, "CSV", found)}


def _time_ms(read: Table, row: Row) -> float:
    try:
        return read.number(row, "timeStamp")
    except UsageError as error:
        raise UsageError(
            f"{error}: milliseconds, which JMeter writes with jmeter.save.saveservice.timestamp_format=ms"
        ) from None


def _is_success(read: Table, row: Row) -> bool:
    text = read.text(row, "success")
    if (found := TRUTHS.get(text.lower())) is None:
        raise UsageError(f"{read.file.name}:{row.line}: success must be true or false, not {quoted(text)}")
    return found
