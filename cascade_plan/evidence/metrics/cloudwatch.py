"""CloudWatch's metrics of RDS, ElastiCache and the balancer: the AWS CLI's answers, and what its console saves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite, nan
from typing import Any, Final, NamedTuple

from cascade_plan.errors import UsageError
from cascade_plan.evidence.metrics._cloudwatch import LABEL, METRICS, NAMED, OF_A_TIER, Told, statistic
from cascade_plan.evidence.naming import measure, settled
from cascade_plan.evidence.texts import Text, quoted
from cascade_plan.evidence.windows import Points, joined, metrics, window_of
from cascade_plan.model.observation import Measure, Metrics
from cascade_plan.traces.documents import instants_of, text_of
from cascade_plan.traces.rows import Rows, rows_of
from cascade_plan.traces.times import date_form, is_date

READS: str = "CloudWatch's get-metric-statistics, get-metric-data (JSON) or its console's CSV"
PARTIAL: Final = ("PartialData", "InternalError", "Forbidden")
ABOVE: Final = re.compile(
    r'"?(?:full label|label|id|region|period|statistic|graph title|account|unit)"?\s*,', re.IGNORECASE
)
"""How the rows begin that the console writes above the data."""
EXTENDED: Final = "ExtendedStatistics"


class Raw(NamedTuple):
    """A series as CloudWatch has it."""

    label: str
    """What CloudWatch calls it."""
    metric: str
    """The metric, "" where nothing tells it."""
    statistic: str
    """Its statistic, "" where nothing tells it."""
    subject: str
    unit: str
    """CloudWatch's unit, "" where nothing tells it."""
    times_s: Sequence[float]
    values: Sequence[float]
    has_zone: bool = True
    """Whether its times say their zone."""


def claims(file: Text) -> bool:
    """Return whether a file is one of the CLI's answers, or rows under the name of one of CloudWatch's metrics."""
    found = file.document
    if isinstance(found, dict):
        return "Datapoints" in found or "MetricDataResults" in found
    opening = file.opening.lstrip()
    if opening.startswith(("{", "[", "<")):
        return False
    return bool(ABOVE.match(opening)) or NAMED.search(opening.partition("\n")[0]) is not None


def read(file: Text, said: Measure) -> Metrics:
    """Return the series of a file: rates a second for sums, ms for response times, shares for percentages.

    A value is of the period that starts at its time, and a period is as long as the shortest time between two.
    Raises UsageError, with the place, for what is no answer, a part of one, or of which nothing says whose it is.
    """
    try:
        raws = [*_raws(file)]
    except ValueError as error:
        raise UsageError(f"{file.name}: {error}") from None
    if not any(raw.times_s for raw in raws):
        raise UsageError(f"{file.name}: CloudWatch found no data: the series are empty")
    merged = _merged(raws)
    # A metric of five minutes has one value in a short run, which does not tell its period.
    kept = [raw for raw in merged if len({*raw.times_s}) > 1] or [raw for raw in merged if raw.times_s]
    measured = _measured(kept, said, file.name)
    if len({own for own, _ in measured}) < len(measured):
        labels = ", ".join(quoted(raw.label) for raw in kept)
        raise UsageError(f"{file.name}: several series are of the same: {labels}: give them apart, or label them")
    found = joined([_windows(own, told, raw, file.name) for (own, told), raw in zip(measured, kept, strict=True)])
    short = ", ".join(quoted(raw.label) for raw in merged if raw not in kept)
    return replace(found, remarks=(*found.remarks, f"{file.name}: no two values of {short}")) if short else found


def _merged(raws: Sequence[Raw]) -> list[Raw]:
    """Return each series once: the CLI gives each page of a long answer apart."""
    merged: dict[tuple[str, ...], Raw] = {}
    for raw in raws:
        earlier = merged.get(raw[:5])
        times, values = (earlier.times_s, earlier.values) if earlier else ((), ())
        merged[raw[:5]] = raw._replace(times_s=[*times, *raw.times_s], values=[*values, *raw.values])
    return [*merged.values()]


