"""PgBouncer's SHOW STATS: transactions and queries through a pool, and how long they held and waited."""

from __future__ import annotations

from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.printed import columns, printed
from cascade_plan.evidence.texts import Text, quoted
from cascade_plan.model.observation import POOL_QUERIES, POOL_TRANSACTIONS, POOL_WAITS, Measure, Metrics, Statistic

READS: str = "PgBouncer's SHOW STATS (as psql prints it)"
CONSOLE: Final = "pgbouncer"
"""The database that is PgBouncer's own console."""
US_PER_MS: Final = 1000.0
"""Source: https://www.pgbouncer.org/usage.html: times are in microseconds."""
COUNTED: Final = (
    (POOL_TRANSACTIONS, "xact_count", "xact_time"),
    (POOL_QUERIES, "query_count", "query_time"),
    (POOL_WAITS, "xact_count", "wait_time"),
)
"""What is counted, and the columns of its number and its time. A client waits for a connection once a transaction."""
BEFORE_1_8: Final = "total_requests"


def claims(file: Text) -> bool:
    """Return whether a file's header is that of SHOW STATS, of SHOW STATS_TOTALS, or of SHOW STATS before 1.8."""
    found = {*columns(file)}
    return "database" in found and bool(found & {"total_xact_count", "xact_count", BEFORE_1_8})


def read(file: Text, said: Measure) -> Metrics:
    """Return what was counted up to the moment of the file, over all databases but the console.

    Raises UsageError for columns that are missing, as those of versions before 1.8.
    """
    if said.what:
        raise UsageError(f"{file.name}: SHOW STATS says itself what it counts: give it as POOL=FILE")
    found = printed(file)
    if BEFORE_1_8 in found.columns:
        raise UsageError(f"{file.name}:1: PgBouncer before 1.8 counts no transactions: take 1.8 or later")
    start = "total_" if "total_xact_count" in found.columns else ""
    needed = dict.fromkeys(f"{start}{name}" for _, *names in COUNTED for name in names)
    if missing := [name for name in needed if name not in found.columns]:
        raise UsageError(f"{file.name}:1: no column {', '.join(missing)}: give SHOW STATS whole")
    rows = [(line, row) for line, row in found.rows if row["database"] != CONSOLE]
    if not rows:
        raise UsageError(f"{file.name}: no database but the console {CONSOLE}: nothing went through the pool")
    counters = {}
    for what, count, time in COUNTED:
        number, sum_us = (
            sum(found.number(line, row, f"{start}{name}") for line, row in rows) for name in (count, time)
        )
        counters[Measure(what, said.subject)] = Statistic(number, sum_us / US_PER_MS / number if number else 0.0)
    remarks = []
    if len(rows) > 1:
        databases = ", ".join(quoted(row["database"]) for _, row in rows)
        remarks.append(f"{file.name}: the databases {databases} are added up")
    if not start:
        remarks.append(f"{file.name}: taken as SHOW STATS_TOTALS; SHOW STATS_AVERAGES has the same columns")
    return Metrics(
        counters=counters,
        counted_to_s=found.at_s,
        sources=dict.fromkeys(counters, file.name),
        remarks=tuple(remarks),
    )
