"""queries.sql: the plan's queries as prepared statements, the N+1 form beside the form that replaces it."""

from __future__ import annotations

from cascade_plan.emitters._sql_names import Names


def render(names: Names, head: str, is_pooled: bool) -> str:
    """Return queries.sql."""
    n, policies = names, f"{names.prefix}tenancy.sql"
    return f"""{head}
-- The tenant is a parameter, never a part of the text: one statement serves all tenants, and no value can change what
-- it does. Putting "FROM tenant_<id>." into the text for every "FROM" would let a tenant's id end the statement, and
-- would break every subquery, join and EXTRACT(year FROM created_at).
-- Row-level security ({policies}) holds even where the condition on the tenant is forgotten; it stands here because
-- the planner estimates a parameter better than a setting.
--
{_prepared(is_pooled)}

-- Before: N+1. One query for the users, then one for each of them.
PREPARE n_plus_one_users AS
SELECT u.* FROM {n.users} u WHERE u.{n.tenant} = $1;

PREPARE n_plus_one_settings AS
SELECT s.{n.settings} FROM {n.user_settings} s WHERE s.{n.tenant} = $1 AND s.{n.user} = $2;

-- After: one query. A bare json_agg is NULL for a user without settings, where a list is expected: [] here.
-- Settings come in no order; write ORDER BY within json_agg where it matters.
PREPARE users_with_settings AS
SELECT u.*, us.settings
FROM {n.users} u
LEFT JOIN LATERAL (
  SELECT coalesce(json_agg(s.{n.settings}), '[]'::json) AS settings
  FROM {n.user_settings} s
  WHERE s.{n.tenant} = u.{n.tenant} AND s.{n.user} = u.{n.id}
) us ON true
WHERE u.{n.tenant} = $1;

-- idx_tenant_users_active
PREPARE active_users AS
SELECT u.* FROM {n.users} u
WHERE u.{n.tenant} = $1 AND u.{n.is_active} ORDER BY u.{n.created_at} DESC LIMIT $2;

-- idx_recent_resources
PREPARE recent_resources AS
SELECT r.* FROM {n.resources} r
WHERE r.{n.tenant} = $1 AND r.{n.created_at} > now() - interval '7 days' ORDER BY r.{n.created_at} DESC LIMIT $2;

-- idx_activity_logs_tenant_time
PREPARE activity_of_tenant AS
SELECT a.* FROM {n.activity_logs} a
WHERE a.{n.tenant} = $1 AND a.{n.timestamp} >= $2 AND a.{n.timestamp} < $3 ORDER BY a.{n.timestamp} DESC;

-- idx_activity_logs_time: all tenants, so only for a role that may see them (the owner)
PREPARE activity_count AS
SELECT count(*) FROM {n.activity_logs} a WHERE a.{n.timestamp} >= $1 AND a.{n.timestamp} < $2;
"""


def _prepared(is_pooled: bool) -> str:
    """Return how applications prepare statements, in comment lines."""
    if is_pooled:
        return (
            "-- PREPARE as SQL lives in one session: use it in psql, to EXPLAIN EXECUTE. Applications prepare over the "
            "protocol\n"
            "-- (prepared_statements.py), which PgBouncer follows from one server connection to the next since 1.21."
        )
    return (
        "-- PREPARE as SQL lives in one session: use it in psql, to EXPLAIN EXECUTE. Applications prepare over the "
        "protocol."
    )
