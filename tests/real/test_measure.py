"""measure against real servers: what it says is what it runs, it leaves nothing behind, and it stops where it must."""

from __future__ import annotations

import fcntl
import http.server
import os
import pty
import re
import signal
import socket
import ssl
import subprocess
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as client
import yaml
from postgres import Server, pgbouncer, postgres
from servers import free_port, listening, program, running, wait_until

from cascade_plan import registry
from cascade_plan.evidence.measuring import postgres as measuring_postgres
from cascade_plan.evidence.servers import Limits, ServerError, Step

pytestmark = pytest.mark.xdist_group("measure")
ROOT = Path(__file__).parent.parent.parent
SECRET = "s3cr3t-w0rd"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Redis with a password, and its port."""
    home, port = tmp_path_factory.mktemp("cache"), free_port()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--save", ""]
    with running([*command, "--requirepass", SECRET], lambda: listening(port), home / "log"):
        yield port


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    """A PostgreSQL that logs every statement, with a role that may create nothing and one that must give a password."""
    settings = "log_statement = all\nlog_line_prefix = '%a|'\nshared_preload_libraries = 'pg_stat_statements'\n"
    with postgres(settings) as server:
        with server.connect() as admin:
            admin.execute("CREATE EXTENSION pg_stat_statements")
            admin.execute("CREATE ROLE reader LOGIN")
            admin.execute("CREATE DATABASE app")
        yield server


def dsn(server: Server, user: str = "postgres") -> str:
    return f"postgresql://{user}:{SECRET}@127.0.0.1:{server.port}/postgres"


def url(port: int) -> str:
    return f"redis://:{SECRET}@127.0.0.1:{port}/0"


def schemas(server: Server) -> list[str]:
    with server.connect() as admin:
        rows = admin.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'cascade%'").fetchall()
    return [row[0] for row in rows]


def keys(port: int) -> list[bytes]:
    with client.Redis(port=port, password=SECRET) as asked:
        return list(asked.keys("*"))


def planned(kind: str, address: str, limits: Limits) -> list[Step]:
    return list(registry.load("evidence/measuring", kind).steps(address, limits))


@contextmanager
def answering(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve HTTP on a free port of 127.0.0.1, and yield the port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers GET after 5 ms, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        """Answer, or say that it cannot be found."""
        type(self).asked.append(f"{self.command} {self.path}")
        time.sleep(0.005)
        self.send_response(200 if self.path.startswith("/ok") else 404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


# ------------------------------------------------------------------------------------------------- what it measures


def test_all_three_kinds_are_measured_and_written(cascade: Command, cache: int, database: Server) -> None:
    with answering(Slow) as port:
        status, out, err = cascade(
            "measure", "--redis", url(cache), "--postgres", dsn(database), "--http", f"http://127.0.0.1:{port}/ok?t={SECRET}",
            "--yes", "--seconds", "1", "-o", "calibration.yaml",
        )  # fmt: skip
    assert (status, out) == (0, "")
    text = Path("calibration.yaml").read_text(encoding="utf-8")
    values = read_patch(text)
    for name, field in (
        ("cache", "round_trip_ms"), ("cache", "command_ms"), ("database", "round_trip_ms"), ("database", "read_ms"),
        ("database", "write_ms"), ("database", "parse_ms"), ("database", "commit_ms"), ("gateway", "response_ms"),
    ):  # fmt: skip
        found = values[f"tiers.{name}.{field}"]
        assert found["low"] <= found["value"] <= found["high"], (name, field)
        assert found["method"]
    assert values["tiers.database.round_trips_per_query"]["value"] == 4
    # On loopback a round trip is far below a millisecond, and the server sleeps 5 ms before each answer.
    assert values["tiers.cache.round_trip_ms"]["low"] < 2
    assert values["tiers.gateway.response_ms"]["high"] > 4
    assert 0.0005 < values["tiers.cache.command_ms"]["value"] < 0.5
    assert set(Slow.asked) == {f"GET /ok?t={SECRET}"}
    assert SECRET not in text + err
    assert (schemas(database), keys(cache)) == ([], [])


def read_patch(text: str) -> dict[str, dict[str, Any]]:
    """Return dotted path -> what a calibration says of it."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)["values"]
    return found


