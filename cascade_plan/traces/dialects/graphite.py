"""Graphite's answer to a render request with format=json."""

from __future__ import annotations

from typing import Any

from cascade_plan.traces.documents import document, instants_of, series
from cascade_plan.traces.series import Record, unit_of

READS: str = "Graphite's render JSON"


def claims(text: str) -> bool:
    """Return whether a text is a list of targets with their data points."""
    found = document(text)
    return (
        isinstance(found, list)
        and bool(found)
        and all(isinstance(each, dict) and "datapoints" in each for each in found)
    )


def read(text: str) -> Record:
    """Return a series for each target. Raises ValueError, in words, for data points that are no pairs."""
    targets = document(text)
    times = [point[1] for each in targets for point in _points(each)[:1]]
    if not times:
        raise ValueError("Graphite found no data: its targets have no data points")
    instants = instants_of(times, "timestamp")
    made = []
    for index, each in enumerate(targets):
        label = str(each.get("target") or f"target {index + 1}")
        pairs = ((point[1], point[0]) for point in _points(each))
        made.append(series(label, pairs, unit_of(label), f"[{index}].datapoints[{{}}]", instants))
    return Record(tuple(made), instants.clock)


def _points(target: dict[str, Any]) -> list[list[Any]]:
    points = target["datapoints"]
    if not isinstance(points, list) or not all(isinstance(point, list) and len(point) == 2 for point in points):
        raise ValueError("datapoints must be pairs of a value and a time")
    return points
