"""What monitoring told, from the files that it left: several of any kinds are one account of one system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Final, NamedTuple

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.evidence.naming import UNSAID, meant
from cascade_plan.evidence.texts import Beside, Text
from cascade_plan.evidence.windows import joined
from cascade_plan.model.observation import Measure, Metrics, Statistic

READERS: Final = "evidence/metrics"


class Reading(NamedTuple):
    """What one file told, and which reader it was read by."""

    reader: str
    metrics: Metrics


def observed(given: Sequence[str], text: Beside) -> Metrics:
    """Return what files tell together: their series on one clock, and what their counters counted.

    Each is FILE, WHAT:SUBJECT=FILE or SUBJECT=FILE; which reader takes it is told by what stands in it. `text` returns
    a file, None where there is none. Several readings of the same counters are those of one stretch: what was counted
    between the first and the last.
    Raises UsageError when there is no such file, none that a reader takes, or one whose series cannot be told apart.
    """
    readings = [_read(each, text) for each in given]
    found = joined([reading.metrics for reading in readings])
    return _with_counters(found, readings)


def _read(given: str, text: Beside) -> Reading:
    file, said = text(given), UNSAID
    if file is None:
        name, equals, path = given.partition("=")
        if equals:
            said, file = meant(name), text(path)
        if file is None:
            raise UsageError(f"cannot read {path or given!r}: no such file; {_forms()}")
    for name in registry.names(READERS):
        reader = registry.load(READERS, name)
        if reader.claims(file):
            found: Metrics = reader.read(file, said)
            return Reading(name, found)
    raise UsageError(_refusal(file))


def _refusal(file: Text) -> str:
    what = "the file is empty" if not file.opening.strip() else "nothing that monitoring leaves and that is read"
    return f"{file.name}: {what}: {_forms()}"


def _forms() -> str:
    readers: list[ModuleType] = [registry.load(READERS, name) for name in registry.names(READERS)]
    return f"metrics are {', or '.join(reader.READS for reader in readers)}"


def _with_counters(found: Metrics, readings: Sequence[Reading]) -> Metrics:
    """Return metrics with what was counted: the difference of the last and the first reading of each counter."""
    groups: dict[tuple[str, str], list[Metrics]] = {}
    for reading in readings:
        if reading.metrics.counters:
            subject = next(iter(reading.metrics.counters)).subject
            groups.setdefault((reading.reader, subject), []).append(reading.metrics)
    counters: dict[Measure, Statistic] = {}
    sources, remarks = dict(found.sources), list(found.remarks)
    spans: set[tuple[float | None, float | None]] = set()
    for taken in groups.values():
        taken.sort(key=_total)
        counters |= _between(taken)
        name = " to ".join(dict.fromkeys(_source(each) for each in (taken[0], taken[-1])))
        sources |= dict.fromkeys(taken[-1].counters, name)
        if len(taken) == 1:
            remarks.append(f"{name}: counted since its counters were last set back, which may be before the run")
        spans.add((taken[0].counted_to_s if len(taken) > 1 else None, taken[-1].counted_to_s))
    from_s, to_s = next(iter(spans)) if len(spans) == 1 else (None, None)
    return replace(
        found,
        counters=counters,
        counted_from_s=from_s,
        counted_to_s=to_s,
        sources=sources,
        remarks=tuple(remarks),
    )


def _source(metrics: Metrics) -> str:
    return next(iter(metrics.sources.values()))


def _total(metrics: Metrics) -> float:
    """Return what orders the readings of counters: they only rise."""
    return sum(each.count for each in metrics.counters.values())


def _between(taken: Sequence[Metrics]) -> Mapping[Measure, Statistic]:
    first, last = taken[0], taken[-1]
    if len(taken) == 1:
        return last.counters
    found = {}
    for measure, statistic in last.counters.items():
        try:
            found[measure] = statistic.minus(first.counters.get(measure, Statistic(0.0, 0.0, 0.0)))
        except ValueError:
            raise UsageError(
                f"{_source(last)}: {measure} fell since {_source(first)}: its counters were set back between them; "
                "give readings of one stretch"
            ) from None
    return found
