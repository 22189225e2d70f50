"""The SQL of tenant isolation: the missing tenant column, roles, row-level security, and the way back."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._sql_names import TENANT_SETTING, Names
from cascade_plan.emitters.postgres._indexes import indexes
from cascade_plan.languages.sql import dollar_quoted, literal

FOREIGN_KEY = "user_settings_within_tenant"


RECONNECT: Final = """
-- Now run RECONNECT in PgBouncer's console (psql -p 6432 pgbouncer), and so after each migration that changes what a
-- prepared statement returns: its server connections keep the statement as it was prepared, and until they are opened
-- anew a SELECT * of this table fails with "cached plan must not change result type".
"""


def tenant_column(names: Names, head: str, is_pooled: bool) -> str:
    """Return tenant_column.sql: user_settings gets the tenant that the plan gave only to its users."""
    n = names
    body = f"""
DECLARE
  page bigint := 0;
  pages bigint := pg_relation_size({literal(n.user_settings)}::regclass) / current_setting('block_size')::int;
  orphans bigint;
BEGIN
  WHILE page <= pages LOOP
    UPDATE {n.user_settings} s SET {n.tenant} = u.{n.tenant}
    FROM {n.users} u
    WHERE s.ctid >= format('(%s,0)', page)::tid AND s.ctid < format('(%s,0)', page + 1000)::tid
      AND s.{n.tenant} IS NULL AND u.{n.id} = s.{n.user};
    COMMIT;
    page := page + 1000;
  END LOOP;
  SELECT count(*) INTO orphans FROM {n.user_settings} s
  WHERE s.{n.tenant} IS NULL AND NOT EXISTS (SELECT FROM {n.users} u WHERE u.{n.id} = s.{n.user});
  IF orphans > 0 THEN
    RAISE EXCEPTION '% rows of the settings table belong to no user: delete them, then run this again', orphans;
  END IF;
END
"""
    return f"""{head}
-- First of all, outside a transaction, as the tables' owner. Running it twice is fine. A policy needs the row's tenant
-- in the row: looking it up through the user would cost a look-up for each row, and leave rows without a user open.
\\set ON_ERROR_STOP on
SET statement_timeout = 0;
SET lock_timeout = '5s';
ALTER TABLE {n.user_settings} ADD COLUMN IF NOT EXISTS {n.tenant} {n.tenant_type};
ALTER TABLE {n.user_settings} ALTER COLUMN {n.tenant} SET DEFAULT {n.current_tenant};

-- 8 MB of the table a transaction, so that no lock and no snapshot is held for long.
DO {dollar_quoted(body)};
{RECONNECT if is_pooled else ""}"""


def tenancy(names: Names, head: str, statement_timeout_s: float, is_pooled: bool) -> str:
    """Return tenancy.sql: roles, grants, policies, defaults and the foreign key, in one transaction."""
    n, indexed = names, f"{names.prefix}indexes.sql"
    return f"""{head}
-- Run with psql by a superuser (RDS: the master user), after {indexed}, once the application sets its tenant.
-- Each transaction of the application begins with
--     SELECT set_config('{TENANT_SETTING}', $1, true);
{_local(is_pooled)}
-- This stops what forgets or mistakes a tenant. It does not stop SQL that an attacker writes: such SQL can call
-- set_config too. Parameters keep values out of the SQL.
\\set ON_ERROR_STOP on
{_roles(n)}
BEGIN;
SET LOCAL lock_timeout = '5s';

{_limits(n, statement_timeout_s)}
{_ownership(n)}
{_grants(n)}
{"".join(_policies(n, table) for table in n.tables)}
-- A row of the settings must be of its user's tenant: checks of a foreign key do not see policies, so without the
-- tenant in the key one tenant could refer to another's user.
-- First the rows that came without a tenant since {n.prefix}tenant_column.sql.
UPDATE {n.user_settings} s SET {n.tenant} = u.{n.tenant}
FROM {n.users} u WHERE s.{n.tenant} IS NULL AND u.{n.id} = s.{n.user};
ALTER TABLE {n.user_settings} ALTER COLUMN {n.tenant} SET NOT NULL;
ALTER TABLE {n.user_settings} DROP CONSTRAINT IF EXISTS {FOREIGN_KEY};
ALTER TABLE {n.user_settings} ADD CONSTRAINT {FOREIGN_KEY}
  FOREIGN KEY ({n.tenant}, {n.user}) REFERENCES {n.users} ({n.tenant}, {n.id}) NOT VALID;

