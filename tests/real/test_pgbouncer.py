"""A real PgBouncer takes the emitted pgbouncer.ini, keeps to its pools, and never mixes tenants."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from postgres import Server, create, directory, files, fill, give, pgbouncer, postgres, quoted_names, small_plan
from psycopg import errors
from psycopg.rows import dict_row
from servers import free_port, program

from cascade_plan.errors import UsageError
from cascade_plan.languages import ini as pgbouncer_text
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.pool.settings import Settings as PoolSettings

pytestmark = pytest.mark.xdist_group("postgres")

INSTALLED = "1.18"
"""Debian 12's, without max_prepared_statements."""
TENANTS, USERS = 20, 400
PASSWORDS = {"app_user": """s3cret "quoted" 'x'""", "app_readonly": "other"}
HBA = "host all app_user,app_readonly all scram-sha-256\nhost all postgres all trust\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """PostgreSQL with the plan's tables and policies, where the application's roles log in with SCRAM."""
    plan = small_plan()
    emitted, quoted = files(plan), quoted_names(plan)
    with postgres(emitted["postgresql.conf"]) as running, running.connect() as superuser:
        superuser.execute("CREATE DATABASE test")
        with running.connect("test") as connection:
            connection.execute(create(quoted) + fill(quoted, TENANTS, USERS, USERS))
        for path in ("tenant_column.sql", "indexes.sql", "tenancy.sql"):
            running.apply(emitted[path], "test")
        for role, password in PASSWORDS.items():
            superuser.execute(
                psycopg.sql.SQL("ALTER ROLE {} PASSWORD {}").format(psycopg.sql.Identifier(role), password)
            )
        (hba,) = superuser.execute("SHOW hba_file").fetchone() or ("",)
        Path(hba).write_text(HBA)
        give(Path(hba))
        superuser.execute("SELECT pg_reload_conf()")
        yield running


@contextmanager
def pooled(server: Server, **overrides: Any) -> Iterator[tuple[int, Plan]]:
    """Run PgBouncer in front of the server with the files of a plan, and yield its port and the plan."""
    given = {"host": "127.0.0.1", "replica_hosts": ["127.0.0.1"], "port": server.port}
    plan = small_plan(
        **{f"tiers.database.{name}": value for name, value in given.items()},
        **{"tiers.pool.pgbouncer_version": INSTALLED, "tiers.pool.process_count": 1, **overrides},
    )
    emitted = files(plan)
    with server.connect() as connection:
        secrets = dict(connection.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin").fetchall())
    users = {"pgbouncer_admin": "admin", "pgbouncer_stats": "admin"} | {role: secrets[role] for role in PASSWORDS}
    lines = [f"{pgbouncer_text.user(name)} {pgbouncer_text.user(secret)}" for name, secret in users.items()]
    userlist = emitted["userlist.txt"] + "\n".join(lines) + "\n"
    # The server of the tests has no certificate.
    local = {"server_tls_sslmode": "disable"}
    with ExitStack() as stack:
        if plan.of(PoolSettings)[0].settings.client_tls != "disable":
            home = stack.enter_context(directory())
            made = {"client_tls_key_file": home / "tls.key", "client_tls_cert_file": home / "tls.crt"}
            write_certificate(*made.values())
            local |= {name: str(path) for name, path in made.items()}
        yield stack.enter_context(pgbouncer(emitted["pgbouncer.ini"], userlist, local)), plan


def write_certificate(key: Path, certificate: Path) -> None:
    """Write a key and a certificate of its own, which PgBouncer can read."""
    subject = ["-subj", "/CN=pgbouncer", "-days", "1", "-nodes", "-newkey", "rsa:2048"]
    command = [program("openssl"), "req", "-x509", *subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    for path in (key, certificate):
        give(path)


def test_clients_must_encrypt_where_the_scenario_says_so(server: Server) -> None:
    with pooled(server, **{"tiers.pool.client_tls": "require"}) as (port, _):
        encrypted = psycopg.conninfo.make_conninfo(conninfo(port), sslmode="require")
        with psycopg.connect(encrypted, autocommit=True) as connection:
            assert connection.pgconn.ssl_in_use
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="SSL required"):
            psycopg.connect(conninfo(port))


def test_the_exporter_reads_figures_and_stops_nothing(server: Server) -> None:
    with pooled(server) as (port, _):
        address = conninfo(port, "pgbouncer", "pgbouncer_stats")
        with psycopg.connect(address, autocommit=True, cursor_factory=psycopg.ClientCursor) as console:
            assert console.execute("SHOW STATS").fetchall()
            with pytest.raises(errors.DatabaseError, match="admin access needed"):
                console.execute("PAUSE")


def conninfo(port: int, database: str = "test_standard", role: str = "app_user") -> str:
    password = PASSWORDS.get(role, "admin")
    return psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=port, dbname=database, user=role, password=password, sslmode="disable"
    )


def shown(port: int, what: str) -> list[dict[str, Any]]:
    """Return the rows of a SHOW at PgBouncer's console."""
    address = conninfo(port, "pgbouncer", "pgbouncer_admin")
    with psycopg.connect(
        address, autocommit=True, cursor_factory=psycopg.ClientCursor, row_factory=dict_row
    ) as console:
        return console.execute(f"SHOW {what}").fetchall()


