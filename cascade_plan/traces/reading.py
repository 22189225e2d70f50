"""A trace from the text of a file, whatever tool wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Final, NamedTuple

from cascade_plan import registry
from cascade_plan.errors import did_you_mean
from cascade_plan.model.trace import Trace
from cascade_plan.traces.foreign import foreign
from cascade_plan.traces.placing import place
from cascade_plan.traces.series import Record, Series, Unit, quoted

DIALECTS: Final = "traces/dialects"
UNITS: Final = {"count": Unit(None, "asked for"), "rate": Unit(1.0, "asked for")}
SHOWN: Final = 8
"""Series that a message names."""


class Ways(NamedTuple):
    """How a user says what of a file is meant."""

    column: str
    total: str
    rate: str


BY_FLAGS: Final = Ways("--column NAME", "--sum", "--unit rate")
IN_A_SCENARIO: Final = Ways("column: NAME", "sum: true", "unit: rate")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a file is the trace."""

    column: str | None = None
    """The name of a column, or of a series."""
    is_sum: bool = False
    """Whether all series are added."""
    unit: str | None = None
    """count or rate; None to be told by the file."""
    ways: Ways = BY_FLAGS


def read_trace(text: str, name: str, wanted: Wanted = Wanted()) -> Trace:
    """Return the trace that a file's text holds.

    Raises ValueError, in words and with the line where there is one, for what is no trace, and when one of several
    series has to be chosen.
    """
    record = _record(text)
    chosen = _chosen(record, wanted)
    return place(chosen, _unit(chosen, wanted), record.clock, name, wanted.ways.rate)


def _record(text: str) -> Record:
    if not text.strip():
        raise ValueError("it is empty")
    dialects = [registry.load(DIALECTS, name) for name in registry.names(DIALECTS)]
    if what := foreign(text):
        raise ValueError(f"this is {what}; {_forms(dialects)}")
    for dialect in dialects:
        if dialect.claims(text):
            found: Record = dialect.read(text)
            return found
    raise ValueError(f"this is JSON of a kind that is not read; {_forms(dialects)}")


def _forms(dialects: Sequence[ModuleType]) -> str:
    return f"a trace is {', or '.join(dialect.READS for dialect in dialects)}"


def _chosen(record: Record, wanted: Wanted) -> Sequence[Series]:
    """Return the series that are wanted. Raises ValueError listing them where there are several and none is."""
    labels = [series.label for series in record.series]
    if wanted.column is not None:
        for same in (str, str.casefold):
            found = [series for series in record.series if same(series.label) == same(wanted.column)]
            if found:
                return found[:1]
        raise ValueError(
            f"no column {quoted(wanted.column)}: it has {_listed(labels)}{did_you_mean(wanted.column, labels)}"
        )
    if len(record.series) > 1 and not wanted.is_sum:
        raise ValueError(
            f"it has {len(labels):,} series, {_listed(labels)}: choose with {wanted.ways.column}, or add them with "
            f"{wanted.ways.total}"
        )
    return record.series


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - SHOWN:,} more" if len(labels) > SHOWN else ""
    return ", ".join(map(quoted, labels[:SHOWN])) + more


def _unit(chosen: Sequence[Series], wanted: Wanted) -> Unit:
    if wanted.unit is not None:
        if wanted.unit not in UNITS:
            raise ValueError(f"no unit {quoted(wanted.unit)}: count (of each interval) or rate (per second)")
        return UNITS[wanted.unit]
    units = {series.unit.per_s: series.unit for series in chosen}
    if len(units) > 1:
        raise ValueError(f"its series are counts and rates, which cannot be added: choose with {wanted.ways.column}")
    return chosen[0].unit
