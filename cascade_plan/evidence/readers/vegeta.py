"""What vegeta measured, from its report in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.texts import Beside, Text, number, quoted, whole
from cascade_plan.model.measurement import Failure, Measurement, exact

READS: str = "vegeta's report in JSON"
FILES: tuple[str, ...] = ("*.json",)
COMPANIONS: tuple[str, ...] = ()
PERCENTILES: Final = {"p50": "50th", "p95": "95th", "p99": "99th"}
NS_PER_MS, NS_PER_S = 1e6, 1e9
SHOWN_FAILURES: Final = 5


def claims(file: Text) -> bool:
    """Return whether a file is a JSON document with latencies and status codes, as vegeta's report is.

    Source: github.com/tsenart/vegeta, lib/metrics.go.
    """
    return isinstance(file.document, dict) and {"latencies", "requests", "success"} <= {*file.document}


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what vegeta measured, under "": requests at a rate, so of no number of users.

    Raises UsageError for a report that lacks latencies, and for one without requests.
    """
    report = file.document
    latencies = report["latencies"]
    if not isinstance(latencies, dict):
        raise UsageError(f"{file.name}: vegeta's report without latencies")
    requests = whole(file.name, "requests", report["requests"])
    if not requests:
        raise UsageError(f"{file.name}: no request was made, so there is nothing to judge")
    success = number(file.name, "success", report["success"])
    if success > 1:
        raise UsageError(f"{file.name}: success must be a number from 0 to 1, not {quoted(report['success'])}")
    found = {
        name: exact(number(file.name, f"latencies.{key}", latencies[key]) / NS_PER_MS)
        for name, key in PERCENTILES.items()
        if key in latencies
    }
    run_s = _optional(file, report, "duration", NS_PER_S)
    measurement = Measurement(
        tool="vegeta",
        results="vegeta's report",
        source=file.name,
        request_count=requests,
        failure_count=requests - round(success * requests),
        requests_per_s=_optional(file, report, "rate", 1.0),
        held_s=run_s,
        run_s=run_s,
        latency_ms_mean=_optional(file, latencies, "mean", NS_PER_MS),
        percentiles=found,
        includes=("the first seconds",),
        may_include=("logins",),
        remarks=("vegeta sends at a rate, whatever the system answers: it has no users who wait",),
        failures=_failures(file, report),
    )
    return {"": measurement}


def _optional(file: Text, values: Mapping[str, Any], name: str, unit: float) -> float | None:
    return number(file.name, name, values[name]) / unit if name in values else None


def _failures(file: Text, report: Mapping[str, Any]) -> tuple[Failure, ...]:
    codes = report.get("status_codes")
    counted = {
        f"status {code}": whole(file.name, "status_codes", count)
        for code, count in (codes.items() if isinstance(codes, dict) else ())
        if not code.startswith(("2", "3"))
    }
    found = [Failure(what, count) for what, count in counted.items() if count]
    return tuple(sorted(found, key=lambda failure: (-failure.count, failure.what))[:SHOWN_FAILURES])
