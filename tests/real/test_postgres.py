"""A real PostgreSQL takes the emitted settings and SQL, uses the indexes, and keeps tenants apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postgres import ACTIVITIES, TENANTS, USERS, Server, create, files, fill, postgres, quoted_names, small_plan
from psycopg import errors, sql
from servers import wait_until

from cascade_plan.emitters import _database_parameters
from cascade_plan.emitters._databases import databases
from cascade_plan.emitters._sql_names import names
from cascade_plan.emitters.postgres import _indexes as _indexes_sql
from cascade_plan.errors import UsageError
from cascade_plan.languages.sql import dollar_quoted, literal
from cascade_plan.languages.sql import name as identifier
from cascade_plan.tiers.database.settings import Columns

pytestmark = pytest.mark.xdist_group("postgres")

PLAN = small_plan()
EMITTED = files(PLAN)
NAMES = quoted_names(PLAN)
SMALL = {"tenants": 3, "users": 30, "activities": 30}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres(EMITTED["postgresql.conf"]) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the server's own, with the plan's tables."""

    server: Server
    name: str

    def connect(self, user: str = "postgres") -> psycopg.Connection:
        return self.server.connect(self.name, user)

    def apply(self, *paths: str) -> None:
        for path in paths:
            self.server.apply(EMITTED[path], self.name)


@pytest.fixture(scope="module")
def seeded(server: Server) -> Database:
    """A database of the size of a busy small installation, with indexes and policies."""
    database = new_database(server, "seeded", tenants=TENANTS, users=USERS, activities=ACTIVITIES)
    database.apply("tenant_column.sql", "indexes.sql", "tenancy.sql")
    return database


@pytest.fixture
def fresh(server: Server, request: pytest.FixtureRequest) -> Database:
    """A small database without any of what is emitted."""
    return new_database(server, request.node.name[:60], **SMALL)


def new_database(server: Server, name: str, **counts: int) -> Database:
    with server.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with server.connect(name) as connection:
        connection.execute(create(NAMES) + fill(NAMES, **counts))
    return Database(server, name)


def as_tenant(connection: psycopg.Connection, tenant: str, query: str, *parameters: object) -> list[Any]:
    """Return the rows of a query, or [its row count] without rows, in a transaction of that tenant."""
    with connection.transaction():
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
        done = connection.execute(query, parameters)
        return done.fetchall() if done.description else [done.rowcount]


# ----------------------------------------------------------------------------------------------------------- settings


def test_every_emitted_setting_is_taken(server: Server) -> None:
    with server.connect() as connection:
        rows = connection.execute(
            "SELECT name, applied, error FROM pg_file_settings WHERE sourcefile LIKE '%emitted.conf'"
        ).fetchall()
    assert {name for name, _, _ in rows} == {
        each.name for each in _database_parameters.settings(PLAN, *databases(PLAN))
    }
    assert [row for row in rows if not row[1] or row[2]] == []


def test_the_server_shows_what_was_emitted(server: Server) -> None:
    with server.connect() as connection:
        for each in _database_parameters.settings(PLAN, *databases(PLAN)):
            (shown,) = connection.execute(f"SHOW {each.name}").fetchone() or ("",)
            # Since PostgreSQL 15 the method's name is shown.
            wanted = "pglz" if each.name == "wal_compression" else each.value.strip("'")
            if wanted.endswith("MB"):
                same = "SELECT pg_size_bytes(%s) = pg_size_bytes(%s)"
            elif wanted.endswith("s") and wanted[0].isdigit():
                same = "SELECT %s::interval = %s::interval"
            else:
                same = "SELECT %s = %s"
            assert connection.execute(same, (shown, wanted)).fetchone() == (True,), (each.name, shown, wanted)


def test_rds_units_are_the_servers_own(server: Server) -> None:
    """RDS takes a parameter in the unit in which pg_settings shows it."""
    parameters = {each.name: each.rds for each in _database_parameters.settings(PLAN, *databases(PLAN)) if each.rds}
    with server.connect() as connection:
        shown = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
    assert {"max_connections", "shared_buffers", "work_mem", "max_wal_size"} <= set(parameters)
    for name, value in parameters.items():
        assert {"on": "1", "off": "0"}.get(shown[name], shown[name]) == value, name


def test_connections_fit_the_pool_and_more(server: Server) -> None:
    with server.connect() as connection:
        (most,) = connection.execute("SELECT current_setting('max_connections')::int").fetchone() or (0,)
    assert most == int(PLAN.figure("pool.connection_count")) + 20 + 5


# ------------------------------------------------------------------------------------------------------------ indexes


