"""PostgreSQL and PgBouncer: settings, pools, indexes, queries and the isolation of tenants."""

from __future__ import annotations

from cascade_plan.emitters import (
    _indexes_sql,
    _pgbouncer,
    _postgres_settings,
    _prepared_statements,
    _queries_sql,
    _read_write_split,
    _tenancy_sql,
)
from cascade_plan.emitters._heading import application, heading
from cascade_plan.emitters._sql_names import Names, names
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

AFTER: tuple[str, ...] = ("infra",)
"""The emitters whose files are applied before these."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the files of the database and its pool, in the order they are applied.

    Raises UsageError for a name that PostgreSQL or pgbouncer.ini cannot hold.
    """
    return (*_server(plan), *_sql(plan, names(plan)), *_pool(plan))


def _server(plan: Plan) -> tuple[Artefact, ...]:
    shape = _postgres_settings.database_shape(plan)
    head = heading(
        plan,
        [
            f"sized for {shape.name}: {shape.vcpu} vCPU, {shape.memory_gib:g} GiB, a pool of "
            f"{plan.figure('pool.connection_count')}, {plan.figure('database.writes_per_s_peak'):.0f} writes/s at peak"
        ],
    )
    name = application(plan)
    return (
        Artefact(
            "postgresql.conf",
            _postgres_settings.conf(plan, head),
            "Settings of a server you run yourself: copy it into the directory that `include_dir` names, and restart.",
        ),
        Artefact(
            "rds-parameters.yaml",
            _postgres_settings.rds_parameters(plan, name, head),
            "The same settings for RDS: `aws cloudformation deploy --template-file rds-parameters.yaml "
            f"--stack-name {name}-database-parameters`.",
        ),
    )


def _sql(plan: Plan, quoted: Names) -> tuple[Artefact, ...]:
    head = heading(plan, [], "-- ")
    timeout_s = plan.scenario.tiers.database.statement_timeout_s
    return (
        Artefact(
            "tenant_column.sql",
            _tenancy_sql.tenant_column(quoted, head),
            "First: the settings' missing tenant, filled in batches; `psql -f tenant_column.sql`.",
        ),
        Artefact(
            "indexes.sql",
            _indexes_sql.render(quoted, head),
            "Second: the indexes, built while the application runs; `psql -f indexes.sql`.",
        ),
        Artefact(
            "tenancy.sql",
            _tenancy_sql.tenancy(quoted, head, timeout_s),
            "Third, once the application sets its tenant: roles and row-level security; `psql -f tenancy.sql`.",
        ),
        Artefact(
            "rollback.sql",
            _tenancy_sql.rollback(quoted, head),
            "Takes policies and indexes away again: `psql -f rollback.sql`.",
        ),
        Artefact(
            "queries.sql",
            _queries_sql.render(quoted, head),
            "The N+1 form, the form that replaces it and the indexes' queries, prepared: `psql` and `\\i queries.sql`.",
        ),
    )


def _pool(plan: Plan) -> tuple[Artefact, ...]:
    sized = [
        f"sized for {plan.figure('database.queries_per_s_peak'):.0f} queries/s at peak and "
        f"{plan.figure('api.replica_count.max')} API pods, PgBouncer {plan.scenario.tiers.pool.pgbouncer_version}"
    ]
    head = heading(plan, sized, "; ")
    return (
        Artefact(
            "pgbouncer.ini",
            _pgbouncer.ini(plan, head),
            "The connection pools: `pgbouncer pgbouncer.ini`, as a user other than root.",
        ),
        Artefact(
            "userlist.txt",
            _pgbouncer.userlist(plan, head),
            "Who may connect to the pools; fill in the secrets and install it as /etc/pgbouncer/userlist.txt.",
        ),
        Artefact(
            "prepared_statements.py",
            _prepared_statements.render(plan, heading(plan, sized)),
            "Reference for the application: a tenant for each transaction, prepared statements; import it.",
        ),
        Artefact(
            "read-write-split.md",
            _read_write_split.render(plan, heading(plan, sized, "")),
            "Which queries may go to the replicas; to be read before connecting to a `_read` pool.",
        ),
    )