{_check(n)}
COMMIT;

-- Looks through the table without blocking writes.
ALTER TABLE {n.user_settings} VALIDATE CONSTRAINT {FOREIGN_KEY};

-- Tables of the schema that have a tenant but no policy yet.
SELECT c.oid::regclass AS "has a tenant and no row-level security"
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.attname = {_raw(n.tenant)}
WHERE c.relkind IN ('r', 'p') AND NOT c.relrowsecurity AND c.relnamespace = {literal(n.schema)}::regnamespace;
"""


def _local(is_pooled: bool) -> str:
    """Return why a tenant is set for its transaction alone, in comment lines."""
    if is_pooled:
        return (
            "-- The third argument, true, is SET LOCAL: the tenant ends with the transaction, so the next transaction "
            "on the same\n"
            "-- server connection, which transaction pooling gives to another client, begins without one and sees "
            "nothing."
        )
    return (
        "-- The third argument, true, is SET LOCAL: the tenant ends with the transaction, so the next one on the same "
        "connection\n-- begins without one and sees nothing."
    )


def access(names: Names, head: str, statement_timeout_s: float) -> str:
    """Return roles.sql: roles, their time-outs, and what they may do with the owner's tables, whichever these are."""
    n = names
    grant = f"ALTER DEFAULT PRIVILEGES FOR ROLE {n.owner} IN SCHEMA {n.schema} GRANT"
    return f"""{head}
-- Run with psql by a superuser (RDS: the master user), before the application's own migrations, which run as the owner
-- (SET ROLE {n.owner}): what it makes from then on, the application may read and write.
\\set ON_ERROR_STOP on
{_roles(n)}
BEGIN;
{_limits(n, statement_timeout_s)}
GRANT USAGE, CREATE ON SCHEMA {n.schema} TO {n.owner};
GRANT USAGE ON SCHEMA {n.schema} TO {n.app}, {n.readonly};
{grant} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {n.app};
{grant} USAGE ON SEQUENCES TO {n.app};
{grant} SELECT ON TABLES TO {n.readonly};
COMMIT;
"""


def rollback(names: Names, head: str) -> str:
    """Return rollback.sql: without policies and indexes again; roles, owner, grants and the filled column stay."""
    n = names
    tables = "".join(
        f"DROP POLICY IF EXISTS tenant_isolation ON {table};\n"
        f"DROP POLICY IF EXISTS owner_migrates ON {table};\n"
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;\n"
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;\n"
        f"ALTER TABLE {table} ALTER COLUMN {n.tenant} DROP DEFAULT;\n"
        for table in n.tables
    )
    drops = "".join(f"DROP INDEX CONCURRENTLY IF EXISTS {n.schema}.{index.name};\n" for index in indexes(n))
    return f"""{head}
-- From here on every role that may read a table reads all tenants. Roles, ownership and grants stay, as the
-- application is connected with them; so does the tenant of the settings, which is data.
\\set ON_ERROR_STOP on
SET lock_timeout = '5s';
BEGIN;
{tables}ALTER TABLE {n.user_settings} DROP CONSTRAINT IF EXISTS {FOREIGN_KEY};
ALTER TABLE {n.user_settings} ALTER COLUMN {n.tenant} DROP NOT NULL;
COMMIT;

SET lock_timeout = 0;
SET statement_timeout = 0;
{drops}"""


def _raw(quoted: str) -> str:
    """Return a quoted identifier's own text as a literal."""
    return literal(quoted[1:-1].replace('""', '"'))


