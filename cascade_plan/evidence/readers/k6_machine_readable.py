"""What k6 measured, from its machine-readable summary (schema 1.x)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers._k6_summary import Summary, measured
from cascade_plan.evidence.texts import Beside, Text, number, quoted
from cascade_plan.model.measurement import Measurement

READS: str = "k6's machine-readable summary"
FILES: tuple[str, ...] = ("*.json",)
COMPANIONS: tuple[str, ...] = ()


def claims(file: Text) -> bool:
    """Return whether a file is a JSON document with a list of metrics among its results.

    Source: github.com/grafana/k6, internal/lib/summary/machinereadable/types_gen.go.
    """
    results = file.document.get("results") if isinstance(file.document, dict) else None
    return isinstance(results, dict) and isinstance(results.get("metrics"), list)


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what k6 measured, by load. Raises UsageError for a summary of another schema or without requests."""
    document = file.document
    version = document.get("version")
    if not isinstance(version, str) or version.partition(".")[0] != "1":
        raise UsageError(f"{file.name}: k6's machine-readable summary of schema {quoted(version)}: read is schema 1")
    config = document.get("config")
    duration = config.get("duration") if isinstance(config, dict) else None
    run_s = None if duration is None else number(file.name, "config.duration", duration)
    values = dict(_metric(file, metric) for metric in document["results"]["metrics"])
    return measured(Summary(file, "k6's machine-readable summary", values, run_s))


def _metric(file: Text, metric: Any) -> tuple[str, Mapping[str, Any]]:
    name, values = (metric.get("name"), metric.get("values")) if isinstance(metric, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(values, dict):
        raise UsageError(f"{file.name}: results.metrics: an entry has no name or no values: {quoted(name)}")
    return name, values