def test_what_was_calibrated_before_stays(cascade: Command, cache: int) -> None:
    before = {
        "calibration_version": 1,
        "scenario": "cascade",
        "written_by": "somebody",
        "runs": [{"load": "normal"}],
        "values": {
            "tiers.cache.command_ms": {"value": 9.0, "method": "typed"},
            "tiers.cache.hit_ratio": {"value": 0.93, "low": 0.92, "high": 0.94, "method": "hits over lookups"},
        },
    }
    Path("calibration.yaml").write_text(yaml.safe_dump(before), encoding="utf-8")
    line = ("measure", "--redis", url(cache), "--yes", "--seconds", "0.2", "-o", "calibration.yaml")
    assert cascade(*line)[0] == 0
    after = yaml.safe_load(Path("calibration.yaml").read_text(encoding="utf-8"))
    assert [each["load"] for each in after["runs"]] == ["normal"]
    assert after["values"]["tiers.cache.hit_ratio"] == before["values"]["tiers.cache.hit_ratio"]  # type: ignore[index]
    assert after["values"]["tiers.cache.command_ms"]["value"] < 1
    assert after["written_by"].startswith("cascade-plan ")
    for text, said in (
        (
            yaml.safe_dump({**before, "scenario": "other"}),
            "calibration.yaml is the calibration of other, not of cascade",
        ),
        ("name: shop\n", "calibration.yaml:1:1: name: unknown field"),
    ):
        Path("calibration.yaml").write_text(text, encoding="utf-8")
        status, _, err = cascade(*line)
        assert (status, said in err) == (2, True), err
        assert "PING" not in err, "it is refused before anything is asked"
        assert Path("calibration.yaml").read_text(encoding="utf-8") == text


def test_what_it_writes_a_plan_is_made_with(cascade: Command, cache: int, database: Server) -> None:
    with answering(Slow) as port:
        line = ("measure", "--redis", url(cache), "--postgres", dsn(database), "--http", f"http://127.0.0.1:{port}/ok")
        assert cascade(*line, "--yes", "--seconds", "0.5", "-o", "calibration.yaml")[0] == 0
    status, out, err = cascade("explain", "tiers.database.read_ms", "--calibration", "calibration.yaml")
    assert status == 0, err
    assert "EXPLAIN (ANALYZE) of one of 10,000 rows by its key" in " ".join(out.split())


def test_through_a_pooler_nothing_is_left_in_its_sessions(cascade: Command, database: Server) -> None:
    """Behind PgBouncer a session is somebody else's next: its limits are those of a transaction."""
    ini = f"[databases]\npostgres = host=127.0.0.1 port={database.port} dbname=postgres\n[pgbouncer]\n"
    overrides = {
        "auth_type": "trust", "pool_mode": "transaction", "admin_users": "pgbouncer_admin", "default_pool_size": 2,
    }  # fmt: skip
    with pgbouncer(ini, '"pgbouncer_admin" "admin"\n"postgres" ""\n', overrides) as port:
        address = f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        status, out, err = cascade("measure", "--postgres", address, "--yes", "--seconds", "0.5")
        assert status == 0, err
        with psycopg.connect(address, autocommit=True) as pooled:
            shown = pooled.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
            assert shown.fetchone() == ("0", "0")
    assert "a pooler stands between" in err
    assert {"tiers.database.commit_ms", "tiers.database.parse_ms"} <= read_patch(out).keys()
    assert read_patch(out)["tiers.database.round_trips_per_query"]["value"] == 4
    assert schemas(database) == []


def test_servers_go_to_the_tiers_that_are_named(cascade: Command, cache: int) -> None:
    Path("two.yaml").write_text(
        "schema_version: 1\nname: two\nusers: {peak: 900, average: 300}\n"
        "behaviour: {actions: {list: {weight: 1, request: GET /items}}}\n"
        "tiers: {cluster: {}, api: {}, database: {}, cache: {}, sessions: {kind: cache}, gateway: {}, network: {}}\n",
        encoding="utf-8",
    )
    line = ("measure", "two.yaml", "--yes", "--seconds", "0.2")
    status, out, _ = cascade(*line, "--redis", f"sessions={url(cache)}")
    assert status == 0
    assert {path.rpartition(".")[0] for path in read_patch(out)} == {"tiers.sessions"}
    status, _, err = cascade(*line, "--redis", f"sesions={url(cache)}")
    assert (status, err) == (
        2, "error: --redis sesions=...: no tier of kind cache has that name; did you mean 'sessions'?\n"
    )  # fmt: skip
    status, _, err = cascade(*line, "--redis", url(cache), "--redis", f"cache={url(cache)}")
    assert (status, err.startswith("error: two servers are the same tier")) == (2, True)