def test_the_plans_own_index_is_refused(fresh: Database) -> None:
    with fresh.connect() as connection, pytest.raises(errors.InvalidObjectDefinition, match="must be marked IMMUTABLE"):
        connection.execute(
            "CREATE INDEX idx_recent_resources ON resources(tenant_id, created_at DESC)"
            " WHERE created_at > NOW() - INTERVAL '7 days'"
        )


def test_the_plans_own_brin_index_excludes_nothing_of_other_tenants(fresh: Database) -> None:
    """Every block range holds every tenant: for one tenant the plan's index reads as many blocks as there are."""
    with fresh.connect() as connection:
        connection.execute(
            "INSERT INTO activity_logs (tenant_id) SELECT (i % 50)::text FROM generate_series(1,50000) i"
        )
        connection.execute(
            "CREATE INDEX seeds ON activity_logs USING brin (tenant_id, timestamp) WITH (pages_per_range=8)"
        )
        connection.execute("VACUUM ANALYZE activity_logs")
        connection.execute("SET enable_seqscan = off")
        (explained,) = connection.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM activity_logs WHERE tenant_id = '7'"
        ).fetchone() or ("",)
        (pages,) = connection.execute("SELECT relpages FROM pg_class WHERE relname = 'activity_logs'").fetchone() or (
            0,
        )
    heap = explained[0]["Plan"]
    assert heap["Node Type"] == "Bitmap Heap Scan"
    assert heap["Lossy Heap Blocks"] >= pages > 200


def test_applying_twice_changes_nothing(fresh: Database) -> None:
    def catalogue() -> list[Any]:
        with fresh.connect() as connection:
            return connection.execute(
                "SELECT c.relname, c.oid, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                " WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1"
            ).fetchall()

    fresh.apply("tenant_column.sql", "indexes.sql", "tenancy.sql")
    before = catalogue()
    fresh.apply("tenant_column.sql", "indexes.sql", "tenancy.sql")
    assert catalogue() == before
    assert {index.name for index in _indexes_sql.indexes(NAMES)} <= {name for name, _, _ in before}


def test_an_interrupted_build_is_repaired(fresh: Database) -> None:
    fresh.apply("tenant_column.sql")
    with fresh.connect() as writer, fresh.connect() as builder:
        with writer.transaction():
            writer.execute("UPDATE users SET is_active = is_active WHERE id = 1")
            builder.execute("SET statement_timeout = 200")
            with pytest.raises(errors.QueryCanceled):
                builder.execute(
                    "CREATE INDEX CONCURRENTLY idx_tenant_users_active ON users (tenant_id) WHERE is_active"
                )
        valid = "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid = %s::regclass"
        assert builder.execute(valid, ("idx_tenant_users_active",)).fetchone()[0] is False  # type: ignore[index]
        fresh.apply("indexes.sql")
        repaired, definition = builder.execute(valid, ("idx_tenant_users_active",)).fetchone() or (False, "")
    assert repaired
    assert "created_at DESC" in definition


def test_a_name_taken_by_another_tables_index_is_not_passed_over(fresh: Database) -> None:
    fresh.apply("tenant_column.sql")
    with fresh.connect() as connection:
        connection.execute("CREATE INDEX idx_recent_resources ON users (created_at)")
    done = fresh.server.psql(EMITTED["indexes.sql"], fresh.name)
    assert done.returncode == 3
    assert "not valid, or the name of an index on another table: idx_recent_resources" in done.stderr


def test_rows_that_came_without_a_tenant_are_filled_too(fresh: Database) -> None:
    """Settings of thousands of pages, and one row written between the two files by a program that knows no tenant."""
    with fresh.connect() as connection:
        connection.execute("ALTER TABLE user_settings SET (fillfactor = 10)")
        connection.execute("INSERT INTO user_settings SELECT i % 30 + 1, '{}' FROM generate_series(1, 40000) i")
        ((pages,),) = connection.execute("SELECT pg_relation_size('user_settings') / 8192").fetchall()
        fresh.apply("tenant_column.sql", "indexes.sql")
        missing = "SELECT count(*) FROM user_settings WHERE tenant_id IS NULL"
        assert connection.execute(missing).fetchone() == (0,)
        connection.execute("INSERT INTO user_settings (user_id, settings) VALUES (1, '{}')")
        assert connection.execute(missing).fetchone() == (1,)
        fresh.apply("tenancy.sql")
        wrong = "SELECT count(*) FROM user_settings s JOIN users u ON u.id = s.user_id WHERE s.tenant_id <> u.tenant_id"
        assert (connection.execute(missing).fetchone(), connection.execute(wrong).fetchone()) == ((0,), (0,))
    assert pages > 2000, "more than one batch"


