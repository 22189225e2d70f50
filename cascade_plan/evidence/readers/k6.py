"""What k6 measured, from the summary that it writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cascade_plan.errors import UsageError
from cascade_plan.evidence.texts import Beside, Text, number
from cascade_plan.model.measurement import Measurement, Percentile

READS: str = "k6's summary"
FILES: str = "*.json"


def claims(file: Text) -> bool:
    """Return whether a file is JSON, as k6's summary is."""
    return file.text.lstrip().startswith(("{", "["))


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
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
    tagged = {name: _load(file, values, held % name) for name in loads}
    measured = {name: found for name, found in tagged.items() if found is not None}
    if not measured and (found := _load(file, values, "")) is not None and not loads:
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


def _load(file: Text, values: Mapping[str, dict[str, Any]], tags: str) -> Measurement | None:
    """Return the measurement of one load, of all requests for tags "", or None when it made no request."""

    def value(metric: str, *names: str) -> float | None:
        statistics = values.get(metric, {})
        name = next((name for name in names if name in statistics), None)
        return None if name is None else number(file, {f"{metric} {name}": statistics[name]}, f"{metric} {name}")

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