# --------------------------------------------------------------------------------------------- what it says it runs


def test_nothing_runs_on_redis_that_the_plan_does_not_name_or_oftener(cascade: Command, cache: int) -> None:
    with client.Redis(port=cache, password=SECRET) as admin:
        admin.config_resetstat()
        assert cascade("measure", "--redis", url(cache), "--yes")[0] == 0
        ran = {
            name.removeprefix("cmdstat_").upper(): said["calls"] for name, said in admin.info("commandstats").items()
        }
    most: Counter[str] = Counter()
    for step in planned("redis", url(cache), Limits(2)):
        if step.runs.startswith("connect"):
            most.update({"AUTH": step.most, "SELECT": step.most, "CLIENT|SETINFO": 2 * step.most})
        else:
            most[step.runs.split()[0]] += step.most
    # What our own connection here has said.
    own = {"AUTH": 1, "CLIENT|SETINFO": 2, "CONFIG|RESETSTAT": 1, "HELLO": 1}
    assert {"PING", "GET", "SET", "DEL", "INFO", "AUTH"} <= ran.keys() <= most.keys() | own.keys()
    assert not {name: count for name, count in ran.items() if count > most[name] + own.get(name, 0)}


NAMED = (
    r"BEGIN", r"COMMIT", r"SELECT current_setting", r"SELECT count\(\*\) FILTER", r"SELECT array_agg\(nspname",
    r"SELECT pg_advisory_xact_lock", r"CREATE (SCHEMA|TABLE|INDEX)", r"INSERT INTO \w+\.rows SELECT", r"SELECT 1$",
    r"EXPLAIN \(ANALYZE, TIMING OFF, FORMAT JSON\) (SELECT \* FROM|INSERT INTO) ", r"SELECT \* FROM \S+ WHERE (id|oid)",
    r"DEALLOCATE ALL", r"SELECT set_config", r"SELECT sum\(total_bytes\)", r"SELECT quote_ident",
    r"SELECT sum\(s.calls\)", r"DROP SCHEMA IF EXISTS cascade_plan_measure_",
)  # fmt: skip
"""What the plan of PostgreSQL names, as the server's log has it."""


def logged(server: Server, since: int) -> list[str]:
    """Return the statements of ours that a server has logged since so many characters of its log."""
    text = (server.directory / "log").read_text(encoding="utf-8", errors="replace")[since:]
    found = re.findall(r"^cascade-plan\|LOG:  (?:statement|execute [^:]+): (.*)$", text, re.MULTILINE)
    assert found
    return found


def size(server: Server) -> int:
    return len((server.directory / "log").read_text(encoding="utf-8", errors="replace"))


@pytest.mark.parametrize("only", [(), ("--explain-only",)])
def test_nothing_runs_on_postgres_that_the_plan_does_not_name_or_oftener(
    cascade: Command, database: Server, only: tuple[str, ...]
) -> None:
    before = size(database)
    status, out, err = cascade("measure", "--postgres", dsn(database), "--yes", *only)
    assert status == 0
    ran = logged(database, before)
    strange = [text for text in ran if not any(re.match(name, text) for name in NAMED)]
    assert not strange
    steps = planned("postgres", dsn(database), Limits(2, creates=not only))

    def most(start: str) -> int:
        return sum(step.most for step in steps if step.runs.startswith(start))

    assert 1 <= sum(text == "SELECT 1" for text in ran) <= most("SELECT 1")
    explained = [text for text in ran if text.startswith("EXPLAIN") and "SELECT" in text]
    assert 1 <= len(explained) <= most("EXPLAIN (ANALYZE)")
    inserted = [text for text in ran if text.startswith("EXPLAIN") and "INSERT" in text]
    assert len(inserted) <= most("BEGIN; EXPLAIN")
    assert bool(inserted) != bool(only)
    begun = [text for text in ran if text.startswith("BEGIN")]
    assert len(begun) <= most("BEGIN; SET LOCAL") + most("BEGIN; EXPLAIN") + most("BEGIN; SELECT set_config")
    # Every transaction has its limits from its beginning, those of the tenancy from their first statement.
    assert all("statement_timeout" in text for text in begun if text != "BEGIN")
    if only:
        assert not [text for text in ran if re.match("CREATE|INSERT|DROP|EXPLAIN.*INSERT", text)]
        assert all("READ ONLY" in text for text in begun if text != "BEGIN")
        assert "tiers.database.commit_ms" not in read_patch(out)
        assert "commit_ms              not known: nothing is to be created" in err
        assert read_patch(out)["tiers.database.read_ms"]["method"].endswith("pg_class by its key")
    assert schemas(database) == []


