"""The SQL of tenant isolation: the missing tenant column, row-level security, a login's tenant, and the way back.

No statement holds a table's lock for long: each table has a transaction of its own that only changes the catalogue, and
what looks through a table (filling, VALIDATE) blocks no reads and no writes.
Source: https://www.postgresql.org/docs/15/sql-altertable.html, Notes
"""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._sql_names import LOGIN_FUNCTION, TENANT_SETTING, Names
from cascade_plan.emitters.postgres import _roles
from cascade_plan.emitters.postgres._indexes import indexes
from cascade_plan.emitters.postgres._roles import text_of
from cascade_plan.languages.sql import dollar_quoted, literal

FOREIGN_KEY: Final = "within_tenant"
HAS_TENANT: Final = "has_tenant"
"""A check for the time until the column is NOT NULL: PostgreSQL then need not look through the table under its lock."""
RECONNECT: Final = """
-- Now run RECONNECT in PgBouncer's console (psql -p 6432 pgbouncer), and so after each migration that changes what a
-- prepared statement returns: its server connections keep the statement as it was prepared, and until they are opened
-- anew a SELECT * of this table fails with "cached plan must not change result type".
"""


def tenant_column(names: Names, head: str, is_pooled: bool) -> str:
    """Return tenant_column.sql: user_settings gets the tenant that the plan gave only to its users."""
    n = names
    return f"""{head}
-- First of all, outside a transaction, as the tables' owner. Running it twice is fine. A policy needs the row's tenant
-- in the row: looking it up through the user would cost a look-up for each row, and leave rows without a user open.
\\set ON_ERROR_STOP on
SET statement_timeout = 0;
SET lock_timeout = '5s';
ALTER TABLE {n.user_settings} ADD COLUMN IF NOT EXISTS {n.tenant} {n.tenant_type};
ALTER TABLE {n.user_settings} ALTER COLUMN {n.tenant} SET DEFAULT {n.current_tenant};

{_filled(n)}
{RECONNECT if is_pooled else ""}"""


def _filled(n: Names) -> str:
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
    return (
        "-- 8 MB of the table a transaction, so that no lock and no snapshot is held for long.\n"
        f"DO {dollar_quoted(body)};"
    )


def tenancy(names: Names, head: str, statement_timeout_s: float, *, is_pooled: bool, logs_in: bool) -> str:
    """Return tenancy.sql: roles, then grants, policies and defaults of a table at a time, and the foreign key.

    Where the application logs its users in (`logs_in`), also the function by which it finds their tenant.
    """
    n, indexed = names, f"{names.prefix}indexes.sql"
    return f"""{head}
-- Run with psql by a superuser (RDS: the master user), after {indexed}, once the application sets its tenant.
-- Each transaction of the application begins with
--     SELECT set_config('{TENANT_SETTING}', $1, true);
{_local(is_pooled)}
-- This stops what forgets or mistakes a tenant. It does not stop SQL that an attacker writes: such SQL can call
-- set_config too. Parameters keep values out of the SQL.
-- Each table has a short transaction of its own. Where one waits too long for its lock, run this again; running it
-- twice is fine.
\\set ON_ERROR_STOP on
SET statement_timeout = 0;
SET lock_timeout = '5s';
{_roles.roles(n)}
-- Before anything changes: policies bind these roles, and no policy that is there widens those made here.
{_check(n)}

{_roles.rights(n, statement_timeout_s)}
-- A table that the owner makes later has no policy yet: name it in tables.others of the scenario, emit, run this again.
-- The last statement lists such tables.

{"".join(_isolated(n, table) for table in n.tables)}
{_settings_tenant(n)}
{_login(n) if logs_in else ""}
-- Tables of the schema that have a tenant but no policy yet.
SELECT c.oid::regclass AS "has a tenant and no row-level security"
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.attname = {text_of(n.tenant)}
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


def _isolated(n: Names, table: str) -> str:
    """Return the transaction after which a table's rows are seen by their tenant alone."""
    grant = f"GRANT USAGE ON SEQUENCE %s TO {n.app}"
    # In format's text a % of a name would be a placeholder.
    template = grant.replace("%s", "\0").replace("%", "%%").replace("\0", "%s")
    return f"""BEGIN;
-- An owner may switch row-level security off, so the application owns nothing. No TRUNCATE and no REFERENCES: policies
-- do not cover them.
ALTER TABLE {table} OWNER TO {n.owner};
REVOKE ALL ON {table} FROM PUBLIC, {n.app}, {n.readonly};
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {n.app};
GRANT SELECT ON {table} TO {n.readonly};
-- The sequences behind serial columns.
SELECT format({literal(template)}, d.objid::regclass)
FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = {literal(table)}::regclass
\\gexec
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
COMMIT;

"""