def emitted_module(plan: Plan) -> ModuleType:
    """Return the emitted prepared_statements.py as a module."""
    module = ModuleType("prepared_statements")
    exec(compile(files(plan)["prepared_statements.py"], "prepared_statements.py", "exec"), vars(module))
    return module


def test_the_settings_are_taken(server: Server) -> None:
    with pooled(server) as (port, plan):
        taken = {row["key"]: row["value"] for row in shown(port, "CONFIG")}
        pools = {row["name"]: row for row in shown(port, "DATABASES")}
    assert taken["client_tls_sslmode"] == "disable"
    assert (taken["pool_mode"], taken["auth_type"]) == ("transaction", "scram-sha-256")
    assert taken["max_client_conn"] == str(plan.figure("pool.client_connection_count_max"))
    assert taken["query_wait_timeout"] == "30"
    assert {"test_standard", "test_standard_read"} <= set(pools)
    for name in ("test_standard", "test_standard_read"):
        row = pools[name]
        assert (row["database"], row["port"], row["pool_size"], row["reserve_pool"]) == ("test", server.port, 90, 10)
        assert row["max_connections"] == plan.figure("pool.connection_count") == 100


CLIENTS, POOL = 200, 10


def test_more_clients_than_connections_are_all_answered(server: Server) -> None:
    """Each client asks three times; meanwhile neither PgBouncer nor PostgreSQL ever shows more than the pool."""
    seen: list[int] = []

    async def client(port: int, number: int, barrier: asyncio.Barrier) -> list[Any]:
        answers = []
        connection = await psycopg.AsyncConnection.connect(conninfo(port), autocommit=True, prepare_threshold=None)
        async with connection:
            await barrier.wait()
            for _ in range(3):
                async with connection.transaction():
                    await connection.execute("SELECT set_config('app.tenant_id', %s, true)", (str(number % TENANTS),))
                    row = await connection.execute(
                        "SELECT (SELECT array_agg(DISTINCT tenant_id) FROM users), pg_sleep(0.01)::text"
                    )
                    answers += [(await row.fetchone() or ([],))[0]]
        return answers

    async def watch(done: asyncio.Event) -> None:
        async with await psycopg.AsyncConnection.connect(
            f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres", autocommit=True
        ) as observer:
            while not done.is_set():
                rows = await observer.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app_user'")
                seen.append((await rows.fetchone() or (0,))[0])
                await asyncio.sleep(0.01)

    async def everything(port: int) -> list[list[Any]]:
        barrier, done = asyncio.Barrier(CLIENTS), asyncio.Event()
        watcher = asyncio.create_task(watch(done))
        answers = await asyncio.gather(*(client(port, number, barrier) for number in range(CLIENTS)))
        done.set()
        await watcher
        return answers

    with pooled(server, **{"tiers.pool.connections": POOL}) as (port, _):
        answers = asyncio.run(everything(port))
        servers = [row for row in shown(port, "SERVERS") if row["database"] == "test_standard"]
    assert answers == [[[str(number % TENANTS)]] * 3 for number in range(CLIENTS)]
    assert 2 <= max(seen) <= POOL
    assert len(servers) <= POOL