def test_orphaned_settings_are_named_before_the_column_is_relied_on(fresh: Database) -> None:
    with fresh.connect() as connection:
        connection.execute("ALTER TABLE user_settings DROP CONSTRAINT user_settings_user_id_fkey")
        connection.execute("INSERT INTO user_settings (user_id, settings) VALUES (999999, '{}')")
    done = fresh.server.psql(EMITTED["tenant_column.sql"], fresh.name)
    assert done.returncode == 3
    assert "1 rows of the settings table belong to no user" in done.stderr


OF_ALL_TENANTS = "activity_count(now() - interval '2 days', now() - interval '1 day')"
EXPECTED = {
    "active_users('7', 20)": {"idx_tenant_users_active"},
    "recent_resources('7', 20)": {"idx_recent_resources"},
    "activity_of_tenant('7', now() - interval '1 day', now())": {"idx_activity_logs_tenant_time"},
    OF_ALL_TENANTS: {"idx_activity_logs_time"},
    "n_plus_one_settings('7', 7)": {"idx_user_settings_user"},
    "users_with_settings('7')": {"idx_user_settings_user"},
}


@pytest.mark.parametrize(
    ("role", "call"),
    [("app_user", call) for call in EXPECTED if call != OF_ALL_TENANTS] + [("postgres", OF_ALL_TENANTS)],
)
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_each_index_serves_its_query(seeded: Database, call: str, role: str, mode: str) -> None:
    with seeded.connect(role) as connection:
        connection.execute(EMITTED["queries.sql"])
        connection.execute(f"SET plan_cache_mode = {mode}")
        ((explained,),) = as_tenant(connection, "7", f"EXPLAIN (FORMAT JSON) EXECUTE {call}")
    assert indexes_in(explained) >= EXPECTED[call], json.dumps(explained, indent=1)


def indexes_in(node: Any) -> set[str]:
    """Return the names of all indexes in a plan."""
    if isinstance(node, list):
        return set().union(*map(indexes_in, node))
    if isinstance(node, dict):
        return (
            {node["Index Name"]}.union(indexes_in(list(node.values())))
            if "Index Name" in node
            else indexes_in(list(node.values()))
        )
    return set()


def test_an_index_serves_where_only_the_policy_names_the_tenant(seeded: Database) -> None:
    query = "EXPLAIN (FORMAT JSON) SELECT * FROM resources WHERE created_at > now() - interval '7 days'"
    with seeded.connect("app_user") as connection:
        ((explained,),) = as_tenant(connection, "7", query)
    assert indexes_in(explained) == {"idx_recent_resources"}


# ------------------------------------------------------------------------------------------------------------ queries


def test_the_lateral_form_gives_what_n_plus_one_queries_gave(seeded: Database) -> None:
    with seeded.connect("app_user") as connection:
        connection.execute(EMITTED["queries.sql"])
        users = as_tenant(connection, "7", "EXECUTE n_plus_one_users('7')")
        statements = 1
        looked_up = {}
        for user in users:
            rows = as_tenant(connection, "7", f"EXECUTE n_plus_one_settings('7', {user[0]})")
            looked_up[user[0]] = sorted(json.dumps(settings) for (settings,) in rows)
            statements += 1
        joined = as_tenant(connection, "7", "EXECUTE users_with_settings('7')")
    assert statements == 1 + USERS // TENANTS
    assert {row[0]: sorted(map(json.dumps, row[-1])) for row in joined} == looked_up
    assert [] in looked_up.values()


def test_the_plans_lateral_form_gives_null_where_there_are_no_settings(seeded: Database) -> None:
    with seeded.connect() as connection:
        rows = connection.execute(
            "SELECT us.settings FROM users u LEFT JOIN LATERAL ("
            "SELECT json_agg(settings) AS settings FROM user_settings WHERE user_id = u.id) us ON true WHERE u.id = 7"
        ).fetchall()
    assert rows == [(None,)]


def test_the_plans_statement_cache_breaks_what_it_rewrites(fresh: Database) -> None:
    """The plan puts the tenant's schema behind every "FROM", with the tenant's id as it comes."""

    def rewritten(template: str, tenant: str) -> str:
        return template.replace("FROM", f"FROM tenant_{tenant}.")

    with fresh.connect() as connection:
        connection.execute("CREATE TABLE treasure (); CREATE SCHEMA tenant_7; CREATE TABLE tenant_7.users (at date)")
        connection.execute(rewritten("SELECT at FROM users", "7"))
        with pytest.raises(errors.UndefinedTable):
            connection.execute(rewritten("SELECT EXTRACT(year FROM at) FROM users", "7"))
        connection.execute(rewritten("SELECT * FROM users", "7.users; DROP TABLE treasure; --"))
        assert connection.execute("SELECT to_regclass('treasure')").fetchone() == (None,)