def _windows(own: Measure, told: Told | None, raw: Raw, name: str) -> Metrics:
    """Return the series of one measure in its unit."""
    period_s = window_of(raw.times_s, f"{name}: {quoted(raw.label)}")
    factor = 1.0
    if told is not None:
        units = told.units
        if raw.unit and raw.unit not in units:
            raise UsageError(
                f"{name}: {quoted(raw.label)} is in {quoted(raw.unit)}, and must be in {' or '.join(units)}"
            )
        factor = units[raw.unit or next(iter(units))] / (period_s if told.is_sum else 1.0)
    points: Points = [
        (time, value * factor if isfinite(value) else nan) for time, value in zip(raw.times_s, raw.values, strict=True)
    ]
    remarks = () if raw.has_zone else (f"{name}: its times have no zone, and are taken as UTC",)
    return metrics({own: points}, period_s, name, remarks)


# ------------------------------------------------------------------------------------------------------------- meaning


def _measured(raws: Sequence[Raw], said: Measure, name: str) -> list[tuple[Measure, Told | None]]:
    """Return what each series is of. Raises UsageError listing those of which nothing tells it."""
    found = [_meaning(raw, said, name) for raw in raws]
    unknown = [raw for raw, told in zip(raws, found, strict=True) if told is None]
    if unknown:
        labels = ", ".join(quoted(raw.label) for raw in unknown[:8])
        raise UsageError(
            f"{name}: nothing says what {labels} {'is' if len(unknown) == 1 else 'are'}: label a series TIER METRIC "
            "STATISTIC, such as 'database CPUUtilization Average', as docs/calibrate.md does, or give the file as "
            f"WHAT:TIER={name}"
        )
    return [each for each in found if each is not None]


def _meaning(raw: Raw, said: Measure, name: str) -> tuple[Measure, Told | None] | None:
    where = f"{name}: {quoted(raw.label)}"
    try:
        return settled(measure(raw.label), said, where), None
    except ValueError:
        pass
    if not raw.metric:
        return None
    told = _told(raw, said, where)
    if told is None:
        return None
    own = settled(Measure(told.what, raw.subject), said, where)
    if raw.metric in OF_A_TIER and not own.subject:
        raise UsageError(f"{where} is of RDS, ElastiCache and nodes alike: say of which tier, as in database={name}")
    return own, told


def _told(raw: Raw, said: Measure, where: str) -> Told | None:
    """Return what a series says, by its statistic; by what is said of it where the file does not tell that."""
    known = METRICS[raw.metric]
    if raw.statistic in known:
        return known[raw.statistic]
    if raw.statistic:
        raise UsageError(f"{where} is its {quoted(raw.statistic)}: ask for its {' or '.join(known)}")
    return next((told for told in known.values() if told.what == said.what), None)


def _by_label(label: str) -> tuple[str, str, str]:
    """Return (metric, statistic, subject) as a label tells them, "" for each that it does not."""
    if found := LABEL.fullmatch(label.strip()):
        return found["metric"], statistic(found["statistic"] or ""), found["subject"] or ""
    names = {*NAMED.findall(label)}
    return (names.pop() if len(names) == 1 else ""), "", ""


# ------------------------------------------------------------------------------------------------------------- reading


def _raws(file: Text) -> Iterator[Raw]:
    found = file.document
    if not isinstance(found, dict):
        return _of_console(file)
    return _of_statistics(found) if "Datapoints" in found else _of_data(found)


def _of_statistics(found: Mapping[str, Any]) -> Iterator[Raw]:
    """Yield a series for each statistic of get-metric-statistics that says something."""
    points, metric = found["Datapoints"], str(found.get("Label", ""))
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise ValueError("Datapoints is no list of data points")
    if metric not in METRICS:
        raise ValueError(f"its Label is {quoted(metric)}, which is not read: {', '.join(METRICS)} are")
    flat = [{**point, **(point.get(EXTENDED) or {})} for point in points]
    kinds = [(name, key) for key in dict.fromkeys(key for point in flat for key in point)
             if (name := statistic(key)) in METRICS[metric]]  # fmt: skip
    if points and not kinds:
        wanted = " or ".join(METRICS[metric])
        raise ValueError(f"{metric} without its {wanted}: ask for --statistics {wanted}, or --extended-statistics pNN")
    units = {str(point.get("Unit", "")) for point in points}
    if len(units) > 1:
        raise ValueError(f"its data points are in {', '.join(map(quoted, sorted(units)))}: ask for one --unit")
    instants = instants_of([point.get("Timestamp") for point in points[:1]], "timestamp")
    for name, key in kinds:
        there = [(index, point) for index, point in enumerate(flat) if key in point]
        yield Raw(
            f"{metric} {name}",
            metric,
            name,
            "",
            "".join(units),
            [_time(instants, point.get("Timestamp"), f"Datapoints[{index}]") for index, point in there],
            [_value(point[key], f"Datapoints[{index}].{key}") for index, point in there],
        )


