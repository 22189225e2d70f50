"""prepared_statements.py: how an application sets its tenant and prepares its statements, with psycopg 3."""

from __future__ import annotations

from cascade_plan.emitters._databases import Pool
from cascade_plan.emitters._sql_names import TENANT_SETTING
from cascade_plan.emitters.pgbouncer._ini import version

DEALLOCATES = (1, 22)
"""The first PgBouncer that psycopg may prepare statements through, with libpq 17,
https://www.psycopg.org/psycopg3/docs/advanced/prepare.html"""


def _policies(pool: Pool) -> str:
    """Return, to end a line and fill another, who reads the tenant that a transaction begins with."""
    if pool.database.instance.settings.tables is None:
        return f"Policies of\nrow-level security read it as current_setting('{TENANT_SETTING}', true)."
    return (
        f"Row-level\nsecurity ({pool.database.prefix}tenancy.sql) reads the tenant that each transaction begins with."
    )


def render(pool: Pool, head: str) -> str:
    """Return prepared_statements.py."""
    number = pool.instance.settings.pgbouncer_version
    threshold, why = (
        ("5", f"PgBouncer {number} follows prepared statements")
        if version(pool) >= DEALLOCATES
        else ("None", f"never: through PgBouncer {number} psycopg cannot use prepared statements")
    )
    policies = _policies(pool)
    return f'''{head}"""One tenant for a transaction, and statements prepared by the server, also through PgBouncer.

The tenant is a value, never a part of a statement's text, so one prepared statement serves all tenants. {policies}
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.pq import TransactionStatus

PREPARE_THRESHOLD: int | None = {threshold}
"""Prepare a statement once it was run so often; {why}."""


def connect(conninfo: str) -> psycopg.Connection:
    """Return a connection whose statements are each a transaction, unless `tenant` opens one.

    Without libpq 17, statements are not prepared: it is the first that closes them in a way PgBouncer follows.
    """
    threshold = PREPARE_THRESHOLD if psycopg.pq.version() >= 170000 else None
    return psycopg.connect(conninfo, autocommit=True, prepare_threshold=threshold)


@contextmanager
def tenant(connection: psycopg.Connection, tenant_id: object) -> Iterator[psycopg.Cursor]:
    """Open a transaction that sees and writes the rows of one tenant only; it is rolled back on an exception.

    Raises ValueError without a tenant, RuntimeError within a transaction: the tenant would outlive the block.
    """
    if str(tenant_id) == "" or tenant_id is None:
        raise ValueError("no tenant")
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise RuntimeError("a transaction is open: its tenant cannot be changed")
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('{TENANT_SETTING}', %s, true)", (str(tenant_id),))
        yield cursor
'''