# ------------------------------------------------------------------------------------------------------------ tenancy

TABLES = ("users", "user_settings", "resources", "activity_logs", "rooms")


@pytest.mark.parametrize("table", TABLES)
def test_a_tenant_sees_its_own_rows_only(seeded: Database, table: str) -> None:
    with seeded.connect("app_user") as connection, seeded.connect() as superuser:
        seen = as_tenant(connection, "7", f"SELECT count(*), count(*) FILTER (WHERE tenant_id <> '7') FROM {table}")
        ((own,),) = superuser.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = '7'").fetchall()
    assert seen == [(own, 0)]
    assert own > 0


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", ["app_user", "app_readonly"])
def test_without_a_tenant_nothing_is_seen(seeded: Database, table: str, role: str) -> None:
    with seeded.connect(role) as connection:
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert as_tenant(connection, "7", f"SELECT count(*) > 0 FROM {table}") == [(True,)]
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize("table", TABLES)
def test_a_tenant_cannot_change_anothers_rows(seeded: Database, table: str) -> None:
    with seeded.connect("app_user") as connection:
        assert as_tenant(connection, "7", f"UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = '8'") == [0]
        assert as_tenant(connection, "7", f"DELETE FROM {table} WHERE tenant_id = '8'") == [0]
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            as_tenant(connection, "7", f"UPDATE {table} SET tenant_id = '8'")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(f"TRUNCATE {table}")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def test_a_tenant_cannot_insert_for_another(fresh: Database) -> None:
    fresh.apply("tenant_column.sql", "indexes.sql", "tenancy.sql")
    with fresh.connect("app_user") as connection:
        for table in ("users", "resources", "activity_logs"):
            with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
                as_tenant(connection, "1", f"INSERT INTO {table} (tenant_id) VALUES ('2')")
            with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
                connection.execute(f"INSERT INTO {table} DEFAULT VALUES")
            assert as_tenant(connection, "1", f"INSERT INTO {table} DEFAULT VALUES RETURNING tenant_id") == [("1",)]


def test_settings_cannot_be_given_to_another_tenants_user(fresh: Database) -> None:
    fresh.apply("tenant_column.sql", "indexes.sql", "tenancy.sql")
    with fresh.connect("app_user") as connection:
        insert = "INSERT INTO user_settings (user_id, settings) VALUES (%s, '{}')"
        assert as_tenant(connection, "1", insert, 1) == [1]
        with pytest.raises(errors.ForeignKeyViolation):
            as_tenant(connection, "1", insert, 2)


def test_the_read_only_role_writes_nothing(seeded: Database) -> None:
    with seeded.connect("app_readonly") as connection, pytest.raises(errors.ReadOnlySqlTransaction):
        as_tenant(connection, "7", "DELETE FROM users")
    with seeded.connect("app_readonly") as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(errors.InsufficientPrivilege):
            as_tenant(connection, "7", "DELETE FROM users")


def test_the_owner_migrates_every_tenant(seeded: Database) -> None:
    with seeded.connect() as connection:
        connection.execute("SET ROLE app_owner")
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (USERS,)
        assert connection.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app_owner'").fetchone() == (False,)


def test_roles_bring_their_time_outs(seeded: Database) -> None:
    with seeded.connect("app_user") as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("30s",)
        assert connection.execute("SHOW lock_timeout").fetchone() == ("10s",)


def test_a_login_finds_its_tenant_and_nothing_else_is_readable_without_one(seeded: Database) -> None:
    """The emitted function tells the tenant alone; the user is then read as that tenant, under the same policies."""
    tenants_of = "SELECT * FROM tenants_of_login(%s)"
    with seeded.connect("app_user") as connection:
        assert connection.execute("SELECT * FROM users WHERE email = 'user7'").fetchall() == []
        ((tenant,),) = connection.execute(tenants_of, ("user7",)).fetchall()
        assert as_tenant(connection, tenant, "SELECT id, email FROM users WHERE email = %s", "user7") == [(7, "user7")]
        for nobody in ("nobody", "' OR true --", None):
            assert connection.execute(tenants_of, (nobody,)).fetchall() == []
        # Whoever may make temporary objects cannot put his own table in place of the one that the function names.
        connection.execute("CREATE TEMP TABLE users (tenant_id text, email text)")
        assert connection.execute(tenants_of, ("user7",)).fetchall() == [(tenant,)]
        assert connection.execute("SELECT count(*) FROM public.users").fetchone() == (0,)
    for role in ("app_readonly", "app_monitoring"):
        with seeded.connect(role) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(tenants_of, ("user7",))


