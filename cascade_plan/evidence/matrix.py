"""Prometheus's answer to a range query as series: what each is of is told by its label `measure`, or said beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf, isfinite, nan
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.naming import measure, of, settled
from cascade_plan.evidence.texts import quoted
from cascade_plan.evidence.windows import Points, metrics, window_of
from cascade_plan.model.observation import LABEL, Measure, Metrics
from cascade_plan.units import counted

ASKED: Final = "asked"
"""The key that says of an answer what was asked for, where it was asked by us."""
STEP: Final = "step_s"
"""The key that says the step that was asked for, in seconds: of a single value nothing else tells it."""
SHOWN: Final = 5
"""Series that a message names."""
COUNTERS: Final = ("_total", "_count", "_sum", "_bucket")
KINDS: Final = {
    "vector": "the answer of one moment: ask /api/v1/query_range, not /api/v1/query",
    "scalar": "the answer of one number: ask /api/v1/query_range for series",
    "string": "the answer of one text: ask /api/v1/query_range for series",
    "streams": "Loki's answer with lines of logs: ask for a rate() of them",
}
"""Other types of answers, and what to do."""


def matrix(answer: Any, name: str, said: Measure) -> Metrics:
    """Return the series of an answer of /api/v1/query_range, or of its data alone.

    A value at t is of the window that ends at t, as a rate is, and a window is as long as the step.
    Raises UsageError for an error, for another type of answer, and for series that nothing says the meaning of.
    """
    if not isinstance(answer, dict):
        raise UsageError(f"{name}: no answer of Prometheus: it is {quoted(answer)}")
    if answer.get("status") == "error":
        raise UsageError(f"{name}: Prometheus answered with an error: {quoted(answer.get('error'))}")
    data = answer.get("data", answer)
    kind = data.get("resultType") if isinstance(data, dict) else None
    if kind != "matrix":
        what = KINDS.get(str(kind), f"no answer of /api/v1/query_range: its type is {quoted(kind)}")
        raise UsageError(f"{name}: {what}")
    results = data.get("result")
    if not isinstance(results, list):
        raise UsageError(f"{name}: result must be a list of series")
    remarks = [
        f"{name}: Prometheus says: {quoted(words)}"
        for key in ("warnings", "infos")
        for words in (answer.get(key) or ())
    ]
    if not results:
        # What was asked by us is said once for all that was not found.
        none = () if ASKED in answer else (f"{name}: Prometheus found no series",)
        return Metrics(remarks=(*remarks, *none))
    places = [f"{name}: result[{index}]" for index in range(len(results))]
    labels = [_labels(result, place) for result, place in zip(results, places, strict=True)]
    points = [_points(result, place) for result, place in zip(results, places, strict=True)]
    measures = _measures(labels, name, said)
    if len({*measures}) < len(measures):
        twice = next(each for each in measures if measures.count(each) > 1)
        shown = _listed([each for each, own in zip(labels, measures, strict=True) if own == twice])
        raise UsageError(f"{name}: {measures.count(twice)} series are {twice}: {shown}: sum() them in the query")
    step_s = answer.get(STEP)
    if not isinstance(step_s, int | float) or not 0 < step_s < inf:
        step_s = window_of((time for each in points for time, _ in each), name)
    unfinished = sum(1 for each in points for _, value in each if not isfinite(value))
    if unfinished:
        remarks.append(f"{name}: {counted(unfinished, 'value')} NaN or infinite, taken as not measured")
    found: dict[Measure, Points] = {
        own: [(time - step_s, value if isfinite(value) else nan) for time, value in each]
        for own, each in zip(measures, points, strict=True)
    }
    return metrics(found, step_s, name, remarks)


def _labels(result: Any, place: str) -> Mapping[str, str]:
    labels = result.get("metric") if isinstance(result, dict) else None
    if not isinstance(labels, dict):
        raise UsageError(f"{place} has no labels (metric)")
    return {str(label): str(value) for label, value in labels.items()}


def _points(result: Mapping[str, Any], place: str) -> list[tuple[float, float]]:
    pairs = result.get("values")
    if not isinstance(pairs, list):
        what = "native histograms: ask for histogram_quantile() of them" if "histograms" in result else "no values"
        raise UsageError(f"{place} has {what}")
    found = []
    for index, pair in enumerate(pairs):
        try:
            time, text = pair
            time, value = float(time), float(text)
        except (TypeError, ValueError, OverflowError):
            what = f"{quoted(str(pair))} is no pair of a time and a number"
            raise UsageError(f"{place}.values[{index}]: {what}") from None
        if not 0 < time < 1e11:
            raise UsageError(f"{place}.values[{index}]: {time:g} is no time in seconds since 1970")
        found.append((time, value))
    name = str(result["metric"].get("__name__", ""))
    if name.endswith(COUNTERS) and _rises([value for _, value in found]):
        raise UsageError(f"{place} is the counter {name} itself, which only rises: query its rate, rate({name}[1m])")
    return found


def _rises(values: Sequence[float]) -> bool:
    return values[:1] != values[-1:] and all(earlier <= later for earlier, later in pairwise(values))


def _measures(labels: Sequence[Mapping[str, str]], name: str, said: Measure) -> list[Measure]:
    """Return what each series is of."""
    unsaid = [each for each in labels if LABEL not in each]
    if unsaid and not said.what:
        one = said.subject or "api"
        raise UsageError(
            f"{name}: nothing says what {len(unsaid):,} series {'is' if len(unsaid) == 1 else 'are'} of: "
            f"{_listed(unsaid)}: give the file as WHAT:TIER=FILE, such as cores:{one}={name}, or save the answers to "
            f"the queries of docs/calibrate.md, whose label `{LABEL}` says it"
        )
    subjects = iter(_subjects(unsaid, name, said))
    return [_told(each[LABEL], name, said) if LABEL in each else next(subjects) for each in labels]


def _told(text: str, name: str, said: Measure) -> Measure:
    try:
        told = measure(text)
    except ValueError as error:
        raise UsageError(f"{name}: the label {LABEL} is {quoted(text)}: {error}") from None
    return settled(told, said, f"{name}: {LABEL}={quoted(text)}")


def _subjects(unsaid: Sequence[Mapping[str, str]], name: str, said: Measure) -> list[Measure]:
    """Return what series are of whose kind is said: of several the only label that differs is the subject."""
    if len(unsaid) < 2:
        return [said for _ in unsaid]
    differing = sorted({label for each in unsaid for label in each if len({other.get(label) for other in unsaid}) > 1})
    if said.subject or len(differing) != 1:
        raise UsageError(
            f"{name}: {len(unsaid)} series are {said}: {_listed(unsaid)}: sum() them in the query, by the label that "
            "names the subject if there are several"
        )
    try:
        return [of(said.what, each.get(differing[0], "")) for each in unsaid]
    except ValueError as error:
        raise UsageError(f"{name}: the label {quoted(differing[0])}: {error}") from None


def _listed(labels: Sequence[Mapping[str, str]]) -> str:
    more = f" and {len(labels) - SHOWN:,} more" if len(labels) > SHOWN else ""
    return ", ".join(map(_words, labels[:SHOWN])) + more


def _words(labels: Mapping[str, str]) -> str:
    inner = ", ".join(f"{label}={quoted(value)}" for label, value in sorted(labels.items()) if label != "__name__")
    return f"{labels.get('__name__', '')}{{{inner}}}"