def test_a_dry_run_prints_the_plan_alone_and_connects_to_nothing(cascade: Command) -> None:
    port = free_port()
    status, out, err = cascade(
        "measure", "--dry-run", "--redis", url(port), "--postgres", f"host=127.0.0.1 port={port} password={SECRET}"
    )
    assert (status, err) == (0, "")
    assert "1,000 x  0.6 s  PING" in out
    assert "DROP SCHEMA IF EXISTS" in out
    assert SECRET not in out
    assert max(map(len, out.splitlines())) <= 80


def test_without_a_terminal_it_asks_for_a_yes_and_runs_nothing(cascade: Command, cache: int) -> None:
    status, out, err = cascade("measure", "--redis", url(cache))
    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == (
        "error: say --yes to run this, or --dry-run to see it alone: there is no terminal to ask on"
    )
    assert "PING" in err


@pytest.mark.parametrize(("answer", "status"), [(b"y\n", 0), (b"\n", 130), (b"n\n", 130), (b"\x03", 130)])
def test_on_a_terminal_it_asks_after_it_has_said_what_it_runs(cache: int, answer: bytes, status: int) -> None:
    """Whatever is no yes runs nothing, also where it is to be quiet."""
    ours, theirs = pty.openpty()
    line = [
        sys.executable,
        "-m",
        "cascade_plan",
        "measure",
        "--redis",
        url(cache),
        "--seconds",
        "0.2",
        "-q",
        "--busy-ok",
    ]
    with client.Redis(port=cache, password=SECRET) as admin:
        admin.config_resetstat()
        with subprocess.Popen(
            line,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        ) as process:
            os.close(theirs)
            shown = b""
            while b"[y/N]" not in shown:
                shown += os.read(ours, 4096)
            os.write(ours, answer)
            out, _ = process.communicate(timeout=60)
        ran = admin.info("commandstats")
    os.close(ours)
    assert process.returncode == status
    assert b"PING" in shown
    assert bool(out) == ("cmdstat_ping" in ran) == (status == 0)


# ------------------------------------------------------------------------------------------- a server that is busy


def test_a_redis_at_work_is_refused_unless_told(cascade: Command, cache: int) -> None:
    stop = threading.Event()

    def work() -> None:
        with client.Redis(port=cache, password=SECRET) as other:
            while not stop.is_set():
                other.get("cart")
                time.sleep(0.005)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        status, out, err = cascade("measure", "--redis", url(cache), "--yes", "-o", "calibration.yaml")
        assert (status, out, Path("calibration.yaml").exists()) == (2, "", False)
        assert re.search(r"^cache: [\d,]+ commands a second, 1 other client$", err, re.MULTILINE)
        assert "error: not idle: cache; nothing was measured" in err
        status, out, err = cascade("measure", "--redis", url(cache), "--yes", "--busy-ok", "--seconds", "0.2")
        assert status == 0
        assert "warning: not idle: cache; the load of others is in what is measured" in err
    finally:
        stop.set()
        thread.join()


def test_a_postgres_at_work_is_refused_and_so_is_all_else(cascade: Command, cache: int, database: Server) -> None:
    with database.connect() as other:
        thread = threading.Thread(target=lambda: other.execute("SELECT pg_sleep(4)"))
        thread.start()
        status, _, err = cascade("measure", "--postgres", dsn(database), "--redis", url(cache), "--yes")
        thread.join()
    assert status == 2
    assert "database: 1 at work beside us, 0 transactions a second" in err
    assert "error: not idle: database; nothing was measured" in err
    assert "round_trip_ms" not in err