def test_the_exporter_sees_statistics_and_no_rows(seeded: Database) -> None:
    with seeded.connect("app_monitoring") as connection, seeded.connect("app_user") as busy:
        busy.execute("SELECT 12345")
        query = "SELECT query FROM pg_stat_activity WHERE pid = %s"
        assert connection.execute(query, (busy.info.backend_pid,)).fetchone() == ("SELECT 12345",)
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("SELECT count(*) FROM users")


def test_a_table_that_waits_for_its_lock_keeps_nobody_from_the_others(fresh: Database) -> None:
    """One transaction a table; run again it goes on, and SET NOT NULL looks through no table under its lock."""
    fresh.apply("tenant_column.sql", "indexes.sql")
    hasty = EMITTED["tenancy.sql"].replace("lock_timeout = '5s'", "lock_timeout = '1s'")
    with fresh.connect() as reader, fresh.connect("postgres") as bystander, ThreadPoolExecutor() as beside:
        with reader.transaction():
            reader.execute("SELECT count(*) FROM activity_logs")
            running = beside.submit(fresh.server.psql, hasty, fresh.name)
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'activity_logs'::regclass"
            wait_until(lambda: bystander.execute(waits).fetchone() == (1,), "tenancy.sql waits for the busy table")
            bystander.execute("SET lock_timeout = 100")
            bystander.execute("UPDATE users SET is_active = is_active")
            stopped = running.result()
        assert stopped.returncode == 3
        assert "canceling statement due to lock timeout" in stopped.stderr
    done = fresh.server.psql("SET client_min_messages = debug1;\n" + EMITTED["tenancy.sql"], fresh.name)
    assert done.returncode == 0, done.stderr
    assert 'existing constraints on column "user_settings.tenant_id" are sufficient' in done.stderr


HOSTILE_TENANTS = ("8' OR '1'='1", "8'; DROP TABLE users; --", "$1", "%", '"8"', "8\n", "\\", "ü", "8'::text --", "7;8")


