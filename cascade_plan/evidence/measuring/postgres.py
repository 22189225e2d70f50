"""PostgreSQL: round trip, read, write, commit and parse times, in a schema of our own or by what only reads."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import sleep, time
from typing import TYPE_CHECKING, Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.measuring._pace import now_ms, spread, turns, uninterrupted, variability
from cascade_plan.evidence.servers import CALLED, Found, Limits, Reading, Seen, ServerError, Step
from cascade_plan.formulas import estimates
from cascade_plan.formulas.demands import Estimate

if TYPE_CHECKING:
    from psycopg import Connection

KIND: Final = "database"
FIELDS: Final = (
    "round_trip_ms", "round_trip_scv", "read_ms", "service_scv", "parse_ms", "write_ms", "commit_ms",
    "round_trips_per_query",
)  # fmt: skip
METAVAR: Final = "DSN"
HELP: Final = "A PostgreSQL: postgresql://user@host:5432/name, or host=db user=me. Its password: PGPASSWORD, ~/.pgpass."

NOT_A_DSN: Final = (
    "--postgres takes postgresql://user@host:5432/name, or host=... dbname=... user=...; in a password @ is %40, "
    "/ is %2F and ? is %3F"
)
CONNECT_S: Final = 5
STATEMENT_MS: Final = 2000
LOCK_MS: Final = 500
CLEAR_MS: Final = 10_000
ABANDONED_S: Final = 600
"""A schema that is older was left by a run that was killed: none takes so long."""
LOOK_S: Final = 1.0
IDLE_TRANSACTIONS_PER_S: Final = 10
"""A server with fewer is idle: an exporter makes some (assumption)."""
ROWS: Final = 10_000
LEAST_MS: Final = 0.001
"""The least a scenario takes for a time, and EXPLAIN tells apart."""
PREFIX: Final = "cascade_plan_measure_"
OWN_NAME: Final = re.compile(PREFIX + "([0-9]{1,12})_[0-9a-f]{8}")
LIMITED: Final = (
    "SELECT set_config('statement_timeout', '{0}', true), set_config('lock_timeout', '{1}', true), "
    "set_config('idle_in_transaction_session_timeout', '{2}', true)"
)
"""Limits of a transaction, not of a session: behind a pooler the session is shared with others."""
ABOUT: Final = (
    "SELECT current_setting('server_version'), current_setting('synchronous_commit'), "
    "current_setting('synchronous_standby_names'), current_setting('fsync'), pg_is_in_recovery(), "
    "current_setting('default_transaction_read_only')::boolean, has_database_privilege(current_database(), 'CREATE'), "
    "current_database(), pg_backend_pid()"
)
ACTIVE: Final = (
    "SELECT count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE state IS NULL AND backend_type IS NULL "
    "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'virtualxid')), "
    "(SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND (backend_type IS NULL "
    "OR backend_type IN ('client backend', 'parallel worker', 'autovacuum worker'))"
)
"""Others at work. Sessions of other roles show no state to whoever is no member of pg_read_all_stats, but everybody
sees the lock that each holds on its transaction: https://www.postgresql.org/docs/15/view-pg-locks.html"""
BY_KEY: Final = "SELECT * FROM {0} WHERE id = {1}"
CATALOGUE: Final = "SELECT * FROM pg_catalog.pg_class WHERE oid = {1}"
"""A look-up by key that every role may do, where no table may be created."""
EXPLAIN: Final = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "
MEMORY: Final = "SELECT sum(total_bytes) FROM pg_backend_memory_contexts"
STATEMENTS: Final = (
    "SELECT sum(s.calls), sum(s.total_exec_time) / sum(s.calls), sum(s.total_plan_time) / sum(s.calls) "
    "FROM {0} s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database() AND s.query ILIKE 'select%' "
    "AND s.query !~ 'cascade_plan_measure_|pg_catalog|pg_stat_|pg_namespace|pg_backend|set_config|current_setting' "
    "AND s.query <> 'SELECT $1'"
)
"""The application's reads: what we ask ourselves, and what monitoring does, is not of them."""


def shown(address: str) -> str:
    """Return an address without its password. Raises UsageError for what is none, never showing it."""
    parts = _parts(address)
    host = parts.get("host") or parts.get("hostaddr") or "local socket"
    user = f"{parts['user']}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"postgresql://{user}{host}{port}/{parts.get('dbname', '')}"


