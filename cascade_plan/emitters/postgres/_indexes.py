"""indexes.sql: the plan's indexes in a form PostgreSQL takes and its queries use, built while the application runs."""

from __future__ import annotations

from dataclasses import dataclass

from cascade_plan.emitters._sql_names import Names
from cascade_plan.languages.sql import comment, dollar_quoted, literal


@dataclass(frozen=True, slots=True)
class Index:
    """One index and why it has the form it has."""

    name: str
    table: str
    definition: str
    """What follows the table in CREATE INDEX."""
    why: str
    """Comment lines, without names of the scenario."""
    unique: bool = False


def indexes(names: Names) -> tuple[Index, ...]:
    """Return the indexes: the plan's three corrected, and the three its queries need besides."""
    return (
        Index(
            "idx_tenant_users_active",
            names.users,
            f"({names.tenant}, {names.created_at} DESC) WHERE {names.is_active}",
            "A tenant's active users, newest first. is_active is no column of it: within WHERE is_active it is always\n"
            "true and would only widen the index.",
        ),
        Index(
            "idx_recent_resources",
            names.resources,
            f"({names.tenant}, {names.created_at} DESC)",
            "A tenant's resources of the last days, newest first. WHERE created_at > NOW() - '7 days' would be\n"
            "refused (functions in an index predicate must be immutable), and a literal date would need a rebuild\n"
            "every day; in the full index the last seven days of a tenant are one contiguous range all the same.",
        ),
        Index(
            "idx_activity_logs_time",
            names.activity_logs,
            f"USING brin ({names.timestamp}) WITH (autosummarize = on)",
            "A stretch of time over all tenants: reports, and deleting what has expired. BRIN keeps the least and\n"
            "most of each block range; rows arrive in order of time but in no order of tenants, so a\n"
            "tenant_id column could never exclude a range.",
        ),
        Index(
            "idx_activity_logs_tenant_time",
            names.activity_logs,
            f"({names.tenant}, {names.timestamp} DESC)",
            "One tenant's log, newest first: what no BRIN index on (tenant_id, timestamp) gives.",
        ),
        Index(
            "idx_user_settings_user",
            names.user_settings,
            f"({names.tenant}, {names.user})",
            "The settings of one user: what the lateral join looks up once for each user, and its foreign key.",
        ),
        Index(
            "idx_users_tenant_id",
            names.users,
            f"({names.tenant}, {names.id})",
            f"What a foreign key within a tenant refers to ({names.prefix}tenancy.sql).",
            unique=True,
        ),
    )


def render(names: Names, head: str) -> str:
    """Return indexes.sql."""
    wanted = indexes(names)
    quoted = ", ".join(f"'{index.name}'" for index in wanted)
    builds = "\n".join(_build(index) for index in wanted)
    analyze = "".join(f"ANALYZE {table};\n" for table in names.tables)
    return f"""{head}
-- Run with psql outside a transaction; running it twice is fine. CONCURRENTLY blocks no writes, but waits for
-- transactions that are open. Partitioned tables do not take it: build on each partition, then attach.
\\set ON_ERROR_STOP on
SET statement_timeout = 0;
SET lock_timeout = 0;

-- What an interrupted build left behind is invalid: written to by every write, read by no query. Builds that are
-- still running are left alone.
SELECT format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid
  AND i.indrelid IN ({names.table_oids})
  AND c.relname IN ({quoted})
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
\\gexec

{builds}
-- IF NOT EXISTS also skips an index of that name on another table: say so rather than go on without it.
{_check(wanted)}
{analyze}"""


def _build(index: Index) -> str:
    unique = "UNIQUE " if index.unique else ""
    return (
        f"{comment(index.why)}CREATE {unique}INDEX CONCURRENTLY IF NOT EXISTS {index.name}\n"
        f"  ON {index.table} {index.definition};\n"
    )


def _check(wanted: tuple[Index, ...]) -> str:
    rows = ",\n      ".join(f"('{index.name}', {literal(index.table)}::regclass)" for index in wanted)
    body = f"""
DECLARE missing text;
BEGIN
  SELECT string_agg(wanted.name, ', ') INTO missing
  FROM (VALUES
      {rows}
  ) AS wanted (name, in_table)
  WHERE NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname = wanted.name AND i.indrelid = wanted.in_table AND i.indisvalid
  );
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'not valid, or the name of an index on another table: %', missing;
  END IF;
END
"""
    return f"DO {dollar_quoted(body)};"