@pytest.mark.parametrize("tenant", HOSTILE_TENANTS)
def test_a_hostile_tenant_is_only_a_tenant_without_rows(seeded: Database, tenant: str) -> None:
    with seeded.connect("app_user") as connection:
        assert as_tenant(connection, tenant, "SELECT count(*) FROM users") == [(0,)]
        assert as_tenant(connection, tenant, "SELECT count(*) FROM users WHERE tenant_id = %s", tenant) == [(0,)]
        assert as_tenant(connection, "7", "SELECT count(*) FROM users") == [(USERS // TENANTS,)]


def test_a_tenant_may_be_a_number(server: Server) -> None:
    """A setting once used reads '' in the next transaction: no number, and no error either."""
    plan = small_plan(**{"tiers.database.tenant_type": "bigint"})
    emitted, quoted = files(plan), quoted_names(plan)
    with server.connect() as connection:
        connection.execute("CREATE DATABASE numbered")
    with server.connect("numbered") as connection:
        connection.execute(create(quoted) + fill(quoted, **SMALL))
    for path in ("tenant_column.sql", "indexes.sql", "tenancy.sql"):
        server.apply(emitted[path], "numbered")
    with server.connect("numbered", "app_user") as connection:
        assert as_tenant(connection, "1", "SELECT count(*) FROM users") == [(10,)]
        assert connection.execute("SELECT current_setting('app.tenant_id')").fetchone() == ("",)
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
        with pytest.raises(errors.InvalidTextRepresentation):
            as_tenant(connection, "1 OR true", "SELECT count(*) FROM users")


@pytest.mark.parametrize("widening", ["SUPERUSER", "BYPASSRLS"])
def test_a_role_that_policies_do_not_bind_is_refused(fresh: Database, widening: str) -> None:
    fresh.apply("tenant_column.sql", "indexes.sql", "tenancy.sql")
    with fresh.connect() as connection:
        connection.execute(f"ALTER ROLE app_user {widening}")
        try:
            done = fresh.server.psql(EMITTED["tenancy.sql"], fresh.name)
        finally:
            connection.execute(f"ALTER ROLE app_user NO{widening}")
    assert done.returncode == 3
    assert "exempt from row-level security: app_user" in done.stderr


def test_a_policy_that_would_widen_ours_is_refused(fresh: Database) -> None:
    fresh.apply("tenant_column.sql", "indexes.sql")
    with fresh.connect() as connection:
        connection.execute("CREATE POLICY everything ON users USING (true)")
        done = fresh.server.psql(EMITTED["tenancy.sql"], fresh.name)
        policies = connection.execute("SELECT polname FROM pg_policy").fetchall()
    assert done.returncode == 3
    assert "would widen tenant_isolation: everything on users" in done.stderr
    assert policies == [("everything",)], "nothing is left half done"


@pytest.mark.parametrize(("database", "master"), [("managed", "master"), ("owned", "owned_owner")])
def test_a_master_user_who_is_no_superuser_can_apply_it_all(server: Server, database: str, master: str) -> None:
    """As on RDS: the master creates roles and owns the database, and is no superuser; it may be the owner itself."""
    roles = ("owner", "app", "readonly", "monitoring")
    plan = small_plan(**{f"tiers.database.roles.{name}": f"{database}_{name}" for name in roles})
    emitted = files(plan)
    with server.connect() as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB").format(sql.Identifier(master)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(master))
        )
    with server.connect(database, master) as connection:
        connection.execute(create(NAMES) + fill(NAMES, **SMALL))
    for path in ("tenant_column.sql", "indexes.sql", "tenancy.sql", "rollback.sql", "indexes.sql", "tenancy.sql"):
        server.apply(emitted[path], database, master)
    with server.connect(database, f"{database}_app") as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
        assert as_tenant(connection, "1", "SELECT count(*) FROM users") == [(10,)]


def test_a_table_without_a_policy_is_named(fresh: Database) -> None:
    fresh.apply("tenant_column.sql", "indexes.sql")
    with fresh.connect() as connection:
        fresh.apply("tenancy.sql")
        connection.execute("SET ROLE app_owner")
        connection.execute("CREATE TABLE invoices (tenant_id text)")
    done = fresh.server.psql(EMITTED["tenancy.sql"], fresh.name)
    assert done.returncode == 0, done.stderr
    assert "invoices" in done.stdout
    with fresh.connect("app_user") as connection:
        assert connection.execute("SELECT count(*) FROM invoices").fetchone() == (0,), "the owner's tables are granted"
    assert "activity_logs" not in done.stdout


def test_rolled_back_and_applied_again(fresh: Database) -> None:
    fresh.apply("tenant_column.sql", "indexes.sql", "tenancy.sql", "rollback.sql")
    with fresh.connect("app_user") as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (30,)
        assert connection.execute("SELECT count(*) FROM pg_policy").fetchone() == (0,)
        assert connection.execute(
            "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'idx!_%' ESCAPE '!'"
        ).fetchone() == (0,)
    fresh.apply("rollback.sql", "tenant_column.sql", "indexes.sql", "tenancy.sql")
    with fresh.connect("app_user") as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


# ------------------------------------------------------------------------------------------------------------ replica


def test_a_replica_answers_reads_with_the_same_policies(fresh: Database) -> None:
    """What read-write-split.md says: settings fit a standby, the tenant is set there too, a write can be waited for."""
    fresh.apply("tenant_column.sql", "indexes.sql", "tenancy.sql")
    with (
        postgres(EMITTED["postgresql.conf"], primary=fresh.server.port) as replica,
        fresh.connect("app_user") as writer,
        replica.connect(fresh.name, "app_user") as reader,
    ):
        assert reader.execute("SELECT pg_is_in_recovery(), current_setting('hot_standby_feedback')").fetchone() == (
            True,
            "on",
        )
        assert reader.execute("SELECT count(*) FROM users").fetchone() == (0,)
        assert as_tenant(reader, "1", "SELECT count(*) FROM users") == [(10,)]
        with pytest.raises(errors.ReadOnlySqlTransaction):
            as_tenant(reader, "1", "DELETE FROM users")
        as_tenant(writer, "1", "INSERT INTO users DEFAULT VALUES")
        (written,) = writer.execute("SELECT pg_current_wal_lsn()").fetchone() or ("",)
        replayed = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
        wait_until(lambda: reader.execute(replayed, (written,)).fetchone() == (True,), "the replica replays the write")
        assert as_tenant(reader, "1", "SELECT count(*) FROM users") == [(11,)]


# ------------------------------------------------------------------------------------------------------ hostile names

HOSTILE = {
    "tiers.database.schema_name": 'schema"; DROP TABLE x; --',
    "tiers.database.tables.users": '"; DROP TABLE x; --',
    "tiers.database.tables.user_settings": "it's :x :'x' \\gexec $body$ $$",
    "tiers.database.tables.resources": "line break %I %s %",
    "tiers.database.tables.activity_logs": "журнал 活動 🐘",
    "tiers.database.tables.others": ['room"; DROP TABLE x; --', "%s"],
    "tiers.database.columns.tenant": "select",
    "tiers.database.columns.id": "$1",
    "tiers.database.columns.user": "user\\",
    "tiers.database.columns.login": "e'mail\"; --",
    "tiers.database.columns.settings": "a.b",
    "tiers.database.columns.created_at": " ",
    "tiers.database.columns.timestamp": "timestamp'",
    "tiers.database.columns.is_active": "-- active",
    "tiers.database.roles.owner": 'owner"; DROP TABLE x; --',
    "tiers.database.roles.app": "app'; DROP TABLE x; --",
    "tiers.database.roles.readonly": "read only ünïcode",
    "tiers.database.roles.monitoring": "moni'tor\"; DROP TABLE x; --",
}


def test_hostile_names_come_through_every_file(server: Server) -> None:
    plan = small_plan(**HOSTILE)
    emitted, quoted = files(plan), quoted_names(plan)
    with server.connect() as connection:
        connection.execute("CREATE DATABASE hostile")
    with server.connect("hostile") as connection:
        connection.execute("CREATE TABLE x ()")
        connection.execute(create(quoted) + fill(quoted, **SMALL))
    for path in ("tenant_column.sql", "indexes.sql", "tenancy.sql", "queries.sql", "indexes.sql", "tenancy.sql"):
        server.apply(emitted[path], "hostile")
    with server.connect("hostile", str(HOSTILE["tiers.database.roles.app"])) as connection:
        connection.execute(emitted["queries.sql"])
        assert connection.execute(f"SELECT count(*) FROM {quoted.users}").fetchone() == (0,)
        assert as_tenant(connection, "1", f"SELECT count(*) FROM {quoted.users}") == [(10,)]
        assert len(as_tenant(connection, "1", "EXECUTE users_with_settings('1')")) == 10
        assert as_tenant(connection, "1", f"INSERT INTO {quoted.activity_logs} DEFAULT VALUES") == [1]
        assert as_tenant(connection, "1", f"INSERT INTO {quoted.others[0]} DEFAULT VALUES") == [1]
        found = connection.execute(f"SELECT * FROM {quoted.schema}.tenants_of_login(%s)", ("user1",)).fetchall()
        assert found == [("1",)]
    with server.connect("hostile") as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relforcerowsecurity ORDER BY relname"
        ).fetchall()
        assert {name for (name,) in tables} == {*databases(plan)[0].instance.settings.tables.named.values()}
    server.apply(emitted["rollback.sql"], "hostile")
    with server.connect("hostile") as connection:
        assert connection.execute("SELECT to_regclass('x') IS NOT NULL").fetchone() == (True,)


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=70)
NAMED = TEXT.filter(lambda text: 0 < len(text.encode()) <= 63)
FUZZED = settings(max_examples=150)