def _parts(address: str) -> dict[str, Any]:
    psycopg = _psycopg()
    try:
        found: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(address)
    except (psycopg.Error, ValueError):
        # What the client says of it would show a piece of it: a password with a blank in it, for one.
        raise UsageError(NOT_A_DSN) from None
    # A second @ is one of the password: the client would take what is before it for the host, and name it.
    if not found or ("://" in address and address.count("@") > 1) or "@" in str(found.get("host", "")):
        raise UsageError(NOT_A_DSN)
    if not str(found.get("port", "")).replace(",", "").isdecimal() and "port" in found:
        raise UsageError(NOT_A_DSN)
    return found


def _psycopg() -> Any:
    try:
        import psycopg
        import psycopg.conninfo
    except ImportError:
        raise UsageError("psycopg is not installed: pip install 'cascade-plan[measure]'") from None
    return psycopg


def steps(address: str, limits: Limits) -> Iterator[Step]:
    """Yield all that is run on the server, in order."""
    yield from _steps(limits).values()


def _steps(limits: Limits) -> dict[str, Step]:
    table = "cascade_plan_measure_<time>_<random>.rows" if limits.creates else "pg_class"
    read = (BY_KEY if limits.creates else CATALOGUE).format(table, "$1")
    half = 0.5 if limits.creates else 1.0
    share = limits.seconds * half
    begin = f"BEGIN; SET LOCAL statement_timeout {STATEMENT_MS}, lock_timeout {LOCK_MS}; at the end COMMIT"
    found = {
        "begin": Step(begin, 16, 0, "limits of each transaction; READ ONLY but where it writes"),
        "about": Step("SELECT of settings, and whether the role may create", 1, 0, "what it is"),
        "look": Step(
            "SELECT of pg_stat_activity, pg_locks and pg_stat_database", 2, 0, f"how busy it is in {LOOK_S:g} s"
        ),
        "trip": Step("SELECT 1", 500, share * 0.2, "round trip"),
        "explain": Step(f"EXPLAIN (ANALYZE) {read}", 300, share * 0.3, "time of a read, and of its planning"),
        "pairs": Step(f"{read}, by turns prepared and not", 600, share * 0.4, "what preparing saves"),
        "tenancy": Step(
            f"BEGIN; SELECT set_config(tenant, ...); {read}; COMMIT", 12, share * 0.1, "round trips of a query"
        ),
        "memory": Step("SELECT of pg_backend_memory_contexts", 1, 0, "memory of a connection"),
        "statements": Step("SELECT of pg_extension, and of pg_stat_statements if it is there", 2, 0, "your own reads"),
    }
    if not limits.creates:
        return found
    schema = f"{PREFIX}<time>_<random>"
    return {
        **{name: found[name] for name in ("begin", "about", "look")},
        "abandoned": Step(
            f"SELECT of own schemas {PREFIX}*, DROP SCHEMA of those over {ABANDONED_S // 60} minutes old", 1, 0,
            "clears after a run that was killed",
        ),
        "create": Step(f"CREATE SCHEMA {schema}; CREATE TABLE rows; INSERT of {ROWS:,} rows", 1, 0, "rows to read"),
        **{name: step for name, step in found.items() if name not in ("begin", "about", "look")},
        "write": Step(
            "BEGIN; EXPLAIN (ANALYZE) INSERT of one row; COMMIT", 200, share, "time of a write, and of its commit"
        ),
        "drop": Step(f"DROP SCHEMA IF EXISTS {schema} CASCADE", 1, 0, "leaves nothing, also on error and Ctrl-C"),
    }  # fmt: skip


@contextmanager
def opened(address: str, limits: Limits) -> Iterator[_Session]:
    """Open the server. Raises ServerError when that fails, UsageError when what it needs is not installed."""
    psycopg = _psycopg()
    name = shown(address)

    def connect() -> Connection[Any]:
        settings = {"connect_timeout": CONNECT_S, "application_name": CALLED, **_parts(address)}
        # What the network swallows ends after so long; without it a read would wait for ever.
        settings = {"tcp_user_timeout": CONNECT_S * 1000, "keepalives_idle": CONNECT_S, **settings}
        found: Connection[Any] = psycopg.connect(**settings, autocommit=True, prepare_threshold=None)
        return found

    try:
        session = _Session(limits, connect)
        try:
            yield session
        finally:
            session.close()
    except psycopg.Error as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise ServerError(f"{name}: {said}") from None


