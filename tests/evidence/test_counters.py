"""What PostgreSQL and PgBouncer counted between two readings, as every version prints it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics_read import read, refused

from cascade_plan.evidence.metrics.pg_stat_statements import kind
from cascade_plan.model.observation import (
    PLANS_READ,
    POOL_QUERIES,
    POOL_TRANSACTIONS,
    POOL_WAITS,
    STATEMENTS_CONTROL,
    STATEMENTS_OTHER,
    STATEMENTS_READ,
    STATEMENTS_WRITE,
    Measure,
    Statistic,
)

Row = Mapping[str, object]


def printed(rows: Sequence[Row], separator: str = ",") -> str:
    out = StringIO()
    writer = csv.DictWriter(out, [*rows[0]], delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


# -------------------------------------------------------------------------------------------------- pg_stat_statements

READ, WRITE = 'SELECT * FROM rooms\n  WHERE id = $1 -- one, "two"', "INSERT INTO rooms VALUES ($1, 'a,b|c')"


def statement(query: str, times_ms: Sequence[float], plans_ms: Sequence[float] = (), **more: object) -> Row:
    """Return a row of the view since version 13, of executions and plans that took these times."""
    return {
        "userid": 10,
        "queryid": -42,
        "query": query,
        **_told("plans", "plan", plans_ms),
        **_told("calls", "exec", times_ms),
        "rows": len(times_ms),
        **more,
    }


def _told(count: str, name: str, times_ms: Sequence[float]) -> Row:
    there = times_ms or [0.0]
    return {
        count: len(times_ms),
        f"total_{name}_time": sum(times_ms),
        f"mean_{name}_time": fmean(there),
        f"stddev_{name}_time": pstdev(there),
    }


def before_13(row: Row) -> Row:
    """Return a row of the view as it was up to version 12."""
    return {name.replace("_exec_", "_"): value for name, value in row.items() if "plan" not in name}


def close(found: Statistic, times_ms: Sequence[float]) -> None:
    assert found.count == len(times_ms)
    assert found.mean_ms == pytest.approx(fmean(times_ms))
    assert found.stddev_ms == pytest.approx(pstdev(times_ms), abs=1e-4)


TIMES = st.lists(st.floats(0.01, 100), min_size=1, max_size=20)


@given(TIMES, TIMES, TIMES, TIMES)
def test_what_was_counted_is_of_all_executions_between_two_readings(
    one: list[float], other: list[float], later: list[float], writes: list[float]
) -> None:
    first = [statement(READ, one, other), statement("select 1", other), statement(WRITE, writes)]
    last = [statement(READ, one + later, other + later), statement("select 1", other + one), statement(WRITE, writes)]
    found = read({"first": printed(first), "last": printed(last)})
    close(found.counters[Measure(STATEMENTS_READ)], later + one)
    close(found.counters[Measure(PLANS_READ)], later)
    assert found.counters[Measure(STATEMENTS_WRITE)] == Statistic(0.0, 0.0)
    assert found.remarks == ()
    assert found.sources[Measure(STATEMENTS_READ)] == "first to last"


@pytest.mark.parametrize("version", [lambda row: row, before_13, lambda row: {**row, "toplevel": "t"}])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_version_is_read(version: Callable[[Row], Row], separator: str) -> None:
    rows = [statement(READ, [1.0, 3.0]), statement(WRITE, [2.0]), statement("BEGIN", [0.1] * 3)]
    found = read({"s": printed([version(row) for row in rows], separator)}, "database=s")
    close(found.counters[Measure(STATEMENTS_READ, "database")], [1.0, 3.0])
    close(found.counters[Measure(STATEMENTS_WRITE, "database")], [2.0])
    assert found.counters[Measure(STATEMENTS_CONTROL, "database")].count == 3
    assert not any(measure.what.startswith("plans") for measure in found.counters)
    assert "s: counted since its counters were last set back, which may be before the run" in found.remarks


def test_the_order_of_readings_is_told_by_what_they_count() -> None:
    first, last = printed([statement(READ, [1.0])]), printed([statement(READ, [1.0, 5.0])])
    for files in ({"a": first, "b": last}, {"a": last, "b": first}):
        close(read(files).counters[Measure(STATEMENTS_READ)], [5.0])


def test_the_moments_of_readings_are_told_by_a_column_or_a_comment() -> None:
    rows = [statement(READ, [1.0], at_s="1709596800.25")]
    first = printed(rows)
    last = f"# at 1709596860\n\n{printed([statement(READ, [1.0, 5.0])])}"
    found = read({"a": first, "b": last})
    assert (found.counted_from_s, found.counted_to_s) == (1709596800.25, 1709596860.0)
    assert read({"b": last}).counted_from_s is None


def test_only_some_columns_are_needed() -> None:
    found = read({"s": f'query,calls,total_exec_time\n"{READ.replace(chr(34), chr(34) * 2)}",4,10\n'})
    assert found.counters == {Measure(STATEMENTS_READ): Statistic(4.0, 2.5, None)}


def test_a_statement_within_a_function_is_counted_once() -> None:
    rows = [statement(READ, [5.0], toplevel="t"), statement("SELECT 1", [4.0], toplevel="f")]
    close(read({"s": printed(rows)}).counters[Measure(STATEMENTS_READ)], [5.0])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1", STATEMENTS_READ),
        ("  /* app:web,\n route:list */ -- x\n (select $1)", STATEMENTS_READ),
        ("WITH a AS (SELECT 1) SELECT * FROM a", STATEMENTS_READ),
        ("SELECT * FROM updates WHERE insert_into = $1 FOR UPDATE", STATEMENTS_READ),
        ("FETCH 100 FROM c", STATEMENTS_READ),
        ("COPY rooms TO STDOUT", STATEMENTS_READ),
        ("COPY rooms (id) FROM STDIN", STATEMENTS_WRITE),
        ("insert into rooms values ($1)", STATEMENTS_WRITE),
        ("WITH a AS (UPDATE rooms AS r SET id = $1 RETURNING *) SELECT * FROM a", STATEMENTS_WRITE),
        ("MERGE INTO rooms USING a ON true WHEN MATCHED THEN DELETE", STATEMENTS_WRITE),
        ("begin isolation level serializable", STATEMENTS_CONTROL),
        ("COMMIT", STATEMENTS_CONTROL),
        ("ROLLBACK TO SAVEPOINT a", STATEMENTS_CONTROL),
        ("SET LOCAL app.tenant_id = '1'", STATEMENTS_CONTROL),
        ("RESET ALL", STATEMENTS_CONTROL),
        ("SELECT set_config($1, $2, $3)", STATEMENTS_CONTROL),
        ("select pg_catalog.set_config($1, $2, $3)", STATEMENTS_CONTROL),
        ("CREATE TABLE a (b int)", STATEMENTS_OTHER),
        ("VACUUM", STATEMENTS_OTHER),
        ("SELECT * FROM pg_stat_activity", STATEMENTS_OTHER),
        ("SELECT relname FROM pg_catalog.pg_class", STATEMENTS_OTHER),
        ("", STATEMENTS_OTHER),
    ],
)
def test_the_kind_of_a_statement(query: str, expected: str) -> None:
    assert kind(query) == expected


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a": printed([statement(READ, [1.0] * 5), statement(WRITE, [1.0])]),
             "b": printed([statement(READ, [1.0]), statement(WRITE, [1.0] * 9)])},
            "b: statements_read fell since a: its counters were set back between them; give readings of one stretch",
        ),
        ({"s": printed([statement("<insufficient privilege>", [1.0])])}, "s:2: the statement's text is hidden: read "),
        ({"s": printed([statement(READ, [])])}, "s: no statement was counted: is pg_stat_statements in shared_"),
        ({"s": "query,calls,total_exec_time\nSELECT 1,4\n"}, "s:2: 2 fields for 3 columns: is the "),
        ({"s": 'query,calls,total_exec_time\n"SELECT 1,4,1\n'}, "s:2: no CSV: unexpected end of data: is the "),
        ({"s": "query,calls,total_exec_time\nSELECT 1,-4,1\n"}, "s:2: calls must be a number from 0 to 1e+15"),
        ({"s": "query,calls,stddev_exec_time\nSELECT 1,4,1\n"}, "s:1: no column total_exec_time and no column "),
    ],
)  # fmt: skip
def test_a_reading_that_does_not_tell_is_refused(files: Mapping[str, str], message: str) -> None:
    assert refused(files).startswith(message)


def test_counters_are_of_a_database_and_of_nothing_else() -> None:
    text = printed([statement(READ, [1.0])])
    assert refused({"s": text}, "cores:api=s").startswith("s: pg_stat_statements says itself what it counts")


# ------------------------------------------------------------------------------------------------------------ PgBouncer

STATS_1_8 = (
    "database", "total_xact_count", "total_query_count", "total_received", "total_sent", "total_xact_time",
    "total_query_time", "total_wait_time", "avg_xact_count", "avg_query_count", "avg_recv", "avg_sent", "avg_xact_time",
    "avg_query_time", "avg_wait_time",
)  # fmt: skip
"""The columns of SHOW STATS in 1.8 and 1.18; 1.23 and 1.24 have more, at other places."""
STATS_1_24 = (
    "database", "total_server_assignment_count", *STATS_1_8[1:8], "total_client_parse_count",
    "total_server_parse_count", "total_bind_count", "avg_server_assignment_count", *STATS_1_8[8:],
)  # fmt: skip


def stats(columns: Sequence[str], **databases: tuple[int, int, int, int, int]) -> list[Row]:
    """Return rows of transactions, queries, and microseconds of both and of waits."""
    own = ("xact_count", "query_count", "xact_time", "query_time", "wait_time")
    return [
        {
            column: name if column == "database" else dict(zip(own, values, strict=True)).get(column[6:], 7)
            for column in columns
        }
        for name, values in databases.items()
    ]


def aligned(rows: Sequence[Row]) -> str:
    """Return rows as psql draws them."""
    names = [*rows[0]]
    widths = [max(len(str(row[name])) for row in ({name: name}, *rows)) for name in names]
    lines = [[str(row[name]) for name in names] for row in rows]
    drawn = [" " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
             for line in (names, *lines)]  # fmt: skip
    rule = "+".join("-" * (width + 2) for width in widths)
    return "\n".join([drawn[0], rule, *drawn[1:], f"({len(rows)} rows)", "", ""])


FIRST = {"app": (100, 400, 200_000, 150_000, 10_000), "pgbouncer": (9, 9, 9, 9, 9)}
LAST = {"app": (300, 1200, 800_000, 650_000, 30_000), "pgbouncer": (99, 99, 99, 99, 99)}


@pytest.mark.parametrize("columns", [STATS_1_8, STATS_1_24])
@pytest.mark.parametrize("write", [printed, aligned, lambda rows: printed(rows, "|") + "(2 rows)\n"])
def test_the_pool_of_every_version_is_read(columns: Sequence[str], write: Callable[[list[Row]], str]) -> None:
    found = read({"1": write(stats(columns, **FIRST)), "2": write(stats(columns, **LAST))}, "pool=1", "pool=2")
    transactions, queries, waits = (
        found.counters[Measure(what, "pool")] for what in (POOL_TRANSACTIONS, POOL_QUERIES, POOL_WAITS)
    )
    assert (transactions.count, transactions.mean_ms) == (200, pytest.approx(3.0))
    assert (queries.count, queries.mean_ms) == (800, pytest.approx(0.625))
    assert (waits.count, waits.mean_ms) == (200, pytest.approx(0.1))
    assert transactions.stddev_ms is None
    assert found.remarks == ()


def test_show_stats_totals_is_read_and_said_to_be_taken_for_it() -> None:
    columns = [column.removeprefix("total_") for column in STATS_1_8[:8]]
    rows = [dict.fromkeys(columns, 7) | {"database": "app", "xact_count": 10, "xact_time": 5000}]
    found = read({"t": printed(rows)})
    assert found.counters[Measure(POOL_TRANSACTIONS)] == Statistic(10.0, 0.5)
    assert "t: taken as SHOW STATS_TOTALS; SHOW STATS_AVERAGES has the same columns" in found.remarks


def test_databases_are_added_up_and_named() -> None:
    found = read({"s": printed(stats(STATS_1_8, app=FIRST["app"], app_read=FIRST["app"]))})
    assert found.counters[Measure(POOL_TRANSACTIONS)] == Statistic(200.0, 2.0)
    assert "s: the databases 'app', 'app_read' are added up" in found.remarks


def test_two_pools_are_counted_apart() -> None:
    files = {"1": printed(stats(STATS_1_8, **FIRST)), "2": printed(stats(STATS_1_8, **LAST))}
    found = read(files, "pool=1", "reports_pool=2")
    assert found.counters[Measure(POOL_TRANSACTIONS, "pool")].count == 100
    assert found.counters[Measure(POOL_TRANSACTIONS, "reports_pool")].count == 300


def test_a_pool_and_a_database_are_read_together() -> None:
    files = {"p": printed(stats(STATS_1_8, **FIRST)), "s": printed([statement(READ, [1.0])])}
    assert {measure.what for measure in read(files).counters} >= {POOL_TRANSACTIONS, STATEMENTS_READ}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("database,total_requests,total_received\napp,1,2\n", "f:1: PgBouncer before 1.8 counts no transactions"),
        ("database,total_xact_count\napp,1\n", "f:1: no column total_xact_time, total_query_count, total_query_time"),
        (printed(stats(STATS_1_8, pgbouncer=(1, 1, 1, 1, 1))), "f: no database but the console pgbouncer: nothing "),
        (printed(stats(STATS_1_8, **FIRST))[:-30], "f:3: "),
    ],
)
def test_statistics_that_do_not_tell_are_refused(text: str, message: str) -> None:
    assert refused({"f": text}).startswith(message)