LINE = NAMED.filter(lambda text: text.isprintable() and not text.startswith("pg_") and text not in ("public", "none"))
PRINTABLE = NAMED.filter(str.isprintable)
NO_INDEX = PRINTABLE.filter(lambda text: not text.startswith("idx_"))
TABLE_NAMES = st.lists(NO_INDEX, min_size=5, max_size=5, unique=True)
COLUMN_NAMES = st.lists(PRINTABLE, min_size=len(Columns.model_fields), max_size=len(Columns.model_fields), unique=True)
ROLE_NAMES = st.lists(LINE, min_size=4, max_size=4, unique=True)


@settings(max_examples=8)
@given(
    schema=PRINTABLE.filter(lambda text: not text.startswith("pg_")),
    tables=TABLE_NAMES,
    columns=COLUMN_NAMES,
    roles=ROLE_NAMES,
)
def test_any_names_come_through_every_file(
    server: Server, schema: str, tables: list[str], columns: list[str], roles: list[str]
) -> None:
    *four, other = tables
    named = dict(zip(("users", "user_settings", "resources", "activity_logs"), four, strict=True))
    drawn = {
        "tables": {**named, "others": [other]},
        "columns": dict(zip(Columns.model_fields, columns, strict=True)),
        "roles": dict(zip(("owner", "app", "readonly", "monitoring"), roles, strict=True)),
    }
    plan = small_plan(**{f"tiers.database.{part}": value for part, value in {**drawn, "schema_name": schema}.items()})
    emitted, quoted = files(plan), quoted_names(plan)
    with server.connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS fuzz")
        connection.execute("CREATE DATABASE fuzz")
    with server.connect("fuzz") as connection:
        connection.execute(create(quoted) + fill(quoted, **SMALL))
    for path in ("tenant_column.sql", "indexes.sql", "tenancy.sql"):
        server.apply(emitted[path], "fuzz")
    with server.connect("fuzz") as connection:
        # As the role rather than logged in as it: libpq's own reader of options cuts some names short.
        connection.execute(f"SET ROLE {quoted.app}")
        connection.execute(emitted["queries.sql"])
        assert connection.execute(f"SELECT count(*) FROM {quoted.users}").fetchone() == (0,)
        assert len(as_tenant(connection, "1", "EXECUTE users_with_settings('1')")) == 10
    server.apply(emitted["rollback.sql"], "fuzz")