def _settings_tenant(n: Names) -> str:
    """Return what makes the settings' tenant certain: never NULL, and that of the row's user."""
    table = n.user_settings
    return f"""-- A row of the settings must be of its user's tenant: checks of a foreign key do not see policies, so
-- without the tenant in the key one tenant could refer to another's user.
-- First no row comes without a tenant any more, then those are filled that came since {n.prefix}tenant_column.sql, then
-- the table is looked through without blocking writes, and SET NOT NULL need not look again.
BEGIN;
ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {HAS_TENANT};
ALTER TABLE {table} ADD CONSTRAINT {HAS_TENANT} CHECK ({n.tenant} IS NOT NULL) NOT VALID;
COMMIT;
{_filled(n)}
ALTER TABLE {table} VALIDATE CONSTRAINT {HAS_TENANT};
BEGIN;
ALTER TABLE {table} ALTER COLUMN {n.tenant} SET NOT NULL;
ALTER TABLE {table} DROP CONSTRAINT {HAS_TENANT};
COMMIT;
BEGIN;
ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {FOREIGN_KEY};
ALTER TABLE {table} ADD CONSTRAINT {FOREIGN_KEY}
  FOREIGN KEY ({n.tenant}, {n.user}) REFERENCES {n.users} ({n.tenant}, {n.id}) NOT VALID;
COMMIT;
ALTER TABLE {table} VALIDATE CONSTRAINT {FOREIGN_KEY};
"""


def _login(n: Names) -> str:
    """Return the function that says which tenants know a login: as the owner, who sees all, and nothing besides."""
    function = f"{n.schema}.{LOGIN_FUNCTION}(text)"
    body = f"\nSELECT DISTINCT u.{n.tenant} FROM {n.users} u WHERE u.{n.login} = $1\n"
    return f"""
-- Who logs in has no tenant yet. The application asks this for the tenant, and then reads the user as that tenant:
--     SELECT * FROM {n.schema}.{LOGIN_FUNCTION}($1);
-- It runs as the owner, who sees every tenant, and tells nothing but the tenant's name, usually one. The path is fixed,
-- so that nobody's own objects take the place of those it names. It needs the index that a unique column has anyway.
BEGIN;
CREATE OR REPLACE FUNCTION {function} RETURNS SETOF {n.tenant_type}
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS {dollar_quoted(body)};
ALTER FUNCTION {function} OWNER TO {n.owner};
REVOKE ALL ON FUNCTION {function} FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {function} TO {n.app};
COMMIT;
"""


def rollback(names: Names, head: str) -> str:
    """Return rollback.sql: without policies and indexes again; roles, owner, grants and the filled column stay."""
    n = names
    tables = "".join(
        f"BEGIN;\n"
        f"DROP POLICY IF EXISTS tenant_isolation ON {table};\n"
        f"DROP POLICY IF EXISTS owner_migrates ON {table};\n"
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;\n"
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;\n"
        f"ALTER TABLE {table} ALTER COLUMN {n.tenant} DROP DEFAULT;\n"
        f"COMMIT;\n"
        for table in n.tables
    )
    drops = "".join(f"DROP INDEX CONCURRENTLY IF EXISTS {n.schema}.{index.name};\n" for index in indexes(n))
    return f"""{head}
-- From here on every role that may read a table reads all tenants. Roles, ownership and grants stay, as the
-- application is connected with them, and so does the function by which it logs users in; so does the tenant of the
-- settings, which is data.
\\set ON_ERROR_STOP on
SET statement_timeout = 0;
SET lock_timeout = '5s';
{tables}BEGIN;
ALTER TABLE {n.user_settings} DROP CONSTRAINT IF EXISTS {FOREIGN_KEY};
ALTER TABLE {n.user_settings} DROP CONSTRAINT IF EXISTS {HAS_TENANT};
ALTER TABLE {n.user_settings} ALTER COLUMN {n.tenant} DROP NOT NULL;
COMMIT;

SET lock_timeout = 0;
{drops}"""


def _check(n: Names) -> str:
    body = f"""
DECLARE wrong text;
BEGIN
  SELECT string_agg(rolname, ', ') INTO wrong FROM pg_roles
  WHERE rolname IN ({text_of(n.app)}, {text_of(n.readonly)}, {text_of(n.monitoring)})
    AND (rolsuper OR rolbypassrls OR pg_has_role(oid, {text_of(n.owner)}, 'MEMBER'));
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
