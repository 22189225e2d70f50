"""What k6's two files of samples have in common: a value of a metric at a time, with its tags."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from cascade_plan.errors import UsageError
from cascade_plan.evidence.samples import Samples, facts, longest
from cascade_plan.evidence.texts import Text, quoted
from cascade_plan.model.measurement import Measurement
from cascade_plan.units import counted


class Sample(NamedTuple):
    """A value of a metric."""

    metric: str
    at_s: float
    value: float
    login: bool
    """Whether it is of what the emitted script calls login."""
    failed: bool
    """Whether its tags tell that the request failed."""
    load: str | None
    """The load of the emitted script that it is of, while all users were there; "" while they were not; None for
    another script."""


METRICS = frozenset(
    ("http_req_duration", "http_req_failed", "vus", "iterations", "dropped_iterations", "users", "held_s")
)
"""Those that are read."""


def iso_s(where: str, name: str, text: object) -> float:
    """Return a time of RFC 3339 in seconds since 1970. Raises UsageError for another, and for one without a zone.

    k6 writes nanoseconds, of which Python's own reader takes six digits.
    """
    try:
        at = datetime.fromisoformat(text if isinstance(text, str) else "")
        if at.tzinfo is None:
            raise ValueError(text)
        return at.timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"{where}: {name} must be a time of RFC 3339 with a zone, not {quoted(text)}") from None


@dataclass(slots=True)
class _Load:
    """The samples of a load of the emitted script, or of all of another one."""

    requests: Samples = field(default_factory=Samples)
    failed_at_s: array[float] = field(default_factory=lambda: array("d"))
    tells_failures: bool = False
    fewest: float | None = None
    held_s: float | None = None


@dataclass(slots=True)
class _Run:
    loads: dict[str, _Load] = field(default_factory=dict)
    vus_at_s: array[float] = field(default_factory=lambda: array("d"))
    vus: array[float] = field(default_factory=lambda: array("d"))
    iterations: float = 0
    dropped: float = 0
    logins: int = 0
    is_emitted: bool = False
    """Whether some of it is of the emitted script, by its tags."""


def measured(file: Text, form: str, samples: Iterable[Sample]) -> Mapping[str, Measurement]:
    """Return what k6 measured, by load of the emitted script, or under "" for another one.

    Raises UsageError for samples of no request.
    """
    run = _Run()
    for sample in samples:
        _add(run, sample)
    found = {name: load for name, load in run.loads.items() if load.requests.at_s}
    if run.is_emitted:
        found.pop("", None)
        if not found:
            raise UsageError(f"{file.name}: no request was made while all users were there: nothing to judge")
        return {name: _tagged(file, form, run, load) for name, load in found.items()}
    if "" not in found:
        raise UsageError(f"{file.name}: {form} without a sample of http_req_duration: no request was made")
    return {"": _untagged(file, form, run, found[""])}


def _add(run: _Run, sample: Sample) -> None:
    if sample.metric == "vus":
        run.vus_at_s.append(sample.at_s)
        run.vus.append(sample.value)
    elif sample.metric == "iterations":
        run.iterations += sample.value
    elif sample.metric == "dropped_iterations":
        run.dropped += sample.value
    else:
        run.is_emitted = run.is_emitted or sample.load is not None
        if sample.login:
            run.logins += sample.metric == "http_req_duration"
        elif sample.load != "":
            _add_to_load(run.loads.setdefault(sample.load or "", _Load()), sample)


def _add_to_load(load: _Load, sample: Sample) -> None:
    if sample.metric == "http_req_duration":
        load.requests.add(sample.at_s, sample.value, sample.failed)
    elif sample.metric == "http_req_failed":
        load.tells_failures = True
        if sample.value:
            load.failed_at_s.append(sample.at_s)
    elif sample.metric == "users":
        load.fewest = sample.value if load.fewest is None else min(load.fewest, sample.value)
    elif sample.metric == "held_s":
        load.held_s = sample.value if load.held_s is None else max(load.held_s, sample.value)


def _tagged(file: Text, form: str, run: _Run, load: _Load) -> Measurement:
    told = _facts(load, None)
    return Measurement(
        tool="k6",
        results=form,
        source=file.name,
        user_count=None if load.fewest is None else int(load.fewest),
        held_s=load.held_s,
        clock_s=0.0,
        requests_per_s=told["request_count"] / load.held_s if load.held_s else None,
        iteration_count=int(run.iterations),
        dropped_count=int(run.dropped),
        **told,
    )


def _untagged(file: Text, form: str, run: _Run, load: _Load) -> Measurement:
    import numpy as np

    users, hold = None, None
    if run.vus:
        vus, at_s = np.asarray(run.vus), np.asarray(run.vus_at_s)
        order = np.argsort(at_s, kind="stable")
        users = int(vus.max())
        hold = longest(at_s[order], vus[order] == vus.max())
    told = _facts(load, hold)
    if not told:
        hold, told = None, _facts(load, None)
    run_s = max(load.requests.at_s) - min(load.requests.at_s)
    span_s = run_s if hold is None else hold[1] - hold[0]
    return Measurement(
        tool="k6",
        results=form,
        source=file.name,
        user_count=users,
        held_s=None if hold is None else span_s,
        held_from_s=None if hold is None else hold[0],
        run_s=run_s,
        requests_per_s=told["request_count"] / span_s if span_s else None,
        rate_includes_ramp=hold is None,
        iteration_count=int(run.iterations) or None,
        dropped_count=int(run.dropped),
        includes=("the first seconds with all users",) if hold else (),
        may_include=(
            *(() if run.logins else ("logins",)),
            *(() if hold else ("the ramp", "the first seconds with all users")),
        ),
        remarks=(
            *((f"{counted(run.logins, 'request')} named login left out",) if run.logins else ()),
            "percentiles are the nearest rank's of the samples",
        ),
        **told,
    )


def _facts(load: _Load, within: tuple[float, float] | None) -> dict[str, Any]:
    """Return what is told of a load's requests; failures by their own metric where k6 writes it (since 0.31)."""
    told = dict(facts(load.requests, within))
    if told and load.tells_failures:
        low, high = within or (0.0, float("inf"))
        told["failure_count"] = sum(low <= at_s <= high for at_s in load.failed_at_s)
    return told