@pytest.fixture(scope="module")
def connection(server: Server) -> Iterator[psycopg.Connection]:
    with server.connect() as opened:
        yield opened


@FUZZED
@given(name=NAMED)
def test_any_name_is_the_tables_name(connection: psycopg.Connection, name: str) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(f"CREATE TABLE pg_temp.{identifier(name)} ({identifier(name)} int)")
        made = connection.execute(
            "SELECT c.relname, a.attname, quote_ident(%s), (parse_ident(%s))[1] FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1 WHERE c.relnamespace = pg_my_temp_schema()",
            (name, identifier(name)),
        ).fetchall()
    ((table, column, theirs, parsed),) = made
    assert (table, column, parsed) == (name, name, name)
    assert theirs in (name, identifier(name))


@FUZZED
@given(text=TEXT, standard=st.booleans())
def test_any_text_is_the_literals_value(connection: psycopg.Connection, text: str, standard: bool) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(f"SET LOCAL standard_conforming_strings = {standard}")
        assert connection.execute(f"SELECT {literal(text)}, {dollar_quoted(text)}").fetchone() == (text, text)


@FUZZED
@given(parts=st.lists(st.sampled_from(["$", "$$", "body", "$body$", "$body1$", "1", "'", "x"]), max_size=8))
def test_no_tag_in_a_body_ends_it(connection: psycopg.Connection, parts: list[str]) -> None:
    body = "".join(parts)
    assert connection.execute(f"SELECT {dollar_quoted(body)}").fetchone() == (body,)


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "ü" * 32, "\ud800"])
def test_a_name_postgresql_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        identifier(name)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_postgresql_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="NUL"):
        literal(text)


def test_the_files_of_several_databases_without_a_pool_are_taken_too(server: Server) -> None:
    reports = {"kind": "database", "shape": "db.test.large", "tables": {}}
    plan = small_plan(**{"tiers.pool": "off", "tiers.reports": reports})
    emitted, quoted = files(plan), names(databases(plan)[1])
    with postgres(emitted["reports-postgresql.conf"]) as other, other.connect() as connection:
        (most,) = connection.execute("SHOW max_connections").fetchone() or ("",)
    assert int(most) == databases(plan)[1].connection_count_max
    of_reports = new_database(server, "reports", **SMALL)
    for path in ("tenant_column.sql", "indexes.sql", "tenancy.sql", "queries.sql", "rollback.sql"):
        server.apply(emitted[f"reports-{path}"], of_reports.name)
    assert quoted.users == NAMES.users


def test_roles_of_an_application_with_tables_of_its_own(server: Server) -> None:
    """Its migrations run as the owner; the application then reads and writes, the readers read, and neither owns."""
    emitted = files(small_plan(**{"tiers.database.tables": None}))
    assert not {"tenant_column.sql", "indexes.sql", "tenancy.sql", "rollback.sql", "queries.sql"} & {*emitted}
    with server.connect() as connection:
        connection.execute("CREATE DATABASE invoicing")
    for _ in range(2):
        server.apply(emitted["roles.sql"], "invoicing")
    with server.connect("invoicing") as connection:
        connection.execute("SET ROLE app_owner")
        connection.execute("CREATE TABLE invoices (id serial PRIMARY KEY, amount numeric NOT NULL)")
    with server.connect("invoicing", "app_user") as connection:
        connection.execute("INSERT INTO invoices (amount) VALUES (12.5)")
        assert connection.execute("SELECT amount FROM invoices").fetchone() == (Decimal("12.5"),)
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("DROP TABLE invoices")
    with server.connect("invoicing", "app_readonly") as connection:
        assert connection.execute("SELECT count(*) FROM invoices").fetchone() == (1,)
        with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
            connection.execute("DELETE FROM invoices")
