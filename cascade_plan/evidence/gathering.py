"""The runs that a command line names: a directory each, with what the load test and the monitoring left in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.evidence.observing import observed
from cascade_plan.evidence.runs import Listed, measured
from cascade_plan.evidence.steady import Run, joined, run
from cascade_plan.evidence.texts import Beside, Text
from cascade_plan.model.measurement import Measurement
from cascade_plan.model.observation import Metrics
from cascade_plan.model.scenario import Load

Asked: TypeAlias = Callable[[tuple[float, float] | None], Text]
"""A way to ask monitoring for a time, in seconds since 1970."""
LOAD_TESTS: Final = "evidence/readers"
METRICS: Final = "evidence/metrics"
FORMS: Final = (
    "a run is a directory with the results of one load test and the metrics of that time, or results alone with "
    "--metrics FILE for the metrics of all runs"
)


def gathered(
    given: Sequence[str],
    metrics: Sequence[str],
    loads: Mapping[str, Load],
    text: Beside,
    listed: Listed,
    asked: Asked | None = None,
) -> list[Run]:
    """Return the runs that names stand for, with metrics of a longer time added to each.

    A file is told by what stands in it: results of a load test, metrics, or neither, which is left aside. `asked`
    returns what monitoring itself says of the time of all runs.
    Raises UsageError for a name of nothing, for results that cannot be read, and for runs without any metrics.
    """
    found: list[Run] = []
    for name in given:
        found += _runs(name, loads, text, listed)
    of_all = [observed(metrics, text)] if metrics else []
    if asked is not None:
        answers = asked(span_s(found))
        of_all.append(observed([answers.name], lambda _: answers))
    for each in of_all:
        first, *others = joined(found, each)
        found = [replace(first, remarks=(*first.remarks, *each.remarks)), *others]
    if twice := sorted({each.name for each in found if [other.name for other in found].count(each.name) > 1}):
        found = [_named_apart(each, index) if each.name in twice else each for index, each in enumerate(found, 1)]
    if not any(each.metrics.series or each.metrics.counters for each in found):
        raise UsageError(f"no metrics in {', '.join(given)}: response times alone do not tell CPU times; {FORMS}")
    return found


def span_s(runs: Sequence[Run]) -> tuple[float, float] | None:
    """Return when the first of the runs had all its users and when the last had not; None where no results tell."""
    spans = [
        (told.held_from_s, told.held_from_s + told.held_s)
        for each in runs
        if (told := each.measurement) is not None and told.held_from_s is not None and told.held_s
    ]
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


def _named_apart(each: Run, index: int) -> Run:
    return replace(each, name=f"{each.name} ({index})")


def _runs(name: str, loads: Mapping[str, Load], text: Beside, listed: Listed) -> list[Run]:
    inside = listed(name)
    if inside is None:
        return _of_files([name], name, loads, text, listed)
    folder = name.rstrip("/")
    return _of_files([f"{folder}/{each}" for each in inside if not each.startswith(".")], name, loads, text, listed)


def _of_files(files: Sequence[str], name: str, loads: Mapping[str, Load], text: Beside, listed: Listed) -> list[Run]:
    there = {each: file for each in files if (file := text(each)) is not None}
    told = [each for each, file in there.items() if not _is_of(LOAD_TESTS, file) and _is_of(METRICS, file)]
    metrics = observed(told, text) if told else Metrics()
    results = _results(name, there, listed, text, is_needed=not told)
    called = name.rstrip("/").rpartition("/")[2]
    if not results:
        return [run(called, loads, None, metrics)]
    if len(results) > 1 and metrics.series and any(each.held_from_s is None for each in results.values()):
        raise UsageError(
            f"{name}: results of {', '.join(results)} that do not tell when each was, so that their metrics cannot be "
            "told apart: give each load a directory of its own"
        )
    return [run(load or called, loads, each, metrics, load) for load, each in results.items()]


def _results(
    name: str, there: Mapping[str, Text], listed: Listed, text: Beside, is_needed: bool
) -> Mapping[str, Measurement]:
    """Return what load tests measured; nothing where no file is of one and there are metrics."""
    tests = [each.rpartition("/")[2] for each, file in there.items() if _is_of(LOAD_TESTS, file)]
    if not is_needed and not tests:
        return {}
    return measured(name, None, text, lambda path: tests if listed(path) is not None and tests else listed(path))


def _is_of(folder: str, file: Text) -> bool:
    return any(registry.load(folder, name).claims(file) for name in registry.names(folder))
