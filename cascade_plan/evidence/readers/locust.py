"""What Locust measured, from the CSV files that it writes since 0.13."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers._locust import Statistics, is_total, rows_of, statistics
from cascade_plan.evidence.texts import Beside, Row, Table, Text, table
from cascade_plan.model.measurement import CLOCK_S, Failure, Measurement

READS: str = "Locust's --csv files (their prefix, or one of them)"
FILES: tuple[str, ...] = ("*_stats.csv",)
COMPANIONS: tuple[str, ...] = ("_stats_history.csv", "_failures.csv", "_exceptions.csv")
ENDINGS: Final = (*COMPANIONS, "_stats.csv")
SINCE_1_0: Final = ("Request Count", "Failure Count", "Average Response Time")
BEFORE_1_0: Final = ("# requests", "# failures", "Average response time")
"""What the columns of requests, failures and mean are called (read in 0.13.5, 0.14.6, 1.0.3, 1.6.0 and 2.47)."""
HISTORIES: Final = (("Timestamp", "Total Request Count"), ("Timestamp", "# requests"))
FAILURES: Final = ("Method", "Name", "Error", "Occurrences")
HEADERS: Final = (
    ("Type", "Name", SINCE_1_0[0]),
    ("Type", "Name", BEFORE_1_0[0]),
    ("Name", *HISTORIES[0]),
    FAILURES,
    ("Count", "Message", "Traceback", "Nodes"),
)
"""What Locust's files are told by."""
WHAT: Final = "a file that Locust's --csv writes"
SHOWN_FAILURES: Final = 5
LATE_S: Final = 4.0
"""The history may be so much short of the requests: its seconds are whole ones, and workers report every 3 s."""
SETTLED_S: Final = 1.5
"""A total that began this much after the last user came leaves out the first seconds, by a clock of whole seconds."""


