"""Prometheus's answer to a range query, also Loki's, Mimir's and VictoriaMetrics's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cascade_plan.traces.documents import document, instants_of, series
from cascade_plan.traces.series import Record, Unit, quoted, unit_of

READS: str = "Prometheus's answer to query_range"
ASSUMED: Final = Unit(1.0, "a range query is taken to be a rate()")
"""A counter only ever rises, so what a query draws of one is its rate; `increase` has to be said."""


def claims(text: str) -> bool:
    """Return whether a text is an answer of Prometheus's HTTP API."""
    found = document(text)
    return isinstance(found, dict) and ("resultType" in _data(found) or found.get("status") in ("success", "error"))


def read(text: str) -> Record:
    """Return the series of the answer: their numbers are requests a second, unless the name of one says otherwise.

    Raises ValueError, in words, for an error, another kind of answer, and counters that were not made rates.
    """
    found = document(text)
    if found.get("status") == "error":
        raise ValueError(f"Prometheus answered with an error: {quoted(found.get('error'))}")
    data = _data(found)
    if data.get("resultType") != "matrix":
        raise ValueError(
            f"this is Prometheus's answer of type {quoted(data.get('resultType'))}, of one moment or none; "
            "a trace is a matrix, the answer to /api/v1/query_range"
        )
    results = data.get("result")
    if not isinstance(results, list) or not results:
        raise ValueError("Prometheus found no series: its result is empty")
    pairs = [_pairs(result, f"result[{index}]") for index, result in enumerate(results)]
    instants = instants_of([time for each in pairs for time, _ in each[:1]], "timestamp")
    made = []
    for index, (result, values) in enumerate(zip(results, pairs, strict=True)):
        label = _label(result.get("metric"))
        unit = unit_of(label)
        known = unit if unit.because else ASSUMED
        made.append(series(label, values, known, f"result[{index}].values[{{}}]", instants))
    return Record(tuple(made), instants.clock)


def _data(found: Mapping[str, Any]) -> Mapping[str, Any]:
    data = found.get("data", found)
    return data if isinstance(data, dict) else {}


def _pairs(result: Any, place: str) -> Sequence[tuple[Any, Any]]:
    values = result.get("values") if isinstance(result, dict) else None
    if not isinstance(values, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in values):
        raise ValueError(f"{place} has no values, which are pairs of a time and a number")
    name = (result.get("metric") or {}).get("__name__", "") if isinstance(result.get("metric"), dict) else ""
    if isinstance(name, str) and name.endswith(("_total", "_count", "_sum", "_bucket")):
        raise ValueError(f"{place} is the counter {name} itself, which only rises: query rate({name}[5m])")
    return [(time, amount) for time, amount in values]


def _label(metric: Any) -> str:
    if not isinstance(metric, dict):
        return "{}"
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(metric.items()) if name != "__name__")
    name = metric.get("__name__", "")
    return f"{name}{{{labels}}}" if labels or not name else str(name)
