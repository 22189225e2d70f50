"""PostgreSQL's pg_stat_statements: how often what kind of statement ran, and how long it took."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.printed import Printed, columns, printed
from cascade_plan.evidence.texts import Text
from cascade_plan.model.observation import (
    PLANS_READ,
    PLANS_WRITE,
    STATEMENTS_CONTROL,
    STATEMENTS_OTHER,
    STATEMENTS_READ,
    STATEMENTS_WRITE,
    Measure,
    Metrics,
    Statistic,
)

READS: str = "pg_stat_statements (psql --csv)"
TIMES: Final = (
    ("total_exec_time", "mean_exec_time", "stddev_exec_time"),
    ("total_time", "mean_time", "stddev_time"),
)
"""Columns of the sum, the mean and the deviation since PostgreSQL 13, and before, in ms.

Source: https://www.postgresql.org/docs/17/pgstatstatements.html and 12/pgstatstatements.html. The deviation is of the
whole population: the extension divides the sum of squares by the calls.
"""
PLAN_TIMES: Final = ("total_plan_time", "mean_plan_time", "stddev_plan_time")
PLANS: Final = {STATEMENTS_READ: PLANS_READ, STATEMENTS_WRITE: PLANS_WRITE}
COMMENTS: Final = re.compile(r"\A(?:\s|\(|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
CONTROL: Final = frozenset(
    (
        *("begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare", "deallocate"),
        *("set", "reset", "discard", "show"),
    )
)
READ: Final = frozenset(("select", "table", "values", "fetch"))
WRITE: Final = frozenset(("insert", "update", "delete", "merge"))
SETS: Final = re.compile(r"select\s+(?:pg_catalog\.)?set_config\s*\(", re.IGNORECASE)
WRITES_WITHIN: Final = re.compile(
    r"\b(?:insert\s+into|delete\s+from|merge\s+into|update\s+[^\s;]+\s+(?:as\s+\w+\s+)?set)\b", re.I
)
OF_THE_SYSTEM: Final = re.compile(r"\bpg_stat_|\bpg_catalog\b|\bpg_class\b|\bpg_settings\b", re.IGNORECASE)
"""What only programs that watch a database ask."""
HIDDEN: Final = "<insufficient privilege>"


def claims(file: Text) -> bool:
    """Return whether a file's header has the columns of the view that no other has together."""
    found = {*columns(file)}
    return {"query", "calls"} <= found and any({*names} & found for names in TIMES)


def read(file: Text, said: Measure) -> Metrics:
    """Return what was counted up to the moment of the file, by kind of statement.

    Means and deviations of kinds are those of all their executions: of n executions of a statement with mean m and
    deviation s the sum is n m and the sum of squares n (m^2 + s^2), and both add up over statements.
    Raises UsageError for columns that are missing, and where the texts of statements are hidden.
    """
    if said.what:
        raise UsageError(f"{file.name}: pg_stat_statements says itself what it counts: give it as DATABASE=FILE")
    found = printed(file)
    names = next(names for names in TIMES if {*names} & {*found.columns})
    counters: dict[str, Statistic] = {}
    for line, row in found.rows:
        if row.get("toplevel", "t") in ("f", "false"):
            continue
        if row["query"] == HIDDEN:
            raise UsageError(
                f"{file.name}:{line}: the statement's text is hidden: read the view as a superuser or as a member of "
                "pg_read_all_stats"
            )
        what = kind(row["query"])
        _add(counters, what, _statistic(found, line, row, "calls", names))
        if what in PLANS and "plans" in found.columns:
            _add(counters, PLANS[what], _statistic(found, line, row, "plans", PLAN_TIMES))
    if not any(statistic.count for statistic in counters.values()):
        raise UsageError(f"{file.name}: no statement was counted: is pg_stat_statements in shared_preload_libraries?")
    remarks = []
    if not any(counters[plans].count for plans in PLANS.values() if plans in counters):
        counters = {what: statistic for what, statistic in counters.items() if what not in PLANS.values()}
        remarks.append(f"{file.name}: no plan was counted: pg_stat_statements.track_planning is off")
    measures = {Measure(what, said.subject): statistic for what, statistic in sorted(counters.items())}
    return Metrics(
        counters=measures,
        counted_to_s=found.at_s,
        sources=dict.fromkeys(measures, file.name),
        remarks=tuple(remarks),
    )


def kind(query: str) -> str:
    """Return the kind of a statement by its text.

    >>> kind("/* list */ SELECT * FROM rooms"), kind("COMMIT"), kind("select set_config($1, $2, true)")
    ('statements_read', 'statements_control', 'statements_control')
    >>> kind("WITH gone AS (DELETE FROM rooms RETURNING id) SELECT * FROM gone"), kind("VACUUM rooms")
    ('statements_write', 'statements_other')
    """
    text = query[COMMENTS.match(query).end() :]  # type: ignore[union-attr]
    word = re.match(r"\w*", text)[0].lower()  # type: ignore[index]
    if SETS.match(text) or word in CONTROL:
        return STATEMENTS_CONTROL
    if OF_THE_SYSTEM.search(text):
        return STATEMENTS_OTHER
    if word in WRITE or (word == "with" and WRITES_WITHIN.search(text)):
        return STATEMENTS_WRITE
    if word == "copy":
        return STATEMENTS_WRITE if re.search(r"\bfrom\s+stdin\b", text, re.IGNORECASE) else STATEMENTS_READ
    return STATEMENTS_READ if word in READ or word == "with" else STATEMENTS_OTHER


def _add(counters: dict[str, Statistic], what: str, statistic: Statistic) -> None:
    counters[what] = counters[what].plus(statistic) if what in counters else statistic


def _statistic(found: Printed, line: int, row: Mapping[str, str], count: str, names: tuple[str, str, str]) -> Statistic:
    """Return how often a statement ran, or was planned, with the time that it took."""
    total, mean, deviation = names
    if total not in found.columns and mean not in found.columns:
        raise UsageError(f"{found.file.name}:1: no column {total} and no column {mean}: select one of them")
    number = found.number(line, row, count)
    if not number:
        return Statistic(0.0, 0.0)
    mean_ms = found.number(line, row, mean) if mean in row else found.number(line, row, total) / number
    stddev_ms = found.number(line, row, deviation) if deviation in row else None
    return Statistic(number, mean_ms, stddev_ms)