def _of_data(found: Mapping[str, Any]) -> Iterator[Raw]:
    """Yield a series for each result of get-metric-data."""
    results = found["MetricDataResults"]
    if not isinstance(results, list) or not all(isinstance(each, dict) for each in results):
        raise ValueError("MetricDataResults is no list of series")
    last = {str(each.get("Id")): str(each.get("StatusCode")) for each in results}
    for identity, status in last.items():
        if status in PARTIAL:
            raise ValueError(f"{quoted(identity)} is {status}, a part of the data: ask for the rest with its NextToken")
    series = []
    for index, each in enumerate(results):
        times, values = each.get("Timestamps") or [], each.get("Values") or []
        if not isinstance(times, list) or not isinstance(values, list) or len(times) != len(values):
            raise ValueError(f"MetricDataResults[{index}] must have as many Values as Timestamps")
        series.append((times, values))
    instants = instants_of([times[0] for times, _ in series if times][:1], "timestamp")
    for index, (each, (times, values)) in enumerate(zip(results, series, strict=True)):
        place, label = f"MetricDataResults[{index}]", str(each.get("Label") or each.get("Id") or "")
        yield Raw(
            label,
            *_by_label(label),
            "",
            [_time(instants, time, f"{place}.Timestamps[{at}]") for at, time in enumerate(times)],
            [_value(value, f"{place}.Values[{at}]") for at, value in enumerate(values)],
        )


def _of_console(file: Text) -> Iterator[Raw]:
    """Yield a series for each column of the console's CSV.

    Above the data stand rows of what was asked, each under a name of its own: the label, the statistic, the period.
    """
    rows: Rows = rows_of(file.text)
    above, data = _parted(rows)
    if not data:
        raise ValueError("no row has a time and numbers")
    instants = _Instants(cells[0] for _, cells in data)
    times = [instants.read(cells[0], line) for line, cells in data]
    width = max(len(cells) for _, cells in data)
    named = {cells[0].strip().lower(): cells for cells in above if cells}
    heads = [named[key] for key in ("full label", "label") if key in named] or above[-1:]
    for column in range(1, width):
        labels = [cells[column] for cells in heads if column < len(cells) and cells[column]]
        label = labels[0] if labels else f"column {column + 1}"
        metric, own, subject = next((told for text in labels if (told := _by_label(text))[0]), ("", "", ""))
        asked = named.get("statistic", [])
        own = own or (statistic(asked[column]) if column < len(asked) else "")
        yield Raw(
            label,
            metric,
            own,
            subject,
            "",
            times,
            [_cell(cells[column] if column < len(cells) else "", f"line {line}") for line, cells in data],
            instants.has_zone,
        )


def _parted(rows: Rows) -> tuple[list[list[str]], list[tuple[int, list[str]]]]:
    every = [*rows]
    first = next((index for index, (_, cells) in enumerate(every) if is_date(cells[0])), len(every))
    return [cells for _, cells in every[:first]], every[first:]


class _Instants:
    """Times of a column of dates."""

    def __init__(self, cells: Iterable[str]) -> None:
        self._form = date_form(cells)
        self.has_zone = False

    def read(self, cell: str, line: int) -> float:
        """Return seconds since 1970. Raises ValueError with the line."""
        try:
            found = self._form.read(cell)
        except ValueError:
            raise ValueError(f"line {line}: {quoted(cell)} is no time") from None
        self.has_zone = found.offset_s is not None
        return found.clock_s - (found.offset_s or 0.0)


def _time(instants: Any, time: object, place: str) -> float:
    try:
        found: float = instants.read(text_of(time))
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    return found


def _value(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{place}: {quoted(value)} is no number")
    return float(value)


def _cell(text: str, place: str) -> float:
    if not text.strip() or text.strip().lower() in ("nan", "-", "null"):
        return nan
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{place}: {quoted(text)} is no number") from None
