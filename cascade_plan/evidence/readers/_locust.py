"""What Locust's files have in common: a row for each route and one for all, and percentiles of few digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from cascade_plan.errors import UsageError
from cascade_plan.evidence.texts import Row, Table
from cascade_plan.model.measurement import PERCENTILES, Percentile
from cascade_plan.units import counted

TOTAL: Final = ("Aggregated", "Total")
"""What the row of all requests is called, the second one before 0.12."""
NO_METHOD: Final = ("", "None")
LOGIN: Final = "login"
"""What the emitted load tests call a login."""


def rounding_ms(latency_ms: float) -> float:
    """Return how far from the true value a percentile of Locust's can be.

    Locust keeps two digits of a response time: 10 ms steps above 100 ms, 100 ms above 1 s, 1 s above 10 s, else 1 ms.
    A value that is no such step was kept with more digits.
    Source: bucket_response_time in locust/stats.py (2.47).

    >>> rounding_ms(87), rounding_ms(200), rounding_ms(197), rounding_ms(3400), rounding_ms(3410), rounding_ms(12000)
    (0.5, 5.0, 0.5, 50.0, 5.0, 500.0)
    """
    steps = [step for least, step in ((0, 1), (100, 10), (1000, 100), (10_000, 1000)) if latency_ms >= least]
    return next(step / 2 for step in reversed(steps) if latency_ms % step == 0 or step == 1)


def rows_of(table: Table, empty: bool = False) -> list[Row]:
    """Return a table's rows. Raises UsageError when there is none, unless that is all right."""
    rows = list(table.rows())
    if not rows and not empty:
        raise UsageError(f"{table.file.name}: a header and no rows: the run did not get as far as a result")
    return rows


def is_total(table: Table, row: Row) -> bool:
    """Return whether a row is that of all requests, and not of a route of that name."""
    return table.text(row, "Name") in TOTAL and (table.text(row, "Type") or table.text(row, "Method")) in NO_METHOD


class Statistics(NamedTuple):
    """What a file of statistics tells of all requests but logins."""

    request_count: int
    failure_count: int
    requests_per_s: float
    latency_ms_mean: float
    percentiles: Mapping[str, Percentile]
    includes: tuple[str, ...]
    remarks: tuple[str, ...]


def statistics(table: Table, names: Sequence[str]) -> Statistics:
    """Return what a table's total tells, or its other rows where the total counts logins.

    `names` are the columns of requests, failures and mean.
    Raises UsageError for a table without a total or without requests.
    """
    rows = rows_of(table)
    total = next((row for row in reversed(rows) if is_total(table, row)), None)
    if total is None:
        raise UsageError(f"{table.file.name}: no row named Aggregated: the file is cut short, or not Locust's")
    routes = [row for row in rows if row is not total and table.count(row, names[0])]
    logins = [row for row in routes if table.text(row, "Name").lower() == LOGIN]
    others = [row for row in routes if row not in logins]
    login_count = sum(table.count(row, names[0]) for row in logins)
    if not table.count(total, names[0]):
        failed = sum(table.count(row, names[1]) for row in logins)
        but = f" but {counted(login_count, 'login')}, of which {failed:,} failed" if login_count else ""
        raise UsageError(f"{table.file.name}: no request was made{but}, so there is nothing to judge")
    all_count = sum(table.count(row, names[0]) for row in routes)
    if login_count and others and table.count(total, names[0]) == all_count:
        return _without_logins(table, names, total, others, login_count)
    remarks = (f"{counted(login_count, 'login')} counted apart",) if login_count else ()
    includes = ("logins",) if login_count and not others else ()
    return Statistics(
        table.count(total, names[0]),
        table.count(total, names[1]),
        table.number(total, "Requests/s"),
        table.number(total, names[2]),
        _percentiles(table, total),
        includes,
        remarks,
    )


def _without_logins(
    table: Table, names: Sequence[str], total: Row, others: Sequence[Row], login_count: int
) -> Statistics:
    """Return what the rows that are no login tell together.

    A percentile of them together lies between the least and the most of theirs: at least that share of each row's
    requests is within the most, and less than it is below the least.
    """
    counts = [table.count(row, names[0]) for row in others]
    count = sum(counts)
    parts = [_percentiles(table, row) for row in others]
    whole = _percentiles(table, total)
    percentiles = {}
    for name in whole:
        least = min(part[name].latency_ms_min for part in parts)
        most = max(part[name].latency_ms_max for part in parts)
        nearest = min(max(whole[name].latency_ms, least), most)
        percentiles[name] = Percentile(nearest, least, most)
    mean = sum(table.number(row, names[2]) * each for row, each in zip(others, counts, strict=True)) / count
    return Statistics(
        count,
        sum(table.count(row, names[1]) for row in others),
        table.number(total, "Requests/s") * count / (count + login_count),
        mean,
        percentiles,
        (),
        (
            f"the total counts {counted(login_count, 'login')}: judged are the other rows, whose percentiles together "
            "lie between the least and the most of theirs",
        ),
    )


def _percentiles(table: Table, row: Row) -> dict[str, Percentile]:
    found = {}
    for name in PERCENTILES:
        if (column := f"{name[1:]}%") in table.columns:
            value = table.number(row, column)
            rounding = rounding_ms(value)
            found[name] = Percentile(value, max(0.0, value - rounding), value + rounding)
    return found
