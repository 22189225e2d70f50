"""What k6's two forms of a summary have in common: statistics of metrics, also of those under the emitted tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from cascade_plan.errors import UsageError
from cascade_plan.evidence.texts import Text, number, quoted, whole
from cascade_plan.model.measurement import Measurement, Percentile, exact

T = TypeVar("T", int, float)
TAGS: Final = "{load:%s,phase:hold}"
PREFIX, SUFFIX = "http_req_duration{load:", ",phase:hold}"
PERCENTILES: Final = {"p50": ("p(50)", "med"), "p95": ("p(95)",), "p99": ("p(99)",)}


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary's statistics by metric."""

    file: Text
    form: str
    """What of k6's the file is."""
    values: Mapping[str, Mapping[str, Any]]
    run_s: float | None
    """How long the run was, where the summary tells it beside its metrics."""

    def where(self, metric: str, statistic: str = "") -> str:
        """Return the file and the line where a metric, or a statistic of it, stands."""
        text = self.file.text
        at = max(text.find(json.dumps(metric)), 0)
        at = max(text.find(json.dumps(statistic), at), at)
        line = text.count("\n", 0, at) + 1
        return f"{self.file.name}:{line}"

    def value(self, metric: str, *names: str) -> float | None:
        """Return the first of these statistics that a metric has. Raises UsageError for what is no number."""
        return self._told(number, metric, names)

    def count(self, metric: str, *names: str) -> int | None:
        """Return the first of these statistics that a metric has, as a whole number. Raises UsageError for another."""
        return self._told(whole, metric, names)

    def _told(self, taken: Callable[[str, str, object], T], metric: str, names: tuple[str, ...]) -> T | None:
        if (name := self._name(metric, names)) is None:
            return None
        value = self.values[metric][name]
        try:
            return taken(self.file.name, _called(metric, name), value)
        except UsageError:  # where it stands is looked for only where it is asked for
            return taken(self.where(metric, name), _called(metric, name), value)

    def _name(self, metric: str, names: tuple[str, ...]) -> str | None:
        return next((name for name in names if name in self.values.get(metric, {})), None)


def _called(metric: str, name: str) -> str:
    return f"{quoted(metric)[1:-1]} {name}"


def measured(summary: Summary) -> Mapping[str, Measurement]:
    """Return what k6 measured, by load: those of the emitted script's tags, or "" for a script without them.

    Raises UsageError for a summary without requests, and for statistics that are none.
    """
    if "http_req_duration" not in summary.values:
        raise UsageError(
            f"{summary.file.name}: {summary.form} without the metric http_req_duration: it made no request"
        )
    loads = [
        name[len(PREFIX) : -len(SUFFIX)]
        for name in summary.values
        if name.startswith(PREFIX) and name.endswith(SUFFIX) and len(name) > len(PREFIX) + len(SUFFIX)
    ]
    tagged = {load: _tagged(summary, TAGS % load) for load in loads}
    found = {load: one for load, one in tagged.items() if one is not None}
    if not loads and (whole_run := _untagged(summary)) is not None:
        found = {"": whole_run}
    if not found:
        raise UsageError(f"{summary.file.name}: no request was made while all users were there: nothing to judge")
    return found


def _tagged(summary: Summary, tags: str) -> Measurement | None:
    """Return the measurement of a load of the emitted script; None when it made no request with all users there."""
    requests = summary.count(f"http_reqs{tags}", "count")
    if not requests:
        return None
    users = summary.value(f"users{tags}", "min", "max")
    held_s = summary.value(f"held_s{tags}", "max")
    return _measurement(
        summary,
        tags,
        requests,
        user_count=None if users is None else int(users),
        held_s=held_s,
        clock_s=0.0,
        requests_per_s=requests / held_s if held_s else None,
    )


def _untagged(summary: Summary) -> Measurement | None:
    """Return the measurement of a whole run, its ramp included unless the virtual users were always as many."""
    requests, rate = summary.count("http_reqs", "count"), summary.value("http_reqs", "rate")
    if not requests:
        return None
    # k6 divides every counter by the length of the run.
    run_s = summary.run_s or (requests / rate if rate else None)
    users, fewest = summary.count("vus", "max"), summary.count("vus", "min")
    is_level = users is not None and users == fewest
    return _measurement(
        summary,
        "",
        requests,
        user_count=users,
        held_s=run_s if is_level else None,
        run_s=run_s,
        requests_per_s=rate if rate is not None else requests / run_s if run_s else None,
        rate_includes_ramp=not is_level,
        includes=("the first seconds with all users",)
        if is_level
        else ("the ramp", "the first seconds with all users"),
        may_include=("logins",),
    )


def _measurement(summary: Summary, tags: str, requests: int, **told: Any) -> Measurement:
    percentiles: dict[str, Percentile] = {}
    for name, statistics in PERCENTILES.items():
        if (latency := summary.value(f"http_req_duration{tags}", *statistics)) is not None:
            percentiles[name] = exact(latency)
    return Measurement(
        tool="k6",
        results=summary.form,
        source=summary.file.name,
        request_count=requests,
        percentiles=percentiles,
        latency_ms_mean=summary.value(f"http_req_duration{tags}", "avg"),
        failure_count=_failures(summary, f"http_req_failed{tags}", requests),
        iteration_count=summary.count("iterations", "count"),
        dropped_count=summary.count("dropped_iterations", "count") or 0,
        remarks=() if f"http_req_failed{tags}" in summary.values else ("k6 counts failed requests since its 0.31",),
        **told,
    )


def _failures(summary: Summary, metric: str, requests: int) -> int | None:
    """Return the failed requests: `passes` of http_req_failed, as true stands for a failure; None before k6 0.31."""
    if metric not in summary.values:
        return None
    ratio = summary.value(metric, "rate", "value")
    if ratio is None or ratio > 1:
        raise UsageError(f"{summary.where(metric)}: {_called(metric, 'rate')} must be a number from 0 to 1")
    return round(ratio * requests)