def test_who_does_not_see_what_others_do_sees_that_they_do_it(cascade: Command, database: Server) -> None:
    """The state of another role's session is hidden from an ordinary one: it is not taken for idle."""
    with database.connect() as other:
        thread = threading.Thread(target=lambda: other.execute("SELECT pg_sleep(4)"))
        thread.start()
        status, _, err = cascade("measure", "--postgres", dsn(database, "reader"), "--yes")
        thread.join()
        assert status == 2
        assert "database: 0 at work beside us, 0 transactions a second, 1 of other roles within a" in err
        # The session is still there, and does nothing: that is idle.
        assert cascade("measure", "--postgres", dsn(database, "reader"), "--yes", "--seconds", "0.2")[0] == 0


# ------------------------------------------------------------------------------- a role, a server that may not much


def test_a_role_that_may_create_nothing_gets_what_reading_tells(cascade: Command, database: Server) -> None:
    status, out, err = cascade("measure", "--postgres", dsn(database, "reader"), "--yes", "--seconds", "0.5")
    values = read_patch(out)
    assert status == 0
    assert {"tiers.database.read_ms", "tiers.database.parse_ms", "tiers.database.round_trip_ms"} <= values.keys()
    assert not {"tiers.database.write_ms", "tiers.database.commit_ms"} & values.keys()
    said = " ".join(err.split())
    assert "write_ms not known: this role may not create a schema commit_ms not known: " in said
    assert "memory of a connection not known: permission denied for" in said
    assert set(yaml.safe_load(out)["left"]) >= {"tiers.database.write_ms", "tiers.database.commit_ms"}


def test_a_role_that_reads_alone_is_not_written_with(cascade: Command, database: Server) -> None:
    with database.connect() as admin:
        admin.execute("CREATE ROLE careful LOGIN SUPERUSER")
        admin.execute("ALTER ROLE careful SET default_transaction_read_only = on")
    status, _, err = cascade("measure", "--postgres", dsn(database, "careful"), "--yes", "--seconds", "0.2")
    assert status == 0
    assert "write_ms not known: it is read-only" in " ".join(err.split())


def test_a_redis_that_may_only_be_read_is_read(cascade: Command, cache: int) -> None:
    with client.Redis(port=cache, password=SECRET) as admin:
        admin.execute_command("ACL", "SETUSER", "looker", "on", f">{SECRET}", "~*", "+ping", "+get", "+info", "+select")
    address = f"redis://looker:{SECRET}@127.0.0.1:{cache}/0"
    status, out, err = cascade("measure", "--redis", address, "--yes", "--seconds", "0.2")
    assert status == 0
    assert "tiers.cache.command_ms" in read_patch(out)
    assert "SET is refused" in err
    assert SECRET not in out + err


def test_a_schema_that_a_killed_run_left_is_dropped_by_the_next(cascade: Command, database: Server) -> None:
    old, young, foreign = (
        f"cascade_plan_measure_{int(time.time()) - 700}_0123abcd",
        f"cascade_plan_measure_{int(time.time()) - 60}_0123abcd",
        "cascade_plan_measure_1_mine",
    )
    with database.connect() as admin:
        for name in (old, young, foreign):
            admin.execute(f"CREATE SCHEMA {name}")
        assert cascade("measure", "--postgres", dsn(database), "--yes", "--seconds", "0.2")[0] == 0
        left = schemas(database)
        for name in (young, foreign):
            admin.execute(f"DROP SCHEMA {name}")
    assert sorted(left) == sorted([young, foreign])


# ------------------------------------------------------------------------------------------- what ends in the middle


