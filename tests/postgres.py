"""A real PostgreSQL and PgBouncer on loopback, started with the emitted files, and the plan's tables with rows."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from factories import make_plan
from servers import free_port, program, running

from cascade_plan.emitters import directory as emitting
from cascade_plan.emitters._databases import databases
from cascade_plan.emitters._sql_names import Names, names
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.plan import Plan

TENANTS, USERS, ACTIVITIES = 200, 50_000, 300_000


def service_user() -> str | None:
    """Return whom a server runs as that refuses root; None for oneself."""
    if os.geteuid() != 0:
        return None
    return next(name for name in ("postgres", "nobody") if name in {each.pw_name for each in pwd.getpwall()})


@contextmanager
def directory() -> Iterator[Path]:
    """Yield a directory that the server's user owns and can reach (pytest's belong to root alone)."""
    made = Path(tempfile.mkdtemp(prefix="cascade-plan-"))
    try:
        give(made)
        yield made
    finally:
        shutil.rmtree(made)


def give(path: Path) -> None:
    """Let the server's user own a path."""
    if user := service_user():
        shutil.chown(path, user)


def small_plan(**overrides: Any) -> Plan:
    """Return a plan whose instances have 1 GiB, so that the emitted settings fit any machine."""
    made = make_plan(**overrides)
    tiers = {
        name: replace(sized, groups=tuple(map(_of_1_gib, sized.groups))) for name, sized in made.fleet.tiers.items()
    }
    return replace(made, fleet=replace(made.fleet, tiers=tiers))


def _of_1_gib(group: NodeGroup) -> NodeGroup:
    return replace(group, shape=replace(group.shape, memory_gib=1.0))


def quoted_names(plan: Plan) -> Names:
    """Return the names of a plan's first database, as SQL has them."""
    return names(databases(plan)[0])


def files(plan: Plan) -> dict[str, str]:
    """Return path -> text of what `emit-database` writes."""
    return {artefact.path: artefact.text for artefact in emitting.emitted(plan, "database").files}


@dataclass(frozen=True, slots=True)
class Server:
    """A running PostgreSQL."""

    port: int
    directory: Path

    def connect(self, database: str = "postgres", user: str = "postgres", **options: Any) -> psycopg.Connection:
        """Return a connection whose statements are each a transaction."""
        return psycopg.connect(host="127.0.0.1", port=self.port, dbname=database, user=user, autocommit=True, **options)

    def psql(self, text: str, database: str = "postgres", user: str = "postgres") -> subprocess.CompletedProcess[str]:
        """Run a file's text with psql, as its purpose says."""
        path = self.directory / "run.sql"
        path.write_text(text, encoding="utf-8")
        address = f"host=127.0.0.1 port={self.port} user={user} dbname='{database}'"
        return subprocess.run(
            [program("psql"), "-X", "-q", "-f", str(path), address],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PGCLIENTENCODING": "UTF8"},
        )

    def apply(self, text: str, database: str = "postgres", user: str = "postgres") -> None:
        """Run a file's text with psql. Raises AssertionError with what psql said when it fails."""
        done = self.psql(text, database, user)
        assert done.returncode == 0, done.stderr


