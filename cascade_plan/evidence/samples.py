"""Requests one by one, as tools write them: their exact percentiles, and the time for which all users were there."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cascade_plan.model.measurement import PERCENTILES, Percentile

if TYPE_CHECKING:
    import numpy as np


@dataclass(slots=True)
class Samples:
    """Requests in the order they were written, 25 bytes each."""

    at_s: array[float] = field(default_factory=lambda: array("d"))
    """When each was written."""
    latency_ms: array[float] = field(default_factory=lambda: array("d"))
    failed: array[int] = field(default_factory=lambda: array("b"))

    def add(self, at_s: float, latency_ms: float, failed: bool) -> None:
        """Add a request."""
        self.at_s.append(at_s)
        self.latency_ms.append(latency_ms)
        self.failed.append(failed)


def percentiles(latency_ms: np.ndarray[Any, Any], rounding_ms: float = 0.0) -> dict[str, Percentile]:
    """Return the percentiles of latencies, each written with this much rounding: the nearest rank's, of all of them.

    Source: the nearest-rank definition, rank ceil(p / 100 x n) of n in order (NIST/SEMATECH e-Handbook, 7.2.6.2).
    """
    import numpy as np

    ordered = np.sort(latency_ms)
    found = {}
    for name in PERCENTILES:
        value = float(ordered[-(-int(name[1:]) * len(ordered) // 100) - 1])
        found[name] = Percentile(value, max(0.0, value - rounding_ms), value + rounding_ms)
    return found


def longest(at_s: np.ndarray[Any, Any], is_all: np.ndarray[Any, Any]) -> tuple[float, float] | None:
    """Return when the longest time in one piece began and ended for which all were there; None for no time.

    `at_s` are the times of looking, in order; `is_all` is what was seen.
    """
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_all, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2] - 1
    if not len(starts):
        return None
    best = int(np.argmax(at_s[ends] - at_s[starts]))
    return float(at_s[starts[best]]), float(at_s[ends[best]])


def facts(samples: Samples, within: tuple[float, float] | None, rounding_ms: float = 0.0) -> Mapping[str, Any]:
    """Return what a measurement says of the requests in a time, of all of them for None; {} when there is none."""
    import numpy as np

    at_s, latency_ms = np.asarray(samples.at_s), np.asarray(samples.latency_ms)
    failed = np.asarray(samples.failed)
    if within is not None:
        kept = (at_s >= within[0]) & (at_s <= within[1])
        latency_ms, failed = latency_ms[kept], failed[kept]
    if not len(latency_ms):
        return {}
    return {
        "request_count": len(latency_ms),
        "failure_count": int(failed.sum()),
        "latency_ms_mean": float(latency_ms.mean()),
        "percentiles": percentiles(latency_ms, rounding_ms),
    }