@contextmanager
def slowed(port: int) -> Iterator[int]:
    """Yield a port behind which that server answers 10 ms later: a measurement lasts seconds, and has a middle."""

    def carry(source: socket.socket, target: socket.socket, delay_s: float) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                time.sleep(delay_s)
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                ends.append(near)
                far = socket.create_connection(("127.0.0.1", port))
                ends.append(far)
                threading.Thread(target=carry, args=(near, far, 0), daemon=True).start()
                threading.Thread(target=carry, args=(far, near, 0.01), daemon=True).start()

    ends: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for end in ends:
        end.close()


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the program in a process of its own; whoever looks at the server meanwhile makes it busy."""
    line = [sys.executable, "-m", "cascade_plan", "measure", *arguments, "--yes", "--busy-ok", "--seconds", "6"]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("server", ["postgres", "redis"])
def test_stopped_in_the_middle_it_leaves_nothing(
    cache: int, database: Server, tmp_path: Path, server: str, kind: signal.Signals
) -> None:
    port = database.port if server == "postgres" else cache

    def there() -> list[Any]:
        return schemas(database) if server == "postgres" else keys(cache)

    with slowed(port) as slow:
        address = dsn(replace(database, port=slow)) if server == "postgres" else url(slow)
        with started(f"--{server}", address, "-o", str(tmp_path / "calibration.yaml")) as process:
            wait_until(lambda: bool(there()), "something of the measurement's own")
            process.send_signal(kind)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert err.splitlines()[-1] == "interrupted; nothing was written"
    assert there() == []
    assert not list(tmp_path.iterdir())


def test_stopped_again_while_it_clears_away_it_clears_away(database: Server) -> None:
    with slowed(database.port) as slow, started("--postgres", dsn(replace(database, port=slow))) as process:
        wait_until(lambda: bool(schemas(database)), "a schema")
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.005)
        _, err = process.communicate(timeout=60)
    assert schemas(database) == []
    assert process.returncode == 130, err


def test_killed_it_leaves_a_key_that_goes_by_itself(cache: int) -> None:
    with slowed(cache) as slow, started("--redis", url(slow)) as process:
        wait_until(lambda: bool(keys(cache)), "a key")
        process.kill()
        process.communicate()
    with client.Redis(port=cache, password=SECRET) as admin:
        left = keys(cache)
        assert [0 < admin.pttl(key) <= 60_000 for key in left] == [True]
        admin.delete(*left)


def test_a_server_that_dies_in_the_middle_is_one_message(tmp_path: Path) -> None:
    port = free_port()
    command = [program("redis-server"), "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    with (
        running(command, lambda: listening(port), tmp_path / "log"),
        slowed(port) as slow,
        started("--redis", f"redis://127.0.0.1:{slow}") as process,
        client.Redis(port=port) as admin,
    ):
        wait_until(lambda: bool(admin.keys("*")), "a key")
        admin.shutdown(nosave=True)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert err.splitlines()[-1].startswith(f"error: redis://127.0.0.1:{slow}: ")
    assert "Traceback" not in err


def test_a_schema_that_cannot_be_dropped_is_named(database: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds a lock on its table: no end without a word about what is left."""
    monkeypatch.setattr(measuring_postgres, "CLEAR_MS", 300)
    with database.connect() as holder, ExitStack() as stack:
        session = stack.enter_context(measuring_postgres.opened(dsn(database), Limits(0.2)))
        session.found()
        (left,) = schemas(database)
        holder.execute("BEGIN")
        holder.execute(f"LOCK TABLE {left}.rows IN ACCESS SHARE MODE")
        with pytest.raises(ServerError, match=f"the schema could not be dropped .*; run DROP SCHEMA {left} CASCADE"):
            stack.close()
    with database.connect() as admin:
        admin.execute(f"DROP SCHEMA {left} CASCADE")


def test_a_connection_that_the_server_ends_is_one_message_and_leaves_nothing(database: Server) -> None:
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cascade-plan'"
    with ExitStack() as stack:
        session = stack.enter_context(measuring_postgres.opened(dsn(database), Limits(0.2)))
        session.found()
        assert schemas(database)
        with database.connect() as admin:
            admin.execute(ended)
        stack.callback(session.found)
        with pytest.raises(ServerError, match="terminating connection"):
            stack.close()
    assert schemas(database) == []


# -------------------------------------------------------------------------------------------- what cannot be reached


def test_who_is_not_let_in_or_not_there_is_one_line_without_the_password(
    cascade: Command, cache: int, database: Server
) -> None:
    nobody = free_port()
    wrong = f"{SECRET}-wrong"
    for flag, address, said in (
        ("--redis", f"redis://:{wrong}@127.0.0.1:{cache}/0", "refuses the user or the password"),
        ("--redis", f"redis://127.0.0.1:{cache}/0", "Authentication required"),
        ("--redis", url(nobody), "refused"),
        ("--postgres", f"postgresql://me:{SECRET}@127.0.0.1:{nobody}/app", "refused"),
        (
            "--postgres",
            f"postgresql://stranger:{SECRET}@127.0.0.1:{database.port}/app",
            'role "stranger" does not exist',
        ),
        ("--http", f"http://127.0.0.1:{nobody}/", "refused"),
        ("--http", "http://no-such-host.invalid/", "http://no-such-host.invalid/: "),
    ):
        status, out, err = cascade("measure", flag, address, "--yes", "-q")
        assert (status, out) == (5, ""), address
        assert said in err
        assert len(err.splitlines()) == 1
        assert SECRET not in err