def claims(file: Text) -> bool:
    """Return whether a file's header is one of Locust's."""
    return any({*columns} <= {*file.header} for columns in HEADERS)


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what Locust measured, under "": from one of its files and those with the same prefix beside it.

    Raises UsageError when the statistics are missing or are none, and for a run without requests.
    """
    prefix = next((file.name.removesuffix(ending) for ending in ENDINGS if file.name.endswith(ending)), None)
    if prefix is None:
        if {"Name", "50%"} <= {*file.header} and "Timestamp" not in file.header:
            return {"": measured(file, None, None)}
        raise UsageError(f"{file.name}: this is another file of Locust's --csv: give PREFIX_stats.csv, with it beside")
    stats = beside(f"{prefix}_stats.csv")
    if stats is None:
        raise UsageError(f"cannot read '{prefix}_stats.csv': no such file or directory")
    return {"": measured(stats, beside(f"{prefix}_stats_history.csv"), beside(f"{prefix}_failures.csv"))}


def measured(stats: Text, history: Text | None, failures: Text | None) -> Measurement:
    """Return what Locust measured. Raises UsageError as `read` does."""
    names = BEFORE_1_0 if BEFORE_1_0[0] in stats.header else SINCE_1_0
    own = statistics(table(stats, ("Name", *names, "Requests/s", "50%", "95%", "99%"), WHAT), names)
    found = _history(history, own) if history else _History()
    return Measurement(
        tool="Locust",
        results="Locust's --csv files" if history else "Locust's statistics without their history beside them",
        source=stats.name,
        user_count=found.users,
        held_s=found.held_s,
        held_from_s=found.held_from_s,
        run_s=found.run_s,
        request_count=own.request_count,
        failure_count=own.failure_count,
        requests_per_s=own.requests_per_s or None if found.rate is None else found.rate,
        rate_includes_ramp=found.rate is None,
        latency_ms_mean=own.latency_ms_mean,
        percentiles=own.percentiles,
        includes=(*own.includes, *found.includes),
        may_include=found.may_include,
        remarks=own.remarks,
        failures=_failures(failures) if failures else (),
    )


class _History(NamedTuple):
    users: int | None = None
    held_s: float | None = None
    held_from_s: float | None = None
    run_s: float | None = None
    rate: float | None = None
    includes: tuple[str, ...] = ()
    may_include: tuple[str, ...] = ("the ramp", "the first seconds with all users")


class _Second(NamedTuple):
    at: float
    users: int
    requests: int


def _history(file: Text, own: Statistics) -> _History:
    """Return what the history tells: users, how long they were all there, their rate, and what the total counts.

    Locust forgets the ramp when it is told to (--reset-stats, or the emitted file): the count of requests falls. It
    rises all the same after a ramp of few requests, so that the statistics' own rate is asked too: requests over rate
    is how long the total counts.
    """
    columns = next((names for names in HISTORIES if names[1] in file.header), HISTORIES[0])
    read = table(file, ("Name", *columns), WHAT)
    tells_users = "User Count" in read.columns
    seconds = [
        _Second(read.number(row, "Timestamp"), read.count(row, "User Count") if tells_users else 0, requests)
        for row in read.rows()
        if is_total(read, row)
        for requests in (read.count(row, columns[1]),)
    ]
    if not seconds:
        raise UsageError(f"{file.name}: no row named Aggregated: the file is cut short, or not Locust's")
    if any(after.at < before.at for before, after in pairwise(seconds)):
        raise UsageError(f"{file.name}: its times go back: rows of several runs, or sorted otherwise")
    run_s = seconds[-1].at - seconds[0].at
    if not tells_users:
        return _History(run_s=run_s)
    users = max(second.users for second in seconds)
    full_at = next(second.at for second in seconds if second.users == users)
    counted = _counted_from(seconds, own)
    hold = _longest([second for second in seconds if second.at >= counted], users)
    held_s = hold[-1].at - hold[0].at if hold else 0.0
    before = any(second.at < full_at and second.requests for second in seconds)
    includes = (
        *(("the ramp",) if before and counted < full_at - 1 else ()),
        *(("the first seconds with all users",) if counted < full_at + SETTLED_S else ()),
    )
    own_rate = None if "the ramp" in includes else own.requests_per_s or None
    return _History(users, held_s, hold[0].at if hold else None, run_s, _rate(hold, own_rate), includes, ())


def _rate(hold: Sequence[_Second], own_rate: float | None) -> float | None:
    """Return the rate while all users were there: the total's own, unless it is more than the history can be.

    Locust divides by the time up to the last answer: of a system that stops answering it tells the rate before.
    """
    held_s = hold[-1].at - hold[0].at if hold else 0.0
    if not held_s:
        return own_rate
    requests = hold[-1].requests - hold[0].requests
    if own_rate is not None and (held_s <= LATE_S or own_rate <= requests / (held_s - LATE_S)):
        return own_rate
    return requests / held_s


def _counted_from(seconds: Sequence[_Second], own: Statistics) -> float:
    """Return since when the total counts: since the count last fell, or for as long as requests over rate."""
    fell = max((after.at for before, after in pairwise(seconds) if after.requests < before.requests), default=0.0)
    last = max((after.at for before, after in pairwise(seconds) if after.requests > before.requests), default=0.0)
    since = last - own.request_count / own.requests_per_s if own.requests_per_s else 0.0
    return max(fell, since if since > seconds[0].at + CLOCK_S else seconds[0].at)


def _longest(seconds: Sequence[_Second], users: int) -> Sequence[_Second]:
    """Return the longest time in one piece for which all users were there."""
    pieces = [list(piece) for all_there, piece in groupby(seconds, lambda second: second.users == users) if all_there]
    return max(pieces, key=len, default=[])


def _failures(file: Text) -> tuple[Failure, ...]:
    read = table(file, FAILURES, WHAT)
    found = [_failure(read, row) for row in rows_of(read, empty=True)]
    return tuple(sorted(found, key=lambda failure: (-failure.count, failure.what))[:SHOWN_FAILURES])


def _failure(read: Table, row: Row) -> Failure:
    what = f"{read.text(row, 'Method')} {read.text(row, 'Name')}: {read.text(row, 'Error')}"
    return Failure(what, read.count(row, "Occurrences"))