def test_tenants_that_share_one_server_connection_see_only_their_own(server: Server) -> None:
    backends = set()
    with pooled(server, **{"tiers.pool.connections": 1}) as (port, plan):
        module = emitted_module(plan)
        with (
            module.connected(conninfo(port), 2) as connections,
            connections.connection() as one,
            connections.connection() as other,
        ):
            for _ in range(5):
                for connection, tenant in ((one, "1"), (other, "2"), (one, "2")):
                    with module.tenant(connection, tenant) as cursor:
                        rows = cursor.execute("SELECT DISTINCT tenant_id, pg_backend_pid() FROM users").fetchall()
                    assert [row[0] for row in rows] == [tenant]
                    backends.add(rows[0][1])
                    assert other.execute("SELECT count(*) FROM users").fetchone() == (0,), (
                        "the tenant outlived its transaction"
                    )
    assert len(backends) == 1


def test_a_session_wide_tenant_would_leak(server: Server) -> None:
    """Why the setting is local to the transaction: SET stays on the server connection, for whoever comes next."""
    with pooled(server, **{"tiers.pool.connections": 1}) as (port, _):
        with psycopg.connect(conninfo(port), autocommit=True) as careless:
            careless.execute("SET app.tenant_id = '1'")
        with psycopg.connect(conninfo(port), autocommit=True) as stranger:
            assert stranger.execute("SELECT count(*) FROM users").fetchone() == (USERS // TENANTS,)


def test_the_reference_refuses_what_would_leak(server: Server) -> None:
    with pooled(server) as (port, plan):
        module = emitted_module(plan)
        with psycopg.connect(conninfo(port), **module.options()) as connection:
            for nobody in ("", None):
                with pytest.raises(ValueError, match="no tenant"), module.tenant(connection, nobody):
                    pass
            within, another = module.tenant(connection, "1"), module.tenant(connection, "2")
            with within, pytest.raises(RuntimeError, match="transaction is open"):
                another.__enter__()
            with pytest.raises(errors.DivisionByZero), module.tenant(connection, "1") as cursor:
                cursor.execute("DELETE FROM resources; SELECT 1 / 0")
            with module.tenant(connection, "1") as cursor:
                assert cursor.execute("SELECT count(*) FROM resources").fetchone() == (USERS // TENANTS,)


def test_statements_are_prepared_without_a_pool(server: Server) -> None:
    module = emitted_module(small_plan(**{"tiers.pool.pgbouncer_version": "1.23"}))
    address = conninfo(server.port, "test")
    query = "SELECT count(*) FROM users WHERE tenant_id = %s"
    with (
        module.connected(address, 1) as connections,
        connections.connection() as connection,
    ):
        for tenant in map(str, range(8)):
            with module.tenant(connection, tenant) as cursor:
                assert cursor.execute(query, (tenant,)).fetchone() == (USERS // TENANTS,)
        prepared = connection.execute("SELECT statement FROM pg_prepared_statements").fetchall()
    # One text for all tenants; none where libpq is too old for it.
    assert [text for (text,) in prepared if "users" in text] == (
        [query.replace("%s", "$1")] if psycopg.pq.version() >= 170000 else []
    )


def test_this_version_cannot_follow_a_prepared_statement(server: Server) -> None:
    """Why nothing is prepared before 1.21: executed on another server connection than it was prepared on."""
    with pooled(server, **{"tiers.pool.connections": 2}) as (port, plan):
        assert emitted_module(plan).PREPARE_THRESHOLD is None
        with psycopg.connect(conninfo(port), autocommit=True) as one, psycopg.connect(conninfo(port)) as other:
            (first,) = one.execute("SELECT pg_backend_pid()", prepare=True).fetchone() or (0,)
            (taken,) = other.execute("SELECT pg_backend_pid()", prepare=False).fetchone() or (0,)
            assert taken == first, "the last connection that came back is given out first"
            with pytest.raises(errors.InvalidSqlStatementName):
                one.execute("SELECT pg_backend_pid()", prepare=True)


def test_a_pgbouncer_older_than_the_plans_is_said_at_the_start(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of one request in seven that fails later; and nothing is left on the server's connection."""
    made_for_newer = emitted_module(small_plan(**{"tiers.pool.pgbouncer_version": "1.23"}))
    monkeypatch.setattr(psycopg.pq, "version", lambda: 170000)

    async def start(address: str) -> None:
        async with made_for_newer.async_connected(address, 1):
            pass

    with pooled(server, **{"tiers.pool.connections": 1}) as (port, _):
        with psycopg.connect(conninfo(port), autocommit=True, prepare_threshold=None) as bystander:
            for _ in range(2):
                with pytest.raises(RuntimeError, match="does not follow"), made_for_newer.connected(conninfo(port), 1):
                    pass
                with pytest.raises(RuntimeError, match="does not follow"):
                    asyncio.run(start(conninfo(port)))
            assert bystander.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        # A statement of the same name that another client left there.
        with psycopg.connect(conninfo(port), autocommit=True) as careless:
            careless.execute("SELECT 1", prepare=True)
        with pytest.raises(RuntimeError, match="does not follow"), made_for_newer.connected(conninfo(port), 1):
            pass


def test_the_asyncio_form_keeps_tenants_apart(server: Server) -> None:
    """Sixty tasks share six connections, and PgBouncer two: each sees its own tenant, and none outlives its block."""

    async def seen(module: ModuleType, pool: Any, tenant: str) -> list[Any]:
        async with pool.connection() as connection:
            async with module.async_tenant(connection, tenant) as cursor:
                await cursor.execute("SELECT DISTINCT tenant_id FROM users")
                own = await cursor.fetchall()
            without = await (await connection.execute("SELECT count(*) FROM users")).fetchone()
            with pytest.raises(ValueError, match="no tenant"):
                await module.async_tenant(connection, "").__aenter__()
        return [own, without]

    async def everything(module: ModuleType, address: str) -> list[list[Any]]:
        async with module.async_connected(address, 6) as pool:
            return await asyncio.gather(*(seen(module, pool, str(number % TENANTS)) for number in range(60)))

    with pooled(server, **{"tiers.pool.connections": 2}) as (port, plan):
        answers = asyncio.run(everything(emitted_module(plan), conninfo(port)))
    assert answers == [[[(str(number % TENANTS),)], (0,)] for number in range(60)]


def test_the_read_pool_serves_the_read_only_role(server: Server) -> None:
    with pooled(server) as (port, plan):
        module = emitted_module(plan)
        with psycopg.connect(conninfo(port, "test_standard_read", "app_readonly"), **module.options()) as connection:
            with module.tenant(connection, "3") as cursor:
                assert cursor.execute("SELECT count(*) FROM users").fetchone() == (USERS // TENANTS,)
            with pytest.raises(errors.ReadOnlySqlTransaction), module.tenant(connection, "3") as cursor:
                cursor.execute("DELETE FROM users")


def test_each_class_has_connections_of_its_own(server: Server) -> None:
    """Clients of one class hold all it has; a client of the other is answered at once."""
    share = {"large": 0.5, "standard": 0.5}
    with pooled(server, **{"tiers.pool.connections": 4, "tiers.pool.tenant_class_share": share}) as (port, _):
        busy = [psycopg.connect(conninfo(port, "test_large")) for _ in range(3)]
        for connection in busy[:2]:
            connection.execute("SELECT 1")
        busy[2].pgconn.send_query(b"SELECT 1")
        with psycopg.connect(conninfo(port, "test_standard"), autocommit=True) as other:
            assert other.execute("SELECT 1").fetchone() == (1,)
        pools = {row["database"]: row for row in shown(port, "POOLS")}
        assert (pools["test_large"]["sv_active"], pools["test_large"]["cl_waiting"]) == (2, 1)
        for connection in busy:
            connection.close()


def test_several_processes_share_a_port_and_the_pool(server: Server) -> None:
    """As many processes as the plan says, all with the same file, together keep to its connections."""
    shared = {"replicas": 0, "host": "127.0.0.1", "port": server.port}
    plan = small_plan(
        **{f"tiers.database.{name}": value for name, value in shared.items()},
        **{"tiers.pool.connections": 10, "tiers.pool.pgbouncer_version": INSTALLED},
    )
    emitted, processes, port = files(plan), int(plan.figure("pool.process_count")), free_port()
    with server.connect() as superuser:
        ((secret,),) = superuser.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'app_user'").fetchall()
    userlist = f'"app_user" "{secret}"\n"pgbouncer_admin" "admin"\n'

    async def backend() -> int:
        async with await psycopg.AsyncConnection.connect(conninfo(port), prepare_threshold=None) as connection:
            rows = await connection.execute("SELECT pg_backend_pid() FROM pg_sleep(0.05)")
            return (await rows.fetchone() or (0,))[0]

    async def backends() -> list[int]:
        return await asyncio.gather(*(backend() for _ in range(60)))

    with ExitStack() as stack:
        for _ in range(processes):
            local = {"server_tls_sslmode": "disable"}
            stack.enter_context(pgbouncer(emitted["pgbouncer.ini"], userlist, local, shared=port))
        used = asyncio.run(backends())
    assert processes == 2
    assert len(used) == 60
    assert 2 < len(set(used)) <= 10


HOSTILE = (
    'odd"name', "a'b", "''", "a b = c", "; comment", "# comment", "[databases]", "%include x", "$1", "ünïcode", "\\",
    "=", "it's host=evil", "' port=1 user='x",
)  # fmt: skip


def test_hostile_names_come_back_from_pgbouncer(server: Server) -> None:
    """As values of pgbouncer.ini and as users of userlist.txt."""
    pools = "".join(f"pool_{at} = dbname={pgbouncer_text.literal(name)}\n" for at, name in enumerate(HOSTILE))
    ini = files(small_plan(**{"tiers.pool.pgbouncer_version": INSTALLED}))["pgbouncer.ini"]
    ini = ini.replace("[databases]\n", f"[databases]\n{pools}", 1)
    users = {"pgbouncer_admin": "admin", "pgbouncer_stats": "admin"} | dict.fromkeys(HOSTILE, "secret")
    userlist = "".join(f"{pgbouncer_text.user(name)} {pgbouncer_text.user(secret)}\n" for name, secret in users.items())
    with pgbouncer(ini, userlist, {"server_tls_sslmode": "disable"}) as port:
        databases = {row["name"]: row["database"] for row in shown(port, "DATABASES")}
        known = {row["name"] for row in shown(port, "USERS")}
    assert {name: databases.get(name) for name in databases if name.startswith("pool_")} == {
        f"pool_{at}": name for at, name in enumerate(HOSTILE)
    }
    assert set(HOSTILE) <= known


@pytest.mark.parametrize("name", ["a b", "a\nb", 'a"b', "", "pgbouncer", "[x]"])
def test_what_is_no_key_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        pgbouncer_text.name(name)


@pytest.mark.parametrize("name", ["a\nb = host=evil", "a\rb", "a\0b", "a\u2028b"])
def test_what_no_line_can_hold_is_refused(name: str) -> None:
    for quote in (pgbouncer_text.literal, pgbouncer_text.user):
        with pytest.raises(UsageError, match="line breaks"):
            quote(name)


def test_hostile_names_of_the_scenario_are_reached(server: Server) -> None:
    name = """it's "odd" ; $1 ünïcode"""
    with server.connect() as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    with (
        pooled(server, **{"tiers.database.database_name": name}) as (port, _),
        psycopg.connect(conninfo(port), autocommit=True) as connection,
    ):
        assert connection.execute("SELECT current_database()").fetchone() == (name,)