class _Session:
    """A PostgreSQL that is open, and its scratch schema once there may be one."""

    def __init__(self, limits: Limits, connect: Callable[[], Connection[Any]]) -> None:
        self._limits = limits
        self._steps = _steps(limits)
        self._connect = connect
        self._schema = ""
        self._key = secrets.randbits(62)
        self._unknown: dict[str, str] = {}
        self._notes: list[str] = []
        self._line = connect()
        with self._transaction() as run:
            about = run(ABOUT)
        self._version, self._synchronous, self._standbys, self._fsync = map(str, about[:4])
        self._is_replica, self._is_read_only, self._may_create = about[4:7]
        self._is_pooled = int(about[8]) != self._line.info.backend_pid

    @property
    def _creates(self) -> bool:
        return self._limits.creates and self._may_create and not self._is_replica and not self._is_read_only

    @contextmanager
    def _transaction(self, writes: bool = False, line: Connection[Any] | None = None) -> Iterator[Callable[..., Any]]:
        """Yield what runs a statement and returns its first row, within a transaction that has limits."""
        line = line or self._line
        with line.cursor() as cursor:

            def run(text: str, *values: object) -> Any:
                cursor.execute(text, values or None, prepare=False)
                return cursor.fetchone() if cursor.description else None

            self._begin(cursor, writes)
            try:
                yield run
            except Exception:
                if not line.broken:
                    run("ROLLBACK")
                raise
            run("COMMIT")

    def _begin(self, cursor: Any, writes: bool) -> None:
        """Begin a transaction that has limits: longer ones where it clears away."""
        clears = cursor.connection is not self._line
        statement_ms, lock_ms = (CLEAR_MS, CLEAR_MS) if clears else (STATEMENT_MS, LOCK_MS)
        cursor.execute(f"BEGIN{'' if writes else ' READ ONLY'}; {LIMITED.format(statement_ms, lock_ms, CLEAR_MS)}")

    def close(self) -> None:
        """Drop the schema, if there may be one, over a connection of its own: the other may be within a statement.

        Raises ServerError, with the statement that is left to do, when it cannot be dropped.
        """
        self._line.close()
        if not self._schema:
            return
        psycopg = _psycopg()
        with uninterrupted():
            try:
                with self._connect() as line:
                    self._drop(line, self._schema, self._key)
            except psycopg.Error as error:
                said = " ".join(str(error).split())
                left = f"DROP SCHEMA {self._schema} CASCADE"
                raise ServerError(f"the schema could not be dropped ({said}); run {left}") from None
        self._schema = ""

    def _drop(self, line: Connection[Any], schema: str, key: int) -> None:
        with self._transaction(True, line) as run:
            # Who creates it holds this lock until it is there or not: it cannot appear after it was dropped.
            run("SELECT pg_advisory_xact_lock(%s)", key)
            run(f"DROP SCHEMA IF EXISTS {schema} CASCADE")

    # ------------------------------------------------------------------------------------------------------ before it

    def seen(self) -> Seen:
        """Return how busy it is with the work of others."""
        with self._transaction() as run:
            *first, before = run(ACTIVE)
        sleep(LOOK_S)
        with self._transaction() as run:
            *second, after = run(ACTIVE)
        # Three transactions are our own: the two before this one, and what told what it is.
        rate = max(0, int(after or 0) - int(before or 0) - 3) / LOOK_S
        active, hidden = map(max, zip(first, second, strict=True))
        words = f"{active} at work beside us, {rate:,.0f} transactions a second"
        if hidden:
            words += f", {hidden} of other roles within a transaction"
        return Seen(active == hidden == 0 and rate <= IDLE_TRANSACTIONS_PER_S, words)

    # ------------------------------------------------------------------------------------------------- the measurement

    def found(self) -> Found:
        """Return what running the steps told. Raises ServerError when the server fails."""
        table, where = self._rows()
        read = (BY_KEY if self._creates else CATALOGUE).format(table, "%s")
        readings = [*self._round_trips(), *self._reads(read, where), *self._round_trips_per_query(read)]
        if self._creates:
            readings += self._writes(table, readings[0].value)
        self._connection_memory()
        self._own_reads()
        if self._is_pooled:
            self._notes.append("a pooler stands between: its time is in the round trip")
        return Found(f"PostgreSQL {self._version}", tuple(readings), self._unknown, tuple(self._notes))

    def _rows(self) -> tuple[str, str]:
        """Return a table to read from, and what it is in words; it is created where that is allowed."""
        if not self._creates:
            self._unknown |= dict.fromkeys(("write_ms", "commit_ms"), self._why_not())
            return "pg_catalog.pg_class", "a row of pg_class by its key"
        self._clear_abandoned()
        self._schema = f"{PREFIX}{int(time())}_{secrets.token_hex(4)}"
        table = f"{self._schema}.rows"
        with self._transaction(writes=True) as run:
            run("SELECT pg_advisory_xact_lock(%s)", self._key)
            run(f"CREATE SCHEMA {self._schema}")
            run(f"CREATE TABLE {table} (id bigint PRIMARY KEY, tenant text NOT NULL, body text NOT NULL)")
            run(f"CREATE INDEX ON {table} (tenant)")
            run(f"INSERT INTO {table} SELECT i, i % 100, repeat('x', 100) FROM generate_series(1, {ROWS}) i")
        return table, f"one of {ROWS:,} rows by its key"

    def _why_not(self) -> str:
        """Return why nothing is created."""
        if not self._limits.creates:
            return "nothing is to be created"
        if self._is_replica:
            return "it is a replica"
        return "it is read-only" if self._is_read_only else "this role may not create a schema"

    def _clear_abandoned(self) -> None:
        """Drop schemas that a run of this role has left that was killed."""
        oldest = int(time()) - ABANDONED_S
        with self._transaction() as run:
            names = run(
                "SELECT array_agg(nspname::text) FROM pg_namespace WHERE nspname LIKE %s "
                "AND nspowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)",
                PREFIX.replace("_", "\\_") + "%",
            )[0]
        for name in names or ():
            found = OWN_NAME.fullmatch(name)
            if found is not None and int(found[1]) < oldest:
                with self._transaction(writes=True) as run:
                    run(f"DROP SCHEMA IF EXISTS {name} CASCADE")
                self._notes.append(f"dropped {name}, which a run that was killed had left")

    def _round_trips(self) -> Iterator[Reading]:
        with self._transaction() as run:
            trips = [_timed(run, "SELECT 1") for _ in turns(self._steps["trip"])]
        of = f"{len(trips):,} SELECT 1 one after the other"
        yield Reading("round_trip_ms", *estimates.mean(trips), f"mean of {of}", spread(trips))
        yield from variability("round_trip_scv", trips, of, self._unknown)

    def _reads(self, read: str, where: str) -> Iterator[Reading]:
        """Yield the time of a read, its variability, and what a prepared statement saves."""
        reading, planning = [], []
        with self._transaction() as run:
            for turn in turns(self._steps["explain"]):
                said = run(EXPLAIN + read, self._chosen(turn))[0][0]
                reading.append(float(said["Execution Time"]))
                planning.append(float(said["Planning Time"]))
        of = f"{len(reading):,} EXPLAIN (ANALYZE) of {where}"
        # Median: where one waits for a core it is no longer the CPU time of a read.
        yield Reading(
            "read_ms",
            *estimates.at_least(LEAST_MS, estimates.median(reading)),
            f"median of {of}",
            spread(reading),
        )
        yield from variability("service_scv", reading, of, self._unknown)
        yield self._parsing(read, where, planning)

    def _parsing(self, read: str, where: str, planning: Sequence[float]) -> Reading:
        """Return what preparing saves: the difference between neighbours, or planning alone where it drowns."""
        plan = estimates.median(planning)
        explained = Reading(
            "parse_ms", *plan, f"median planning time of {len(planning):,} EXPLAIN of {where}, without parsing"
        )
        if self._is_pooled:
            return explained
        pairs = []
        with self._transaction() as run, self._line.cursor() as cursor:
            for turn in turns(Step("", self._steps["pairs"].most // 2, self._steps["pairs"].seconds, "")):
                key = self._chosen(turn)
                plain = _timed(run, read, key)
                began = now_ms()
                cursor.execute(read, (key,), prepare=True)
                cursor.fetchone()
                pairs.append(plain - (now_ms() - began))
            run("DEALLOCATE ALL")
        # The first five of a prepared statement are planned too.
        saved = estimates.median(pairs[6:] or pairs)
        # Planning alone is the least that is saved: a difference below it is lost in what the client does.
        if saved.low <= 0 or saved.value < plan.value:
            return explained
        of = f"median of what a prepared statement saves, {len(pairs):,} pairs; planning alone {plan.value:.2g}"
        return Reading("parse_ms", *saved, of)

    def _chosen(self, turn: int) -> int:
        """Return a key that is there: of our own rows one after the other, far apart; of the catalogue its own."""
        return turn * 7919 % ROWS + 1 if self._creates else 1259

    def _round_trips_per_query(self, read: str) -> Iterator[Reading]:
        """Yield how often a query of one tenant goes to the server and back, counted in the protocol itself."""
        psycopg = _psycopg()
        with tempfile.TemporaryFile() as log, self._connect() as line:
            line.prepare_threshold = None if self._is_pooled else 5
            try:
                line.pgconn.trace(log.fileno())
            except psycopg.NotSupportedError:
                self._unknown["round_trips_per_query"] = "this client cannot count them"
                return
            for turn in turns(self._steps["tenancy"]):
                with line.transaction(), line.cursor() as cursor:
                    cursor.execute(
                        "SELECT set_config('cascade_plan.tenant', %s, true), set_config('statement_timeout', %s, true)",
                        (str(turn), str(STATEMENT_MS)),
                    )
                    cursor.execute(read, (self._chosen(turn),))
                    cursor.fetchone()
            line.pgconn.untrace()
            log.seek(0)
            # The server is ready for the next one once for each time that the client waited for it.
            begun = re.split(rb'Query\s+"BEGIN', log.read())[1:]
        counts = [each.count(b"ReadyForQuery") for each in begun]
        if not any(counts):
            self._unknown["round_trips_per_query"] = "the client's trace does not tell them"
            return
        of = f"median of {len(counts)} transactions of psycopg: BEGIN, set_config of the tenant, query, COMMIT"
        # Whole ones: of two in the middle the median would be a half.
        yield Reading("round_trips_per_query", *Estimate(*map(round, estimates.median(counts))), of)

    def _writes(self, table: str, round_trip_ms: float) -> Iterator[Reading]:
        """Yield the time of a write, and what its commit takes beyond a round trip."""
        writing, committing = [], []
        text = f"{EXPLAIN}INSERT INTO {table} VALUES (%s, %s, repeat('x', 100))"
        with self._line.cursor() as cursor:
            for turn in turns(self._steps["write"]):
                self._begin(cursor, writes=True)
                cursor.execute(text, (ROWS + 1 + turn, str(turn % 100)), prepare=False)
                writing += [float(row[0][0]["Execution Time"]) for row in cursor]
                began = now_ms()
                cursor.execute("COMMIT")
                committing.append(now_ms() - began - round_trip_ms)
        of = f"{len(writing):,} INSERTs of a row into a table with two indexes"
        yield Reading(
            "write_ms",
            *estimates.at_least(LEAST_MS, estimates.median(writing)),
            f"median of {of}",
            spread(writing),
        )
        how = f"synchronous_commit {self._synchronous}" + (", fsync off" if self._fsync == "off" else "")
        commit = estimates.mean(committing)
        of = f"mean of {len(committing):,} COMMITs less a round trip; {how}"
        yield Reading("commit_ms", *estimates.at_least(0.0, commit), of, spread(committing))
        standbys = f"synchronous_standby_names is {self._standbys!r}" if self._standbys else "a multi-AZ server has one"
        self._notes.append(f"commit_ms holds the wait for a standby, if there is one ({standbys})")

    def _connection_memory(self) -> None:
        self._tell(MEMORY, "memory of a connection", lambda row: f"memory of a connection: {row[0] / 2**20:.1f} MiB")

    def _own_reads(self) -> None:
        """Say what pg_stat_statements knows of the application's reads, if it is there: it is no field's own value."""
        with self._transaction() as run:
            row = run(
                "SELECT quote_ident(n.nspname) || '.pg_stat_statements' FROM pg_extension e "
                "JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'"
            )
        if row is not None:
            self._tell(STATEMENTS.format(row[0]), "pg_stat_statements", _statements)

    def _tell(self, query: str, what: str, words: Callable[[Sequence[Any]], str]) -> None:
        """Note what a query tells, or why it may not be asked."""
        psycopg = _psycopg()
        try:
            with self._transaction() as run:
                self._notes.append(words(run(query)))
        except psycopg.Error as error:
            self._unknown[what] = str(error).splitlines()[0]


def _statements(row: Sequence[Any]) -> str:
    if not row[0]:
        return "pg_stat_statements has no SELECT of this database that this role may see"
    said = (
        f"pg_stat_statements: {int(row[0]):,} SELECTs of this database took {float(row[1]):.3g} ms each, waits included"
    )
    return said + (f", and {float(row[2]):.3g} ms of planning" if row[2] else "")


def _timed(run: Callable[..., Any], *statement: object) -> float:
    began = now_ms()
    run(*statement)
    return now_ms() - began
