"""What k6 measured, from the summary that handleSummary is given or that --summary-export writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers._k6_summary import Summary, measured
from cascade_plan.evidence.texts import Beside, Text, number, quoted
from cascade_plan.model.measurement import Measurement

READS: str = "k6's summary (handleSummary, --summary-export)"
FILES: tuple[str, ...] = ("*.json",)
COMPANIONS: tuple[str, ...] = ()


def claims(file: Text) -> bool:
    """Return whether a file is a JSON document with metrics by name, as k6's summary is."""
    metrics = file.document.get("metrics") if isinstance(file.document, dict) else None
    return isinstance(metrics, dict) and any(name.startswith(("http_req", "vus", "iteration")) for name in metrics)


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what k6 measured, by load. Raises UsageError for a summary that tells no request."""
    state = file.document.get("state")
    run_ms = state.get("testRunDurationMs") if isinstance(state, dict) else None
    metrics = file.document["metrics"]
    values = {name: _values(file, name, metric) for name, metric in metrics.items()}
    run_s = None if run_ms is None else number(file.name, "state.testRunDurationMs", run_ms) / 1000
    return measured(Summary(file, "k6's summary", values, run_s))


def _values(file: Text, name: str, metric: Any) -> Mapping[str, Any]:
    """Return a metric's statistics: under `values` for handleSummary, in the metric itself for --summary-export."""
    if not isinstance(metric, dict):
        raise UsageError(f"{file.name}: metrics.{quoted(name)[1:-1]} is no metric")
    values = metric.get("values", metric)
    return values if isinstance(values, dict) else {}