@contextmanager
def postgres(settings: str, primary: int | None = None) -> Iterator[Server]:
    """Run PostgreSQL with the emitted postgresql.conf, included unchanged, until the block ends.

    With the port of a `primary` it is a hot standby of that server.
    """
    with directory() as home:
        data, port = home / "data", free_port()
        if primary is None:
            command = [program("initdb"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        else:
            source = f"host=127.0.0.1 port={primary} user=postgres"
            command = [program("pg_basebackup"), "-d", source, "-R", "-c", "fast", "--no-sync"]
        subprocess.run([*command, "-D", str(data)], check=True, capture_output=True, user=service_user(), cwd=home)
        (home / "emitted.conf").write_text(settings, encoding="utf-8")
        give(home / "emitted.conf")
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(f"include '{home}/emitted.conf'\n")
        server = Server(port, home)

        def ready() -> bool:
            try:
                server.connect().close()
            except psycopg.OperationalError:
                return False
            return True

        command = [program("postgres"), "-D", str(data), "-p", str(port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        with running(command, ready, home / "log", user=service_user(), cwd=home):
            yield server


@contextmanager
def pgbouncer(ini: str, userlist: str, overrides: Mapping[str, object], shared: int | None = None) -> Iterator[int]:
    """Run PgBouncer with the emitted pgbouncer.ini, included unchanged, and yield its port."""
    with directory() as home:
        port = shared or free_port()
        (home / "pgbouncer.ini").write_text(ini, encoding="utf-8")
        (home / "userlist.txt").write_text(userlist, encoding="utf-8")
        local = {"listen_addr": "127.0.0.1", "listen_port": port, "auth_file": home / "userlist.txt", **overrides}
        lines = "".join(f"{name} = {value}\n" for name, value in local.items())
        # Still in the section [pgbouncer] where the included file ends; naming it again would reset its settings.
        (home / "local.ini").write_text(f"%include {home}/pgbouncer.ini\n{lines}", encoding="utf-8")
        for path in home.iterdir():
            give(path)

        def ready() -> bool:
            with psycopg.connect(
                host="127.0.0.1", port=port, dbname="pgbouncer", user="pgbouncer_admin", password="admin",
                autocommit=True,
            ) as console:  # fmt: skip
                return console.info.status == psycopg.pq.ConnStatus.OK

        def answers() -> bool:
            try:
                return ready()
            except psycopg.OperationalError:
                return False

        command = [program("pgbouncer"), str(home / "local.ini")]
        with running(command, answers, home / "log", user=service_user(), cwd=home):
            yield port


def create(names: Names) -> str:
    """Return SQL that creates the plan's tables as its queries imply them, without rows."""
    n = names
    return f"""
        CREATE SCHEMA IF NOT EXISTS {n.schema};
        CREATE TABLE {n.users} ({n.id} bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, {n.tenant} {n.tenant_type}
            NOT NULL, {n.login} text UNIQUE,
            {n.is_active} boolean NOT NULL DEFAULT true, {n.created_at} timestamptz NOT NULL DEFAULT now());
        CREATE TABLE {n.user_settings} ({n.user} bigint NOT NULL REFERENCES {n.users} ({n.id}) ON DELETE CASCADE,
            {n.settings} jsonb NOT NULL);
        CREATE TABLE {n.resources} (resource bigserial PRIMARY KEY, {n.tenant} {n.tenant_type} NOT NULL,
            {n.created_at} timestamptz NOT NULL DEFAULT now());
        CREATE TABLE {n.activity_logs} (entry bigserial, {n.tenant} {n.tenant_type} NOT NULL,
            {n.timestamp} timestamptz NOT NULL DEFAULT now());
    """ + "".join(
        f"CREATE TABLE {table} (entry bigserial PRIMARY KEY, {n.tenant} {n.tenant_type} NOT NULL);\n"
        for table in n.others
    )


def fill(names: Names, tenants: int, users: int, activities: int) -> str:
    """Return SQL that fills the tables: rows of all tenants mixed, activities in order of their time."""
    n = names
    return f"""
        INSERT INTO {n.users} ({n.tenant}, {n.login}, {n.is_active}, {n.created_at})
            SELECT (i % {tenants})::{n.tenant_type}, 'user' || i, i % 4 <> 0, now() - i * interval '1 minute'
            FROM generate_series(1, {users}) i;
        INSERT INTO {n.user_settings} ({n.user}, {n.settings})
            SELECT i, jsonb_build_object('theme', 'dark', 'number', k)
            FROM generate_series(1, {users}) i, generate_series(1, 2) k WHERE i % 7 <> 0;
        INSERT INTO {n.resources} ({n.tenant}, {n.created_at})
            SELECT (i % {tenants})::{n.tenant_type}, now() - i * interval '1 minute' FROM generate_series(1, {users}) i;
        INSERT INTO {n.activity_logs} ({n.tenant}, {n.timestamp})
            SELECT (i % {tenants})::{n.tenant_type}, now() - ({activities} - i) * interval '10 seconds'
            FROM generate_series(1, {activities}) i;
        ANALYZE;
    """ + "".join(
        f"INSERT INTO {table} ({n.tenant})"
        f" SELECT (i % {tenants})::{n.tenant_type} FROM generate_series(1, {users}) i;\n"
        for table in n.others
    )
