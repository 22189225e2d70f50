"""PostgreSQL: settings, indexes, queries and the isolation of tenants."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from cascade_plan.emitters import _database_parameters
from cascade_plan.emitters._databases import Database, databases
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._secrets import Secret, admin_secret, database_secret
from cascade_plan.emitters._sql_names import names
from cascade_plan.emitters.postgres import _indexes, _queries, _roles, _settings, _tenancy
from cascade_plan.emitters.postgres import _passwords as _passwords_py
from cascade_plan.errors import UsageError
from cascade_plan.languages import shell, sql
from cascade_plan.model.artefact import Artefact, Step
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Login
from cascade_plan.model.titles import called
from cascade_plan.tiers.database.settings import Tables

COMMAND = "database"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("terraform",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("database",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ()
"""The only clouds it writes for; empty for any."""

RECONNECT: Final = (
    "it adds a column. Where statements are prepared through PgBouncer, run `RECONNECT` in its console afterwards "
    "(`psql -p 6432 pgbouncer`): until then `SELECT *` fails with `cached plan must not change result type`."
)
"""Source: https://www.pgbouncer.org/config.html, max_prepared_statements"""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the files of each database, in the order they are applied.

    Raises UsageError for a name that PostgreSQL cannot hold.
    """
    return tuple(
        file
        for database in databases(plan)
        for file in (*_server(plan, database), *_sql(plan, database), *_passwords(plan, database))
    )


def _server(plan: Plan, database: Database) -> tuple[Artefact, ...]:
    if database.instance.settings.engine == "aurora":
        # Nobody runs it but AWS.
        return ()
    return (
        Artefact(
            f"{database.prefix}postgresql.conf",
            _settings.conf(_database_parameters.settings(plan, database), heading(plan, [_sized(database)])),
            "Settings of a server you run yourself, and of none that AWS runs: copy it into the directory that "
            "`include_dir` names, and restart.",
        ),
    )


def _sized(database: Database) -> str:
    sized, shape = database.instance.sized, _database_parameters.shape_of(database)
    counts = [str(pool.sized.count("connection_count")) for pool in database.pools]
    if counts:
        pools = f"{'a pool' if len(counts) == 1 else 'pools'} of {' and '.join(counts)}"
    else:
        pools = f"{database.client_connection_count} connections of pods"
    return (
        f"sized for {shape.name}: {shape.vcpu} vCPU, {shape.memory_gib:g} GiB, {pools}, "
        f"{sized.value('writes_per_s_peak'):.0f} writes/s at peak"
    )


def _sql(plan: Plan, database: Database) -> tuple[Artefact, ...]:
    """Return the SQL: of the tables where the scenario names them, else of roles alone."""
    head, settings = heading(plan, [], sql.comment), database.instance.settings
    if settings.tables is not None:
        return _sql_of_tables(database, head, logs_in=isinstance(plan.scenario.behaviour.login, Login))
    return (
        Artefact(
            f"{database.prefix}roles.sql",
            _roles.render(names(database), head, settings.statement_timeout_s),
            "Before the application's migrations: its roles, time-outs and grants; "
            f"`psql -f {database.prefix}roles.sql`.",
        ),
    )


def _passwords(plan: Plan, database: Database) -> tuple[Artefact, ...]:
    """Return what gives the roles their passwords, with the step that does all this: where AWS keeps them."""
    if plan.scenario.cloud != "aws":
        return ()
    path, secret = f"{database.prefix}passwords.py", database_secret(plan, database)
    return (
        Artefact(
            path,
            _passwords_py.render(secret, f"database/{path}", heading(plan, [])),
            "Reads the roles' passwords, as JSON, and prints the SQL that sets them: "
            f"`python3 {path} < secret.json | psql`.",
            steps=(_set_up(plan, database, f"database/{path}", secret),),
        ),
    )


def _set_up(plan: Plan, database: Database, path: str, secret: Secret) -> Step:
    """Return the step that runs the SQL as the master user and sets the passwords."""
    admin = admin_secret(plan, database)
    has_tables = database.instance.settings.tables is not None
    names = ("tenant_column", "indexes", "tenancy") if has_tables else ("roles",)
    when = "once your migrations have made its tables" if has_tables else "before your migrations"
    password = "python3 -c \"import json, sys; print(json.load(sys.stdin)['password'])\""
    lines = (
        "# From where the database is reached: AWS CloudShell in its VPC, a VPN or a bastion host.",
        f'PGHOST="$(terraform -chdir=infra output -raw {database.instance.name}_address)"',
        f'PGPASSWORD="$({_secret_of(plan, admin)} | {password})"',
        f"PGDATABASE={shell.literal(database.name)} PGUSER={shell.literal(admin.users[''])} PGSSLMODE=require",
        "export PGHOST PGPASSWORD PGDATABASE PGUSER PGSSLMODE",
        *(f"psql -X -v ON_ERROR_STOP=1 -f database/{database.prefix}{name}.sql" for name in names),
        f"{_secret_of(plan, secret)} | python3 {path} | psql -X -q -v ON_ERROR_STOP=1",
    )
    return Step("database", f"Set up {called(database.instance.name)}, {when}", "\n".join(lines))


def _secret_of(plan: Plan, secret: Secret) -> str:
    """Return the command that prints a secret."""
    named = f"--region {shell.literal(plan.scenario.region)} --secret-id {shell.literal(secret.name)}"
    return f"aws secretsmanager get-secret-value {named} --query SecretString --output text"


def _must_differ(database: Database, indexes: Collection[str]) -> None:
    """Raise UsageError where a table has the name of an index that is made: PostgreSQL has one namespace for both."""
    tables = database.instance.settings.tables or Tables()
    for field, name in tables.named.items():
        if name in indexes:
            where = f"tiers.{database.instance.name}.tables.{field}"
            raise UsageError(f"{where}: {name} is what an emitted index is called: give the table another name")


def _sql_of_tables(database: Database, head: str, *, logs_in: bool) -> tuple[Artefact, ...]:
    quoted, prefix, is_pooled = names(database), database.prefix, bool(database.pools)
    _must_differ(database, {index.name for index in _indexes.indexes(quoted)})
    timeout_s = database.instance.settings.statement_timeout_s
    return (
        Artefact(
            f"{prefix}tenant_column.sql",
            _tenancy.tenant_column(quoted, head, is_pooled),
            f"First: the settings' missing tenant, filled in batches; `psql -f {prefix}tenant_column.sql`.",
            by_hand=RECONNECT if is_pooled else "",
        ),
        Artefact(
            f"{prefix}indexes.sql",
            _indexes.render(quoted, head),
            f"Second: the indexes, built while the application runs; `psql -f {prefix}indexes.sql`.",
        ),
        Artefact(
            f"{prefix}tenancy.sql",
            _tenancy.tenancy(quoted, head, timeout_s, is_pooled=is_pooled, logs_in=logs_in),
            "Third, once the application sets its tenant: roles and row-level security; "
            f"`psql -f {prefix}tenancy.sql`.",
        ),
        Artefact(
            f"{prefix}rollback.sql",
            _tenancy.rollback(quoted, head),
            f"Takes policies and indexes away again: `psql -f {prefix}rollback.sql`.",
        ),
        Artefact(
            f"{prefix}queries.sql",
            _queries.render(quoted, head, is_pooled),
            "The N+1 form, the form that replaces it and the indexes' queries, prepared: `psql` and "
            f"`\\i {prefix}queries.sql`.",
        ),
    )
