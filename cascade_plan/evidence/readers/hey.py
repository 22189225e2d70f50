"""What hey measured, from the CSV that -o csv writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.samples import Samples, facts
from cascade_plan.evidence.texts import Beside, Text, table
from cascade_plan.model.measurement import Measurement

READS: str = "hey's -o csv"
FILES: tuple[str, ...] = ("*.csv",)
COMPANIONS: tuple[str, ...] = ()
COLUMNS: Final = ("response-time", "status-code", "offset")
ROUNDING_MS: Final = 0.05
"""hey writes seconds with four decimals."""
MOST_ROWS: Final = 1_000_000
"""hey keeps no more answers than this (maxRes in github.com/rakyll/hey, requester/report.go)."""


def claims(file: Text) -> bool:
    """Return whether a file's header is that of hey's CSV."""
    return file.header[:2] == ("response-time", "DNS+dialup")


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what hey measured, under "": of each answer when and how long, but not of how many users.

    Raises UsageError for a file without answers.
    """
    read = table(file, COLUMNS, "a CSV file of hey's since 0.1.2, which tells status and offset")
    samples = Samples()
    for row in read.rows():
        took_s = read.number(row, "response-time")
        status = read.count(row, "status-code")
        samples.add(read.number(row, "offset") + took_s, took_s * 1000, not 200 <= status < 400)
    told: dict[str, Any] = dict(facts(samples, None, ROUNDING_MS))
    if not told:
        raise UsageError(f"{file.name}: no request was answered, so there is nothing to judge")
    run_s = max(samples.at_s)
    kept = f"; it keeps {MOST_ROWS:,} answers at most" if told["request_count"] >= MOST_ROWS else ""
    measurement = Measurement(
        tool="hey",
        results="hey's CSV",
        source=file.name,
        unanswered_told=False,
        requests_per_s=told["request_count"] / run_s if run_s else None,
        held_s=run_s,
        run_s=run_s,
        includes=("the first seconds",),
        may_include=("logins",),
        remarks=(
            f"hey's CSV leaves out requests that got no answer{kept}",
            "percentiles are the nearest rank's of the answers",
        ),
        **told,
    )
    return {"": measurement}
