"""The results of load tests, from text: Locust's CSV files and k6's summary."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from itertools import pairwise
from math import isfinite
from typing import Any, Final, NamedTuple

from cascade_plan.errors import UsageError
from cascade_plan.model.measurement import PERCENTILES, Failure, Measurement, Percentile

STATS: Final = (
    "Type", "Name", "Request Count", "Failure Count", "Average Response Time", "Requests/s", "50%", "95%", "99%",
)  # fmt: skip
"""Columns of Locust's prefix_stats.csv that are read."""
HISTORY: Final = ("Timestamp", "User Count", "Name", "Total Request Count")
FAILURES: Final = ("Method", "Name", "Error", "Occurrences")
TOTAL: Final = ("Aggregated", "Total")
"""Names of Locust's row of all requests, the second one before version 1."""
SHOWN_FAILURES: Final = 5


class Text(NamedTuple):
    """A file's text and its name."""

    text: str
    name: str


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


def locust(stats: Text, history: Text | None, failures: Text | None) -> Mapping[str, Measurement]:
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
    own_rate = _number(stats, total, "Requests/s")
    percentiles = {}
    for name in PERCENTILES:
        value = _number(stats, total, f"{name[1:]}%")
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
        latency_ms_mean=_number(stats, total, "Average Response Time"),
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
            _number(history, row, "Timestamp"),
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


def _number(file: Text, row: Mapping[str, Any], column: str) -> float:
    """Return a number of 0 or more. Raises UsageError naming file and column for anything else."""
    text = row[column]
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = -1.0
    if not isfinite(value) or value < 0:
        raise UsageError(f"{file.name}: {column} must be a number of 0 or more, not {str(text)[:40]!r}")
    return value


def _count(file: Text, row: Mapping[str, Any], column: str) -> int:
    value = _number(file, row, column)
    if value != int(value):
        raise UsageError(f"{file.name}: {column} must be a whole number, not {str(row[column])[:40]!r}")
    return int(value)


# ---------------------------------------------------------------------------------------------------------------- k6


def k6(file: Text) -> Mapping[str, Measurement]:
    """Return what k6 measured, by load: those of the emitted script's tags, or "" for a script without them.

    Takes the JSON that handleSummary is given, and that of --summary-export. Raises UsageError for what is neither.
    """
    try:
        document = json.loads(file.text)
    except (ValueError, RecursionError):
        lines = file.text.lstrip().split("\n", 1)[0]
        hint = "; `k6 --out json` writes samples" if '"type":"' in lines.replace(" ", "") else ""
        raise UsageError(
            f"{file.name}: no JSON of k6's summary{hint}: use what handleSummary writes, or --summary-export"
        ) from None
    metrics = document.get("metrics") if isinstance(document, dict) else None
    if not isinstance(metrics, dict) or "http_req_duration" not in metrics:
        raise UsageError(f"{file.name}: not k6's summary: it has no metrics.http_req_duration")
    values = {name: _values(file, name, metric) for name, metric in metrics.items()}
    held = "{load:%s,phase:hold}"
    prefix, suffix = "http_req_duration{load:", ",phase:hold}"
    loads = [name[len(prefix) : -len(suffix)] for name in values if name.startswith(prefix) and name.endswith(suffix)]
    tagged = {name: _k6_load(file, values, held % name) for name in loads}
    measured = {name: found for name, found in tagged.items() if found is not None}
    if not measured and (found := _k6_load(file, values, "")) is not None and not loads:
        measured = {"": found}
    if not measured:
        raise UsageError(f"{file.name}: no request was made while all users were there: there is nothing to judge")
    return measured


def _values(file: Text, name: str, metric: Any) -> dict[str, Any]:
    """Return a metric's statistics: under `values` for handleSummary, in the metric itself for --summary-export."""
    if not isinstance(metric, dict):
        raise UsageError(f"{file.name}: metrics.{name} is no metric")
    values = metric.get("values", metric)
    return values if isinstance(values, dict) else {}


def _k6_load(file: Text, values: Mapping[str, dict[str, Any]], tags: str) -> Measurement | None:
    """Return the measurement of one load, of all requests for tags "", or None when it made no request."""

    def value(metric: str, *names: str) -> float | None:
        statistics = values.get(metric, {})
        name = next((name for name in names if name in statistics), None)
        return None if name is None else _number(file, {f"{metric} {name}": statistics[name]}, f"{metric} {name}")

    requests, ratio = value(f"http_reqs{tags}", "count"), value(f"http_req_failed{tags}", "rate", "value")
    if not requests:
        return None
    if ratio is None or ratio > 1:
        raise UsageError(f"{file.name}: metrics.http_req_failed{tags} has no rate between 0 and 1")
    duration = f"http_req_duration{tags}"
    statistics = {"p50": ("p(50)", "med"), "p95": ("p(95)",), "p99": ("p(99)",)}
    latencies = {name: value(duration, *names) for name, names in statistics.items()}
    users = value(f"users{tags}", "max") if tags else value("vus", "max")
    held_s = value(f"held_s{tags}", "max") if tags else None
    rate = value("http_reqs", "rate") if not tags else requests / held_s if held_s else None
    return Measurement(
        tool="k6",
        source=file.name,
        user_count=None if users is None else int(users),
        held_s=held_s,
        request_count=int(requests),
        failure_count=round(ratio * requests),
        requests_per_s=rate,
        latency_ms_mean=value(duration, "avg") or 0.0,
        percentiles={name: Percentile(latency, 0.0) for name, latency in latencies.items() if latency is not None},
        ramp_included=not tags,
    )
