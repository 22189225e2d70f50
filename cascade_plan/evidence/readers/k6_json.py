"""What k6 measured, from the samples that --out json writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers._k6_samples import METRICS, Sample, iso_s, measured
from cascade_plan.evidence.texts import Beside, Text, number
from cascade_plan.model.measurement import Measurement

READS: str = "k6's --out json"
FILES: tuple[str, ...] = ("*.json", "*.ndjson")
COMPANIONS: tuple[str, ...] = ()
HAS: Final = ('"http_req_duration"', '"http_req_failed"', '"vus"', 'iterations"', '"users"', '"held_s"')
"""What a line has that is read: nine of ten have not, and are not parsed."""


def claims(file: Text) -> bool:
    """Return whether a file's first line is a metric or a point of k6's."""
    return isinstance(file.first, dict) and file.first.get("type") in ("Metric", "Point") and "data" in file.first


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what k6 measured, by load. Raises UsageError for samples of no request, and for a line cut short."""
    return measured(file, "k6's --out json", _samples(file))


def _samples(file: Text) -> Iterator[Sample]:
    for line, text in file.lines():
        if not any(each in text for each in HAS):
            if text.strip() and not text.rstrip().endswith("}"):
                raise UsageError(f"{file.name}:{line}: no JSON: the line is cut short")
            continue
        try:
            point = json.loads(text)
        except (ValueError, RecursionError):
            raise UsageError(f"{file.name}:{line}: no JSON: the line is cut short, or of another file") from None
        if isinstance(point, dict) and point.get("type") == "Point" and point.get("metric") in METRICS:
            yield _sample(f"{file.name}:{line}", point)


def _sample(where: str, point: dict[str, Any]) -> Sample:
    data = point.get("data")
    if not isinstance(data, dict):
        raise UsageError(f"{where}: a point without data")
    tags = data.get("tags")
    tags = tags if isinstance(tags, dict) else {}
    load = None
    if "phase" in tags:
        load = str(tags.get("load", "")) if tags["phase"] == "hold" else ""
    return Sample(
        point["metric"],
        iso_s(where, "data.time", data.get("time")),
        number(where, "data.value", data.get("value")),
        str(tags.get("name", "")).lower() == "login",
        tags.get("expected_response") == "false",
        load,
    )
