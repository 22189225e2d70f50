"""PostgreSQL: settings, indexes, queries and the isolation of tenants."""

from __future__ import annotations

from cascade_plan.emitters._heading import application, heading
from cascade_plan.emitters._sql_names import Names, names
from cascade_plan.emitters.postgres import _indexes, _queries, _settings, _tenancy
from cascade_plan.languages import sql
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

COMMAND = "database"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("terraform",)
"""The emitters whose files are applied before these."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the files of the database, in the order they are applied.

    Raises UsageError for a name that PostgreSQL cannot hold.
    """
    return (*_server(plan), *_sql(plan, names(plan)))


def _server(plan: Plan) -> tuple[Artefact, ...]:
    shape = _settings.database_shape(plan)
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
            _settings.conf(plan, head),
            "Settings of a server you run yourself: copy it into the directory that `include_dir` names, and restart.",
        ),
        Artefact(
            "rds-parameters.yaml",
            _settings.rds_parameters(plan, name, head),
            "The same settings for RDS: `aws cloudformation deploy --template-file rds-parameters.yaml "
            f"--stack-name {name}-database-parameters`.",
        ),
    )


def _sql(plan: Plan, quoted: Names) -> tuple[Artefact, ...]:
    head = heading(plan, [], sql.comment)
    timeout_s = plan.scenario.tiers.database.statement_timeout_s
    return (
        Artefact(
            "tenant_column.sql",
            _tenancy.tenant_column(quoted, head),
            "First: the settings' missing tenant, filled in batches; `psql -f tenant_column.sql`.",
        ),
        Artefact(
            "indexes.sql",
            _indexes.render(quoted, head),
            "Second: the indexes, built while the application runs; `psql -f indexes.sql`.",
        ),
        Artefact(
            "tenancy.sql",
            _tenancy.tenancy(quoted, head, timeout_s),
            "Third, once the application sets its tenant: roles and row-level security; `psql -f tenancy.sql`.",
        ),
        Artefact(
            "rollback.sql",
            _tenancy.rollback(quoted, head),
            "Takes policies and indexes away again: `psql -f rollback.sql`.",
        ),
        Artefact(
            "queries.sql",
            _queries.render(quoted, head),
            "The N+1 form, the form that replaces it and the indexes' queries, prepared: `psql` and `\\i queries.sql`.",
        ),
    )
