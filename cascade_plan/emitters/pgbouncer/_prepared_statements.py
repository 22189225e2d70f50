"""prepared_statements.py: how an application sets its tenant and prepares its statements, with psycopg 3.

psycopg and not asyncpg: one driver has both forms, blocking and asyncio, and a query in a transaction of its own takes
four round trips with it and seven with asyncpg (measured, tiers/database/settings.py).
"""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._databases import Pool
from cascade_plan.emitters._sql_names import TENANT_SETTING
from cascade_plan.emitters.pgbouncer._ini import version
from cascade_plan.model.titles import called

DEALLOCATES = (1, 22)
"""The first PgBouncer that psycopg may prepare statements through, with libpq 17,
https://www.psycopg.org/psycopg3/docs/advanced/prepare.html"""
_CODE: Final = '''\
"""One tenant for a transaction, and statements prepared by the server, also through PgBouncer.

The tenant is a value, never a part of a statement's text, so one prepared statement serves all tenants. <<POLICIES>>

Each form is there twice, for threads and for asyncio: pip install 'psycopg[binary,pool]'

    with connected(conninfo, size) as pool, pool.connection() as connection, tenant(connection, "7") as cursor:
        cursor.execute("SELECT ...")

    async with async_connected(conninfo, size) as pool, pool.connection() as connection:
        async with async_tenant(connection, "7") as cursor:
            await cursor.execute("SELECT ...")

`size` is the connections of one process: all those of a pod add up to tiers.*.connections_per_pod (<<SIZES>>), which
PgBouncer's max_client_conn counts on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, ConnectionPool

PREPARE_THRESHOLD: int | None = <<THRESHOLD>>
"""Prepare a statement once it was run so often; <<WHY>>."""
PROBE = "SELECT pg_backend_pid(), name FROM pg_prepared_statements WHERE statement LIKE %s"
"""As the server has it prepared: what PgBouncer follows has a name of PgBouncer's own there, not the client's."""
OWN = "%FROM pg_prepared_statements WHERE statement LIKE $1"
TOO_OLD = (
    "PgBouncer does not follow prepared statements: run 1.22 or later with max_prepared_statements above 0, or give "
    "tiers.<<POOL>>.pgbouncer_version of the scenario the version that runs and emit this file again"
)


def options() -> dict[str, Any]:
    """Return how connections are made: each statement is a transaction, unless `tenant` opens one.

    Without libpq 17, statements are not prepared: it is the first that closes them in a way PgBouncer follows.
    """
    threshold = PREPARE_THRESHOLD if psycopg.pq.version() >= 170000 else None
    return {"autocommit": True, "prepare_threshold": threshold}


@contextmanager
def connected(conninfo: str, size: int) -> Iterator[ConnectionPool]:
    """Open a pool of connections. Raises RuntimeError where PgBouncer is older than this file was made for."""
    with psycopg.connect(conninfo, **options()) as connection:
        if connection.prepare_threshold is not None:
            with too_old(), connection.transaction():
                for pid, name in connection.execute(PROBE, (OWN,), prepare=True).fetchall():
                    if is_unfollowed(connection, pid, name):
                        connection.execute(sql.SQL("DEALLOCATE {}").format(sql.Identifier(name)))
                        raise RuntimeError(TOO_OLD)
    with ConnectionPool(conninfo, kwargs=options(), min_size=1, max_size=size, open=True) as pool:
        yield pool


@asynccontextmanager
async def async_connected(conninfo: str, size: int) -> AsyncIterator[AsyncConnectionPool]:
    """Open a pool of connections. Raises RuntimeError where PgBouncer is older than this file was made for."""
    async with await psycopg.AsyncConnection.connect(conninfo, **options()) as connection:
        if connection.prepare_threshold is not None:
            with too_old():
                async with connection.transaction():
                    for pid, name in await (await connection.execute(PROBE, (OWN,), prepare=True)).fetchall():
                        if is_unfollowed(connection, pid, name):
                            await connection.execute(sql.SQL("DEALLOCATE {}").format(sql.Identifier(name)))
                            raise RuntimeError(TOO_OLD)
    async with AsyncConnectionPool(conninfo, kwargs=options(), min_size=1, max_size=size, open=False) as pool:
        yield pool


@contextmanager
def too_old() -> Iterator[None]:
    """Say in words what it means that the server knows a statement of that name already, of another client."""
    try:
        yield
    except psycopg.errors.DuplicatePreparedStatement as error:
        raise RuntimeError(TOO_OLD) from error


def is_unfollowed(connection: psycopg.Connection | psycopg.AsyncConnection, pid: int, name: str) -> bool:
    """Return whether a pooler between client and server passed on a statement under the client's own name.

    Who is connected to the server itself knows its process; a pooler tells a number of its own.
    """
    return pid != connection.info.backend_pid and name.startswith("_pg3_")


@contextmanager
def tenant(connection: psycopg.Connection, tenant_id: object) -> Iterator[psycopg.Cursor]:
    """Open a transaction that sees and writes the rows of one tenant only; it is rolled back on an exception.

    Raises ValueError without a tenant, RuntimeError within a transaction: the tenant would outlive the block.
    """
    set_tenant = begun(connection, tenant_id)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(*set_tenant)
        yield cursor


@asynccontextmanager
async def async_tenant(connection: psycopg.AsyncConnection, tenant_id: object) -> AsyncIterator[psycopg.AsyncCursor]:
    """Open a transaction that sees and writes the rows of one tenant only; it is rolled back on an exception.

    Raises ValueError without a tenant, RuntimeError within a transaction: the tenant would outlive the block.
    """
    set_tenant = begun(connection, tenant_id)
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.execute(*set_tenant)
        yield cursor


def begun(connection: psycopg.Connection | psycopg.AsyncConnection, tenant_id: object) -> tuple[str, tuple[str]]:
    """Return the statement that a tenant's transaction begins with, and its values."""
    if str(tenant_id) == "" or tenant_id is None:
        raise ValueError("no tenant")
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise RuntimeError("a transaction is open: its tenant cannot be changed")
    return "SELECT set_config('<<SETTING>>', %s, true)", (str(tenant_id),)
'''


def render(pool: Pool, head: str) -> str:
    """Return prepared_statements.py."""
    number = pool.instance.settings.pgbouncer_version
    threshold, why = (
        ("5", f"PgBouncer {number} follows prepared statements")
        if version(pool) >= DEALLOCATES
        else ("None", f"never: through PgBouncer {number} psycopg cannot use prepared statements")
    )
    sizes = ", ".join(f"{called(each.tier)} {each.connection_count_per_pod}" for each in pool.clients)
    parts = {
        "POLICIES": _policies(pool),
        "SIZES": sizes or "no pods of this scenario connect",
        "THRESHOLD": threshold,
        "WHY": why,
        "SETTING": TENANT_SETTING,
        "POOL": pool.instance.name,
    }
    text = _CODE
    for name, part in parts.items():
        text = text.replace(f"<<{name}>>", part)
    return head + text


def _policies(pool: Pool) -> str:
    """Return, to end a line and fill another, who reads the tenant that a transaction begins with."""
    if pool.database.instance.settings.tables is None:
        return f"Policies of\nrow-level security read it as current_setting('{TENANT_SETTING}', true)."
    return (
        f"Row-level\nsecurity ({pool.database.prefix}tenancy.sql) reads the tenant that each transaction begins with."
    )
