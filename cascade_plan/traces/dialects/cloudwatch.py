"""CloudWatch's answers to get-metric-statistics and get-metric-data, as the AWS CLI prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cascade_plan.traces.documents import document, instants_of, series
from cascade_plan.traces.series import Record, Series, Unit, quoted, unit_of
from cascade_plan.traces.times import Instants

READS: str = "CloudWatch's answer to get-metric-statistics or get-metric-data"
STATISTICS: Final = ("Sum", "SampleCount", "Average", "Maximum", "Minimum")
"""The requests of a period are the sum of their metric; the others serve for a metric that is a rate."""
PARTIAL: Final = ("PartialData", "InternalError", "Forbidden")


def claims(text: str) -> bool:
    """Return whether a text is one of the two answers."""
    found = document(text)
    return isinstance(found, dict) and ("Datapoints" in found or "MetricDataResults" in found)


def read(text: str) -> Record:
    """Return the series of the answer. Raises ValueError, in words, where it has no data or only a part of it."""
    found = document(text)
    return _statistics(found) if "Datapoints" in found else _data(found)


def _statistics(found: Mapping[str, Any]) -> Record:
    points = found["Datapoints"]
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise ValueError("Datapoints is no list of data points")
    if not points:
        raise ValueError("CloudWatch found no data: Datapoints is empty")
    names = [name for name in STATISTICS if any(name in point for point in points)]
    is_rate = all(str(point.get("Unit", "")).endswith("/Second") for point in points)
    if not names or (names[0] not in ("Sum", "SampleCount") and not is_rate):
        raise ValueError(
            f"its data points have {', '.join(names) or 'no statistic'}, of which none counts requests: "
            "ask for --statistics Sum"
        )
    label = str(found.get("Label") or "RequestCount")
    name = names[0]
    # A sum of a rate is none; the mean of a rate is.
    if is_rate and "Average" in names:
        name = "Average"
    unit = Unit(1.0, "its unit is Count/Second") if is_rate else Unit(None, f"they are a {name}")
    instants = instants_of([points[0].get("Timestamp")], "timestamp")
    pairs = [(point.get("Timestamp"), point.get(name)) for point in points]
    return Record((series(label, pairs, unit, "Datapoints[{}]", instants),), instants.clock)


def _data(found: Mapping[str, Any]) -> Record:
    results = found["MetricDataResults"]
    if not isinstance(results, list) or not results:
        raise ValueError("CloudWatch found no data: MetricDataResults is empty")
    filled = [(index, each) for index, each in enumerate(results) if isinstance(each, dict) and _times(each)]
    if not filled:
        raise ValueError("CloudWatch found no data: no result has Timestamps")
    instants = instants_of(_times(filled[0][1])[:1], "timestamp")
    return Record(tuple(_result(index, each, instants) for index, each in filled), instants.clock)


def _times(result: Mapping[str, Any]) -> Sequence[Any]:
    times = result.get("Timestamps")
    return times if isinstance(times, list) else []


def _result(index: int, result: Mapping[str, Any], instants: Instants) -> Series:
    place = f"MetricDataResults[{index}]"
    if result.get("StatusCode") in PARTIAL:
        raise ValueError(f"{place} is {result['StatusCode']}, a part of the data: ask for the rest with its NextToken")
    times, values = _times(result), result.get("Values")
    if not isinstance(values, list) or len(times) != len(values):
        raise ValueError(f"{place} must have as many Values as Timestamps")
    label = " ".join(str(result[key]) for key in ("Label",) if result.get(key)) or str(result.get("Id", quoted("")))
    return series(label, zip(times, values, strict=True), unit_of(label), f"{place}.Values[{{}}]", instants)