@pytest.mark.parametrize(
    ("flag", "address", "said"),
    [
        ("--redis", f"postgres://:{SECRET}@h", "--redis takes a URL such as redis://user@host:6379/0"),
        ("--redis", f"redis://:{SECRET}@h:port", "--redis takes a URL"),
        ("--postgres", f"host=h password={SECRET} with blanks", "--postgres takes postgresql://user@host:5432/name"),
        ("--postgres", f"postgresql://me:{SECRET}@h:5432:1/a", "--postgres takes"),
        ("--postgres", f"postgresql://me:a@{SECRET}@h/a", "in a password @ is %40"),
        ("--postgres", f"postgresql://me:a/{SECRET}@h/a", "/ is %2F"),
        ("--redis", f"redis://me:a/{SECRET}@h", "/ is %2F"),
        ("--redis", f"redis://me:1/{SECRET}@h", "/ is %2F"),
        ("--redis", f"redis://:a?{SECRET}@h", "? is %3F"),
        ("--postgres", "", "--postgres takes"),
        ("--http", f"ftp://me:{SECRET}@h/", "--http takes a URL such as https://example.com/healthz"),
        ("--http", f"https://me:{SECRET}@h/", "--http sends no password"),
        ("--http", "POST https://h/orders", "--http asks by GET or HEAD alone, not by POST"),
        ("--http", "DELETE https://h/orders", "not by DELETE"),
    ],
)
def test_what_is_no_address_is_refused_and_not_shown(cascade: Command, flag: str, address: str, said: str) -> None:
    status, out, err = cascade("measure", flag, address, "--yes")
    assert (status, out) == (2, "")
    assert said in err
    assert SECRET not in err


def test_a_scenario_without_the_tier_has_nothing_to_measure(cascade: Command) -> None:
    status, _, err = cascade("measure", "--set", "tiers.cache=off", "--redis", "redis://h", "--yes")
    assert (status, err) == (2, "error: --redis: scenario cascade has no tier of kind cache to measure\n")
    status, _, err = cascade("measure")
    assert (status, err) == (2, "error: name a server to measure: --http URL, --postgres DSN, --redis URL\n")


@pytest.mark.parametrize("package", ["psycopg", "redis"])
def test_a_client_that_is_not_installed_is_named(
    cascade: Command, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    address = ("--redis", "redis://h") if package == "redis" else ("--postgres", "host=h")
    status, _, err = cascade("measure", *address, "--yes", "-q")
    assert (status, err) == (2, f"error: {package} is not installed: pip install 'cascade-plan[measure]'\n")


# ------------------------------------------------------------------------------------------------------------- HTTP


def test_an_address_that_answers_no_success_or_hangs_up_is_not_measured(cascade: Command) -> None:
    class Closing(Slow):
        """Hangs up after each answer."""

        protocol_version = "HTTP/1.0"

    for handler, path, said in (
        (Slow, "/missing", "it answers 404 Not Found, not a success"),
        (Closing, "/ok", "it closes the connection after each answer"),
    ):
        with answering(handler) as port:
            status, out, err = cascade("measure", "--http", f"http://127.0.0.1:{port}{path}", "--yes", "-q")
        assert (status, out) == (5, "")
        assert err.startswith(f"error: http://127.0.0.1:{port}{path}: {said}")


def test_a_certificate_that_nobody_trusts_is_not_measured(
    cascade: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"https://localhost:{server.server_address[1]}/ok"
        status, _, err = cascade("measure", "--http", address, "--yes", "-q")
        assert (status, err) == (5, f"error: {address}: its certificate is not trusted: self-signed certificate\n")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert"))
        status, out, err = cascade("measure", "--http", address, "--yes", "--seconds", "0.3")
        server.shutdown()
        thread.join()
    assert status == 0
    assert "TLS handshake p50" in err
    assert "tiers.gateway.response_ms" in read_patch(out)