def _roles(n: Names) -> str:
    def create(role: str, options: str) -> str:
        return (
            f"SELECT {literal(f'CREATE ROLE {role} {options}')}\n"
            f"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_raw(role)})\n\\gexec\n"
        )

    return (
        "-- Passwords are set by hand: \\password in psql sends only their SCRAM secret.\n"
        + create(n.owner, "NOLOGIN")
        + create(n.app, "LOGIN")
        + create(n.readonly, "LOGIN")
        + "-- To give a table to the owner one must be a member of it; a superuser need not, and the owner is not its "
        + "own.\n"
        + f"SELECT {literal(f'GRANT {n.owner} TO CURRENT_USER')}\n"
        + "WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)\n"
        + f"  AND current_user <> {_raw(n.owner)}\n\\gexec\n"
    )


def _limits(n: Names, statement_timeout_s: float) -> str:
    timeout_ms = round(statement_timeout_s * 1000)
    lines = [
        "-- Time-outs belong to roles: in postgresql.conf they would end backups and migrations too",
        "-- (https://www.postgresql.org/docs/15/runtime-config-client.html). A lock is waited for a third as long.",
    ]
    for role in (n.app, n.readonly):
        lines += [
            f"ALTER ROLE {role} SET statement_timeout = {timeout_ms};",
            f"ALTER ROLE {role} SET lock_timeout = {timeout_ms // 3};",
        ]
    lines.append(f"ALTER ROLE {n.readonly} SET default_transaction_read_only = on;")
    return "\n".join(lines) + "\n"


def _ownership(n: Names) -> str:
    owners = "".join(f"ALTER TABLE {table} OWNER TO {n.owner};\n" for table in n.tables)
    return (
        "-- An owner may switch row-level security off, so the application owns nothing.\n"
        f"GRANT USAGE, CREATE ON SCHEMA {n.schema} TO {n.owner};\n{owners}"
    )


def _grants(n: Names) -> str:
    tables = ", ".join(n.tables)
    grant = f"GRANT USAGE ON SEQUENCE %s TO {n.app}"
    # In format's text a % of a name would be a placeholder.
    template = grant.replace("%s", "\0").replace("%", "%%").replace("\0", "%s")
    return f"""-- No TRUNCATE and no REFERENCES: policies do not cover them.
REVOKE ALL ON {tables} FROM PUBLIC, {n.app}, {n.readonly};
GRANT USAGE ON SCHEMA {n.schema} TO {n.app}, {n.readonly};
GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {n.app};
GRANT SELECT ON {tables} TO {n.readonly};
-- The sequences behind serial columns.
SELECT format({literal(template)}, d.objid::regclass)
FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid IN ({n.table_oids})
\\gexec
"""


def _policies(n: Names, table: str) -> str:
    return f"""
-- Without a tenant the comparison is with NULL: no row is seen, none can be written. FORCE: the owner is not exempt,
-- save by the policy that lets migrations see every tenant (pg_dump as the owner needs --enable-row-security).
ALTER TABLE {table} ALTER COLUMN {n.tenant} SET DEFAULT {n.current_tenant};
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS tenant_isolation ON {table};
CREATE POLICY tenant_isolation ON {table}
  USING ({n.tenant} = {n.current_tenant})
  WITH CHECK ({n.tenant} = {n.current_tenant});
DROP POLICY IF EXISTS owner_migrates ON {table};
CREATE POLICY owner_migrates ON {table} TO {n.owner} USING (true) WITH CHECK (true);
"""


def _check(n: Names) -> str:
    body = f"""
DECLARE wrong text;
BEGIN
  SELECT string_agg(rolname, ', ') INTO wrong FROM pg_roles
  WHERE rolname IN ({_raw(n.app)}, {_raw(n.readonly)})
    AND (rolsuper OR rolbypassrls OR pg_has_role(oid, {_raw(n.owner)}, 'MEMBER'));
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'a superuser, a member of the owner, or exempt from row-level security: %', wrong;
  END IF;
  SELECT string_agg(format('%s on %s', polname, polrelid::regclass), ', ') INTO wrong FROM pg_policy
  WHERE polrelid IN ({n.table_oids}) AND polpermissive AND polname NOT IN ('tenant_isolation', 'owner_migrates');
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'permissive policies add up, so these would widen tenant_isolation: %', wrong;
  END IF;
END
"""
    return f"DO {dollar_quoted(body)};"
