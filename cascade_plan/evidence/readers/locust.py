"""What Locust measured, from the CSV files that it writes."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from itertools import pairwise
from typing import Any, Final, NamedTuple

from cascade_plan.errors import UsageError
from cascade_plan.evidence.texts import Beside, Text, number
from cascade_plan.model.measurement import PERCENTILES, Failure, Measurement, Percentile

READS: str = "the prefix of Locust's --csv or one of its files"
FILES: str = "*_stats.csv"
ENDINGS: Final = ("_stats_history.csv", "_stats.csv", "_failures.csv", "_exceptions.csv")
STATS: Final = (
    "Type", "Name", "Request Count", "Failure Count", "Average Response Time", "Requests/s", "50%", "95%", "99%",
)  # fmt: skip
"""Columns of Locust's prefix_stats.csv that are read."""
HISTORY: Final = ("Timestamp", "User Count", "Name", "Total Request Count")
FAILURES: Final = ("Method", "Name", "Error", "Occurrences")
TOTAL: Final = ("Aggregated", "Total")
"""Names of Locust's row of all requests, the second one before version 1."""
SHOWN_FAILURES: Final = 5


def rounding_ms(latency_ms: float) -> float:
    """Return how far from the true value a percentile of Locust's can be.

    Locust keeps two digits of a response time: 10 ms steps above 100 ms, 100 ms above 1 s, 1 s above 10 s, else 1 ms.
    A value that is no such step was kept with more digits.
    Source: bucket_response_time in locust/stats.py (2.47).

    >>> rounding_ms(87), rounding_ms(200), rounding_ms(197), rounding_ms(3400), rounding_ms(3410), rounding_ms(12000)
    (0.5, 5.0, 0.5, 50.0, 5.0, 500.0)
    """
    steps = [step for least, step in ((0, 1), (100, 10), (1000, 100), (10_000, 1000)) if latency_ms >= least]
    return next(step / 2 for step in reversed(steps) if latency_ms % step == 0 or step == 1)


def claims(file: Text) -> bool:
    """Return whether a file is one of Locust's, by its name or its header."""
    return file.name.endswith(ENDINGS) or "Request Count" in file.text.partition("\n")[0]


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what Locust measured, from one of its files and those with the same prefix beside it.

    Raises UsageError when the statistics are missing, or as `measured` does.
    """
    prefix = next((file.name.removesuffix(ending) for ending in ENDINGS if file.name.endswith(ending)), None)
    if prefix is None:
        return measured(file, None, None)
    stats = beside(f"{prefix}_stats.csv")
    if stats is None:
        raise UsageError(f"cannot read '{prefix}_stats.csv': no such file or directory")
    return measured(stats, beside(f"{prefix}_stats_history.csv"), beside(f"{prefix}_failures.csv"))


def measured(stats: Text, history: Text | None, failures: Text | None) -> Mapping[str, Measurement]:
    """Return what Locust measured, under "": its files do not name the load.

    Raises UsageError for what is none of its files, and for a run without requests.
    """
    total = next((row for row in _rows(stats, STATS) if row["Name"] in TOTAL), None)
    if total is None:
        raise UsageError(f"{stats.name}: no row named Aggregated: the file is cut short, or not Locust's")
    requests = _count(stats, total, "Request Count")
    if not requests:
        raise UsageError(f"{stats.name}: no request was made, so there is nothing to judge")
    found = _history(history) if history else _History(None, None, None, None)
    own_rate = number(stats, total, "Requests/s")
    percentiles = {}
    for name in PERCENTILES:
        value = number(stats, total, f"{name[1:]}%")
        percentiles[name] = Percentile(value, rounding_ms(value))
    measurement = Measurement(
        tool="Locust",
        source=stats.name,
        user_count=found.users,
        held_s=found.held_s,
        request_count=requests,
        failure_count=_count(stats, total, "Failure Count"),
        # The total's own rate is exact where the total begins with the last user; else it counts the ramp.
        requests_per_s=own_rate if found.ramp_included is False or found.rate is None else found.rate,
        latency_ms_mean=number(stats, total, "Average Response Time"),
        percentiles=percentiles,
        ramp_included=found.ramp_included,
        failures=_failures(failures) if failures else (),
    )
    return {"": measurement}


class _History(NamedTuple):
    users: int | None
    held_s: float | None
    rate: float | None
    ramp_included: bool | None


def _history(history: Text) -> _History:
    """Return what the history tells: most users, how long they were there, their rate, and whether the ramp counts.

    Locust forgets the ramp when it is told to (--reset-stats, or the emitted file): the count of requests falls, or
    starts anew with all users there.
    """
    rows = [row for row in _rows(history, HISTORY) if row["Name"] in TOTAL]
    points = [
        (
            number(history, row, "Timestamp"),
            _count(history, row, "User Count"),
            _count(history, row, "Total Request Count"),
        )
        for row in rows
    ]
    if not points:
        raise UsageError(f"{history.name}: no row named Aggregated: the file is cut short, or not Locust's")
    users = max(point[1] for point in points)
    full = [point for point in points if point[1] == users]
    fell = any(after[2] < before[2] for before, after in pairwise(points))
    while any(after[2] < before[2] for before, after in pairwise(full)):
        full.pop(0)
    held_s = full[-1][0] - full[0][0]
    rate = (full[-1][2] - full[0][2]) / held_s if held_s > 0 else None
    first = points.index(full[0])
    before_full = points[first - 1][2] if first else 0
    return _History(users, held_s, rate, not fell and before_full > 0)


def _failures(failures: Text) -> tuple[Failure, ...]:
    found = [
        Failure(f"{row['Method']} {row['Name']}: {row['Error']}", _count(failures, row, "Occurrences"))
        for row in _rows(failures, FAILURES, empty=True)
    ]
    return tuple(sorted(found, key=lambda failure: (-failure.count, failure.what))[:SHOWN_FAILURES])


def _rows(file: Text, columns: Sequence[str], empty: bool = False) -> list[dict[str, str]]:
    """Return a CSV file's rows. Raises UsageError when it has not these columns, or no row."""
    try:
        reader = csv.DictReader(StringIO(file.text, newline=""), strict=True)
        names = list(reader.fieldnames or ())
        rows = list(reader)
    except csv.Error as error:
        raise UsageError(f"{file.name}: no CSV: {error}") from None
    if not names:
        raise UsageError(f"{file.name}: the file is empty")
    if missing := [column for column in columns if column not in names]:
        raise UsageError(f"{file.name}: not a file that Locust's --csv writes: it has no column {', '.join(missing)}")
    if not rows and not empty:
        raise UsageError(f"{file.name}: a header and no rows: the run did not get as far as a result")
    return rows


def _count(file: Text, row: Mapping[str, Any], column: str) -> int:
    value = number(file, row, column)
    if value != int(value):
        raise UsageError(f"{file.name}: {column} must be a whole number, not {str(row[column])[:40]!r}")
    return int(value)
