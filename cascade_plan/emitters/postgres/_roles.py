"""The SQL of roles: who there is, how long each may run, and what each may do with tables that are made later."""

from __future__ import annotations

from cascade_plan.emitters._sql_names import Names
from cascade_plan.languages.sql import literal


def render(names: Names, head: str, statement_timeout_s: float) -> str:
    """Return roles.sql: roles, their time-outs, and what they may do with the owner's tables, whichever these are."""
    return f"""{head}
-- Run with psql by a superuser (RDS: the master user), before the application's own migrations, which run as the owner
-- (SET ROLE {names.owner}). Running it twice is fine.
\\set ON_ERROR_STOP on
{roles(names)}
{rights(names, statement_timeout_s)}"""


def text_of(quoted: str) -> str:
    """Return a quoted identifier's own text as a literal."""
    return literal(quoted[1:-1].replace('""', '"'))


def roles(n: Names) -> str:
    """Return the statements that make each role where it is missing."""

    def create(role: str, options: str) -> str:
        return (
            f"SELECT {literal(f'CREATE ROLE {role} {options}')}\n"
            f"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text_of(role)})\n\\gexec\n"
        )

    return (
        "-- They have no password yet: \\password in psql sends only the SCRAM secret of one.\n"
        + create(n.owner, "NOLOGIN")
        + create(n.app, "LOGIN")
        + create(n.readonly, "LOGIN")
        + create(n.monitoring, "LOGIN")
        + "-- The exporter reads the server's statistics, and no table.\n"
        + f"GRANT pg_monitor TO {n.monitoring};\n"
        + "-- To give a table to the owner one must be a member of it; a superuser need not, and the owner is not its "
        + "own.\n"
        + f"SELECT {literal(f'GRANT {n.owner} TO CURRENT_USER')}\n"
        + "WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)\n"
        + f"  AND current_user <> {text_of(n.owner)}\n\\gexec\n"
    )


def rights(n: Names, statement_timeout_s: float) -> str:
    """Return the transaction of what holds whichever tables there are: time-outs, the schema, tables made later."""
    grant = f"ALTER DEFAULT PRIVILEGES FOR ROLE {n.owner} IN SCHEMA {n.schema} GRANT"
    return f"""BEGIN;
{_limits(n, statement_timeout_s)}
GRANT USAGE, CREATE ON SCHEMA {n.schema} TO {n.owner};
GRANT USAGE ON SCHEMA {n.schema} TO {n.app}, {n.readonly};
-- What the owner makes from now on, the application may read and write.
{grant} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {n.app};
{grant} USAGE ON SEQUENCES TO {n.app};
{grant} SELECT ON TABLES TO {n.readonly};
COMMIT;
"""


def _limits(n: Names, statement_timeout_s: float) -> str:
    timeout_ms = round(statement_timeout_s * 1000)
    lines = [
        "-- Time-outs belong to roles: in postgresql.conf they would end backups and migrations too",
        "-- (https://www.postgresql.org/docs/15/runtime-config-client.html). A lock is waited for a third as long.",
    ]
    for role in (n.app, n.readonly, n.monitoring):
        lines += [
            f"ALTER ROLE {role} SET statement_timeout = {timeout_ms};",
            f"ALTER ROLE {role} SET lock_timeout = {timeout_ms // 3};",
        ]
    lines += [f"ALTER ROLE {role} SET default_transaction_read_only = on;" for role in (n.readonly, n.monitoring)]
    return "\n".join(lines) + "\n"
